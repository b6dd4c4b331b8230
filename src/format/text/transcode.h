/* Any encoding to UTF-8, through iconv. */
#ifndef FF_FORMAT_TEXT_TRANSCODE_H
#define FF_FORMAT_TEXT_TRANSCODE_H

#include "base/byte_stream.h"

/* Takes ownership of `from` (whose BOM was already consumed). ERR_INVALID if iconv does not know `encoding` (the hint
 * names how to list them); ERR_BAD_ENCODING with the byte offset in `from` where the bytes are not valid in it. */
status byte_source_transcode(struct byte_source *source, struct byte_source *from, const char *encoding,
                             uint64_t from_offset, struct error *err) MUST_USE;

#endif
