/* One locked-down, in-memory DuckDB instance with one connection (DESIGN section 10). */
#ifndef FF_SQL_SESSION_H
#define FF_SQL_SESSION_H

#include "base/buf.h"
#include "sql/duckdb_api.h"
#include "sql/sql_position.h"

struct sql_session_options {
    size_t memory;    /* DuckDB's memory_limit in bytes: soft, and only of what its buffer manager holds; 0: 256 MiB */
    unsigned threads; /* 0: 1 */
    /* All that SQL may touch outside of the process; nothing of it with both empty. Symbolic links are followed
     * before they are judged. */
    const char *const *allowed_paths; /* single files */
    size_t allowed_path_count;
    const char *const *allowed_directories; /* and all below them */
    size_t allowed_directory_count;
    /* An existing folder where queries larger than memory put what they cannot hold; SQL may read it. NULL: never. */
    const char *temp_directory;
};

struct sql_session {
    struct duckdb_api api;
    duckdb_database database;
    duckdb_connection connection;
};

/* Loads the library, opens the instance and locks it: after this no SQL can reach another file, load an extension or
 * change a setting. Time zone UTC, insertion order preserved; spills to disk only
 * into temp_directory. */
status sql_session_open(struct sql_session *session, const struct sql_session_options *options,
                        struct error *err) MUST_USE;
/* Set *err from DuckDB's message and return the code; its kind is told by the message when `type` does not. */
status sql_error_set(struct error *err, duckdb_error_type type, const char *message);
/* Run one statement, dropping its result. */
status sql_session_run(struct sql_session *session, const char *sql, struct error *err) MUST_USE;
/* Called with each row of a result; every column is a VARCHAR, a null has p == NULL. Not OK ends the walk. */
typedef status sql_row_visitor(void *self, const struct str *cells, struct error *err);
/* Run a query of `columns` (at most SQL_WALK_COLUMNS) VARCHAR columns and show its rows. */
#define SQL_WALK_COLUMNS 8
status sql_session_walk(struct sql_session *session, const char *sql, size_t columns, sql_row_visitor *visit,
                        void *self, struct error *err) MUST_USE;
/* Prepare; *statement is the caller's to destroy. */
status sql_session_prepare(struct sql_session *session, const char *sql, duckdb_prepared_statement *statement,
                           struct error *err) MUST_USE;
/* Start a streaming run of a prepared statement: rows are made while they are fetched. */
status sql_session_stream(struct sql_session *session, duckdb_prepared_statement statement, duckdb_result *result,
                          struct error *err) MUST_USE;
/* The next chunk, NULL at the end; to be destroyed by the caller. Errors that show up late are told here. */
status sql_session_fetch(struct sql_session *session, duckdb_result *result, duckdb_data_chunk *chunk,
                         struct error *err) MUST_USE;
/* Make what runs in another thread end soon with ERR_CANCELLED. Safe from any thread while the session is open. */
void sql_session_interrupt(struct sql_session *session);
void sql_session_release(struct sql_session *session);

#endif
