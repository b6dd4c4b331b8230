/* Numbers into decimal digits: what the writers of value_text.h share. */
#ifndef FF_BATCH_VALUE_TEXT_DIGITS_H
#define FF_BATCH_VALUE_TEXT_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

/* "00" "01" ... "99". */
extern const char value_text_pairs[200];

static ALWAYS_INLINE void value_text_2(unsigned v, char *into)
{
    memcpy(into, value_text_pairs + 2 * v, 2);
}

/* Digits that v has; 1 for zero. */
unsigned value_text_count(uint64_t v);
/* Exactly `count` digits, the lowest ones of v, zeros in front. */
void value_text_fixed(uint64_t v, unsigned count, char *into);
/* v (as many digits as it has); returns the length. */
size_t value_text_u64(uint64_t v, char *into);
/* v / 10^scale (scale at most 38) with exactly `scale` digits after the point. */
size_t value_text_decimal(__int128 v, unsigned scale, char *into);
/* Text of a float, by the rules for double. */
size_t value_text_f32(float v, char *into);

#endif
