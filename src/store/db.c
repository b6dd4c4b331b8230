#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "store/db_error.h"
#include "sys/file.h"

#define STATEMENTS_KEPT 96
#define BUSY_MILLISECONDS 5000
#define COLUMNS_MOST 64 /* of a row that is read */
#define WAL_BYTES_KEPT "16777216"

struct statement {
    sqlite3_stmt *prepared; /* NULL: a free place */
    uint64_t hash;          /* of its text */
    uint64_t used;          /* turn of its last use */
    bool busy;              /* being stepped: a visitor may run the same text again */
};

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    bool transaction;             /* begun by db_begin and neither committed nor rolled back by us */
    atomic_uint_fast64_t version; /* odd: what was changed is about to become visible */
    uint64_t turn;
    struct statement statements[STATEMENTS_KEPT];
    char path[];
};

static status fail(struct db *db, int code, const char *sql, struct error *err)
{
    return db_error(db->handle, code, db->path, sql, err);
}

/* FNV-1a */
static uint64_t text_hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h;
}

/* The kept statement of that text, or the place to keep it in: free, or the one that was not used for longest. */
static struct statement *statement_find(struct db *db, const char *sql, uint64_t hash, bool *found)
{
    struct statement *place = NULL;
    for (size_t i = 0; i < STATEMENTS_KEPT; i++) {
        struct statement *st = &db->statements[i];
        *found = st->prepared && !st->busy && st->hash == hash && strcmp(sqlite3_sql(st->prepared), sql) == 0;
        if (*found)
            return st;
        if (!st->busy && (!place || (st->prepared ? st->used : 0) < (place->prepared ? place->used : 0)))
            place = st;
    }
    return place;
}

static status statement_take(struct db *db, const char *sql, struct statement **statement, struct error *err)
{
    uint64_t hash = text_hash(sql);
    bool found;
    struct statement *st = statement_find(db, sql, hash, &found);
    if (!st)
        return error_set(err, ERR_INTERNAL, "more than %d statements run within each other", STATEMENTS_KEPT);
    if (!found) {
        sqlite3_stmt *prepared;
        int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL);
        if (code != SQLITE_OK)
            return fail(db, code, sql, err);
        sqlite3_finalize(st->prepared);
        *st = (struct statement){.prepared = prepared, .hash = hash};
    }
    st->used = ++db->turn;
    st->busy = true;
    *statement = st;
    return OK;
}

/* Also takes its read lock off the database. */
static void statement_give_back(struct statement *st)
{
    sqlite3_reset(st->prepared);
    sqlite3_clear_bindings(st->prepared);
    st->busy = false;
}

