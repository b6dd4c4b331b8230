/* /api/workflows/{id}/ingest-jobs */
#include "api/handler.h"
#include "api/job_handlers.h"
#include "api/route_tables.h"
#include "api/watermark.h"
#include "job/fields.h"

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
     .handle = watermark_handle_get},
    {.method = "PUT",
     .pattern = JOB "/watermark",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Set the watermark, forward or back (audited)",
     .body = &watermark_set_fields,
     .success = 200,
     .handle = watermark_handle_put},
    {.method = "DELETE",
     .pattern = JOB "/watermark",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Forget watermark and ledger (audited)",
     .body = &watermark_reset_fields,
     .success = 204,
     .handle = watermark_handle_delete},
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
