/* The casts of cast.h that a decoder runs on every cell, for inlining into its loops. Same contracts and the same
 * CAST_PAD rule; cast_number.c and cast_time.c wrap them for everybody else.
 *
 * Usual lengths take a fixed number of word operations. What the short cuts do not cover (exponents, very long
 * numbers) goes to cast_f64_slow(), which knows the whole grammar. */
#ifndef FF_BATCH_CAST_INLINE_H
#define FF_BATCH_CAST_INLINE_H

#include "batch/cast.h"
#include "batch/cast_digits.h"

#define CAST_F64_EXACT_INT (UINT64_C(1) << 53)
#define CAST_MICROS_PER_DAY INT64_C(86400000000)

/* 10^0 to 10^22: the powers of ten that a double holds exactly. */
extern const double cast_f64_pow10[23];
/* The whole grammar of double; `infer` chooses the narrower one. */
bool cast_f64_slow(const char *text, size_t n, bool infer, double *out) MUST_USE;
/* [+-]?digits with more than 19 digits, of which the first ones may be zeros. */
bool cast_i64_slow(const char *text, size_t n, int64_t *out) MUST_USE;

static ALWAYS_INLINE bool cast_signed(uint64_t magnitude, bool negative, int64_t *out)
{
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return magnitude <= (uint64_t)INT64_MAX + negative;
}

static ALWAYS_INLINE bool infer_i64_general(const char *text, size_t n, int64_t *out)
{
    bool negative = *text == '-';
    const char *p = text + negative;
    uint64_t magnitude;
    if (!digits_u64(p, n - negative, &magnitude))
        return false;
    /* "-0" is left to double, which keeps its sign; "007" to string. */
    if (UNLIKELY(*p == '0') && n > 1)
        return false;
    return cast_signed(magnitude, negative, out);
}

/* One to eight digits without a sign are what most integers are. For n == 0 the first byte is padding; whatever it is,
 * no digit count from 1 to 19 comes out of it. */
static ALWAYS_INLINE bool infer_i64_inline(const char *text, size_t n, int64_t *out)
{
    if (LIKELY(n - 1 < 8)) {
        uint64_t x = digits_take(text, n);
        if (LIKELY(digits_valid(x))) {
            *out = (int64_t)digits_value(x);
            return *text != '0' || n == 1;
        }
    }
    return infer_i64_general(text, n, out);
}

static ALWAYS_INLINE bool cast_i64_inline(const char *text, size_t n, int64_t *out)
{
    bool negative = *text == '-', sign = negative || *text == '+';
    uint64_t magnitude;
    if (UNLIKELY(n > 19u + sign))
        return cast_i64_slow(text, n, out);
    return digits_u64(text + sign, n - sign, &magnitude) && cast_signed(magnitude, negative, out);
}

/* One bit (the byte's top one) at the first decimal point of a word; bits above it mean nothing. */
static ALWAYS_INLINE uint64_t cast_find_point(uint64_t x)
{
    uint64_t t = x ^ DIGITS_EACH('.' ^ 0x30);
    return (t - DIGITS_EACH(0x01)) & ~t & DIGITS_EACH(0x80);
}

/* Drop the character at bit position `at` (a multiple of 8): those before it move up by one, `first` comes in front. */
static ALWAYS_INLINE uint64_t cast_drop_char(uint64_t x, unsigned at, uint64_t first)
{
    uint64_t before = x & ((UINT64_C(1) << at) - 1);
    uint64_t after = x & (~UINT64_C(0) << at << 8);
    return before << 8 | after | first;
}

static ALWAYS_INLINE bool cast_f64_finish(double magnitude, bool negative, double *out)
{
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    bits |= (uint64_t)negative << 63;
    memcpy(out, &bits, sizeof bits);
    return true;
}

/* Up to 16 characters after the sign, at most one of them a point: no more than 15 digits and a point, or 16 digits,
 * so the digits are exact as a double or (16 digits) checked. Quotient of two exact numbers: rounded once, correctly.
 */
static ALWAYS_INLINE bool cast_f64_short(const char *text, size_t n, bool infer, double *out)
{
    bool negative = *text == '-', sign = negative || (!infer && *text == '+');
    const char *p = text + sign;
    size_t length = n - sign;
    uint64_t mantissa;
    unsigned fraction = 0;
    if (LIKELY(length - 1 < 8)) {
        uint64_t x = digits_take(p, length), point = cast_find_point(x);
        if (LIKELY(point)) {
            unsigned at = (unsigned)__builtin_ctzll(point) & ~7u;
            x = cast_drop_char(x, at, 0);
            fraction = (56 - at) >> 3;
        }
        if (UNLIKELY(!digits_valid(x)) || UNLIKELY(point && length == 1))
            return cast_f64_slow(text, n, infer, out);
        mantissa = digits_value(x);
    } else if (length - 1 < 16) {
        uint64_t high = digits_take(p, length - 8), low = digits_take8(p + length - 8);
        uint64_t point = cast_find_point(high), point_low = cast_find_point(low);
        if (point) {
            unsigned at = (unsigned)__builtin_ctzll(point) & ~7u;
            high = cast_drop_char(high, at, 0);
            fraction = (120 - at) >> 3;
        } else if (point_low) {
            unsigned at = (unsigned)__builtin_ctzll(point_low) & ~7u;
            low = cast_drop_char(low, at, high >> 56);
            high <<= 8;
            fraction = (56 - at) >> 3;
        }
        if (UNLIKELY(!digits_valid(high)) || UNLIKELY(!digits_valid(low)))
            return cast_f64_slow(text, n, infer, out);
        mantissa = digits_value(high) * 100000000 + digits_value(low);
        if (UNLIKELY(infer && mantissa > CAST_F64_EXACT_INT))
            return false; /* sixteen digits, hence an integer */
    } else {
        return cast_f64_slow(text, n, infer, out);
    }
    if (infer && UNLIKELY(*p == '0') && length > 1 && (unsigned)p[1] - (unsigned)'0' < 10)
        return false;
    return cast_f64_finish((double)mantissa / cast_f64_pow10[fraction], negative, out);
}

