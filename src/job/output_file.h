/* One staged output file: Parquet, CSV or NDJSON. */
#ifndef FF_JOB_OUTPUT_FILE_H
#define FF_JOB_OUTPUT_FILE_H

#include "job/output.h"
#include "lake/staging.h"

struct output_file {
    const struct output_plan *plan;
    struct staging *staging;
    char *relative;        /* path in the staging */
    struct byte_sink sink; /* open between begin and pause */
    struct parquet_writer *parquet;
    uint64_t rows, bytes;
    bool created;
};

struct parquet_options output_parquet_options(const struct output_plan *plan, const struct convert_options *options);
/* Append the batch as text, compressed by the plan, to *bytes. */
status output_text_encode(const struct output_plan *plan, int level, const struct batch *batch, struct buf *scratch,
                          struct buf *bytes, struct error *err) MUST_USE;

/* Write the CSV header line, compressed by the plan, to the open file. */
status output_text_header(const struct output_plan *plan, int level, const struct schema *schema,
                          struct output_file *file, struct error *err) MUST_USE;

/* Open it, new or to go on after a pause. */
status output_file_begin(struct output_file *f, const struct parquet_options *parquet, struct error *err) MUST_USE;
status output_file_add_group(struct output_file *f, const struct parquet_row_group *group, struct error *err) MUST_USE;
status output_file_add_text(struct output_file *f, const struct buf *bytes, uint64_t rows, struct error *err) MUST_USE;
/* Close the descriptor for now: thousands of partitions may be under way. */
status output_file_pause(struct output_file *f, struct error *err) MUST_USE;
/* Write what completes the file (a Parquet footer; a CSV header if no row came) and check its footer's row count. */
status output_file_end(struct output_file *f, const struct schema *schema, int level, struct error *err) MUST_USE;
/* The row count that the finished Parquet file states, from its own footer on disk. */
status output_file_stated_rows(const char *path, uint64_t *rows, struct error *err) MUST_USE;
void output_file_release(struct output_file *f);

#endif
