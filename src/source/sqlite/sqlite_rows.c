/* Rows of a statement as batches. */
#include <stdlib.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "source/sqlite/sqlite_session.h"

#define BATCH_ROWS 65536
#define BATCH_BYTES ((size_t)8 << 20)

/* A bound, parsed as the watermark column's type. */
struct bound {
    bool any;
    union value fixed;
    struct str text;
};

struct sqlite_rows {
    struct db_session *session;
    struct sqlite_columns columns;
    sqlite3_stmt *statement;
    struct bound lower, upper;
    char *texts; /* behind the bounds */
    bool upper_open, nulls, done;
    size_t batch_rows, batch_bytes;
    size_t most_rows, given; /* 0: all */
};

static status parse_bound(struct data_type type, const char *text, struct bound *bound, struct error *err)
{
    char padded[2 * CAST_PAD + VALUE_TEXT_MAX] = {0}, name[TYPE_NAME_MAX];
    const char *why = "too long";
    if (!text)
        return OK;
    bound->any = true;
    bound->text = str_of(text);
    if (type_is_var(type))
        return OK;
    if (bound->text.n < VALUE_TEXT_MAX) {
        memcpy(padded + CAST_PAD, text, bound->text.n);
        if (cast_text(type, padded + CAST_PAD, bound->text.n, &bound->fixed, &why))
            return OK;
    }
    return error_set(err, ERR_INVALID, "the watermark \"%.60s\" is no %s: %s", text, type_name(type, name), why);
}

/* Whether the row is within the bounds. What is no value of the type is let through, to become a bad row. */
static bool is_wanted(const struct sqlite_rows *rows)
{
    int column = rows->columns.watermark;
    char scratch[64];
    const char *why;
    union value v = {.bytes = {0}};
    struct str text = {0};
    if (column < 0 || (!rows->lower.any && !rows->upper.any))
        return true;
    struct data_type type = rows->columns.schema.fields[column].type;
    if (sqlite3_column_type(rows->statement, column) == SQLITE_NULL)
        return rows->nulls;
    if (!sqlite_value(rows->statement, column, type, &v, &text, scratch, &why))
        return true;
    if (rows->lower.any && sqlite_compare(type, &v, text, &rows->lower.fixed, rows->lower.text) < 0)
        return false;
    int above = rows->upper.any ? sqlite_compare(type, &v, text, &rows->upper.fixed, rows->upper.text) : -1;
    return above < 0 || (above == 0 && !rows->upper_open);
}

static status add_bad(struct sqlite_rows *rows, struct batch *into, size_t column, struct str text, const char *why,
                      struct error *err)
{
    struct buf shown = {0};
    status s = buf_append_str(
        &shown, str_is_utf8(text) ? (struct str){text.p, str_utf8_prefix(text, 60)} : STR("(bytes)"), err);
    if (s == OK && rows->columns.row_ids)
        s = buf_printf(&shown, err, " [rowid %lld]",
                       (long long)sqlite3_column_int64(rows->statement, (int)rows->columns.schema.count));
    if (s == OK)
        s = batch_add_bad(into, into->rows, column, buf_str(&shown), why, err);
    buf_release(&shown);
    return s;
}

/* column_append() for the most frequent case, without its call: no null so far, and room. */
static inline bool append_fast(struct column *c, const union value *fixed, size_t width)
{
    if (c->null_count || c->data.cap - c->data.len < sizeof *fixed)
        return false;
    memcpy(c->data.data + c->data.len, fixed, sizeof *fixed); /* the rest is overwritten by the next */
    c->data.len += width;
    c->length++;
    return true;
}

static status add_value(struct sqlite_rows *rows, struct batch *into, size_t column, struct error *err)
{
    struct column *c = &into->columns[column];
    char scratch[64];
    const char *why = "";
    union value fixed;
    struct str text = {0};
    if (sqlite3_column_type(rows->statement, (int)column) == SQLITE_NULL)
        return column_append_null(c, err);
    if (sqlite_value(rows->statement, (int)column, c->type, &fixed, &text, scratch, &why)) {
        if (type_is_var(c->type))
            return column_append(c, text.p, text.n, err);
        size_t width = type_width(c->type);
        return append_fast(c, &fixed, width) ? OK : column_append(c, &fixed, width, err);
    }
    status s = add_bad(rows, into, column, text, why, err);
    return s == OK ? column_append_null(c, err) : s;
}

static status add_row(struct sqlite_rows *rows, struct batch *into, size_t *bytes, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < rows->columns.schema.count; i++) {
        size_t before = into->columns[i].data.len;
        s = add_value(rows, into, i, err);
        *bytes += into->columns[i].data.len - before;
    }
    into->rows += s == OK;
    return s;
}

