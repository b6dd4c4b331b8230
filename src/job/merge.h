/* Merging new rows into a dataset by key (docs/pipelines.md 6): older files that lose rows are written again without
 * them, the others stay. Parquet only. */
#ifndef FF_JOB_MERGE_H
#define FF_JOB_MERGE_H

#include "job/convert.h"

struct merge_file {
    const char *path;     /* absolute */
    const char *relative; /* where the rewritten file lies below `output` (the partition's folder is its parent); no
                           * two files may have the same one */
    uint64_t rows;
};
struct merge_outcome {
    bool rewritten; /* some rows lost: the file stands again at output/relative, with `rows` rows (none: no file) */
    uint64_t rows, bytes, lost; /* bytes: only of a rewritten file */
};
struct merge_options {
    const struct merge_file *older; /* in order; they lose against newer ones on equal order values */
    size_t older_count;
    const struct merge_file *newer;
    size_t newer_count;
    const struct str *keys;
    size_t key_count;
    struct str order_by; /* empty: newer wins */
    const char *output;  /* folder for rewritten files */
    const char *temp_dir;
    enum convert_compression compression;
    size_t threads, memory;
    const atomic_bool *cancel;
};
/* Two passes: keys only over all files; then the losing files alone. Outcomes are parallel to the files and undefined
 * after an error. Memory stays within `memory` whatever the sizes.
 *
 * Rewritten files keep their columns, order of rows and partition; they and their folders are synced, and their
 * footers checked. What was written before an error stays in `output`. A key without a value is ERR_BAD_DATA; key or
 * order columns whose types differ between files so that no common one holds all values are ERR_UNSUPPORTED. */
status merge_files(const struct merge_options *options, struct merge_outcome *older, struct merge_outcome *newer,
                   struct error *err) MUST_USE;

#endif
