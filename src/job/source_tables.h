/* Inside of job/source_config: the tables of the objects in a source's config. */
#ifndef FF_JOB_SOURCE_TABLES_H
#define FF_JOB_SOURCE_TABLES_H

#include "base/field.h"

#define OPTIONAL (FIELD_NULLABLE | FIELD_OPTIONAL)

extern const struct field_table csv_option_fields;

#endif
