/* Bytes to chunks of whole records, into buffers that are used again and again. */
#ifndef FF_SOURCE_CHUNK_READER_H
#define FF_SOURCE_CHUNK_READER_H

#include "base/byte_stream.h"
#include "format/text_chunk.h"

/* The memory of one chunk. Zeroed: empty. */
struct chunk_buffer {
    uint8_t *memory;
    size_t cap; /* text bytes; TEXT_PAD more stand on either side */
};

struct chunk_reader {
    struct byte_source source; /* owned */
    struct text_cutter cutter; /* owned */
    size_t chunk_bytes;        /* wanted size of a chunk; grown for a record that is longer */
    struct buf carry;          /* what was read beyond the last cut */
    uint64_t offset;           /* of the carry's first byte in the input */
    uint64_t sequence;
    bool source_ended;
    bool ended;
    double read_seconds; /* time within the source, for reports */
};

/* `first` are bytes of the input that were read already (from offset on). Takes ownership of source and cutter. */
status chunk_reader_init(struct chunk_reader *r, struct byte_source source, struct text_cutter cutter,
                         size_t chunk_bytes, struct str first, uint64_t offset, struct error *err) MUST_USE;
/* The next chunk, in *buffer's memory; *end when there is none. One thread at a time. */
status chunk_reader_next(struct chunk_reader *r, struct chunk_buffer *buffer, struct text_chunk *chunk, bool *end,
                         struct error *err) MUST_USE;
void chunk_reader_release(struct chunk_reader *r);
void chunk_buffer_release(struct chunk_buffer *b);

#endif
