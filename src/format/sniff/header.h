/* Is a row a header? Each cell is held against the column below it. */
#ifndef FF_FORMAT_SNIFF_HEADER_H
#define FF_FORMAT_SNIFF_HEADER_H

#include "base/str.h"
#include "format/sniff/scoring.h"

#define HEADER_COLUMNS 128 /* looked at */

struct column_profile {
    uint32_t filled;      /* cells with something in them */
    enum look kind;       /* of most of them, numbers counted together as LOOK_DECIMAL */
    double kind_share;    /* of the filled ones */
    double length_mean;   /* bytes, filled cells */
    double length_spread; /* standard deviation */
    double digit_share;   /* of the filled cells hold a digit */
    double capital_share; /* ... begin with a capital */
    double blank_share;   /* ... hold a blank */
};

struct column_profiles {
    struct column_profile columns[HEADER_COLUMNS];
    uint32_t count;
    size_t rows;
};

/* Learn the columns from the records of the body's width from `first_row` on. */
void column_profiles_learn(const char *text, const struct sniff_table *table, const struct sniff_body *body,
                           size_t first_row, struct column_profiles *profiles);

struct header_evidence {
    double score;  /* average over the columns of what speaks for (> 0) and against (< 0) a header */
    double broken; /* share of the typed columns whose cell is neither of the type nor empty nor a missing mark */
    double vacant; /* share of the columns with values whose cell is empty */
};

struct header_evidence header_evidence(const char *text, const struct sniff_table *table, const struct sniff_body *body,
                                       size_t row, const struct column_profiles *profiles);

#endif
