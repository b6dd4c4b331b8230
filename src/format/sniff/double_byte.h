/* East Asian encodings: how plausible a text is under each of them. */
#ifndef FF_FORMAT_SNIFF_DOUBLE_BYTE_H
#define FF_FORMAT_SNIFF_DOUBLE_BYTE_H

#include <stddef.h>
#include <stdint.h>

#define DOUBLE_BYTES 5

struct double_byte {
    const char *name; /* as iconv knows it */
    double prior;
    /* Likelihood of the character that begins at text[0]; *length its bytes. 0 if there is none. n > 0. */
    double (*character)(const uint8_t *text, size_t n, size_t *length);
};

extern const struct double_byte double_bytes[DOUBLE_BYTES];

/* As code_page_score, on the same scale. */
double double_byte_score(const struct double_byte *encoding, const uint8_t *text, size_t n);

#endif
