#include "lake/value_ids.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct id_entry {
    uint64_t key;
    uint32_t id; /* plus 1; 0: nothing here */
};

#define FIRST_ENTRIES 64

void id_table_clear(struct id_table *table)
{
    if (table->entries.len)
        memset(table->entries.data, 0, table->entries.len);
    table->used = 0;
}

void id_table_release(struct id_table *table)
{
    buf_release(&table->entries);
    table->used = 0;
}

static inline size_t home_of(uint64_t key, size_t count)
{
    return (key * 0x9E3779B97F4A7C15u >> 32) & (count - 1);
}

static status grow(struct id_table *table, struct error *err)
{
    size_t old_count = table->entries.len / sizeof(struct id_entry);
    size_t count = old_count ? old_count * 2 : FIRST_ENTRIES;
    struct buf grown = {0};
    uint8_t *at;
    status s = buf_extend_zero(&grown, count * sizeof(struct id_entry), &at, err);
    if (s != OK)
        return s;
    const struct id_entry *from = (const struct id_entry *)table->entries.data;
    struct id_entry *to = (struct id_entry *)at;
    for (size_t i = 0; i < old_count; i++) {
        if (!from[i].id)
            continue;
        size_t slot = home_of(from[i].key, count);
        while (to[slot].id)
            slot = (slot + 1) & (count - 1);
        to[slot] = from[i];
    }
    buf_release(&table->entries);
    table->entries = grown;
    return OK;
}

status id_table_find(struct id_table *table, uint64_t key, id_same same, const void *context, size_t item, uint32_t *id,
                     struct error *err)
{
    size_t count = table->entries.len / sizeof(struct id_entry);
    if (table->used * 2 >= count) {
        status s = grow(table, err);
        if (s != OK)
            return s;
        count = table->entries.len / sizeof(struct id_entry);
    }
    struct id_entry *entries = (struct id_entry *)table->entries.data;
    size_t slot = home_of(key, count);
    for (; entries[slot].id; slot = (slot + 1) & (count - 1))
        if (entries[slot].key == key && (!same || same(context, entries[slot].id - 1, item))) {
            *id = entries[slot].id - 1;
            return OK;
        }
    entries[slot] = (struct id_entry){key, (uint32_t)++table->used};
    *id = (uint32_t)table->used - 1;
    return OK;
}

struct column_values {
    const struct column *column;
    const struct buf *firsts;
};

/* Values of which the key is only a hash; neither is null. */
static bool same_value(const void *context, uint32_t id, size_t row)
{
    const struct column_values *v = context;
    const struct column *c = v->column;
    uint32_t first = ((const uint32_t *)v->firsts->data)[id];
    if (type_is_var(c->type))
        return str_equal(column_str(c, row), column_str(c, first));
    return memcmp(column_value(c, row), column_value(c, first), type_width(c->type)) == 0;
}

static ALWAYS_INLINE uint64_t key_of(const struct column *c, size_t width, size_t row)
{
    switch (width) {
    case 0:
        return XXH3_64bits(column_str(c, row).p, column_str(c, row).n);
    case 1:
        return c->data.data[row];
    case 4:
        return ((const uint32_t *)c->data.data)[row];
    case 8:
        return ((const uint64_t *)c->data.data)[row];
    default:
        return XXH3_64bits(c->data.data + row * width, width);
    }
}

/* Number the values of one width (0: text). Null has a number of its own, taken when the first null comes. */
static ALWAYS_INLINE status ids_of_width(const struct column *c, size_t width, struct id_table *table, uint32_t *ids,
                                         struct buf *firsts, struct error *err)
{
    const struct column_values values = {c, firsts};
    bool hashed = width == 0 || width > sizeof(uint64_t);
    uint64_t last_key = 0;
    uint32_t last_id = UINT32_MAX, null_id = UINT32_MAX;
    status s = OK;
    for (size_t row = 0; s == OK && row < c->length; row++) {
        uint32_t known = (uint32_t)(firsts->len / sizeof(uint32_t)), id = known;
        if (column_is_null(c, row)) {
            if (null_id == UINT32_MAX)
                null_id = (uint32_t)table->used++; /* a number without an entry */
            id = null_id;
        } else {
            uint64_t key = key_of(c, width, row);
            /* Sorted input is common: look at the value before first. */
            if (last_id != UINT32_MAX && key == last_key && (!hashed || same_value(&values, last_id, row))) {
                id = last_id;
            } else {
                s = id_table_find(table, key, hashed ? same_value : NULL, &values, row, &id, err);
                last_key = key;
                last_id = id;
            }
        }
        ids[row] = id;
        if (UNLIKELY(id == known) && s == OK) {
            uint32_t first = (uint32_t)row;
            s = buf_append(firsts, &first, sizeof first, err);
        }
    }
    return s;
}

static status ids_of_values(const struct column *c, struct id_table *table, uint32_t *ids, struct buf *firsts,
                            struct error *err)
{
    size_t width = type_is_var(c->type) ? 0 : type_width(c->type);
    id_table_clear(table);
    switch (width) {
    case 0:
        return ids_of_width(c, 0, table, ids, firsts, err);
    case 1:
        return ids_of_width(c, 1, table, ids, firsts, err);
    case 4:
        return ids_of_width(c, 4, table, ids, firsts, err);
    case 8:
        return ids_of_width(c, 8, table, ids, firsts, err);
    default:
        return ids_of_width(c, 16, table, ids, firsts, err);
    }
}

/* Codes are numbers already; they only have to be renumbered by first appearance. Null counts as one code more. */
static status ids_of_codes(const struct column *c, struct buf *numbers, uint32_t *ids, struct buf *firsts,
                           struct error *err)
{
    const uint32_t *codes = (const uint32_t *)c->codes.data;
    uint8_t *at = NULL;
    status s = buf_extend_zero(numbers, (c->dict_length + 1) * sizeof(uint32_t), &at, err);
    uint32_t *number = (uint32_t *)at; /* plus 1; 0: not met yet */
    uint32_t next = 0;
    for (size_t row = 0; s == OK && row < c->length; row++) {
        size_t code = column_is_null(c, row) ? c->dict_length : codes[row];
        if (UNLIKELY(!number[code])) {
            uint32_t first = (uint32_t)row;
            number[code] = ++next;
            s = buf_append(firsts, &first, sizeof first, err);
        }
        ids[row] = number[code] - 1;
    }
    return s;
}

status value_ids(const struct column *c, struct id_table *table, uint32_t *ids, struct buf *firsts, uint32_t *count,
                 struct error *err)
{
    status s;
    buf_clear(firsts);
    if (c->is_dict) {
        struct buf numbers = {0};
        s = ids_of_codes(c, &numbers, ids, firsts, err);
        buf_release(&numbers);
    } else {
        s = ids_of_values(c, table, ids, firsts, err);
    }
    if (s == OK)
        *count = (uint32_t)(firsts->len / sizeof(uint32_t));
    return s;
}
