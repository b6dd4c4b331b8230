/* One input opened for reading: file, decompression, byte order mark, encoding to UTF-8. */
#ifndef FF_SOURCE_TEXT_INPUT_H
#define FF_SOURCE_TEXT_INPUT_H

#include <stdatomic.h>

#include "base/byte_stream.h"
#include "format/compress/stream.h"
#include "format/sniff/sniff.h"

struct text_input_options {
    const char *encoding; /* NULL: told from the head */
    struct decompress_limits limits;
};

/* What was found out about an input without reading more than its head. */
struct text_input_facts {
    enum sniff_compression compression;
    char encoding[32]; /* iconv name; "UTF-8" is passed through */
    size_t bom_bytes;
    double encoding_sure;
    uint64_t size;       /* bytes on disk; UINT64_MAX: unknown */
    bool regular;        /* a file that can be read twice */
    int64_t modified_ns; /* mtime: with the size it tells whether the file changed between two passes */
};

/* Read up to `head_bytes` of decoded text into *head and find the facts. *whole: that is all there is. */
status text_input_look(const char *path, const struct text_input_options *options, size_t head_bytes,
                       struct text_input_facts *facts, struct buf *head, bool *whole, struct error *err) MUST_USE;
/* Open for reading as the facts say. Bytes taken from disk are added to *progress (may be NULL). */
status text_input_open(const char *path, const struct text_input_options *options, const struct text_input_facts *facts,
                       atomic_ullong *progress, struct byte_source *source, struct error *err) MUST_USE;
/* ERR_CHANGED when size or mtime differ from the facts. */
status text_input_check_unchanged(const char *path, const struct text_input_facts *facts, struct error *err) MUST_USE;

#endif
