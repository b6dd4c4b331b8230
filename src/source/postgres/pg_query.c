/* The statements of a read. Names are quoted and values bound: nothing that a user or another database wrote is ever
 * taken for SQL, except the query, which is theirs to write, once, as one SELECT of a read-only transaction. */
#include <stdio.h>
#include <stdlib.h>

#include "source/db_names.h"
#include "source/postgres/pg_session.h"

#define SETTING_LOWER "flowforge.lower"
#define SETTING_UPPER "flowforge.upper"

/* ---- what is read ---- */

static status append_source(struct buf *sql, const struct db_read *read, struct error *err)
{
    if (read->table)
        return db_append_table(sql, read->table, '"', err);
    return db_append_query(sql, read->query, err);
}

/* ---- its columns ---- */

void pg_columns_release(struct pg_columns *c)
{
    schema_release(&c->schema);
    free(c->wire);
    free(c->cast);
    free(c->oids);
    *c = (struct pg_columns){0};
}

static status other_type(struct db_session *session, Oid oid, struct pg_type *type, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    char text[16];
    const char *parameters[] = {text};
    PGresult *r = NULL;
    snprintf(text, sizeof text, "%u", oid);
    status s = pg_query(session,
                        "SELECT typtype, typcategory, typsend::oid IN ('textsend'::regproc::oid, "
                        "'varcharsend'::regproc::oid) OR typname = 'citext' FROM pg_catalog.pg_type WHERE oid = "
                        "$1::oid",
                        parameters, 1, &r, err);
    if (s != OK)
        return s;
    *type = pq->PQntuples(r) == 1 ? pg_type_other(pq->PQgetvalue(r, 0, 0)[0], pq->PQgetvalue(r, 0, 1)[0],
                                                  pq->PQgetvalue(r, 0, 2)[0] == 't')
                                  : pg_type_other('b', 'U', false);
    pq->PQclear(r);
    return OK;
}

static status take_columns(struct db_session *session, const PGresult *r, struct pg_columns *c, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    size_t count = (size_t)pq->PQnfields(r);
    c->wire = calloc(count + 1, sizeof *c->wire);
    c->cast = calloc(count + 1, sizeof *c->cast);
    c->oids = calloc(count + 1, sizeof *c->oids);
    if (!c->wire || !c->cast || !c->oids)
        return error_no_memory(err, count * sizeof *c->wire);
    if (count == 0)
        return error_set(err, ERR_INVALID, "PostgreSQL %s: what is read has no columns", session->server);
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        Oid oid = pq->PQftype(r, (int)i);
        struct pg_type type = {0};
        if (!pg_type_of(oid, pq->PQfmod(r, (int)i), &type))
            s = other_type(session, oid, &type, err);
        if (s == OK)
            s = db_add_column(&c->schema, pq->PQfname(r, (int)i), type.type, err);
        c->wire[i] = type.wire;
        c->cast[i] = type.cast;
        c->oids[i] = oid;
    }
    return s;
}

/* The extended protocol takes one statement only: a query that hides a second one fails here. */
status pg_columns_read(struct db_session *session, const struct db_read *read, struct pg_columns *columns,
                       struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    struct buf sql = {0};
    PGresult *prepared = NULL, *described = NULL;
    status s = buf_append_str(&sql, STR("SELECT * FROM "), err);
    if (s == OK)
        s = append_source(&sql, read, err);
    if (s == OK)
        s = buf_append(&sql, " AS q", sizeof " AS q", err);
    if (s == OK) {
        prepared = pq->PQprepare(session->connection, "", (const char *)sql.data, 0, NULL);
        if (pq->PQresultStatus(prepared) != PGRES_COMMAND_OK)
            s = pg_result_error(session, prepared, err);
    }
    if (s == OK) {
        described = pq->PQdescribePrepared(session->connection, "");
        if (pq->PQresultStatus(described) != PGRES_COMMAND_OK)
            s = pg_result_error(session, described, err);
    }
    if (s == OK)
        s = take_columns(session, described, columns, err);
    if (s != OK)
        pg_columns_release(columns);
    pq->PQclear(prepared);
    pq->PQclear(described);
    buf_release(&sql);
    return s;
}

/* ---- SELECT within bounds ---- */

static status type_in_sql(struct db_session *session, Oid oid, struct buf *sql, struct error *err)
{
    char text[16];
    const char *parameters[] = {text};
    PGresult *r = NULL;
    snprintf(text, sizeof text, "%u", oid);
    status s = pg_query(session, "SELECT pg_catalog.format_type($1::oid, NULL)", parameters, 1, &r, err);
    if (s != OK)
        return s;
    s = buf_append_str(sql, str_of(session->pq.PQgetvalue(r, 0, 0)), err);
    session->pq.PQclear(r);
    return s;
}

/* Texts compare by their bytes, as everywhere in FlowForge, whatever the collation; and there is no max(uuid). */
static bool compares_as_text(const struct pg_columns *c, int column)
{
    enum type_kind kind = c->schema.fields[column].type.kind;
    return kind == TYPE_STRING || kind == TYPE_UUID;
}

/* The column as it compares. */
static status append_ordered(struct buf *sql, const struct pg_columns *c, int column, struct error *err)
{
    return buf_printf(sql, err, "q.c%d%s", column + 1, compares_as_text(c, column) ? "::text COLLATE \"C\"" : "");
}

/* A setting of this transaction carries the value: COPY takes no parameters, and pasted text would be SQL. */
static status set_bound(struct db_session *session, const char *setting, const char *value, struct error *err)
{
    const char *parameters[] = {setting, value};
    PGresult *r = NULL;
    status s = pg_query(session, "SELECT pg_catalog.set_config($1, $2, true)", parameters, 2, &r, err);
    session->pq.PQclear(r);
    return s;
}

