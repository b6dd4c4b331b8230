/* The schema as numbered steps: src/store/migrations/<nnnn>_<name>.sql, built into the program
 * (scripts/embed_migrations.sh). */
#ifndef FF_STORE_MIGRATIONS_H
#define FF_STORE_MIGRATIONS_H

#include "store/db.h"

struct migration {
    int version; /* 1, 2, ... without gaps */
    const char *name;
    const char *sql;
};

extern const struct migration store_migrations[];
extern const size_t store_migrations_count;

/* Brings the database from its version (PRAGMA user_version) to the last of the list, each step in a transaction of its
 * own: a step that fails leaves what was before it. ERR_UNSUPPORTED when the database is newer than the list,
 * ERR_INVALID when it holds tables of something else. `path` is for messages. */
status migrations_apply(struct db *db, const char *path, const struct migration *list, size_t count,
                        struct error *err) MUST_USE;

#endif
