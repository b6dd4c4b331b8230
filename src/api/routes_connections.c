/* /api/connections */
#include <stdio.h>

#include "api/connection_task.h"
#include "api/handler.h"
#include "api/route_tables.h"
#include "api/short_task.h"
#include "base/civil.h"
#include "store/store_connections.h"

static status list(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    struct record_page page = {.ascending = true};
    struct db *db = NULL;
    json_t *rows = NULL;
    bool more = false;
    status s = api_page(request, &page.limit, &page.after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_list(db, &connections_table, &page, &rows, &more, err);
    store_give_back(context->store, db);
    return s == OK ? api_answer_page(response, rows, more, err) : s;
}

static status get(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = connection_find(db, request->params[0], &record, err);
    store_give_back(context->store, db);
    return s == OK ? api_answer_record(response, 200, record, err) : s;
}

/* A write transaction on connections, with the key that seals their secrets. */
struct connection_write {
    struct api_write base;
    struct buf key_path;
};

static status write_begin(struct api_context *context, struct connection_write *write, struct error *err)
{
    status s = connection_key_path(context->home, &write->key_path, err);
    return s == OK ? api_write_begin(context, &write->base, err) : s;
}

static void write_end(struct connection_write *write)
{
    api_write_end(&write->base);
    buf_release(&write->key_path);
}

static status store_new(struct api_context *context, const struct api_request *request,
                        struct connection_change *change, struct error *err)
{
    struct connection_write write = {0};
    status s = write_begin(context, &write, err);
    if (s == OK)
        s = connection_create(write.base.db, (const char *)write.key_path.data, change->record, change->secrets, err);
    if (s == OK)
        s = api_audit(&write.base, request, "connection.create", "connection", json_text(change->record, "id", ""),
                      NULL, err);
    if (s == OK)
        s = api_write_commit(&write.base, err);
    write_end(&write);
    return s;
}

static status create(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    struct connection_change change = {0};
    struct field_errors errors = {0};
    status s = connection_apply(NULL, request->body, &change, &errors, err);
    if (s == OK && change.record)
        s = connection_check_world(context, change.record, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = store_new(context, request, &change, err);
    if (s == OK)
        s = api_answer_record(response, 201, json_incref(change.record), err);
    if (s == OK)
        snprintf(response->location, sizeof response->location, "/api/connections/%s",
                 json_text(change.record, "id", ""));
out:
    connection_change_release(&change);
    field_errors_release(&errors);
    return s;
}

/* All within one transaction: nothing that is checked here takes long. */
static status change_stored(struct api_context *context, const struct api_request *request,
                            struct connection_write *write, struct field_errors *errors, json_t **stored,
                            struct error *err)
{
    struct connection_change change = {0};
    json_t *before = NULL, *details = NULL;
    status s = connection_find(write->base.db, request->params[0], &before, err);
    if (s == OK)
        s = api_match(request, before, err);
    if (s == OK)
        s = connection_apply(before, request->body, &change, errors, err);
    if (s == OK && change.record)
        s = connection_check_world(context, change.record, errors, err);
    if (s != OK || field_errors_count(errors) > 0)
        goto out;
    const char *id = json_text(before, "id", "");
    s = connection_update(write->base.db, (const char *)write->key_path.data, id, change.record, change.secrets,
                          change.kept, err);
    if (s == OK)
        s = api_changed_members(request->body, &details, err);
    if (s == OK)
        s = api_audit(&write->base, request, "connection.update", "connection", id, details, err);
    if (s == OK)
        s = connection_find(write->base.db, id, stored, err);
out:
    connection_change_release(&change);
    json_decref(before);
    return s;
}

static status patch(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    struct connection_write write = {0};
    struct field_errors errors = {0};
    json_t *stored = NULL;
    status s = write_begin(context, &write, err);
    if (s == OK)
        s = change_stored(context, request, &write, &errors, &stored, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = api_write_commit(&write.base, err);
    if (s == OK)
        s = api_answer_record(response, 200, json_incref(stored), err);
out:
    write_end(&write);
    field_errors_release(&errors);
    json_decref(stored);
    return s;
}

static status delete (struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    struct api_write write = {0};
    json_t *record = NULL;
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = connection_find(write.db, request->params[0], &record, err);
    if (s == OK)
        s = api_match(request, record, err);
    const char *id = json_text(record, "id", "");
    if (s == OK)
        s = connection_delete(write.db, id, err);
    if (s == OK) {
        json_t *details = json_pack("{s:s}", "name", json_text(record, "name", ""));
        s = details ? api_audit(&write, request, "connection.delete", "connection", id, details, err)
                    : error_no_memory(err, 64);
    }
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    json_decref(record);
    if (s == OK)
        response->status = 204;
    return s;
}

/* ---- tasks ---- */

/* Steals the connection. */
static status run_task(struct api_context *context, const char *what, json_t *connection, const char *search,
                       const char *schema, json_t **answer, struct error *err)
{
    json_t *payload = NULL, *problems = NULL;
    status s = connection_payload(context, connection, &payload, err);
    if (s == OK && search)
        s = json_put_text(payload, "search", search, err);
    if (s == OK && schema)
        s = json_put_text(payload, "schema", schema, err);
    if (s == OK)
        s = short_task_run(context, what, payload, answer, &problems, err);
    json_decref(problems);
    json_decref(payload);
    return s;
}

static status keep_result(struct api_context *context, const struct api_request *request, const char *id,
                          const json_t *result, struct error *err)
{
    struct api_write write = {0};
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = connection_tested(write.db, id, result, err);
    if (s == OK)
        s = api_audit(&write, request, "connection.test", "connection", id, NULL, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    return s;
}

static status test_saved(struct api_context *context, const struct api_request *request, struct api_response *response,
                         struct error *err)
{
    json_t *connection = NULL, *result = NULL;
    char id[64] = "", now[TIME_TEXT_CAP];
    status s = connection_load(context, request->params[0], &connection, err);
    if (s == OK) {
        snprintf(id, sizeof id, "%s", json_text(connection, "id", ""));
        s = run_task(context, "test-connection", connection, NULL, NULL, &result, err);
    }
    time_text(civil_micros_now(), now);
    if (s == OK)
        s = json_put_text(result, "time", now, err);
    if (s == OK)
        s = keep_result(context, request, id, result, err);
    if (s == OK)
        s = api_answer(response, 200, json_incref(result), err);
    json_decref(result);
    return s;
}

static status test_unsaved(struct api_context *context, const struct api_request *request,
                           struct api_response *response, struct error *err)
{
    struct field_errors errors = {0};
    json_t *connection = NULL, *result = NULL;
    status s = connection_unsaved(context, request->body, &connection, &errors, err);
    if (s == OK && !connection)
        s = api_problem_fields(response, &errors, err);
    else if (s == OK && (s = run_task(context, "test-connection", connection, NULL, NULL, &result, err)) == OK)
        s = api_answer(response, 200, result, err);
    field_errors_release(&errors);
    return s;
}

static status tables(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    json_t *connection = NULL, *answer = NULL;
    status s = connection_load(context, request->params[0], &connection, err);
    if (s == OK)
        s = run_task(context, "tables", connection, api_query(request, "search"), api_query(request, "schema"), &answer,
                     err);
    return s == OK ? api_answer(response, 200, answer, err) : s;
}

static const struct api_query_param list_params[] = {QUERY_PAGE, {0}};
static const struct api_query_param tables_params[] = {
    {"search", "Only tables whose name holds this, upper and lower case alike.", QUERY_TEXT},
    {"schema", "Only tables of this schema.", QUERY_TEXT},
    {0}};

#define ALL "/api/connections"
#define ONE ALL "/{id}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = ALL,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Connections, oldest first; secrets are never shown",
     .answer = &connection_fields,
     .answer_list = true,
     .success = 200,
     .handle = list,
     .params = list_params},
    {.method = "POST",
     .pattern = ALL,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Create a connection",
     .body = &connection_fields,
     .answer = &connection_fields,
     .success = 201,
     .handle = create},
    {.method = "POST",
     .pattern = ALL "/test",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Test a connection that is not saved, step by step",
     .body = &connection_test_fields,
     .success = 200,
     .handle = test_unsaved},
    {.method = "GET",
     .pattern = ONE,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A connection",
     .answer = &connection_fields,
     .success = 200,
     .handle = get},
    {.method = "PATCH",
     .pattern = ONE,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Change a connection; what is not named stays, secrets too",
     .body = &connection_fields,
     .body_partial = true,
     .answer = &connection_fields,
     .success = 200,
     .handle = patch},
    {.method = "DELETE",
     .pattern = ONE,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Delete a connection that no job uses",
     .success = 204,
     .handle = delete},
    {.method = "POST",
     .pattern = ONE "/test",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Test a connection step by step; the result is kept as last_test",
     .success = 200,
     .handle = test_saved},
    {.method = "GET",
     .pattern = ONE "/tables",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Schemas, tables and columns of a database",
     .success = 200,
     .handle = tables,
     .params = tables_params},
};

const struct route_table connection_routes = {routes, ARRAY_LENGTH(routes)};
