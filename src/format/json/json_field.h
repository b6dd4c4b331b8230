/* One target while a chunk is decoded: how its values are read, and the column they are written to.
 *
 * Cells are written by row number into buffers that have room for `capacity` rows, so a record that turns out to be
 * bad is taken back by not counting its row. A column may lag behind: rows that brought no value for it become null
 * once it gets its next value, or at the end. */
#ifndef FF_FORMAT_JSON_FIELD_H
#define FF_FORMAT_JSON_FIELD_H

#include "batch/cast.h"
#include "format/json/json_memo.h"
#include "format/text_chunk.h"

/* What a JSON value is. */
enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_INTEGER, JSON_REAL, JSON_STRING, JSON_NESTED };

struct json_value {
    enum json_kind kind;
    struct str raw;  /* as it stands in the record */
    struct str text; /* a string's contents, unescaped; else the same as raw */
};

/* How the fast path reads the field's next value. An op that does not fit the value leads to the general path. */
enum json_op {
    OP_END,         /* not a field: the record's closing bracket */
    OP_SKIP,        /* a key that no target has */
    OP_I64,         /* an integer as bigint */
    OP_F64,         /* a number as double */
    OP_NUMBER,      /* a number cast to any fixed-width type */
    OP_NUMBER_CODE, /* the same, through the memo */
    OP_NUMBER_TEXT, /* a number as text */
    OP_STRING,      /* a string as it is */
    OP_STRING_CODE, /* a string through the memo, of any type */
    OP_DATE_CODE,   /* a date, through the days seen before and then the memo */
    OP_STRING_CAST, /* a string cast to any fixed-width type */
    OP_BOOLEAN,     /* true or false */
    OP_JSON,        /* anything, as it stands */
    OP_GENERAL      /* always the general path (nulls apart) */
};

/* Dates of a dictionary by their day number: neighbours in time are neighbours in memory, which the memo's hashes are
 * not. A cache: a day may push out another one that lies JSON_DAYS days away. */
#define JSON_DAYS 16384
struct json_day {
    int32_t day;
    uint32_t code; /* plus 1 */
};

struct json_field {
    enum json_op op;
    size_t rows;       /* rows written or known to be null: row + 1 as soon as the row's value was met */
    uint8_t *data;     /* the column's data */
    uint32_t *indexes; /* codes of a dictionary, else offsets of a LAYOUT_VAR column */
    size_t data_room;  /* bytes at data, LAYOUT_VAR in the plain form */
    struct column *column;
    const struct decode_target *target; /* borrowed during one call */
    struct data_type type;              /* the target's, also in the chunk before */
    size_t width;
    bool all_text;
    bool numbers; /* the last value was no string */
    size_t null_count;
    size_t capacity;
    struct json_memo memo;
    struct json_day *days; /* JSON_DAYS of them, if the column is a date */
    unsigned memo_wait;    /* chunks until the memo gets its next chance */
};

/* Begin a chunk. The column is empty, of the target's type. */
status json_field_begin(struct json_field *f, const struct decode_target *target, struct column *column, bool all_text,
                        struct error *err) MUST_USE;
status json_field_reserve(struct json_field *f, size_t capacity, struct error *err) MUST_USE;
/* End it with `rows` rows. */
status json_field_finish(struct json_field *f, size_t rows, struct error *err) MUST_USE;
void json_field_release(struct json_field *f);

/* Rows up to `row` get nulls, where they have nothing. */
status json_field_fill(struct json_field *f, size_t row, struct error *err) MUST_USE;
/* The row is null. */
status json_field_null(struct json_field *f, size_t row, struct error *err) MUST_USE;
/* Forget what the row got. */
void json_field_undo(struct json_field *f, size_t row);

/* Whether the target takes the value, and as what (fixed-width types). *class_ is the value's own class; where the
 * target infers, false means that its type has to change, else *why says what is wrong. */
bool json_field_takes(const struct json_field *f, const struct json_value *v, union value *value,
                      enum infer_class *class_, const char **why) MUST_USE;
enum infer_class json_value_class(const struct json_value *v);
/* Write a value that the target takes. */
status json_field_put(struct json_field *f, size_t row, const struct json_value *v, const union value *value,
                      struct error *err) MUST_USE;
/* Both at once, for the fast path. *taken: false if the target does not take it, or if the value changes what is known
 * about the column; nothing was written then. */
status json_field_learn(struct json_field *f, size_t row, const struct json_value *v, bool *taken,
                        struct error *err) MUST_USE;
/* Make room for n more bytes of text behind row `row`. */
status json_field_grow_text(struct json_field *f, size_t row, size_t n, struct error *err) MUST_USE;

/* Bytes that may be written behind a text's end. */
#define JSON_FIELD_SLACK 32

static ALWAYS_INLINE status json_field_put_text(struct json_field *f, size_t row, const uint8_t *text, size_t n,
                                                struct error *err)
{
    size_t at = f->indexes[row];
    if (UNLIKELY(at + n + JSON_FIELD_SLACK > f->data_room)) {
        status s = json_field_grow_text(f, row, n, err);
        if (s != OK)
            return s;
    }
    if (LIKELY(n <= 32))
        memcpy(f->data + at, text, 32); /* texts are followed by readable bytes */
    else
        memcpy(f->data + at, text, n);
    f->indexes[row + 1] = (uint32_t)(at + n);
    return OK;
}

#endif
