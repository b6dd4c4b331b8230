/* The names of a CSV file's columns (DESIGN 3.4). */
#ifndef FF_JOB_HEADER_H
#define FF_JOB_HEADER_H

#include "job/input_plan.h"

/* Fill names, source_names, data_start and data_line from the input's head and dialect. Blank names become
 * column_<n>, repeated ones (ASCII case-insensitively) name_2, name_3, ... */
status header_read(struct planned_input *input, struct error *err) MUST_USE;

#endif
