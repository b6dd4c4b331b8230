/* A query's rows into files, by the conversion's writers. */
#ifndef FF_JOB_DATASET_WRITE_H
#define FF_JOB_DATASET_WRITE_H

#include "job/output.h"
#include "sql/query_stream.h"

/* Told now and then, from the thread that delivers. */
struct dataset_observer {
    status (*rows)(void *self, uint64_t rows, struct error *err);
    void *self;
};

/* Start the query (`from` as of query_stream_start) and write all of its rows to options->output, a folder: partitions,
 * names, compression, threads, memory, sync and cancel are those of the options, whose inputs[0] gives {filename}.
 * *result: files, schema, rows_read == rows_written. After an error nothing is there. */
status dataset_write(struct query_stream *query, struct str from, const struct convert_options *options,
                     const struct dataset_observer *observer, struct convert_result *result,
                     struct error *err) MUST_USE;

#endif
