/* One page: its header (parquet.thrift, PageHeader) and its compressed bytes. */
#ifndef FF_FORMAT_PARQUET_PAGE_H
#define FF_FORMAT_PARQUET_PAGE_H

#include "base/buf.h"
#include "format/parquet/parquet_writer.h"

/* parquet.thrift, Encoding */
enum parquet_encoding { ENCODING_PLAIN = 0, ENCODING_RLE = 3, ENCODING_RLE_DICTIONARY = 8 };
/* parquet.thrift, PageType */
enum parquet_page_type { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };

/* The state of a codec, kept from page to page. Zeroed it may be released. */
struct parquet_compressor {
    enum parquet_codec codec;
    int level;
    void *state;
};

status parquet_compressor_init(struct parquet_compressor *c, enum parquet_codec codec, int level,
                               struct error *err) MUST_USE;
/* Append the compressed form of `n` bytes (codec none: the bytes). */
status parquet_compress(struct parquet_compressor *c, const void *bytes, size_t n, struct buf *to,
                        struct error *err) MUST_USE;
void parquet_compressor_release(struct parquet_compressor *c);

struct parquet_page {
    enum parquet_page_type type;
    enum parquet_encoding encoding;
    size_t values; /* with nulls */
    struct str payload;
};

/* Append header and payload; *header_bytes is the header's part. ERR_LIMIT beyond 2 GiB. */
status parquet_page_append(struct parquet_compressor *c, const struct parquet_page *page, struct buf *to,
                           size_t *header_bytes, struct error *err) MUST_USE;

#endif
