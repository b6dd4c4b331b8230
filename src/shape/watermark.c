#include "shape/watermark.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "shape/order_bytes.h"

/* ---- hashes of rows ---- */

status row_hash_rows(const struct batch *batch, struct key_hash *into, struct error *err)
{
    struct buf memory = {0};
    status s = buf_resize(&memory, (batch->rows + 1) * sizeof(struct key_hash), err);
    if (s != OK)
        return s;
    struct key_hash *values = (struct key_hash *)memory.data;
    memset(into, 0, batch->rows * sizeof *into);
    for (size_t i = 0; s == OK && i < batch->column_count; i++) {
        const int key = (int)i;
        const char *name = batch->schema->fields[i].name;
        uint64_t seed = XXH3_64bits(name, strlen(name));
        s = key_hash_rows(batch, &key, 1, values, err);
        for (size_t row = 0; s == OK && row < batch->rows; row++) {
            if (column_is_null(&batch->columns[i], row) || batch->columns[i].type.kind == TYPE_NULL)
                continue;
            XXH128_hash_t h = XXH3_128bits_withSeed(&values[row], sizeof values[row], seed);
            into[row].a += h.low64; /* a sum, so that the order of the columns does not count */
            into[row].b += h.high64;
        }
    }
    buf_release(&memory);
    return s;
}

void row_hash_text(struct key_hash hash, char into[WATERMARK_HASH_TEXT + 1])
{
    snprintf(into, WATERMARK_HASH_TEXT + 1, "%016llx%016llx", (unsigned long long)hash.b, (unsigned long long)hash.a);
}

static bool parse_hex(const char *text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < 16; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *value = *value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

bool row_hash_parse(const char *text, struct key_hash *hash)
{
    return strlen(text) == WATERMARK_HASH_TEXT && parse_hex(text, &hash->b) && parse_hex(text + 16, &hash->a);
}

/* ---- what is new ---- */

struct watermark_filter {
    struct buf last; /* order bytes */
    struct key_hash *ties;
    size_t tie_count;
};

/* The row's value in its order bytes. */
static struct str order_of(const struct buf *orders, const struct buf *ends, size_t row)
{
    const uint32_t *end = (const uint32_t *)ends->data;
    uint32_t from = row ? end[row - 1] : 0;
    return (struct str){(const char *)orders->data + from, end[row] - from};
}

static int by_hash(const void *a, const void *b)
{
    const struct key_hash *x = a, *y = b;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    return (x->a > y->a) - (x->a < y->a);
}

static status no_value_any_more(struct str column, struct data_type type, struct str last, const char *why,
                                struct error *err)
{
    char name[TYPE_NAME_MAX];
    status s = error_set(err, ERR_INVALID, "the last watermark \"%.*s\" is no value of column '%.*s', which is %s: %s",
                         (int)(last.n < 100 ? last.n : 100), last.p, (int)(column.n < 100 ? column.n : 100), column.p,
                         type_name(type, name), why);
    error_hint(
        err, "set a value of that type (PUT .../watermark), or run once with incremental_mode=full, or choose another "
             "watermark_column");
    return s;
}

/* One more value at the end of a column. */
static status column_of_text(struct column *c, struct str column, struct data_type type, struct str text,
                             struct error *err)
{
    struct buf padded = {0};
    uint8_t *at;
    const char *why = "";
    union value value = {.bytes = {0}};
    status s = buf_extend_zero(&padded, CAST_PAD, &at, err);
    if (s == OK)
        s = buf_append_str(&padded, text, err);
    if (s == OK)
        s = buf_extend_zero(&padded, CAST_PAD, &at, err);
    if (s == OK && type_layout(type) == LAYOUT_NONE)
        s = no_value_any_more(column, type, text, "the column holds no value at all", err);
    else if (s == OK && type_is_var(type))
        s = column_append(c, text.p, text.n, err);
    else if (s == OK && !cast_text(type, (const char *)padded.data + CAST_PAD, text.n, &value, &why))
        s = no_value_any_more(column, type, text, why, err);
    else if (s == OK)
        s = column_append(c, &value, type_width(type), err);
    buf_release(&padded);
    return s;
}

status watermark_filter_create(struct watermark_filter **filter, struct str column, struct data_type type,
                               struct str last, const struct key_hash *ties, size_t tie_count, struct error *err)
{
    struct column one = {0};
    struct buf ends = {0};
    struct watermark_filter *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, sizeof *f);
    column_reset(&one, type);
    status s = column_of_text(&one, column, type, last, err);
    if (s == OK)
        s = order_bytes_rows(&one, &f->last, &ends, err);
    if (s == OK && tie_count) {
        f->ties = malloc(tie_count * sizeof *f->ties);
        if (!f->ties)
            s = error_no_memory(err, tie_count * sizeof *f->ties);
    }
    column_release(&one);
    buf_release(&ends);
    if (s != OK) {
        watermark_filter_free(f);
        return s;
    }
    if (tie_count) {
        memcpy(f->ties, ties, tie_count * sizeof *f->ties);
        qsort(f->ties, tie_count, sizeof *f->ties, by_hash);
    }
    f->tie_count = tie_count;
    *filter = f;
    return OK;
}

