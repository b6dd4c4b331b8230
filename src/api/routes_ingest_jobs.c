/* /api/workflows/{id}/ingest-jobs */
#include "api/handler.h"
#include "api/job_handlers.h"
#include "api/route_tables.h"
#include "job/fields.h"
#include "store/store_views.h"

#define INGEST_HANDLER(name, shared)                                                                                   \
    static status name(struct api_context *context, const struct api_request *request, struct api_response *response,  \
                       struct error *err)                                                                              \
    {                                                                                                                  \
        return shared(JOB_INGEST, context, request, response, err);                                                    \
    }

INGEST_HANDLER(list, job_handle_list)
INGEST_HANDLER(create, job_handle_create)
INGEST_HANDLER(get, job_handle_get)
INGEST_HANDLER(patch, job_handle_patch)
INGEST_HANDLER(delete, job_handle_delete)
INGEST_HANDLER(run, job_handle_run)
INGEST_HANDLER(runs, job_handle_runs)
INGEST_HANDLER(plan, job_handle_plan)
INGEST_HANDLER(validate, job_handle_validate)

static status watermark(struct api_context *context, const struct api_request *request, struct api_response *response,
                        struct error *err)
{
    json_t *job = NULL, *value = NULL;
    struct db *db = NULL;
    int64_t files = 0;
    status s = job_of_path(context, JOB_INGEST, request, NULL, &job, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = watermark_get(db, json_text(job, "id", ""), &value, err);
    if (s == OK)
        s = ledger_count(db, json_text(job, "id", ""), &files, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer(response, 200, json_pack("{s:O?, s:I}", "watermark", value, "ledger_files", (json_int_t)files),
                       err);
    if (s == OK && !value)
        s = json_put(response->body, "watermark", json_null(), err);
    json_decref(value);
    json_decref(job);
    return s;
}

static const struct field_def reset_members[] = {
    {.key = "reason",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 1000,
     .label = "Reason",
     .help = "Why watermark and ledger are forgotten; it goes into the audit log."}};
static const struct field_table reset_fields = {
    .name = "watermark_reset", .title = "Watermark reset", .fields = reset_members, .count = 1};

/* Forget watermark and ledger, within the transaction; what they were goes into the audit log. */
static status reset(struct api_write *write, const struct api_request *request, const json_t *job, const char *reason,
                    struct error *err)
{
    const char *id = json_text(job, "id", "");
    json_t *before = NULL, *details = NULL;
    int64_t open = 0, files = 0;
    status s = job_runs_open(write->db, JOB_INGEST, id, &open, err);
    if (s == OK && open > 0) {
        s = error_set(err, ERR_CONFLICT,
                      "the job has a run that did not end yet, which would move the watermark again");
        error_hint(err, "Cancel it, or wait until it has ended.");
    }
    if (s == OK)
        s = watermark_get(write->db, id, &before, err);
    if (s == OK)
        s = ledger_count(write->db, id, &files, err);
    if (s == OK)
        s = watermark_reset(write->db, id, err);
    if (s == OK && !(details = json_pack("{s:s, s:s*, s:I}", "reason", reason, "watermark",
                                         json_text(before, "value", NULL), "ledger_files", (json_int_t)files)))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = api_audit(write, request, "ingest_job.watermark_reset", "ingest_job", id, details, err);
    json_decref(before);
    return s;
}

static status watermark_delete(struct api_context *context, const struct api_request *request,
                               struct api_response *response, struct error *err)
{
    struct api_write write = {0};
    struct field_errors errors = {0};
    json_t *pipeline = NULL, *job = NULL, *wanted = NULL;
    status s = field_table_apply(&reset_fields, NULL, request->body, &wanted, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = api_write_begin(context, &write, err);
    if (s == OK)
        s = pipeline_find(write.db, request->params[0], &pipeline, err);
    if (s == OK)
        s = job_get(write.db, JOB_INGEST, json_text(pipeline, "id", ""), request->params[1], &job, err);
    if (s == OK)
        s = reset(&write, request, job, json_text(wanted, "reason", ""), err);
    if (s == OK)
        s = api_write_commit(&write, err);
    if (s == OK)
        response->status = 204;
out:
    api_write_end(&write);
    field_errors_release(&errors);
    json_decref(wanted);
    json_decref(job);
    json_decref(pipeline);
    return s;
}

#define JOBS "/api/workflows/{id}/ingest-jobs"
#define JOB JOBS "/{jobId}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = JOBS,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Ingest jobs of a pipeline, oldest first",
     .answer = &ingest_job_fields,
     .answer_list = true,
     .success = 200,
     .handle = list,
     .kept = true,
     .params = job_list_params},
    {.method = "POST",
     .pattern = JOBS,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Create an ingest job",
     .body = &ingest_job_fields,
     .answer = &ingest_job_fields,
     .success = 201,
     .handle = create},
    {.method = "GET",
     .pattern = JOB,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "An ingest job",
     .answer = &ingest_job_fields,
     .success = 200,
     .handle = get,
     .kept = true},
    {.method = "PATCH",
     .pattern = JOB,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Change an ingest job (merge patch; If-Match takes the ETag)",
     .body = &ingest_job_fields,
     .body_partial = true,
     .answer = &ingest_job_fields,
     .success = 200,
     .handle = patch},
    {.method = "DELETE",
     .pattern = JOB,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Delete an ingest job and its runs",
     .success = 204,
     .handle = delete,
     .params = job_delete_params},
    {.method = "POST",
     .pattern = JOB "/run",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Run an ingest job (Idempotency-Key), or a range of it",
     .body = &job_run_fields,
     .body_optional = true,
     .success = 202,
     .handle = run},
    {.method = "GET",
     .pattern = JOB "/runs",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Runs of an ingest job, newest first",
     .answer_list = true,
     .success = 200,
     .handle = runs,
     .kept = true,
     .params = job_runs_params},
    {.method = "GET",
     .pattern = JOB "/plan",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "What a run would take: files, bytes, paths",
     .success = 200,
     .handle = plan},
    {.method = "GET",
     .pattern = JOB "/watermark",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Watermark and number of files in the ledger",
     .success = 200,
     .handle = watermark},
    {.method = "DELETE",
     .pattern = JOB "/watermark",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Forget watermark and ledger (audited)",
     .body = &reset_fields,
     .success = 204,
     .handle = watermark_delete},
    {.method = "POST",
     .pattern = "/api/validate/ingest-job",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Check an ingest job without saving it",
     .body = &ingest_job_fields,
     .body_partial = true,
     .success = 200,
     .handle = validate,
     .params = job_validate_params},
};

const struct route_table ingest_job_routes = {routes, sizeof routes / sizeof *routes};
