/* Record boundaries in CSV text. */
#ifndef FF_FORMAT_CSV_CUTTER_H
#define FF_FORMAT_CSV_CUTTER_H

#include "format/csv/csv_dialect.h"
#include "format/text_chunk.h"

struct csv_cutter_options {
    struct csv_dialect dialect;
    bool single; /* one column: a blank line is a record */
    size_t max_record_bytes;
};

/* A quote that never closes (input ended, or record beyond max_record_bytes) makes the physical line on which its
 * record starts one bad record (UNTERMINATED_QUOTE or ROW_TOO_LONG), and reading goes on with the next line: a single
 * stray quote costs one row, not the rest of the file. */
status csv_cutter_create(struct text_cutter *cutter, const struct csv_cutter_options *options,
                         struct error *err) MUST_USE;
/* Whether the vector scan handles the dialect at all. */
bool csv_dialect_is_scannable(const struct csv_dialect *dialect);

#endif
