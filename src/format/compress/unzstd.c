/* Zstandard (RFC 8878) through libzstd. */
#include <inttypes.h>
#include <stdlib.h>
#include <zstd.h>

#include "format/compress/compressed_input.h"

struct unzstd {
    struct compressed_input in;
    ZSTD_DCtx *context;
    bool in_frame; /* a frame is begun and not finished, or none was seen yet */
};

static void unzstd_close(void *self)
{
    struct unzstd *u = self;
    ZSTD_freeDCtx(u->context);
    byte_source_close(&u->in.from);
    free(u);
}

static status unzstd_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct unzstd *u = self;
    struct compressed_input *in = &u->in;
    ZSTD_outBuffer out = {into, cap, 0};
    while (out.pos == 0) {
        status s = compressed_input_fill(in, err);
        if (s != OK)
            return s;
        /* At the end of the input the decoder may still hold output that did not fit before. */
        bool at_end = in->at == in->len;
        if (at_end && !u->in_frame)
            break;
        ZSTD_inBuffer input = {in->window, in->len, in->at};
        size_t left = ZSTD_decompressStream(u->context, &out, &input);
        in->at = input.pos;
        if (ZSTD_isError(left)) {
            error_set(err, ERR_BAD_DATA, "the zstd data is corrupt at compressed byte %" PRIu64 " (%s)",
                      compressed_input_offset(in), ZSTD_getErrorName(left));
            error_hint(err, "fetch it again; zstd -t tells whether a copy is good");
            return ERR_BAD_DATA;
        }
        u->in_frame = left != 0;
        if (at_end && out.pos == 0 && u->in_frame) {
            error_set(err, ERR_BAD_DATA, "the zstd data ends too early, at compressed byte %" PRIu64,
                      compressed_input_offset(in));
            error_hint(err, "the file is truncated: fetch it again");
            return ERR_BAD_DATA;
        }
        s = compressed_input_account(in, out.pos, err);
        if (s != OK)
            return s;
    }
    *got = out.pos;
    return OK;
}

static const struct byte_source_ops unzstd_ops = {.read = unzstd_read, .close = unzstd_close};

status byte_source_unzstd(struct byte_source *source, struct byte_source *from, struct decompress_limits limits,
                          struct error *err)
{
    struct unzstd *u = malloc(sizeof *u);
    if (!u) {
        byte_source_close(from);
        return error_no_memory(err, sizeof *u);
    }
    compressed_input_init(&u->in, *from, limits);
    *from = (struct byte_source){0};
    u->in_frame = true;
    u->context = ZSTD_createDCtx();
    if (!u->context) {
        unzstd_close(u);
        return error_no_memory(err, 1u << 17);
    }
    *source = (struct byte_source){&unzstd_ops, u};
    return OK;
}
