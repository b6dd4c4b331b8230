#include "sql/views.h"

#include <string.h>

#include "sql/parquet_check.h"
#include "sql/sql_text.h"

static status append_text(struct buf *sql, const char *text, struct error *err)
{
    return buf_append_str(sql, str_of(text), err);
}

/* before "name" middle TYPE after */
static status append_column(struct buf *sql, const char *before, const struct field *f, const char *middle,
                            struct data_type type, const char *after, struct error *err)
{
    status s = append_text(sql, before, err);
    if (s == OK)
        s = sql_append_identifier(sql, str_of(f->name), err);
    if (s == OK)
        s = append_text(sql, middle, err);
    if (s == OK)
        s = sql_append_type(sql, type, err);
    return s == OK ? append_text(sql, after, err) : s;
}

static status append_nulls(struct buf *sql, const struct field *f, struct error *err)
{
    status s = append_text(sql, "CAST(NULL AS ", err);
    if (s == OK)
        s = sql_append_type(sql, f->type, err);
    if (s == OK)
        s = append_text(sql, ") AS ", err);
    return s == OK ? sql_append_identifier(sql, str_of(f->name), err) : s;
}

static status append_empty(struct buf *sql, const struct schema *schema, struct error *err)
{
    status s = append_text(sql, "SELECT ", err);
    for (size_t i = 0; s == OK && i < schema->count; i++) {
        if (i > 0)
            s = append_text(sql, ", ", err);
        if (s == OK)
            s = append_nulls(sql, &schema->fields[i], err);
    }
    return s == OK ? append_text(sql, " WHERE false", err) : s;
}

/* ---- Parquet ---- */

static bool has_column(struct sql_session *session, duckdb_prepared_statement all, const char *name)
{
    size_t count = session->api.prepared_statement_column_count(all);
    bool found = false;
    for (size_t i = 0; !found && i < count; i++) {
        const char *column = session->api.prepared_statement_column_name(all, i);
        found = column && str_equal_nocase(str_of(column), str_of(name));
        session->api.free((void *)column);
    }
    return found;
}

static status append_parquet(struct sql_session *session, const struct view_input *v, struct buf *sql,
                             struct error *err)
{
    duckdb_prepared_statement all = NULL;
    status s = parquet_check_columns(session, v->paths, v->path_count, err);
    if (s == OK)
        s = parquet_prepare(session, NULL, 0, v->paths, v->path_count, &all, err);
    if (s == OK)
        s = parquet_check_union(session, v->paths, v->path_count, all, err);
    if (s == OK)
        s = append_text(sql, "SELECT *", err);
    for (size_t i = 0; s == OK && i < v->schema->count; i++) {
        if (has_column(session, all, v->schema->fields[i].name))
            continue;
        s = append_text(sql, ", ", err);
        if (s == OK)
            s = append_nulls(sql, &v->schema->fields[i], err);
    }
    session->api.destroy_prepare(&all);
    return s == OK ? parquet_append_from(sql, v->paths, v->path_count, err) : s;
}

/* ---- text formats ---- */

static const char *compression_of(const char *extension)
{
    size_t n = extension ? strlen(extension) : 0;
    if (n >= 3 && strcmp(extension + n - 3, ".gz") == 0)
        return "gzip";
    if (n >= 4 && strcmp(extension + n - 4, ".zst") == 0)
        return "zstd";
    return "uncompressed";
}

/* What a value is read as; `decode_as` makes the column of it. Texts and JSON in CSV cells come as they are. */
static struct data_type read_as(enum view_format format, struct data_type type)
{
    bool text = type.kind == TYPE_BINARY || type.kind == TYPE_NULL || (format == VIEW_CSV && type.kind == TYPE_JSON);
    return text ? (struct data_type){.kind = TYPE_STRING} : type;
}

static status append_decoded(struct buf *sql, const struct view_input *v, const struct field *f, struct error *err)
{
    if (f->type.kind == TYPE_BINARY && v->format == VIEW_JSON) {
        status s = append_text(sql, "from_base64(", err);
        if (s == OK)
            s = sql_append_identifier(sql, str_of(f->name), err);
        if (s == OK)
            s = append_text(sql, ") AS ", err);
        return s == OK ? sql_append_identifier(sql, str_of(f->name), err) : s;
    }
    if (f->type.kind == TYPE_BINARY || (f->type.kind == TYPE_JSON && v->format == VIEW_CSV)) {
        status s = append_column(sql, "CAST(", f, " AS ", f->type, ") AS ", err);
        return s == OK ? sql_append_identifier(sql, str_of(f->name), err) : s;
    }
    return sql_append_identifier(sql, str_of(f->name), err);
}

