/* Pipeline runs, job runs, their logs. */
#ifndef FF_STORE_STORE_RUNS_H
#define FF_STORE_STORE_RUNS_H

#include "store/store_jobs.h"

/* Lists by one state_type, by pipeline_id or job_id and by these with one state_type are index look-ups. */
extern const struct record_table pipeline_runs_table, ingest_runs_table, dataset_runs_table;
const struct record_table *run_table(enum job_kind kind);

/* record_insert/update/get/list with these tables do most. Besides: */

/* Runs of a pipeline run, of both kinds, oldest first; each has "kind": "ingest"|"dataset" added. Without config and
 * report when `brief`. */
status job_runs_of(struct db *db, const char *pipeline_run_id, bool brief, json_t **rows, struct error *err) MUST_USE;
/* Number of runs of the job that are not terminal. */
status job_runs_open(struct db *db, enum job_kind kind, const char *job_id, int64_t *count, struct error *err) MUST_USE;
status pipeline_runs_open(struct db *db, const char *pipeline_id, int64_t *count, struct error *err) MUST_USE;
/* The newest run (brief) of each job of the pipeline: {job id: run}. */
status job_last_runs(struct db *db, enum job_kind kind, const char *pipeline_id, json_t **by_job_id,
                     struct error *err) MUST_USE;
/* The newest runs of the pipeline, newest first. */
status pipeline_recent_runs(struct db *db, const char *pipeline_id, size_t limit, json_t **rows,
                            struct error *err) MUST_USE;
/* The run of that Idempotency-Key; *record NULL when there is none. */
status pipeline_run_by_key(struct db *db, const char *pipeline_id, const char *key, json_t **record,
                           struct error *err) MUST_USE;

/* What is not UTF-8 in the message is replaced. *id (may be NULL): its number, which orders all log lines. */
status run_log_add(struct db *db, const char *pipeline_run_id, const char *job_run_id, int64_t time, const char *level,
                   const char *message, int64_t *id, struct error *err) MUST_USE;
/* [{"id", "time", "level", "message", "job_run_id"}] with id > after, oldest first. job_run_id and least_level may be
 * NULL, and pipeline_run_id when there is a job_run_id; `contains` (NULL: any) filters by text, without regard to the
 * case of ASCII letters. ERR_INVALID: no such level. */
struct log_query {
    const char *pipeline_run_id, *job_run_id, *least_level, *contains;
    int64_t after;
    size_t limit;
};
status run_log_list(struct db *db, const struct log_query *query, json_t **rows, struct error *err) MUST_USE;

#endif
