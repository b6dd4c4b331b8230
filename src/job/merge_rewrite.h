/* Writing a Parquet file again without the rows that lost a merge. */
#ifndef FF_JOB_MERGE_REWRITE_H
#define FF_JOB_MERGE_REWRITE_H

#include "job/merge.h"
#include "shape/dedupe.h"

/* Batches under way at a time, and how large they may be so that all of them stay within a share of the memory. */
size_t merge_slots(const struct merge_options *options);
size_t merge_batch_bytes(const struct merge_options *options);

/* Write the rows of `file` that `dedupe` keeps (the file's first row is its `first_row`) to output/relative, in their
 * order, with the file's columns as they are, synced but for the names of the folders. Fills outcome->rows and bytes;
 * nothing is written when no row stays. */
status merge_rewrite(const struct merge_options *options, const struct merge_file *file,
                     const struct dedupe_index *dedupe, uint64_t first_row, struct merge_outcome *outcome,
                     struct error *err) MUST_USE;

#endif
