/* The first rows of a dataset job's SQL over its real inputs. */
#include "job/dataset_query.h"
#include "job/task.h"

#define PREVIEW_ROWS 100
#define PREVIEW_ROWS_MOST 1000
#define PREVIEW_SECONDS 20

status dataset_preview(const struct task *task, json_t **answer, struct error *err)
{
    const char *sql = json_text(json_object_get(task->payload, "job"), "sql", "");
    const json_t *inputs = json_object_get(task->payload, "inputs");
    int64_t limit = json_int(task->payload, "limit", PREVIEW_ROWS);
    struct dataset_session session;
    struct query_stream query = {0};
    struct buf from = {0};
    struct sql_position where = {0};
    status s = dataset_session_open(&session, task, inputs, DATASET_ROWS, PREVIEW_SECONDS, err);
    if (s != OK)
        return s;
    s = dataset_query_prepare(&session, sql, true, &query, &from, &where, err);
    if (s == OK)
        s = buf_printf(&from, err, " LIMIT %lld",
                       (long long)(limit < 1 || limit > PREVIEW_ROWS_MOST ? PREVIEW_ROWS : limit));
    if (s == OK)
        s = dataset_query_answer(&query, buf_str(&from), answer, err);
    s = dataset_session_end(&session, s, err);
    query_stream_release(&query);
    buf_release(&from);
    dataset_session_release(&session);
    return s;
}
