/* /api/runs, /api/pipeline-runs, /api/ingest-runs, /api/dataset-runs */
#include <inttypes.h>
#include <stdio.h>

#include "api/handler.h"
#include "api/route_tables.h"
#include "api/run_answer.h"
#include "api/run_log.h"
#include "api/sample.h"
#include "store/store_views.h"

/* "pipeline_name" beside pipeline_id; null when it was deleted this very moment. */
static status name_pipeline(struct db *db, json_t *run, struct error *err)
{
    json_t *name = NULL;
    status s = pipeline_name(db, json_text(run, "pipeline_id", ""), &name, err);
    return s == OK ? json_put(run, "pipeline_name", name, err) : s;
}

/* The id of the pipeline that ?pipeline= names. */
static status wanted_pipeline(struct api_context *context, const char *name, json_t **pipeline, struct error *err)
{
    struct db *db = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = pipeline_find(db, name, pipeline, err);
    store_give_back(context->store, db);
    return s;
}

static status name_pipelines(struct api_context *context, json_t *rows, struct error *err)
{
    struct db *db = NULL;
    json_t *row;
    size_t i;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = db_begin(db, err);
    json_array_foreach(rows, i, row)
    {
        if (s == OK)
            s = name_pipeline(db, row, err);
    }
    store_give_back(context->store, db);
    return s;
}

static status list(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    const char *wanted = api_query(request, "pipeline");
    json_t *pipeline = NULL, *rows = NULL;
    bool more = false;
    status s = wanted ? wanted_pipeline(context, wanted, &pipeline, err) : OK;
    if (s == OK)
        s = run_list_page(context, request, &pipeline_runs_table, wanted ? "pipeline_id" : NULL,
                          json_text(pipeline, "id", NULL), &rows, &more, err);
    if (s == OK)
        s = name_pipelines(context, rows, err);
    if (s == OK)
        s = api_answer_page(response, json_incref(rows), more, err);
    json_decref(rows);
    json_decref(pipeline);
    return s;
}

static status read_pipeline_run(struct api_context *context, const char *id, json_t **run, struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL, *jobs = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = db_begin(db, err);
    if (s == OK)
        s = record_get(db, &pipeline_runs_table, id, &record, err);
    if (s == OK)
        s = name_pipeline(db, record, err);
    if (s == OK)
        s = job_runs_of(db, id, true, &jobs, err);
    if (s == OK)
        s = json_put(record, "job_runs", jobs, err);
    store_give_back(context->store, db);
    if (s == OK)
        *run = json_incref(record);
    json_decref(record);
    return s;
}

static status get(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    json_t *run = NULL;
    status s = read_pipeline_run(context, request->params[0], &run, err);
    return s == OK ? api_answer(response, 200, run, err) : s;
}

