/* What is known about an encoded row group beside its bytes: handed from the encoder to the writer, which needs it for
 * page indexes and footer. Offsets count from the beginning of the row group. */
#ifndef FF_FORMAT_PARQUET_METADATA_H
#define FF_FORMAT_PARQUET_METADATA_H

#include "format/parquet/parquet_writer.h"

/* Where a lower bound lies in the row group's `bounds`; the upper one follows it. */
struct parquet_bounds {
    uint64_t at;
    uint32_t min_bytes, max_bytes;
    bool has_min, has_max; /* a chunk of nulls and NaN has neither */
    bool min_exact, max_exact;
};

struct parquet_page_meta {
    uint64_t at; /* of the header */
    uint64_t first_row;
    uint32_t bytes; /* header and payload */
    uint32_t null_count;
    bool is_null; /* no value at all */
    struct parquet_bounds bounds;
};

struct parquet_chunk_meta {
    struct data_type type;
    bool is_optional; /* pages hold definition levels */
    bool has_dictionary;
    bool has_column_index; /* every page with a value has bounds */
    uint64_t null_count;
    uint64_t dictionary_at;
    uint64_t data_at;            /* first data page */
    uint64_t compressed_bytes;   /* all pages with their headers */
    uint64_t uncompressed_bytes; /* the same before compression */
    size_t first_page, page_count;
    struct parquet_bounds bounds;
};

struct parquet_group_meta {
    enum parquet_codec codec;
    struct buf chunks; /* struct parquet_chunk_meta, one for each column */
    struct buf pages;  /* struct parquet_page_meta of all data pages */
    struct buf bounds; /* bytes of all bounds */
};

static inline struct parquet_chunk_meta *parquet_chunks(const struct parquet_group_meta *group)
{
    return (struct parquet_chunk_meta *)group->chunks.data;
}
static inline struct parquet_page_meta *parquet_pages(const struct parquet_group_meta *group)
{
    return (struct parquet_page_meta *)group->pages.data;
}

#endif
