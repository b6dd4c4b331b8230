/* Inside of the CSV decoder: the state that its parts share. Private to csv_decoder.c and csv_rows_*.c,
 * csv_bad_rows.c. */
#ifndef FF_FORMAT_CSV_DECODER_STATE_H
#define FF_FORMAT_CSV_DECODER_STATE_H

#include "format/csv/csv_column.h"
#include "format/csv/csv_decoder.h"
#include "format/csv/csv_record.h"
#include "format/csv/csv_scan.h"
#include "format/csv/csv_segment.h"

#define CSV_SEGMENT_BYTES (64 * 1024)

/* A bad row of the current segment, before it becomes a reject. */
struct bad_row {
    uint32_t record;        /* within the segment */
    uint32_t start, length; /* in the chunk */
    uint32_t column;
    enum reject_code code;
    uint32_t row;    /* row of the segment, for the value; UINT32_MAX: the record's shape is wrong */
    uint32_t fields; /* how many it had, when its shape is wrong */
};

struct csv_decoder {
    struct csv_decoder_options options;
    const struct csv_scanner *scanner;
    struct null_values nulls;
    bool scannable;
    struct csv_column *columns;
    size_t column_count;
    struct buf positions;   /* uint32: [0] is the byte before the text, then field and record ends */
    struct buf first_marks; /* uint32 a row */
    struct buf records;     /* uint32 a row: which record of the segment it is */
    struct buf starts;      /* uint32 a row: where its record starts */
    struct buf lengths;     /* uint32 a row: of its record, without line end */
    struct buf faults;      /* a byte a row, then a uint32 a row */
    struct buf cells;       /* struct csv_cell, row by row */
    struct buf unescaped;   /* text of fields with escapes */
    struct buf bad;         /* struct bad_row */
    struct buf dropped;     /* uint32: rows of the chunk to drop at its end */
    struct csv_record record;
    /* Of the chunk being decoded: */
    const struct text_chunk *chunk;
    const struct decode_target *targets;
    struct decoded *into;
    bool observing;    /* some column has to widen: the rest of the chunk is only looked at */
    size_t counted_to; /* physical lines are counted up to here, for rejects */
    uint64_t counted_lines;
};

static inline uint32_t *csv_u32(struct buf *b)
{
    return (uint32_t *)b->data;
}

static inline MUST_USE status csv_push_u32(struct buf *b, uint32_t value, struct error *err)
{
    return buf_append(b, &value, sizeof value, err);
}

static inline bool csv_is_record_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* csv_bad_rows.c: note a bad row of the segment at hand, and turn the noted ones, in order, into rejects. */
status csv_bad_row_add(struct csv_decoder *d, struct bad_row bad, struct error *err) MUST_USE;
status csv_bad_rows_emit(struct csv_decoder *d, const struct csv_segment *seg, uint64_t records_before,
                         struct error *err) MUST_USE;

/* csv_decoder.c: append the segment's rows to all columns. */
status csv_decoder_parse_columns(struct csv_decoder *d, const struct csv_segment *seg, struct error *err) MUST_USE;
void csv_decoder_clear_rows(struct csv_decoder *d);
status csv_decoder_push_row(struct csv_decoder *d, uint32_t mark, uint32_t record, uint32_t start, uint32_t length,
                            struct error *err) MUST_USE;
bool csv_decoder_is_too_long(const struct csv_decoder *d, size_t record_bytes);

/* csv_rows_by_marks.c: records from `from` on, borders found by the scan, which sees up to *to. With `whole` that is a
 * record border; otherwise *to becomes the last one found (`from`: none, nothing was done). */
status csv_decode_by_marks(struct csv_decoder *d, size_t from, size_t *to, bool whole, bool quotes,
                           struct error *err) MUST_USE;

/* csv_rows_by_cells.c: records from `from` on, at most up to about `stop`, byte by byte; *next is where the next one
 * starts. */
status csv_decode_by_cells(struct csv_decoder *d, size_t from, size_t stop, size_t *next, struct error *err) MUST_USE;

#endif
