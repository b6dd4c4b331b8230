#include "format/parquet/parquet_plain.h"

/* Short strings are copied in pieces of this size, over and beyond their end. */
#define PIECE 16

struct parquet_values parquet_slots_of(const struct parquet_values *v)
{
    struct parquet_values slots = *v;
    slots.codes = NULL;
    slots.count = v->slots;
    return slots;
}

uint64_t parquet_plain_bytes(const struct parquet_values *v, size_t begin, size_t end)
{
    uint64_t n = end - begin;
    if (v->type.physical == PARQUET_BOOLEAN)
        return (n + 7) / 8;
    if (v->type.width)
        return n * v->type.width;
    uint64_t bytes = n * sizeof(uint32_t);
    if (!v->codes)
        return n ? bytes + (v->offsets[end] - v->offsets[begin]) : 0;
    for (size_t i = begin; i < end; i++)
        bytes += v->offsets[v->codes[i] + 1] - v->offsets[v->codes[i]];
    return bytes;
}

static void encode_booleans(const struct parquet_values *v, size_t begin, size_t end, uint8_t *at)
{
    size_t i = begin;
    if (!v->codes)
        for (; i + 8 <= end; i += 8) { /* eight bytes of 0 or 1: the product gathers them in its top byte */
            uint64_t eight;
            memcpy(&eight, v->data + i, sizeof eight);
            *at++ = (uint8_t)(eight * 0x0102040810204080u >> 56);
        }
    for (; i < end; i += 8) {
        unsigned bits = 0;
        for (size_t k = i; k < end && k < i + 8; k++)
            bits |= (unsigned)(v->data[parquet_slot(v, k)] != 0) << (k - i);
        *at++ = (uint8_t)bits;
    }
}

static ALWAYS_INLINE void gather(const uint8_t *data, const uint32_t *codes, size_t n, size_t width, uint8_t *at)
{
    for (size_t i = 0; i < n; i++)
        memcpy(at + i * width, data + codes[i] * width, width);
}

static void encode_fixed(const struct parquet_values *v, size_t begin, size_t n, uint8_t *at)
{
    size_t width = v->type.width;
    if (!v->codes)
        memcpy(at, v->data + begin * width, n * width);
    else if (width == 4)
        gather(v->data, v->codes + begin, n, 4, at);
    else if (width == 8)
        gather(v->data, v->codes + begin, n, 8, at);
    else
        gather(v->data, v->codes + begin, n, width, at);
}

/* Both sides may be touched PIECE bytes further than the string: the buffer's padding before, the reserve behind. */
static ALWAYS_INLINE uint8_t *put_string(const uint8_t *from, uint32_t n, uint8_t *at)
{
    memcpy(at, &n, sizeof n);
    at += sizeof n;
    memcpy(at, from, PIECE);
    if (n > PIECE) {
        memcpy(at + PIECE, from + PIECE, PIECE);
        if (n > 2 * PIECE) {
            memcpy(at + 2 * PIECE, from + 2 * PIECE, PIECE);
            if (n > 3 * PIECE)
                memcpy(at + 3 * PIECE, from + 3 * PIECE, n - 3 * PIECE);
        }
    }
    return at + n;
}

static void encode_strings(const struct parquet_values *v, size_t begin, size_t end, uint8_t *at)
{
    const uint32_t *offsets = v->offsets;
    if (v->codes) {
        for (size_t i = begin; i < end; i++) {
            uint32_t slot = v->codes[i];
            at = put_string(v->data + offsets[slot], offsets[slot + 1] - offsets[slot], at);
        }
        return;
    }
    for (size_t i = begin; i < end; i++)
        at = put_string(v->data + offsets[i], offsets[i + 1] - offsets[i], at);
}

status parquet_plain_encode(const struct parquet_values *v, size_t begin, size_t end, struct buf *to, struct error *err)
{
    uint64_t bytes = parquet_plain_bytes(v, begin, end);
    if (bytes > PARQUET_PAGE_MOST_BYTES) {
        status s = error_set(err, ERR_LIMIT, "a value of %llu bytes does not fit into a Parquet page",
                             (unsigned long long)bytes);
        error_hint(err, "Parquet holds at most 2 GiB in one value");
        return s;
    }
    status s = buf_reserve(to, bytes + PIECE, err);
    if (s != OK || bytes == 0)
        return s;
    uint8_t *at = to->data + to->len;
    if (v->type.physical == PARQUET_BOOLEAN)
        encode_booleans(v, begin, end, at);
    else if (v->type.width)
        encode_fixed(v, begin, end - begin, at);
    else
        encode_strings(v, begin, end, at);
    to->len += bytes;
    return OK;
}
