#include "batch/cast.h"
#include "batch/cast_digits.h"
#include "batch/cast_scan.h"

static __int128 append_digits(__int128 value, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

bool cast_decimal(const char *text, size_t n, unsigned precision, unsigned scale, __int128 *out)
{
    struct cast_number x;
    if (!cast_number_scan(text, n, &x))
        return false;
    cast_number_trim(&x);
    /* Without a fraction the whole part's trailing zeros only count as digits; they belong to the exponent. */
    if (x.fraction_n == 0)
        for (; x.whole_n && x.whole[x.whole_n - 1] == '0'; x.whole_n--)
            x.exponent++;
    size_t digits = x.whole_n + x.fraction_n;
    if (digits == 0) {
        *out = 0;
        return true;
    }
    /* The last digit is no zero: its place must not lie beyond the scale, nor the first one's before the precision. */
    int64_t zeros = x.exponent - (int64_t)x.fraction_n + scale;
    if (zeros < 0 || digits > precision || zeros > (int64_t)(precision - digits))
        return false;
    __int128 value = append_digits(append_digits(0, x.whole, x.whole_n), x.fraction, x.fraction_n);
    for (int64_t i = 0; i < zeros; i++)
        value *= 10;
    *out = x.negative ? -value : value;
    return true;
}
