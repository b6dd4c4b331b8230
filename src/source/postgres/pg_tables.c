/* What the connection's user can read: schemas, tables, columns, keys. */
#include <stdlib.h>

#include "source/postgres/pg_session.h"

static const char tables_sql[] =
    "SELECT n.nspname, c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, "
    "CASE WHEN c.reltuples < 0 OR c.relkind = 'v' THEN NULL ELSE c.reltuples::bigint END, a.attname, "
    "pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, "
    "COALESCE(a.attnum = ANY (i.indkey::smallint[]), false), "
    "CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END, "
    "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, b.typtype, b.typcategory "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
    "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
    "AND n.nspname NOT LIKE 'pg\\_%' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AND NOT c.relispartition "
    "ORDER BY 1, 2, a.attnum";

enum { SCHEMA, NAME, KIND, ROWS, COLUMN, SOURCE_TYPE, NULLABLE, KEY, OID, MODIFIER, TYPTYPE, TYPCATEGORY };

static json_t *column_json(const struct libpq_api *pq, const PGresult *r, int row)
{
    struct pg_type type;
    char name[TYPE_NAME_MAX];
    if (!pg_type_of((unsigned)strtoul(pq->PQgetvalue(r, row, OID), NULL, 10), atoi(pq->PQgetvalue(r, row, MODIFIER)),
                    &type))
        type = pg_type_other(pq->PQgetvalue(r, row, TYPTYPE)[0], pq->PQgetvalue(r, row, TYPCATEGORY)[0], false);
    return json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", pq->PQgetvalue(r, row, COLUMN), "type",
                     type_name(type.type, name), "source_type", pq->PQgetvalue(r, row, SOURCE_TYPE), "nullable",
                     pq->PQgetvalue(r, row, NULLABLE)[0] == 't', "key", pq->PQgetvalue(r, row, KEY)[0] == 't');
}

status pg_tables(struct db_session *session, json_t **tables, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    PGresult *r = NULL;
    json_t *list = json_array(), *columns = NULL;
    status s = list ? pg_query(session, tables_sql, NULL, 0, &r, err) : error_no_memory(err, 64);
    int rows = s == OK ? pq->PQntuples(r) : 0;
    for (int i = 0; s == OK && i < rows; i++) {
        bool same = i > 0 && strcmp(pq->PQgetvalue(r, i, NAME), pq->PQgetvalue(r, i - 1, NAME)) == 0 &&
                    strcmp(pq->PQgetvalue(r, i, SCHEMA), pq->PQgetvalue(r, i - 1, SCHEMA)) == 0;
        if (!same) {
            json_t *count =
                pq->PQgetisnull(r, i, ROWS) ? json_null() : json_integer(strtoll(pq->PQgetvalue(r, i, ROWS), NULL, 10));
            columns = json_array();
            s = json_add(list,
                         json_pack("{s:s, s:s, s:s, s:o, s:o}", "schema", pq->PQgetvalue(r, i, SCHEMA), "name",
                                   pq->PQgetvalue(r, i, NAME), "kind", pq->PQgetvalue(r, i, KIND), "rows", count,
                                   "columns", columns),
                         err);
        }
        if (s == OK)
            s = json_add(columns, column_json(pq, r, i), err);
    }
    pq->PQclear(r);
    if (s == OK)
        *tables = list;
    else
        json_decref(list);
    return s;
}
