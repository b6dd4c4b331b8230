#include "sql/query_stream.h"

#include <stdlib.h>

#include "sql/sql_text.h"

static status take_column(struct query_stream *q, duckdb_prepared_statement select, size_t i, struct error *err)
{
    const struct duckdb_api *api = &q->session->api;
    const char *name = api->prepared_statement_column_name(select, i);
    if (!name)
        return error_no_memory(err, 1);
    duckdb_logical_type logical = api->prepared_statement_column_logical_type(select, i);
    status s = vector_type_of(api, logical, &q->types[i], err);
    if (s != OK) {
        error_prefix(err, "column '%s'", name);
    } else if (schema_find(&q->schema, str_of(name)) >= 0) {
        s = error_set(err, ERR_INVALID, "two columns have the name '%s'", name);
        error_hint(err, "give one of them another name: ... AS other_name");
    } else {
        s = schema_add(&q->schema, str_of(name), (struct str){0}, q->types[i].type, false, err);
    }
    api->destroy_logical_type(&logical);
    api->free((void *)name);
    return s;
}

status query_stream_init(struct query_stream *q, struct sql_session *session, duckdb_prepared_statement select,
                         struct error *err)
{
    *q = (struct query_stream){.session = session, .batch_rows = QUERY_BATCH_ROWS, .batch_bytes = QUERY_BATCH_BYTES};
    size_t count = session->api.prepared_statement_column_count(select);
    q->types = calloc(count + 1, sizeof *q->types);
    status s = q->types ? OK : error_no_memory(err, count * sizeof *q->types);
    for (size_t i = 0; s == OK && i < count; i++)
        s = take_column(q, select, i, err);
    if (s != OK)
        query_stream_release(q);
    return s;
}

static enum vector_form form_of(enum type_kind kind)
{
    return kind == TYPE_UUID     ? VECTOR_UUID
           : kind == TYPE_JSON   ? VECTOR_JSON
           : kind == TYPE_STRING ? VECTOR_TEXT
           : kind == TYPE_BINARY ? VECTOR_TEXT
                                 : VECTOR_SAME;
}

status query_stream_cast(struct query_stream *q, size_t i, struct data_type to, struct error *err)
{
    enum vector_form form = form_of(to.kind);
    if (to.kind == TYPE_DECIMAL) /* DuckDB's own widths */
        form = to.precision <= 4    ? VECTOR_I16
               : to.precision <= 9  ? VECTOR_I32
               : to.precision <= 18 ? VECTOR_I64
                                    : VECTOR_SAME;
    if (to.kind == TYPE_NULL)
        return error_set(err, ERR_INTERNAL, "a column cannot be cast to no type");
    q->types[i] = (struct vector_type){to, form, SELECT_CAST};
    q->schema.fields[i].type = to;
    return OK;
}

static status append_cast(struct buf *sql, const char *name, struct data_type to, struct error *err)
{
    status s = buf_append_str(sql, STR("CAST("), err);
    if (s == OK)
        s = sql_append_identifier(sql, str_of(name), err);
    if (s == OK)
        s = buf_append_str(sql, STR(" AS "), err);
    if (s == OK)
        s = sql_append_type(sql, to, err);
    return s == OK ? buf_append_str(sql, STR(")"), err) : s;
}

static status append_column(struct buf *sql, const char *name, const struct vector_type *type, struct error *err)
{
    static const struct {
        struct str before, after;
    } around[] = {
        [SELECT_AS_IS] = {{"", 0}, {"", 0}},
        [SELECT_TO_JSON] = {{"CAST(to_json(", 13}, {") AS VARCHAR)", 13}},
        [SELECT_TO_TEXT] = {{"CAST(", 5}, {" AS VARCHAR)", 12}},
    };
    enum select_form form = type->select;
    if (form == SELECT_CAST)
        return append_cast(sql, name, type->type, err);
    status s = buf_append_str(sql, around[form].before, err);
    if (s == OK)
        s = sql_append_identifier(sql, str_of(name), err);
    return s == OK ? buf_append_str(sql, around[form].after, err) : s;
}

status query_stream_start(struct query_stream *q, struct str from, struct error *err)
{
    struct buf sql = {0};
    status s = buf_append_str(&sql, STR("SELECT "), err);
    for (size_t i = 0; s == OK && i < q->schema.count; i++) {
        if (i > 0)
            s = buf_append_str(&sql, STR(", "), err);
        if (s == OK)
            s = append_column(&sql, q->schema.fields[i].name, &q->types[i], err);
    }
    if (s == OK)
        s = buf_append_str(&sql, STR(" "), err);
    if (s == OK)
        s = buf_append_str(&sql, from, err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_prepare(q->session, (const char *)sql.data, &q->statement, err);
    if (s == OK)
        s = sql_session_stream(q->session, q->statement, &q->result, err);
    buf_release(&sql);
    return s;
}

/* The chunk that holds the next row; none at the end. */
static status want_chunk(struct query_stream *q, struct error *err)
{
    const struct duckdb_api *api = &q->session->api;
    while (!q->ended && (!q->chunk || q->chunk_at == q->chunk_rows)) {
        api->destroy_data_chunk(&q->chunk);
        status s = sql_session_fetch(q->session, &q->result, &q->chunk, err);
        q->ended = s != OK || !q->chunk;
        if (q->ended)
            return s;
        q->chunk_rows = api->data_chunk_get_size(q->chunk);
        q->chunk_at = 0;
    }
    return OK;
}

/* Take over `rows` rows of the chunk. */
static status take_rows(struct query_stream *q, struct batch *into, size_t rows, struct error *err)
{
    const struct duckdb_api *api = &q->session->api;
    for (size_t i = 0; i < into->column_count; i++) {
        duckdb_vector vector = api->data_chunk_get_vector(q->chunk, i);
        const struct vector_slice slice = {
            .data = api->vector_get_data(vector),
            .validity = api->vector_get_validity(vector),
            .first = q->chunk_at,
            .count = rows,
        };
        size_t bad_row = 0;
        status s = vector_append(&into->columns[i], &q->types[i], &slice, &bad_row, err);
        if (s == ERR_BAD_DATA)
            error_prefix(err, "column '%s', row %llu", q->schema.fields[i].name,
                         (unsigned long long)(q->rows_given + into->rows + bad_row + 1));
        if (s != OK)
            return s;
    }
    q->chunk_at += rows;
    into->rows += rows;
    return OK;
}

static size_t bytes_in(const struct batch *b)
{
    size_t bytes = 0;
    for (size_t i = 0; i < b->column_count; i++)
        bytes += b->columns[i].data.len;
    return bytes;
}

status query_stream_next(struct query_stream *q, struct batch *into, struct error *err)
{
    status s = batch_reset(into, &q->schema, err);
    while (s == OK && into->rows < q->batch_rows && bytes_in(into) < q->batch_bytes) {
        s = want_chunk(q, err);
        if (s != OK || !q->chunk)
            break;
        size_t rows = q->chunk_rows - q->chunk_at, room = q->batch_rows - into->rows;
        s = take_rows(q, into, rows < room ? rows : room, err);
    }
    if (s == OK)
        q->rows_given += into->rows;
    return s;
}

void query_stream_release(struct query_stream *q)
{
    if (q->session && q->session->api.library) {
        const struct duckdb_api *api = &q->session->api;
        api->destroy_data_chunk(&q->chunk);
        api->destroy_result(&q->result);
        api->destroy_prepare(&q->statement);
    }
    schema_release(&q->schema);
    free(q->types);
    *q = (struct query_stream){0};
}