static status audit_run(struct api_context *context, const struct api_request *request, const char *action,
                        const char *id, struct error *err)
{
    struct api_write write = {0};
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = api_audit(&write, request, action, "run", id, NULL, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    return s;
}

static status cancel(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    const char *id = request->params[0];
    json_t *run = NULL;
    status s = read_pipeline_run(context, id, &run, err); /* 404 before anything is done */
    json_decref(run);
    run = NULL;
    if (s == OK)
        s = engine_cancel(context->engine, id, err);
    if (s == OK)
        s = audit_run(context, request, "run.cancel", id, err);
    if (s == OK)
        s = read_pipeline_run(context, id, &run, err);
    return s == OK ? run_answer_accepted(response, 202, run, err) : s;
}

static status retry(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    json_t *run = NULL, *problems = NULL;
    status s = read_pipeline_run(context, request->params[0], &run, err);
    json_decref(run);
    run = NULL;
    if (s == OK)
        s = engine_retry(context->engine, request->params[0], request->actor ? request->actor : "", &run, &problems,
                         err);
    if (s == OK)
        s = run_answer_accepted(response, 202, run, err);
    else if (s == ERR_INVALID && json_array_size(problems) > 0)
        return api_answer_problems(response, problems, err);
    json_decref(problems);
    return s;
}

/* The whole record: configuration, report with its rejects and warnings. */
static status read_job_run(struct api_context *context, enum job_kind kind, const char *id, json_t **run,
                           struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, run_table(kind), id, &record, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = json_put_text(record, "kind", kind == JOB_INGEST ? "ingest" : "dataset", err);
    if (s == OK)
        *run = json_incref(record);
    json_decref(record);
    return s;
}

static status job_get_kind(enum job_kind kind, struct api_context *context, const struct api_request *request,
                           struct api_response *response, struct error *err)
{
    json_t *run = NULL;
    status s = read_job_run(context, kind, request->params[0], &run, err);
    return s == OK ? api_answer(response, 200, run, err) : s;
}

static status job_cancel_kind(enum job_kind kind, struct api_context *context, const struct api_request *request,
                              struct api_response *response, struct error *err)
{
    json_t *run = NULL;
    status s = read_job_run(context, kind, request->params[0], &run, err);
    json_decref(run);
    run = NULL;
    if (s == OK)
        s = engine_cancel(context->engine, request->params[0], err);
    if (s == OK)
        s = audit_run(context, request, "run.cancel", request->params[0], err);
    if (s == OK)
        s = read_job_run(context, kind, request->params[0], &run, err);
    return s == OK ? api_answer(response, 202, run, err) : s;
}

static status ingest_get(struct api_context *context, const struct api_request *request, struct api_response *response,
                         struct error *err)
{
    return job_get_kind(JOB_INGEST, context, request, response, err);
}

static status dataset_get(struct api_context *context, const struct api_request *request, struct api_response *response,
                          struct error *err)
{
    return job_get_kind(JOB_DATASET, context, request, response, err);
}

static status ingest_cancel(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    return job_cancel_kind(JOB_INGEST, context, request, response, err);
}

static status dataset_cancel(struct api_context *context, const struct api_request *request,
                             struct api_response *response, struct error *err)
{
    return job_cancel_kind(JOB_DATASET, context, request, response, err);
}

/* Rows of the quarantine files of a run. */
static status rejects(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    const char *id = request->params[0];
    struct db *db = NULL;
    json_t *run = NULL, *files = NULL, *target = NULL;
    status s = read_job_run(context, JOB_INGEST, id, &run, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = run_files(db, id, "quarantine", &files, err);
    store_give_back(context->store, db);
    if (s == OK && json_array_size(files) == 0) {
        s = api_answer(response, 200, json_pack("{s:[], s:[]}", "columns", "rows"), err);
        goto out;
    }
    if (s == OK && !(target = json_pack("{s:s, s:s, s:s, s:n, s:n, s:O}", "dataset", "rejects", "layer", "quarantine",
                                        "folder", "", "snapshot", "schema", "files", files)))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = sample_answer(context, request, target, response, err);
out:
    json_decref(target);
    json_decref(files);
    json_decref(run);
    return s;
}

static const struct api_query_param list_params[] = {
    RUN_STATE_PARAM, {"pipeline", "Only runs of this pipeline (id or name).", QUERY_TEXT}, QUERY_PAGE, {0}};
static const struct api_query_param rejects_params[] = {SAMPLE_PARAMS, {0}};

#define RUN "/api/pipeline-runs/{id}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/runs",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Runs of all pipelines, newest first",
     .answer_list = true,
     .success = 200,
     .handle = list,
     .kept = true,
     .params = list_params},
    {.method = "GET",
     .pattern = RUN,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A pipeline run with its job runs",
     .success = 200,
     .handle = get,
     .kept = true},
    {.method = "POST",
     .pattern = RUN "/cancel",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Cancel a pipeline run",
     .success = 202,
     .handle = cancel},
    {.method = "POST",
     .pattern = RUN "/retry",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Run again what did not complete, as a new run",
     .success = 202,
     .handle = retry},
    {.method = "GET",
     .pattern = RUN "/log",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Log lines of a pipeline run, oldest first",
     .answer_list = true,
     .success = 200,
     .handle = run_log_handle,
     .kept = true,
     .params = run_log_params},
    {.method = "GET",
     .pattern = "/api/ingest-runs/{id}",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "An ingest run with its full report",
     .success = 200,
     .handle = ingest_get,
     .kept = true},
    {.method = "POST",
     .pattern = "/api/ingest-runs/{id}/cancel",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Cancel an ingest run",
     .success = 202,
     .handle = ingest_cancel},
    {.method = "GET",
     .pattern = "/api/ingest-runs/{id}/rejects",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "First rows of the run's quarantine",
     .success = 200,
     .handle = rejects,
     .params = rejects_params},
    {.method = "GET",
     .pattern = "/api/dataset-runs/{id}",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A dataset run with its full report",
     .success = 200,
     .handle = dataset_get,
     .kept = true},
    {.method = "POST",
     .pattern = "/api/dataset-runs/{id}/cancel",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Cancel a dataset run",
     .success = 202,
     .handle = dataset_cancel},
};

const struct route_table run_routes = {routes, sizeof routes / sizeof *routes};
