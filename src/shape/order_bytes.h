/* Values in a form whose order is that of their bytes (memcmp, a prefix before what it is a prefix of).
 *
 * null < everything else. Numbers, dates and times by value; booleans false < true; NaN < -inf for doubles and floats
 * (all NaNs equal) and -0.0 equals 0.0; string, json, binary and uuid by unsigned bytes. */
#ifndef FF_SHAPE_ORDER_BYTES_H
#define FF_SHAPE_ORDER_BYTES_H

#include "batch/column.h"

/* Bytes that every value of the type takes; 0 when it depends on the value. */
size_t order_bytes_width(struct data_type type);
#define ORDER_BYTES_MAX 17 /* largest of them */

/* Append the form of rows 0 to length - 1 to `bytes` and where each ends to `ends` (uint32 each). Both empty before.
 * ERR_LIMIT beyond 4 GiB. Thread-safe. */
status order_bytes_rows(const struct column *c, struct buf *bytes, struct buf *ends, struct error *err) MUST_USE;

#endif
