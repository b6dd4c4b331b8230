#include "api/sample.h"

#include "api/handler.h"
#include "api/short_task.h"
#include "base/civil.h"

#define SAMPLE_MEMORY ((json_int_t)256 << 20)

static status make_payload(const struct api_context *context, json_t *target, int64_t limit, json_t **payload,
                           struct error *err)
{
    char time[TIME_TEXT_CAP];
    struct buf lake = {0};
    time_text(civil_micros_now(), time);
    status s = buf_printf(&lake, err, "%s/lake", context->home);
    if (s == OK)
        s = buf_append(&lake, "", 1, err);
    if (s == OK &&
        !(*payload = json_pack("{s:i, s:s, s:s, s:s, s:i, s:s, s:s, s:I, s:i, s:{}, s:{}, s:[], s:O, s:I}", "version",
                               1, "kind", "dataset", "run_id", "sample", "pipeline_run_id", "sample", "attempt", 1,
                               "run_time", time, "lake", (const char *)lake.data, "memory", SAMPLE_MEMORY, "threads", 1,
                               "pipeline", "job", "local_roots", "target", target, "limit", (json_int_t)limit)))
        s = error_no_memory(err, 256);
    buf_release(&lake);
    return s;
}

status sample_answer(struct api_context *context, const struct api_request *request, json_t *target,
                     struct api_response *response, struct error *err)
{
    json_t *payload = NULL, *answer = NULL, *problems = NULL;
    int64_t limit = SAMPLE_ROWS;
    status s = api_query_number(request, "limit", 1, SAMPLE_ROWS_MOST, SAMPLE_ROWS, &limit, err);
    if (s == OK)
        s = make_payload(context, target, limit, &payload, err);
    if (s == OK)
        s = short_task_run(context, "sample", payload, &answer, &problems, err);
    if (s == OK)
        s = api_answer(response, 200, json_incref(answer), err);
    json_decref(problems);
    json_decref(answer);
    json_decref(payload);
    return s;
}
