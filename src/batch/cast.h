/* Text to values, exactly (DESIGN 3.1 to 3.3): no trimming, no rounding, no wrapping.
 *
 * Two grammars. CAST is what a declared type (user schema) accepts. INFER is the narrower one by
 * which a type is inferred: only text whose value says all that the text said.
 *
 *  type         CAST accepts                                            INFER accepts
 *  boolean      true/false, t/f, yes/no, y/n, 1/0, any ASCII case       true True TRUE false False FALSE
 *  integer      [+-]?digits within 32 bits                              (not inferred)
 *  bigint       [+-]?digits within 64 bits                              -?(0|[1-9]digits*) within 64 bits, not "-0"
 *  double       [+-]?(digits[.digits]|.digits|digits.)([eE][+-]?digits)?  the same without a leading '+', without a
 *               finite when read; or [+-]?(inf|infinity|nan), any case  leading zero before another digit; no inf, nan
 *  float        as double, then within float's range                    (not inferred)
 *  decimal(p,s) as double's finite form; exact: digits beyond the       (not inferred)
 *               scale must be zeros, at most p-s integer digits
 *  date         yyyy-MM-dd, years 0001 to 9999, a day that exists       the same
 *  time         HH:mm[:ss[.f{1,}]], 00:00 to 23:59:59.999999            (not inferred)
 *  timestamp    date, or date[T ]HH:mm[:ss[.f{1,}]], no offset          the same (a bare date is a date)
 *  timestamptz  timestamp with a time of day, then Z or [+-]HH[[:]mm]   the same
 *               (a space before allowed, offset below 24 hours)
 *  uuid         8-4-4-4-12 hex digits, any case                         (not inferred)
 *  json         one JSON value (RFC 8259), valid UTF-8                  (CSV: not inferred)
 *  string       anything that is valid UTF-8 (checked by the decoder)   anything
 *  binary       any bytes, as they are                                  (not inferred)
 * "-0" is a double for INFER, because an integer has no negative zero. An instant lies within the years 0001 to 9999
 * of UTC.
 * Fractions of a second beyond microseconds must be zeros. No leap second, no 24:00.
 *
 * Text handed to these functions must be readable CAST_PAD bytes before and after itself (the
 * bytes there are never part of the result). */
#ifndef FF_BATCH_CAST_H
#define FF_BATCH_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "batch/type.h"

#define CAST_PAD 16

/* One value of any fixed-width layout. */
union value {
    uint8_t b;
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    __int128 i128;
    uint8_t bytes[16];
};

/* Cast one cell to a type with a fixed width by the CAST grammar. On failure *why is a short
 * constant text such as "not a number" or "beyond the range of bigint". For LAYOUT_VAR types only
 * the check is done (json), *out untouched. */
bool cast_text(struct data_type type, const char *text, size_t n, union value *out, const char **why) MUST_USE;

bool cast_bool(const char *text, size_t n, uint8_t *out) MUST_USE;
bool cast_i64(const char *text, size_t n, int64_t *out) MUST_USE;
bool cast_f64(const char *text, size_t n, double *out) MUST_USE;
bool cast_decimal(const char *text, size_t n, unsigned precision, unsigned scale, __int128 *out) MUST_USE;
bool cast_date(const char *text, size_t n, int32_t *days) MUST_USE;
bool cast_time(const char *text, size_t n, int64_t *micros) MUST_USE;
bool cast_timestamp(const char *text, size_t n, int64_t *micros) MUST_USE;
bool cast_timestamptz(const char *text, size_t n, int64_t *micros) MUST_USE;
bool cast_uuid(const char *text, size_t n, uint8_t out[16]) MUST_USE;
/* RFC 8259, depth at most 256, valid UTF-8, one value with white space around it allowed. */
bool cast_json_valid(const char *text, size_t n) MUST_USE;

/* The INFER grammar, for the hot loops of decoders. */
bool infer_bool(const char *text, size_t n, uint8_t *out) MUST_USE;
bool infer_i64(const char *text, size_t n, int64_t *out) MUST_USE;
/* Also accepts what infer_i64 accepts, if |x| <= 2^53 (DESIGN 3.2). */
bool infer_f64(const char *text, size_t n, double *out) MUST_USE;

#endif
