/* The vector primitives behind every scanner: a block is 64 bytes, a mask has one bit a byte (least
 * significant first). A file picks its variant by defining BLOCK64_AVX2, BLOCK64_SSE2, BLOCK64_NEON
 * or nothing (scalar, the reference the others are tested against) before including this header. */
#ifndef FF_BASE_BLOCK64_H
#define FF_BASE_BLOCK64_H

#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

#if defined(BLOCK64_AVX2)
#include <immintrin.h>

struct block64 {
    __m256i half[2];
};

static ALWAYS_INLINE struct block64 block64_load(const uint8_t *p)
{
    return (struct block64){{_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32))}};
}

static ALWAYS_INLINE uint64_t block64_join(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

/* Bytes equal to c. */
static ALWAYS_INLINE uint64_t block64_match(struct block64 b, uint8_t c)
{
    __m256i wanted = _mm256_set1_epi8((char)c);
    return block64_join(_mm256_cmpeq_epi8(b.half[0], wanted), _mm256_cmpeq_epi8(b.half[1], wanted));
}

/* Bytes of 0x80 and above. */
static ALWAYS_INLINE uint64_t block64_high(struct block64 b)
{
    return block64_join(b.half[0], b.half[1]);
}

/* Bit i is the exclusive or of bits 0..i: 1 from an opening quote up to, not including, the closing one. */
static ALWAYS_INLINE uint64_t block64_prefix_xor(uint64_t bits)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)bits), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#elif defined(BLOCK64_SSE2)
#include <emmintrin.h>

struct block64 {
    __m128i quarter[4];
};

static ALWAYS_INLINE struct block64 block64_load(const uint8_t *p)
{
    struct block64 b;
    for (int i = 0; i < 4; i++)
        b.quarter[i] = _mm_loadu_si128((const __m128i *)(p + 16 * i));
    return b;
}

static ALWAYS_INLINE uint64_t block64_match(struct block64 b, uint8_t c)
{
    __m128i wanted = _mm_set1_epi8((char)c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b.quarter[i], wanted)) << (16 * i);
    return mask;
}

static ALWAYS_INLINE uint64_t block64_high(struct block64 b)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(b.quarter[i]) << (16 * i);
    return mask;
}

#elif defined(BLOCK64_NEON)
#include <arm_neon.h>

struct block64 {
    uint8x16_t quarter[4];
};

static ALWAYS_INLINE struct block64 block64_load(const uint8_t *p)
{
    return (struct block64){{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
}

static ALWAYS_INLINE uint64_t block64_movemask(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d)
{
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t sum = vpaddq_u8(ab, cd);
    sum = vpaddq_u8(sum, sum);
    return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

static ALWAYS_INLINE uint64_t block64_match(struct block64 b, uint8_t c)
{
    uint8x16_t wanted = vdupq_n_u8(c);
    return block64_movemask(vceqq_u8(b.quarter[0], wanted), vceqq_u8(b.quarter[1], wanted),
                            vceqq_u8(b.quarter[2], wanted), vceqq_u8(b.quarter[3], wanted));
}

static ALWAYS_INLINE uint64_t block64_high(struct block64 b)
{
    uint8x16_t limit = vdupq_n_u8(0x7F);
    return block64_movemask(vcgtq_u8(b.quarter[0], limit), vcgtq_u8(b.quarter[1], limit), vcgtq_u8(b.quarter[2], limit),
                            vcgtq_u8(b.quarter[3], limit));
}

#else

struct block64 {
    uint8_t bytes[64];
};

static ALWAYS_INLINE struct block64 block64_load(const uint8_t *p)
{
    struct block64 b;
    memcpy(b.bytes, p, sizeof b.bytes);
    return b;
}

static ALWAYS_INLINE uint64_t block64_match(struct block64 b, uint8_t c)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(b.bytes[i] == c) << i;
    return mask;
}

static ALWAYS_INLINE uint64_t block64_high(struct block64 b)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(b.bytes[i] >> 7) << i;
    return mask;
}

#endif

#if !defined(BLOCK64_AVX2)
static ALWAYS_INLINE uint64_t block64_prefix_xor(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift <<= 1)
        bits ^= bits << shift;
    return bits;
}
#endif

#endif
