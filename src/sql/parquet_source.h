/* Parquet files as a stream of batches, through DuckDB (DESIGN section 10). */
#ifndef FF_SQL_PARQUET_SOURCE_H
#define FF_SQL_PARQUET_SOURCE_H

#include "batch/batch.h"

struct parquet_source_options {
    const char *const *paths; /* read one after another, columns matched by name */
    size_t path_count;
    size_t memory; /* DuckDB's memory_limit, bytes */
    unsigned threads;
    size_t batch_rows; /* most rows in a batch; 0: 122,880 */
};

/* Loads libduckdb.so on first use (dlopen), checks its version, opens a locked-down in-memory instance that may read
 * the given paths and nothing else. Types map to ours (DESIGN 3.1); nested ones become json; unsigned, hugeint and
 * other foreign types become the narrowest of ours that holds every value (ubigint -> decimal(20,0)), or
 * ERR_UNSUPPORTED. Row order is the files' order. Rows' total is known: */
status parquet_source_open(struct batch_stream *stream, const struct parquet_source_options *options, uint64_t *rows,
                           struct error *err) MUST_USE;

#endif
