#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "format/compress/stream.h"
#include "format/parquet/parquet_page.h"

#define GZIP_DEFAULT 6
#define ZSTD_DEFAULT 3
#define GZIP_WINDOW (15 + 16) /* with the gzip member's header and trailer, RFC 1952 */

static status gzip_init(struct parquet_compressor *c, struct error *err)
{
    z_stream *z = calloc(1, sizeof *z);
    if (!z)
        return error_no_memory(err, sizeof *z);
    int level = c->level ? c->level : GZIP_DEFAULT;
    int result = deflateInit2(z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (result != Z_OK) {
        free(z);
        return result == Z_MEM_ERROR ? error_no_memory(err, 256 * 1024)
                                     : error_set(err, ERR_INVALID, "gzip has no level %d", level);
    }
    c->state = z;
    return OK;
}

static status gzip_append(z_stream *z, const void *bytes, size_t n, struct buf *to, struct error *err)
{
    if (deflateReset(z) != Z_OK)
        return error_set(err, ERR_INTERNAL, "gzip could not be reset");
    status s = buf_reserve(to, deflateBound(z, n), err);
    if (s != OK)
        return s;
    size_t room = to->cap - to->len;
    z->next_in = (Bytef *)(uintptr_t)bytes; /* zlib takes it without const, but only reads */
    z->avail_in = (uInt)n;
    z->next_out = to->data + to->len;
    z->avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return error_set(err, ERR_INTERNAL, "gzip could not compress a page of %zu bytes", n);
    to->len = (size_t)(z->next_out - to->data);
    return OK;
}

static status zstd_init(struct parquet_compressor *c, struct error *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return error_no_memory(err, 1024 * 1024);
    c->state = context;
    return OK;
}

static status zstd_append(struct parquet_compressor *c, const void *bytes, size_t n, struct buf *to, struct error *err)
{
    status s = buf_reserve(to, ZSTD_compressBound(n), err);
    if (s != OK)
        return s;
    size_t length = ZSTD_compressCCtx(c->state, to->data + to->len, to->cap - to->len, bytes, n,
                                      c->level ? c->level : ZSTD_DEFAULT);
    if (ZSTD_isError(length))
        return ZSTD_getErrorCode(length) == ZSTD_error_memory_allocation
                   ? error_no_memory(err, n)
                   : error_set(err, ERR_INTERNAL, "zstd could not compress a page of %zu bytes: %s", n,
                               ZSTD_getErrorName(length));
    to->len += length;
    return OK;
}

status parquet_compressor_init(struct parquet_compressor *c, enum parquet_codec codec, int level, struct error *err)
{
    *c = (struct parquet_compressor){.codec = codec, .level = level};
    if (codec == PARQUET_GZIP)
        return gzip_init(c, err);
    if (codec == PARQUET_ZSTD)
        return zstd_init(c, err);
    return OK;
}

status parquet_compress(struct parquet_compressor *c, const void *bytes, size_t n, struct buf *to, struct error *err)
{
    switch (c->codec) {
    case PARQUET_SNAPPY:
        return snappy_block(bytes, n, to, err);
    case PARQUET_GZIP:
        return gzip_append(c->state, bytes, n, to, err);
    case PARQUET_ZSTD:
        return zstd_append(c, bytes, n, to, err);
    case PARQUET_NONE:
        break;
    }
    return buf_append(to, bytes, n, err);
}

void parquet_compressor_release(struct parquet_compressor *c)
{
    if (c->codec == PARQUET_GZIP && c->state) {
        deflateEnd(c->state);
        free(c->state);
    } else if (c->codec == PARQUET_ZSTD) {
        ZSTD_freeCCtx(c->state);
    }
    *c = (struct parquet_compressor){0};
}
