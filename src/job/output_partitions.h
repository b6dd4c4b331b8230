/* Rows split by column values (and, with split_inputs, by input) into many files, in bounded memory: rows of a
 * partition are gathered until they make a row group; when all that is gathered passes the limit, the largest is
 * written first. Files are only open while something is written to them. */
#ifndef FF_JOB_OUTPUT_PARTITIONS_H
#define FF_JOB_OUTPUT_PARTITIONS_H

#include "job/output_file.h"
#include "job/output_names.h"

struct output_partitions;
status output_partitions_create(struct output_partitions **p, const struct output_plan *plan,
                                const struct convert_options *options, struct staging *staging,
                                const struct output_names *names, struct error *err) MUST_USE;
/* Any thread. */
status output_partitions_split(const struct output_partitions *p, const struct batch *batch,
                               struct partition_split *split, struct error *err) MUST_USE;
/* In order. */
status output_partitions_add(struct output_partitions *p, struct output_worker *worker, const struct batch *batch,
                             size_t input, const struct partition_split *split, struct error *err) MUST_USE;
status output_partitions_finish(struct output_partitions *p, struct output_worker *worker, const struct schema *schema,
                                struct convert_result *result, struct error *err) MUST_USE;
uint64_t output_partitions_bytes_raw(const struct output_partitions *p);
uint64_t output_partitions_bytes_written(const struct output_partitions *p);
void output_partitions_free(struct output_partitions *p);

/* Note a finished file in the result; `folder`: its partition. */
status output_list_file(struct convert_result *result, const char *destination, const struct output_file *file,
                        size_t input, struct str folder, struct error *err) MUST_USE;

#endif
