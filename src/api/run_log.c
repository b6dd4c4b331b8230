#include "api/run_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/handler.h"
#include "store/store_runs.h"

#define LINES_MOST 1000
#define LINES_USUAL 200
#define TEXT_MOST ((size_t)64 << 20) /* bytes of a download */

const struct api_query_param run_log_params[] = {
    {"after", "Only lines with a higher id: last_id of the answer before.", "{\"type\": \"integer\", \"minimum\": 0}"},
    {"level", "Only this level and graver ones.",
     "{\"type\": \"string\", \"enum\": [\"debug\", \"info\", \"warning\", \"error\"]}"},
    {"job_run_id", "Only lines of this job run.", QUERY_TEXT},
    {"contains", "Only lines with this text.", QUERY_TEXT},
    {"format", "json, or text for a download.", "{\"type\": \"string\", \"enum\": [\"json\", \"text\"]}"},
    {"limit", "How many lines at most (json).",
     "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000, \"default\": 200}"},
    {"cursor", "The same as after.", "{\"type\": \"integer\", \"minimum\": 0}"},
    {0}};

static int64_t last_id(const json_t *rows, int64_t fallback)
{
    size_t n = json_array_size(rows);
    return n ? json_int(json_array_get(rows, n - 1), "id", fallback) : fallback;
}

static status append_lines(const json_t *rows, struct buf *text, struct error *err)
{
    json_t *row;
    size_t i;
    status s = OK;
    json_array_foreach((json_t *)rows, i, row)
    {
        const char *job = json_text(row, "job_run_id", NULL);
        if (s == OK)
            s = buf_printf(text, err, "%s %-7s %s%s%s\n", json_text(row, "time", ""), json_text(row, "level", ""),
                           job ? job : "", job ? " " : "", json_text(row, "message", ""));
    }
    return s;
}

static status answer_text(struct db *db, struct log_query query, struct api_response *response, struct error *err)
{
    struct buf text = {0};
    status s = OK;
    query.limit = LINES_MOST;
    for (bool more = true; s == OK && more;) {
        json_t *rows = NULL;
        s = run_log_list(db, &query, &rows, err);
        if (s == OK)
            s = append_lines(rows, &text, err);
        query.after = last_id(rows, query.after);
        more = json_array_size(rows) == LINES_MOST;
        json_decref(rows);
        if (s == OK && more && text.len > TEXT_MOST) {
            s = buf_printf(&text, err, "... there is more: ask again with after=%" PRId64 "\n", query.after);
            more = false;
        }
    }
    if (s == OK)
        s = buf_append(&text, "", 1, err);
    if (s != OK) {
        buf_release(&text);
        return s;
    }
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    response->text_length = text.len - 1;
    response->text = (char *)text.data; /* from the same allocator, now the response's */
    return OK;
}

static status answer_json(struct db *db, struct log_query query, struct api_response *response, struct error *err)
{
    json_t *rows = NULL, *body = NULL;
    size_t wanted = query.limit++;
    status s = run_log_list(db, &query, &rows, err);
    if (s != OK)
        return s;
    bool more = json_array_size(rows) > wanted;
    if (more)
        json_array_remove(rows, wanted);
    int64_t last = last_id(rows, query.after);
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRId64, last);
    body =
        json_pack("{s:O, s:s?, s:I}", "items", rows, "next_cursor", more ? cursor : NULL, "last_id", (json_int_t)last);
    json_decref(rows);
    return api_answer(response, 200, body, err);
}

status run_log_handle(struct api_context *context, const struct api_request *request, struct api_response *response,
                      struct error *err)
{
    static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
    static const char *const formats[] = {"json", "text", NULL};
    struct log_query query = {.pipeline_run_id = request->params[0],
                              .job_run_id = api_query(request, "job_run_id"),
                              .contains = api_query(request, "contains")};
    const char *format = NULL;
    struct db *db = NULL;
    json_t *run = NULL;
    int64_t limit = LINES_USUAL;
    status s = api_query_choice(request, "level", levels, &query.least_level, err);
    if (s == OK)
        s = api_query_choice(request, "format", formats, &format, err);
    if (s == OK)
        s = api_query_number(request, api_query(request, "cursor") ? "cursor" : "after", 0, INT64_MAX, 0, &query.after,
                             err);
    if (s == OK)
        s = api_query_number(request, "limit", 1, LINES_MOST, LINES_USUAL, &limit, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &pipeline_runs_table, request->params[0], &run, err);
    json_decref(run);
    query.limit = (size_t)limit;
    if (s == OK)
        s = format && strcmp(format, "text") == 0 ? answer_text(db, query, response, err)
                                                  : answer_json(db, query, response, err);
    store_give_back(context->store, db);
    return s;
}
