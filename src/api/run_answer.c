#include "api/run_answer.h"

#include <stdio.h>

#include "api/handler.h"

static const char *const states[] = {
#define RUN_STATE(symbol, type, terminal) type,
#include "base/run_state.def"
#undef RUN_STATE
    NULL};

#define KEY_MOST 200

status run_answer_accepted(struct api_response *response, int code, json_t *run, struct error *err)
{
    char location[sizeof response->location];
    snprintf(location, sizeof location, "/api/pipeline-runs/%s", json_text(run, "id", ""));
    status s = api_answer(response, code, run, err);
    if (s == OK)
        memcpy(response->location, location, sizeof location);
    return s;
}

/* A run is started as the job says; what a body asks beside that would be passed over in silence. An ingest job's may
 * name a range: its route has read the body, and refused what else is in it. */
static status check_body(const json_t *body, struct error *err)
{
    if (!body || (json_is_object(body) && json_object_size(body) == 0))
        return OK;
    status s = error_set(err, ERR_INVALID, "a run takes no body: it does what the job says");
    error_hint(err, "leave the body out; PATCH the job first when the run is to do something else");
    return s;
}

status run_answer_start(struct api_context *context, const struct api_request *request,
                        const struct run_request *wanted, struct api_response *response, struct error *err)
{
    struct run_request start = *wanted;
    json_t *run = NULL, *problems = NULL;
    bool existing = false;
    const char *key = request->idempotency_key;
    bool body_read = wanted->kind == JOB_INGEST && wanted->job_id;
    status s = body_read ? OK : check_body(request->body, err);
    if (s != OK)
        return s;
    if (key && (!*key || strlen(key) > KEY_MOST)) {
        s = error_set(err, ERR_INVALID, "Idempotency-Key has %zu bytes: 1 to %d are taken", strlen(key), KEY_MOST);
        error_hint(err, "A random UUID for each thing that is to happen once serves well.");
        return s;
    }
    start.trigger = "api";
    start.created_by = request->actor ? request->actor : "";
    start.idempotency_key = key;
    s = engine_start(context->engine, &start, &run, &existing, &problems, err);
    if (s == OK)
        s = run_answer_accepted(response, existing ? 200 : 202, run, err);
    else if (s == ERR_INVALID && json_array_size(problems) > 0)
        return api_answer_problems(response, problems, err);
    json_decref(problems);
    return s;
}

status run_list_page(struct api_context *context, const struct api_request *request, const struct record_table *table,
                     const char *owner_column, const char *owner, json_t **rows, bool *more, struct error *err)
{
    static const char *const omit[] = {"config", "report", "output_keys", NULL};
    struct db_value binds[2];
    struct record_page page = {.binds = binds, .omit = omit};
    struct db *db = NULL;
    char where[96] = "";
    const char *state = NULL;
    status s = api_query_choice(request, "state", states, &state, err);
    if (s == OK)
        s = api_page(request, &page.limit, &page.after, err);
    if (s != OK)
        return s;
    /* Only the conditions that are needed, so that SQLite uses the index that fits them. */
    if (owner_column) {
        snprintf(where, sizeof where, "%s = ?1", owner_column);
        binds[page.bind_count++] = db_text(owner);
    }
    if (state) {
        size_t used = strlen(where);
        binds[page.bind_count++] = db_text(state);
        snprintf(where + used, sizeof where - used, "%sstate_type = ?%zu", used ? " AND " : "", page.bind_count);
    }
    page.where = where[0] ? where : NULL;
    s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_list(db, table, &page, rows, more, err);
    store_give_back(context->store, db);
    return s;
}

status run_answer_list(struct api_context *context, const struct api_request *request, const struct record_table *table,
                       const char *owner_column, const char *owner, struct api_response *response, struct error *err)
{
    json_t *rows = NULL;
    bool more = false;
    status s = run_list_page(context, request, table, owner_column, owner, &rows, &more, err);
    return s == OK ? api_answer_page(response, rows, more, err) : s;
}
