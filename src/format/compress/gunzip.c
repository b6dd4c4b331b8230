/* gzip (RFC 1952) through zlib: member by member, so that the end of each is seen. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "format/compress/compressed_input.h"

#define GZIP_WINDOW_BITS (15 + 16) /* 32 KiB window; 16 asks zlib for gzip instead of zlib framing */

enum gunzip_state { GUNZIP_MEMBER, GUNZIP_BETWEEN, GUNZIP_PADDING };

struct gunzip {
    struct compressed_input in;
    z_stream z;
    enum gunzip_state state;
};

static void gunzip_close(void *self)
{
    struct gunzip *g = self;
    inflateEnd(&g->z);
    byte_source_close(&g->in.from);
    free(g);
}

static status inflate_error(const struct gunzip *g, int code, struct error *err)
{
    if (code == Z_MEM_ERROR)
        return error_no_memory(err, 1u << 15);
    error_set(err, ERR_BAD_DATA, "the gzip data is corrupt at compressed byte %" PRIu64 " (%s)",
              compressed_input_offset(&g->in), g->z.msg ? g->z.msg : "unknown reason");
    error_hint(err, "fetch it again; gzip -t tells whether a copy is good");
    return ERR_BAD_DATA;
}

/* What follows a member: another one, zero padding up to the end, or an error. */
static status after_member(struct gunzip *g, struct error *err)
{
    struct compressed_input *in = &g->in;
    if (g->state == GUNZIP_BETWEEN && in->window[in->at] == 0x1f) {
        if (inflateReset(&g->z) != Z_OK)
            return inflate_error(g, Z_STREAM_ERROR, err);
        g->state = GUNZIP_MEMBER;
        return OK;
    }
    while (in->at < in->len && in->window[in->at] == 0)
        in->at++;
    g->state = GUNZIP_PADDING;
    if (in->at == in->len)
        return OK;
    error_set(err, ERR_BAD_DATA, "bytes that are not gzip follow the gzip data, at compressed byte %" PRIu64,
              compressed_input_offset(in));
    error_hint(err, "the file may have been cut, joined or damaged in transit; fetch it again");
    return ERR_BAD_DATA;
}

static status gunzip_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct gunzip *g = self;
    struct compressed_input *in = &g->in;
    if (cap > UINT_MAX)
        cap = UINT_MAX;
    size_t produced = 0;
    while (produced == 0) {
        status s = compressed_input_fill(in, err);
        if (s != OK)
            return s;
        if (in->at == in->len && g->state != GUNZIP_MEMBER)
            break;
        if (in->at == in->len) {
            error_set(err, ERR_BAD_DATA, "the gzip data ends too early, at compressed byte %" PRIu64,
                      compressed_input_offset(in));
            error_hint(err, "the file is truncated: fetch it again");
            return ERR_BAD_DATA;
        }
        if (g->state != GUNZIP_MEMBER) {
            s = after_member(g, err);
            if (s != OK)
                return s;
            continue;
        }
        g->z.next_in = in->window + in->at;
        g->z.avail_in = (uInt)(in->len - in->at);
        g->z.next_out = into;
        g->z.avail_out = (uInt)cap;
        int code = inflate(&g->z, Z_NO_FLUSH);
        in->at = in->len - g->z.avail_in;
        produced = cap - g->z.avail_out;
        if (code == Z_STREAM_END)
            g->state = GUNZIP_BETWEEN;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return inflate_error(g, code, err);
        s = compressed_input_account(in, produced, err);
        if (s != OK)
            return s;
    }
    *got = produced;
    return OK;
}

static const struct byte_source_ops gunzip_ops = {.read = gunzip_read, .close = gunzip_close};

status byte_source_gunzip(struct byte_source *source, struct byte_source *from, struct decompress_limits limits,
                          struct error *err)
{
    struct gunzip *g = malloc(sizeof *g);
    if (!g) {
        byte_source_close(from);
        return error_no_memory(err, sizeof *g);
    }
    compressed_input_init(&g->in, *from, limits);
    *from = (struct byte_source){0};
    g->z = (z_stream){0};
    g->state = GUNZIP_MEMBER;
    int code = inflateInit2(&g->z, GZIP_WINDOW_BITS);
    if (code != Z_OK) {
        status s = inflate_error(g, code, err);
        gunzip_close(g);
        return s;
    }
    *source = (struct byte_source){&gunzip_ops, g};
    return OK;
}
