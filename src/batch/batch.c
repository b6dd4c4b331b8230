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
    for (size_t i = 0; i < schema->count; i++)
        column_reset(&b->columns[i], schema->fields[i].type);
    return OK;
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
    *b = (struct batch){0};
}
