/* The footer (parquet.thrift, FileMetaData), from what the writer remembers of its row groups. */
#ifndef FF_FORMAT_PARQUET_FOOTER_H
#define FF_FORMAT_PARQUET_FOOTER_H

#include "base/byte_stream.h"
#include "format/parquet/parquet_metadata.h"

/* A column chunk in the file: offsets count from the file's beginning, bounds lie in parquet_file_meta.bounds. */
struct parquet_file_chunk {
    struct parquet_chunk_meta meta;
    uint64_t column_index_at, offset_index_at;
    uint32_t column_index_bytes, offset_index_bytes;
};

struct parquet_file_group {
    uint64_t at; /* first page */
    uint64_t rows;
    uint64_t compressed_bytes, uncompressed_bytes;
};

struct parquet_file_meta {
    const char *created_by;
    enum parquet_codec codec;
    uint64_t rows;
    size_t column_count;
    struct buf groups; /* struct parquet_file_group */
    struct buf chunks; /* struct parquet_file_chunk: column_count for each row group */
    struct buf bounds; /* of the chunks */
};

/* Write FileMetaData to the sink through `scratch`, piece by piece; *bytes is its length. */
status parquet_footer_write(const struct parquet_file_meta *file, const struct schema *schema, struct byte_sink *sink,
                            struct buf *scratch, uint64_t *bytes, struct error *err) MUST_USE;

#endif
