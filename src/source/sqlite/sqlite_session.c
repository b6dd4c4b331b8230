#include "source/sqlite/sqlite_session.h"

#include <ctype.h>
#include <stdlib.h>

#include "source/sqlite/sqlite_source.h"
#include "sys/clock.h"

#define BUSY_MS 10000

static const struct {
    int code;
    status means;
    const char *hint;
} codes[] = {
    {SQLITE_CANTOPEN, ERR_NOT_FOUND,
     "check the path; a file in WAL mode also needs its -wal and -shm files, or a folder where they can be made"},
    {SQLITE_NOTADB, ERR_BAD_DATA, "the file is no SQLite database, or it is encrypted"},
    {SQLITE_CORRUPT, ERR_BAD_DATA, "the database is damaged: PRAGMA integrity_check tells more"},
    {SQLITE_BUSY, ERR_UNAVAILABLE, "another program holds the database locked; try again later"},
    {SQLITE_LOCKED, ERR_UNAVAILABLE, "another program holds the database locked; try again later"},
    {SQLITE_PERM, ERR_DENIED, "the user that FlowForge runs as may not read the file"},
    {SQLITE_AUTH, ERR_DENIED, "a source is only read"},
    {SQLITE_READONLY, ERR_INVALID, "a source is only read: take out what changes data"},
    {SQLITE_NOMEM, ERR_NO_MEMORY, ""},
    {SQLITE_IOERR, ERR_IO, "the file cannot be read: look into the system's log"},
    {SQLITE_TOOBIG, ERR_LIMIT, "leave the column with the very large values out, by a query"},
    {SQLITE_ERROR, ERR_INVALID, "mend the query; it has to be one SELECT of tables and columns that are there"},
};

status sqlite_failed(struct db_session *session, int code, struct error *err)
{
    char text[600];
    if ((code & 0xFF) == SQLITE_INTERRUPT || atomic_load(&session->cancelled))
        return error_set(err, ERR_CANCELLED, "cancelled");
    snprintf(text, sizeof text, "%s", session->db ? sqlite3_errmsg(session->db) : sqlite3_errstr(code));
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    status s = ERR_IO;
    const char *hint = "";
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
        if (codes[i].code == (code & 0xFF)) {
            s = codes[i].means;
            hint = codes[i].hint;
            break;
        }
    error_set(err, s, "SQLite %.300s: %.*s", session->path, (int)str_utf8_prefix(str_of(text), 580), text);
    error_hint(err, "%s", hint);
    return s;
}

status sqlite_statement(struct db_session *session, struct str sql, sqlite3_stmt **statement, struct error *err)
{
    const char *tail = NULL;
    sqlite3_stmt *made = NULL;
    if (sql.n > INT32_MAX)
        return error_set(err, ERR_LIMIT, "query: too long");
    int code = sqlite3_prepare_v2(session->db, sql.p, (int)sql.n, &made, &tail);
    if (code != SQLITE_OK)
        return sqlite_failed(session, code, err);
    status s = OK;
    while (tail < sql.p + sql.n && isspace((unsigned char)*tail))
        tail++;
    if (tail < sql.p + sql.n)
        s = error_set(err, ERR_INVALID, "query: there is more than one statement");
    else if (!made)
        s = error_set(err, ERR_INVALID, "query: it is empty");
    else if (!sqlite3_stmt_readonly(made) || sqlite3_column_count(made) == 0)
        s = error_set(err, ERR_INVALID, "query: it is not a SELECT");
    if (s != OK) {
        error_hint(err, "write one SELECT");
        sqlite3_finalize(made);
        return s;
    }
    *statement = made;
    return OK;
}

static void close_session(struct db_session *session)
{
    if (!session)
        return;
    sqlite3_close(session->db);
    free(session->path);
    free(session);
}

/* A transaction begins to see the database with its first read. */
static status begin(struct db_session *session, struct error *err)
{
    static const char *const statements[] = {"PRAGMA query_only = 1", "PRAGMA trusted_schema = 0", "BEGIN",
                                             "SELECT count(*) FROM sqlite_schema"};
    for (size_t i = 0; i < ARRAY_LENGTH(statements); i++) {
        int code = sqlite3_exec(session->db, statements[i], NULL, NULL, NULL);
        if (code != SQLITE_OK)
            return sqlite_failed(session, code, err);
    }
    return OK;
}

static status open_file(struct db_session *session, struct error *err)
{
    int code = sqlite3_open_v2(session->path, &session->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return sqlite_failed(session, code, err);
    sqlite3_busy_timeout(session->db, BUSY_MS);
    sqlite3_limit(session->db, SQLITE_LIMIT_ATTACHED, 0); /* nothing but this file */
    return OK;
}

static status connect(struct db_session **session, const json_t *config, db_step *step, void *self, struct error *err)
{
    struct error own;
    const char *path = json_text(config, "path", NULL), *at = "connect";
    struct db_session *made = calloc(1, sizeof *made);
    double since = clock_seconds();
    if (!err)
        err = &own;
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->driver = &sqlite_driver;
    made->path = strdup(path ? path : "");
    status s = made->path ? OK : error_no_memory(err, 64);
    if (s == OK && made->path[0] != '/')
        s = error_set(err, ERR_INVALID, "connection/config/path: the path of the database file is wanted");
    if (s == OK)
        s = open_file(made, err);
    if (s == OK && step) {
        step(self, at, clock_seconds() - since, NULL);
        since = clock_seconds();
    }
    if (s == OK) {
        at = "select";
        s = begin(made, err);
    }
    if (s != OK) {
        if (step)
            step(self, at, clock_seconds() - since, err);
        close_session(made);
        return s;
    }
    *session = made;
    return OK;
}

static void cancel(struct db_session *session)
{
    atomic_store(&session->cancelled, true);
    sqlite3_interrupt(session->db);
}

static status describe(struct db_session *session, const struct db_read *read, struct schema *schema, struct error *err)
{
    struct sqlite_columns columns = {0};
    sqlite3_stmt *statement = NULL;
    status s = sqlite_prepare_read(session, read, &columns, &statement, err);
    sqlite3_finalize(statement);
    if (s == OK)
        *schema = columns.schema;
    return s;
}

const struct db_driver sqlite_driver = {
    .kind = "sqlite",
    .connect = connect,
    .tables = sqlite_tables,
    .describe = describe,
    .highest = sqlite_highest,
    .open = sqlite_open_rows,
    .cancel = cancel,
    .close = close_session,
};
