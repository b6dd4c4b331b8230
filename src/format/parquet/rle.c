#include "format/parquet/rle.h"

#define VARINT_MAX 10
#define PACK_OVERWRITE 8

unsigned rle_width(size_t count)
{
    return count <= 2 ? 1 : 64 - (unsigned)__builtin_clzll(count - 1);
}

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (uint8_t)(v | 0x80);
    *at++ = (uint8_t)v;
    return at;
}

/* Eight codes at a time; with `width` a constant all shifts and the places of the stores are constants too. */
static ALWAYS_INLINE void pack(const uint32_t *codes, size_t groups, unsigned width, uint8_t *to)
{
    for (; groups; groups--, codes += 8, to += width) {
        uint64_t bits = 0;
        unsigned have = 0;
        uint8_t *at = to;
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            bits |= (uint64_t)codes[i] << have;
            have += width;
            if (have >= 32) {
                uint32_t low = (uint32_t)bits;
                memcpy(at, &low, sizeof low);
                at += sizeof low;
                bits >>= 32;
                have -= 32;
            }
        }
        memcpy(at, &bits, sizeof(uint32_t));
    }
}

void rle_pack(const uint32_t *codes, size_t groups, unsigned width, uint8_t *to)
{
#define WIDTH(w)                                                                                                       \
    case w:                                                                                                            \
        pack(codes, groups, w, to);                                                                                    \
        break;
    switch (width) {
        WIDTH(1)
        WIDTH(2)
        WIDTH(3)
        WIDTH(4)
        WIDTH(5)
        WIDTH(6)
        WIDTH(7)
        WIDTH(8)
        WIDTH(9)
        WIDTH(10)
        WIDTH(11)
        WIDTH(12)
        WIDTH(13)
        WIDTH(14)
        WIDTH(15)
        WIDTH(16)
        WIDTH(17)
        WIDTH(18)
        WIDTH(19)
        WIDTH(20)
    default:
        pack(codes, groups, width, to);
    }
#undef WIDTH
}

static inline uint64_t load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline bool eight_equal(const uint32_t *codes)
{
    uint64_t a = load64(codes);
    uint64_t differ = (a ^ load64(codes + 2)) | (a ^ load64(codes + 4)) | (a ^ load64(codes + 6));
    return (differ | (a ^ (a << 32 | a >> 32))) == 0;
}

/* Codes equal to the first; at least 8 are known to be. */
static size_t run_length(const uint32_t *codes, size_t n)
{
    uint64_t pair = load64(codes);
    size_t i = 8;
    while (i + 2 <= n && load64(codes + i) == pair)
        i += 2;
    while (i < n && codes[i] == codes[0])
        i++;
    return i;
}

/* A run costs a header and a value, and one more header for what is packed after it: shorter ones are packed. */
static size_t shortest_run(unsigned width)
{
    size_t value_bytes = (width + 7) / 8;
    size_t run = 8;
    while (run / 8 * width < 2 + value_bytes)
        run += 8;
    return run;
}

/* Full groups from `at` on that are better packed than written as a run. */
static size_t groups_to_pack(const uint32_t *codes, size_t n, size_t shortest)
{
    size_t i = 0;
    while (i + 8 <= n) {
        if (!eight_equal(codes + i)) {
            i += 8;
            continue;
        }
        size_t run = run_length(codes + i, n - i);
        if (run >= shortest)
            break;
        i += run & ~(size_t)7;
    }
    return i / 8;
}

/* The last values, fewer than 8, are padded with zeros to a group. */
static uint8_t *pack_run(const uint32_t *codes, size_t n, unsigned width, uint8_t *at)
{
    size_t groups = n / 8, rest = n % 8;
    at = put_varint(at, (groups + (rest != 0)) << 1 | 1);
    rle_pack(codes, groups, width, at);
    at += groups * width;
    if (rest) {
        uint32_t last[8] = {0};
        memcpy(last, codes + groups * 8, rest * sizeof *codes);
        rle_pack(last, 1, width, at);
        at += width;
    }
    return at;
}

