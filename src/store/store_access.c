#include "store/store_access.h"

#include <sodium.h>
#include <stdio.h>

#include "base/civil.h"
#include "sys/id.h"

#define TOKEN_START "ff_"
#define TOKEN_RANDOM_BYTES 32
#define TOUCH_MICROS 60000000 /* a token's last use is not written more often than that */

static const char *const role_names[] = {
    [ROLE_NONE] = "none", [ROLE_VIEWER] = "viewer", [ROLE_EDITOR] = "editor", [ROLE_ADMIN] = "admin"};

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_parse(const char *name, enum role *role)
{
    for (enum role r = ROLE_VIEWER; r <= ROLE_ADMIN; r++)
        if (strcmp(role_names[r], name) == 0) {
            *role = r;
            return true;
        }
    return false;
}

static struct db_value token_hash(const char *token, unsigned char hash[crypto_hash_sha256_BYTES])
{
    crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
    return db_blob(hash, crypto_hash_sha256_BYTES);
}

static const struct record_column token_columns[] = {
    {"id", COLUMN_TEXT},         {"name", COLUMN_TEXT},       {"role", COLUMN_TEXT},
    {"created_at", COLUMN_TIME}, {"expires_at", COLUMN_TIME}, {"last_used_at", COLUMN_TIME},
    {"revoked_at", COLUMN_TIME},
};

#define TOKEN_CREATED_COLUMNS 5 /* the first ones */

status token_create(struct db *db, const char *name, enum role role, int64_t expires_at, char token[TOKEN_CAP],
                    json_t **record, struct error *err)
{
    char id[ID_CAP], made[TOKEN_CAP];
    unsigned char hash[crypto_hash_sha256_BYTES];
    json_t *shown = NULL;
    if (role == ROLE_NONE)
        return error_set(err, ERR_INVALID, "a token needs a role: viewer, editor or admin");
    _Static_assert(sizeof TOKEN_START + 2 * TOKEN_RANDOM_BYTES <= TOKEN_CAP, "a token fits");
    memcpy(made, TOKEN_START, sizeof TOKEN_START);
    random_hex(made + sizeof TOKEN_START - 1, TOKEN_RANDOM_BYTES);
    id_make(id);
    const struct db_value row[] = {
        db_text(id),
        db_text(name),
        db_text(role_name(role)),
        db_int(civil_micros_now()),
        expires_at ? db_int(expires_at) : db_text(NULL),
        token_hash(made, hash),
    };
    status s = record_of_row(token_columns, TOKEN_CREATED_COLUMNS, row, &shown, err);
    if (s == OK)
        s = db_run(db,
                   "INSERT INTO tokens (id, name, role, created_at, expires_at, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   row, ARRAY_LENGTH(row), NULL, err);
    if (s == OK) {
        memcpy(token, made, TOKEN_CAP);
        *record = shown;
    } else {
        json_decref(shown);
    }
    sodium_memzero(made, sizeof made);
    return s;
}

struct found_token {
    enum role role;
    int64_t until;
    char *name;
    size_t cap;
};

static status take_token(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct found_token *found = self;
    (void)columns;
    (void)err;
    if (role_parse(db_text_of(&row[1], ""), &found->role)) {
        snprintf(found->name, found->cap, "%s", db_text_of(&row[0], ""));
        found->until = row[2].integer;
    }
    return OK;
}

status token_check(struct db *db, const char *token, int64_t now, enum role *role, int64_t *until, char *name,
                   size_t cap, struct error *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    struct found_token found = {.role = ROLE_NONE, .until = INT64_MAX, .name = name, .cap = cap};
    status s = db_each(db,
                       "SELECT name, role, coalesce(expires_at, 9223372036854775807) FROM tokens WHERE hash = ?1 AND "
                       "revoked_at IS NULL"
                       " AND (expires_at IS NULL OR expires_at > ?2)",
                       DB_BINDS(token_hash(token, hash), db_int(now)), take_token, &found, err);
    if (s != OK)
        return s;
    if (found.role == ROLE_NONE && cap > 0)
        name[0] = '\0';
    *role = found.role;
    *until = found.until;
    return OK;
}

status token_touch(struct db *db, const char *token, int64_t now, struct error *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    return db_run(db,
                  "UPDATE tokens SET last_used_at = ?2 WHERE hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?3)",
                  DB_BINDS(token_hash(token, hash), db_int(now), db_int(now - TOUCH_MICROS)), NULL, err);
}

status token_list(struct db *db, json_t **rows, struct error *err)
{
    return record_query(db, token_columns, ARRAY_LENGTH(token_columns),
                        "SELECT id, name, role, created_at, expires_at, last_used_at, revoked_at FROM tokens"
                        " ORDER BY id DESC",
                        DB_NO_BINDS, rows, err);
}

status token_revoke(struct db *db, const char *id, struct error *err)
{
    int64_t changes;
    status s = db_run(db, "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                      DB_BINDS(db_text(id), db_int(civil_micros_now())), &changes, err);
    if (s == OK && changes == 0)
        s = error_set(err, ERR_NOT_FOUND, "there is no token '%.100s'", id);
    return s;
}

status audit_add(struct db *db, const char *actor, const char *action, const char *object_type, const char *object_id,
                 const json_t *details, struct error *err)
{
    struct buf text = {0};
    status s = details ? json_write(details, &text, err) : OK;
    struct db_value written = {.kind = details ? DB_TEXT : DB_NULL, .bytes = text.data, .length = text.len};
    if (s == OK)
        s = db_run(db,
                   "INSERT INTO audit_log (time, actor, action, object_type, object_id, details)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   DB_BINDS(db_int(civil_micros_now()), db_text(actor), db_text(action), db_text(object_type),
                            db_text(object_id), written),
                   NULL, err);
    buf_release(&text);
    return s;
}

status audit_list(struct db *db, int64_t before_id, size_t limit, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {
        {"id", COLUMN_INTEGER},       {"time", COLUMN_TIME},      {"actor", COLUMN_TEXT},   {"action", COLUMN_TEXT},
        {"object_type", COLUMN_TEXT}, {"object_id", COLUMN_TEXT}, {"details", COLUMN_JSON},
    };
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT id, time, actor, action, object_type, object_id, details FROM audit_log WHERE id < ?1"
                        " ORDER BY id DESC LIMIT ?2",
                        DB_BINDS(db_int(before_id > 0 ? before_id : INT64_MAX), db_int((int64_t)limit)), rows, err);
}

