/* Totals, notes and other lines around the records that are none. */
#ifndef FF_FORMAT_SNIFF_FOOTER_H
#define FF_FORMAT_SNIFF_FOOTER_H

#include "format/sniff/scoring.h"

/* The cell begins as lines do that sum up or explain a table. */
bool sniff_begins_like_footer(const char *text, const struct sniff_cell *cell);

/* A record's shape, but only a title or note in it: what spreadsheets make of lines of text. */
bool sniff_is_padded_line(const struct sniff_table *table, const struct sniff_row *row);

/* Physical lines from the end of the records to the end of the table that hold no records. */
size_t sniff_count_footer(const char *text, const struct sniff_table *table, const struct sniff_body *body);

#endif
