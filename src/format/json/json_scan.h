/* The vector primitives of the JSON code. Short looks at the next 16 or 32 bytes are inline and use what every CPU of
 * the architecture has (SSE2, NEON); the block loops exist in several variants of which json_scan() picks one at run
 * time. The scalar forms are the reference that tests hold the others to. */
#ifndef FF_FORMAT_JSON_SCAN_H
#define FF_FORMAT_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Where the bytes of structure are in 64 bytes; bit i is byte i. Quotes and strings are not considered. */
struct json_block {
    uint64_t quote, backslash, comma;
    uint64_t open, close; /* { [ and } ] */
};

struct json_scan_ops {
    const char *name;
    /* First quote, backslash or control byte in [p, end), or end. *high gets the bit 0x80 if a byte before it is
     * not ASCII (and perhaps when only bytes past end are not). May read (not use) 63 bytes past end. */
    const uint8_t *(*string_stop)(const uint8_t *p, const uint8_t *end, uint32_t *high);
    void (*classify)(const uint8_t bytes[64], struct json_block *block);
    size_t (*count_line_feeds)(const uint8_t *p, size_t n);
};

extern const struct json_scan_ops json_scan_scalar;
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
extern const struct json_scan_ops json_scan_baseline;
#endif
#if defined(__x86_64__)
extern const struct json_scan_ops json_scan_avx2;
#endif
/* The fastest one that this CPU can run. */
const struct json_scan_ops *json_scan(void);

/* ---- the next few bytes: bit i of a result is byte i ---- */

static inline uint32_t json_equal32_scalar(const uint8_t *a, const uint8_t *b)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < 32; i++)
        mask |= (uint32_t)(a[i] == b[i]) << i;
    return mask;
}

static inline uint32_t json_string_stops32_scalar(const uint8_t *p, uint32_t *high)
{
    uint32_t mask = 0, top = 0;
    for (unsigned i = 0; i < 32; i++) {
        mask |= (uint32_t)(p[i] == '"' || p[i] == '\\' || p[i] < 0x20) << i;
        top |= (uint32_t)(p[i] >> 7) << i;
    }
    *high = top;
    return mask;
}

static inline uint32_t json_token_stops16_scalar(const uint8_t *p, uint32_t *exponents)
{
    uint32_t mask = 0, letters = 0;
    for (unsigned i = 0; i < 16; i++) {
        mask |= (uint32_t)(p[i] == ',' || p[i] == ']' || p[i] == '}' || p[i] <= 0x20) << i;
        letters |= (uint32_t)(p[i] == 'e' || p[i] == 'E') << i;
    }
    *exponents = letters;
    return mask;
}

#if defined(__SSE2__)

static ALWAYS_INLINE __m128i json_load128(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static ALWAYS_INLINE uint32_t json_equal32(const uint8_t *a, const uint8_t *b)
{
    __m128i low = _mm_cmpeq_epi8(json_load128(a), json_load128(b));
    __m128i high = _mm_cmpeq_epi8(json_load128(a + 16), json_load128(b + 16));
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}

static ALWAYS_INLINE __m128i json_string_stops128(__m128i x)
{
    __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    return _mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x));
}

/* Quotes, backslashes and control bytes; *high: bytes that are not ASCII. */
static ALWAYS_INLINE uint32_t json_string_stops32(const uint8_t *p, uint32_t *high)
{
    __m128i a = json_load128(p), b = json_load128(p + 16);
    *high = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
    return (uint32_t)_mm_movemask_epi8(json_string_stops128(a)) | (uint32_t)_mm_movemask_epi8(json_string_stops128(b))
                                                                      << 16;
}

/* What may follow a number: comma, closing brackets, white space and other control bytes. *exponents: e and E. */
static ALWAYS_INLINE uint32_t json_token_stops16(const uint8_t *p, uint32_t *exponents)
{
    __m128i x = json_load128(p), space = _mm_set1_epi8(0x20), folded = _mm_or_si128(x, space);
    __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(',')), _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
    *exponents = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('e')));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(stops, _mm_cmpeq_epi8(_mm_min_epu8(x, space), x)));
}

#elif defined(__ARM_NEON) && defined(__aarch64__)

/* One bit for each byte of a comparison's result. */
static ALWAYS_INLINE uint32_t json_mask128(uint8x16_t truth)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(truth, vld1q_u8(weights));
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static ALWAYS_INLINE uint32_t json_equal32(const uint8_t *a, const uint8_t *b)
{
    uint8x16_t low = vceqq_u8(vld1q_u8(a), vld1q_u8(b)), high = vceqq_u8(vld1q_u8(a + 16), vld1q_u8(b + 16));
    return json_mask128(low) | json_mask128(high) << 16;
}

static ALWAYS_INLINE uint8x16_t json_string_stops128(uint8x16_t x)
{
    uint8x16_t stops = vorrq_u8(vceqq_u8(x, vdupq_n_u8('"')), vceqq_u8(x, vdupq_n_u8('\\')));
    return vorrq_u8(stops, vcltq_u8(x, vdupq_n_u8(0x20)));
}

static ALWAYS_INLINE uint32_t json_string_stops32(const uint8_t *p, uint32_t *high)
{
    uint8x16_t a = vld1q_u8(p), b = vld1q_u8(p + 16), ascii = vdupq_n_u8(0x80);
    *high = json_mask128(vcgeq_u8(a, ascii)) | json_mask128(vcgeq_u8(b, ascii)) << 16;
    return json_mask128(json_string_stops128(a)) | json_mask128(json_string_stops128(b)) << 16;
}

static ALWAYS_INLINE uint32_t json_token_stops16(const uint8_t *p, uint32_t *exponents)
{
    uint8x16_t x = vld1q_u8(p), folded = vorrq_u8(x, vdupq_n_u8(0x20));
    uint8x16_t stops = vorrq_u8(vceqq_u8(x, vdupq_n_u8(',')), vceqq_u8(folded, vdupq_n_u8('}')));
    *exponents = json_mask128(vceqq_u8(folded, vdupq_n_u8('e')));
    return json_mask128(vorrq_u8(stops, vcleq_u8(x, vdupq_n_u8(0x20))));
}

#else

static ALWAYS_INLINE uint32_t json_equal32(const uint8_t *a, const uint8_t *b)
{
    return json_equal32_scalar(a, b);
}

static ALWAYS_INLINE uint32_t json_string_stops32(const uint8_t *p, uint32_t *high)
{
    return json_string_stops32_scalar(p, high);
}

static ALWAYS_INLINE uint32_t json_token_stops16(const uint8_t *p, uint32_t *exponents)
{
    return json_token_stops16_scalar(p, exponents);
}

#endif

static ALWAYS_INLINE uint64_t json_load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

#endif
