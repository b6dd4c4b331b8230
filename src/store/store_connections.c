#include "store/store_connections.h"

#include <stdio.h>

#include "base/civil.h"
#include "sys/id.h"
#include "sys/secret_box.h"

#define USERS_NAMED 5

static const struct record_column columns[] = {
    {"id", COLUMN_TEXT},          {"name", COLUMN_TEXT},      {"kind", COLUMN_TEXT},       {"config", COLUMN_JSON},
    {"secrets_set", COLUMN_JSON}, {"last_test", COLUMN_JSON}, {"created_at", COLUMN_TIME}, {"updated_at", COLUMN_TIME},
};
const struct record_table connections_table = {"connections", "connection", columns, ARRAY_LENGTH(columns)};

status connection_key_path(const char *home, struct buf *path, struct error *err)
{
    status s = buf_printf(path, err, "%s/secret.key", home);
    return s == OK ? buf_append(path, "", 1, err) : s;
}

/* ---- the key ---- */

static status explain_key(status s, const char *key_path, struct error *err)
{
    if (s == ERR_NOT_FOUND) {
        s = error_set(err, ERR_BAD_DATA, "the key %s is gone, and secrets of connections are sealed with it", key_path);
        error_hint(err, "Put the file back from your backup of this home. If it is lost for good, enter the secrets "
                        "again: first set each of them to null in all connections, then write them anew.");
    }
    return s;
}

/* The key to seal with. It is only made while nothing was sealed with another one: a fresh key beside secrets that it
 * cannot open would hide that the old one is gone. `but`: the connection whose secrets are all replaced now. */
static status key_to_seal(struct db *db, const char *key_path, const char *but, struct secret_key *key,
                          struct error *err)
{
    int64_t sealed = 0;
    status s = db_integer(db, "SELECT count(*) FROM connections WHERE secrets IS NOT NULL AND id <> ?1",
                          DB_BINDS(db_text(but)), 0, &sealed, err);
    return s == OK ? explain_key(secret_key_load(key, key_path, sealed == 0, err), key_path, err) : s;
}

/* ---- sealing ---- */

static status list_names(const json_t *secrets, json_t **names, struct error *err)
{
    const char *path;
    json_t *value, *list = json_array();
    status s = list ? OK : error_no_memory(err, 64);
    json_object_foreach((json_t *)(uintptr_t)secrets, path, value)
    {
        if (s == OK)
            s = json_add(list, json_string(path), err);
    }
    if (s == OK)
        *names = list;
    else
        json_decref(list);
    return s;
}

/* Write the secrets of a connection, and which there are; `record` gets secrets_set. */
static status store_secrets(struct db *db, const char *key_path, const char *id, const json_t *secrets, json_t *record,
                            struct error *err)
{
    struct secret_key key = {0};
    struct buf plain = {0}, sealed = {0}, written = {0};
    json_t *names = NULL;
    bool any = json_object_size(secrets) > 0;
    status s = list_names(secrets, &names, err);
    if (s == OK)
        s = json_write(names, &written, err);
    if (s == OK && any)
        s = key_to_seal(db, key_path, id, &key, err);
    if (s == OK && any)
        s = json_write(secrets, &plain, err);
    if (s == OK && any)
        s = secret_seal(&key, id, plain.data, plain.len, &sealed, err);
    if (s == OK)
        s = db_run(db, "UPDATE connections SET secrets = ?2, secrets_set = ?3 WHERE id = ?1",
                   DB_BINDS(db_text(id), any ? db_blob(sealed.data, sealed.len) : db_text(NULL),
                            (struct db_value){.kind = DB_TEXT, .bytes = written.data, .length = written.len}),
                   NULL, err);
    if (s == OK)
        s = json_put(record, "secrets_set", json_incref(names), err);
    json_decref(names);
    secret_key_clear(&key);
    secret_wipe(&plain);
    buf_release(&sealed);
    buf_release(&written);
    return s;
}

static status keep_blob(void *self, const struct db_value *row, size_t count, struct error *err)
{
    (void)count;
    return row[0].kind == DB_BLOB ? buf_append(self, row[0].bytes, row[0].length, err) : OK;
}

/* {path: value}; an empty object when there are none. */
static status open_secrets(struct db *db, const char *key_path, const char *id, json_t **secrets, struct error *err)
{
    struct secret_key key = {0};
    struct buf sealed = {0}, plain = {0};
    json_t *found = NULL;
    status s =
        db_each(db, "SELECT secrets FROM connections WHERE id = ?1", DB_BINDS(db_text(id)), keep_blob, &sealed, err);
    if (s == OK && sealed.len == 0) {
        found = json_object();
        s = found ? OK : error_no_memory(err, 64);
        goto out;
    }
    if (s == OK)
        s = explain_key(secret_key_load(&key, key_path, false, err), key_path, err);
    if (s == OK && secret_open(&key, id, sealed.data, sealed.len, &plain, err) != OK) {
        s = error_prefix(err, "the secrets of this connection cannot be opened with %s", key_path);
        error_hint(err, "Put the key that belongs to this database back from your backup, or write the connection's "
                        "secrets anew.");
    }
    if (s == OK)
        s = json_parse((const char *)plain.data, plain.len, "the secrets of a connection", &found, err);
out:
    secret_key_clear(&key);
    secret_wipe(&plain);
    buf_release(&sealed);
    if (s == OK)
        *secrets = found;
    return s;
}

