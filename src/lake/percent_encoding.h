/* Percent-encoding of one path segment's part: RFC 3986 section 2.1, everything but section 2.3's unreserved
 * characters. */
#ifndef FF_LAKE_PERCENT_ENCODING_H
#define FF_LAKE_PERCENT_ENCODING_H

#include "base/buf.h"

status percent_encode(struct str text, struct buf *to, struct error *err) MUST_USE;

#endif