static ALWAYS_INLINE bool infer_f64_inline(const char *text, size_t n, double *out)
{
    return cast_f64_short(text, n, true, out);
}

static ALWAYS_INLINE bool cast_f64_inline(const char *text, size_t n, double *out)
{
    return cast_f64_short(text, n, false, out);
}

/* By [leap year][month]: days before the month, one more in years without a leap day, and days in it. */
struct cast_month {
    uint16_t before;
    uint16_t days;
};
extern const struct cast_month cast_months[2][16];

/* The ten characters at p as yyyy-MM-dd. */
static ALWAYS_INLINE bool cast_date_at(const char *p, int32_t *days)
{
    const uint64_t shape = DIGITS_EACH(0x30) ^ (UINT64_C(0x1D) << 16 | UINT64_C(0x1D) << 40); /* "00-00-00" */
    const uint64_t limit = DIGITS_EACH(0x76) + (UINT64_C(0x09) << 16 | UINT64_C(0x09) << 40); /* dashes: 0 only */
    uint16_t first;
    memcpy(&first, p, sizeof first);
    uint32_t head = first ^ 0x3030u;
    uint64_t tail = digits_load(p + 2) ^ shape;
    if (UNLIKELY(((tail | (tail + limit) | head | (head + 0x7676u)) & DIGITS_EACH(0x80)) != 0))
        return false;
    tail = tail * 10 + (tail >> 8);
    uint32_t century = (head & 0xFF) * 10 + (head >> 8), year_of_century = tail & 0xFF;
    uint32_t month = tail >> 24 & 0xFF, day = tail >> 48 & 0xFF;
    uint32_t year = century * 100 + year_of_century;
    /* A year divisible by 100 is a leap year when its century is divisible by 4. No branch: data mix 2000 with others.
     */
    uint32_t deciding = year_of_century | (century & (0 - (uint32_t)(year_of_century == 0)));
    if (UNLIKELY(month > 12) || UNLIKELY(year == 0))
        return false;
    struct cast_month m = cast_months[(deciding & 3) == 0][month];
    if (UNLIKELY(day - 1 >= m.days)) /* month 0 has no days */
        return false;
    /* Leap years up to this one; that this one's leap day has not come on January 1 is in m.before. */
    uint32_t leaps = (year >> 2) - century + (century >> 2);
    *days = (int32_t)(year * 365 + leaps + m.before + day) - 719529;
    return true;
}

static ALWAYS_INLINE bool cast_date_inline(const char *text, size_t n, int32_t *days)
{
    return n == 10 && cast_date_at(text, days);
}

/* A fraction of a second: n (at least 1) digits, beyond the sixth zeros only. */
static ALWAYS_INLINE bool cast_fraction(const char *p, size_t n, uint32_t *micros)
{
    static const uint32_t scale[7] = {0, 100000, 10000, 1000, 100, 10, 1};
    if (n == 0)
        return false;
    size_t kept = n < 6 ? n : 6;
    uint64_t x = digits_take(p, kept);
    for (size_t i = 6; i < n; i++)
        if (p[i] != '0')
            return false;
    *micros = (uint32_t)digits_value(x) * scale[kept];
    return digits_valid(x);
}

/* HH:mm[:ss[.f{1,}]] as microseconds since midnight. */
static ALWAYS_INLINE bool cast_time_inline(const char *text, size_t n, int64_t *micros)
{
    const uint64_t shape = DIGITS_EACH(0x30) ^ (UINT64_C(0x0A) << 16 | UINT64_C(0x0A) << 40); /* "00:00:00" */
    const uint64_t limit = DIGITS_EACH(0x76) + (UINT64_C(0x09) << 16 | UINT64_C(0x09) << 40); /* colons: 0 only */
    uint64_t x = digits_load(text) ^ shape;
    uint32_t fraction = 0;
    if (n == 5)
        x &= UINT64_C(0xFFFFFFFFFF); /* as if ":00" followed */
    else if (n < 8 || (n > 8 && (text[8] != '.' || !cast_fraction(text + 9, n - 9, &fraction))))
        return false;
    if ((x | (x + limit)) & DIGITS_EACH(0x80))
        return false;
    x = x * 10 + (x >> 8);
    uint32_t hour = x & 0xFF, minute = x >> 24 & 0xFF, second = x >> 48 & 0xFF;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *micros = (int64_t)(hour * 3600 + minute * 60 + second) * 1000000 + fraction;
    return true;
}

static ALWAYS_INLINE bool cast_timestamp_inline(const char *text, size_t n, int64_t *micros)
{
    int32_t days;
    int64_t time = 0;
    if (n < 10 || !cast_date_at(text, &days))
        return false;
    if (n > 10 && ((text[10] != ' ' && text[10] != 'T') || n < 16 || !cast_time_inline(text + 11, n - 11, &time)))
        return false;
    *micros = days * CAST_MICROS_PER_DAY + time;
    return true;
}

#endif
