/* DuckDB's vectors to our columns: which of our types a DuckDB type becomes, and how its values are carried over.
 * Nothing is rounded or cut off on the way: a value that our type cannot hold is an error. */
#ifndef FF_SQL_VECTOR_COLUMN_H
#define FF_SQL_VECTOR_COLUMN_H

#include "batch/column.h"
#include "sql/duckdb_api.h"

/* How the values of a vector turn into those of a column. */
enum vector_form {
    VECTOR_SAME, /* equal bytes, of the column's width */
    VECTOR_I8,   /* to the column's 32 or 64 bits or, for decimals, 128 bits */
    VECTOR_I16,
    VECTOR_I32,
    VECTOR_I64,
    VECTOR_U8,
    VECTOR_U16,
    VECTOR_U32,
    VECTOR_U64,
    VECTOR_HUGEINT,  /* 128 bits that may lie beyond 38 digits */
    VECTOR_UHUGEINT, /* the same, unsigned */
    VECTOR_SECONDS,  /* to microseconds */
    VECTOR_MILLIS,
    VECTOR_NANOS,
    VECTOR_UUID, /* 128 bits whose topmost one is flipped */
    VECTOR_TEXT, /* duckdb_string_t */
    VECTOR_JSON  /* the same; the text has to be JSON */
};

/* What a query has to select so that a column comes in a form that we take. */
enum select_form {
    SELECT_AS_IS,
    SELECT_TO_JSON, /* lists, structs, maps: to_json(), whose NaN and Infinity are then quoted */
    SELECT_TO_TEXT, /* CAST(... AS VARCHAR) */
    SELECT_CAST     /* CAST(... AS the column's type) */
};

struct vector_type {
    struct data_type type;
    enum vector_form form;
    enum select_form select;
};

/* The narrowest of our types that holds every value. ERR_UNSUPPORTED if there is none (the message lacks the column's
 * name: prefix it). */
status vector_type_of(const struct duckdb_api *api, duckdb_logical_type logical, struct vector_type *type,
                      struct error *err) MUST_USE;

/* Part of a vector: `count` values from `first` on. */
struct vector_slice {
    const void *data;         /* duckdb_vector_get_data */
    const uint64_t *validity; /* duckdb_vector_get_validity; NULL: no nulls */
    size_t first, count;
};

static inline bool vector_is_null(const struct vector_slice *v, size_t i)
{
    return v->validity && !(v->validity[(v->first + i) >> 6] >> ((v->first + i) & 63) & 1);
}

/* Append the slice to a column in plain form. ERR_BAD_DATA for a value that the type cannot hold, with *bad_row its
 * place in the slice; ERR_LIMIT beyond 4 GiB of text. After an error the column may only be reset or released. */
status vector_append(struct column *column, const struct vector_type *type, const struct vector_slice *v,
                     size_t *bad_row, struct error *err) MUST_USE;

#endif
