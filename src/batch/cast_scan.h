/* The parts of a decimal number's text: what double, float and decimal share. */
#ifndef FF_BATCH_CAST_SCAN_H
#define FF_BATCH_CAST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/* Exponents are cut off at this magnitude; no text is long enough to bring such a number back into any range. */
#define CAST_EXPONENT_MAX INT64_C(1000000000000000)

struct cast_number {
    bool negative;
    bool plus;         /* there was a leading '+' */
    bool integer;      /* neither point nor exponent */
    const char *whole; /* digits before the point */
    size_t whole_n;    /* may be 0 if fraction_n is not */
    const char *fraction;
    size_t fraction_n;
    int64_t exponent; /* as written */
};

/* [+-]?(digits[.digits]|.digits|digits.)([eE][+-]?digits)? and nothing else. CAST_PAD rule of cast.h. */
bool cast_number_scan(const char *text, size_t n, struct cast_number *number) MUST_USE;

/* Leading zeros of the number and trailing zeros of the fraction go, the value stays. What remains is
 * (whole . fraction) as one string of digits, times 10^(exponent - fraction_n), where a number below one has lost
 * its fraction's leading zeros too. No digits at all: zero. */
void cast_number_trim(struct cast_number *number);

#endif
