/* /api/pipeline-runs/{id}/events: the server streams what follows the snapshot (server_events.c). */
#include "api/handler.h"
#include "api/route_tables.h"
#include "store/store_runs.h"

static status snapshot(struct api_context *context, const struct api_request *request, struct api_response *response,
                       struct error *err)
{
    struct db *db = NULL;
    json_t *run = NULL, *jobs = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &pipeline_runs_table, request->params[0], &run, err);
    if (s == OK)
        s = job_runs_of(db, request->params[0], true, &jobs, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = json_put(run, "job_runs", jobs, err);
    if (s == OK)
        s = api_answer(response, 200, json_incref(run), err);
    json_decref(run);
    return s;
}

static const struct api_query_param params[] = {
    {"after", "Only log lines with a higher id; the header Last-Event-ID goes before it.", "{\"type\": \"integer\"}"},
    {0}};

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/pipeline-runs/{id}/events",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Server-sent events: snapshot, then log, progress and state as they happen, end at the end",
     .success = 200,
     .handle = snapshot,
     .params = params,
     .stream = ROUTE_EVENTS},
};

const struct route_table event_routes = {routes, ARRAY_LENGTH(routes)};
