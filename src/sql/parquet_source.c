#include "sql/parquet_source.h"

#include <stdlib.h>

#include "sql/parquet_check.h"
#include "sql/parquet_paths.h"
#include "sql/sql_text.h"
#include "sql/vector_column.h"

#define BATCH_ROWS_DEFAULT 122880
/* A batch ends early when it holds so many bytes: rows can be of any size. */
#define BATCH_BYTES_DEFAULT ((size_t)64 << 20)

struct parquet_source {
    struct sql_session session;
    struct parquet_paths paths;
    struct schema schema;
    struct vector_type *types; /* schema.count of them */
    duckdb_prepared_statement statement;
    duckdb_result result;
    duckdb_data_chunk chunk; /* the one being taken over, or NULL */
    size_t chunk_rows, chunk_at;
    bool ended; /* DuckDB takes it ill to be asked again */
    size_t batch_rows, batch_bytes;
    uint64_t rows_promised; /* by the files' footers */
    uint64_t rows_given;
};

static const struct schema *source_schema(void *self)
{
    return &((struct parquet_source *)self)->schema;
}

static void source_release(void *self)
{
    struct parquet_source *source = self;
    const struct duckdb_api *api = &source->session.api;
    if (api->library) {
        api->destroy_data_chunk(&source->chunk);
        api->destroy_result(&source->result);
        api->destroy_prepare(&source->statement);
    }
    sql_session_release(&source->session);
    parquet_paths_release(&source->paths);
    schema_release(&source->schema);
    free(source->types);
    free(source);
}

/* Names and types of the columns, from a prepared SELECT * over all files. */
static status take_schema(struct parquet_source *source, duckdb_prepared_statement all, struct error *err)
{
    const struct duckdb_api *api = &source->session.api;
    size_t count = api->prepared_statement_column_count(all);
    source->types = calloc(count + 1, sizeof *source->types);
    if (!source->types)
        return error_no_memory(err, count * sizeof *source->types);
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        const char *name = api->prepared_statement_column_name(all, i);
        duckdb_logical_type logical = api->prepared_statement_column_logical_type(all, i);
        s = name ? vector_type_of(api, logical, &source->types[i], err) : error_no_memory(err, 1);
        if (s == OK)
            s = schema_add(&source->schema, str_of(name), (struct str){0}, source->types[i].type, false, err);
        else if (name)
            error_prefix(err, "column '%s'", name);
        api->destroy_logical_type(&logical);
        api->free((void *)name);
    }
    return s;
}

static status append_column(struct buf *sql, const char *name, enum select_form form, struct error *err)
{
    static const struct {
        struct str before, after;
    } around[] = {
        [SELECT_AS_IS] = {{"", 0}, {"", 0}},
        [SELECT_TO_JSON] = {{"CAST(to_json(", 13}, {") AS VARCHAR)", 13}},
        [SELECT_TO_TEXT] = {{"CAST(", 5}, {" AS VARCHAR)", 12}},
    };
    status s = buf_append_str(sql, around[form].before, err);
    if (s == OK)
        s = sql_append_identifier(sql, str_of(name), err);
    return s == OK ? buf_append_str(sql, around[form].after, err) : s;
}

