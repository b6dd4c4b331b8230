#include "format/parquet/parquet_dict.h"

#include <math.h>
#include <xxhash.h>

#include "format/parquet/parquet_plain.h"
#include "format/parquet/rle.h"

#define SAMPLE_BLOCKS 8
#define SAMPLE_BLOCK_VALUES 512
/* What saves less than this is not worth hashing every value: codecs and readers gain nothing from it. */
#define LEAST_GAIN 0.9
#define FIRST_TABLE 1024
/* A chain this long means values made to collide: no dictionary then. */
#define LONGEST_CHAIN 128
/* Integers within a range like this are counted by their value instead of hashed. */
#define NARROW_RANGE 65536

uint64_t parquet_dict_bytes(const struct parquet_values *v)
{
    struct parquet_values slots = parquet_slots_of(v);
    return parquet_plain_bytes(&slots, 0, v->slots) + (uint64_t)v->count * rle_width(v->slots) / 8;
}

void parquet_dict_release(struct parquet_dict *dict)
{
    buf_release(&dict->table);
    buf_release(&dict->data);
    buf_release(&dict->offsets);
    buf_release(&dict->codes);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Reads up to 8 bytes behind the value, never uses them. */
static inline uint64_t hash_bytes(const uint8_t *p, size_t n)
{
    if (n > 16)
        return XXH3_64bits(p, n);
    uint64_t head = 0, tail = 0;
    if (n > 8) {
        head = load64(p);
        tail = load64(p + n - 8);
    } else if (n) {
        head = load64(p) & (~(uint64_t)0 >> (64 - 8 * n));
    }
    return mix(head ^ 0x9E3779B97F4A7C15u ^ n, tail ^ 0xE7037ED1A0B428DBu);
}

static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (; n >= 8; n -= 8, a += 8, b += 8)
        if (load64(a) != load64(b))
            return false;
    return n == 0 || ((load64(a) ^ load64(b)) & (~(uint64_t)0 >> (64 - 8 * n))) == 0;
}

/* Open addressing. An entry holds the upper half of the hash and code + 1; zero is free. */
struct table {
    uint64_t *entries;
    size_t mask;
};

static status table_reset(struct parquet_dict *dict, struct table *t, size_t size, struct error *err)
{
    buf_clear(&dict->table);
    uint8_t *at;
    status s = buf_extend_zero(&dict->table, size * sizeof *t->entries, &at, err);
    if (s == OK)
        *t = (struct table){(uint64_t *)at, size - 1};
    return s;
}

/* Entries keep 32 bits of the hash, so a table may grow to 2^32 entries without seeing the values again. */
static status table_grow(struct parquet_dict *dict, struct table *t, struct error *err)
{
    struct buf old = dict->table;
    dict->table = (struct buf){0};
    size_t size = t->mask + 1;
    status s = table_reset(dict, t, size * 4, err);
    const uint64_t *entries = (const uint64_t *)old.data;
    for (size_t i = 0; s == OK && i < size; i++) {
        if (!entries[i])
            continue;
        size_t at = (entries[i] >> 32) & t->mask;
        while (t->entries[at])
            at = (at + 1) & t->mask;
        t->entries[at] = entries[i];
    }
    buf_release(&old);
    return s;
}

/* What a build works with; `width` 0: strings. */
struct build {
    struct parquet_dict *dict;
    const struct parquet_values *plain;
    struct table table;
    size_t slots;
    uint64_t bytes; /* of the dictionary so far */
    uint64_t most_bytes;
    bool failed; /* too large, or made to collide */
};

static inline const uint8_t *plain_value(const struct parquet_values *v, size_t width, size_t i, size_t *n)
{
    if (width) {
        *n = width;
        return v->data + i * width;
    }
    *n = v->offsets[i + 1] - v->offsets[i];
    return v->data + v->offsets[i];
}

static inline bool same_value(const struct build *b, size_t width, const uint8_t *p, size_t n, size_t slot)
{
    if (width)
        return bytes_equal(b->dict->data.data + slot * width, p, width);
    const uint32_t *offsets = (const uint32_t *)b->dict->offsets.data;
    return offsets[slot + 1] - offsets[slot] == n && bytes_equal(b->dict->data.data + offsets[slot], p, n);
}

static NO_INLINE status add_slot(struct build *b, size_t width, const uint8_t *p, size_t n, struct error *err)
{
    status s = OK;
    b->bytes += n + (width ? 0 : sizeof(uint32_t));
    if (b->bytes > b->most_bytes) {
        b->failed = true;
        return OK;
    }
    s = buf_append(&b->dict->data, p, n, err);
    uint32_t end = (uint32_t)b->dict->data.len;
    if (s == OK && !width)
        s = buf_append(&b->dict->offsets, &end, sizeof end, err);
    b->slots++;
    if (s == OK && b->slots * 2 > b->table.mask)
        s = table_grow(b->dict, &b->table, err);
    return s;
}

