#include "batch/infer.h"

#include "batch/cast_inline.h"

/* The lattice: integers within 2^53 lie below all integers and below double; a date lies below timestamp; everything
 * else has only string above it, and json lies above all. Being the least upper bound of that order, the join does
 * not depend on the order in which values, chunks and threads come. */
enum infer_class infer_join(enum infer_class a, enum infer_class b)
{
    if (a == b || b == INFER_NULL)
        return a;
    if (a == INFER_NULL)
        return b;
    if (a > b) {
        enum infer_class swap = a;
        a = b;
        b = swap;
    }
    if (b == INFER_JSON)
        return INFER_JSON;
    if (a == INFER_INT53 && (b == INFER_INT64 || b == INFER_DOUBLE))
        return b;
    if (a == INFER_DATE && b == INFER_TIMESTAMP)
        return b;
    return INFER_STRING;
}

static enum infer_class infer_moment(const char *text, size_t n)
{
    int32_t days;
    int64_t micros;
    if (n < 10 || text[4] != '-')
        return INFER_STRING;
    if (cast_date_inline(text, n, &days))
        return INFER_DATE;
    if (cast_timestamp_inline(text, n, &micros))
        return INFER_TIMESTAMP;
    return cast_timestamptz(text, n, &micros) ? INFER_TIMESTAMPTZ : INFER_STRING;
}

static enum infer_class infer_number(const char *text, size_t n)
{
    int64_t integer;
    double real;
    if (infer_i64_inline(text, n, &integer)) {
        const int64_t exact = (int64_t)CAST_F64_EXACT_INT;
        return integer >= -exact && integer <= exact ? INFER_INT53 : INFER_INT64;
    }
    return infer_f64_inline(text, n, &real) ? INFER_DOUBLE : INFER_STRING;
}

enum infer_class infer_text(const char *text, size_t n)
{
    uint8_t flag;
    if (n == 0)
        return INFER_STRING;
    unsigned char first = (unsigned char)*text;
    if (first >= '0' && first <= '9') {
        enum infer_class c = infer_moment(text, n);
        return c != INFER_STRING ? c : infer_number(text, n);
    }
    if (first == '-' || first == '.')
        return infer_number(text, n);
    return infer_bool(text, n, &flag) ? INFER_BOOLEAN : INFER_STRING;
}

enum infer_class infer_json_string(const char *text, size_t n)
{
    return infer_moment(text, n);
}

struct data_type infer_type(enum infer_class c)
{
    static const enum type_kind kinds[INFER_CLASS_COUNT] = {
        [INFER_NULL] = TYPE_NULL,           [INFER_BOOLEAN] = TYPE_BOOLEAN,         [INFER_INT53] = TYPE_BIGINT,
        [INFER_INT64] = TYPE_BIGINT,        [INFER_DOUBLE] = TYPE_DOUBLE,           [INFER_DATE] = TYPE_DATE,
        [INFER_TIMESTAMP] = TYPE_TIMESTAMP, [INFER_TIMESTAMPTZ] = TYPE_TIMESTAMPTZ, [INFER_STRING] = TYPE_STRING,
        [INFER_JSON] = TYPE_JSON,
    };
    return (struct data_type){.kind = kinds[c]};
}
