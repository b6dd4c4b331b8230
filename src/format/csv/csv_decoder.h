/* CSV chunks to batches. */
#ifndef FF_FORMAT_CSV_DECODER_H
#define FF_FORMAT_CSV_DECODER_H

#include "format/csv/csv_dialect.h"
#include "format/text_chunk.h"

struct csv_scanner;

struct csv_decoder_options {
    struct csv_dialect dialect;
    size_t source_columns;         /* fields that every record has to have */
    const struct str *null_values; /* cell texts that mean null, quoted or not; borrowed */
    size_t null_value_count;
    size_t max_record_bytes;           /* a longer record is ROW_TOO_LONG, wherever chunks end; 0: no limit */
    size_t segment_bytes;              /* text worked on at a time; 0: 64 KiB, which stays in the L2 cache */
    const struct csv_scanner *scanner; /* NULL: the best for this CPU */
};

status csv_decoder_create(struct text_decoder *decoder, const struct csv_decoder_options *options,
                          struct error *err) MUST_USE;

#endif
