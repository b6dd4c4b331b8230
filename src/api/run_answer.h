/* Answers about runs that several resources give. */
#ifndef FF_API_RUN_ANSWER_H
#define FF_API_RUN_ANSWER_H

#include "api/route.h"

/* A row of api_query_param tables. */
#define RUN_STATE_PARAM                                                                                                \
    {                                                                                                                  \
        "state", "Only runs of this state.",                                                                           \
            "{\"type\": \"string\", \"enum\": [\"SCHEDULED\", \"PENDING\", \"RUNNING\", \"CANCELLING\", "              \
            "\"COMPLETED\", "                                                                                          \
            "\"FAILED\", \"CANCELLED\", \"CRASHED\"]}"                                                                 \
    }

/* Start what `wanted` names (pipeline_id, kind, job_id), with the request's Idempotency-Key and actor: 202 with the
 * pipeline run and its Location, 200 when the key gave that run before, 400 with all problems. */
status run_answer_start(struct api_context *context, const struct api_request *request,
                        const struct run_request *wanted, struct api_response *response, struct error *err) MUST_USE;
/* A page of runs, newest first, by ?state=, ?limit= and ?cursor=. `owner_column` ("job_id", "pipeline_id"; NULL: all
 * runs) is `owner`. Configuration, report and output keys are left out. *rows and *more as record_list gives them. */
status run_list_page(struct api_context *context, const struct api_request *request, const struct record_table *table,
                     const char *owner_column, const char *owner, json_t **rows, bool *more,
                     struct error *err) MUST_USE;
/* The same as the answer. */
status run_answer_list(struct api_context *context, const struct api_request *request, const struct record_table *table,
                       const char *owner_column, const char *owner, struct api_response *response,
                       struct error *err) MUST_USE;
/* 202 with a pipeline run (stolen) and its Location. */
status run_answer_accepted(struct api_response *response, int code, json_t *run, struct error *err) MUST_USE;

#endif
