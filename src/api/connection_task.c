#include "api/connection_task.h"

#include <stdlib.h>

#include "store/store_connections.h"
#include "sys/confine.h"

static status check_sqlite(struct api_context *context, const char *path, struct field_errors *errors,
                           struct error *err)
{
    char *anchored = NULL, *resolved = NULL;
    status s = confine_anchor(path, context->local_roots, context->local_root_count, &anchored, err);
    if (s == OK)
        s = confine_path(anchored, context->local_roots, context->local_root_count, &resolved, err);
    free(anchored);
    free(resolved);
    if (s != ERR_DENIED && s != ERR_INVALID)
        return s;
    struct error why = *err;
    return field_error_add(errors, err, "/config/path", s == ERR_DENIED ? "denied" : "format", "%s. %s", why.message,
                           why.hint);
}

status connection_check_world(struct api_context *context, const json_t *record, struct field_errors *errors,
                              struct error *err)
{
    const json_t *config = json_object_get(record, "config");
    const char *path = json_text(config, "path", NULL);
    if (strcmp(json_text(record, "kind", ""), "sqlite") == 0 && path)
        return check_sqlite(context, path, errors, err);
    return OK;
}

status connection_load(struct api_context *context, const char *id_or_name, json_t **connection, struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL;
    struct buf path = {0};
    status s = connection_key_path(context->home, &path, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = connection_find(db, id_or_name, &record, err);
    if (s == OK)
        s = connection_open(db, (const char *)path.data, json_text(record, "id", ""), connection, err);
    store_give_back(context->store, db);
    json_decref(record);
    buf_release(&path);
    return s;
}

static const struct field_def test_rows[] = {
    {.key = "id",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 200,
     .label = "Connection",
     .help = "A saved connection that config changes; secrets that it does not name are that one's."},
    {.key = "kind",
     .kind = FIELD_ENUM,
     .flags = FIELD_NULLABLE,
     .choices = connection_kinds,
     .later = connection_kinds_later,
     .label = "Kind",
     .required_when = "there is no id",
     .help = "What is at the other end."},
    {.key = "config",
     .kind = FIELD_OBJECT,
     .default_json = "{}",
     .label = "Settings",
     .help = "As in POST /api/connections, secrets included; nothing of it is kept."},
};
const struct field_table connection_test_fields = {.name = "connection_test",
                                                   .title = "Connection that is not saved",
                                                   .fields = test_rows,
                                                   .count = ARRAY_LENGTH(test_rows)};

/* The stored record that `wanted` is based on; NULL: none. */
static status find_base(struct api_context *context, struct db *db, const json_t *wanted, json_t **before,
                        struct field_errors *errors, struct error *err)
{
    const char *id = json_text(wanted, "id", NULL);
    (void)context;
    if (!id)
        return json_text(wanted, "kind", NULL) ? OK
                                               : field_error_add(errors, err, "/kind", "required",
                                                                 "write the kind of connection, or the id of one");
    status s = connection_find(db, id, before, err);
    if (s == ERR_NOT_FOUND)
        s = field_error_add(errors, err, "/id", "not_found",
                            "there is no connection '%.100s': GET /api/connections lists them", id);
    return s;
}

/* The complete connection of a change. */
static status complete(struct db *db, const char *key_path, const json_t *before,
                       const struct connection_change *change, json_t **connection, struct error *err)
{
    json_t *secrets = NULL, *config = json_object_get(change->record, "config");
    const char *id = json_text(before, "id", "unsaved");
    status s = connection_merge_secrets(db, key_path, id, change->secrets, change->kept, &secrets, err);
    if (s == OK)
        s = connection_put_secrets(config, secrets, err);
    json_t *made = s != OK ? NULL
                           : json_pack("{s:s, s:s, s:s, s:O}", "id", id, "name", json_text(change->record, "name", ""),
                                       "kind", json_text(change->record, "kind", ""), "config", config);
    json_t *names = s == OK ? json_array() : NULL;
    if (s == OK && (!made || !names))
        s = error_no_memory(err, 64);
    const char *path;
    json_t *value;
    json_object_foreach(secrets, path, value)
    {
        if (s == OK)
            s = json_add(names, json_string(path), err);
    }
    if (s == OK)
        s = json_put(made, "secrets_set", json_incref(names), err);
    json_decref(names);
    json_decref(secrets);
    if (s == OK)
        *connection = made;
    else
        json_decref(made);
    return s;
}

/* {"name", "kind", "config"} as connection_apply takes it. */
static status request_of(const json_t *wanted, const json_t *before, json_t **request, struct error *err)
{
    const char *kind = json_text(wanted, "kind", json_text(before, "kind", ""));
    *request = json_pack("{s:s, s:s, s:O}", "name", json_text(before, "name", "unsaved"), "kind", kind, "config",
                         json_object_get(wanted, "config"));
    return *request ? OK : error_no_memory(err, 64);
}

status connection_unsaved(struct api_context *context, const json_t *body, json_t **connection,
                          struct field_errors *errors, struct error *err)
{
    struct connection_change change = {0};
    json_t *wanted = NULL, *before = NULL, *request = NULL;
    struct db *db = NULL;
    struct buf path = {0};
    status s = field_table_apply(&connection_test_fields, NULL, body, &wanted, errors, err);
    if (s == OK && wanted)
        s = connection_key_path(context->home, &path, err);
    if (s == OK && wanted)
        s = store_reader(context->store, &db, err);
    if (s == OK && wanted)
        s = find_base(context, db, wanted, &before, errors, err);
    if (s == OK && field_errors_count(errors) == 0)
        s = request_of(wanted, before, &request, err);
    if (s == OK && request)
        s = connection_apply(before, request, &change, errors, err);
    if (s == OK && change.record)
        s = connection_check_world(context, change.record, errors, err);
    if (s == OK && field_errors_count(errors) == 0)
        s = complete(db, (const char *)path.data, before, &change, connection, err);
    store_give_back(context->store, db);
    connection_change_release(&change);
    buf_release(&path);
    json_decref(request);
    json_decref(before);
    json_decref(wanted);
    return s;
}

status connection_payload(struct api_context *context, json_t *connection, json_t **payload, struct error *err)
{
    json_t *roots = json_array();
    status s = roots ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < context->local_root_count; i++)
        s = json_add(roots, json_string(context->local_roots[i]), err);
    json_t *made =
        s != OK ? NULL : json_pack("{s:i, s:O, s:O}", "version", 1, "connection", connection, "local_roots", roots);
    if (s == OK && !made)
        s = error_no_memory(err, 64);
    json_decref(roots);
    json_decref(connection);
    if (s == OK)
        *payload = made;
    return s;
}
