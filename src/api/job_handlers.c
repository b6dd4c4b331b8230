#include "api/job_handlers.h"

#include <stdio.h>

#include "api/handler.h"
#include "api/job_check.h"
#include "api/problem.h"
#include "api/run_answer.h"
#include "api/short_task.h"
#include "store/store_views.h"

#define PATCH_TRIES 3

const struct api_query_param job_list_params[] = {QUERY_PAGE, {0}};
const struct api_query_param job_delete_params[] = {
    {"delete_data", "Empty the dataset and remove its files too.", QUERY_FLAG}, {0}};
const struct api_query_param job_validate_params[] = {{"job_id", "Check the body as a change of this job.", QUERY_TEXT},
                                                      {0}};

static const char *path_word(enum job_kind kind)
{
    return kind == JOB_INGEST ? "ingest-jobs" : "dataset-jobs";
}

static status show(enum job_kind kind, const json_t *record, json_t **shown, struct error *err)
{
    return field_table_redact(job_fields(kind), record, shown, err);
}

static status answer_job(enum job_kind kind, struct api_response *response, int code, const json_t *record,
                         struct error *err)
{
    json_t *shown = NULL;
    status s = show(kind, record, &shown, err);
    return s == OK ? api_answer_record(response, code, shown, err) : s;
}

status job_of_path(struct api_context *context, enum job_kind kind, const struct api_request *request,
                   json_t **pipeline, json_t **job, struct error *err)
{
    struct db *db = NULL;
    json_t *found = NULL, *record = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = pipeline_find(db, request->params[0], &found, err);
    if (s == OK && job)
        s = job_get(db, kind, json_text(found, "id", ""), request->params[1], &record, err);
    store_give_back(context->store, db);
    if (s == OK && job)
        *job = json_incref(record);
    if (s == OK && pipeline)
        *pipeline = json_incref(found);
    json_decref(record);
    json_decref(found);
    return s;
}

