/* Whether a dataset job's SQL fits its inputs' columns, before any of it runs. */
#include "job/dataset_query.h"
#include "job/dataset_schema.h"
#include "job/report_json.h"
#include "job/task.h"

#define EXPLAIN_SECONDS 20

/* {"errors": [...]}; `failure` may be *err itself. */
static status name_problem(json_t **answer, const char *pointer, const char *code, struct sql_position where,
                           const struct error *failure, struct error *err)
{
    json_t *problem = json_object(), *made = NULL;
    status s = json_put_text(problem, "pointer", pointer, err);
    if (s == OK)
        s = json_put_text(problem, "code", code, err);
    if (s == OK)
        s = json_put(problem, "message", report_safe_text(str_of(failure->message)), err);
    if (s == OK && failure->hint[0])
        s = json_put(problem, "hint", report_safe_text(str_of(failure->hint)), err);
    if (s == OK && where.line)
        s = json_put_int(problem, "line", (int64_t)where.line, err);
    if (s == OK && where.column)
        s = json_put_int(problem, "column", (int64_t)where.column, err);
    if (s == OK && !(made = json_pack("{s:[O]}", "errors", problem)))
        s = error_no_memory(err, 256);
    json_decref(problem);
    if (s == OK)
        *answer = made;
    return s;
}

static status check_keys(const json_t *job, const struct schema *schema, struct error *err)
{
    const json_t *keys = json_object_get(job, "merge_keys"), *key;
    size_t i;
    json_array_foreach(keys, i, key)
    {
        const char *name = json_string_value(key);
        if (name && schema_find(schema, str_of(name)) < 0)
            return error_set(err, ERR_INVALID, "the query gives no column '%s'", name);
    }
    return OK;
}

/* What is wrong beyond the SQL itself; *pointer says with which field. */
static status check_columns(const json_t *job, struct query_stream *query, const char **pointer, struct error *err)
{
    *pointer = "/output_schema";
    status s = dataset_schema_declare(query, json_object_get(job, "output_schema"), err);
    if (s != OK)
        return s;
    *pointer = "/merge_keys";
    return check_keys(job, &query->schema, err);
}

/* Is it the user's text that is wrong? */
static bool is_about_sql(status s)
{
    return s == ERR_INVALID || s == ERR_DENIED || s == ERR_UNSUPPORTED || s == ERR_BAD_DATA || s == ERR_NOT_FOUND;
}

status dataset_explain(const struct task *task, json_t **answer, struct error *err)
{
    const json_t *job = json_object_get(task->payload, "job");
    struct dataset_session session;
    struct query_stream query = {0};
    struct buf from = {0};
    struct sql_position where = {0};
    const char *pointer = "/sql";
    struct error failure = {0};
    const json_t *inputs = json_object_get(task->payload, "inputs");
    status s = dataset_session_open(&session, task, inputs, DATASET_COLUMNS, EXPLAIN_SECONDS, err);
    if (s != OK)
        return s;
    s = dataset_query_prepare(&session, json_text(job, "sql", ""), false, &query, &from, &where, &failure);
    if (s == OK)
        s = check_columns(job, &query, &pointer, &failure);
    s = dataset_session_end(&session, s, &failure);
    if (s == OK) {
        json_t *made = json_object();
        s = json_put(made, "columns", report_schema(&query.schema), err);
        if (s == OK)
            *answer = made;
        else
            json_decref(made);
    } else if (is_about_sql(s)) {
        s = name_problem(answer, pointer, strcmp(pointer, "/sql") == 0 ? "sql" : "combination", where, &failure, err);
        if (s == OK) { /* the answer says it all */
            s = error_set(err, ERR_INVALID, "%s", failure.message);
            error_hint(err, "%s", failure.hint);
        }
    } else {
        s = error_set(err, s, "%s", failure.message);
        error_hint(err, "%s", failure.hint);
    }
    query_stream_release(&query);
    buf_release(&from);
    dataset_session_release(&session);
    return s;
}
