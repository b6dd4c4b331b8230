/* The types of DESIGN section 3.1 and the one table where their names and layouts meet. */
#ifndef FF_BATCH_TYPE_H
#define FF_BATCH_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum type_kind {
    TYPE_NULL, /* inference only: no value seen yet. Never in a finished schema */
    TYPE_BOOLEAN,
    TYPE_INTEGER,
    TYPE_BIGINT,
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_DECIMAL,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_TIMESTAMP,   /* naive: no zone, isAdjustedToUTC=false */
    TYPE_TIMESTAMPTZ, /* an instant, kept as UTC */
    TYPE_STRING,
    TYPE_JSON,
    TYPE_BINARY,
    TYPE_UUID,
    TYPE_KIND_COUNT
};

struct data_type {
    enum type_kind kind;
    uint8_t precision; /* decimal: 1..38 */
    uint8_t scale;     /* decimal: 0..precision */
};

/* How one value lies in column.data. */
enum value_layout {
    LAYOUT_NONE, /* TYPE_NULL: no data at all */
    LAYOUT_BOOL, /* 1 byte, 0 or 1 (Arrow's one deviation: bytes, not bits, so that rows gather fast) */
    LAYOUT_I32,  /* integer; date: days since 1970-01-01 */
    LAYOUT_I64,  /* bigint; time: microseconds since midnight; timestamps: microseconds since the epoch */
    LAYOUT_F32,
    LAYOUT_F64,
    LAYOUT_I128,    /* decimal: two's complement, low 64 bits first, scaled by 10^scale */
    LAYOUT_BYTES16, /* uuid: 16 bytes in text order */
    LAYOUT_VAR      /* string, json, binary: offsets + bytes */
};

struct type_row {
    const char *name;   /* the API's name */
    const char *duckdb; /* DuckDB's type name; decimal's lacks its parameters */
    enum value_layout layout;
    uint8_t width; /* bytes a value takes in column.data; 0 for LAYOUT_VAR and LAYOUT_NONE */
    bool is_text;  /* valid UTF-8 is part of the type */
};

extern const struct type_row type_table[TYPE_KIND_COUNT];

static inline enum value_layout type_layout(struct data_type t)
{
    return type_table[t.kind].layout;
}
static inline size_t type_width(struct data_type t)
{
    return type_table[t.kind].width;
}
static inline bool type_is_var(struct data_type t)
{
    return type_layout(t) == LAYOUT_VAR;
}
static inline bool type_equal(struct data_type a, struct data_type b)
{
    return a.kind == b.kind && (a.kind != TYPE_DECIMAL || (a.precision == b.precision && a.scale == b.scale));
}

/* Longest text that type_name writes, with its NUL. */
#define TYPE_NAME_MAX 24
/* "bigint", "decimal(18,3)". */
const char *type_name(struct data_type t, char into[TYPE_NAME_MAX]);
/* Parse an API name, case-insensitively. `decimal` alone is decimal(38,9). ERR_INVALID names the known types. */
status type_parse(struct str name, struct data_type *type, struct error *err) MUST_USE;

#endif
