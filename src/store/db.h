/* SQLite, as thin and as typed as we need it. One struct db is one connection, used by one thread at a time. */
#ifndef FF_STORE_DB_H
#define FF_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct db;

/* A value for a parameter (?1, ?2, ... in order) or from a column. */
enum db_kind { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };
struct db_value {
    enum db_kind kind;
    int64_t integer;
    double real;
    const void *bytes; /* text and blobs; of a row: valid until the next row */
    size_t length;
};
static inline struct db_value db_int(int64_t n)
{
    return (struct db_value){.kind = DB_INTEGER, .integer = n};
}
static inline struct db_value db_real(double x)
{
    return (struct db_value){.kind = DB_REAL, .real = x};
}
static inline struct db_value db_text(const char *text) /* NULL: null */
{
    return (struct db_value){.kind = text ? DB_TEXT : DB_NULL, .bytes = text, .length = text ? strlen(text) : 0};
}
static inline struct db_value db_blob(const void *bytes, size_t length)
{
    return (struct db_value){.kind = DB_BLOB, .bytes = bytes, .length = length};
}
/* Text (NUL-terminated) or a fallback when it is null or something else. */
static inline const char *db_text_of(const struct db_value *value, const char *fallback)
{
    return value->kind == DB_TEXT ? value->bytes : fallback;
}
static inline int64_t db_int_of(const struct db_value *value, int64_t fallback)
{
    return value->kind == DB_INTEGER ? value->integer : fallback;
}
#define DB_BINDS(...)                                                                                                  \
    (const struct db_value[]){__VA_ARGS__}, sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_BINDS NULL, 0

enum db_mode { DB_READ, DB_WRITE };
/* WAL, foreign keys on, synchronous=FULL, busy timeout 5 s. DB_WRITE makes the file when it is missing, for this user
 * only (0600); DB_READ refuses to change anything. A file that is no database is ERR_BAD_DATA. */
status db_open(struct db **db, const char *path, enum db_mode mode, struct error *err) MUST_USE;
/* NULL is fine. */
void db_close(struct db *db);

/* Statements are prepared once and kept by their text; the most recently used stay. Errors say what was to be done to
 * which table, and never hold a bound value:
 *   unique or foreign key -> ERR_CONFLICT; check, not null, type -> ERR_INVALID; locked by another process ->
 *   ERR_UNAVAILABLE; disk full -> ERR_NO_SPACE; read or write failed -> ERR_IO; damaged file -> ERR_BAD_DATA.
 * When one of the graver ones has ended the transaction, every further statement of it fails too. */

/* Run a statement, leaving its rows aside. *changes (may be NULL): rows changed. */
status db_run(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t *changes,
              struct error *err) MUST_USE;
/* Call `visit` for each row. A visitor's error ends the walk and is returned. */
typedef status db_visitor(void *self, const struct db_value *row, size_t columns, struct error *err);
status db_each(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, db_visitor *visit,
               void *self, struct error *err) MUST_USE;
/* One integer of the first row; `fallback` when there is no row or it is null. */
status db_integer(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t fallback,
                  int64_t *value, struct error *err) MUST_USE;

/* The rowid that the last insert gave. */
int64_t db_last_id(const struct db *db);
/* All statements of a script, outside the statement cache. */
status db_script(struct db *db, const char *sql, struct error *err) MUST_USE;

/* Transactions are begun only by db_begin and do not nest. Begin is IMMEDIATE on a write connection. Rollback after a
 * failed commit is done by it. */
status db_begin(struct db *db, struct error *err) MUST_USE;
status db_commit(struct db *db, struct error *err) MUST_USE;
void db_rollback(struct db *db); /* no transaction: does nothing */
bool db_in_transaction(const struct db *db);

/* Of a write connection, from any thread: a number that grows with everything that it makes visible to others, and is
 * never 0. 0 while a commit is under way: some readers may see it already, others not yet. */
uint64_t db_version(const struct db *db);

#endif
