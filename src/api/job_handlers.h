/* Handlers that are the same for both kinds of job; routes_ingest_jobs.c and routes_dataset_jobs.c name them. */
#ifndef FF_API_JOB_HANDLERS_H
#define FF_API_JOB_HANDLERS_H

#include "api/route.h"

#define JOB_HANDLER(name)                                                                                              \
    status name(enum job_kind kind, struct api_context *context, const struct api_request *request,                    \
                struct api_response *response, struct error *err) MUST_USE

JOB_HANDLER(job_handle_list);
JOB_HANDLER(job_handle_create);
JOB_HANDLER(job_handle_get);
JOB_HANDLER(job_handle_patch);
JOB_HANDLER(job_handle_delete);
JOB_HANDLER(job_handle_run);
JOB_HANDLER(job_handle_runs);
JOB_HANDLER(job_handle_plan);
JOB_HANDLER(job_handle_validate);

extern const struct api_query_param job_list_params[], job_runs_params[], job_delete_params[], job_validate_params[];

/* What POST .../ingest-jobs/{id}/run takes; all of it may be left out. */
extern const struct field_table job_run_fields;

/* The job of the path's second parameter in the pipeline of its first; either may be NULL (not wanted). */
status job_of_path(struct api_context *context, enum job_kind kind, const struct api_request *request,
                   json_t **pipeline, json_t **job, struct error *err) MUST_USE;

#endif
