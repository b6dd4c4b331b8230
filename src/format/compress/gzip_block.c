/* One complete gzip member (RFC 1952) per call. */
#include <limits.h>
#include <zlib.h>

#include "format/compress/stream.h"

#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_MEMORY_LEVEL 8
#define GZIP_HEADER_MAX 32 /* header and trailer beyond what deflateBound foresees for the zlib framing */

status gzip_block(const void *bytes, size_t n, int level, struct buf *to, struct error *err)
{
    z_stream z = {0};
    if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_no_memory(err, 1u << 18);

    size_t start = to->len;
    const uint8_t *at = bytes;
    size_t left = n;
    status s = buf_reserve(to, deflateBound(&z, n) + GZIP_HEADER_MAX, err);
    int code = Z_OK;
    while (s == OK && code != Z_STREAM_END) {
        uInt step = left > UINT_MAX ? UINT_MAX : (uInt)left;
        size_t room = to->cap - to->len;
        uInt step_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
        z.next_in = (Bytef *)(uintptr_t)at;
        z.avail_in = step;
        z.next_out = to->data + to->len;
        z.avail_out = step_out;
        code = deflate(&z, step == left ? Z_FINISH : Z_NO_FLUSH);
        at += step - z.avail_in;
        left -= step - z.avail_in;
        to->len += step_out - z.avail_out;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            s = error_set(err, ERR_INTERNAL, "zlib refused to compress (code %d)", code);
        else if (code != Z_STREAM_END)
            s = buf_reserve(to, 4096, err);
    }
    deflateEnd(&z);
    if (s != OK)
        to->len = start;
    return s;
}
