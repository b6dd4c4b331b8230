/* Rows split by column values into many files, in bounded memory: rows of a partition are gathered until they make a
 * row group; when all that is gathered passes the limit, the largest is written first. Files are only open while
 * something is written to them. */
#ifndef FF_JOB_OUTPUT_PARTITIONS_H
#define FF_JOB_OUTPUT_PARTITIONS_H

#include "job/output.h"
#include "lake/staging.h"

struct output_partitions;
status output_partitions_create(struct output_partitions **p, const struct output_plan *plan,
                                const struct convert_options *options, struct staging *staging,
                                struct error *err) MUST_USE;
/* Any thread. */
status output_partitions_split(const struct output_partitions *p, const struct batch *batch,
                               struct partition_split *split, struct error *err) MUST_USE;
/* In order. */
status output_partitions_add(struct output_partitions *p, struct output_worker *worker, const struct batch *batch,
                             const struct partition_split *split, struct error *err) MUST_USE;
status output_partitions_finish(struct output_partitions *p, struct output_worker *worker, const struct schema *schema,
                                struct convert_result *result, struct error *err) MUST_USE;
uint64_t output_partitions_bytes_raw(const struct output_partitions *p);
uint64_t output_partitions_bytes_written(const struct output_partitions *p);
void output_partitions_free(struct output_partitions *p);

/* Append the file name for the run's `sequence`-th file of a folder. */
status output_file_name(const struct convert_options *options, const struct output_plan *plan, uint32_t sequence,
                        struct buf *path, struct error *err) MUST_USE;
/* Note a finished file in the result. */
status output_list_file(struct convert_result *result, const char *destination, const char *relative, uint64_t rows,
                        uint64_t bytes, struct error *err) MUST_USE;

#endif
