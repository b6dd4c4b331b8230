#include <snappy-c.h>

#include "format/compress/stream.h"

status snappy_block(const void *bytes, size_t n, struct buf *to, struct error *err)
{
    size_t length = snappy_max_compressed_length(n);
    status s = buf_reserve(to, length, err);
    if (s != OK)
        return s;
    if (snappy_compress(bytes, n, (char *)to->data + to->len, &length) != SNAPPY_OK)
        return error_set(err, ERR_INTERNAL, "snappy could not compress a block of %zu bytes", n);
    to->len += length;
    return OK;
}
