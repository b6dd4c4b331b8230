/* One open SQLite file with its read transaction, and what the parts of the driver share. */
#ifndef FF_SOURCE_SQLITE_SQLITE_SESSION_H
#define FF_SOURCE_SQLITE_SQLITE_SESSION_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "batch/cast.h"
#include "source/db_driver.h"

struct db_session {
    const struct db_driver *driver;
    sqlite3 *db;
    char *path;
    atomic_bool cancelled;
};

/* ---- sqlite_session.c ---- */

status sqlite_failed(struct db_session *session, int code, struct error *err);
/* One read-only statement, the whole of the text. */
status sqlite_statement(struct db_session *session, struct str sql, sqlite3_stmt **statement,
                        struct error *err) MUST_USE;

/* ---- sqlite_query.c ---- */

struct sqlite_columns {
    struct schema schema;
    int watermark; /* column, or -1 */
    bool row_ids;  /* the statement gives the rowid behind the columns */
};
/* The statement of a read, its columns known. *statement is to be finalized. */
status sqlite_prepare_read(struct db_session *session, const struct db_read *read, struct sqlite_columns *columns,
                           sqlite3_stmt **statement, struct error *err) MUST_USE;
/* By its declaration (NULL: none, of an expression). */
struct data_type sqlite_type_of(const char *declared);

/* ---- sqlite_value.c ---- */

/* A value's outcome: fixed ones in *fixed, of text and binary in *text. False: it is none of the type, *why says why
 * and *text is what it is. Not for nulls. */
bool sqlite_value(sqlite3_stmt *statement, int column, struct data_type type, union value *fixed, struct str *text,
                  char scratch[64], const char **why);
/* < 0, 0, > 0; both of the type. */
int sqlite_compare(struct data_type type, const union value *a, struct str a_text, const union value *b,
                   struct str b_text);

/* ---- sqlite_rows.c, sqlite_tables.c ---- */

status sqlite_open_rows(struct db_session *session, const struct db_read *read, struct batch_stream *stream,
                        struct error *err) MUST_USE;
status sqlite_highest(struct db_session *session, const struct db_read *read, char **value, struct error *err) MUST_USE;
status sqlite_tables(struct db_session *session, json_t **tables, struct error *err) MUST_USE;

#endif
