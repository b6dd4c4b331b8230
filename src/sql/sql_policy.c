#include "sql/sql_policy.h"

#include <stdlib.h>

#include "sql/sql_text.h"

/* Table functions that only make rows of their arguments. Everything else reads files, changes what the session does
 * or runs SQL that stands in a text. */
static const struct str table_functions[] = {
    {"range", 5},     {"generate_series", 15}, {"unnest", 6},      {"repeat", 6},
    {"json_each", 9}, {"json_tree", 9},        {"repeat_row", 10},
};

static const struct str scalar_functions_denied[] = {{"write_log", 9}, {"json_execute_serialized_sql", 27}};

static const struct str first_words[] = {
    {"select", 6}, {"with", 4}, {"from", 4}, {"values", 6}, {"table", 5}, {"pivot", 5}, {"unpivot", 7},
};

static bool is_in(struct str word, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(word, list[i]))
            return true;
    return false;
}

/* ---- the first word ---- */

static size_t skip_comment(struct str sql, size_t at)
{
    const char *end = NULL;
    if (sql.n - at >= 2 && sql.p[at] == '-' && sql.p[at + 1] == '-') {
        end = memchr(sql.p + at, '\n', sql.n - at);
        return end ? (size_t)(end - sql.p) + 1 : sql.n;
    }
    if (sql.n - at >= 2 && sql.p[at] == '/' && sql.p[at + 1] == '*') {
        end = memmem(sql.p + at + 2, sql.n - at - 2, "*/", 2);
        return end ? (size_t)(end - sql.p) + 2 : sql.n;
    }
    return at;
}

