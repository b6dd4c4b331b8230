#include "batch/batch.h"

#include <stdlib.h>

status batch_reset(struct batch *b, const struct schema *schema, struct error *err)
{
    if (b->column_count != schema->count) {
        batch_release(b);
        b->columns = calloc(schema->count ? schema->count : 1, sizeof *b->columns);
        if (!b->columns)
            return error_no_memory(err, schema->count * sizeof *b->columns);
        b->column_count = schema->count;
    }
    b->schema = schema;
    b->rows = 0;
    buf_clear(&b->bad);
    buf_clear(&b->bad_text);
    for (size_t i = 0; i < schema->count; i++)
        column_reset(&b->columns[i], schema->fields[i].type);
    return OK;
}

#define BAD_TEXT_MOST 100 /* bytes that a message quotes */

status batch_add_bad(struct batch *b, size_t row, size_t column, struct str text, const char *why, struct error *err)
{
    struct bad_value bad = {
        .row = (uint32_t)row,
        .column = (uint32_t)column,
        .text_at = (uint32_t)b->bad_text.len,
        .text_length = (uint32_t)str_utf8_prefix(text, BAD_TEXT_MOST),
        .why = why,
    };
    status s = buf_append(&b->bad_text, text.p, bad.text_length, err);
    return s == OK ? buf_append(&b->bad, &bad, sizeof bad, err) : s;
}

void batch_filter(struct batch *b, const uint8_t *keep, size_t kept)
{
    for (size_t i = 0; i < b->column_count; i++)
        column_filter(&b->columns[i], keep);
    b->rows = kept;
}

status batch_gather(struct batch *to, const struct batch *from, const uint32_t *rows, size_t n, struct error *err)
{
    for (size_t i = 0; i < to->column_count; i++) {
        status s = column_gather(&to->columns[i], &from->columns[i], rows, n, err);
        if (s != OK)
            return s;
    }
    to->rows += n;
    return OK;
}

size_t batch_memory(const struct batch *b)
{
    size_t total = 0;
    for (size_t i = 0; i < b->column_count; i++)
        total += column_memory(&b->columns[i]);
    return total;
}

void batch_release(struct batch *b)
{
    for (size_t i = 0; i < b->column_count; i++)
        column_release(&b->columns[i]);
    free(b->columns);
    buf_release(&b->bad);
    buf_release(&b->bad_text);
    *b = (struct batch){0};
}
