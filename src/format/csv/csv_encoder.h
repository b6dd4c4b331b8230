/* Batches to CSV (RFC 4180, LF line ends, comma, '"' quotes doubled) and to NDJSON.
 *
 * CSV: a null is an empty field (an empty line where it is the only field: the decoder takes a blank line in a file
 * of one column as a null), the empty string is `""`; a field is also quoted when it holds a comma, quote, CR, LF, or
 * starts or ends with a space. Reading it back gives the same values.
 * NDJSON: one object a row, nulls written as null, numbers as JSON numbers (NaN and infinities as strings),
 * json columns as they are, binary as base64, everything else as a string. */
#ifndef FF_FORMAT_CSV_ENCODER_H
#define FF_FORMAT_CSV_ENCODER_H

#include "base/buf.h"
#include "batch/batch.h"

status csv_encode_header(const struct schema *schema, struct buf *to, struct error *err) MUST_USE;
status csv_encode(const struct batch *batch, struct buf *to, struct error *err) MUST_USE;

#endif
