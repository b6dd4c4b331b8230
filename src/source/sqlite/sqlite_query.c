#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "batch/cast.h"
#include "source/db_names.h"
#include "source/sqlite/sqlite_session.h"

/* ---- types by declaration ---- */

/* By a part of the declaration, in this order, as SQLite itself finds a column's affinity (sqlite.org/datatype3.html,
 * 3.1), with the names before it that say more. */
static const struct {
    const char *part;
    enum type_kind kind;
    bool whole; /* the declaration is that word, apart from parentheses */
} declarations[] = {
    {"BOOL", TYPE_BOOLEAN, false},
    {"TIMESTAMPTZ", TYPE_TIMESTAMPTZ, false},
    {"TIMESTAMP WITH TIME ZONE", TYPE_TIMESTAMPTZ, false},
    {"DATETIME", TYPE_TIMESTAMP, false},
    {"TIMESTAMP", TYPE_TIMESTAMP, false},
    {"DATE", TYPE_DATE, true},
    {"TIME", TYPE_TIME, true},
    {"UUID", TYPE_UUID, true},
    {"JSON", TYPE_JSON, true},
    {"INT", TYPE_BIGINT, false},
    {"CHAR", TYPE_STRING, false},
    {"CLOB", TYPE_STRING, false},
    {"TEXT", TYPE_STRING, false},
    {"BLOB", TYPE_BINARY, false},
    {"REAL", TYPE_DOUBLE, false},
    {"FLOA", TYPE_DOUBLE, false},
    {"DOUB", TYPE_DOUBLE, false},
};

static bool contains_nocase(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, n) == 0)
            return true;
    return false;
}

/* DECIMAL(p,s), NUMERIC(p,s); without numbers, or with more digits than we have, text keeps what is there. */
static struct data_type decimal_type(const char *declared)
{
    const struct data_type text = {.kind = TYPE_STRING};
    unsigned precision = 0, scale = 0;
    const char *open = strchr(declared, '(');
    if (!open || sscanf(open, "( %3u , %3u )", &precision, &scale) < 1)
        return text;
    if (precision < 1 || precision > 38 || scale > precision)
        return text;
    return (struct data_type){.kind = TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}

struct data_type sqlite_type_of(const char *declared)
{
    const struct data_type text = {.kind = TYPE_STRING};
    if (!declared)
        return text;
    size_t word = strcspn(declared, "( ");
    for (size_t i = 0; i < ARRAY_LENGTH(declarations); i++) {
        size_t n = strlen(declarations[i].part);
        bool is = declarations[i].whole ? word == n && strncasecmp(declared, declarations[i].part, n) == 0
                                        : contains_nocase(declared, declarations[i].part);
        if (is)
            return (struct data_type){.kind = declarations[i].kind};
    }
    return contains_nocase(declared, "DECIMAL") || contains_nocase(declared, "NUMERIC") ? decimal_type(declared) : text;
}

/* ---- the statement ---- */

static status append_select(struct buf *sql, const struct db_read *read, bool row_ids, struct error *err)
{
    status s = buf_append_str(sql, row_ids ? STR("SELECT *, rowid FROM ") : STR("SELECT * FROM "), err);
    if (s == OK)
        s = read->table ? db_append_table(sql, read->table, '"', err) : db_append_query(sql, read->query, err);
    return s;
}

/* Tables have rowids unless they were made without; views and queries have none. */
static status prepare(struct db_session *session, const struct db_read *read, struct str where,
                      struct sqlite_columns *columns, sqlite3_stmt **statement, struct error *err)
{
    struct buf sql = {0};
    status s = ERR_INVALID;
    for (int row_ids = read->table != NULL; s != OK && row_ids >= 0; row_ids--) {
        buf_clear(&sql);
        s = append_select(&sql, read, row_ids, err);
        if (s == OK)
            s = buf_append_str(&sql, where, err);
        if (s != OK)
            break;
        s = sqlite_statement(session, buf_str(&sql), statement, err);
        columns->row_ids = row_ids;
    }
    buf_release(&sql);
    return s;
}

static status take_columns(sqlite3_stmt *statement, struct sqlite_columns *columns, struct error *err)
{
    int count = sqlite3_column_count(statement) - columns->row_ids;
    status s = OK;
    for (int i = 0; s == OK && i < count; i++)
        s = db_add_column(&columns->schema, sqlite3_column_name(statement, i),
                          sqlite_type_of(sqlite3_column_decltype(statement, i)), err);
    return s;
}

static status find_watermark(const struct db_read *read, struct sqlite_columns *columns, struct error *err)
{
    columns->watermark = -1;
    return read->column ? db_find_watermark(&columns->schema, read->column, &columns->watermark, err) : OK;
}

/* SQLite orders numbers before texts: from a number on, whatever is no number comes along and is looked at. Of other
 * types the order of the stored values is not that of ours, and all rows are. */
static status append_where(const struct db_read *read, const struct sqlite_columns *columns, struct buf *where,
                           struct error *err)
{
    if (columns->watermark < 0 || !read->lower)
        return OK;
    const struct field *f = &columns->schema.fields[columns->watermark];
    if (f->type.kind != TYPE_BIGINT && f->type.kind != TYPE_DOUBLE)
        return OK;
    status s = buf_append_str(where, STR(" WHERE "), err);
    if (s == OK)
        s = db_append_quoted(where, str_of(f->source_name), '"', err);
    if (s == OK)
        s = buf_append_str(where, STR(" >= CAST(?1 AS NUMERIC) OR "), err);
    if (s == OK)
        s = db_append_quoted(where, str_of(f->source_name), '"', err);
    return s == OK ? buf_append_str(where, STR(" IS NULL"), err) : s;
}

status sqlite_prepare_read(struct db_session *session, const struct db_read *read, struct sqlite_columns *columns,
                           sqlite3_stmt **statement, struct error *err)
{
    struct sqlite_columns found = {0};
    sqlite3_stmt *made = NULL;
    struct buf where = {0};
    status s = prepare(session, read, (struct str){0}, &found, &made, err);
    if (s == OK)
        s = take_columns(made, &found, err);
    if (s == OK)
        s = find_watermark(read, &found, err);
    if (s == OK)
        s = append_where(read, &found, &where, err);
    if (s == OK && where.len) {
        sqlite3_finalize(made);
        made = NULL;
        s = prepare(session, read, buf_str(&where), &found, &made, err);
        int code = s == OK ? sqlite3_bind_text(made, 1, read->lower, -1, SQLITE_STATIC) : SQLITE_OK;
        if (code != SQLITE_OK)
            s = sqlite_failed(session, code, err);
    }
    buf_release(&where);
    if (s != OK) {
        sqlite3_finalize(made);
        schema_release(&found.schema);
        return s;
    }
    *columns = found;
    *statement = made;
    return OK;
}