static size_t skip_space(struct str sql, size_t at)
{
    for (;;) {
        size_t from = at;
        while (at < sql.n && strchr(" \t\r\n\f\v(;", sql.p[at]) && sql.p[at])
            at++;
        at = skip_comment(sql, at);
        if (at == from)
            return at;
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static status check_first_word(struct str sql, struct sql_position *where, struct error *err)
{
    size_t at = skip_space(sql, 0), end = at;
    while (end < sql.n && is_letter(sql.p[end]))
        end++;
    struct str word = {sql.p + at, end - at};
    if (is_in(word, first_words, ARRAY_LENGTH(first_words)))
        return OK;
    *where = sql_position_of(sql, at);
    status s = error_set(err, ERR_DENIED, "a dataset is made by one SELECT; %.*s is not allowed",
                         (int)(word.n && word.n < 40 ? word.n : 9), word.n && word.n < 40 ? word.p : "this text");
    error_hint(err, "write a SELECT over the inputs by their aliases; settings, files and tables are out of reach");
    return s;
}

/* ---- one statement ---- */

static status check_count(struct sql_session *session, struct str sql, duckdb_extracted_statements extracted,
                          size_t count, struct sql_position *where, struct error *err)
{
    if (count == 1)
        return OK;
    const char *message = count ? NULL : session->api.extract_statements_error(extracted);
    if (message && *message) {
        *where = sql_position_in_message(sql, message);
        if (strstr(message, "syntax error at end of input"))
            *where = sql_position_of(sql, sql.n);
        return sql_error_set(err, DUCKDB_ERROR_INVALID, message);
    }
    *where = (struct sql_position){1, 1};
    if (count == 0)
        return error_set(err, ERR_INVALID, "there is no SQL statement");
    status s = error_set(err, ERR_DENIED, "a dataset is made by one SELECT, and here are %zu statements", count);
    error_hint(err, "put the first ones into WITH, or make datasets of their own of them; PIVOT needs ON ... IN (...)");
    return s;
}

/* How many statements the text holds; -1 when it is no SQL. */
static int statements_in(struct sql_session *session, const char *sql)
{
    duckdb_extracted_statements extracted = NULL;
    size_t count = session->api.extract_statements(session->connection, sql, &extracted);
    const char *error = session->api.extract_statements_error(extracted);
    bool bad = count == 0 && error && *error;
    session->api.destroy_extracted(&extracted);
    return bad ? -1 : (int)count;
}

status sql_policy_statement_length(struct sql_session *session, const char *sql, size_t *length, struct error *err)
{
    size_t n = strlen(sql);
    char *text = strdup(sql);
    if (!text)
        return error_no_memory(err, n);
    for (size_t at = n; at-- > 0;) {
        /* It ends the statement if nothing but comments follows, and a statement is before it. Within a text or a
         * comment one of both does not hold. */
        if (text[at] != ';' || statements_in(session, text + at + 1) != 0)
            continue;
        text[at] = '\0';
        if (statements_in(session, text) == 1)
            n = at;
        else
            text[at] = ';';
    }
    free(text);
    *length = n;
    return OK;
}

/* ---- functions ---- */

enum { CELL_NAME, CELL_TABLE, CELL_PLACE, CELL_COUNT };

struct function_check {
    struct str sql;
    struct sql_position *where;
};

static status check_function(void *self, const struct str *cells, struct error *err)
{
    struct function_check *check = self;
    struct str name = cells[CELL_NAME];
    if (!name.p)
        return error_set(err, ERR_DENIED, "the SQL could not be looked through for what it calls");
    bool table = cells[CELL_TABLE].p && str_equal(cells[CELL_TABLE], STR("true"));
    if (table ? is_in(name, table_functions, ARRAY_LENGTH(table_functions))
              : !is_in(name, scalar_functions_denied, ARRAY_LENGTH(scalar_functions_denied)))
        return OK;
    uint64_t place;
    if (cells[CELL_PLACE].p && str_parse_u64(cells[CELL_PLACE], check->sql.n, &place))
        *check->where = sql_position_of(check->sql, place);
    status s = error_set(err, ERR_DENIED, "the function %.*s() is not allowed in the SQL of a dataset",
                         (int)(name.n < 100 ? name.n : 100), name.p);
    error_hint(err, "a dataset reads its inputs by their aliases and nothing else: add what it needs as an input");
    return s;
}

/* DuckDB tells its own parse tree as JSON. */
static status check_functions(struct sql_session *session, struct str sql, struct sql_position *where,
                              struct error *err)
{
    struct function_check check = {sql, where};
    struct buf query = {0};
    status s = buf_append_str(&query, STR("WITH tree AS (SELECT json_serialize_sql("), err);
    if (s == OK)
        s = sql_append_literal(&query, sql, err);
    if (s == OK)
        s = buf_append_str(&query,
                           STR(", skip_null := true, skip_default := true) AS t)"
                               " SELECT NULL, NULL, NULL FROM tree WHERE json_extract_string(t, '$.error') = 'true'"
                               " UNION ALL SELECT json_extract_string(n.value, '$.function.function_name'), 'true',"
                               " coalesce(json_extract_string(n.value, '$.query_location'),"
                               " json_extract_string(n.value, '$.function.query_location'))"
                               " FROM tree, json_tree(tree.t) AS n WHERE n.type = 'OBJECT'"
                               " AND json_extract_string(n.value, '$.type') = 'TABLE_FUNCTION'"
                               " UNION ALL SELECT json_extract_string(n.value, '$.function_name'), 'false',"
                               " json_extract_string(n.value, '$.query_location')"
                               " FROM tree, json_tree(tree.t) AS n WHERE n.type = 'OBJECT'"
                               " AND json_extract_string(n.value, '$.class') = 'FUNCTION'"),
                           err);
    if (s == OK)
        s = sql_end(&query, err);
    if (s == OK)
        s = sql_session_walk(session, (const char *)query.data, CELL_COUNT, check_function, &check, err);
    buf_release(&query);
    return s;
}

/* ---- all of it ---- */

static status check_prepared(struct sql_session *session, duckdb_prepared_statement prepared, struct error *err)
{
    if (session->api.prepared_statement_type(prepared) != DUCKDB_STATEMENT_TYPE_SELECT)
        return error_set(err, ERR_DENIED, "a dataset is made by one SELECT, and this is another kind of statement");
    if (session->api.nparams(prepared) > 0) {
        error_set(err, ERR_INVALID, "the SQL has parameters (?, $1), and nothing gives them values");
        error_hint(err, "write the values into the SQL");
        return ERR_INVALID;
    }
    return OK;
}

status sql_policy_prepare(struct sql_session *session, const char *sql, duckdb_prepared_statement *statement,
                          struct sql_position *where, struct error *err)
{
    struct sql_position nowhere, *at = where ? where : &nowhere;
    struct str text = str_of(sql);
    duckdb_extracted_statements extracted = NULL;
    duckdb_prepared_statement prepared = NULL;
    *at = (struct sql_position){0};
    size_t count = session->api.extract_statements(session->connection, sql, &extracted);
    status s = check_count(session, text, extracted, count, at, err);
    if (s == OK)
        s = check_first_word(text, at, err);
    if (s == OK)
        s = check_functions(session, text, at, err);
    if (s == OK &&
        session->api.prepare_extracted_statement(session->connection, extracted, 0, &prepared) != DuckDBSuccess) {
        const char *message = session->api.prepare_error(prepared);
        *at = sql_position_in_message(text, message ? message : "");
        s = sql_error_set(err, DUCKDB_ERROR_INVALID, message);
    }
    if (s == OK)
        s = check_prepared(session, prepared, err);
    if (s == OK)
        *statement = prepared;
    else
        session->api.destroy_prepare(&prepared);
    session->api.destroy_extracted(&extracted);
    return s;
}