static const struct schema *rows_schema(void *self)
{
    return &((struct sqlite_rows *)self)->columns.schema;
}

static status rows_next(void *self, struct batch *into, struct error *err)
{
    struct sqlite_rows *rows = self;
    size_t bytes = 0;
    status s = batch_reset(into, &rows->columns.schema, err);
    while (s == OK && !rows->done && into->rows < rows->batch_rows && bytes < rows->batch_bytes) {
        int code = sqlite3_step(rows->statement);
        if (code == SQLITE_ROW && is_wanted(rows)) {
            s = add_row(rows, into, &bytes, err);
            rows->done = ++rows->given == rows->most_rows;
        } else if (code == SQLITE_ROW) {
            continue;
        } else if (code == SQLITE_DONE) {
            rows->done = true;
        } else {
            s = sqlite_failed(rows->session, code, err);
        }
    }
    return s;
}

static void rows_release(void *self)
{
    struct sqlite_rows *rows = self;
    sqlite3_finalize(rows->statement);
    schema_release(&rows->columns.schema);
    free(rows->texts);
    free(rows);
}

static const struct batch_stream_ops rows_ops = {.schema = rows_schema, .next = rows_next, .release = rows_release};

static status set_bounds(struct sqlite_rows *rows, const struct db_read *read, struct error *err)
{
    if (rows->columns.watermark < 0)
        return OK;
    struct data_type type = rows->columns.schema.fields[rows->columns.watermark].type;
    size_t lower = read->lower ? strlen(read->lower) + 1 : 0, upper = read->upper ? strlen(read->upper) + 1 : 0;
    rows->texts = malloc(lower + upper + 1);
    if (!rows->texts)
        return error_no_memory(err, lower + upper);
    memcpy(rows->texts, read->lower ? read->lower : "", lower);
    memcpy(rows->texts + lower, read->upper ? read->upper : "", upper);
    status s = parse_bound(type, lower ? rows->texts : NULL, &rows->lower, err);
    return s == OK ? parse_bound(type, upper ? rows->texts + lower : NULL, &rows->upper, err) : s;
}

status sqlite_open_rows(struct db_session *session, const struct db_read *read, struct batch_stream *stream,
                        struct error *err)
{
    struct sqlite_rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        return error_no_memory(err, sizeof *rows);
    *rows = (struct sqlite_rows){
        .session = session,
        .upper_open = read->upper_open,
        .nulls = read->nulls,
        .most_rows = read->most_rows,
        .batch_rows = read->batch_rows ? read->batch_rows : BATCH_ROWS,
        .batch_bytes = read->batch_bytes && read->batch_bytes < BATCH_BYTES ? read->batch_bytes : BATCH_BYTES,
    };
    status s = sqlite_prepare_read(session, read, &rows->columns, &rows->statement, err);
    if (s == OK)
        s = set_bounds(rows, read, err);
    if (s != OK) {
        rows_release(rows);
        return s;
    }
    *stream = (struct batch_stream){&rows_ops, rows};
    return OK;
}

/* The order is that of our type, so each value is looked at. */
status sqlite_highest(struct db_session *session, const struct db_read *read, char **value, struct error *err)
{
    struct sqlite_columns columns = {0};
    sqlite3_stmt *st = NULL;
    struct buf text = {0};
    union value best = {.bytes = {0}}, v = {.bytes = {0}};
    struct data_type type = {0};
    bool any = false;
    *value = NULL;
    const struct db_read all = {.table = read->table, .query = read->query, .column = read->column};
    status s = sqlite_prepare_read(session, &all, &columns, &st, err);
    if (s == OK)
        type = columns.schema.fields[columns.watermark].type;
    for (int code = SQLITE_ROW; s == OK && code == SQLITE_ROW;) {
        char scratch[64];
        const char *why;
        struct str shown = {0};
        code = sqlite3_step(st);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            s = sqlite_failed(session, code, err);
        if (code != SQLITE_ROW || sqlite3_column_type(st, columns.watermark) == SQLITE_NULL ||
            !sqlite_value(st, columns.watermark, type, &v, &shown, scratch, &why))
            continue;
        if (any && sqlite_compare(type, &v, shown, &best, buf_str(&text)) <= 0)
            continue;
        any = true;
        best = v;
        if (type_is_var(type)) {
            buf_clear(&text);
            s = buf_append_str(&text, shown, err);
        }
    }
    if (s == OK && any && !type_is_var(type)) {
        char canonical[VALUE_TEXT_MAX];
        s = buf_append(&text, canonical, value_text(type, &best, canonical), err);
    }
    if (s == OK && any) {
        *value = strndup((const char *)text.data, text.len);
        if (!*value)
            s = error_no_memory(err, text.len);
    }
    sqlite3_finalize(st);
    schema_release(&columns.schema);
    buf_release(&text);
    return s;
}
