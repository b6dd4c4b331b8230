#include "batch/cast_scan.h"

#include "batch/cast_digits.h"

static int64_t scan_exponent(const char *p, size_t n)
{
    int64_t value = 0;
    for (size_t i = 0; i < n && value < CAST_EXPONENT_MAX; i++)
        value = value * 10 + (p[i] - '0');
    return value < CAST_EXPONENT_MAX ? value : CAST_EXPONENT_MAX;
}

bool cast_number_scan(const char *text, size_t n, struct cast_number *number)
{
    const char *p = text, *end = text + n;
    struct cast_number x = {.integer = true};
    if (p < end && (*p == '-' || *p == '+')) {
        x.negative = *p == '-';
        x.plus = *p == '+';
        p++;
    }
    x.whole = p;
    x.whole_n = digits_run(p, (size_t)(end - p));
    p += x.whole_n;
    x.fraction = p;
    if (p < end && *p == '.') {
        x.fraction = ++p;
        x.fraction_n = digits_run(p, (size_t)(end - p));
        p += x.fraction_n;
        x.integer = false;
    }
    if (x.whole_n + x.fraction_n == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        bool below_one = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        size_t digits = digits_run(p, (size_t)(end - p));
        if (digits == 0)
            return false;
        x.exponent = scan_exponent(p, digits);
        if (below_one)
            x.exponent = -x.exponent;
        x.integer = false;
        p += digits;
    }
    *number = x;
    return p == end;
}

void cast_number_trim(struct cast_number *x)
{
    while (x->whole_n && *x->whole == '0') {
        x->whole++;
        x->whole_n--;
    }
    while (x->fraction_n && x->fraction[x->fraction_n - 1] == '0')
        x->fraction_n--;
    if (x->whole_n)
        return;
    while (x->fraction_n && *x->fraction == '0') {
        x->fraction++;
        x->fraction_n--;
        x->exponent--;
    }
}
