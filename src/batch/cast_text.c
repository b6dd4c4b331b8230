#include <float.h>
#include <math.h>

#include "batch/cast_inline.h"
#include "batch/cast_scan.h"

static const char not_a_number[] = "not a number";

static bool cast_integer(const char *text, size_t n, int32_t *out, const char **why)
{
    int64_t wide;
    struct cast_number x;
    if (!cast_i64_inline(text, n, &wide)) {
        *why = cast_number_scan(text, n, &x) && x.integer ? "beyond the range of integer" : "not a whole number";
        return false;
    }
    if (wide < INT32_MIN || wide > INT32_MAX) {
        *why = "beyond the range of integer";
        return false;
    }
    *out = (int32_t)wide;
    return true;
}

static bool cast_bigint(const char *text, size_t n, int64_t *out, const char **why)
{
    struct cast_number x;
    if (cast_i64_inline(text, n, out))
        return true;
    *why = cast_number_scan(text, n, &x) && x.integer ? "beyond the range of bigint" : "not a whole number";
    return false;
}

static bool cast_double(const char *text, size_t n, double *out, const char **why)
{
    struct cast_number x;
    if (cast_f64_inline(text, n, out))
        return true;
    *why = cast_number_scan(text, n, &x) ? "beyond the range of double" : not_a_number;
    return false;
}

static bool cast_float(const char *text, size_t n, float *out, const char **why)
{
    double wide;
    if (!cast_double(text, n, &wide, why)) {
        if (*why != not_a_number)
            *why = "beyond the range of float";
        return false;
    }
    /* From FLT_MAX plus half of its last place on, a value rounds to infinity. */
    if (!isinf(wide) && fabs(wide) >= (double)FLT_MAX + 0x1p103) {
        *why = "beyond the range of float";
        return false;
    }
    *out = (float)wide;
    return true;
}

static bool cast_decimal_why(struct data_type type, const char *text, size_t n, __int128 *out, const char **why)
{
    struct cast_number x;
    if (cast_decimal(text, n, type.precision, type.scale, out))
        return true;
    *why = cast_number_scan(text, n, &x) ? "more digits than the decimal's precision and scale hold" : not_a_number;
    return false;
}

/* As when `ok`, else with the reason. */
static bool or_why(bool ok, const char *reason, const char **why)
{
    if (!ok)
        *why = reason;
    return ok;
}

bool cast_text(struct data_type type, const char *text, size_t n, union value *out, const char **why)
{
    switch (type.kind) {
    case TYPE_BOOLEAN:
        return or_why(cast_bool(text, n, &out->b), "not a boolean", why);
    case TYPE_INTEGER:
        return cast_integer(text, n, &out->i32, why);
    case TYPE_BIGINT:
        return cast_bigint(text, n, &out->i64, why);
    case TYPE_FLOAT:
        return cast_float(text, n, &out->f32, why);
    case TYPE_DOUBLE:
        return cast_double(text, n, &out->f64, why);
    case TYPE_DECIMAL:
        return cast_decimal_why(type, text, n, &out->i128, why);
    case TYPE_DATE:
        return or_why(cast_date_inline(text, n, &out->i32), "not a date (yyyy-MM-dd) that exists", why);
    case TYPE_TIME:
        return or_why(cast_time(text, n, &out->i64), "not a time (HH:mm:ss) within microseconds", why);
    case TYPE_TIMESTAMP:
        return or_why(cast_timestamp_inline(text, n, &out->i64),
                      "not a timestamp (yyyy-MM-ddTHH:mm:ss) within microseconds and without offset", why);
    case TYPE_TIMESTAMPTZ:
        return or_why(cast_timestamptz(text, n, &out->i64),
                      "not a timestamp with an offset (yyyy-MM-ddTHH:mm:ssZ) within microseconds", why);
    case TYPE_UUID:
        return or_why(cast_uuid(text, n, out->bytes), "not a uuid", why);
    case TYPE_JSON:
        return or_why(cast_json_valid(text, n), "not one valid JSON value", why);
    case TYPE_STRING:
    case TYPE_BINARY:
        return true;
    case TYPE_NULL:
    case TYPE_KIND_COUNT:
        break;
    }
    return or_why(false, "a column without a type takes no value", why);
}
