/* What DuckDB reads from Parquet files without a word although a value may change on the way: refused up front. */
#ifndef FF_SQL_PARQUET_CHECK_H
#define FF_SQL_PARQUET_CHECK_H

#include "batch/schema.h"
#include "sql/session.h"

/* Columns whose values DuckDB's reader would alter: decimals of more than 38 digits (it reads them as garbage doubles)
 * and instants in nanoseconds (it cuts them to microseconds). ERR_UNSUPPORTED names file and column. */
status parquet_check_columns(struct sql_session *session, const char *const *paths, size_t path_count,
                             struct error *err) MUST_USE;
/* Several files: each column's type in each file has to fit the common type that `united` (a prepared SELECT over
 * all of them) gives it, value by value; columns that it does not select are left out. ERR_UNSUPPORTED names file,
 * column and both types. */
status parquet_check_union(struct sql_session *session, const char *const *paths, size_t path_count,
                           duckdb_prepared_statement united, struct error *err) MUST_USE;
/* A prepared SELECT of some columns (none named: of all) over those files, matched by name. */
status parquet_prepare(struct sql_session *session, const struct str *columns, size_t column_count,
                       const char *const *paths, size_t path_count, duckdb_prepared_statement *statement,
                       struct error *err) MUST_USE;
/* Note in the schema, whose columns are those of that one file, what DuckDB does not tell by itself: which of them are
 * REQUIRED and what they were called in the source (key-value metadata "flowforge.source_names"). */
status parquet_take_fields(struct sql_session *session, const char *path, struct schema *schema,
                           struct error *err) MUST_USE;
/* Append "FROM read_parquet(...)" for those files. */
status parquet_append_from(struct buf *sql, const char *const *paths, size_t path_count, struct error *err) MUST_USE;

#endif
