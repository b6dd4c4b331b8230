/* /healthz, /metrics, /api/features, /api/schema, /api/openapi.json */
#include "api/handler.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "api/route_tables.h"
#include "base/run_state.h"
#include "job/connection_fields.h"
#include "job/fields.h"

static status database_answers(struct api_context *context, struct error *err)
{
    struct db *db = NULL;
    int64_t version = 0;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = db_integer(db, "PRAGMA user_version", DB_NO_BINDS, 0, &version, err);
    store_give_back(context->store, db);
    return s;
}

static status health(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    (void)request;
    json_t *engine = NULL, *body = NULL;
    status s = database_answers(context, err);
    if (s == OK && context->engine)
        s = engine_stats(context->engine, &engine, err);
    if (s != OK) {
        error_prefix(err, "not healthy");
        api_problem(response, 503, "unavailable", err->message, err->hint, NULL);
        return OK;
    }
    body = json_pack("{s:s, s:s}", "status", "ok", "version", FLOWFORGE_VERSION);
    if (engine)
        s = json_put(body, "engine", json_incref(engine), err);
    json_decref(engine);
    if (s != OK) {
        json_decref(body);
        return s;
    }
    return api_answer(response, 200, body, err);
}

static status metrics(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    (void)request;
    struct buf text = {0};
    status s = api_metrics_write(context, &text, err);
    if (s != OK) {
        buf_release(&text);
        return s;
    }
    response->status = 200;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    response->text = (char *)text.data;
    response->text_length = text.len;
    return OK;
}

static status features(struct api_context *context, const struct api_request *request, struct api_response *response,
                       struct error *err)
{
    (void)request;
    return api_answer(response, 200,
                      json_pack("{s:b, s:s, s:I}", "layer_centric", context->layer_centric, "version",
                                FLOWFORGE_VERSION, "upload_limit", (json_int_t)context->upload_most),
                      err);
}

static status openapi(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    (void)request;
    json_t *document = NULL;
    status s = openapi_document(api_route_tables, api_route_table_count, context->layer_centric, &document, err);
    return s == OK ? api_answer(response, 200, document, err) : s;
}

static const struct field_table *const described[] = {&pipeline_fields, &ingest_job_fields, &dataset_job_fields,
                                                      &connection_fields};
#define RUN_STATES "run-states"
#define KIND_PREFIX "connection-"

static status schema_list(struct api_context *context, const struct api_request *request, struct api_response *response,
                          struct error *err)
{
    (void)context;
    (void)request;
    json_t *rows = json_array();
    status s = rows ? OK : error_no_memory(err, 64);
    for (size_t i = 0; i < ARRAY_LENGTH(described) && s == OK; i++)
        s = json_add(rows, json_pack("{s:s, s:s}", "id", described[i]->name, "title", described[i]->title), err);
    for (size_t i = 0; connection_kinds[i] && s == OK; i++) {
        const struct field_table *table = connection_kind_fields(connection_kinds[i]);
        s = json_add(rows, json_pack("{s:s, s:s}", "id", table->name, "title", table->title), err);
    }
    if (s == OK)
        s = json_add(rows, json_pack("{s:s, s:s}", "id", RUN_STATES, "title", "Run states"), err);
    if (s == OK)
        return api_answer_page(response, rows, false, err);
    json_decref(rows);
    return s;
}

static status add_events(enum run_state from, json_t *events, struct error *err)
{
    status s = OK;
    for (int event = 0; event < RUN_EVENT_COUNT && s == OK; event++) {
        enum run_state to;
        if (run_state_next(from, (enum run_event)event, &to))
            s = json_put_text(events, run_event_name((enum run_event)event), run_state_type(to), err);
    }
    return s;
}

/* The state machine as the engine has it: {"states": [{"type", "name", "terminal", "events": {event: to}}]}. */
static status run_states(struct api_response *response, struct error *err)
{
    json_t *states = json_array();
    status s = states ? OK : error_no_memory(err, 64);
    for (int state = 0; state < RUN_STATE_COUNT && s == OK; state++) {
        json_t *events = json_object();
        s = events ? add_events((enum run_state)state, events, err) : error_no_memory(err, 64);
        if (s == OK)
            s = json_add(states,
                         json_pack("{s:s, s:s, s:b, s:O}", "type", run_state_type((enum run_state)state), "name",
                                   run_state_name((enum run_state)state), "terminal",
                                   run_state_terminal((enum run_state)state), "events", events),
                         err);
        json_decref(events);
    }
    if (s == OK)
        return api_answer(response, 200, json_pack("{s:o}", "states", states), err);
    json_decref(states);
    return s;
}

/* NULL: there is none of that name. */
static const struct field_table *find_described(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(described); i++)
        if (strcmp(described[i]->name, name) == 0)
            return described[i];
    return strncmp(name, KIND_PREFIX, strlen(KIND_PREFIX)) == 0 ? connection_kind_fields(name + strlen(KIND_PREFIX))
                                                                : NULL;
}

static status schema_get(struct api_context *context, const struct api_request *request, struct api_response *response,
                         struct error *err)
{
    (void)context;
    json_t *description = NULL;
    if (strcmp(request->params[0], RUN_STATES) == 0)
        return run_states(response, err);
    const struct field_table *table = find_described(request->params[0]);
    status s = table ? field_table_describe(table, &description, err) : OK;
    if (table)
        return s == OK ? api_answer(response, 200, description, err) : s;
    s = error_set(err, ERR_NOT_FOUND, "there is no schema '%.64s'", request->params[0]);
    error_hint(err, "GET /api/schema lists them");
    return s;
}

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/healthz",
     .role = ROLE_NONE,
     .summary = "Does the server work",
     .success = 200,
     .handle = health},
    {.method = "GET",
     .pattern = "/metrics",
     .role = ROLE_VIEWER,
     .summary = "Metrics in the text format of Prometheus",
     .success = 200,
     .handle = metrics},
    {.method = "GET",
     .pattern = "/api/features",
     .role = ROLE_NONE,
     .summary = "What is switched on",
     .success = 200,
     .handle = features},
    {.method = "GET",
     .pattern = "/api/openapi.json",
     .role = ROLE_NONE,
     .summary = "This description of the API (OpenAPI 3.1)",
     .success = 200,
     .handle = openapi,
     .kept = true},
    {.method = "GET",
     .pattern = "/api/schema",
     .role = ROLE_VIEWER,
     .summary = "Field tables that forms are made of",
     .answer_list = true,
     .success = 200,
     .handle = schema_list,
     .kept = true},
    {.method = "GET",
     .pattern = "/api/schema/{name}",
     .role = ROLE_VIEWER,
     .summary = "One field table, or run-states",
     .success = 200,
     .handle = schema_get,
     .kept = true},
};

const struct route_table system_routes = {routes, ARRAY_LENGTH(routes)};