static status append_bound(struct db_session *session, const struct pg_columns *c, int column, const char *operator,
                           const char * setting, struct buf *sql, struct error *err)
{
    status s = append_ordered(sql, c, column, err);
    if (s == OK)
        s = buf_printf(sql, err, " %s pg_catalog.current_setting('%s')::", operator, setting);
    if (s == OK)
        s = type_in_sql(session, c->oids[column], sql, err);
    return s == OK && compares_as_text(c, column) ? buf_append_str(sql, STR("::text"), err) : s;
}

static status append_where(struct db_session *session, const struct db_read *read, const struct pg_columns *c,
                           struct buf *sql, struct error *err)
{
    int column;
    if (!read->column || (!read->lower && !read->upper))
        return OK;
    status s = db_find_watermark(&c->schema, read->column, &column, err);
    if (s == OK)
        s = buf_append_str(sql, STR(" WHERE ("), err);
    if (s == OK && read->lower)
        s = set_bound(session, SETTING_LOWER, read->lower, err);
    if (s == OK && read->lower)
        s = append_bound(session, c, column, ">=", SETTING_LOWER, sql, err);
    if (s == OK && read->lower && read->upper)
        s = buf_append_str(sql, STR(" AND "), err);
    if (s == OK && read->upper)
        s = set_bound(session, SETTING_UPPER, read->upper, err);
    if (s == OK && read->upper)
        s = append_bound(session, c, column, read->upper_open ? "<" : "<=", SETTING_UPPER, sql, err);
    if (s == OK)
        s = buf_append_str(sql, STR(")"), err);
    return s == OK && read->nulls ? buf_printf(sql, err, " OR q.c%d IS NULL", column + 1) : s;
}

/* " FROM <source> AS q(c1, c2, ...)": own names, because a query may give one name twice. */
static status append_from(const struct db_read *read, const struct pg_columns *c, struct buf *sql, struct error *err)
{
    status s = buf_append_str(sql, STR(" FROM "), err);
    if (s == OK)
        s = append_source(sql, read, err);
    if (s == OK)
        s = buf_append_str(sql, STR(" AS q("), err);
    for (size_t i = 0; s == OK && i < c->schema.count; i++)
        s = buf_printf(sql, err, "%sc%zu", i ? ", " : "", i + 1);
    return s == OK ? buf_append_str(sql, STR(")"), err) : s;
}

status pg_select(struct db_session *session, const struct db_read *read, const struct pg_columns *columns,
                 struct buf *sql, struct error *err)
{
    static const struct {
        const char *before, *after;
    } casts[] = {
        [PG_CAST_NONE] = {"", ""}, [PG_CAST_TEXT] = {"", "::text"}, [PG_CAST_JSON] = {"pg_catalog.to_json(", ")"}};
    status s = buf_append_str(sql, STR("SELECT "), err);
    for (size_t i = 0; s == OK && i < columns->schema.count; i++)
        s = buf_printf(sql, err, "%s%sq.c%zu%s", i ? ", " : "", casts[columns->cast[i]].before, i + 1,
                       casts[columns->cast[i]].after);
    if (s == OK)
        s = append_from(read, columns, sql, err);
    if (s == OK)
        s = append_where(session, read, columns, sql, err);
    return s == OK && read->most_rows ? buf_printf(sql, err, " LIMIT %zu", read->most_rows) : s;
}

/* The planner's guess: EXPLAIN says "Plan Rows" of the whole plan first. */
status pg_estimate(struct db_session *session, const struct db_read *read, int64_t *rows, struct error *err)
{
    static const char mark[] = "\"Plan Rows\":";
    struct pg_columns c = {0};
    struct buf sql = {0};
    PGresult *r = NULL;
    status s = pg_columns_read(session, read, &c, err);
    if (s == OK)
        s = buf_append_str(&sql, STR("EXPLAIN (FORMAT JSON) "), err);
    if (s == OK)
        s = pg_select(session, read, &c, &sql, err);
    if (s == OK)
        s = buf_append(&sql, "", 1, err);
    if (s == OK)
        s = pg_query(session, (const char *)sql.data, NULL, 0, &r, err);
    if (s == OK) {
        const char *at = strstr(session->pq.PQgetvalue(r, 0, 0), mark);
        *rows = at ? strtoll(at + sizeof mark - 1, NULL, 10) : -1;
    }
    session->pq.PQclear(r);
    pg_columns_release(&c);
    buf_release(&sql);
    return s;
}

status pg_highest(struct db_session *session, const struct db_read *read, char **value, struct error *err)
{
    struct pg_columns c = {0};
    struct buf sql = {0};
    PGresult *r = NULL;
    int column = -1;
    *value = NULL;
    status s = pg_columns_read(session, read, &c, err);
    if (s == OK)
        s = db_find_watermark(&c.schema, read->column, &column, err);
    if (s == OK)
        s = buf_append_str(&sql, STR("SELECT pg_catalog.max("), err);
    if (s == OK)
        s = append_ordered(&sql, &c, column, err);
    if (s == OK)
        s = buf_append_str(&sql, STR(")::text"), err);
    if (s == OK)
        s = append_from(read, &c, &sql, err);
    if (s == OK)
        s = buf_append(&sql, "", 1, err);
    if (s == OK)
        s = pg_query(session, (const char *)sql.data, NULL, 0, &r, err);
    if (s == OK && !session->pq.PQgetisnull(r, 0, 0)) {
        *value = strdup(session->pq.PQgetvalue(r, 0, 0));
        if (!*value)
            s = error_no_memory(err, 64);
    }
    session->pq.PQclear(r);
    pg_columns_release(&c);
    buf_release(&sql);
    return s;
}