/* ---- records ---- */

static status put_now(json_t *record, const char *key, struct error *err)
{
    char now[TIME_TEXT_CAP];
    time_text(civil_micros_now(), now);
    return json_put_text(record, key, now, err);
}

static status explain_name(const json_t *record, status s, struct error *err)
{
    if (s != ERR_CONFLICT)
        return s;
    s = error_set(err, ERR_CONFLICT, "the name '%.200s' is taken by another connection", json_text(record, "name", ""));
    error_hint(err, "Choose another name (upper and lower case count as the same), or change that connection.");
    return s;
}

status connection_create(struct db *db, const char *key_path, json_t *record, const json_t *secrets, struct error *err)
{
    char id[ID_CAP];
    id_make(id);
    json_object_del(record, "secrets_set");
    json_object_del(record, "last_test");
    status s = json_put_text(record, "id", id, err);
    if (s == OK)
        s = put_now(record, "created_at", err);
    if (s == OK)
        s = json_put(record, "updated_at", json_incref(json_object_get(record, "created_at")), err);
    if (s == OK)
        s = explain_name(record, record_insert(db, &connections_table, record, err), err);
    if (s == OK)
        s = json_put(record, "last_test", json_null(), err);
    return s == OK ? store_secrets(db, key_path, id, secrets, record, err) : s;
}

status connection_merge_secrets(struct db *db, const char *key_path, const char *id, const json_t *secrets,
                                const json_t *kept, json_t **all, struct error *err)
{
    json_t *stored = NULL, *made = json_copy((json_t *)(uintptr_t)secrets);
    const json_t *path;
    size_t i;
    status s = made ? OK : error_no_memory(err, 64);
    if (s == OK && json_array_size(kept) > 0)
        s = open_secrets(db, key_path, id, &stored, err);
    json_array_foreach(kept, i, path)
    {
        json_t *value = json_object_get(stored, json_string_value(path));
        if (s == OK && value)
            s = json_put(made, json_string_value(path), json_incref(value), err);
    }
    json_decref(stored);
    if (s == OK)
        *all = made;
    else
        json_decref(made);
    return s;
}

/* Nothing is opened when all that is stored stays, or nothing of it. */
static status update_secrets(struct db *db, const char *key_path, const char *id, json_t *record, const json_t *secrets,
                             const json_t *kept, struct error *err)
{
    json_t *stored = NULL, *all = NULL;
    status s = record_get(db, &connections_table, id, &stored, err);
    const json_t *set = json_object_get(stored, "secrets_set");
    if (s == OK && json_object_size(secrets) == 0 && json_array_size(kept) == json_array_size(set))
        s = json_put(record, "secrets_set", json_deep_copy(set), err);
    else if (s == OK && json_array_size(kept) == 0)
        s = store_secrets(db, key_path, id, secrets, record, err);
    else if (s == OK) {
        s = connection_merge_secrets(db, key_path, id, secrets, kept, &all, err);
        if (s == OK)
            s = store_secrets(db, key_path, id, all, record, err);
    }
    json_decref(all);
    json_decref(stored);
    return s;
}

status connection_update(struct db *db, const char *key_path, const char *id, json_t *record, const json_t *secrets,
                         const json_t *kept, struct error *err)
{
    static const char *const changed[] = {"name", "config", "updated_at"};
    json_t *changes = json_object();
    status s = changes ? put_now(record, "updated_at", err) : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(changed); i++)
        if (json_object_get(record, changed[i]))
            s = json_put(changes, changed[i], json_incref(json_object_get(record, changed[i])), err);
    if (s == OK)
        s = explain_name(record, record_update(db, &connections_table, id, changes, err), err);
    if (s == OK)
        s = update_secrets(db, key_path, id, record, secrets, kept, err);
    json_decref(changes);
    return s;
}

static status take_id(void *self, const struct db_value *row, size_t count, struct error *err)
{
    (void)count;
    (void)err;
    snprintf(self, ID_CAP, "%s", db_text_of(&row[0], ""));
    return OK;
}

status connection_find(struct db *db, const char *id_or_name, json_t **record, struct error *err)
{
    char id[ID_CAP] = "";
    status s = record_get(db, &connections_table, id_or_name, record, err);
    if (s != ERR_NOT_FOUND)
        return s;
    s = db_each(db, "SELECT id FROM connections WHERE name = ?1", DB_BINDS(db_text(id_or_name)), take_id, id, err);
    return s == OK ? record_get(db, &connections_table, id[0] ? id : id_or_name, record, err) : s;
}

