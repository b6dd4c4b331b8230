#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch/cast_inline.h"
#include "batch/cast_scan.h"

/* Digits given to strtod: a double's decimal digits matter up to the 767th; one more stands for all that follow. */
#define STRTOD_DIGITS 780

const double cast_f64_pow10[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t integer_pow10[20] = {UINT64_C(1),
                                           UINT64_C(10),
                                           UINT64_C(100),
                                           UINT64_C(1000),
                                           UINT64_C(10000),
                                           UINT64_C(100000),
                                           UINT64_C(1000000),
                                           UINT64_C(10000000),
                                           UINT64_C(100000000),
                                           UINT64_C(1000000000),
                                           UINT64_C(10000000000),
                                           UINT64_C(100000000000),
                                           UINT64_C(1000000000000),
                                           UINT64_C(10000000000000),
                                           UINT64_C(100000000000000),
                                           UINT64_C(1000000000000000),
                                           UINT64_C(10000000000000000),
                                           UINT64_C(100000000000000000),
                                           UINT64_C(1000000000000000000),
                                           UINT64_C(10000000000000000000)};

bool cast_i64(const char *text, size_t n, int64_t *out)
{
    return cast_i64_inline(text, n, out);
}

bool infer_i64(const char *text, size_t n, int64_t *out)
{
    return infer_i64_inline(text, n, out);
}

bool cast_f64(const char *text, size_t n, double *out)
{
    return cast_f64_inline(text, n, out);
}

bool infer_f64(const char *text, size_t n, double *out)
{
    return infer_f64_inline(text, n, out);
}

bool cast_i64_slow(const char *text, size_t n, int64_t *out)
{
    bool negative = n && *text == '-', sign = negative || (n && *text == '+');
    const char *p = text + sign;
    n -= sign;
    while (n > 1 && *p == '0') {
        p++;
        n--;
    }
    uint64_t magnitude;
    return digits_u64(p, n, &magnitude) && cast_signed(magnitude, negative, out);
}

/* magnitude / 10^k, rounded once: the 64-bit quotient of both numbers shifted up to their top bits, with its lowest
 * bit set when there is a remainder, decides every tie and rounds in the conversion to double. */
static double divide_pow10(uint64_t magnitude, unsigned k)
{
    int up = __builtin_clzll(magnitude), up_divisor = __builtin_clzll(integer_pow10[k]);
    uint64_t divisor = integer_pow10[k] << up_divisor;
    unsigned __int128 dividend = (unsigned __int128)(magnitude << up) << 63;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    quotient |= (uint64_t)(dividend % divisor) != 0;
    uint64_t power_of_two = (uint64_t)(1023 - 63 - up + up_divisor) << 52;
    double scale;
    memcpy(&scale, &power_of_two, sizeof scale);
    return (double)quotient * scale;
}

/* The i-th digit of the two runs. */
static char digit_at(const struct cast_number *x, size_t i)
{
    return i < x->whole_n ? x->whole[i] : x->fraction[i - x->whole_n];
}

/* Digits of any number, correctly rounded. strtod reads the decimal point of LC_NUMERIC: the program never calls
 * setlocale, so that is "C", and the text given to it has no point anyway. */
static double magnitude_by_strtod(const struct cast_number *x, int64_t exponent)
{
    char copy[STRTOD_DIGITS + 32];
    size_t digits = x->whole_n + x->fraction_n, kept = digits < STRTOD_DIGITS ? digits : STRTOD_DIGITS;
    if ((int64_t)digits + exponent > 400)
        return HUGE_VAL;
    if ((int64_t)digits + exponent < -400)
        return 0.0;
    for (size_t i = 0; i < kept; i++)
        copy[i] = digit_at(x, i);
    exponent += (int64_t)(digits - kept);
    for (size_t i = kept; i < digits; i++)
        if (digit_at(x, i) != '0') { /* one digit more stands for all that were left out */
            copy[kept++] = '1';
            exponent--;
            break;
        }
    snprintf(copy + kept, sizeof copy - kept, "e%lld", (long long)exponent);
    return strtod(copy, NULL);
}

/* x is trimmed and has a digit. */
static double magnitude_of(const struct cast_number *x)
{
    int64_t exponent = x->exponent - (int64_t)x->fraction_n;
    uint64_t whole = 0, fraction = 0;
    if (x->whole_n + x->fraction_n > 19 || (x->whole_n && !digits_u64(x->whole, x->whole_n, &whole)) ||
        (x->fraction_n && !digits_u64(x->fraction, x->fraction_n, &fraction)))
        return magnitude_by_strtod(x, exponent);
    uint64_t mantissa = whole * integer_pow10[x->fraction_n] + fraction;
    if (mantissa <= CAST_F64_EXACT_INT && exponent >= -22 && exponent <= 22)
        return exponent < 0 ? (double)mantissa / cast_f64_pow10[-exponent]
                            : (double)mantissa * cast_f64_pow10[exponent];
    if (exponent >= -19 && exponent < 0)
        return divide_pow10(mantissa, (unsigned)-exponent);
    if (exponent >= 0 && exponent <= 19)
        return (double)((unsigned __int128)mantissa * integer_pow10[exponent]);
    return magnitude_by_strtod(x, exponent);
}

static bool equal_nocase(const char *text, size_t n, const char *lower)
{
    for (size_t i = 0; i < n; i++)
        if ((text[i] | 0x20) != lower[i])
            return false;
    return lower[n] == '\0';
}

/* [+-]?(inf|infinity|nan), any case. */
static bool cast_special(const char *text, size_t n, double *out)
{
    bool negative = n && *text == '-', sign = negative || (n && *text == '+');
    text += sign;
    n -= sign;
    if (n == 3 && equal_nocase(text, n, "nan"))
        return cast_f64_finish(NAN, negative, out);
    if ((n == 3 && equal_nocase(text, n, "inf")) || (n == 8 && equal_nocase(text, n, "infinity")))
        return cast_f64_finish(HUGE_VAL, negative, out);
    return false;
}

bool cast_f64_slow(const char *text, size_t n, bool infer, double *out)
{
    struct cast_number x;
    if (!cast_number_scan(text, n, &x))
        return !infer && cast_special(text, n, out);
    if (infer && (x.plus || (x.whole_n > 1 && *x.whole == '0')))
        return false;
    uint64_t whole;
    if (infer && x.integer && (!digits_u64(x.whole, x.whole_n, &whole) || whole > CAST_F64_EXACT_INT))
        return false;
    cast_number_trim(&x);
    double magnitude = x.whole_n + x.fraction_n ? magnitude_of(&x) : 0.0;
    if (isinf(magnitude))
        return false;
    return cast_f64_finish(magnitude, x.negative, out);
}
