/* What a Parquet file says of its columns beyond their types. */
#include <stdlib.h>
#include <string.h>

#include "sql/parquet_check.h"
#include "sql/sql_text.h"

enum { CELL_NAME, CELL_REPETITION, CELL_SOURCE_NAME, CELL_COUNT };

static status take_field(void *self, const struct str *cells, struct error *err)
{
    struct schema *schema = self;
    int at = cells[CELL_NAME].p ? schema_find(schema, cells[CELL_NAME]) : -1;
    if (at < 0)
        return OK;
    struct field *field = &schema->fields[at];
    field->not_null = cells[CELL_REPETITION].p && str_equal(cells[CELL_REPETITION], STR("REQUIRED"));
    if (!cells[CELL_SOURCE_NAME].p)
        return OK;
    char *name = strndup(cells[CELL_SOURCE_NAME].p, cells[CELL_SOURCE_NAME].n);
    if (!name)
        return error_no_memory(err, cells[CELL_SOURCE_NAME].n + 1);
    free(field->source_name);
    field->source_name = name;
    return OK;
}

status parquet_take_fields(struct sql_session *session, const char *path, struct schema *schema, struct error *err)
{
    struct buf sql = {0};
    /* A column of the top level has a number and no members. */
    status s = buf_append_str(&sql, STR("SELECT f.name, f.repetition_type, n.names[f.name] FROM parquet_schema("), err);
    if (s == OK)
        s = sql_append_literal(&sql, str_of(path), err);
    if (s == OK)
        s = buf_append_str(&sql,
                           STR(") AS f LEFT JOIN (SELECT CAST(CAST(decode(value) AS JSON) AS MAP(VARCHAR, VARCHAR))"
                               " AS names FROM parquet_kv_metadata("),
                           err);
    if (s == OK)
        s = sql_append_literal(&sql, str_of(path), err);
    if (s == OK)
        s = buf_append_str(
            &sql, STR(") WHERE decode(key) = 'flowforge.source_names') AS n ON true WHERE f.num_children IS NULL"),
            err);
    if (s == OK)
        s = sql_end(&sql, err);
    if (s == OK)
        s = sql_session_walk(session, (const char *)sql.data, CELL_COUNT, take_field, schema, err);
    buf_release(&sql);
    return s;
}
