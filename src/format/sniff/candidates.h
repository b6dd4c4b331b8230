/* Which dialects are worth a try on a text. */
#ifndef FF_FORMAT_SNIFF_CANDIDATES_H
#define FF_FORMAT_SNIFF_CANDIDATES_H

#include "format/sniff/sniff.h"

#define CANDIDATES_MAX 128

struct sniff_candidate {
    struct csv_dialect dialect;
    double prior; /* 0..1: how usual it is */
};

/* Fill `candidates` from what occurs in the text and from what is given; at least one. */
size_t sniff_candidates(const char *text, size_t n, const struct sniff_given *given,
                        struct sniff_candidate candidates[CANDIDATES_MAX]);

/* How usual a delimiter is, 0..1. */
double sniff_delimiter_prior(const char *delimiter);

#endif
