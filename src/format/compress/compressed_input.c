#include "format/compress/compressed_input.h"

#include <inttypes.h>

#define FREE_BYTES_DEFAULT (64u << 20)

void compressed_input_init(struct compressed_input *in, struct byte_source from, struct decompress_limits limits)
{
    in->from = from;
    in->limits = limits;
    if (in->limits.free_bytes == 0)
        in->limits.free_bytes = FREE_BYTES_DEFAULT;
    in->window_offset = 0;
    in->at = in->len = 0;
    in->produced = 0;
    in->ended = false;
}

status compressed_input_fill(struct compressed_input *in, struct error *err)
{
    if (in->at < in->len || in->ended)
        return OK;
    size_t got;
    status s = byte_source_read(&in->from, in->window, sizeof in->window, &got, err);
    if (s != OK)
        return s;
    in->window_offset += in->len;
    in->at = 0;
    in->len = got;
    in->ended = got == 0;
    return OK;
}

status compressed_input_account(struct compressed_input *in, size_t n, struct error *err)
{
    in->produced += n;
    uint64_t read = compressed_input_offset(in);
    if (in->produced <= in->limits.free_bytes || in->limits.max_ratio == 0 ||
        in->produced / in->limits.max_ratio <= read)
        return OK;
    error_set(err, ERR_LIMIT,
              "%" PRIu64 " compressed bytes became %" PRIu64 ", more than %" PRIu32 " times as many: this looks like a "
              "decompression bomb",
              read, in->produced, in->limits.max_ratio);
    error_hint(err, "if the file is meant to be like that, decompress it first");
    return ERR_LIMIT;
}
