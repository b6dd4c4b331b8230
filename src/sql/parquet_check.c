#include "sql/parquet_check.h"

#include <string.h>

#include "sql/sql_text.h"
#include "sql/vector_column.h"

status parquet_append_from(struct buf *sql, const char *const *paths, size_t path_count, struct error *err)
{
    /* Folder names such as dt=2024-01-01 are not part of a file: no columns are made of them. */
    status s = buf_append_str(sql, STR(" FROM read_parquet("), err);
    if (s == OK)
        s = sql_append_literals(sql, paths, path_count, err);
    if (s == OK)
        s = buf_append_str(sql, STR(", union_by_name=true, hive_partitioning=false)"), err);
    return s;
}

status parquet_prepare(struct sql_session *session, const struct str *columns, size_t column_count,
                       const char *const *paths, size_t path_count, duckdb_prepared_statement *statement,
                       struct error *err)
{
    struct buf sql = {0};
    status s = buf_append_str(&sql, column_count ? STR("SELECT ") : STR("SELECT *"), err);
    for (size_t i = 0; s == OK && i < column_count; i++) {
        if (i > 0)
            s = buf_append_str(&sql, STR(", "), err);
        if (s == OK)
            s = sql_append_identifier(&sql, columns[i], err);
    }
    if (s == OK)
        s = parquet_append_from(&sql, paths, path_count, err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_prepare(session, (const char *)sql.data, statement, err);
    buf_release(&sql);
    return s;
}

enum { CELL_FILE, CELL_COLUMN, CELL_PROBLEM, CELL_COUNT };

static status refuse_column(void *self, const struct str *cells, struct error *err)
{
    (void)self;
    bool decimal = str_equal(cells[CELL_PROBLEM], STR("digits"));
    status s = error_set(err, ERR_UNSUPPORTED, "%.*s: column '%.*s' holds %s", (int)cells[CELL_FILE].n,
                         cells[CELL_FILE].p, (int)cells[CELL_COLUMN].n, cells[CELL_COLUMN].p,
                         decimal ? "decimals of more than 38 digits"
                                 : "instants in nanoseconds, of which only microseconds could be kept");
    error_hint(err, decimal ? "write the column with at most 38 digits, or as text"
                            : "write the column in microseconds (pandas, pyarrow: coerce_timestamps='us')");
    return s;
}

status parquet_check_columns(struct sql_session *session, const char *const *paths, size_t path_count,
                             struct error *err)
{
    struct buf sql = {0};
    status s = buf_append_str(
        &sql,
        STR("SELECT file_name, name, problem FROM (SELECT file_name, name, CASE"
            " WHEN precision > 38 AND (converted_type = 'DECIMAL' OR logical_type LIKE 'DecimalType%') THEN 'digits'"
            " WHEN logical_type LIKE 'TimestampType(isAdjustedToUTC=1%NANOS=Nano%' THEN 'nanos'"
            " END AS problem FROM parquet_schema("),
        err);
    if (s == OK)
        s = sql_append_literals(&sql, paths, path_count, err);
    if (s == OK)
        s = buf_append_str(&sql, STR(")) WHERE problem IS NOT NULL LIMIT 1"), err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_walk(session, (const char *)sql.data, CELL_COUNT, refuse_column, NULL, err);
    buf_release(&sql);
    return s;
}

/* Digits that every value of an integer type fits in. */
static unsigned integer_digits(duckdb_type id)
{
    switch (id) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_UTINYINT:
        return 3;
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_USMALLINT:
        return 5;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UINTEGER:
        return 10;
    case DUCKDB_TYPE_BIGINT:
        return 19;
    case DUCKDB_TYPE_UBIGINT:
        return 20;
    default:
        return 0;
    }
}

static bool decimal_fits(const struct duckdb_api *api, duckdb_logical_type from, duckdb_logical_type to)
{
    duckdb_type id = api->get_type_id(from);
    unsigned digits = id == DUCKDB_TYPE_DECIMAL ? api->decimal_width(from) : integer_digits(id);
    unsigned scale = id == DUCKDB_TYPE_DECIMAL ? api->decimal_scale(from) : 0;
    return digits > 0 && scale <= api->decimal_scale(to) &&
           digits - scale <= (unsigned)(api->decimal_width(to) - api->decimal_scale(to));
}

/* Whether every value of type `from` is kept when it is cast to `to`, where DuckDB chose `to` as the common type. */
static bool type_fits(const struct duckdb_api *api, duckdb_logical_type from, duckdb_logical_type to)
{
    duckdb_type a = api->get_type_id(from), b = api->get_type_id(to);
    if (b == DUCKDB_TYPE_DECIMAL)
        return decimal_fits(api, from, to);
    if (a == b || b == DUCKDB_TYPE_VARCHAR || a == DUCKDB_TYPE_SQLNULL)
        return true;
    unsigned digits = integer_digits(a);
    switch (b) {
    case DUCKDB_TYPE_FLOAT:
        return digits > 0 && digits <= 5; /* 24 bits */
    case DUCKDB_TYPE_DOUBLE:
        return a == DUCKDB_TYPE_FLOAT || (digits > 0 && digits <= 10); /* 53 bits */
    case DUCKDB_TYPE_TIMESTAMP:
        return a == DUCKDB_TYPE_DATE || a == DUCKDB_TYPE_TIMESTAMP_S || a == DUCKDB_TYPE_TIMESTAMP_MS;
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return a == DUCKDB_TYPE_DATE || a == DUCKDB_TYPE_TIMESTAMP_S || a == DUCKDB_TYPE_TIMESTAMP_MS ||
               a == DUCKDB_TYPE_TIMESTAMP;
    case DUCKDB_TYPE_TIME_NS:
        return a == DUCKDB_TYPE_TIME;
    default:
        /* Among integers the common type is wide enough; anything else (a naive time to an instant) is no widening. */
        return (digits > 0 || a == DUCKDB_TYPE_BOOLEAN) && (integer_digits(b) > 0 || b == DUCKDB_TYPE_HUGEINT);
    }
}

static status check_column(struct sql_session *session, const char *path, duckdb_prepared_statement one, size_t i,
                           duckdb_prepared_statement united, struct error *err)
{
    const struct duckdb_api *api = &session->api;
    const char *name = api->prepared_statement_column_name(one, i);
    size_t columns = api->prepared_statement_column_count(united);
    status s = OK;
    bool found = false;
    for (size_t j = 0; s == OK && !found && name && j < columns; j++) {
        const char *candidate = api->prepared_statement_column_name(united, j);
        found = candidate && str_equal_nocase(str_of(name), str_of(candidate));
        if (found) {
            duckdb_logical_type from = api->prepared_statement_column_logical_type(one, i);
            duckdb_logical_type to = api->prepared_statement_column_logical_type(united, j);
            if (!type_fits(api, from, to)) {
                s = error_set(err, ERR_UNSUPPORTED,
                              "%s: column '%s' has a type here that its type in the other files cannot hold exactly",
                              path, name);
                error_hint(err, "convert the files one by one, or write the column with one type");
            }
            api->destroy_logical_type(&from);
            api->destroy_logical_type(&to);
        }
        api->free((void *)candidate);
    }
    api->free((void *)name);
    return s;
}

status parquet_check_union(struct sql_session *session, const char *const *paths, size_t path_count,
                           duckdb_prepared_statement united, struct error *err)
{
    status s = OK;
    for (size_t f = 0; s == OK && path_count > 1 && f < path_count; f++) {
        duckdb_prepared_statement one = NULL;
        s = parquet_prepare(session, NULL, 0, paths + f, 1, &one, err);
        size_t columns = s == OK ? session->api.prepared_statement_column_count(one) : 0;
        for (size_t i = 0; s == OK && i < columns; i++)
            s = check_column(session, paths[f], one, i, united, err);
        session->api.destroy_prepare(&one);
    }
    return s;
}
