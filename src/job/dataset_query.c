#include "job/dataset_query.h"

#include "batch/value_text.h"
#include "job/report_json.h"
#include "sql/sql_policy.h"

#define CELL_BYTES_MOST 4096

status dataset_query_prepare(struct dataset_session *session, const char *sql, bool say_where,
                             struct query_stream *query, struct buf *from, struct sql_position *where,
                             struct error *err)
{
    duckdb_prepared_statement statement = NULL;
    size_t length = 0;
    status s = sql_policy_prepare(&session->sql, sql, &statement, where, err);
    if (s != OK && where->column && say_where)
        error_prefix(err, "SQL, line %zu, column %zu", where->line, where->column);
    if (s == OK)
        s = query_stream_init(query, &session->sql, statement, err);
    session->sql.api.destroy_prepare(&statement);
    if (s == OK)
        s = sql_policy_statement_length(&session->sql, sql, &length, err);
    buf_clear(from);
    return s == OK ? buf_printf(from, err, "FROM (\n%.*s\n) AS result", (int)length, sql) : s;
}

static status add_cell(json_t *cells, const struct column *column, size_t row, struct buf *text, struct error *err)
{
    if (column_is_null(column, row))
        return json_add(cells, json_null(), err);
    buf_clear(text);
    status s = value_text_append(column, row, text, err);
    if (s != OK)
        return s;
    struct str shown = buf_str(text);
    shown.n = str_utf8_prefix(shown, CELL_BYTES_MOST);
    return json_add(cells, report_safe_text(shown), err);
}

static status add_rows(json_t *rows, const struct batch *batch, struct buf *text, struct error *err)
{
    status s = OK;
    for (size_t row = 0; s == OK && row < batch->rows; row++) {
        json_t *cells = json_array();
        s = json_add(rows, cells, err);
        for (size_t i = 0; s == OK && i < batch->column_count; i++)
            s = add_cell(cells, &batch->columns[i], row, text, err);
    }
    return s;
}

status dataset_query_answer(struct query_stream *query, struct str from, json_t **answer, struct error *err)
{
    struct batch batch = {0};
    struct buf text = {0};
    json_t *rows = json_array(), *made = json_object();
    status s = made ? json_put(made, "columns", report_schema(&query->schema), err) : error_no_memory(err, 64);
    if (s == OK)
        s = json_put(made, "rows", json_incref(rows), err);
    if (s == OK)
        s = query_stream_start(query, from, err);
    while (s == OK) {
        s = query_stream_next(query, &batch, err);
        if (s != OK || batch.rows == 0)
            break;
        s = add_rows(rows, &batch, &text, err);
    }
    batch_release(&batch);
    buf_release(&text);
    json_decref(rows);
    if (s == OK)
        *answer = made;
    else
        json_decref(made);
    return s;
}