status watermark_compare(struct str column, struct data_type type, struct str a, struct str b, int *order,
                         struct error *err)
{
    struct column both = {0};
    struct buf orders = {0}, ends = {0};
    column_reset(&both, type);
    status s = column_of_text(&both, column, type, a, err);
    if (s == OK)
        s = column_of_text(&both, column, type, b, err);
    if (s == OK)
        s = order_bytes_rows(&both, &orders, &ends, err);
    if (s == OK)
        *order = str_compare(order_of(&orders, &ends, 0), order_of(&orders, &ends, 1));
    column_release(&both);
    buf_release(&orders);
    buf_release(&ends);
    return s;
}

void watermark_filter_free(struct watermark_filter *f)
{
    if (!f)
        return;
    buf_release(&f->last);
    free(f->ties);
    free(f);
}

static void drop(uint8_t *keep, size_t row, size_t *dropped)
{
    keep[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    ++*dropped;
}

/* Of the rows that have exactly the last value: are they among the ties? */
static status drop_ties(const struct watermark_filter *f, const struct batch *batch, const uint32_t *rows, size_t count,
                        uint8_t *keep, size_t *dropped, struct error *err)
{
    struct batch at_last = {0};
    struct buf hashes = {0};
    status s = batch_reset(&at_last, batch->schema, err);
    if (s == OK)
        s = batch_gather(&at_last, batch, rows, count, err);
    if (s == OK)
        s = buf_resize(&hashes, count * sizeof(struct key_hash), err);
    if (s == OK)
        s = row_hash_rows(&at_last, (struct key_hash *)hashes.data, err);
    for (size_t i = 0; s == OK && i < count; i++)
        if (bsearch((const struct key_hash *)hashes.data + i, f->ties, f->tie_count, sizeof *f->ties, by_hash))
            drop(keep, rows[i], dropped);
    batch_release(&at_last);
    buf_release(&hashes);
    return s;
}

status watermark_filter_apply(const struct watermark_filter *f, struct batch *batch, int column, size_t *dropped,
                              struct error *err)
{
    struct buf orders = {0}, ends = {0}, keep = {0}, equal = {0};
    struct str last = buf_str(&f->last);
    *dropped = 0;
    if (batch->rows == 0)
        return OK;
    status s = order_bytes_rows(&batch->columns[column], &orders, &ends, err);
    if (s == OK)
        s = buf_resize(&keep, (batch->rows + 7) / 8, err);
    if (s == OK)
        memset(keep.data, 0xFF, keep.len);
    for (size_t row = 0; s == OK && row < batch->rows; row++) {
        int order = str_compare(order_of(&orders, &ends, row), last);
        const uint32_t at = (uint32_t)row;
        if (order < 0)
            drop(keep.data, row, dropped);
        else if (order == 0 && f->tie_count)
            s = buf_append(&equal, &at, sizeof at, err);
    }
    if (s == OK && equal.len)
        s = drop_ties(f, batch, (const uint32_t *)equal.data, equal.len / sizeof(uint32_t), keep.data, dropped, err);
    if (s == OK && *dropped)
        batch_filter(batch, keep.data, batch->rows - *dropped);
    buf_release(&orders);
    buf_release(&ends);
    buf_release(&keep);
    buf_release(&equal);
    return s;
}

/* ---- the highest ---- */

void watermark_top_clear(struct watermark_top *top)
{
    top->any = top->too_many = false;
    buf_clear(&top->order);
    buf_clear(&top->text);
    buf_clear(&top->hashes);
}

static status hash_ties(const struct batch *batch, const uint32_t *rows, size_t count, struct watermark_top *top,
                        struct error *err)
{
    struct batch tied = {0};
    if (count > WATERMARK_TIES_MOST) {
        top->too_many = true;
        return OK;
    }
    status s = batch_reset(&tied, batch->schema, err);
    if (s == OK)
        s = batch_gather(&tied, batch, rows, count, err);
    if (s == OK)
        s = buf_resize(&top->hashes, count * sizeof(struct key_hash), err);
    if (s == OK)
        s = row_hash_rows(&tied, (struct key_hash *)top->hashes.data, err);
    batch_release(&tied);
    return s;
}

status watermark_top_of(const struct batch *batch, int column, bool ties, struct watermark_top *top, struct error *err)
{
    const struct column *c = &batch->columns[column];
    struct buf orders = {0}, ends = {0}, rows = {0};
    struct str best = {0};
    size_t best_row = 0;
    watermark_top_clear(top);
    top->type = c->type;
    if (c->type.kind == TYPE_NULL || batch->rows == 0)
        return OK;
    status s = order_bytes_rows(c, &orders, &ends, err);
    for (size_t row = 0; s == OK && row < batch->rows; row++) {
        if (column_is_null(c, row))
            continue;
        const uint32_t at = (uint32_t)row;
        struct str order = order_of(&orders, &ends, row);
        int versus = top->any ? str_compare(order, best) : 1;
        if (versus > 0) {
            best = order;
            best_row = row;
            top->any = true;
            buf_clear(&rows);
        }
        if (versus >= 0 && ties)
            s = buf_append(&rows, &at, sizeof at, err);
    }
    if (s == OK && top->any)
        s = buf_append_str(&top->order, best, err);
    if (s == OK && top->any)
        s = value_text_append(c, best_row, &top->text, err);
    if (s == OK && rows.len)
        s = hash_ties(batch, (const uint32_t *)rows.data, rows.len / sizeof(uint32_t), top, err);
    buf_release(&orders);
    buf_release(&ends);
    buf_release(&rows);
    return s;
}

status watermark_top_join(struct watermark_top *into, const struct watermark_top *more, struct error *err)
{
    if (!more->any)
        return OK;
    int versus = into->any ? str_compare(buf_str(&more->order), buf_str(&into->order)) : 1;
    if (versus < 0)
        return OK;
    status s = OK;
    if (versus > 0) {
        watermark_top_clear(into);
        into->any = true;
        into->type = more->type;
        s = buf_append_str(&into->order, buf_str(&more->order), err);
        if (s == OK)
            s = buf_append_str(&into->text, buf_str(&more->text), err);
    }
    into->too_many |= more->too_many;
    if (s == OK && (into->hashes.len + more->hashes.len) / sizeof(struct key_hash) > WATERMARK_TIES_MOST)
        into->too_many = true;
    if (into->too_many)
        buf_clear(&into->hashes);
    return s == OK && !into->too_many ? buf_append_str(&into->hashes, buf_str(&more->hashes), err) : s;
}

void watermark_top_release(struct watermark_top *top)
{
    buf_release(&top->order);
    buf_release(&top->text);
    buf_release(&top->hashes);
    *top = (struct watermark_top){0};
}
