/* The block loops on 16-byte vectors, for CPUs without anything wider. */
#include "format/json/json_scan.h"

#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))

static const uint8_t *string_stop(const uint8_t *p, const uint8_t *end, uint32_t *high)
{
    for (; p < end; p += 32) {
        uint32_t top, stops = json_string_stops32(p, &top);
        if (stops) {
            unsigned at = (unsigned)__builtin_ctz(stops);
            p = at < (size_t)(end - p) ? p + at : end;
            *high |= top & ((UINT32_C(1) << at) - 1) ? 0x80 : 0;
            return p;
        }
        *high |= top ? 0x80 : 0; /* bytes past the end may count: high is a hint to look closer */
    }
    return end;
}

#if defined(__SSE2__)

typedef __m128i vector;

static ALWAYS_INLINE vector load(const uint8_t *p)
{
    return json_load128(p);
}

static ALWAYS_INLINE vector fold_case(vector x)
{
    return _mm_or_si128(x, _mm_set1_epi8(0x20));
}

static ALWAYS_INLINE uint64_t equal(vector x, char c)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)));
}

#else

typedef uint8x16_t vector;

static ALWAYS_INLINE vector load(const uint8_t *p)
{
    return vld1q_u8(p);
}

static ALWAYS_INLINE vector fold_case(vector x)
{
    return vorrq_u8(x, vdupq_n_u8(0x20));
}

static ALWAYS_INLINE uint64_t equal(vector x, char c)
{
    return json_mask128(vceqq_u8(x, vdupq_n_u8((uint8_t)c)));
}

#endif

/* '[' and '{' differ in bit 5 only, and so do ']' and '}'. */
static void classify(const uint8_t bytes[64], struct json_block *block)
{
    struct json_block b = {0};
    for (unsigned i = 0; i < 64; i += 16) {
        vector x = load(bytes + i), folded = fold_case(x);
        b.quote |= equal(x, '"') << i;
        b.backslash |= equal(x, '\\') << i;
        b.comma |= equal(x, ',') << i;
        b.open |= equal(folded, '{') << i;
        b.close |= equal(folded, '}') << i;
    }
    *block = b;
}

static size_t count_line_feeds(const uint8_t *p, size_t n)
{
    size_t count = 0, i = 0;
    for (; i + 16 <= n; i += 16)
        count += (size_t)__builtin_popcountll(equal(load(p + i), '\n'));
    return count + json_scan_scalar.count_line_feeds(p + i, n - i);
}

const struct json_scan_ops json_scan_baseline = {
    .name = "baseline",
    .string_stop = string_stop,
    .classify = classify,
    .count_line_feeds = count_line_feeds,
};

#endif
