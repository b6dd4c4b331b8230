#include "store/migrations.h"

#include <stdio.h>

static status current_version(struct db *db, int64_t *version, struct error *err)
{
    return db_integer(db, "PRAGMA user_version", DB_NO_BINDS, 0, version, err);
}

/* A database without a version has to be empty. */
static status check_ours(struct db *db, const char *path, struct error *err)
{
    int64_t tables;
    status s = db_integer(db, "SELECT count(*) FROM sqlite_schema", DB_NO_BINDS, 0, &tables, err);
    if (s == OK && tables > 0) {
        s = error_set(err, ERR_INVALID, "'%s' is a SQLite database that FlowForge did not make", path);
        error_hint(err, "choose another home directory, or move that file away");
    }
    return s;
}

/* The version is read again within the transaction: another process may have been faster. */
static status apply(struct db *db, const struct migration *step, struct error *err)
{
    char set_version[48];
    int64_t version;
    snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", step->version);
    status s = db_begin(db, err);
    if (s == OK)
        s = current_version(db, &version, err);
    if (s == OK && version == step->version - 1) {
        s = db_script(db, step->sql, err);
        if (s == OK)
            s = db_script(db, set_version, err);
    }
    if (s == OK)
        s = db_commit(db, err);
    db_rollback(db);
    return s == OK ? OK : error_prefix(err, "cannot upgrade to version %d (%s)", step->version, step->name);
}

status migrations_apply(struct db *db, const char *path, const struct migration *list, size_t count, struct error *err)
{
    int64_t version;
    status s = current_version(db, &version, err);
    if (s == OK && version > (int64_t)count) {
        s = error_set(err, ERR_UNSUPPORTED,
                      "the metadata database '%s' has version %lld; this FlowForge knows versions up to %zu", path,
                      (long long)version, count);
        error_hint(err, "start the newer FlowForge that wrote it, or restore a backup from before its upgrade");
    }
    if (s == OK && version == 0)
        s = check_ours(db, path, err);
    for (size_t i = version < 0 ? 0 : (size_t)version; i < count && s == OK; i++)
        s = apply(db, &list[i], err);
    return s;
}
