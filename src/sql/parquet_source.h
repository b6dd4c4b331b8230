/* Parquet files as a stream of batches, through DuckDB (DESIGN section 10). */
#ifndef FF_SQL_PARQUET_SOURCE_H
#define FF_SQL_PARQUET_SOURCE_H

#include "batch/batch.h"

struct parquet_source_options {
    const char *const *paths; /* read one after another, columns matched by name */
    size_t path_count;
    size_t memory; /* DuckDB's memory_limit, bytes */
    unsigned threads;
    size_t batch_rows;         /* most rows in a batch; 0: 122,880 */
    size_t batch_bytes;        /* a batch ends after so many; 0: 64 MiB */
    const struct str *columns; /* only those, in that order */
    size_t column_count;       /* 0: all */
    bool keep_fields; /* of one flat file: its not_null and source names come along. Else no column is not_null */
};

/* Loads libduckdb.so on first use (dlopen), checks its version, opens a locked-down in-memory instance that may read
 * the given paths and nothing else. Names are names: never patterns, and folders such as dt=2024-01-01 add no columns.
 *
 * Types map to ours (DESIGN 3.1). Lists, structs and maps become json (NaN and infinities in them strings, as in
 * NDJSON), intervals string, unsigned and wider integers the narrowest of ours that holds every value (ubigint ->
 * decimal(20,0), hugeint -> decimal(38,0)). No value is changed silently: one that does not fit (nanoseconds that are
 * not whole microseconds, more than 38 digits, text that is not UTF-8, "JSON" that is none) is ERR_BAD_DATA with
 * column and row. What DuckDB itself would alter (instants in nanoseconds, decimals of more than 38 digits, columns of
 * several files whose types have no common one that holds them all) is ERR_UNSUPPORTED before the first row. The one
 * exception: the deprecated INT96 timestamps are read to the microsecond, which is what Spark writes.
 *
 * A column that a file lacks is null for that file's rows. Row order is the files' order. A batch has batch_rows rows
 * or, when rows are large, ends after some batch_bytes. *rows is the total that the files' footers promise; the stream
 * ends with ERR_ACCOUNTING if another number was read. */
status parquet_source_open(struct batch_stream *stream, const struct parquet_source_options *options, uint64_t *rows,
                           struct error *err) MUST_USE;

#endif
