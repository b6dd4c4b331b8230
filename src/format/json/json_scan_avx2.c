#include "format/json/json_scan.h"

#if defined(__x86_64__)

#include <immintrin.h>

static ALWAYS_INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static ALWAYS_INLINE uint64_t equal(__m256i x, char c)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(c)));
}

static const uint8_t *string_stop(const uint8_t *p, const uint8_t *end, uint32_t *high)
{
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'), control = _mm256_set1_epi8(0x1F);
    for (; p < end; p += 32) {
        __m256i x = load(p);
        __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(x, quote), _mm256_cmpeq_epi8(x, backslash));
        hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(_mm256_min_epu8(x, control), x));
        uint32_t stops = (uint32_t)_mm256_movemask_epi8(hit), top = (uint32_t)_mm256_movemask_epi8(x);
        if (stops) {
            unsigned at = (unsigned)__builtin_ctz(stops);
            *high |= top & ((UINT32_C(1) << at) - 1) ? 0x80 : 0;
            return at < (size_t)(end - p) ? p + at : end;
        }
        *high |= top ? 0x80 : 0; /* bytes past the end may count: high is a hint to look closer */
    }
    return end;
}

static void classify(const uint8_t bytes[64], struct json_block *block)
{
    __m256i a = load(bytes), b = load(bytes + 32), fold = _mm256_set1_epi8(0x20);
    __m256i folded_a = _mm256_or_si256(a, fold), folded_b = _mm256_or_si256(b, fold);
    block->quote = equal(a, '"') | equal(b, '"') << 32;
    block->backslash = equal(a, '\\') | equal(b, '\\') << 32;
    block->comma = equal(a, ',') | equal(b, ',') << 32;
    block->open = equal(folded_a, '{') | equal(folded_b, '{') << 32;
    block->close = equal(folded_a, '}') | equal(folded_b, '}') << 32;
}

static size_t count_line_feeds(const uint8_t *p, size_t n)
{
    size_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64)
        count += (size_t)__builtin_popcountll(equal(load(p + i), '\n') | equal(load(p + i + 32), '\n') << 32);
    return count + json_scan_scalar.count_line_feeds(p + i, n - i);
}

const struct json_scan_ops json_scan_avx2 = {
    .name = "avx2",
    .string_stop = string_stop,
    .classify = classify,
    .count_line_feeds = count_line_feeds,
};

#endif