/* Code of one value; a new one is added. b->failed ends the attempt. */
static ALWAYS_INLINE status code_of(struct build *b, size_t width, const uint8_t *p, size_t n, uint32_t *code,
                                    struct error *err)
{
    uint64_t hash = width == 8   ? mix(load64(p) ^ 0x9E3779B97F4A7C15u, 0xE7037ED1A0B428DBu)
                    : width == 4 ? mix((load64(p) & 0xFFFFFFFFu) ^ 0x9E3779B97F4A7C15u, 0xE7037ED1A0B428DBu)
                                 : hash_bytes(p, n);
    uint64_t tag = hash & 0xFFFFFFFF00000000u;
    size_t at = (hash >> 32) & b->table.mask;
    for (unsigned chain = 0; b->table.entries[at]; chain++) {
        uint64_t entry = b->table.entries[at];
        if ((entry & 0xFFFFFFFF00000000u) == tag && same_value(b, width, p, n, (uint32_t)entry - 1)) {
            *code = (uint32_t)entry - 1;
            return OK;
        }
        at = (at + 1) & b->table.mask;
        if (UNLIKELY(chain == LONGEST_CHAIN)) {
            b->failed = true;
            return OK;
        }
    }
    *code = (uint32_t)b->slots;
    b->table.entries[at] = tag | (*code + 1);
    return add_slot(b, width, p, n, err);
}

static ALWAYS_INLINE status encode_values(struct build *b, size_t width, size_t begin, size_t end, uint32_t *codes,
                                          struct error *err)
{
    const struct parquet_values *v = b->plain;
    for (size_t i = begin; i < end; i++) {
        size_t n;
        const uint8_t *p = plain_value(v, width, i, &n);
        status s = code_of(b, width, p, n, codes + i - begin, err);
        if (UNLIKELY(s != OK || b->failed))
            return s;
    }
    return OK;
}

static status encode_range(struct build *b, size_t begin, size_t end, uint32_t *codes, struct error *err)
{
    switch (b->plain->type.width) {
    case 0:
        return encode_values(b, 0, begin, end, codes, err);
    case 4:
        return encode_values(b, 4, begin, end, codes, err);
    case 8:
        return encode_values(b, 8, begin, end, codes, err);
    default:
        return encode_values(b, b->plain->type.width, begin, end, codes, err);
    }
}

static status build_start(struct build *b, struct parquet_dict *dict, const struct parquet_values *plain, size_t codes,
                          uint64_t most_bytes, struct error *err)
{
    static const uint32_t zero;
    *b = (struct build){.dict = dict, .plain = plain, .most_bytes = most_bytes};
    buf_clear(&dict->data);
    buf_clear(&dict->offsets);
    status s = buf_resize(&dict->codes, codes * sizeof(uint32_t), err);
    if (s == OK && !plain->type.width)
        s = buf_append(&dict->offsets, &zero, sizeof zero, err);
    if (s == OK)
        s = table_reset(dict, &b->table, FIRST_TABLE, err);
    return s;
}

/* Distinct values among `count` when `seen` of a random sample of `sampled` were distinct: with D values in all, a
 * sample of n is expected to hold D * (1 - exp(-n / D)) of them. Solved for D by halving. */
static double expected_distinct(double seen, double sampled, double count)
{
    double low = seen, high = 1e12;
    for (int i = 0; i < 60; i++) {
        double d = sqrt(low * high);
        if (d * -expm1(-sampled / d) < seen)
            low = d;
        else
            high = d;
    }
    return low * -expm1(-count / low);
}

/* The integers' smallest value and how many values its range has; false when it is not narrow. */
static bool narrow_range(const struct parquet_values *v, int64_t *min, size_t *range)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    if (v->type.order == ORDER_I32) {
        const int32_t *values = (const int32_t *)v->data;
        int32_t lo32 = INT32_MAX, hi32 = INT32_MIN;
        for (size_t i = 0; i < v->count; i++) {
            lo32 = values[i] < lo32 ? values[i] : lo32;
            hi32 = values[i] > hi32 ? values[i] : hi32;
        }
        lo = lo32;
        hi = hi32;
    } else if (v->type.order == ORDER_I64) {
        const int64_t *values = (const int64_t *)v->data;
        for (size_t i = 0; i < v->count; i++) {
            lo = values[i] < lo ? values[i] : lo;
            hi = values[i] > hi ? values[i] : hi;
        }
    } else {
        return false;
    }
    if ((uint64_t)hi - (uint64_t)lo >= NARROW_RANGE || (uint64_t)hi - (uint64_t)lo >= 2 * (uint64_t)v->count)
        return false;
    *min = lo;
    *range = (size_t)((uint64_t)hi - (uint64_t)lo) + 1;
    return true;
}

