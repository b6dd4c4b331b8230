/* /api/workflows: pipelines */
#include <stdio.h>

#include "api/handler.h"
#include "api/route_tables.h"
#include "api/run_answer.h"
#include "job/fields.h"
#include "store/store_views.h"

#define RECENT_RUNS 10

/* Counts and the states of the newest runs, for badges. */
static status add_badges(struct db *db, json_t *pipeline, struct error *err)
{
    json_t *counts = NULL;
    status s = pipeline_counts(db, json_text(pipeline, "id", ""), &counts, err);
    if (s == OK)
        s = json_put(pipeline, "counts", counts, err);
    return s == OK ? pipeline_add_states(db, pipeline, RECENT_RUNS, err) : s;
}

static status add_recent(struct db *db, json_t *pipeline, struct error *err)
{
    const char *id = json_text(pipeline, "id", "");
    json_t *runs = NULL;
    status s = add_badges(db, pipeline, err);
    if (s == OK)
        s = pipeline_recent_runs(db, id, RECENT_RUNS, &runs, err);
    return s == OK ? json_put(pipeline, "recent_runs", runs, err) : s;
}

/* The newest run of each job: {job id: run}. */
static status add_last_runs(struct db *db, json_t *pipeline, struct error *err)
{
    const char *id = json_text(pipeline, "id", "");
    json_t *ingest = NULL, *dataset = NULL;
    status s = job_last_runs(db, JOB_INGEST, id, &ingest, err);
    if (s == OK)
        s = job_last_runs(db, JOB_DATASET, id, &dataset, err);
    if (s == OK && json_object_update(ingest, dataset) != 0)
        s = error_no_memory(err, 64);
    if (s == OK)
        s = json_put(pipeline, "last_job_runs", json_incref(ingest), err);
    json_decref(dataset);
    json_decref(ingest);
    return s;
}

static status list_page(struct db *db, const struct api_request *request, struct record_page *page, json_t **rows,
                        bool *more, struct error *err)
{
    const struct db_value binds[] = {
        db_text(api_query(request, "search")),
        db_text(api_query(request, "environment")),
        db_text(api_query(request, "owner")),
        db_text(api_query(request, "tag")),
    };
    page->where = "(?1 IS NULL OR instr(lower(name || ' ' || description), lower(?1)) > 0)"
                  " AND (?2 IS NULL OR environment = ?2) AND (?3 IS NULL OR owner = ?3)"
                  " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?4))";
    page->binds = binds;
    page->bind_count = sizeof binds / sizeof *binds;
    return record_list(db, &pipelines_table, page, rows, more, err);
}

