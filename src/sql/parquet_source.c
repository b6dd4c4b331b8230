#include "sql/parquet_source.h"

#include <stdlib.h>

#include "sql/parquet_check.h"
#include "sql/parquet_paths.h"
#include "sql/query_stream.h"
#include "sql/sql_text.h"

struct parquet_source {
    struct sql_session session;
    struct parquet_paths paths;
    struct query_stream query;
    uint64_t rows_promised; /* by the files' footers */
};

static const struct schema *source_schema(void *self)
{
    return &((struct parquet_source *)self)->query.schema;
}

static void source_release(void *self)
{
    struct parquet_source *source = self;
    query_stream_release(&source->query);
    sql_session_release(&source->session);
    parquet_paths_release(&source->paths);
    free(source);
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

static status start(struct parquet_source *source, struct error *err)
{
    struct buf from = {0};
    status s = parquet_append_from(&from, source->paths.aliases, source->paths.count, err);
    if (s == OK)
        s = query_stream_start(&source->query, buf_str(&from), err);
    buf_release(&from);
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
        s = query_stream_init(&source->query, &source->session, all, err);
    if (s == OK && options->keep_fields)
        s = parquet_take_fields(&source->session, paths[0], &source->query.schema, err);
    source->session.api.destroy_prepare(&all);
    if (s == OK && options->batch_rows)
        source->query.batch_rows = options->batch_rows;
    if (s == OK && options->batch_bytes)
        source->query.batch_bytes = options->batch_bytes;
    return s == OK ? start(source, err) : s;
}

static status source_next(void *self, struct batch *into, struct error *err)
{
    struct parquet_source *source = self;
    status s = query_stream_next(&source->query, into, err);
    if (s != OK) {
        parquet_paths_explain(&source->paths, err);
        return s;
    }
    if (into->rows == 0 && source->query.rows_given != source->rows_promised)
        return error_set(err, ERR_ACCOUNTING, "the files' metadata promise %llu rows, and %llu were read",
                         (unsigned long long)source->rows_promised, (unsigned long long)source->query.rows_given);
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
