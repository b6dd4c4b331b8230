/* Names of files in an output folder: from the pattern, one an input when inputs are split, else one in all. */
#ifndef FF_JOB_OUTPUT_NAMES_H
#define FF_JOB_OUTPUT_NAMES_H

#include "job/output.h"

struct output_names {
    char **items;
    size_t count;
};

/* No two are the same: inputs of one name in several folders are told apart by the sequence number. */
status output_names_make(struct output_names *names, const struct convert_options *options,
                         const struct output_plan *plan, struct error *err) MUST_USE;
const char *output_names_of(const struct output_names *names, size_t input);
void output_names_release(struct output_names *names);

#endif
