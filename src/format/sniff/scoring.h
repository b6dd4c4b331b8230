/* How well a dialect explains a text: rows that are all alike, made of cells that look like values. */
#ifndef FF_FORMAT_SNIFF_SCORING_H
#define FF_FORMAT_SNIFF_SCORING_H

#include "format/sniff/candidates.h"
#include "format/sniff/look.h"
#include "format/sniff/tokenizer.h"

/* The stretch of rows that holds the records; preamble and footer lie outside. */
struct sniff_body {
    size_t first, last; /* rows of the table, both within */
    uint32_t width;     /* fields of most records */
    size_t records;     /* of that width */
    size_t ragged;      /* of another, within the stretch */
    size_t outside;     /* records before and behind it, without notes behind it */
};

struct sniff_score {
    double total;   /* 0..1, of what it is made: */
    double pattern; /* rows alike, and how many fields */
    double types;   /* cells look like values, columns are of one kind */
    double quoting; /* quotes are where they belong */
    struct sniff_body body;
    uint64_t fingerprint;
};

/* False if no rows are there. */
bool sniff_find_body(const char *text, const struct sniff_table *table, struct sniff_body *body);

/* A candidate that cannot reach a total of `floor` is left at 0. */
void sniff_score(const char *text, const struct sniff_table *table, const struct sniff_candidate *candidate,
                 double floor, struct sniff_score *score);

#endif
