#include "sql/session.h"

#include <stdio.h>

#include "sql/sql_text.h"

#define MEMORY_DEFAULT ((size_t)256 << 20)

/* What DuckDB's kinds of errors are to us. Where it gives no kind (preparing), its message begins with one. */
static const struct {
    duckdb_error_type type;
    const char *prefix;
    status code;
} error_table[] = {
    {DUCKDB_ERROR_OUT_OF_MEMORY, "Out of Memory Error", ERR_NO_MEMORY},
    {DUCKDB_ERROR_INTERRUPT, "INTERRUPT Error", ERR_CANCELLED},
    {DUCKDB_ERROR_IO, "IO Error", ERR_IO},
    {DUCKDB_ERROR_PERMISSION, "Permission Error", ERR_DENIED},
    {DUCKDB_ERROR_NOT_IMPLEMENTED, "Not implemented Error", ERR_UNSUPPORTED},
    {DUCKDB_ERROR_INVALID_INPUT, "Invalid Input Error", ERR_BAD_DATA},
    {DUCKDB_ERROR_CONVERSION, "Conversion Error", ERR_BAD_DATA},
    {DUCKDB_ERROR_OUT_OF_RANGE, "Out of Range Error", ERR_BAD_DATA},
    {DUCKDB_ERROR_SERIALIZATION, "Serialization Error", ERR_BAD_DATA},
    {DUCKDB_ERROR_BINDER, "Binder Error", ERR_INVALID},
    {DUCKDB_ERROR_PARSER, "Parser Error", ERR_INVALID},
    {DUCKDB_ERROR_SYNTAX, "Syntax Error", ERR_INVALID},
    {DUCKDB_ERROR_CATALOG, "Catalog Error", ERR_INVALID},
};

/* The code for an error; *message is moved past the prefix where our code says as much. */
static status code_of(duckdb_error_type type, const char **message)
{
    for (size_t i = 0; i < ARRAY_LENGTH(error_table); i++) {
        size_t n = strlen(error_table[i].prefix);
        bool prefixed = strncmp(*message, error_table[i].prefix, n) == 0 && strncmp(*message + n, ": ", 2) == 0;
        if (prefixed && (type == error_table[i].type || type == DUCKDB_ERROR_INVALID))
            *message += n + 2;
        else if (type != error_table[i].type)
            continue;
        return error_table[i].code;
    }
    return ERR_INTERNAL;
}

/* DuckDB's first paragraph: what follows quotes our own SQL or its stack. */
status sql_error_set(struct error *err, duckdb_error_type type, const char *message)
{
    if (!message || !*message)
        message = "DuckDB failed and did not say why";
    status code = code_of(type, &message);
    const char *end = strstr(message, "\n\n");
    size_t n = end ? (size_t)(end - message) : strlen(message);
    error_set(err, code, "%.*s", (int)(n < 900 ? n : 900), message);
    if (code == ERR_NO_MEMORY)
        error_hint(err, "raise --memory or lower --threads");
    return code;
}

static status refuse_result(struct sql_session *session, duckdb_result *result, struct error *err)
{
    return sql_error_set(err, session->api.result_error_type(result), session->api.result_error(result));
}

status sql_session_run(struct sql_session *session, const char *sql, struct error *err)
{
    duckdb_result result = {0};
    status s = OK;
    if (session->api.query(session->connection, sql, &result) != DuckDBSuccess)
        s = refuse_result(session, &result, err);
    session->api.destroy_result(&result);
    return s;
}

