/* Values to text, canonically: what the CSV and NDJSON writers, partition paths, previews and
 * messages print. cast_text() of the result gives the same value back.
 *
 * boolean true/false; integers and decimals plain (decimal with exactly `scale` fraction digits);
 * double and float shortest digits that round-trip, always with '.' or exponent ("1.0", "1e+30"),
 * NaN/inf/-inf; date yyyy-MM-dd; time HH:mm:ss[.ffffff]; timestamp yyyy-MM-ddTHH:mm:ss[.ffffff]
 * (fraction without trailing zeros); timestamptz the same with Z; uuid lower case; string, json,
 * binary as they are. */
#ifndef FF_BATCH_VALUE_TEXT_H
#define FF_BATCH_VALUE_TEXT_H

#include "base/buf.h"
#include "batch/column.h"

/* Longest text of a fixed-width value. */
#define VALUE_TEXT_MAX 64

/* Write a non-null fixed-width value; returns the length. No NUL is added. */
size_t value_text(struct data_type type, const void *value, char into[VALUE_TEXT_MAX]);
/* Append the text of any non-null cell. */
status value_text_append(const struct column *c, size_t row, struct buf *to, struct error *err) MUST_USE;

size_t value_text_i64(int64_t v, char *into);
size_t value_text_f64(double v, char *into);
size_t value_text_date(int32_t days, char *into);
size_t value_text_timestamp(int64_t micros, char *into);

#endif
