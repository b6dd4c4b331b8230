/* The field tables of pipelines and jobs, with the rules of SPEC sections 2 and 6. */
#ifndef FF_JOB_FIELDS_H
#define FF_JOB_FIELDS_H

#include "base/field.h"

extern const struct field_table pipeline_fields, ingest_job_fields, dataset_job_fields;
/* As ingest_job_fields, with "connection" (a name) instead of connection_id: how documents write it. */
extern const struct field_table ingest_document_fields;

#endif
