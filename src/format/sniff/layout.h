/* Where the header and the records of a table are, and what around them is neither. */
#ifndef FF_FORMAT_SNIFF_LAYOUT_H
#define FF_FORMAT_SNIFF_LAYOUT_H

#include "format/sniff/scoring.h"

struct sniff_layout {
    size_t first_row;      /* of the table: the header, or the first record */
    uint32_t header_lines; /* 0: none */
    uint32_t columns;
    size_t footer_lines; /* physical lines behind the last record; 0 unless the table is the whole input */
};

/* `header`: -1 to be found out, else as given. */
void sniff_layout_find(const char *text, const struct sniff_table *table, const struct sniff_body *body, bool whole,
                       int header, struct sniff_layout *layout);

#endif
