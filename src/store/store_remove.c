/* Removing jobs and pipelines, see store_views.h. */
#include "base/civil.h"
#include "store/store_views.h"

static status refuse_open(int64_t open, const char *what, struct error *err)
{
    if (open == 0)
        return OK;
    status s = error_set(err, ERR_CONFLICT, "%s has %lld run%s that did not end yet", what, (long long)open,
                         open == 1 ? "" : "s");
    error_hint(err, "Cancel it, or wait until it has ended.");
    return s;
}

/* The dataset goes on without a producer. */
static status release_dataset(struct db *db, const char *job_id, struct error *err)
{
    return db_run(db, "UPDATE metadata_catalog SET job_id = NULL, pipeline_id = NULL WHERE job_id = ?1",
                  DB_BINDS(db_text(job_id)), NULL, err);
}

/* A snapshot without files, as a commit that replaces everything by nothing would make it. */
static status empty_dataset(struct db *db, const char *job_id, int64_t now, struct error *err)
{
    status s = db_run(db,
                      "UPDATE manifest_files SET removed_at = ?2, removed_snapshot ="
                      " (SELECT next_snapshot FROM metadata_catalog c WHERE c.id = manifest_files.dataset_id)"
                      " WHERE removed_snapshot IS NULL"
                      " AND dataset_id IN (SELECT id FROM metadata_catalog WHERE job_id = ?1)",
                      DB_BINDS(db_text(job_id), db_int(now)), NULL, err);
    if (s == OK)
        s = db_run(db,
                   "UPDATE metadata_catalog SET current_snapshot = next_snapshot, next_snapshot = next_snapshot + 1,"
                   " row_count = 0, byte_count = 0, file_count = 0, updated_at = ?2"
                   " WHERE job_id = ?1 AND current_snapshot IS NOT NULL",
                   DB_BINDS(db_text(job_id), db_int(now)), NULL, err);
    if (s == OK) /* landing and quarantine */
        s = db_run(db,
                   "UPDATE manifest_files SET removed_at = ?2"
                   " WHERE job_id = ?1 AND dataset_id IS NULL AND removed_at IS NULL",
                   DB_BINDS(db_text(job_id), db_int(now)), NULL, err);
    return s;
}

static status remove_job(struct db *db, enum job_kind kind, const char *job_id, bool delete_data, struct error *err)
{
    status s = delete_data ? empty_dataset(db, job_id, civil_micros_now(), err) : OK;
    if (s == OK)
        s = release_dataset(db, job_id, err);
    return s == OK ? record_delete(db, job_table(kind), job_id, err) : s;
}

status job_remove(struct db *db, enum job_kind kind, const char *job_id, bool delete_data, struct error *err)
{
    int64_t open = 0;
    status s = job_runs_open(db, kind, job_id, &open, err);
    if (s == OK)
        s = refuse_open(open, "the job", err);
    return s == OK ? remove_job(db, kind, job_id, delete_data, err) : s;
}

status pipeline_remove(struct db *db, const char *pipeline_id, bool delete_data, struct error *err)
{
    int64_t open = 0;
    status s = pipeline_runs_open(db, pipeline_id, &open, err);
    if (s == OK)
        s = refuse_open(open, "the pipeline", err);
    for (int kind = JOB_INGEST; s == OK && kind <= JOB_DATASET; kind++) {
        json_t *jobs = NULL, *job;
        size_t i;
        s = job_list(db, (enum job_kind)kind, pipeline_id, &jobs, err);
        json_array_foreach(jobs, i, job)
        {
            if (s == OK)
                s = remove_job(db, (enum job_kind)kind, json_text(job, "id", ""), delete_data, err);
        }
        json_decref(jobs);
    }
    return s == OK ? record_delete(db, &pipelines_table, pipeline_id, err) : s;
}
