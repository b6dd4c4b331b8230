/* Is this JSON? RFC 8259 to the letter, plus two rules of ours: at most JSON_DEPTH_MAX levels of objects and arrays,
 * and no escape that names half a surrogate pair. The encoding of the bytes is not looked at: see str_is_utf8. */
#ifndef FF_BATCH_JSON_CHECK_H
#define FF_BATCH_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

#define JSON_DEPTH_MAX 256

/* Where a text stops being JSON, and a short constant text that says why. */
struct json_fault {
    const uint8_t *at;
    const char *why;
};

static inline const uint8_t *json_skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Each checks what starts at p and returns where it ends; or NULL, with *fault set. No byte at or after `end` is
 * read. A value lies inside `depth` open objects and arrays; no white space is skipped around it. */
const uint8_t *json_check_value(const uint8_t *p, const uint8_t *end, unsigned depth, struct json_fault *fault);
/* *p is the opening quote; *escaped tells whether a backslash occurs. */
const uint8_t *json_check_string(const uint8_t *p, const uint8_t *end, bool *escaped, struct json_fault *fault);
/* *integer: neither fraction nor exponent. What follows the number is the caller's to check. */
const uint8_t *json_check_number(const uint8_t *p, const uint8_t *end, bool *integer, struct json_fault *fault);
/* true, false or null. */
const uint8_t *json_check_word(const uint8_t *p, const uint8_t *end, struct json_fault *fault);

#endif
