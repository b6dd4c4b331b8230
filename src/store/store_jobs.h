/* Pipelines and their jobs. Records have the members of their tables (migrations/0001), validated before they come
 * here. */
#ifndef FF_STORE_STORE_JOBS_H
#define FF_STORE_STORE_JOBS_H

#include "store/record.h"

enum job_kind { JOB_INGEST, JOB_DATASET };

extern const struct record_table pipelines_table, ingest_jobs_table, dataset_jobs_table;
const struct record_table *job_table(enum job_kind kind);

/* Fill in id, slug and times; *record (the caller's object) gets them. ERR_CONFLICT when the name (or a job's dataset,
 * per layer and without regard to case: a dataset has one producer) is taken, naming by what; ERR_NOT_FOUND when there
 * is no such pipeline. */
status pipeline_create(struct db *db, json_t *record, struct error *err) MUST_USE;
/* Sets what `record` has members for and updated_at, which `record` gets. The id, pipeline, slug (folders have its
 * name), created_at and last_watermark_value (the commit's) stay. */
status pipeline_update(struct db *db, const char *id, json_t *record, struct error *err) MUST_USE;
/* By id, or else by name. */
status pipeline_find(struct db *db, const char *id_or_name, json_t **record, struct error *err) MUST_USE;
status job_create(struct db *db, enum job_kind kind, const char *pipeline_id, json_t *record,
                  struct error *err) MUST_USE;
status job_update(struct db *db, enum job_kind kind, const char *id, json_t *record, struct error *err) MUST_USE;
/* ERR_NOT_FOUND also when it belongs to another pipeline (pipeline_id NULL: any). */
status job_get(struct db *db, enum job_kind kind, const char *pipeline_id, const char *id, json_t **record,
               struct error *err) MUST_USE;
/* All jobs of a pipeline, oldest first. */
status job_list(struct db *db, enum job_kind kind, const char *pipeline_id, json_t **rows, struct error *err) MUST_USE;

/* Lower-case letters, digits, '_' and '-' made of a name ("Sales EU" -> "sales_eu"); "x" when nothing is left. */
#define SLUG_CAP 64
void slug_make(const char *name, char *into, size_t cap);

#endif
