/* Runs of ASCII digits, eight at a time in a 64-bit word. A word holds one character a byte, in text order from the
 * least significant byte up, with '0' already taken away: a digit is a byte of 0 to 9.
 *
 * Text is read in whole words: the CAST_PAD rule of cast.h holds for every function here. */
#ifndef FF_BATCH_CAST_DIGITS_H
#define FF_BATCH_CAST_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character must be the least significant byte");

#define DIGITS_EACH(byte) ((byte)*UINT64_C(0x0101010101010101))

static ALWAYS_INLINE uint64_t digits_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The eight characters at p. */
static ALWAYS_INLINE uint64_t digits_take8(const char *p)
{
    return digits_load(p) ^ DIGITS_EACH(0x30);
}

/* The n (1 to 8) characters at p as the word's last ones, with zeros in front. */
static ALWAYS_INLINE uint64_t digits_take(const char *p, size_t n)
{
    return digits_take8(p) << (64 - 8 * n);
}

/* Every byte is 0 to 9. A carry out of a byte can only come from one whose own top bit is found set. */
static ALWAYS_INLINE bool digits_valid(uint64_t x)
{
    return ((x | (x + DIGITS_EACH(0x76))) & DIGITS_EACH(0x80)) == 0;
}

/* The number that eight digits spell. Neighbours are joined into pairs (0 to 99 in every second byte); then the
 * first and third pair, and the second and fourth, are weighed and added by one multiplication each. */
static ALWAYS_INLINE uint64_t digits_value(uint64_t x)
{
    const uint64_t pairs = UINT64_C(0x000000FF000000FF);
    x = x * 10 + (x >> 8);
    uint64_t odd = (x & pairs) * (100 + (UINT64_C(1000000) << 32));
    uint64_t even = (x >> 16 & pairs) * (1 + (UINT64_C(10000) << 32));
    return (odd + even) >> 32;
}

/* n characters that must all be digits, n of 1 to 19 (any other n, "-1" included, is false). */
static ALWAYS_INLINE bool digits_u64(const char *p, size_t n, uint64_t *value)
{
    if (LIKELY(n - 1 < 8)) {
        uint64_t x = digits_take(p, n);
        *value = digits_value(x);
        return digits_valid(x);
    }
    if (n - 1 >= 19)
        return false;
    uint64_t low = digits_take8(p + n - 8);
    if (n <= 16) {
        uint64_t high = digits_take(p, n - 8);
        *value = digits_value(high) * 100000000 + digits_value(low);
        return digits_valid(high) && digits_valid(low);
    }
    uint64_t middle = digits_take8(p + n - 16), high = digits_take(p, n - 16);
    *value = (digits_value(high) * 100000000 + digits_value(middle)) * 100000000 + digits_value(low);
    return digits_valid(high) && digits_valid(middle) && digits_valid(low);
}

/* How many of the n characters at p are digits before the first that is not. */
static inline size_t digits_run(const char *p, size_t n)
{
    size_t at = 0;
    while (at < n) {
        uint64_t x = digits_take8(p + at);
        uint64_t bad = (x | ((x & DIGITS_EACH(0x7F)) + DIGITS_EACH(0x76))) & DIGITS_EACH(0x80);
        if (bad) {
            at += (size_t)__builtin_ctzll(bad) >> 3;
            return at < n ? at : n;
        }
        at += 8;
    }
    return n;
}

#endif
