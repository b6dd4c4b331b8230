/* The state of one JSON decoder, shared by its fast path, its general path and the loop over a chunk's records. */
#ifndef FF_FORMAT_JSON_WORK_H
#define FF_FORMAT_JSON_WORK_H

#include "format/json/json_decoder.h"
#include "format/json/json_keys.h"
#include "format/json/json_record.h"

/* What the general path gathers about one target from one record. */
struct json_cell {
    size_t met; /* == json_work.attempt: the record has the key */
    struct json_value value;
    union value cast;
};

struct json_work {
    struct json_options options;
    const struct json_scan_ops *scan;
    struct json_keys keys;
    size_t known_keys;        /* the first ones, which have targets */
    struct json_step head;    /* stands before a record's bracket: only `next` is used */
    struct json_step closing; /* the record's closing bracket */
    struct json_field end_field, skip_field;
    struct json_field *fields;
    struct json_cell *cells;
    size_t field_count;
    size_t *required; /* targets in which a null is a bad row */
    size_t required_count;
    struct json_record record;
    struct buf scratch; /* a string unescaped on the fast path */
    struct buf message;
    size_t attempt; /* counts readings of records, so that repeated keys can be told */

    /* The chunk in hand. */
    const struct text_chunk *chunk;
    const struct decode_target *targets;
    const struct schema *schema;
    struct decoded *into;
    size_t row, capacity; /* rows taken; rows that the columns have room for */
    status failure;       /* other than OK: the fast path had to stop, *err says why */
    struct error *err;
};

/* Where a record lies. */
struct json_extent {
    const uint8_t *begin, *end;
    uint64_t line; /* from 1, in the chunk */
};

/* Read the record that starts at p as the records before led to expect, and write row w->row; does not count it.
 * Returns where it ends (behind the bracket), or NULL: then nothing is decided, and what the row got must be undone.
 * JSON_STEP_BYTES after `end` must be readable. */
const uint8_t *json_fast_record(struct json_work *w, const uint8_t *p, const uint8_t *end);

/* Read any record: it becomes a row, or a reject, or widens the targets. */
status json_general_record(struct json_work *w, const struct json_extent *at) MUST_USE;
/* Count a record and reject it. */
status json_reject_record(struct json_work *w, const struct json_extent *at, enum reject_code code, size_t column,
                          const char *message, size_t n) MUST_USE;
status json_reject_too_long(struct json_work *w, const struct json_extent *at) MUST_USE;

static inline bool json_is_null_text(const struct json_options *options, struct str text)
{
    for (size_t i = 0; i < options->null_value_count; i++)
        if (str_equal(options->null_values[i], text))
            return true;
    return false;
}

#endif