/* SET through SQL: an unknown name is an error here, while the configuration object of the C API swallows it. */
static status set_list(struct sql_session *session, const char *name, const char *const *values, size_t count,
                       struct error *err)
{
    struct buf sql = {0};
    status s = buf_printf(&sql, err, "SET %s=", name);
    if (s == OK)
        s = sql_append_literals(&sql, values, count, err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_run(session, (const char *)sql.data, err);
    buf_release(&sql);
    return s;
}

static status set_text(struct sql_session *session, const char *name, const char *value, struct error *err)
{
    struct buf sql = {0};
    status s = buf_printf(&sql, err, "SET %s=", name);
    if (s == OK)
        s = sql_append_literal(&sql, str_of(value), err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_run(session, (const char *)sql.data, err);
    buf_release(&sql);
    return s;
}

static status limit(struct sql_session *session, const struct sql_session_options *options, struct error *err)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SET memory_limit='%zuB'", options->memory ? options->memory : MEMORY_DEFAULT);
    status s = sql_session_run(session, sql, err);
    if (s == OK) {
        snprintf(sql, sizeof sql, "SET threads=%u", options->threads ? options->threads : 1);
        s = sql_session_run(session, sql, err);
    }
    return s;
}

/* The order matters: what may be read has to be said before access is closed, and nothing can be said after the lock.
 */
static status lock_down(struct sql_session *session, const struct sql_session_options *options, struct error *err)
{
    static const char *const settings[] = {
        "SET TimeZone='UTC'",
        "SET enable_geoparquet_conversion=false",
        "SET preserve_insertion_order=true",
        "SET autoinstall_known_extensions=false",
        "SET autoload_known_extensions=false",
        "SET allow_community_extensions=false",
        "SET allow_unsigned_extensions=false",
        "SET allow_persistent_secrets=false",
        "SET enable_external_access=false",
        "SET lock_configuration=true",
    };
    status s = set_list(session, "allowed_paths", options->allowed_paths, options->allowed_path_count, err);
    if (s == OK)
        s = set_list(session, "allowed_directories", options->allowed_directories, options->allowed_directory_count,
                     err);
    if (s == OK)
        s = set_text(session, "temp_directory", options->temp_directory ? options->temp_directory : "", err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(settings); i++)
        s = sql_session_run(session, settings[i], err);
    return s;
}

status sql_session_open(struct sql_session *session, const struct sql_session_options *options, struct error *err)
{
    struct sql_session opened = {0};
    status s = duckdb_api_load(&opened.api, err);
    if (s != OK)
        return s;
    char *why = NULL;
    if (opened.api.open_ext(NULL, &opened.database, NULL, &why) != DuckDBSuccess) {
        s = sql_error_set(err, DUCKDB_ERROR_INVALID, why);
        opened.api.free(why);
    } else if (opened.api.connect(opened.database, &opened.connection) != DuckDBSuccess) {
        s = error_set(err, ERR_INTERNAL, "DuckDB made no connection");
    }
    if (s == OK)
        s = limit(&opened, options, err);
    if (s == OK)
        s = lock_down(&opened, options, err);
    if (s == OK)
        *session = opened;
    else
        sql_session_release(&opened);
    return s;
}

status sql_session_prepare(struct sql_session *session, const char *sql, duckdb_prepared_statement *statement,
                           struct error *err)
{
    duckdb_prepared_statement made = NULL;
    status s = OK;
    if (session->api.prepare(session->connection, sql, &made) != DuckDBSuccess) {
        s = sql_error_set(err, DUCKDB_ERROR_INVALID, session->api.prepare_error(made));
        session->api.destroy_prepare(&made);
    } else {
        *statement = made;
    }
    return s;
}

status sql_session_stream(struct sql_session *session, duckdb_prepared_statement statement, duckdb_result *result,
                          struct error *err)
{
    duckdb_pending_result pending = NULL;
    duckdb_result started = {0};
    status s = OK;
    if (session->api.pending_prepared_streaming(statement, &pending) != DuckDBSuccess) {
        s = sql_error_set(err, DUCKDB_ERROR_INVALID, session->api.pending_error(pending));
    } else if (session->api.execute_pending(pending, &started) != DuckDBSuccess) {
        s = refuse_result(session, &started, err);
        session->api.destroy_result(&started);
    } else {
        *result = started;
    }
    session->api.destroy_pending(&pending);
    return s;
}

status sql_session_fetch(struct sql_session *session, duckdb_result *result, duckdb_data_chunk *chunk,
                         struct error *err)
{
    duckdb_data_chunk fetched = session->api.fetch_chunk(*result);
    if (!fetched) { /* the end, or an error that came up while streaming */
        const char *message = session->api.result_error(result);
        if (message && *message)
            return refuse_result(session, result, err);
    }
    *chunk = fetched;
    return OK;
}

static struct str cell_of(const struct sql_session *session, duckdb_data_chunk chunk, size_t column, size_t row)
{
    duckdb_vector vector = session->api.data_chunk_get_vector(chunk, column);
    const uint64_t *validity = session->api.vector_get_validity(vector);
    if (validity && !(validity[row >> 6] >> (row & 63) & 1))
        return (struct str){0};
    const duckdb_string_t *text = (const duckdb_string_t *)session->api.vector_get_data(vector) + row;
    uint32_t n = text->value.inlined.length;
    return (struct str){n <= sizeof text->value.inlined.inlined ? text->value.inlined.inlined : text->value.pointer.ptr,
                        n};
}

status sql_session_walk(struct sql_session *session, const char *sql, size_t columns, sql_row_visitor *visit,
                        void *self, struct error *err)
{
    duckdb_result result = {0};
    status s = OK;
    if (session->api.query(session->connection, sql, &result) != DuckDBSuccess)
        s = refuse_result(session, &result, err);
    while (s == OK) {
        duckdb_data_chunk chunk = NULL;
        s = sql_session_fetch(session, &result, &chunk, err);
        if (s != OK || !chunk)
            break;
        size_t rows = session->api.data_chunk_get_size(chunk);
        for (size_t row = 0; s == OK && row < rows; row++) {
            struct str cells[SQL_WALK_COLUMNS];
            for (size_t column = 0; column < columns; column++)
                cells[column] = cell_of(session, chunk, column, row);
            s = visit(self, cells, err);
        }
        session->api.destroy_data_chunk(&chunk);
    }
    session->api.destroy_result(&result);
    return s;
}

void sql_session_interrupt(struct sql_session *session)
{
    if (session->connection)
        session->api.interrupt(session->connection);
}

void sql_session_release(struct sql_session *session)
{
    if (session->connection)
        session->api.disconnect(&session->connection);
    if (session->database)
        session->api.close(&session->database);
    duckdb_api_release(&session->api);
    *session = (struct sql_session){0};
}
