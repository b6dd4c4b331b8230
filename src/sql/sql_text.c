#include "sql/sql_text.h"

static status append_quoted(struct buf *sql, struct str text, char quote, struct error *err)
{
    status s = buf_reserve(sql, 2 * text.n + 2, err);
    if (s != OK)
        return s;
    buf_append_unsafe(sql, &quote, 1);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == quote)
            buf_append_unsafe(sql, &quote, 1);
        buf_append_unsafe(sql, text.p + i, 1);
    }
    buf_append_unsafe(sql, &quote, 1);
    return OK;
}

status sql_append_identifier(struct buf *sql, struct str name, struct error *err)
{
    return append_quoted(sql, name, '"', err);
}

status sql_append_literal(struct buf *sql, struct str text, struct error *err)
{
    return append_quoted(sql, text, '\'', err);
}

status sql_append_literals(struct buf *sql, const char *const *texts, size_t count, struct error *err)
{
    status s = buf_append_str(sql, STR("["), err);
    for (size_t i = 0; s == OK && i < count; i++) {
        if (i > 0)
            s = buf_append_str(sql, STR(","), err);
        if (s == OK)
            s = sql_append_literal(sql, str_of(texts[i]), err);
    }
    return s == OK ? buf_append_str(sql, STR("]"), err) : s;
}

status sql_append_type(struct buf *sql, struct data_type type, struct error *err)
{
    if (type.kind == TYPE_DECIMAL)
        return buf_printf(sql, err, "DECIMAL(%u,%u)", type.precision, type.scale);
    return buf_append_str(sql, str_of(type_table[type.kind].duckdb), err);
}

status sql_end(struct buf *sql, struct error *err)
{
    status s = buf_append(sql, "", 1, err);
    if (s == OK)
        sql->len--;
    return s;
}
