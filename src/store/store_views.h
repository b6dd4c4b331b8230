/* What lists and detail pages show beside the records themselves. */
#ifndef FF_STORE_STORE_VIEWS_H
#define FF_STORE_STORE_VIEWS_H

#include "store/store_lake.h"

/* {"ingest_jobs": n, "dataset_jobs": n, "runs_open": n} of a pipeline. */
status pipeline_counts(struct db *db, const char *pipeline_id, json_t **counts, struct error *err) MUST_USE;
/* Into a pipeline's record, for a row of a list: "last_run" {id, kind, state_type, state_name, rows_written,
 * created_at, started_at, ended_at} or null, and "recent_states", the state_type of its newest runs, newest first.
 * Small, because a page holds many of them. */
status pipeline_add_states(struct db *db, json_t *pipeline, size_t limit, struct error *err) MUST_USE;
/* Its name; *name (new) is JSON null when there is no such pipeline. */
status pipeline_name(struct db *db, const char *pipeline_id, json_t **name, struct error *err) MUST_USE;

/* Files that a run wrote to a layer: [{id, path, partition, rows, bytes, format, source_uri}]. */
status run_files(struct db *db, const char *run_id, const char *layer, json_t **rows, struct error *err) MUST_USE;
/* A page of dataset_files, by file id: those with id > after. */
status dataset_files_page(struct db *db, const char *dataset_id, int64_t snapshot, int64_t after, size_t limit,
                          json_t **rows, bool *more, struct error *err) MUST_USE;
/* Full names ("silver.orders") of datasets that have this one among their parents: [text]. */
status dataset_children(struct db *db, const char *full_name, json_t **names, struct error *err) MUST_USE;
/* How many files the job's ledger remembers. */
status ledger_count(struct db *db, const char *job_id, int64_t *count, struct error *err) MUST_USE;

/* Remove a job, its runs, watermark and ledger. ERR_CONFLICT while a run of it is open. What it made stays in the
 * catalog without a producer; `delete_data`: its dataset becomes empty and its files (landing and quarantine too) are
 * unlinked by the garbage timer, once no open run reads them. Within the caller's transaction. */
status job_remove(struct db *db, enum job_kind kind, const char *job_id, bool delete_data, struct error *err) MUST_USE;
/* The same for a pipeline with all of its jobs. */
status pipeline_remove(struct db *db, const char *pipeline_id, bool delete_data, struct error *err) MUST_USE;

#endif
