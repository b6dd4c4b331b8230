/* What an ingest job's fields mean together (SPEC sections 2 and 6). */
#ifndef FF_JOB_INGEST_RULES_H
#define FF_JOB_INGEST_RULES_H

#include "base/field.h"

/* Of the field table: see struct field_table. */
status ingest_complete(json_t *record, const json_t *before, const json_t *request, struct error *err) MUST_USE;
status ingest_rules(const json_t *record, struct field_errors *errors, struct error *err) MUST_USE;

#endif