static status list(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    struct record_page page = {0};
    struct db *db = NULL;
    json_t *rows = NULL, *row;
    size_t i;
    bool more = false;
    status s = api_page(request, &page.limit, &page.after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = db_begin(db, err); /* one view, and locks are taken once */
    if (s == OK)
        s = list_page(db, request, &page, &rows, &more, err);
    json_array_foreach(rows, i, row)
    {
        if (s == OK)
            s = add_badges(db, row, err);
    }
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer_page(response, json_incref(rows), more, err);
    json_decref(rows);
    return s;
}

static status create(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    struct api_write write = {0};
    struct field_errors errors = {0};
    json_t *record = NULL, *stored = NULL;
    status s = field_table_apply(&pipeline_fields, NULL, request->body, &record, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = api_write_begin(context, &write, err);
    if (s == OK)
        s = pipeline_create(write.db, record, err);
    if (s == OK)
        s = api_audit(&write, request, "pipeline.create", "pipeline", json_text(record, "id", ""), NULL, err);
    if (s == OK)
        s = record_get(write.db, &pipelines_table, json_text(record, "id", ""), &stored, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    if (s == OK)
        s = api_answer_record(response, 201, json_incref(stored), err);
    if (s == OK)
        snprintf(response->location, sizeof response->location, "/api/workflows/%s", json_text(stored, "id", ""));
out:
    api_write_end(&write);
    field_errors_release(&errors);
    json_decref(stored);
    json_decref(record);
    return s;
}

static status get(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    struct db *db = NULL;
    json_t *pipeline = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = db_begin(db, err);
    if (s == OK)
        s = pipeline_find(db, request->params[0], &pipeline, err);
    if (s == OK)
        s = add_recent(db, pipeline, err);
    if (s == OK)
        s = add_last_runs(db, pipeline, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer_record(response, 200, json_incref(pipeline), err);
    json_decref(pipeline);
    return s;
}

/* All within one transaction: nothing here takes time. */
static status patch_within(struct api_write *write, const struct api_request *request, struct field_errors *errors,
                           json_t **stored, struct error *err)
{
    json_t *before = NULL, *record = NULL, *details = NULL, *after = NULL;
    status s = pipeline_find(write->db, request->params[0], &before, err);
    if (s == OK)
        s = api_match(request, before, err);
    if (s == OK)
        s = field_table_apply(&pipeline_fields, before, request->body, &record, errors, err);
    if (s != OK || field_errors_count(errors) > 0)
        goto out;
    const char *id = json_text(before, "id", "");
    s = pipeline_update(write->db, id, record, err);
    if (s == OK)
        s = api_changed_members(request->body, &details, err);
    if (s == OK)
        s = api_audit(write, request, "pipeline.update", "pipeline", id, details, err);
    if (s == OK)
        s = record_get(write->db, &pipelines_table, id, &after, err);
    if (s == OK)
        s = api_write_commit(write, err);
    if (s == OK)
        *stored = json_incref(after);
out:
    json_decref(after);
    json_decref(record);
    json_decref(before);
    return s;
}

static status patch(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    struct api_write write = {0};
    struct field_errors errors = {0};
    json_t *stored = NULL;
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = patch_within(&write, request, &errors, &stored, err);
    api_write_end(&write);
    if (s == OK && field_errors_count(&errors) > 0)
        s = api_problem_fields(response, &errors, err);
    else if (s == OK)
        s = api_answer_record(response, 200, json_incref(stored), err);
    field_errors_release(&errors);
    json_decref(stored);
    return s;
}

static status delete (struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    struct api_write write = {0};
    json_t *pipeline = NULL, *details = NULL;
    bool delete_data = false;
    status s = api_query_flag(request, "delete_data", false, &delete_data, err);
    if (s == OK)
        s = api_write_begin(context, &write, err);
    if (s == OK)
        s = pipeline_find(write.db, request->params[0], &pipeline, err);
    if (s == OK)
        s = api_match(request, pipeline, err);
    const char *id = json_text(pipeline, "id", "");
    if (s == OK)
        s = pipeline_remove(write.db, id, delete_data, err);
    if (s == OK &&
        !(details = json_pack("{s:s, s:b}", "name", json_text(pipeline, "name", ""), "delete_data", delete_data)))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = api_audit(&write, request, "pipeline.delete", "pipeline", id, details, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    json_decref(pipeline);
    if (s == OK)
        response->status = 204;
    return s;
}

static status run(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    json_t *pipeline = NULL;
    status s = api_pipeline(context, request, &pipeline, err);
    if (s == OK) {
        const struct run_request wanted = {.pipeline_id = json_text(pipeline, "id", "")};
        s = run_answer_start(context, request, &wanted, response, err);
    }
    json_decref(pipeline);
    return s;
}

static status plan(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    json_t *pipeline = NULL, *stages = NULL, *problems = NULL;
    status s = api_pipeline(context, request, &pipeline, err);
    if (s == OK)
        s = engine_plan(context->engine, json_text(pipeline, "id", ""), &stages, &problems, err);
    if (s == OK && (!stages || !problems)) /* the one is there without the other when it has nothing to say */
        s = (stages || (stages = json_array())) && (problems || (problems = json_array())) ? OK
                                                                                           : error_no_memory(err, 64);
    if (s == OK)
        s = api_answer(response, 200, json_pack("{s:O, s:O}", "stages", stages, "problems", problems), err);
    json_decref(problems);
    json_decref(stages);
    json_decref(pipeline);
    return s;
}

static status runs(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    json_t *pipeline = NULL;
    status s = api_pipeline(context, request, &pipeline, err);
    if (s == OK)
        s = run_answer_list(context, request, &pipeline_runs_table, "pipeline_id", json_text(pipeline, "id", ""),
                            response, err);
    json_decref(pipeline);
    return s;
}

static const struct api_query_param list_params[] = {{"search", "Part of the name or description.", QUERY_TEXT},
                                                     {"environment", "Exactly this environment.", QUERY_TEXT},
                                                     {"owner", "Exactly this owner.", QUERY_TEXT},
                                                     {"tag", "One of the tags is this.", QUERY_TEXT},
                                                     QUERY_PAGE,
                                                     {0}};
static const struct api_query_param delete_params[] = {
    {"delete_data", "Empty the datasets of its jobs and remove their files too.", QUERY_FLAG}, {0}};
static const struct api_query_param runs_params[] = {RUN_STATE_PARAM, QUERY_PAGE, {0}};

#define PIPELINE "/api/workflows/{id}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/workflows",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Pipelines, newest first, with counts and newest runs",
     .answer_list = true,
     .success = 200,
     .handle = list,
     .kept = true,
     .params = list_params},
    {.method = "POST",
     .pattern = "/api/workflows",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Create a pipeline",
     .body = &pipeline_fields,
     .answer = &pipeline_fields,
     .success = 201,
     .handle = create},
    {.method = "GET",
     .pattern = PIPELINE,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A pipeline (by id or name), with counts and newest runs",
     .success = 200,
     .handle = get,
     .kept = true},
    {.method = "PATCH",
     .pattern = PIPELINE,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Change a pipeline (merge patch; If-Match takes the ETag)",
     .body = &pipeline_fields,
     .body_partial = true,
     .answer = &pipeline_fields,
     .success = 200,
     .handle = patch},
    {.method = "DELETE",
     .pattern = PIPELINE,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Delete a pipeline, its jobs and runs",
     .success = 204,
     .handle = delete,
     .params = delete_params},
    {.method = "POST",
     .pattern = PIPELINE "/run",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Run a pipeline (Idempotency-Key)",
     .success = 202,
     .handle = run},
    {.method = "GET",
     .pattern = PIPELINE "/plan",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Stages of a run, and what stands in its way",
     .success = 200,
     .handle = plan},
    {.method = "GET",
     .pattern = PIPELINE "/runs",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Runs of a pipeline, newest first",
     .answer_list = true,
     .success = 200,
     .handle = runs,
     .kept = true,
     .params = runs_params},
};

const struct route_table pipeline_routes = {routes, sizeof routes / sizeof *routes};
