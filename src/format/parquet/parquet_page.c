#include "format/parquet/parquet_page.h"

#include "format/parquet/thrift_compact.h"

static status append_header(const struct parquet_page *page, size_t compressed, struct buf *to, struct error *err)
{
    struct thrift_writer w;
    thrift_writer_init(&w, to, err);
    thrift_i32(&w, 1, page->type);
    thrift_i32(&w, 2, (int32_t)page->payload.n);
    thrift_i32(&w, 3, (int32_t)compressed);
    if (page->type == PAGE_DICTIONARY) {
        thrift_struct(&w, 7); /* DictionaryPageHeader */
        thrift_i32(&w, 1, (int32_t)page->values);
        thrift_i32(&w, 2, page->encoding);
    } else {
        thrift_struct(&w, 5); /* DataPageHeader */
        thrift_i32(&w, 1, (int32_t)page->values);
        thrift_i32(&w, 2, page->encoding);
        thrift_i32(&w, 3, ENCODING_RLE);
        thrift_i32(&w, 4, ENCODING_RLE);
    }
    thrift_struct_end(&w);
    thrift_struct_end(&w);
    return thrift_writer_status(&w);
}

/* The header comes first and states the compressed size, which is known last. So it is written with a guess whose
 * varint probably has the right length; where it has not, the payload moves. */
status parquet_page_append(struct parquet_compressor *c, const struct parquet_page *page, struct buf *to,
                           size_t *header_bytes, struct error *err)
{
    if (page->payload.n > INT32_MAX || page->values > INT32_MAX)
        return error_set(err, ERR_LIMIT, "a Parquet page of %zu bytes is more than the format allows", page->payload.n);
    size_t begin = to->len;
    size_t guess = c->codec == PARQUET_NONE ? page->payload.n : page->payload.n / 2;
    status s = append_header(page, guess, to, err);
    if (s != OK)
        return s;
    size_t guessed = to->len - begin;
    s = parquet_compress(c, page->payload.p, page->payload.n, to, err);
    if (s != OK)
        return s;
    size_t compressed = to->len - begin - guessed;
    if (compressed > INT32_MAX)
        return error_set(err, ERR_LIMIT, "a compressed Parquet page of %zu bytes is more than the format allows",
                         compressed);
    /* The true header is made behind the payload and copied to where it belongs. */
    s = append_header(page, compressed, to, err);
    if (s != OK)
        return s;
    size_t header = to->len - begin - guessed - compressed;
    uint8_t bytes[64];
    memcpy(bytes, to->data + begin + guessed + compressed, header);
    if (header != guessed)
        memmove(to->data + begin + header, to->data + begin + guessed, compressed);
    memcpy(to->data + begin, bytes, header);
    to->len = begin + header + compressed;
    *header_bytes = header;
    return OK;
}
