/* DuckDB's to_json() writes floating-point values that JSON has no number for as bare words (NaN, Infinity,
 * -Infinity). RFC 8259 section 6 knows none of them: we write them as the strings that such values have in NDJSON. */
#ifndef FF_SQL_JSON_NONFINITE_H
#define FF_SQL_JSON_NONFINITE_H

#include "base/buf.h"

/* False: the text surely holds no such word. True: it may (perhaps inside a string). */
bool json_nonfinite_maybe(struct str json);
/* Append the text with the words outside of strings replaced by "NaN", "inf" and "-inf". */
status json_nonfinite_quote(struct str json, struct buf *to, struct error *err) MUST_USE;

#endif
