/* Code pages in which every byte is a character by itself: a table per byte instead of a general converter. */
#ifndef FF_FORMAT_SINGLE_BYTE_H
#define FF_FORMAT_SINGLE_BYTE_H

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct single_byte {
    uint8_t utf8[256][4];
    uint8_t length[256]; /* of utf8[b]; 0: the byte means nothing in this code page */
    bool ascii_same;     /* bytes below 0x80 mean themselves */
};

/* Ask `converter` (to UTF-8) about every byte. False if the encoding is no single-byte one. */
bool single_byte_learn(struct single_byte *table, iconv_t converter);

/* Convert until the input ends, the output (capacity *out_n) is full, or a byte means nothing: then *invalid is set
 * and the input stands on it. Returns the bytes of input used; *out_n becomes the bytes written. */
size_t single_byte_convert(const struct single_byte *table, const uint8_t *in, size_t n, uint8_t *out, size_t *out_n,
                           bool *invalid);

#endif
