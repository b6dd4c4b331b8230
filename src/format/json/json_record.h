/* One record, validated and taken apart: the general way, for everything that the fast path does not know. */
#ifndef FF_FORMAT_JSON_RECORD_H
#define FF_FORMAT_JSON_RECORD_H

#include "batch/json_check.h"
#include "format/json/json_field.h"

struct json_member {
    struct str key; /* unescaped */
    struct json_value value;
};

/* Reused from record to record. A zeroed struct may be used and released. */
struct json_record {
    struct json_member *members;
    size_t count, cap;
    struct buf scratch; /* unescaped texts */
};

/* Parse an object with white space around it; repeated keys are kept. *fault.why is NULL if the record is good.
 * The bytes must be valid UTF-8. Texts point into the record or into scratch; CAST_PAD bytes around them are readable
 * if they are around the record. */
status json_record_parse(struct json_record *r, const uint8_t *p, size_t n, struct json_fault *fault,
                         struct error *err) MUST_USE;
void json_record_release(struct json_record *r);

/* Write what a checked string's contents (between the quotes) mean; never longer than n. Returns the length. */
size_t json_unescape(const uint8_t *p, size_t n, uint8_t *to);
/* Unescape into `scratch` behind what is there; *text stays valid until scratch is cleared only if room for it was
 * reserved, else until the next call. */
status json_unescape_append(struct buf *scratch, const uint8_t *p, size_t n, struct str *text,
                            struct error *err) MUST_USE;

#endif