static status start(struct parquet_source *source, struct error *err)
{
    struct buf sql = {0};
    status s = buf_append_str(&sql, STR("SELECT "), err);
    for (size_t i = 0; s == OK && i < source->schema.count; i++) {
        if (i > 0)
            s = buf_append_str(&sql, STR(", "), err);
        if (s == OK)
            s = append_column(&sql, source->schema.fields[i].name, source->types[i].select, err);
    }
    if (s == OK)
        s = parquet_append_from(&sql, source->paths.aliases, source->paths.count, err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_prepare(&source->session, (const char *)sql.data, &source->statement, err);
    if (s == OK)
        s = sql_session_stream(&source->session, source->statement, &source->result, err);
    buf_release(&sql);
    return s;
}

static status take_row_count(void *self, const struct str *cells, struct error *err)
{
    struct parquet_source *source = self;
    if (!cells[0].p || !str_parse_u64(cells[0], INT64_MAX, &source->rows_promised))
        return error_set(err, ERR_BAD_DATA, "the files' metadata state no valid number of rows");
    return OK;
}

static status count_rows(struct parquet_source *source, struct error *err)
{
    struct buf sql = {0};
    status s = buf_append_str(&sql, STR("SELECT CAST(sum(num_rows) AS VARCHAR) FROM parquet_file_metadata("), err);
    if (s == OK)
        s = sql_append_literals(&sql, source->paths.aliases, source->paths.count, err);
    if (s == OK)
        s = buf_append(&sql, ")", 2, err); /* with its NUL */
    if (s == OK)
        s = sql_session_walk(&source->session, (const char *)sql.data, 1, take_row_count, source, err);
    buf_release(&sql);
    return s;
}

/* Checks, schema, row count, and the query under way. */
static status prepare(struct parquet_source *source, const struct parquet_source_options *options, struct error *err)
{
    const char *const *paths = source->paths.aliases;
    size_t count = source->paths.count;
    duckdb_prepared_statement all = NULL;
    status s = parquet_check_columns(&source->session, paths, count, err);
    if (s == OK)
        s = count_rows(source, err);
    if (s == OK)
        s = parquet_prepare(&source->session, options->columns, options->column_count, paths, count, &all, err);
    if (s == OK)
        s = parquet_check_union(&source->session, paths, count, all, err);
    if (s == OK)
        s = take_schema(source, all, err);
    if (s == OK && options->keep_fields)
        s = parquet_take_fields(&source->session, paths[0], &source->schema, err);
    source->session.api.destroy_prepare(&all);
    return s == OK ? start(source, err) : s;
}

/* The chunk that holds the next row; none at the end. */
static status want_chunk(struct parquet_source *source, struct error *err)
{
    const struct duckdb_api *api = &source->session.api;
    while (!source->ended && (!source->chunk || source->chunk_at == source->chunk_rows)) {
        api->destroy_data_chunk(&source->chunk);
        status s = sql_session_fetch(&source->session, &source->result, &source->chunk, err);
        source->ended = s != OK || !source->chunk;
        if (source->ended)
            return s;
        source->chunk_rows = api->data_chunk_get_size(source->chunk);
        source->chunk_at = 0;
    }
    return OK;
}

/* Take over `rows` rows of the chunk. */
static status take_rows(struct parquet_source *source, struct batch *into, size_t rows, struct error *err)
{
    const struct duckdb_api *api = &source->session.api;
    for (size_t i = 0; i < into->column_count; i++) {
        duckdb_vector vector = api->data_chunk_get_vector(source->chunk, i);
        const struct vector_slice slice = {
            .data = api->vector_get_data(vector),
            .validity = api->vector_get_validity(vector),
            .first = source->chunk_at,
            .count = rows,
        };
        size_t bad_row = 0;
        status s = vector_append(&into->columns[i], &source->types[i], &slice, &bad_row, err);
        if (s == ERR_BAD_DATA)
            error_prefix(err, "column '%s', row %llu", source->schema.fields[i].name,
                         (unsigned long long)(source->rows_given + into->rows + bad_row + 1));
        if (s != OK)
            return s;
    }
    source->chunk_at += rows;
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

static status source_next(void *self, struct batch *into, struct error *err)
{
    struct parquet_source *source = self;
    status s = batch_reset(into, &source->schema, err);
    while (s == OK && into->rows < source->batch_rows && bytes_in(into) < source->batch_bytes) {
        s = want_chunk(source, err);
        if (s != OK || !source->chunk)
            break;
        size_t rows = source->chunk_rows - source->chunk_at, room = source->batch_rows - into->rows;
        s = take_rows(source, into, rows < room ? rows : room, err);
    }
    if (s != OK) {
        parquet_paths_explain(&source->paths, err);
        return s;
    }
    source->rows_given += into->rows;
    if (into->rows == 0 && source->rows_given != source->rows_promised)
        return error_set(err, ERR_ACCOUNTING, "the files' metadata promise %llu rows, and %llu were read",
                         (unsigned long long)source->rows_promised, (unsigned long long)source->rows_given);
    return OK;
}

static const struct batch_stream_ops source_ops = {
    .schema = source_schema,
    .next = source_next,
    .release = source_release,
};

status parquet_source_open(struct batch_stream *stream, const struct parquet_source_options *options, uint64_t *rows,
                           struct error *err)
{
    struct parquet_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_no_memory(err, sizeof *source);
    source->batch_rows = options->batch_rows ? options->batch_rows : BATCH_ROWS_DEFAULT;
    source->batch_bytes = options->batch_bytes ? options->batch_bytes : BATCH_BYTES_DEFAULT;
    status s = parquet_paths_open(&source->paths, options->paths, options->path_count, err);
    const struct sql_session_options session = {
        .memory = options->memory,
        .threads = options->threads,
        .allowed_paths = source->paths.aliases,
        .allowed_path_count = source->paths.count,
    };
    if (s == OK)
        s = sql_session_open(&source->session, &session, err);
    if (s == OK)
        s = prepare(source, options, err);
    if (s != OK) {
        parquet_paths_explain(&source->paths, err);
        source_release(source);
        return s;
    }
    *stream = (struct batch_stream){&source_ops, source};
    *rows = source->rows_promised;
    return OK;
}
