#include "source/sqlite/sqlite_session.h"

static const char columns_sql[] =
    "SELECT t.name, CASE t.type WHEN 'view' THEN 'view' ELSE 'table' END, c.name, c.type, NOT c.\"notnull\", c.pk > 0 "
    "FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE "
    "'sqlite\\_%' ESCAPE '\\' AND t.type IN ('table', 'view', 'virtual') AND c.hidden <> 1 ORDER BY t.name, c.cid";

static const char *text(sqlite3_stmt *st, int column)
{
    const char *t = (const char *)sqlite3_column_text(st, column);
    return t ? t : "";
}

static json_t *column_json(sqlite3_stmt *st)
{
    char name[TYPE_NAME_MAX];
    const char *declared = text(st, 3);
    return json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", text(st, 2), "type",
                     type_name(sqlite_type_of(*declared ? declared : NULL), name), "source_type", declared, "nullable",
                     sqlite3_column_int(st, 4), "key", sqlite3_column_int(st, 5));
}

status sqlite_tables(struct db_session *session, json_t **tables, struct error *err)
{
    sqlite3_stmt *st = NULL;
    json_t *list = json_array(), *table = NULL;
    status s = list ? sqlite_statement(session, str_of(columns_sql), &st, err) : error_no_memory(err, 64);
    for (int code = SQLITE_ROW; s == OK && code == SQLITE_ROW;) {
        code = sqlite3_step(st);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            s = sqlite_failed(session, code, err);
        if (code != SQLITE_ROW)
            continue;
        if (!table || strcmp(json_text(table, "name", ""), text(st, 0)) != 0) {
            table = json_pack("{s:s, s:s, s:s, s:n, s:[]}", "schema", "main", "name", text(st, 0), "kind", text(st, 1),
                              "rows", "columns");
            s = json_add(list, table, err);
        }
        if (s == OK)
            s = json_add(json_object_get(table, "columns"), column_json(st), err);
    }
    sqlite3_finalize(st);
    if (s == OK)
        *tables = list;
    else
        json_decref(list);
    return s;
}
