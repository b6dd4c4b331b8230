#include "format/parquet/parquet_values.h"

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Bits `row`.. of the bitmap, at most `n` (1..64) of them. */
static uint64_t bits_from(const uint8_t *bits, size_t row, size_t n)
{
    const uint8_t *p = bits + row / 8;
    unsigned shift = row % 8;
    uint64_t v = load64(p) >> shift; /* buffers are followed by readable bytes */
    if (shift)
        v |= (uint64_t)p[8] << (64 - shift);
    return n < 64 ? v & (((uint64_t)1 << n) - 1) : v;
}

size_t parquet_count_present(const struct column *column, size_t begin, size_t end)
{
    if (column->null_count == 0)
        return end - begin;
    size_t present = 0;
    for (size_t row = begin; row < end; row += 64)
        present += (size_t)__builtin_popcountll(bits_from(column->validity.data, row, end - row < 64 ? end - row : 64));
    return present;
}

/* Keep the present ones of `rows` values of a constant `width`. Every value is written and only the place moves on:
 * no branch to guess. One value more than is kept is written at the end. */
static ALWAYS_INLINE size_t compact(const uint8_t *from, size_t rows, const uint8_t *validity, size_t width,
                                    uint8_t *to)
{
    uint8_t *at = to;
    for (size_t row = 0; row < rows; row += 64) {
        size_t n = rows - row < 64 ? rows - row : 64;
        uint64_t bits = bits_from(validity, row, n);
        if (bits == ~(uint64_t)0) {
            memcpy(at, from + row * width, 64 * width);
            at += 64 * width;
        } else if (bits) {
            for (size_t i = 0; i < n; i++, bits >>= 1) {
                memcpy(at, from + (row + i) * width, width);
                at += (bits & 1) * width;
            }
        }
    }
    return (size_t)(at - to) / width;
}

static status compact_into(const struct buf *from, const struct column *c, size_t width, struct buf *to,
                           struct error *err)
{
    buf_clear(to);
    status s = buf_reserve(to, (c->length + 1) * width, err);
    if (s != OK)
        return s;
    const uint8_t *validity = c->validity.data;
    size_t kept = width == 1   ? compact(from->data, c->length, validity, 1, to->data)
                  : width == 4 ? compact(from->data, c->length, validity, 4, to->data)
                  : width == 8 ? compact(from->data, c->length, validity, 8, to->data)
                               : compact(from->data, c->length, validity, 16, to->data);
    to->len = kept * width;
    return OK;
}

/* A null's string has no bytes, so the bytes of the others already touch: only its offset goes. */
static status compact_offsets(const struct column *c, struct buf *to, struct error *err)
{
    status s = compact_into(&c->offsets, c, sizeof(uint32_t), to, err);
    if (s == OK)
        s = buf_append(to, c->offsets.data + c->length * sizeof(uint32_t), sizeof(uint32_t), err);
    return s;
}

static status compact_column(const struct column *c, struct parquet_values_scratch *scratch, struct parquet_values *v,
                             struct error *err)
{
    status s = OK;
    if (c->is_dict) {
        s = compact_into(&c->codes, c, sizeof(uint32_t), &scratch->codes, err);
        v->codes = (const uint32_t *)scratch->codes.data;
    } else if (type_is_var(c->type)) {
        s = compact_offsets(c, &scratch->offsets, err);
        v->offsets = (const uint32_t *)scratch->offsets.data;
    } else if (type_width(c->type)) {
        s = compact_into(&c->data, c, type_width(c->type), &scratch->data, err);
        v->data = scratch->data.data;
    }
    return s;
}

/* Decimals are 16 bytes in a batch. Integers of 4 or 8 bytes are written over the front of the same memory, which is
 * safe because the place written never runs ahead of the place read. */
static void narrow_integers(const uint8_t *from, size_t n, size_t width, uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t low = load64(from + i * 16);
        if (width == 8) {
            memcpy(to + i * 8, &low, 8);
        } else {
            uint32_t lower = (uint32_t)low;
            memcpy(to + i * 4, &lower, 4);
        }
    }
}

static void narrow_big_endian(const uint8_t *from, size_t n, size_t width, uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t low = __builtin_bswap64(load64(from + i * 16)), high = __builtin_bswap64(load64(from + i * 16 + 8));
        uint8_t bytes[16];
        memcpy(bytes, &high, 8);
        memcpy(bytes + 8, &low, 8);
        memcpy(to + i * width, bytes + 16 - width, width);
    }
}

static status narrow_decimals(struct parquet_values *v, struct buf *to, struct error *err)
{
    size_t width = v->type.width;
    bool in_place = v->data == to->data;
    if (!in_place) {
        buf_clear(to);
        status s = buf_reserve(to, v->slots * width, err);
        if (s != OK)
            return s;
    }
    if (v->type.order == ORDER_SIGNED_BYTES)
        narrow_big_endian(v->data, v->slots, width, to->data);
    else
        narrow_integers(v->data, v->slots, width, to->data);
    to->len = v->slots * width;
    v->data = to->data;
    return OK;
}

status parquet_values_of(const struct column *column, struct parquet_values_scratch *scratch,
                         struct parquet_values *values, struct error *err)
{
    static const uint8_t nothing[BUF_PAD]; /* where a column holds no byte at all, so that no pointer is null */
    struct parquet_values v = {
        .type = parquet_type_of(column->type),
        .count = column->length - column->null_count,
        .data = column->data.data ? column->data.data : nothing,
        .offsets = type_is_var(column->type) ? (const uint32_t *)column->offsets.data : NULL,
        .codes = column->is_dict ? (const uint32_t *)column->codes.data : NULL,
    };
    v.slots = column->is_dict ? column->dict_length : v.count;
    status s = OK;
    if (column->null_count && v.count)
        s = compact_column(column, scratch, &v, err);
    if (s == OK && column->type.kind == TYPE_DECIMAL && v.count)
        s = narrow_decimals(&v, &scratch->data, err);
    if (s == OK)
        *values = v;
    return s;
}

void parquet_values_scratch_release(struct parquet_values_scratch *scratch)
{
    buf_release(&scratch->data);
    buf_release(&scratch->offsets);
    buf_release(&scratch->codes);
}