/* ---- with secrets ---- */

static status put_secret(json_t *config, const char *path, json_t *value, struct error *err)
{
    char parent[64];
    const char *dot = strchr(path, '.');
    if (!dot)
        return json_put(config, path, json_incref(value), err);
    snprintf(parent, sizeof parent, "%.*s", (int)(dot - path), path);
    json_t *below = json_object_get(config, parent);
    return json_is_object(below) ? put_secret(below, dot + 1, value, err) : OK;
}

status connection_put_secrets(json_t *config, const json_t *secrets, struct error *err)
{
    const char *path;
    json_t *value;
    status s = OK;
    json_object_foreach((json_t *)(uintptr_t)secrets, path, value)
    {
        if (s == OK)
            s = put_secret(config, path, value, err);
    }
    return s;
}

status connection_open(struct db *db, const char *key_path, const char *id, json_t **connection, struct error *err)
{
    json_t *record = NULL, *secrets = NULL;
    status s = record_get(db, &connections_table, id, &record, err);
    if (s == OK) {
        s = open_secrets(db, key_path, id, &secrets, err);
        if (s != OK)
            error_prefix(err, "connection '%.200s'", json_text(record, "name", ""));
    }
    if (s == OK)
        s = connection_put_secrets(json_object_get(record, "config"), secrets, err);
    json_decref(secrets);
    if (s != OK) {
        json_decref(record);
        return s;
    }
    json_object_del(record, "last_test");
    json_object_del(record, "created_at");
    json_object_del(record, "updated_at");
    *connection = record;
    return OK;
}

/* ---- who uses it ---- */

status connection_users(struct db *db, const char *id, json_t **jobs, struct error *err)
{
    static const struct record_column user[] = {
        {"id", COLUMN_TEXT}, {"name", COLUMN_TEXT}, {"pipeline_id", COLUMN_TEXT}, {"pipeline", COLUMN_TEXT}};
    return record_query(db, user, ARRAY_LENGTH(user),
                        "SELECT j.id, j.name, p.id, p.name FROM layer_centric_ingest_jobs j"
                        " JOIN pipelines p ON p.id = j.pipeline_id WHERE j.connection_id = ?1 ORDER BY j.id",
                        DB_BINDS(db_text(id)), jobs, err);
}

static status refuse_used(const json_t *jobs, struct error *err)
{
    struct buf names = {0};
    size_t count = json_array_size(jobs), shown = count < USERS_NAMED ? count : USERS_NAMED;
    status s = OK;
    for (size_t i = 0; s == OK && i < shown; i++) {
        const json_t *job = json_array_get(jobs, i);
        s = buf_printf(&names, err, "%s'%.80s' of the pipeline '%.80s'", i ? ", " : "", json_text(job, "name", ""),
                       json_text(job, "pipeline", ""));
    }
    if (s == OK && count > shown)
        s = buf_printf(&names, err, " and %zu more", count - shown);
    if (s == OK) {
        s = error_set(err, ERR_CONFLICT, "%zu ingest job%s this connection: %.*s", count,
                      count == 1 ? " uses" : "s use", (int)names.len, (const char *)names.data);
        error_hint(err, "Give them another connection, or delete them first.");
    }
    buf_release(&names);
    return s;
}

status connection_delete(struct db *db, const char *id, struct error *err)
{
    json_t *jobs = NULL;
    status s = connection_users(db, id, &jobs, err);
    if (s == OK && json_array_size(jobs) > 0)
        s = refuse_used(jobs, err);
    json_decref(jobs);
    return s == OK ? record_delete(db, &connections_table, id, err) : s;
}

status connection_tested(struct db *db, const char *id, const json_t *result, struct error *err)
{
    struct buf text = {0};
    status s = json_write(result, &text, err);
    if (s == OK)
        s = db_run(db, "UPDATE connections SET last_test = ?2 WHERE id = ?1",
                   DB_BINDS(db_text(id), (struct db_value){.kind = DB_TEXT, .bytes = text.data, .length = text.len}),
                   NULL, err);
    buf_release(&text);
    return s;
}

status connection_required(struct db *db, const json_t *job, struct error *err)
{
    const char *id = json_text(job, "connection_id", NULL);
    int64_t there = 1;
    status s =
        id ? db_integer(db, "SELECT count(*) FROM connections WHERE id = ?1", DB_BINDS(db_text(id)), 0, &there, err)
           : OK;
    if (s != OK || there)
        return s;
    s = error_set(err, ERR_INVALID, "there is no connection '%.100s' (any more)", id);
    error_hint(err, "GET /api/connections lists them.");
    return s;
}
