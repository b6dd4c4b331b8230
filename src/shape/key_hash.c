#include "shape/key_hash.h"

#include <math.h>

/* The hash as inline code: with the length of the value known, a few multiplications are left of it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Canonical bytes of doubles and floats: one NaN, one zero. */
static inline double canonical_f64(double v)
{
    return isnan(v) ? (double)NAN : v + 0.0; /* -0.0 + 0.0 is 0.0 */
}

static inline float canonical_f32(float v)
{
    return isnan(v) ? NAN : v + 0.0f;
}

static inline struct key_hash hash_bytes(const void *bytes, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(bytes, n);
    return (struct key_hash){h.low64, h.high64};
}

static inline struct key_hash hash_pair(struct key_hash first, struct key_hash second)
{
    const struct key_hash both[2] = {first, second};
    return hash_bytes(both, sizeof both);
}

static const struct key_hash null_hash = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu};

/* What to do with the hash of a row's value: the first key's stands for the row, later ones are joined to it. */
static inline void put(struct key_hash *at, struct key_hash value, bool join)
{
    *at = join ? hash_pair(*at, value) : value;
}

static ALWAYS_INLINE struct key_hash hash_slot(const struct column *c, enum value_layout layout, size_t slot)
{
    const uint8_t *data = c->data.data;
    switch (layout) {
    case LAYOUT_BOOL:
        return hash_bytes(data + slot, 1);
    case LAYOUT_I32:
        return hash_bytes(data + slot * 4, 4);
    case LAYOUT_I64:
        return hash_bytes(data + slot * 8, 8);
    case LAYOUT_F32: {
        float v = canonical_f32(((const float *)data)[slot]);
        return hash_bytes(&v, 4);
    }
    case LAYOUT_F64: {
        double v = canonical_f64(((const double *)data)[slot]);
        return hash_bytes(&v, 8);
    }
    case LAYOUT_I128:
    case LAYOUT_BYTES16:
        return hash_bytes(data + slot * 16, 16);
    case LAYOUT_VAR: {
        struct str s = column_slot_str(c, slot);
        return hash_bytes(s.p, s.n);
    }
    case LAYOUT_NONE:
        break;
    }
    return null_hash;
}

static ALWAYS_INLINE void hash_slots(const struct column *c, enum value_layout layout, size_t n, struct key_hash *into,
                                     bool join)
{
    for (size_t slot = 0; slot < n; slot++)
        put(&into[slot], hash_slot(c, layout, slot), join);
}

/* The values as they lie, one loop a layout. */
static void hash_plain(const struct column *c, size_t n, struct key_hash *into, bool join)
{
    switch (type_layout(c->type)) {
    case LAYOUT_BOOL:
        hash_slots(c, LAYOUT_BOOL, n, into, join);
        break;
    case LAYOUT_I32:
        hash_slots(c, LAYOUT_I32, n, into, join);
        break;
    case LAYOUT_I64:
        hash_slots(c, LAYOUT_I64, n, into, join);
        break;
    case LAYOUT_F32:
        hash_slots(c, LAYOUT_F32, n, into, join);
        break;
    case LAYOUT_F64:
        hash_slots(c, LAYOUT_F64, n, into, join);
        break;
    case LAYOUT_I128:
    case LAYOUT_BYTES16:
        hash_slots(c, LAYOUT_BYTES16, n, into, join);
        break;
    case LAYOUT_VAR:
        hash_slots(c, LAYOUT_VAR, n, into, join);
        break;
    case LAYOUT_NONE:
        hash_slots(c, LAYOUT_NONE, n, into, join);
        break;
    }
}

/* Row by row, by the value's slot: columns with nulls, and dictionaries larger than the batch. */
static void hash_by_row(const struct column *c, size_t rows, struct key_hash *into, bool join)
{
    enum value_layout layout = type_layout(c->type);
    for (size_t row = 0; row < rows; row++)
        put(&into[row], column_is_null(c, row) ? null_hash : hash_slot(c, layout, column_slot(c, row)), join);
}

/* Each distinct value once, then a look-up a row. */
static status hash_dictionary(const struct column *c, size_t rows, struct key_hash *into, bool join, struct error *err)
{
    const uint32_t *codes = (const uint32_t *)c->codes.data;
    struct buf memory = {0};
    status s = buf_resize(&memory, (c->dict_length + 1) * sizeof(struct key_hash), err);
    if (s != OK)
        return s;
    struct key_hash *entries = (struct key_hash *)memory.data;
    entries[0] = null_hash; /* a column of nulls may have no entry, its codes are 0 */
    hash_plain(c, c->dict_length, entries, false);
    if (c->null_count) {
        for (size_t row = 0; row < rows; row++)
            put(&into[row], column_is_null(c, row) ? null_hash : entries[codes[row]], join);
    } else if (join) {
        for (size_t row = 0; row < rows; row++)
            into[row] = hash_pair(into[row], entries[codes[row]]);
    } else {
        for (size_t row = 0; row < rows; row++)
            into[row] = entries[codes[row]];
    }
    buf_release(&memory);
    return OK;
}

status key_hash_rows(const struct batch *batch, const int *keys, size_t key_count, struct key_hash *into,
                     struct error *err)
{
    status s = OK;
    for (size_t k = 0; s == OK && k < key_count; k++) {
        const struct column *c = &batch->columns[keys[k]];
        if (c->is_dict && c->dict_length <= batch->rows)
            s = hash_dictionary(c, batch->rows, into, k > 0, err);
        else if (c->is_dict || c->null_count)
            hash_by_row(c, batch->rows, into, k > 0);
        else
            hash_plain(c, batch->rows, into, k > 0);
    }
    return s;
}
