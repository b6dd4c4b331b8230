/* The compressed side of a decompressing source: a window on the bytes, where they stand in the file, and the
 * guard against bombs. Shared by gunzip and unzstd. */
#ifndef FF_FORMAT_COMPRESSED_INPUT_H
#define FF_FORMAT_COMPRESSED_INPUT_H

#include "format/compress/stream.h"

#define COMPRESSED_WINDOW (128u << 10)

struct compressed_input {
    struct byte_source from;
    struct decompress_limits limits;
    uint64_t window_offset; /* in the file, of window[0] */
    size_t at, len;         /* unread part of the window */
    uint64_t produced;      /* bytes of output so far */
    bool ended;
    uint8_t window[COMPRESSED_WINDOW];
};

/* Takes `from` and fills in the default limit. */
void compressed_input_init(struct compressed_input *in, struct byte_source from, struct decompress_limits limits);
/* Read on when the window is used up; afterwards at == len only at the end of the input. */
status compressed_input_fill(struct compressed_input *in, struct error *err) MUST_USE;
/* Count `n` more bytes of output; ERR_LIMIT when the input looks like a bomb. */
status compressed_input_account(struct compressed_input *in, size_t n, struct error *err) MUST_USE;

static inline uint64_t compressed_input_offset(const struct compressed_input *in)
{
    return in->window_offset + in->at;
}

#endif
