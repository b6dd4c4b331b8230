/* Some hundred records of a chunk whose fields have been found: what columns are parsed from. */
#ifndef FF_FORMAT_CSV_SEGMENT_H
#define FF_FORMAT_CSV_SEGMENT_H

#include "base/attributes.h"
#include "base/buf.h"
#include "format/csv/csv_dialect.h"

/* A field's text without quotes and escapes. TEXT_PAD bytes around it are readable. */
struct csv_cell {
    const uint8_t *p;
    size_t n;
    bool quoted; /* an empty quoted field is the empty string, an empty unquoted one is null */
};

enum csv_access {
    CSV_BY_MARKS,        /* field borders from the scan, no quotes anywhere */
    CSV_BY_MARKS_QUOTED, /* the same, fields may be quoted */
    CSV_BY_CELLS         /* cells found byte by byte */
};

struct csv_segment {
    enum csv_access access;
    size_t rows;
    size_t fields; /* of each record */
    const uint8_t *text;
    /* By marks: field f of row r ends at marks[first_mark[r] + f] and starts one after the mark before it
     * (first_mark[r] >= 1). */
    const uint32_t *marks;
    const uint32_t *first_mark;
    bool carriage; /* last fields may end in the CR of a CR LF */
    uint8_t quote;
    struct buf *unescaped; /* scratch for fields with doubled quotes, overwritten by the next such field */
    /* By cells: field f of row r is cells[r * fields + f]. */
    const struct csv_cell *cells;
};

/* Undouble the quotes of a field into seg->unescaped, which was reserved for it. */
struct csv_cell csv_segment_unescape(const struct csv_segment *seg, const uint8_t *p, size_t n);

/* `seg` may be a local copy, whose address must not get about for it to stay in registers; `original` is the segment
 * itself. */
static ALWAYS_INLINE struct csv_cell csv_segment_cell(const struct csv_segment *seg, const struct csv_segment *original,
                                                      const enum csv_access access, size_t row, size_t field)
{
    if (access == CSV_BY_CELLS)
        return seg->cells[row * seg->fields + field];
    size_t mark = seg->first_mark[row] + field;
    uint32_t start = seg->marks[mark - 1] + 1, end = seg->marks[mark];
    if (field + 1 == seg->fields && seg->carriage && end > start && seg->text[end - 1] == '\r' &&
        seg->text[end] == '\n')
        end--;
    const uint8_t *p = seg->text + start;
    size_t n = end - start;
    if (access == CSV_BY_MARKS_QUOTED && n > 0 && *p == seg->quote) {
        p++;
        n -= 2; /* the cutter saw to it that the closing quote is the field's last byte */
        if (UNLIKELY(n > 0 && memchr(p, seg->quote, n)))
            return csv_segment_unescape(original, p, n);
        return (struct csv_cell){p, n, true};
    }
    return (struct csv_cell){p, n, false};
}

#endif