status job_handle_list(enum job_kind kind, struct api_context *context, const struct api_request *request,
                       struct api_response *response, struct error *err)
{
    struct db *db = NULL;
    json_t *pipeline = NULL, *rows = NULL, *shown = NULL, *row;
    size_t limit, i;
    const char *after;
    bool more = false;
    status s = api_page(request, &limit, &after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = pipeline_find(db, request->params[0], &pipeline, err);
    if (s == OK) {
        const struct db_value binds[] = {db_text(json_text(pipeline, "id", ""))};
        const struct record_page page = {.where = "pipeline_id = ?1",
                                         .binds = binds,
                                         .bind_count = 1,
                                         .ascending = true,
                                         .after = after,
                                         .limit = limit};
        s = record_list(db, job_table(kind), &page, &rows, &more, err);
    }
    store_give_back(context->store, db);
    if (s == OK && !(shown = json_array()))
        s = error_no_memory(err, 64);
    json_array_foreach(rows, i, row)
    {
        json_t *one = NULL;
        if (s == OK)
            s = show(kind, row, &one, err);
        if (s == OK)
            s = json_add(shown, one, err);
    }
    if (s == OK)
        s = api_answer_page(response, json_incref(shown), more, err);
    json_decref(shown);
    json_decref(rows);
    json_decref(pipeline);
    return s;
}

/* Write the record in one transaction, audited; *stored: as it is in the table then. */
static status store_new(struct api_context *context, enum job_kind kind, const struct api_request *request,
                        const char *pipeline_id, json_t *record, json_t **stored, struct error *err)
{
    struct api_write write = {0};
    char action[32];
    snprintf(action, sizeof action, "%s.create", job_fields(kind)->name);
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = job_create(write.db, kind, pipeline_id, record, err);
    if (s == OK)
        s = api_audit(&write, request, action, job_fields(kind)->name, json_text(record, "id", ""), NULL, err);
    if (s == OK)
        s = job_get(write.db, kind, pipeline_id, json_text(record, "id", ""), stored, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    return s;
}

status job_handle_create(enum job_kind kind, struct api_context *context, const struct api_request *request,
                         struct api_response *response, struct error *err)
{
    struct field_errors errors = {0};
    json_t *pipeline = NULL, *record = NULL, *stored = NULL;
    status s = api_pipeline(context, request, &pipeline, err);
    if (s == OK)
        s = field_table_apply(job_fields(kind), NULL, request->body, &record, &errors, err);
    if (s == OK && record)
        s = job_check_world(context, kind, pipeline, record, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    const char *pipeline_id = json_text(pipeline, "id", "");
    if (s == OK)
        s = store_new(context, kind, request, pipeline_id, record, &stored, err);
    if (s == OK)
        s = answer_job(kind, response, 201, stored, err);
    if (s == OK)
        snprintf(response->location, sizeof response->location, "/api/workflows/%s/%s/%s", pipeline_id, path_word(kind),
                 json_text(stored, "id", ""));
out:
    field_errors_release(&errors);
    json_decref(stored);
    json_decref(record);
    json_decref(pipeline);
    return s;
}

status job_handle_get(enum job_kind kind, struct api_context *context, const struct api_request *request,
                      struct api_response *response, struct error *err)
{
    json_t *job = NULL;
    status s = job_of_path(context, kind, request, NULL, &job, err);
    if (s == OK)
        s = answer_job(kind, response, 200, job, err);
    json_decref(job);
    return s;
}

/* Write `record` unless the job is no longer `before` (*again). */
static status store_changed(struct api_context *context, enum job_kind kind, const struct api_request *request,
                            const json_t *before, json_t *record, bool *again, json_t **stored, struct error *err)
{
    struct api_write write = {0};
    const char *id = json_text(before, "id", ""), *pipeline_id = json_text(before, "pipeline_id", "");
    json_t *now = NULL, *details = NULL, *after = NULL;
    char action[32];
    bool fresh = false;
    snprintf(action, sizeof action, "%s.update", job_fields(kind)->name);
    *again = false;
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = job_get(write.db, kind, pipeline_id, id, &now, err);
    if (s == OK && !json_equal(now, before)) {
        *again = true;
        goto out;
    }
    if (s == OK && kind == JOB_INGEST)
        s = job_check_history(write.db, before, record, &fresh, err);
    if (s == OK)
        s = job_update(write.db, kind, id, record, err);
    if (s == OK && fresh)
        s = watermark_reset(write.db, id, err);
    if (s == OK)
        s = api_changed_members(request->body, &details, err);
    if (s == OK)
        s = api_audit(&write, request, action, job_fields(kind)->name, id, details, err);
    if (s == OK)
        s = job_get(write.db, kind, pipeline_id, id, &after, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    if (s == OK)
        *stored = json_incref(after);
out:
    api_write_end(&write);
    json_decref(after);
    json_decref(now);
    return s;
}

/* One try; *again: somebody else changed the job meanwhile. */
static status try_patch(struct api_context *context, enum job_kind kind, const struct api_request *request,
                        struct api_response *response, bool *again, struct error *err)
{
    struct field_errors errors = {0};
    json_t *pipeline = NULL, *before = NULL, *record = NULL, *stored = NULL;
    status s = job_of_path(context, kind, request, &pipeline, &before, err);
    if (s == OK)
        s = api_match(request, before, err);
    if (s == OK)
        s = field_table_apply(job_fields(kind), before, request->body, &record, &errors, err);
    if (s == OK && record)
        s = job_check_world(context, kind, pipeline, record, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = store_changed(context, kind, request, before, record, again, &stored, err);
    if (s == OK && !*again)
        s = answer_job(kind, response, 200, stored, err);
out:
    field_errors_release(&errors);
    json_decref(stored);
    json_decref(record);
    json_decref(before);
    json_decref(pipeline);
    return s;
}

status job_handle_patch(enum job_kind kind, struct api_context *context, const struct api_request *request,
                        struct api_response *response, struct error *err)
{
    /* The checks take their time outside of the transaction, so they are done again when the job has changed. */
    for (int tries = 0; tries < PATCH_TRIES; tries++) {
        bool again = false;
        status s = try_patch(context, kind, request, response, &again, err);
        if (s != OK || !again)
            return s;
    }
    status s = error_set(err, ERR_CONFLICT, "the job is being changed by other requests all the time");
    error_hint(err, "Try again.");
    return s;
}

status job_handle_delete(enum job_kind kind, struct api_context *context, const struct api_request *request,
                         struct api_response *response, struct error *err)
{
    struct api_write write = {0};
    json_t *pipeline = NULL, *job = NULL, *details = NULL;
    bool delete_data = false;
    char action[32];
    snprintf(action, sizeof action, "%s.delete", job_fields(kind)->name);
    status s = api_query_flag(request, "delete_data", false, &delete_data, err);
    if (s == OK)
        s = api_write_begin(context, &write, err);
    if (s == OK)
        s = pipeline_find(write.db, request->params[0], &pipeline, err);
    if (s == OK)
        s = job_get(write.db, kind, json_text(pipeline, "id", ""), request->params[1], &job, err);
    if (s == OK)
        s = api_match(request, job, err);
    if (s == OK)
        s = job_remove(write.db, kind, json_text(job, "id", ""), delete_data, err);
    if (s == OK && !(details = json_pack("{s:s, s:b}", "name", json_text(job, "name", ""), "delete_data", delete_data)))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = api_audit(&write, request, action, job_fields(kind)->name, json_text(job, "id", ""), details, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    json_decref(job);
    json_decref(pipeline);
    if (s == OK)
        response->status = 204;
    return s;
}

static const struct field_def range_rows[] = {
    {.key = "from",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 200,
     .label = "From",
     .help = "Rows whose watermark_column is this or more, as the source writes such values."},
    {.key = "to",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 200,
     .label = "To",
     .help = "Rows whose watermark_column is less than this."},
};
static const struct field_table range_fields = {
    .name = "range", .title = "Range", .fields = range_rows, .count = ARRAY_LENGTH(range_rows)};
static const struct field_def run_rows[] = {
    {.key = "range",
     .kind = FIELD_OBJECT,
     .flags = FIELD_NULLABLE,
     .of = &range_fields,
     .label = "Range",
     .help =
         "A backfill of a db_query or api job: rows with from <= watermark_column < to are taken, once more if need "
         "be; the watermark stays."},
};
const struct field_table job_run_fields = {
    .name = "job_run_request", .title = "Run", .fields = run_rows, .count = ARRAY_LENGTH(run_rows)};

/* Can this job run a range? */
static status check_range(const json_t *job, struct field_errors *errors, struct error *err)
{
    const char *source = json_text(job, "source_type", "");
    if (strcmp(source, "db_query") != 0)
        return field_error_add(errors, err, "/range", "combination",
                               "a range is for db_query jobs, and this one takes files: reset its watermark "
                               "(DELETE .../watermark) to take all of them again");
    if (!json_text(job, "watermark_column", NULL))
        return field_error_add(errors, err, "/range", "combination",
                               "the job has no watermark_column that a range could be of: set one first");
    if (strcmp(json_text(job, "incremental_mode", ""), "incremental") != 0)
        return field_error_add(errors, err, "/range", "combination",
                               "the job's incremental_mode is full, so a run replaces the dataset: set it to "
                               "incremental first, or leave range out");
    return OK;
}

status job_handle_run(enum job_kind kind, struct api_context *context, const struct api_request *request,
                      struct api_response *response, struct error *err)
{
    struct field_errors errors = {0};
    json_t *job = NULL, *wanted = NULL;
    status s = job_of_path(context, kind, request, NULL, &job, err);
    if (s == OK && kind == JOB_INGEST && request->body)
        s = field_table_apply(&job_run_fields, NULL, request->body, &wanted, &errors, err);
    const json_t *range = json_object_get(wanted, "range");
    if (s == OK && json_is_object(range))
        s = check_range(job, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        api_problem(response, 400, "invalid", json_text(json_array_get(errors.list, 0), "message", ""),
                    "leave it out; PATCH the job first when the run is to do something else", errors.list);
    } else if (s == OK) {
        const struct run_request run = {.pipeline_id = json_text(job, "pipeline_id", ""),
                                        .kind = kind,
                                        .job_id = json_text(job, "id", ""),
                                        .range = json_is_object(range) ? range : NULL};
        s = run_answer_start(context, request, &run, response, err);
    }
    field_errors_release(&errors);
    json_decref(wanted);
    json_decref(job);
    return s;
}

const struct api_query_param job_runs_params[] = {RUN_STATE_PARAM, QUERY_PAGE, {0}};

status job_handle_runs(enum job_kind kind, struct api_context *context, const struct api_request *request,
                       struct api_response *response, struct error *err)
{
    json_t *job = NULL;
    status s = job_of_path(context, kind, request, NULL, &job, err);
    if (s == OK)
        s = run_answer_list(context, request, run_table(kind), "job_id", json_text(job, "id", ""), response, err);
    json_decref(job);
    return s;
}

/* A dataset job's SQL that does not fit is an answer here, no failure: the form shows it beside the text. */
static status answer_plan(struct api_response *response, status s, json_t *answer, json_t *problems, struct error *err)
{
    if (s != OK && json_array_size(problems) > 0)
        return api_answer(response, 200, json_pack("{s:[], s:O}", "columns", "errors", problems), err);
    return s == OK ? api_answer(response, 200, json_incref(answer), err) : s;
}

status job_handle_plan(enum job_kind kind, struct api_context *context, const struct api_request *request,
                       struct api_response *response, struct error *err)
{
    json_t *pipeline = NULL, *job = NULL, *payload = NULL, *answer = NULL, *problems = NULL;
    status s = job_of_path(context, kind, request, &pipeline, &job, err);
    if (s == OK)
        s = engine_payload(context->engine, kind, pipeline, job, &payload, err);
    if (s == OK) {
        s = short_task_run(context, kind == JOB_INGEST ? "plan" : "explain", payload, &answer, &problems, err);
        s = answer_plan(response, s, answer, problems, err);
    }
    json_decref(problems);
    json_decref(answer);
    json_decref(payload);
    json_decref(job);
    json_decref(pipeline);
    return s;
}

status job_handle_validate(enum job_kind kind, struct api_context *context, const struct api_request *request,
                           struct api_response *response, struct error *err)
{
    const char *job_id = api_query(request, "job_id");
    struct field_errors errors = {0};
    json_t *before = NULL, *record = NULL, *pipeline = NULL;
    struct db *db = NULL;
    status s = OK;
    if (job_id) {
        s = store_reader(context->store, &db, err);
        if (s == OK)
            s = job_get(db, kind, NULL, job_id, &before, err);
        store_give_back(context->store, db);
    }
    if (s == OK)
        s = field_table_apply(job_fields(kind), before, request->body, &record, &errors, err);
    if (s == OK && record)
        s = job_stand_in(record, &pipeline, err);
    if (s == OK && record)
        s = job_check_world(context, kind, pipeline, record, &errors, err);
    if (s == OK)
        s = api_answer(response, 200,
                       errors.list ? json_pack("{s:O}", "errors", errors.list) : json_pack("{s:[]}", "errors"), err);
    field_errors_release(&errors);
    json_decref(pipeline);
    json_decref(record);
    json_decref(before);
    return s;
}
