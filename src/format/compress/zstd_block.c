/* One complete Zstandard frame (RFC 8878) per call, with its content size in the header. */
#include <zstd.h>

#include "format/compress/stream.h"

status zstd_block(const void *bytes, size_t n, int level, struct buf *to, struct error *err)
{
    status s = buf_reserve(to, ZSTD_compressBound(n), err);
    if (s != OK)
        return s;
    size_t made = ZSTD_compress(to->data + to->len, to->cap - to->len, bytes, n, level);
    if (ZSTD_isError(made))
        return error_set(err, ERR_INTERNAL, "zstd refused to compress (%s)", ZSTD_getErrorName(made));
    to->len += made;
    return OK;
}
