/* Compressed byte streams: sources that decompress what another source yields, sinks that compress. */
#ifndef FF_FORMAT_COMPRESS_STREAM_H
#define FF_FORMAT_COMPRESS_STREAM_H

#include "base/buf.h"
#include "base/byte_stream.h"

struct decompress_limits {
    uint64_t free_bytes; /* output up to this size is never a bomb (0: 64 MiB) */
    uint32_t max_ratio;  /* beyond it, output / input may not exceed this; 0: no limit */
};

/* Each takes ownership of `from` (closed with the result; also closed on failure). Concatenated members (gzip,
 * RFC 1952 2.2) and frames (zstd, RFC 8878 3) are read through; other bytes after a member are an error, zero
 * padding after the last gzip member is not. Truncated or corrupt input: ERR_BAD_DATA with the compressed byte
 * offset; a bomb: ERR_LIMIT. */
status byte_source_gunzip(struct byte_source *source, struct byte_source *from, struct decompress_limits limits,
                          struct error *err) MUST_USE;
status byte_source_unzstd(struct byte_source *source, struct byte_source *from, struct decompress_limits limits,
                          struct error *err) MUST_USE;

/* Whole-block forms: append one complete gzip member / zstd frame of `n` bytes to `to`, so that blocks compressed in
 * parallel concatenate into one valid file. */
status gzip_block(const void *bytes, size_t n, int level, struct buf *to, struct error *err) MUST_USE;
status zstd_block(const void *bytes, size_t n, int level, struct buf *to, struct error *err) MUST_USE;

/* One Parquet page. raw snappy block format, gzip member, or zstd frame. */
status snappy_block(const void *bytes, size_t n, struct buf *to, struct error *err) MUST_USE;

#endif
