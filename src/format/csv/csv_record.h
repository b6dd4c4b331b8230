/* One record at a time, byte by byte: the reference for every dialect, and the way through text that the vector scan
 * cannot vouch for (delimiters of several bytes, backslash escapes, stray quotes, comments).
 *
 * A quote opens a quoted field only as the field's first byte; elsewhere it is an ordinary byte. After the closing
 * quote only a delimiter or a record end may follow: anything else makes the record bad (CSV_TEXT_AFTER_QUOTE). With
 * escape '\\' a backslash takes the next byte literally, quoted or not. Record ends: LF, CR LF, lone CR. */
#ifndef FF_FORMAT_CSV_RECORD_H
#define FF_FORMAT_CSV_RECORD_H

#include "base/buf.h"
#include "format/csv/csv_dialect.h"

enum csv_record_end {
    CSV_RECORD,           /* a whole record */
    CSV_SKIPPED,          /* a blank or comment line: no record */
    CSV_TEXT_AFTER_QUOTE, /* a whole record, but bad */
    CSV_INCOMPLETE,       /* the text ends outside quotes before a record end */
    CSV_OPEN_QUOTE        /* the text ends within quotes */
};

struct csv_field {
    uint32_t start, length; /* from the text's start; of a quoted field without its quotes */
    bool quoted;
    bool escaped; /* holds doubled quotes or backslash escapes */
};

struct csv_record {
    struct csv_field *fields; /* malloc'd, reused from record to record */
    size_t count, cap;
    size_t length; /* bytes of the record without its end */
    size_t next;   /* offset at which the next record starts */
    bool tail;     /* text after a closing quote was met, also in a record that is not whole */
    bool collect;  /* fields are wanted, not only where the record ends */
};

/* Read the record at text[from..to). CSV_INCOMPLETE and CSV_OPEN_QUOTE leave the fields found so far, the last one
 * ending at `to` (which makes a last record without line end whole). A blank line is CSV_SKIPPED unless `single`
 * (files of one column, where it is a null). ERR_NO_MEMORY only. */
status csv_record_read(const struct csv_dialect *dialect, bool single, const uint8_t *text, size_t from, size_t to,
                       struct csv_record *record, enum csv_record_end *end, struct error *err) MUST_USE;
/* Append the field's text without escapes. */
status csv_field_unescape(const struct csv_dialect *dialect, const uint8_t *text, const struct csv_field *field,
                          struct buf *to, struct error *err) MUST_USE;
void csv_record_release(struct csv_record *record);

/* Physical line ends in text[0..n): LF, CR LF, lone CR. `n` must not part a CR LF. */
uint64_t csv_count_lines(const uint8_t *text, size_t n);

#endif
