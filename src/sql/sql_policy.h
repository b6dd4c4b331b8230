/* Which SQL of users may run: exactly one statement, a SELECT, that names no table function that reaches for files,
 * settings or other SQL. The session's lock-down (session.h) holds by itself; this tells people early and plainly, and
 * closes what the lock leaves open: functions that write logs or profiles into a folder that may be written to. */
#ifndef FF_SQL_SQL_POLICY_H
#define FF_SQL_SQL_POLICY_H

#include "sql/session.h"

/* Prepare a user's SQL as it stands. *statement is the caller's to destroy; *where (may be NULL) is the place in the
 * text that an error is about. ERR_INVALID for SQL that is wrong, ERR_DENIED for SQL that is not allowed. */
status sql_policy_prepare(struct sql_session *session, const char *sql, duckdb_prepared_statement *statement,
                          struct sql_position *where, struct error *err) MUST_USE;
/* Length of the SQL without the semicolon that ends its statement and what follows it, so that it can stand in
 * parentheses. For SQL that sql_policy_prepare accepted. */
status sql_policy_statement_length(struct sql_session *session, const char *sql, size_t *length,
                                   struct error *err) MUST_USE;

#endif
