/* Single-byte code pages and how plausible a text is under each of them. */
#ifndef FF_FORMAT_SNIFF_CODE_PAGE_H
#define FF_FORMAT_SNIFF_CODE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

#define CODE_PAGES 14
#define CODE_PAGE_LANGUAGES 14

struct code_page {
    const char *name; /* as iconv knows it */
    double prior;
    uint16_t character[128];
};

struct code_page_letter {
    uint8_t language;
    uint16_t small, capital; /* capital 0: none */
    uint16_t weight;
};

extern const struct code_page code_pages[CODE_PAGES];
extern const struct code_page_letter code_page_letters[];
extern const size_t code_page_letter_count;

/* Logarithm of the likelihood of the bytes above 0x7f, prior included, under the language that suits best. */
double code_page_score(const struct code_page *page, const uint8_t *text, size_t n);

#endif
