/* First rows of files of the lake. */
#ifndef FF_API_SAMPLE_H
#define FF_API_SAMPLE_H

#include "api/route.h"

#define SAMPLE_ROWS 100
#define SAMPLE_ROWS_MOST 1000
#define SAMPLE_PARAMS                                                                                                  \
    {                                                                                                                  \
        "limit", "How many rows at most.",                                                                             \
            "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000, \"default\": 100}"                             \
    }

/* The payload of `flowforge task sample`: `target` as in docs/pipelines.md 4 (borrowed), ?limit= of the request. The
 * answer is the task's. Blocks. */
status sample_answer(struct api_context *context, const struct api_request *request, json_t *target,
                     struct api_response *response, struct error *err) MUST_USE;

#endif