static status append_columns_option(struct buf *sql, const struct view_input *v, struct error *err)
{
    status s = append_text(sql, ", columns={", err);
    for (size_t i = 0; s == OK && i < v->schema->count; i++) {
        const struct field *f = &v->schema->fields[i];
        struct buf type = {0};
        s = sql_append_type(&type, read_as(v->format, f->type), err);
        if (s == OK && i > 0)
            s = append_text(sql, ", ", err);
        if (s == OK)
            s = sql_append_literal(sql, str_of(f->name), err);
        if (s == OK)
            s = append_text(sql, ": ", err);
        if (s == OK)
            s = sql_append_literal(sql, buf_str(&type), err);
        buf_release(&type);
    }
    return s == OK ? append_text(sql, "}", err) : s;
}

static status append_text_files(const struct view_input *v, struct buf *sql, struct error *err)
{
    /* An older file may lack the columns that came later, which are the last ones: they are null. Records are at most
     * 16 MiB (convert's --max-record) and what quoting adds; larger buffers would not fit into a small task. */
    static const char *const reader[] = {
        [VIEW_CSV] = ", auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='',"
                     " allow_quoted_nulls=false, null_padding=true, parallel=false, max_line_size=17825792,"
                     " buffer_size=35651584",
        [VIEW_JSON] = ", format='newline_delimited', auto_detect=false, maximum_object_size=17825792",
    };
    status s = append_text(sql, "SELECT ", err);
    for (size_t i = 0; s == OK && i < v->schema->count; i++) {
        if (i > 0)
            s = append_text(sql, ", ", err);
        if (s == OK)
            s = append_decoded(sql, v, &v->schema->fields[i], err);
    }
    if (s == OK)
        s = append_text(sql, v->format == VIEW_CSV ? " FROM read_csv(" : " FROM read_json(", err);
    if (s == OK)
        s = sql_append_literals(sql, v->paths, v->path_count, err);
    if (s == OK)
        s = append_text(sql, reader[v->format], err);
    if (s == OK)
        s = buf_printf(sql, err, ", compression='%s', hive_partitioning=false", compression_of(v->extension));
    if (s == OK)
        s = append_columns_option(sql, v, err);
    return s == OK ? append_text(sql, ")", err) : s;
}

/* DuckDB takes a number of JSON for a double on the way to a decimal: 15 digits survive that. */
#define JSON_DECIMAL_DIGITS 15

static status check_json_decimals(const struct view_input *v, struct error *err)
{
    for (size_t i = 0; i < v->schema->count; i++) {
        const struct field *f = &v->schema->fields[i];
        char type[TYPE_NAME_MAX];
        if (f->type.kind != TYPE_DECIMAL || f->type.precision <= JSON_DECIMAL_DIGITS)
            continue;
        error_set(err, ERR_UNSUPPORTED,
                  "input '%.*s': column '%s' is %s, of which only %d digits could be read from JSON files exactly",
                  (int)v->alias.n, v->alias.p, f->name, type_name(f->type, type), JSON_DECIMAL_DIGITS);
        error_hint(err, "let the job that makes the dataset write Parquet (force_to_parquet), or declare fewer digits");
        return ERR_UNSUPPORTED;
    }
    return OK;
}

status view_create(struct sql_session *session, const struct view_input *v, struct error *err)
{
    if (v->schema->count == 0 && (v->path_count == 0 || v->format != VIEW_PARQUET)) {
        status s =
            error_set(err, ERR_INVALID, "the dataset behind '%.*s' has no columns yet", (int)v->alias.n, v->alias.p);
        error_hint(err, "run the job that makes it first");
        return s;
    }
    struct buf sql = {0};
    status s = v->format == VIEW_JSON ? check_json_decimals(v, err) : OK;
    if (s != OK)
        return s;
    s = append_text(&sql, "CREATE VIEW ", err);
    if (s == OK)
        s = sql_append_identifier(&sql, v->alias, err);
    if (s == OK)
        s = append_text(&sql, " AS ", err);
    if (s == OK && v->path_count == 0)
        s = append_empty(&sql, v->schema, err);
    else if (s == OK && v->format == VIEW_PARQUET)
        s = append_parquet(session, v, &sql, err);
    else if (s == OK)
        s = append_text_files(v, &sql, err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_run(session, (const char *)sql.data, err);
    buf_release(&sql);
    return s == OK ? OK : error_prefix(err, "input '%.*s'", (int)v->alias.n, v->alias.p);
}
