/* /api/workflows/{id}/dataset-jobs */
#include "api/job_handlers.h"
#include "api/route_tables.h"
#include "job/fields.h"

#define DATASET_HANDLER(name, shared)                                                                                  \
    static status name(struct api_context *context, const struct api_request *request, struct api_response *response,  \
                       struct error *err)                                                                              \
    {                                                                                                                  \
        return shared(JOB_DATASET, context, request, response, err);                                                   \
    }

DATASET_HANDLER(list, job_handle_list)
DATASET_HANDLER(create, job_handle_create)
DATASET_HANDLER(get, job_handle_get)
DATASET_HANDLER(patch, job_handle_patch)
DATASET_HANDLER(delete, job_handle_delete)
DATASET_HANDLER(run, job_handle_run)
DATASET_HANDLER(runs, job_handle_runs)
DATASET_HANDLER(plan, job_handle_plan)
DATASET_HANDLER(validate, job_handle_validate)

#define JOBS "/api/workflows/{id}/dataset-jobs"
#define JOB JOBS "/{jobId}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = JOBS,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Dataset jobs of a pipeline, oldest first",
     .answer = &dataset_job_fields,
     .answer_list = true,
     .success = 200,
     .handle = list,
     .kept = true,
     .params = job_list_params},
    {.method = "POST",
     .pattern = JOBS,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Create a dataset job",
     .body = &dataset_job_fields,
     .answer = &dataset_job_fields,
     .success = 201,
     .handle = create},
    {.method = "GET",
     .pattern = JOB,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A dataset job",
     .answer = &dataset_job_fields,
     .success = 200,
     .handle = get,
     .kept = true},
    {.method = "PATCH",
     .pattern = JOB,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Change a dataset job (merge patch; If-Match takes the ETag)",
     .body = &dataset_job_fields,
     .body_partial = true,
     .answer = &dataset_job_fields,
     .success = 200,
     .handle = patch},
    {.method = "DELETE",
     .pattern = JOB,
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Delete a dataset job and its runs",
     .success = 204,
     .handle = delete,
     .params = job_delete_params},
    {.method = "POST",
     .pattern = JOB "/run",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Run a dataset job (Idempotency-Key)",
     .success = 202,
     .handle = run},
    {.method = "GET",
     .pattern = JOB "/runs",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Runs of a dataset job, newest first",
     .answer_list = true,
     .success = 200,
     .handle = runs,
     .kept = true,
     .params = job_runs_params},
    {.method = "GET",
     .pattern = JOB "/plan",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "The columns that its SQL gives, or what is wrong with it",
     .success = 200,
     .handle = plan},
    {.method = "POST",
     .pattern = "/api/validate/dataset-job",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Check a dataset job without saving it",
     .body = &dataset_job_fields,
     .body_partial = true,
     .success = 200,
     .handle = validate,
     .params = job_validate_params},
};

const struct route_table dataset_job_routes = {routes, sizeof routes / sizeof *routes};
