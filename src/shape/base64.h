/* RFC 4648 section 4: the standard alphabet, padded. */
#ifndef FF_SHAPE_BASE64_H
#define FF_SHAPE_BASE64_H

#include "base/buf.h"

status base64_append(struct str bytes, struct buf *to, struct error *err) MUST_USE;

#endif
