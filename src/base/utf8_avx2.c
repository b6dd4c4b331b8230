/* Validation by table look-ups on half bytes (Keiser and Lemire, "Validating UTF-8 in less than one instruction per
 * byte", 2021): each of three look-ups, by the halves of a byte and of the one before it, gives the set of errors that
 * the half allows; what is in all three sets is an error. Bytes that must be the third or fourth of a sequence are
 * checked apart. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "base/utf8.h"

enum {
    TOO_SHORT = 1 << 0,   /* a lead byte without its continuation */
    TOO_LONG = 1 << 1,    /* ASCII followed by a continuation */
    OVERLONG_3 = 1 << 2,  /* E0 80..9F */
    TOO_LARGE = 1 << 3,   /* F4 90.. */
    SURROGATE = 1 << 4,   /* ED A0.. */
    OVERLONG_2 = 1 << 5,  /* C0, C1 */
    BEYOND_OR_4 = 1 << 6, /* F5.. 80..8F, or F0 80..8F */
    TWO_CONTS = 1 << 7,   /* two continuations: an error unless the third or fourth byte of a sequence */
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS
};

#define TABLE(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))

struct validator {
    __m256i errors;
    __m256i previous;   /* the last 32 bytes */
    __m256i incomplete; /* not zero: they end within a sequence */
};

static inline __m256i low_halves(__m256i v)
{
    return _mm256_and_si256(v, _mm256_set1_epi8(0x0F));
}

static inline __m256i high_halves(__m256i v)
{
    return low_halves(_mm256_srli_epi16(v, 4));
}

static inline void check(struct validator *v, __m256i input)
{
    __m256i across = _mm256_permute2x128_si256(v->previous, input, 0x21);
    __m256i one = _mm256_alignr_epi8(input, across, 15), two = _mm256_alignr_epi8(input, across, 14),
            three = _mm256_alignr_epi8(input, across, 13);
    const __m256i by_first_high =
        TABLE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, (char)TWO_CONTS,
              (char)TWO_CONTS, (char)TWO_CONTS, (char)TWO_CONTS, TOO_SHORT | OVERLONG_2, TOO_SHORT,
              TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | BEYOND_OR_4);
    const char rest = (char)(CARRY | TOO_LARGE | BEYOND_OR_4);
    const __m256i by_first_low =
        TABLE((char)(CARRY | OVERLONG_3 | OVERLONG_2 | BEYOND_OR_4), (char)(CARRY | OVERLONG_2), (char)CARRY,
              (char)CARRY, (char)(CARRY | TOO_LARGE), rest, rest, rest, rest, rest, rest, rest, rest,
              (char)(CARRY | TOO_LARGE | BEYOND_OR_4 | SURROGATE), rest, rest);
    const char continuation = (char)(TOO_LONG | OVERLONG_2 | TWO_CONTS);
    const __m256i by_second_high =
        TABLE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
              (char)(continuation | OVERLONG_3 | BEYOND_OR_4), (char)(continuation | OVERLONG_3 | TOO_LARGE),
              (char)(continuation | SURROGATE | TOO_LARGE), (char)(continuation | SURROGATE | TOO_LARGE), TOO_SHORT,
              TOO_SHORT, TOO_SHORT, TOO_SHORT);
    __m256i special = _mm256_and_si256(_mm256_and_si256(_mm256_shuffle_epi8(by_first_high, high_halves(one)),
                                                        _mm256_shuffle_epi8(by_first_low, low_halves(one))),
                                       _mm256_shuffle_epi8(by_second_high, high_halves(input)));
    __m256i third = _mm256_subs_epu8(two, _mm256_set1_epi8((char)(0xE0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xF0 - 0x80)));
    __m256i must_continue = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    v->errors = _mm256_or_si256(v->errors, _mm256_xor_si256(must_continue, special));
}

static inline void take(struct validator *v, __m256i input)
{
    if (_mm256_movemask_epi8(input) == 0) {
        v->errors = _mm256_or_si256(v->errors, v->incomplete);
        v->incomplete = _mm256_setzero_si256();
    } else {
        const __m256i most =
            _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                             -1, -1, -1, -1, -1, -1, (char)(0xF0 - 1), (char)(0xE0 - 1), (char)(0xC0 - 1));
        check(v, input);
        v->incomplete = _mm256_subs_epu8(input, most);
    }
    v->previous = input;
}

bool utf8_is_valid_avx2(const uint8_t *text, size_t n)
{
    struct validator v = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t at = 0;
    for (; at + 32 <= n; at += 32)
        take(&v, _mm256_loadu_si256((const __m256i *)(text + at)));
    uint8_t tail[32] = {0};
    if (at < n)
        memcpy(tail, text + at, n - at);
    take(&v, _mm256_loadu_si256((const __m256i *)tail));
    v.errors = _mm256_or_si256(v.errors, v.incomplete);
    return _mm256_testz_si256(v.errors, v.errors);
}
#else
typedef int utf8_avx2_is_not_for_this_cpu; /* a translation unit must not be empty */
#endif
