#include "job/conform.h"

#include <stdio.h>
#include <stdlib.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "format/json/json_encoder.h"

struct conforming {
    struct batch *from;
    const struct type_version *version;
    struct decoded *into;
    struct buf keep; /* a bit a row */
    struct buf text;
    size_t bad;
};

static status reject_row(struct conforming *c, size_t row, size_t column, enum reject_code code, struct str message,
                         struct error *err)
{
    struct buf raw = {0};
    struct batch one = {0};
    uint32_t number = (uint32_t)row;
    if (!(c->keep.data[row >> 3] >> (row & 7) & 1))
        return OK; /* it has a reason already */
    status s = batch_reset(&one, c->from->schema, err);
    if (s == OK)
        s = batch_gather(&one, c->from, &number, 1, err);
    if (s == OK)
        s = ndjson_encode(&one, &raw, err);
    if (s == OK) {
        struct reject r = {.record = row + 1, .column = (uint32_t)column, .code = code};
        if (raw.len > 0)
            raw.len--; /* the line end */
        r.byte_length = raw.len;
        s = reject_add(&c->into->rejects, r, message, buf_str(&raw), err);
    }
    c->keep.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    c->bad++;
    batch_release(&one);
    buf_release(&raw);
    return s;
}

static status cast_row(struct conforming *c, const struct column *from, size_t row, size_t column, struct column *to,
                       struct error *err)
{
    static const uint8_t pad[CAST_PAD];
    struct data_type type = to->type;
    buf_clear(&c->text);
    status s = buf_append(&c->text, pad, CAST_PAD, err);
    if (s == OK)
        s = value_text_append(from, row, &c->text, err);
    if (s == OK)
        s = buf_reserve(&c->text, CAST_PAD, err);
    if (s != OK)
        return s;
    const char *text = (const char *)c->text.data + CAST_PAD, *why = "";
    size_t n = c->text.len - CAST_PAD;
    union value v = {.bytes = {0}};
    char message[400], name[TYPE_NAME_MAX];
    if (type.kind == TYPE_STRING && !str_is_utf8((struct str){text, n})) {
        snprintf(message, sizeof message, "column '%.100s': not valid UTF-8", c->version->schema.fields[column].name);
        s = reject_row(c, row, column, REJECT_INVALID_ENCODING, str_of(message), err);
        return s == OK ? column_append_null(to, err) : s;
    }
    if (type_is_var(type) && type.kind != TYPE_JSON)
        return column_append(to, text, n, err);
    if (cast_text(type, text, n, &v, &why))
        return type_is_var(type) ? column_append(to, text, n, err) : column_append(to, &v, type_width(type), err);
    size_t shown = str_utf8_prefix((struct str){text, n}, 100);
    snprintf(message, sizeof message, "column '%.100s': \"%.*s%s\" is no %s: %s",
             c->version->schema.fields[column].name, (int)shown, text, shown < n ? "..." : "", type_name(type, name),
             why);
    s = reject_row(c, row, column, REJECT_CAST, str_of(message), err);
    return s == OK ? column_append_null(to, err) : s;
}

static status conform_column(struct conforming *c, const struct column *from, size_t column, struct column *to,
                             struct error *err)
{
    if (type_equal(from->type, to->type))
        return column_gather(to, from, NULL, c->from->rows, err);
    status s = OK;
    for (size_t row = 0; s == OK && row < c->from->rows; row++)
        s = column_is_null(from, row) ? column_append_null(to, err) : cast_row(c, from, row, column, to, err);
    return s;
}

/* Of what the source has and no value of ours is: the row is bad for the columns that take it. */
static status reject_bad_values(struct conforming *c, const int *sources, struct error *err)
{
    const struct bad_value *bad = (const struct bad_value *)c->from->bad.data;
    const char *texts = (const char *)c->from->bad_text.data;
    char message[400], name[TYPE_NAME_MAX];
    status s = OK;
    for (size_t i = 0; s == OK && i < c->from->bad.len / sizeof *bad; i++)
        for (size_t column = 0; s == OK && column < c->version->schema.count; column++) {
            if (sources[column] != (int)bad[i].column)
                continue;
            const struct field *f = &c->from->schema->fields[bad[i].column];
            snprintf(message, sizeof message, "column '%.100s': \"%.*s\" is no %s: %s",
                     c->version->schema.fields[column].name, (int)bad[i].text_length, texts + bad[i].text_at,
                     type_name(f->type, name), bad[i].why);
            s = reject_row(c, bad[i].row, column, REJECT_CAST, str_of(message), err);
        }
    return s;
}

/* Whether the column can simply change hands: nobody else takes it, and its type is right. */
static bool moves(const struct conforming *c, const int *sources, size_t column)
{
    int at = sources[column];
    if (at < 0 || !type_equal(c->from->columns[at].type, c->into->batch.columns[column].type))
        return false;
    for (size_t i = 0; i < c->version->schema.count; i++)
        if (i != column && sources[i] == at)
            return false;
    return true;
}

static status check_nulls(struct conforming *c, const struct column *values, size_t column, enum reject_code code,
                          struct error *err)
{
    char message[200];
    snprintf(message, sizeof message, "column '%.100s': null, which this column must not be",
             c->version->schema.fields[column].name);
    status s = OK;
    for (size_t row = 0; s == OK && values->null_count && row < c->from->rows; row++)
        if (column_is_null(values, row))
            s = reject_row(c, row, column, code, str_of(message), err);
    return s;
}

static int by_record(const void *a, const void *b)
{
    const struct reject *x = a, *y = b;
    return (x->record > y->record) - (x->record < y->record);
}

status conform_batch(struct batch *from, const struct type_version *version, struct decoded *into, struct error *err)
{
    struct conforming c = {.from = from, .version = version, .into = into};
    size_t columns = version->schema.count, rows = from->rows;
    int *sources = malloc((columns + 1) * sizeof *sources);
    if (!sources)
        return error_no_memory(err, columns * sizeof *sources);
    status s = decoded_reset(into, &version->schema, columns, err);
    if (s == OK)
        s = buf_resize(&c.keep, (rows + 7) / 8, err);
    if (s != OK)
        goto out;
    if (rows)
        memset(c.keep.data, 0xFF, c.keep.len);
    for (size_t i = 0; i < columns; i++)
        sources[i] = schema_find(from->schema, version->targets[i].source);
    s = reject_bad_values(&c, sources, err);
    for (size_t i = 0; s == OK && i < columns; i++) {
        int at = sources[i];
        struct column *to = &into->batch.columns[i];
        if (!moves(&c, sources, i))
            s = at < 0 ? column_fill_null(to, to->type, rows, err) : conform_column(&c, &from->columns[at], i, to, err);
    }
    into->batch.rows = rows;
    into->records = rows;
    for (size_t i = 0; s == OK && i < columns; i++)
        if (version->targets[i].on_null)
            s = check_nulls(&c, moves(&c, sources, i) ? &from->columns[sources[i]] : &into->batch.columns[i], i,
                            version->targets[i].on_null, err);
    for (size_t i = 0; s == OK && i < columns; i++) {
        if (!moves(&c, sources, i))
            continue;
        struct column *a = &into->batch.columns[i], *b = &from->columns[sources[i]], swap = *a;
        *a = *b;
        *b = swap;
    }
    if (s == OK && c.bad) {
        qsort(into->rejects.items, into->rejects.count, sizeof *into->rejects.items, by_record);
        batch_filter(&into->batch, c.keep.data, rows - c.bad);
    }
out:
    free(sources);
    buf_release(&c.keep);
    buf_release(&c.text);
    return s;
}
