/* Long values as short bounds (parquet.thrift, Statistics.is_max_value_exact and ColumnIndex.min_values). */
#include "format/parquet/parquet_stats.h"

static bool is_short(struct parquet_type type, struct str value)
{
    return type.width || value.n <= PARQUET_BOUND_BYTES;
}

static size_t prefix_length(struct parquet_type type, struct str value)
{
    return type.is_text ? str_utf8_prefix(value, PARQUET_BOUND_BYTES) : PARQUET_BOUND_BYTES;
}

status parquet_bound_below(struct parquet_type type, struct str value, struct buf *to, bool *exact, struct error *err)
{
    bool whole = is_short(type, value);
    status s = buf_append(to, value.p, whole ? value.n : prefix_length(type, value), err);
    if (s == OK)
        *exact = whole;
    return s;
}

/* Raise the last byte that can be raised; what follows it goes. Returns the new length, 0 if there is none. */
static size_t raise_bytes(uint8_t *bytes, size_t n)
{
    while (n && bytes[n - 1] == 0xFF)
        n--;
    if (n)
        bytes[n - 1]++;
    return n;
}

static uint32_t decode(const uint8_t *p, size_t n)
{
    uint32_t c = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3Fu);
    return c;
}

static size_t encode(uint32_t c, uint8_t *p)
{
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        p[i] = (uint8_t)(0x80 | (c & 0x3F));
    p[0] = (uint8_t)((0xF00 >> n) | c);
    return n;
}

/* Raise the last code point that can be raised. The bytes have room for one more. */
static size_t raise_text(uint8_t *bytes, size_t n)
{
    while (n) {
        size_t begin = n - 1;
        while (begin && (bytes[begin] & 0xC0) == 0x80)
            begin--;
        if (n - begin > 4)
            return 0; /* not UTF-8 */
        uint32_t c = decode(bytes + begin, n - begin) + 1;
        if (c == 0xD800) /* surrogates are no characters */
            c = 0xE000;
        if (c <= 0x10FFFF)
            return begin + encode(c, bytes + begin);
        n = begin;
    }
    return 0;
}

status parquet_bound_above(struct parquet_type type, struct str value, struct buf *to, bool *exact, bool *exists,
                           struct error *err)
{
    if (is_short(type, value)) {
        status s = buf_append(to, value.p, value.n, err);
        if (s == OK)
            *exact = *exists = true;
        return s;
    }
    uint8_t bound[PARQUET_BOUND_BYTES + 4];
    size_t n = prefix_length(type, value);
    memcpy(bound, value.p, n);
    n = type.is_text ? raise_text(bound, n) : raise_bytes(bound, n);
    status s = buf_append(to, bound, n, err);
    if (s == OK) {
        *exact = false;
        *exists = n > 0;
    }
    return s;
}