static const struct record_column upload_columns[] = {
    {"id", COLUMN_TEXT},           {"filename", COLUMN_TEXT},         {"state", COLUMN_TEXT},
    {"size", COLUMN_INTEGER},      {"expected_size", COLUMN_INTEGER}, {"sha256", COLUMN_TEXT},
    {"content_type", COLUMN_TEXT}, {"created_by", COLUMN_TEXT},       {"created_at", COLUMN_TIME},
    {"completed_at", COLUMN_TIME},
};

const struct record_table uploads_table = {"uploads", "upload", upload_columns, ARRAY_LENGTH(upload_columns)};

struct found_setting {
    json_t *value;
};

static status take_setting(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct found_setting *found = self;
    (void)columns;
    return json_parse(db_text_of(&row[0], ""), row[0].length, "a setting", &found->value, err);
}

status setting_get(struct db *db, const char *key, json_t **value, struct error *err)
{
    struct found_setting found = {0};
    status s =
        db_each(db, "SELECT value FROM settings WHERE key = ?1", DB_BINDS(db_text(key)), take_setting, &found, err);
    if (s == OK)
        *value = found.value;
    else
        json_decref(found.value);
    return s;
}

status setting_put(struct db *db, const char *key, const json_t *value, struct error *err)
{
    struct buf text = {0};
    status s = json_write(value, &text, err);
    const struct db_value written = {.kind = DB_TEXT, .bytes = text.data, .length = text.len};
    if (s == OK)
        s = db_run(db,
                   "INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                   DB_BINDS(db_text(key), written, db_int(civil_micros_now())), NULL, err);
    buf_release(&text);
    return s;
}
