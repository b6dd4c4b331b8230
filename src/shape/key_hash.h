/* 128-bit hashes of rows over their key columns. Two rows with equal keys have equal hashes in whichever form
 * (plain or dictionary) their columns come, and from batch to batch; XXH3 makes anything else so unlikely (2^-64 at
 * four billion rows) that equal hash counts as equal key.
 *
 * Every value is hashed on its own and the hashes of a row's values are hashed together, so that ("a", "bc") and
 * ("ab", "c") differ. -0.0 equals 0.0 and every NaN equals every other. A null equals only another null. */
#ifndef FF_SHAPE_KEY_HASH_H
#define FF_SHAPE_KEY_HASH_H

#include "batch/batch.h"

struct key_hash {
    uint64_t a, b;
};

/* into: one hash a row of the batch. At least one key. Thread-safe. */
status key_hash_rows(const struct batch *batch, const int *keys, size_t key_count, struct key_hash *into,
                     struct error *err) MUST_USE;

#endif