static int bind(sqlite3_stmt *statement, int at, const struct db_value *value)
{
    switch (value->kind) {
    case DB_NULL:
        return sqlite3_bind_null(statement, at);
    case DB_INTEGER:
        return sqlite3_bind_int64(statement, at, value->integer);
    case DB_REAL:
        return sqlite3_bind_double(statement, at, value->real);
    case DB_TEXT:
        return sqlite3_bind_text64(statement, at, value->bytes ? value->bytes : "", value->length, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(statement, at, value->bytes ? value->bytes : "", value->length, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int column(sqlite3_stmt *statement, int at, struct db_value *value)
{
    *value = (struct db_value){.kind = DB_NULL};
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        *value = db_int(sqlite3_column_int64(statement, at));
        return SQLITE_OK;
    case SQLITE_FLOAT:
        *value = db_real(sqlite3_column_double(statement, at));
        return SQLITE_OK;
    case SQLITE_TEXT:
        value->kind = DB_TEXT;
        value->bytes = sqlite3_column_text(statement, at);
        value->length = (size_t)sqlite3_column_bytes(statement, at);
        return value->bytes ? SQLITE_OK : SQLITE_NOMEM;
    case SQLITE_BLOB:
        value->kind = DB_BLOB;
        value->bytes = sqlite3_column_blob(statement, at);
        value->length = (size_t)sqlite3_column_bytes(statement, at);
        return value->bytes || value->length == 0 ? SQLITE_OK : SQLITE_NOMEM;
    default:
        return SQLITE_OK;
    }
}

static status give_row(struct db *db, sqlite3_stmt *statement, const char *sql, db_visitor *visit, void *self,
                       struct error *err)
{
    struct db_value row[COLUMNS_MOST];
    int count = sqlite3_column_count(statement);
    if (count > COLUMNS_MOST)
        return error_set(err, ERR_INTERNAL, "a statement has %d columns, more than %d", count, COLUMNS_MOST);
    for (int i = 0; i < count; i++) {
        int code = column(statement, i, &row[i]);
        if (code != SQLITE_OK)
            return fail(db, code, sql, err);
    }
    return visit(self, row, (size_t)count, err);
}

static bool is_open(const struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

/* SQLite ends a transaction by itself after some errors: what follows must not be committed piece by piece. And one
 * that could not be rolled back, for want of memory, must not swallow what follows. */
static status check_transaction(struct db *db, struct error *err)
{
    if (!db->transaction && is_open(db))
        db_rollback(db);
    if (db->transaction == is_open(db))
        return OK;
    status s = error_set(err, ERR_UNAVAILABLE, "the transaction on the metadata database '%s' was ended by an error",
                         db->path);
    error_hint(err, "try again");
    return s;
}

static status execute(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count,
                      db_visitor *visit, void *self, struct error *err)
{
    struct statement *st = NULL;
    status s = check_transaction(db, err);
    if (s == OK)
        s = statement_take(db, sql, &st, err);
    if (s != OK)
        return s;
    int code = SQLITE_OK;
    for (size_t i = 0; i < bind_count && code == SQLITE_OK; i++)
        code = bind(st->prepared, (int)i + 1, &binds[i]);
    if (code == SQLITE_OK)
        while ((code = sqlite3_step(st->prepared)) == SQLITE_ROW)
            if (visit && (s = give_row(db, st->prepared, sql, visit, self, err)) != OK)
                break;
    if (s == OK && code != SQLITE_DONE)
        s = fail(db, code, sql, err);
    statement_give_back(st);
    return s;
}

/* Around what may change what readers see: a commit, or a writer's statement outside of a transaction. */
static bool version_leave(struct db *db, bool committing)
{
    bool lasting = db->mode == DB_WRITE && (committing || !db->transaction);
    if (lasting)
        atomic_fetch_add(&db->version, 1);
    return lasting;
}

static void version_enter(struct db *db, bool lasting)
{
    if (lasting)
        atomic_fetch_add(&db->version, 1);
}

uint64_t db_version(const struct db *db)
{
    uint64_t version = atomic_load(&db->version);
    return version % 2 ? 0 : version;
}

status db_run(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t *changes,
              struct error *err)
{
    bool lasting = version_leave(db, false);
    status s = execute(db, sql, binds, bind_count, NULL, NULL, err);
    version_enter(db, lasting);
    if (s == OK && changes)
        *changes = sqlite3_changes64(db->handle);
    return s;
}

status db_each(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, db_visitor *visit,
               void *self, struct error *err)
{
    bool lasting = version_leave(db, false);
    status s = execute(db, sql, binds, bind_count, visit, self, err);
    version_enter(db, lasting);
    return s;
}

struct first_integer {
    bool seen;
    int64_t value;
};

static status take_integer(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct first_integer *first = self;
    (void)err;
    if (!first->seen && columns > 0)
        first->value = db_int_of(&row[0], first->value);
    first->seen = true;
    return OK;
}

status db_integer(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t fallback,
                  int64_t *value, struct error *err)
{
    struct first_integer first = {.value = fallback};
    status s = db_each(db, sql, binds, bind_count, take_integer, &first, err);
    if (s == OK)
        *value = first.value;
    return s;
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

static status run_script(struct db *db, const char *sql, struct error *err)
{
    while (*sql) {
        sqlite3_stmt *statement;
        const char *rest;
        status s = check_transaction(db, err);
        if (s != OK)
            return s;
        int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, &rest);
        if (code == SQLITE_OK && statement) {
            while ((code = sqlite3_step(statement)) == SQLITE_ROW)
                continue;
            code = code == SQLITE_DONE ? SQLITE_OK : code;
        }
        if (code != SQLITE_OK)
            s = fail(db, code, sql, err);
        sqlite3_finalize(statement);
        if (s != OK)
            return s;
        sql = rest;
    }
    return OK;
}

status db_script(struct db *db, const char *sql, struct error *err)
{
    bool lasting = version_leave(db, false);
    status s = run_script(db, sql, err);
    version_enter(db, lasting);
    return s;
}

status db_begin(struct db *db, struct error *err)
{
    if (db->transaction)
        return error_set(err, ERR_INTERNAL, "a transaction is begun within another");
    status s = execute(db, db->mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", DB_NO_BINDS, NULL, NULL, err);
    db->transaction = s == OK;
    return s;
}

status db_commit(struct db *db, struct error *err)
{
    if (!db->transaction)
        return error_set(err, ERR_INTERNAL, "there is no transaction to commit");
    bool lasting = version_leave(db, true);
    status s = execute(db, "COMMIT", DB_NO_BINDS, NULL, NULL, err);
    version_enter(db, lasting);
    if (s != OK)
        db_rollback(db);
    db->transaction = false;
    return s;
}

void db_rollback(struct db *db)
{
    db->transaction = false;
    /* When that fails it is tried again before the next statement. */
    if (is_open(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_in_transaction(const struct db *db)
{
    return db->transaction;
}

/* SQLite would make it for everybody; its -wal and -shm files take over the mode. A file that is there is not opened
 * here: closing it would take off the locks that other connections of this process hold on it. */
static status make_private_file(const char *path, struct error *err)
{
    int fd = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        file_close(fd);
    else if (errno != EEXIST)
        return error_set_errno(err, errno, "cannot make the metadata database '%s'", path);
    return OK;
}

static status take_journal_mode(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    (void)err;
    *(bool *)self = columns == 1 && strcmp(db_text_of(&row[0], ""), "wal") == 0;
    return OK;
}

static status set_up(struct db *db, struct error *err)
{
    sqlite3_busy_timeout(db->handle, BUSY_MILLISECONDS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    bool wal = false;
    bool writes = db->mode == DB_WRITE;
    status s = db_each(db, writes ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode", DB_NO_BINDS, take_journal_mode,
                       &wal, err);
    if (s == OK && !wal) {
        s = error_set(err, ERR_UNSUPPORTED, "the metadata database '%s' cannot have a write-ahead log", db->path);
        error_hint(err, "put the home directory on a local file system");
    }
    if (s == OK)
        s = db_script(db,
                      "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
                      "PRAGMA cache_size = -2000; PRAGMA journal_size_limit = " WAL_BYTES_KEPT ";",
                      err);
    if (s == OK && !writes)
        s = db_script(db, "PRAGMA query_only = ON", err);
    return s;
}

status db_open(struct db **db, const char *path, enum db_mode mode, struct error *err)
{
    status s = mode == DB_WRITE ? make_private_file(path, err) : OK;
    if (s != OK)
        return s;
    struct db *d = calloc(1, sizeof *d + strlen(path) + 1);
    if (!d)
        return error_no_memory(err, sizeof *d);
    d->mode = mode;
    atomic_init(&d->version, 2);
    memcpy(d->path, path, strlen(path) + 1);
    /* A reader may have to make the -shm file, so it is opened for writing, too. */
    int code =
        sqlite3_open_v2(path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    s = code == SQLITE_OK ? set_up(d, err) : fail(d, code, NULL, err);
    if (s == OK)
        *db = d;
    else
        db_close(d);
    return s;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENTS_KEPT; i++)
        sqlite3_finalize(db->statements[i].prepared);
    sqlite3_close(db->handle);
    free(db);
}
