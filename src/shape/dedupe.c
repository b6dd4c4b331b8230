#include "shape/dedupe.h"

#include <stdlib.h>

#include "shape/key_hash.h"
#include "shape/order_bytes.h"
#include "shape/row_marks.h"
#include "shape/winner_set.h"

struct dedupe_index {
    int *keys;
    size_t key_count;
    int order_by;
    size_t memory;
    char *temp_dir;
    uint64_t rows; /* added so far */
    bool resolved;
    struct spill_file spill;
    struct row_marks losers;
    struct winner_set *winners; /* made by the first rows: only then are the types known */
    uint64_t key_types;
    struct data_type order_type;
};

status dedupe_create(struct dedupe_index **index, const struct dedupe_options *options, struct error *err)
{
    if (options->key_count == 0)
        return error_set(err, ERR_INVALID, "dedupe needs at least one key column");
    struct dedupe_index *d = calloc(1, sizeof *d);
    if (!d)
        return error_no_memory(err, sizeof *d);
    d->keys = malloc(options->key_count * sizeof *d->keys);
    d->temp_dir = strdup(options->temp_dir);
    if (!d->keys || !d->temp_dir) {
        dedupe_free(d);
        return error_no_memory(err, options->key_count * sizeof *d->keys);
    }
    memcpy(d->keys, options->keys, options->key_count * sizeof *d->keys);
    d->key_count = options->key_count;
    d->order_by = options->order_by;
    d->memory = options->memory;
    spill_file_init(&d->spill, d->temp_dir);
    row_marks_init(&d->losers, d->memory / 4, &d->spill);
    *index = d;
    return OK;
}

void dedupe_free(struct dedupe_index *d)
{
    if (!d)
        return;
    winner_set_free(d->winners);
    row_marks_release(&d->losers);
    spill_file_release(&d->spill);
    free(d->temp_dir);
    free(d->keys);
    free(d);
}

/* A quarter is for the marks of the losers. */
static size_t winner_memory(const struct dedupe_index *d)
{
    return d->memory - d->memory / 4;
}

static uint64_t digest_types(const struct dedupe_index *d, const struct batch *batch)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < d->key_count; i++) {
        struct data_type t = batch->columns[d->keys[i]].type;
        digest = (digest ^ ((uint64_t)t.kind << 16 | (uint64_t)t.precision << 8 | t.scale)) * 0x9E3779B97F4A7C15u;
    }
    return digest;
}

status dedupe_rows_of(const struct dedupe_index *d, const struct batch *batch, struct dedupe_rows *rows,
                      struct error *err)
{
    rows->rows = batch->rows;
    rows->order_width = 0;
    rows->order_type = (struct data_type){.kind = TYPE_NULL};
    rows->key_types = digest_types(d, batch);
    buf_clear(&rows->orders);
    buf_clear(&rows->order_ends);
    if (batch->rows > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "a batch holds more than 2^32 rows");
    status s = buf_resize(&rows->scratch, batch->rows * sizeof(struct key_hash), err);
    if (s == OK)
        s = buf_resize(&rows->hashes, batch->rows * sizeof(struct key_hash), err);
    if (s == OK)
        s = buf_resize(&rows->hash_rows, batch->rows * sizeof(uint32_t), err);
    if (s == OK && batch->rows)
        s = key_hash_rows(batch, d->keys, d->key_count, (struct key_hash *)rows->scratch.data, err);
    if (s == OK && batch->rows)
        winner_group(winner_memory(d), (const struct key_hash *)rows->scratch.data, batch->rows,
                     (struct key_hash *)rows->hashes.data, (uint32_t *)rows->hash_rows.data);
    if (s == OK && d->order_by >= 0) {
        const struct column *order = &batch->columns[d->order_by];
        rows->order_type = order->type;
        rows->order_width = order_bytes_width(order->type);
        s = order_bytes_rows(order, &rows->orders, &rows->order_ends, err);
    }
    return s;
}

static status create_winners(struct dedupe_index *d, const struct dedupe_rows *rows, struct error *err)
{
    struct winner_options options = {.order = ORDER_NONE, .memory = winner_memory(d)};
    /* Without a type yet only the form that takes values of any width will do. The null of TYPE_NULL is a prefix of
     * every other type's: it loses to a later null as it would by position. */
    if (d->order_by >= 0 && rows->order_width && rows->order_type.kind != TYPE_NULL) {
        options.order = ORDER_FIXED;
        options.order_width = rows->order_width;
    } else if (d->order_by >= 0) {
        options.order = ORDER_VAR;
    }
    d->key_types = rows->key_types;
    d->order_type = rows->order_type;
    return winner_set_create(&d->winners, &options, &d->spill, &d->losers, err);
}

/* Values of two types never compare: hashes would differ for equal keys, and widths for orders. */
static status check_types(struct dedupe_index *d, const struct dedupe_rows *rows, struct error *err)
{
    if (d->order_type.kind == TYPE_NULL)
        d->order_type = rows->order_type;
    if (rows->key_types == d->key_types && type_equal(rows->order_type, d->order_type))
        return OK;
    return error_set(err, ERR_INTERNAL, "a key or order column changed its type while dedupe collected it");
}

status dedupe_add(struct dedupe_index *d, const struct dedupe_rows *rows, struct error *err)
{
    if (d->resolved)
        return error_set(err, ERR_INTERNAL, "rows were added to dedupe after it was resolved");
    if (rows->rows == 0)
        return OK;
    status s = d->winners ? check_types(d, rows, err) : create_winners(d, rows, err);
    if (s != OK)
        return s;
    const struct winner_rows added = {
        .hashes = (const struct key_hash *)rows->hashes.data,
        .rows = (const uint32_t *)rows->hash_rows.data,
        .orders = rows->orders.data,
        .order_ends = (const uint32_t *)rows->order_ends.data,
        .first_row = d->rows,
        .n = rows->rows,
    };
    s = winner_set_add(d->winners, &added, err);
    d->rows += rows->rows;
    return s;
}

status dedupe_resolve(struct dedupe_index *d, uint64_t *losers, struct error *err)
{
    status s = d->winners ? winner_set_resolve(d->winners, err) : OK;
    winner_set_free(d->winners);
    d->winners = NULL;
    d->resolved = true;
    if (s == OK)
        s = row_marks_seal(&d->losers, err);
    spill_file_release(&d->spill);
    if (s == OK)
        *losers = d->losers.count;
    return s;
}

status dedupe_keep(const struct dedupe_index *d, uint64_t first_row, size_t rows, uint8_t *keep, size_t *kept,
                   struct error *err)
{
    if (!d->resolved || first_row > d->rows || rows > d->rows - first_row)
        return error_set(err, ERR_INTERNAL, "dedupe was asked about rows it has not seen");
    return row_marks_unmarked(&d->losers, first_row, rows, keep, kept, err);
}

void dedupe_rows_release(struct dedupe_rows *rows)
{
    buf_release(&rows->hashes);
    buf_release(&rows->hash_rows);
    buf_release(&rows->scratch);
    buf_release(&rows->orders);
    buf_release(&rows->order_ends);
    *rows = (struct dedupe_rows){0};
}
