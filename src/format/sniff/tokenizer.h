/* An exact but forgiving tokenizer for trying dialects on the head of an input. */
#ifndef FF_FORMAT_SNIFF_TOKENIZER_H
#define FF_FORMAT_SNIFF_TOKENIZER_H

#include <stddef.h>

#include "base/error.h"
#include "format/csv/csv_dialect.h"

/* Slices of the text; a quoted cell's slice is what stands between its quotes, escapes untouched. */
struct sniff_cell {
    uint32_t at, length;
    bool quoted, escaped; /* escaped: by a backslash somewhere */
};

enum sniff_row_kind { ROW_RECORD, ROW_BLANK, ROW_COMMENT };

struct sniff_row {
    uint32_t at, end;     /* without the line end */
    uint32_t line, lines; /* physical lines: first (from 0) and how many */
    uint32_t first_cell, fields;
    enum sniff_row_kind kind;
};

struct sniff_table {
    struct sniff_cell *cells;
    struct sniff_row *rows;
    size_t cell_count, cell_cap, row_count, row_cap;
    size_t quoted;     /* cells that begin with a quote */
    size_t enclosing;  /* of them, those that hold a delimiter, a line end or an escape */
    size_t malformed;  /* of them, those with text after the closing quote */
    size_t escapes;    /* backslash escapes that escaped a quote, delimiter, line end or the escape itself */
    bool unterminated; /* a quote never closes within reason */
    size_t ends_lf, ends_crlf, ends_cr;
    uint64_t fingerprint; /* equal for dialects that read the text as the same cells */
};

/* `text` starts at a line's start. Stops after `row_max` rows. A last row without a line end is dropped when !at_end
 * (it may go on), unless it is the only one. The dialect's header and skip_lines do not matter. `table` is cleared
 * first and keeps its memory. */
status sniff_tokenize(const char *text, size_t n, bool at_end, const struct csv_dialect *dialect, size_t row_max,
                      struct sniff_table *table, struct error *err) MUST_USE;
void sniff_table_release(struct sniff_table *table);

#endif
