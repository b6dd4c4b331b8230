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
static inline struct db_value db_text(const char *text) /* NULL: null */
{
    return (struct db_value){.kind = text ? DB_TEXT : DB_NULL, .bytes = text, .length = text ? strlen(text) : 0};
}
#define DB_BINDS(...)                                                                                                  \
    (const struct db_value[]){__VA_ARGS__}, sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_BINDS NULL, 0

enum db_mode { DB_READ, DB_WRITE };
/* WAL, foreign keys on, synchronous=FULL, busy timeout 5 s. Statements are prepared once and kept by their SQL text, so
 * `sql` must be a literal or otherwise live as long as the connection when `db_run`/`db_each` is given it. */
status db_open(struct db **db, const char *path, enum db_mode mode, struct error *err) MUST_USE;
void db_close(struct db *db);

/* Run a statement that gives no rows. *changes (may be NULL): rows changed. A constraint is ERR_CONFLICT. */
status db_run(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t *changes,
              struct error *err) MUST_USE;
/* Call `visit` for each row. A visitor's error ends the walk and is returned. */
typedef status db_visitor(void *self, const struct db_value *row, size_t columns, struct error *err);
status db_each(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, db_visitor *visit,
               void *self, struct error *err) MUST_USE;
/* One integer of the first row; `fallback` when there is no row or it is null. */
status db_integer(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, int64_t fallback,
                  int64_t *value, struct error *err) MUST_USE;

/* Transactions do not nest. Begin is IMMEDIATE on a write connection. Rollback after a failed commit is done by it. */
status db_begin(struct db *db, struct error *err) MUST_USE;
status db_commit(struct db *db, struct error *err) MUST_USE;
void db_rollback(struct db *db); /* no transaction: does nothing */

#endif
