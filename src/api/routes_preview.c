/* POST /api/preview: what an unsaved job would read or make */
#include <stdio.h>

#include "api/connection_task.h"
#include "api/handler.h"
#include "api/job_check.h"
#include "api/route_tables.h"
#include "api/short_task.h"

static const char *const kinds[] = {"ingest", "dataset", NULL};

static const struct field_def preview_members[] = {
    {.key = "kind",
     .kind = FIELD_ENUM,
     .flags = FIELD_NULLABLE,
     .choices = kinds,
     .label = "Kind",
     .help = "What kind of job it is; left out: dataset when the job has a member sql, else ingest."},
    {.key = "job",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     .label = "Job",
     .help = "The job as it would be sent to be created; name and dataset may be missing."},
    {.key = "connection",
     .kind = FIELD_OBJECT,
     .flags = FIELD_NULLABLE,
     .of = &connection_test_fields,
     .label = "Connection",
     .help = "One that is not saved, instead of the job's connection_id."},
    {.key = "limit",
     .kind = FIELD_INTEGER,
     .default_json = "100",
     .min = 1,
     .max = 1000,
     .label = "Rows",
     .help = "How many rows at most."}};
static const struct field_table preview_fields = {.name = "preview",
                                                  .title = "Preview",
                                                  .fields = preview_members,
                                                  .count = sizeof preview_members / sizeof *preview_members};

/* Pointers of a member's problems are told from the body's root. */
static status prefix_pointers(json_t *problems, const char *member, struct error *err)
{
    json_t *problem;
    size_t i;
    status s = OK;
    json_array_foreach(problems, i, problem)
    {
        struct buf pointer = {0};
        if (s == OK)
            s = buf_printf(&pointer, err, "/%s%s", member, json_text(problem, "pointer", ""));
        if (s == OK)
            s = json_put(problem, "pointer", json_stringn((const char *)pointer.data, pointer.len), err);
        buf_release(&pointer);
    }
    return s;
}

/* The body's job with what a name gives filled in, checked. `connection` (may be NULL): stands for the one that the job
 * would name. *job NULL: there are problems. */
static status complete_job(struct api_context *context, enum job_kind kind, const json_t *given,
                           const json_t *connection, json_t **job, json_t **pipeline, struct field_errors *errors,
                           struct error *err)
{
    static const char *const needed[] = {"name", "dataset"};
    json_t *named = json_copy((json_t *)given), *record = NULL;
    bool known;
    status s = named ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < sizeof needed / sizeof *needed; i++)
        if (!json_is_string(json_object_get(named, needed[i])) || !json_text(named, needed[i], "")[0])
            s = json_put_text(named, needed[i], "preview", err);
    if (s == OK && connection)
        s = json_put_text(named, "connection_id", json_text(connection, "id", ""), err);
    if (s == OK)
        s = field_table_apply(job_fields(kind), NULL, named, &record, errors, err);
    if (s == OK && record)
        s = job_stand_in(record, pipeline, err);
    if (s == OK && record && kind == JOB_DATASET)
        s = job_check_inputs(context, record, errors, &known, err);
    if (s == OK && record && connection) {
        s = job_check_connection(record, connection, errors, err);
        if (s == OK)
            s = json_put(record, "connection_id", json_null(), err); /* the payload has it already */
    } else if (s == OK && record) {
        s = job_check_world(context, kind, *pipeline, record, errors, err);
    }
    if (s == OK && field_errors_count(errors) == 0)
        *job = json_incref(record);
    json_decref(record);
    json_decref(named);
    return s;
}

static status run_preview(struct api_context *context, enum job_kind kind, const json_t *job, const json_t *pipeline,
                          const json_t *connection, int64_t limit, struct api_response *response, struct error *err)
{
    json_t *payload = NULL, *answer = NULL, *problems = NULL;
    status s = engine_payload(context->engine, kind, pipeline, job, &payload, err);
    if (s == OK && connection)
        s = json_put(payload, "connection", json_deep_copy(connection), err);
    if (s == OK)
        s = json_put_int(payload, kind == JOB_INGEST ? "rows" : "limit", limit, err);
    if (s == OK)
        s = short_task_run(context, kind == JOB_INGEST ? "preview" : "preview-dataset", payload, &answer, &problems,
                           err);
    if (s == OK) {
        s = api_answer(response, 200, json_incref(answer), err);
    } else if (json_array_size(problems) > 0) {
        s = prefix_pointers(problems, "job", err);
        if (s == OK) {
            s = api_answer_problems(response, problems, err);
            problems = NULL;
        }
    }
    json_decref(problems);
    json_decref(answer);
    json_decref(payload);
    return s;
}

static status preview(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    struct field_errors errors = {0};
    json_t *wanted = NULL, *job = NULL, *pipeline = NULL, *connection = NULL;
    status s = field_table_apply(&preview_fields, NULL, request->body, &wanted, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    const char *usual = json_object_get(json_object_get(wanted, "job"), "sql") ? "dataset" : "ingest";
    enum job_kind kind = strcmp(json_text(wanted, "kind", usual), "dataset") == 0 ? JOB_DATASET : JOB_INGEST;
    const json_t *unsaved = json_object_get(wanted, "connection");
    if (s == OK && json_is_object(unsaved)) {
        s = connection_unsaved(context, unsaved, &connection, &errors, err);
        if (s == OK && !connection) {
            s = prefix_pointers(errors.list, "connection", err);
            if (s == OK)
                s = api_problem_fields(response, &errors, err);
            goto out;
        }
    }
    if (s == OK)
        s = complete_job(context, kind, json_object_get(wanted, "job"), connection, &job, &pipeline, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = prefix_pointers(errors.list, "job", err);
        if (s == OK)
            s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = run_preview(context, kind, job, pipeline, connection, json_int(wanted, "limit", 100), response, err);
out:
    field_errors_release(&errors);
    json_decref(connection);
    json_decref(pipeline);
    json_decref(job);
    json_decref(wanted);
    return s;
}

static const struct route routes[] = {
    {.method = "POST",
     .pattern = "/api/preview",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "First rows and columns of an unsaved job",
     .body = &preview_fields,
     .success = 200,
     .handle = preview},
};

const struct route_table preview_routes = {routes, sizeof routes / sizeof *routes};
