/* Where batches go: one file or a partitioned directory; Parquet, CSV or NDJSON. Staged, then published at once. */
#ifndef FF_JOB_OUTPUT_H
#define FF_JOB_OUTPUT_H

#include "format/parquet/parquet_writer.h"
#include "job/convert.h"
#include "lake/partition.h"

/* What the options come to, checked against each other. */
struct output_plan {
    enum file_format format;
    enum convert_compression compression;
    bool directory;        /* the destination is a folder of files */
    const char *extension; /* ".parquet", ".csv.gz", ... */
};

status output_plan_make(struct output_plan *plan, const struct convert_options *options, struct error *err) MUST_USE;

struct output;

/* What one worker needs of its own. */
struct output_worker {
    struct parquet_encoder *encoder;
    struct buf text; /* encoded text before compression */
};

/* One batch on its way: encoded by any worker, delivered in order. */
struct output_item {
    size_t input;                   /* whose rows they are; the caller sets it */
    struct parquet_row_group group; /* one Parquet file */
    struct buf bytes;               /* one text file */
    struct partition_split split;   /* partitioned */
};

status output_create(struct output **output, const struct output_plan *plan, const struct convert_options *options,
                     struct error *err) MUST_USE;
status output_worker_init(const struct output *o, struct output_worker *worker, struct error *err) MUST_USE;
/* Any thread. The batch's schema may still be of an older version than the last one. */
status output_encode(const struct output *o, struct output_worker *worker, const struct batch *batch,
                     struct output_item *item, struct error *err) MUST_USE;
/* In order. */
status output_deliver(struct output *o, struct output_worker *worker, const struct batch *batch,
                      struct output_item *item, struct error *err) MUST_USE;
/* Complete the files under the final schema, read their row counts back and list them in *result. */
status output_finish(struct output *o, struct output_worker *worker, const struct schema *schema,
                     struct convert_result *result, struct error *err) MUST_USE;
status output_publish(struct output *o, struct error *err) MUST_USE;
/* Is the data under its final name? May be so even after output_publish failed (its names could not be made durable).
 */
bool output_is_published(const struct output *o);
/* Bytes of encoded data before the codec, and after it, so far. */
uint64_t output_bytes_raw(const struct output *o);
uint64_t output_bytes_written(const struct output *o);

void output_worker_release(struct output_worker *worker);
void output_item_release(struct output_item *item);
/* Whatever was not published is removed. */
void output_free(struct output *o);

#endif
