/* Some rows of a dataset's files. */
#include "job/dataset_query.h"
#include "job/task.h"

#define SAMPLE_ROWS 100
#define SAMPLE_ROWS_MOST 10000
#define SAMPLE_SECONDS 20
#define SAMPLE_ALIAS "dataset"

/* The payload's target in the shape of an input: the paths absolute. */
static status make_input(const struct task *task, json_t **inputs, struct error *err)
{
    const json_t *target = json_object_get(task->payload, "target"), *file;
    const char *lake = json_text(task->payload, "lake", ""), *format = json_text(target, "format", NULL);
    json_t *files = json_array(), *schema = json_object_get(target, "schema");
    size_t i;
    status s = files ? OK : error_no_memory(err, 64);
    json_array_foreach(json_object_get(target, "files"), i, file)
    {
        const char *path = json_text(file, "path", "");
        format = format ? format : json_text(file, "format", NULL);
        if (s == OK)
            s = json_add(files,
                         json_pack("{s:s+++}", "path", path[0] == '/' ? "" : lake, path[0] == '/' ? "" : "/", path, ""),
                         err);
    }
    if (s == OK) {
        *inputs = json_pack("[{s:s, s:s, s:O, s:O}]", "alias", SAMPLE_ALIAS, "format", format ? format : "parquet",
                            "schema", schema ? schema : files, "files", files);
        s = *inputs ? OK : error_no_memory(err, 256);
    }
    json_decref(files);
    return s;
}

static status run(struct dataset_session *session, int64_t limit, int64_t offset, json_t **answer, struct error *err)
{
    struct query_stream query = {0};
    struct buf from = {0};
    duckdb_prepared_statement all = NULL;
    status s = sql_session_prepare(&session->sql, "SELECT * FROM \"" SAMPLE_ALIAS "\"", &all, err);
    if (s == OK)
        s = query_stream_init(&query, &session->sql, all, err);
    session->sql.api.destroy_prepare(&all);
    if (s == OK)
        s = buf_printf(&from, err, "FROM \"" SAMPLE_ALIAS "\" LIMIT %lld OFFSET %lld", (long long)limit,
                       (long long)offset);
    if (s == OK)
        s = dataset_query_answer(&query, buf_str(&from), answer, err);
    query_stream_release(&query);
    buf_release(&from);
    return s;
}

status dataset_sample(const struct task *task, json_t **answer, struct error *err)
{
    int64_t limit = json_int(task->payload, "limit", SAMPLE_ROWS), offset = json_int(task->payload, "offset", 0);
    struct dataset_session session;
    json_t *inputs = NULL;
    status s = make_input(task, &inputs, err);
    if (s == OK)
        s = dataset_session_open(&session, task, inputs, DATASET_ROWS, SAMPLE_SECONDS, err);
    json_decref(inputs);
    if (s != OK)
        return s;
    s = run(&session, limit < 1 || limit > SAMPLE_ROWS_MOST ? SAMPLE_ROWS : limit, offset < 0 ? 0 : offset, answer,
            err);
    s = dataset_session_end(&session, s, err);
    dataset_session_release(&session);
    return s;
}