status rle_encode_codes(const uint32_t *codes, size_t n, unsigned width, struct buf *to, struct error *err)
{
    /* A run is written only where it is not longer than packing, but for the size of the next header. */
    status s = buf_reserve(to, (n / 8 + 2) * (width + 1) + 4 * VARINT_MAX + PACK_OVERWRITE, err);
    if (s != OK)
        return s;
    uint8_t *at = to->data + to->len;
    size_t value_bytes = (width + 7) / 8;
    size_t shortest = shortest_run(width);
    while (n) {
        size_t packed = groups_to_pack(codes, n, shortest) * 8;
        if (n - packed < 8)
            packed = n;
        if (packed) {
            at = pack_run(codes, packed, width, at);
            codes += packed;
            n -= packed;
        }
        if (n) {
            size_t run = run_length(codes, n);
            at = put_varint(at, (uint64_t)run << 1);
            memcpy(at, codes, sizeof *codes);
            at += value_bytes;
            codes += run;
            n -= run;
        }
    }
    to->len = (size_t)(at - to->data);
    return OK;
}

status rle_encode_run(bool bit, size_t n, struct buf *to, struct error *err)
{
    status s = buf_reserve(to, VARINT_MAX + 1, err);
    if (s != OK || n == 0)
        return s;
    uint8_t *at = put_varint(to->data + to->len, (uint64_t)n << 1);
    *at++ = bit;
    to->len = (size_t)(at - to->data);
    return OK;
}

/* Eight bits from bit `first` on, of which `n` (1..8) exist; the others are zero. */
static inline uint8_t bits_at(const uint8_t *bits, size_t first, size_t n)
{
    const uint8_t *p = bits + first / 8;
    unsigned shift = first % 8;
    unsigned v = (unsigned)p[0] >> shift;
    if (shift + n > 8)
        v |= (unsigned)p[1] << (8 - shift);
    return (uint8_t)(v & (0xFFu >> (8 - n)));
}

static size_t equal_bytes(const uint8_t *p, size_t n)
{
    size_t i = 1;
    uint64_t same = 0x0101010101010101u * p[0];
    for (; i + 8 <= n && load64(p + i) == same; i += 8) {
    }
    while (i < n && p[i] == p[0])
        i++;
    return i;
}

/* A bitmap from bit 0 on is bit packing already; only long stretches of one value are taken out as runs. */
#define LEVEL_RUN_BYTES 8

static uint8_t *pack_levels(const uint8_t *bytes, size_t n, uint8_t *at)
{
    if (n == 0)
        return at;
    at = put_varint(at, (uint64_t)n << 1 | 1);
    memcpy(at, bytes, n);
    return at + n;
}

status rle_encode_bits(const uint8_t *bits, size_t first, size_t n, struct buf *to, struct error *err)
{
    size_t bytes = (n + 7) / 8;
    /* Packed copy and aligned copy behind each other, plus a header for each stretch of LEVEL_RUN_BYTES. */
    size_t most = bytes + (bytes / LEVEL_RUN_BYTES + 2) * 2 * VARINT_MAX;
    status s = buf_reserve(to, most + bytes, err);
    if (s != OK || n == 0)
        return s;
    uint8_t *aligned = to->data + to->len + most, *at = to->data + to->len;
    for (size_t i = 0; i < bytes; i++)
        aligned[i] = bits_at(bits, first + i * 8, n - i * 8 < 8 ? n - i * 8 : 8);
    size_t full = n / 8, begin = 0, i = 0;
    while (i < full) {
        size_t same = aligned[i] == 0 || aligned[i] == 0xFF ? equal_bytes(aligned + i, full - i) : 1;
        if (same >= LEVEL_RUN_BYTES) {
            at = pack_levels(aligned + begin, i - begin, at);
            at = put_varint(at, (uint64_t)same * 8 << 1);
            *at++ = aligned[i] & 1;
            begin = i + same;
        }
        i += same;
    }
    at = pack_levels(aligned + begin, bytes - begin, at);
    to->len = (size_t)(at - to->data);
    return OK;
}