status parquet_dict_promising(struct parquet_dict *dict, const struct parquet_values *plain, uint64_t max_bytes,
                              bool *promising, struct error *err)
{
    int64_t min;
    size_t range;
    *promising = true;
    if (plain->count <= SAMPLE_BLOCKS * SAMPLE_BLOCK_VALUES || narrow_range(plain, &min, &range))
        return OK;
    struct build b;
    uint64_t plain_bytes = parquet_plain_bytes(plain, 0, plain->count);
    status s = build_start(&b, dict, plain, SAMPLE_BLOCK_VALUES, UINT64_MAX, err);
    for (size_t block = 0; s == OK && !b.failed && block < SAMPLE_BLOCKS; block++) {
        size_t begin = (plain->count - SAMPLE_BLOCK_VALUES) * block / (SAMPLE_BLOCKS - 1);
        s = encode_range(&b, begin, begin + SAMPLE_BLOCK_VALUES, (uint32_t *)dict->codes.data, err);
    }
    if (s != OK)
        return s;
    double sampled = SAMPLE_BLOCKS * SAMPLE_BLOCK_VALUES;
    double distinct = expected_distinct((double)b.slots, sampled, (double)plain->count);
    double entry = (double)b.bytes / (double)b.slots;
    double code_bytes = (double)plain->count * rle_width((size_t)distinct) / 8;
    *promising = !b.failed && distinct * entry < (double)max_bytes * 1.1 &&
                 distinct * entry + code_bytes < (double)plain_bytes * LEAST_GAIN;
    return OK;
}

/* Mark the values that occur; look their numbers up. One pair for each integer width. */
#define NARROW_LOOPS(suffix, ctype)                                                                                    \
    static void mark_##suffix(const ctype *values, size_t count, int64_t min, uint32_t *numbers)                       \
    {                                                                                                                  \
        for (size_t i = 0; i < count; i++)                                                                             \
            numbers[(uint64_t)(int64_t)values[i] - (uint64_t)min] = 1;                                                 \
    }                                                                                                                  \
    static void number_##suffix(const ctype *values, size_t count, int64_t min, const uint32_t *numbers,               \
                                uint32_t *codes)                                                                       \
    {                                                                                                                  \
        for (size_t i = 0; i < count; i++)                                                                             \
            codes[i] = numbers[(uint64_t)(int64_t)values[i] - (uint64_t)min];                                          \
    }

NARROW_LOOPS(i32, int32_t)
NARROW_LOOPS(i64, int64_t)

/* Codes are numbered in the order of the values. */
static status build_narrow(struct parquet_dict *dict, const struct parquet_values *v, int64_t min, size_t range,
                           size_t *slots, struct error *err)
{
    uint8_t *at;
    buf_clear(&dict->table);
    buf_clear(&dict->data);
    status s = buf_extend_zero(&dict->table, range * sizeof(uint32_t), &at, err);
    if (s == OK)
        s = buf_reserve(&dict->data, range * v->type.width, err);
    if (s == OK)
        s = buf_resize(&dict->codes, v->count * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    uint32_t *numbers = (uint32_t *)at, *codes = (uint32_t *)dict->codes.data;
    bool is_32 = v->type.order == ORDER_I32;
    if (is_32)
        mark_i32((const int32_t *)v->data, v->count, min, numbers);
    else
        mark_i64((const int64_t *)v->data, v->count, min, numbers);
    uint32_t next = 0;
    for (size_t i = 0; i < range; i++) {
        if (!numbers[i])
            continue;
        int64_t value = (int64_t)((uint64_t)min + i);
        int32_t value32 = (int32_t)value;
        numbers[i] = next++;
        buf_append_unsafe(&dict->data, is_32 ? (void *)&value32 : (void *)&value, v->type.width);
    }
    if (is_32)
        number_i32((const int32_t *)v->data, v->count, min, numbers, codes);
    else
        number_i64((const int64_t *)v->data, v->count, min, numbers, codes);
    *slots = next;
    return OK;
}

status parquet_dict_build(struct parquet_dict *dict, const struct parquet_values *plain, uint64_t max_bytes,
                          struct parquet_values *result, bool *built, struct error *err)
{
    uint64_t plain_bytes = parquet_plain_bytes(plain, 0, plain->count);
    struct build b;
    int64_t min;
    size_t range;
    status s;
    *built = false;
    if (narrow_range(plain, &min, &range)) {
        b = (struct build){.dict = dict};
        s = build_narrow(dict, plain, min, range, &b.slots, err);
        b.bytes = (uint64_t)b.slots * plain->type.width;
    } else {
        s = build_start(&b, dict, plain, plain->count, max_bytes < plain_bytes ? max_bytes : plain_bytes, err);
        if (s == OK)
            s = encode_range(&b, 0, plain->count, (uint32_t *)dict->codes.data, err);
    }
    if (s != OK || b.failed || b.bytes > max_bytes)
        return s;
    struct parquet_values v = *plain;
    v.slots = b.slots;
    v.data = dict->data.data;
    v.offsets = plain->type.width ? NULL : (const uint32_t *)dict->offsets.data;
    v.codes = (const uint32_t *)dict->codes.data;
    if (v.data && parquet_dict_bytes(&v) < plain_bytes) {
        *result = v;
        *built = true;
    }
    return OK;
}
