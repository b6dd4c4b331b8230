/* Batches that are typed already (from Parquet) under the wanted columns: renamed, picked, cast, checked for nulls. */
#ifndef FF_JOB_CONFORM_H
#define FF_JOB_CONFORM_H

#include "job/column_types.h"

/* Columns that fit as they are move from `from`, which is used up; with its bad values the row is bad too.
 * Rows that do not fit become rejects whose raw text is the row as JSON; they have a record number (relative to the
 * batch) and no line or byte position (0). */
status conform_batch(struct batch *from, const struct type_version *version, struct decoded *into,
                     struct error *err) MUST_USE;

#endif
