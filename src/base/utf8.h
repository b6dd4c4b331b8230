/* Whether bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms, nothing beyond
 * U+10FFFF), at vector speed where the CPU has it. */
#ifndef FF_BASE_UTF8_H
#define FF_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The best variant for this CPU. Reads only the n bytes. */
bool utf8_is_valid(const uint8_t *text, size_t n);

/* The reference, byte by byte. */
bool utf8_is_valid_scalar(const uint8_t *text, size_t n);
#if defined(__x86_64__)
bool utf8_is_valid_avx2(const uint8_t *text, size_t n);
#endif

#endif
