/* Shortest decimal digits that read back as the same number. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch/value_text.h"
#include "batch/value_text_digits.h"

#define F64_MANTISSA_BITS 52

/* digits * 10^exponent */
struct shortest {
    uint64_t digits;
    int exponent;
};

static const double pow10_f64[5] = {1e0, 1e1, 1e2, 1e3, 1e4};

/* Prices, measures, counts: up to four decimals. A decimal of at most 15 digits that reads back as v is the only
 * one, and the fewest decimals come first. v * 10^k is less than half a unit off, so rounding finds the decimal;
 * the division (of two exact numbers) is the proof, being just what reading it back does. */
static bool shortest_few_decimals(double v, struct shortest *out)
{
    for (int k = 0; k < 5; k++) {
        double scaled = v * pow10_f64[k];
        if (!(scaled < 1e15))
            return false;
        int64_t m = (int64_t)(scaled + 0.5);
        if ((double)m / pow10_f64[k] == v) {
            *out = (struct shortest){(uint64_t)m, -k};
            return true;
        }
    }
    return false;
}

/* 128 bits are enough for what follows: 53 bits times 10^21. */
static unsigned __int128 integer_pow10(int k)
{
    unsigned __int128 power = 1;
    for (; k > 0; k--)
        power *= 10;
    return power;
}

/* v within [1e-4, 1e16), in exact integers: v = f * 2^-shift, and 10^k brings v to 17 digits before the point. Of 15,
 * 16 and 17 digits the fewest are taken whose number lies in the interval that rounds to v. */
static bool shortest_exact(double v, struct shortest *out)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << F64_MANTISSA_BITS) - 1);
    uint64_t f = fraction | UINT64_C(1) << F64_MANTISSA_BITS;
    int binary = (int)(bits >> F64_MANTISSA_BITS) - 1023;
    int k = 17 - ((binary + 1) * 1233 >> 12); /* right or one too large */
    unsigned __int128 power = integer_pow10(k);
    int shift = F64_MANTISSA_BITS - binary, left = shift < 0 ? -shift : 0; /* left: from 2^53 on */
    f <<= left;
    shift += left;
    if ((uint64_t)(f * power >> shift) >= UINT64_C(100000000000000000)) {
        power /= 10;
        k--;
    }
    /* In units of 10^-k * 2^-shift: v, and the distance to the next double. */
    unsigned __int128 product = f * power, width = power << left;
    uint64_t whole = (uint64_t)(product >> shift);
    unsigned __int128 rest = product - ((unsigned __int128)whole << shift);
    for (int drop = 2; drop >= 0; drop--) {
        uint64_t step = (uint64_t)integer_pow10(drop), m = whole / step;
        unsigned __int128 one = (unsigned __int128)step << shift;
        unsigned __int128 above = ((unsigned __int128)(whole % step) << shift) + rest; /* v's distance from m */
        unsigned __int128 room_down = fraction ? width : width / 2; /* below a power of two doubles lie closer */
        bool down = above * 2 < room_down, up = (one - above) * 2 < width;
        if (down || up) {
            bool nearer_up = one - above < above || (one - above == above && m % 2);
            *out = (struct shortest){m + (up && (nearer_up || !down)), drop - k};
            return true;
        }
    }
    return false;
}

/* Any number: try the formatted digits. LC_NUMERIC is "C" throughout the program. */
static struct shortest shortest_by_trial(double v, int first, int last, bool as_float)
{
    char text[40];
    for (int digits = first;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, v);
        double back = strtod(text, NULL);
        if (digits == last || (as_float ? (float)back == (float)v : back == v))
            break;
    }
    struct shortest s = {0};
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p != '.') {
            s.digits = s.digits * 10 + (uint64_t)(*p - '0');
            s.exponent--;
        }
    s.exponent += 1 + (int)strtol(p + 1, NULL, 10);
    return s;
}

/* Plain from 0.0001 up to below 1e16, else with an exponent of at least two digits. */
static size_t write_shortest(struct shortest s, char *into)
{
    while (s.digits % 10 == 0) {
        s.digits /= 10;
        s.exponent++;
    }
    char digits[20];
    int count = (int)value_text_u64(s.digits, digits);
    int point = count + s.exponent; /* digits before the decimal point */
    char *at = into;
    if (point > 16 || point < -3) {
        *at++ = digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, (size_t)count - 1);
            at += count - 1;
        }
        int exponent = point - 1;
        *at++ = 'e';
        *at++ = exponent < 0 ? '-' : '+';
        unsigned magnitude = (unsigned)abs(exponent);
        if (magnitude >= 100)
            *at++ = (char)('0' + magnitude / 100);
        value_text_2(magnitude % 100, at);
        at += 2;
    } else if (point <= 0) {
        memcpy(at, "0.000", 5);
        at += 2 - point;
        memcpy(at, digits, (size_t)count);
        at += count;
    } else if (point >= count) {
        memcpy(at, digits, (size_t)count);
        memset(at + count, '0', (size_t)(point - count));
        at += point;
        memcpy(at, ".0", 2);
        at += 2;
    } else {
        memcpy(at, digits, (size_t)point);
        at[point] = '.';
        memcpy(at + point + 1, digits + point, (size_t)(count - point));
        at += count + 1;
    }
    return (size_t)(at - into);
}

static size_t write_special(double v, char *into)
{
    const char *text = isnan(v) ? "NaN" : v == 0 ? "0.0" : "inf";
    memcpy(into, text, 3);
    return 3;
}

static size_t write_sign(double *v, char *into)
{
    if (isnan(*v) || !signbit(*v))
        return 0;
    *into = '-';
    *v = -*v;
    return 1;
}

size_t value_text_f64(double v, char *into)
{
    size_t sign = write_sign(&v, into);
    into += sign;
    if (!isfinite(v) || v == 0)
        return sign + write_special(v, into);
    struct shortest s;
    if (!shortest_few_decimals(v, &s) && (v < 1e-4 || v >= 1e16 || !shortest_exact(v, &s)))
        s = shortest_by_trial(v, v < DBL_MIN ? 1 : 15, 17, false); /* subnormals have fewer digits */
    return sign + write_shortest(s, into);
}

size_t value_text_f32(float narrow, char *into)
{
    double v = (double)narrow;
    size_t sign = write_sign(&v, into);
    into += sign;
    if (!isfinite(v) || v == 0)
        return sign + write_special(v, into);
    return sign + write_shortest(shortest_by_trial(v, 1, 9, true), into);
}
