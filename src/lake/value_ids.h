/* Small numbers for values: rows with equal values get the same number, numbers count up from 0 in order of first
 * appearance. */
#ifndef FF_LAKE_VALUE_IDS_H
#define FF_LAKE_VALUE_IDS_H

#include "batch/column.h"

/* An open-addressing table from 64-bit keys to numbers. Zeroed: empty. */
struct id_table {
    struct buf entries; /* struct id_entry[], a power of two of them */
    size_t used;
};

/* Is the value behind `id` the one that is looked for? Told apart by the caller when keys are hashes. */
typedef bool (*id_same)(const void *context, uint32_t id, size_t item);

void id_table_clear(struct id_table *table);
/* The number of `key`, which is the next free one if it is new. `same` NULL: keys are the values themselves. */
status id_table_find(struct id_table *table, uint64_t key, id_same same, const void *context, size_t item, uint32_t *id,
                     struct error *err) MUST_USE;
void id_table_release(struct id_table *table);

/* ids: one a row of the column, *count distinct. `firsts` is filled with the first row of each. Values are told apart
 * by their bytes, and null from every value. */
status value_ids(const struct column *c, struct id_table *table, uint32_t *ids, struct buf *firsts, uint32_t *count,
                 struct error *err) MUST_USE;

#endif
