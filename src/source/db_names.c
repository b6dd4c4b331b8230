#include "source/db_names.h"

#include <ctype.h>

status db_append_quoted(struct buf *sql, struct str name, char quote, struct error *err)
{
    status s = buf_append(sql, &quote, 1, err);
    for (size_t i = 0; s == OK && i < name.n; i++) {
        if (name.p[i] == quote)
            s = buf_append(sql, &quote, 1, err);
        if (s == OK)
            s = buf_append(sql, &name.p[i], 1, err);
    }
    return s == OK ? buf_append(sql, &quote, 1, err) : s;
}

static status bad_table(const char *table, struct error *err)
{
    status s = error_set(err, ERR_INVALID, "table: '%.200s' is no name of a table", table);
    error_hint(err, "write schema.table; a name that itself holds a dot stands in double quotes: \"my.schema\".table");
    return s;
}

status db_append_table(struct buf *sql, const char *table, char quote, struct error *err)
{
    struct buf name = {0};
    const char *p = table;
    status s = OK;
    for (int part = 0; s == OK; part++) {
        buf_clear(&name);
        bool quoted = *p == '"';
        p += quoted;
        for (; s == OK && *p && (quoted || *p != '.'); p++) {
            if (quoted && *p == '"' && *++p != '"')
                break;
            s = buf_append(&name, p, 1, err);
        }
        if (s == OK && (name.len == 0 || part > 1 || (quoted && p[-1] != '"') || (*p && *p != '.')))
            s = bad_table(table, err);
        if (s == OK && part > 0)
            s = buf_append(sql, ".", 1, err);
        if (s == OK)
            s = db_append_quoted(sql, buf_str(&name), quote, err);
        if (!*p)
            break;
        p++;
    }
    buf_release(&name);
    return s;
}

status db_append_query(struct buf *sql, const char *query, struct error *err)
{
    size_t n = strlen(query);
    while (n && (isspace((unsigned char)query[n - 1]) || query[n - 1] == ';'))
        n--;
    if (n == 0)
        return error_set(err, ERR_INVALID, "query: it is empty");
    status s = buf_append(sql, "(", 1, err);
    if (s == OK)
        s = buf_append(sql, query, n, err);
    return s == OK ? buf_append(sql, "\n)", 2, err) : s;
}

/* PostgreSQL says "?column?" of what has no name. */
status db_add_column(struct schema *schema, const char *name, struct data_type type, struct error *err)
{
    struct buf unique = {0};
    bool blank = !*name || strcmp(name, "?column?") == 0;
    size_t number = schema->count + 1;
    status s = blank ? buf_printf(&unique, err, "column_%zu", number) : buf_append_str(&unique, str_of(name), err);
    for (unsigned n = 2; s == OK && schema_find(schema, buf_str(&unique)) >= 0; n++) {
        buf_clear(&unique);
        s = blank ? buf_printf(&unique, err, "column_%zu_%u", number, n) : buf_printf(&unique, err, "%s_%u", name, n);
    }
    if (s == OK)
        s = schema_add(schema, buf_str(&unique), blank ? (struct str){0} : str_of(name), type, false, err);
    buf_release(&unique);
    return s;
}

status db_find_watermark(const struct schema *schema, const char *name, int *column, struct error *err)
{
    static const enum type_kind unordered[] = {TYPE_BOOLEAN, TYPE_JSON, TYPE_BINARY};
    *column = schema_find(schema, str_of(name));
    if (*column < 0) {
        status s = error_set(err, ERR_INVALID, "watermark_column: there is no column '%.100s'", name);
        error_hint(err, "name a column of the table or query, as rename_map calls it");
        return s;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(unordered); i++)
        if (schema->fields[*column].type.kind == unordered[i]) {
            char type[TYPE_NAME_MAX];
            status s = error_set(err, ERR_INVALID, "watermark_column: '%.100s' is %s, which has no use as a watermark",
                                 name, type_name(schema->fields[*column].type, type));
            error_hint(err, "name a column that grows from row to row: a time of change, or a number");
            return s;
        }
    return OK;
}
