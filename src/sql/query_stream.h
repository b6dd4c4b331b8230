/* The rows of a SELECT as batches: what Parquet sources and dataset jobs have in common. */
#ifndef FF_SQL_QUERY_STREAM_H
#define FF_SQL_QUERY_STREAM_H

#include "batch/batch.h"
#include "sql/session.h"
#include "sql/vector_column.h"

struct query_stream {
    struct sql_session *session; /* borrowed */
    struct schema schema;
    struct vector_type *types; /* schema.count of them */
    size_t batch_rows;         /* most rows in a batch */
    size_t batch_bytes;        /* a batch ends after so many */
    uint64_t rows_given;
    /* internal */
    duckdb_prepared_statement statement;
    duckdb_result result;
    duckdb_data_chunk chunk; /* the one being taken over, or NULL */
    size_t chunk_rows, chunk_at;
    bool ended; /* DuckDB takes it ill to be asked again */
};

#define QUERY_BATCH_ROWS 122880
#define QUERY_BATCH_BYTES ((size_t)64 << 20)

/* Take names and types of the columns from a prepared SELECT; none is not_null. Types map as parquet_source.h says.
 * ERR_INVALID when two columns have the same name, ERR_UNSUPPORTED for a type that has no counterpart. */
status query_stream_init(struct query_stream *q, struct sql_session *session, duckdb_prepared_statement select,
                         struct error *err) MUST_USE;
/* Have column i cast in the query to another type that holds all its values. */
status query_stream_cast(struct query_stream *q, size_t i, struct data_type to, struct error *err) MUST_USE;
/* Run "SELECT <the columns> <from>", where `from` ("FROM t") yields columns of the schema's names. */
status query_stream_start(struct query_stream *q, struct str from, struct error *err) MUST_USE;
/* The next rows; none at the end. No value is changed: one that its type cannot hold is ERR_BAD_DATA with column and
 * row. */
status query_stream_next(struct query_stream *q, struct batch *into, struct error *err) MUST_USE;
void query_stream_release(struct query_stream *q);

#endif
