/* GET /api/pipeline-runs/{id}/log */
#ifndef FF_API_RUN_LOG_H
#define FF_API_RUN_LOG_H

#include "api/route.h"

extern const struct api_query_param run_log_params[];
/* {"items": [{id, time, level, message, job_run_id}], "next_cursor", "last_id"}; ?format=text gives lines of text. */
status run_log_handle(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err) MUST_USE;

#endif
