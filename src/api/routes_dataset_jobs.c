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
    {"GET", JOBS, ROLE_VIEWER, true, "Dataset jobs of a pipeline, oldest first", NULL, false, &dataset_job_fields, true,
     200, .handle = list, .params = job_list_params, .kept = true},
    {"POST", JOBS, ROLE_EDITOR, true, "Create a dataset job", &dataset_job_fields, false, &dataset_job_fields, false,
     201, .handle = create},
    {"GET", JOB, ROLE_VIEWER, true, "A dataset job", NULL, false, &dataset_job_fields, false, 200, .handle = get,
     .kept = true},
    {"PATCH", JOB, ROLE_EDITOR, true, "Change a dataset job (merge patch; If-Match takes the ETag)",
     &dataset_job_fields, true, &dataset_job_fields, false, 200, .handle = patch},
    {"DELETE", JOB, ROLE_EDITOR, true, "Delete a dataset job and its runs", NULL, false, NULL, false, 204,
     .handle = delete, .params = job_delete_params},
    {"POST", JOB "/run", ROLE_EDITOR, true, "Run a dataset job (Idempotency-Key)", NULL, false, NULL, false, 202,
     .handle = run},
    {"GET", JOB "/runs", ROLE_VIEWER, true, "Runs of a dataset job, newest first", NULL, false, NULL, true, 200,
     .handle = runs, .params = job_runs_params, .kept = true},
    {"GET", JOB "/plan", ROLE_VIEWER, true, "The columns that its SQL gives, or what is wrong with it", NULL, false,
     NULL, false, 200, .handle = plan},
    {"POST", "/api/validate/dataset-job", ROLE_EDITOR, true, "Check a dataset job without saving it",
     &dataset_job_fields, true, NULL, false, 200, .handle = validate, .params = job_validate_params},
};

const struct route_table dataset_job_routes = {routes, sizeof routes / sizeof *routes};
