/* Pieces of SQL text. */
#ifndef FF_SQL_SQL_TEXT_H
#define FF_SQL_SQL_TEXT_H

#include "base/buf.h"
#include "batch/type.h"

/* Append "name", its quotes doubled. */
status sql_append_identifier(struct buf *sql, struct str name, struct error *err) MUST_USE;
/* Append 'text', its apostrophes doubled: DuckDB's plain literals have no other escape. */
status sql_append_literal(struct buf *sql, struct str text, struct error *err) MUST_USE;
/* Append ['a','b']. */
status sql_append_literals(struct buf *sql, const char *const *texts, size_t count, struct error *err) MUST_USE;
/* Append DuckDB's name of a type: BIGINT, DECIMAL(18,2). */
status sql_append_type(struct buf *sql, struct data_type type, struct error *err) MUST_USE;
/* Append the NUL that the C API wants to see at the end; it does not count in len. */
status sql_end(struct buf *sql, struct error *err) MUST_USE;

#endif
