/* The lake's books: catalog, manifest, ledger, watermarks, and the transactions of a commit (docs/pipelines.md 5).
 * Times (`now`) are microseconds since 1970 UTC. */
#ifndef FF_STORE_STORE_LAKE_H
#define FF_STORE_STORE_LAKE_H

#include "store/store_runs.h"

extern const struct record_table catalog_table;

/* The dataset's catalog row by layer and name; *record NULL when there is none. "bronze.orders" is split by
 * dataset_name_split. */
status dataset_find(struct db *db, const char *layer, const char *name, json_t **record, struct error *err) MUST_USE;
bool dataset_name_split(const char *full, char layer[16], const char **name);
/* The files that a reader of `snapshot` sees, in order of id: [{id, path, rows, bytes, partition, source_uri, format,
 * source_etag}]; source_etag: the SHA-256 of an upload that is still there, else null. */
status dataset_files(struct db *db, const char *dataset_id, int64_t snapshot, json_t **rows,
                     struct error *err) MUST_USE;
/* How the schema came to be, oldest first: [{snapshot, run_id, schema, format, parent_tables, created_at}]; one row for
 * each published snapshot that changed any of them. */
status dataset_schemas(struct db *db, const char *dataset_id, json_t **rows, struct error *err) MUST_USE;
/* [{uri, size, mtime_ns, etag, hash}] */
status ledger_list(struct db *db, const char *job_id, json_t **rows, struct error *err) MUST_USE;
/* {column, type, value, ties}; NULL when there is none. */
status watermark_get(struct db *db, const char *job_id, json_t **record, struct error *err) MUST_USE;
/* Do ledger and watermark tell of this dataset of the layer bronze? Not when the job was given another one since a run
 * was asked for: the new one has to get everything, whatever went into the old one. */
status books_tell_of(struct db *db, const char *job_id, const char *dataset, bool *they_do, struct error *err) MUST_USE;
/* Forget watermark and ledger (an audited reset; the caller writes the audit). */
status watermark_reset(struct db *db, const char *job_id, struct error *err) MUST_USE;
/* Another value without ties, whether there is one or not, and forget the ledger alone: likewise audited by the caller.
 */
status watermark_set(struct db *db, const char *job_id, const char *column, const char *type, const char *value,
                     struct error *err) MUST_USE;
status ledger_forget(struct db *db, const char *job_id, struct error *err) MUST_USE;

#define SNAPSHOT_NONE (-1) /* of a dataset of which nothing was ever published */

/* Step 2 of a commit, within the caller's transaction: what a task's `finished.result` says becomes manifest,
 * tombstones, watermark, ledger, the coming snapshot's schema, and the run row (commit_state 'committed', rows, bytes,
 * output_keys, report, watermarks). After an error the transaction has to be rolled back.
 * `run` is the job run's record (id, pipeline_id), `job` its configuration with id, slug and dataset; `base_snapshot`
 * the target's snapshot that the task was given.
 * ERR_ACCOUNTING when the counts do not add up or files tell another number of rows; ERR_CHANGED when the target's
 * snapshot is another one by now, has a commit that is not published, or lacks a file that is to be removed;
 * ERR_INTERNAL for a result that no task may give (a path outside of its place, a path twice, a member missing);
 * ERR_CONFLICT when the run is committed already or a path is taken. */
status commit_record(struct db *db, enum job_kind kind, const json_t *run, const json_t *job, int64_t base_snapshot,
                     const json_t *result, int64_t now, struct error *err) MUST_USE;
/* Step 3's second half, within the caller's transaction, in which the caller also ends the run: the snapshot becomes
 * current with its schema, totals of the catalog row follow, commit_undo goes, commit_state 'published'. ERR_CONFLICT
 * when the run is not 'committed'. */
status commit_publish_record(struct db *db, enum job_kind kind, const char *run_id, int64_t now,
                             struct error *err) MUST_USE;
/* Everything as before the commit, within the caller's transaction; commit_state 'undone', the run's counts 0. The run
 * may commit again in a later attempt. ERR_CONFLICT when the run is not 'committed'. */
status commit_undo(struct db *db, enum job_kind kind, const char *run_id, struct error *err) MUST_USE;
/* [{path, staged}] of a committed run's new files. */
status commit_files(struct db *db, const char *run_id, json_t **rows, struct error *err) MUST_USE;
/* Runs with commit_state 'committed', oldest first: [{"id", "kind": "ingest" | "dataset", "rows_rejected"}]. */
status commits_unpublished(struct db *db, json_t **rows, struct error *err) MUST_USE;

/* Files that may be unlinked now: removed not after `removed_until`, in a snapshot that is published and that no open
 * dataset run still reads around; expired landing copies at once. [{id, path}], at most `limit`, id > `after`. */
status garbage_list(struct db *db, int64_t removed_until, int64_t after, size_t limit, json_t **rows,
                    struct error *err) MUST_USE;
/* After they were unlinked. */
status garbage_forget(struct db *db, int64_t file_id, struct error *err) MUST_USE;
/* Landing copies older than their job's landing_retention_days, of jobs without an open run, become garbage at once.
 * *count: how many. */
status landing_expire(struct db *db, int64_t now, int64_t *count, struct error *err) MUST_USE;
/* Files that have to be in the lake, in order of id: published and not removed. [{id, path}], at most `limit`, id >
 * `after`. */
status manifest_present(struct db *db, int64_t after, size_t limit, json_t **rows, struct error *err) MUST_USE;
/* Is this file (still) one of them? */
status manifest_is_present(struct db *db, int64_t file_id, bool *present, struct error *err) MUST_USE;
/* Does any row of the manifest name that path? */
status manifest_knows(struct db *db, const char *path, bool *known, struct error *err) MUST_USE;

/* Pin and unpin what a dataset run reads. */
status run_input_pin(struct db *db, const char *run_id, const char *dataset_id, int64_t snapshot,
                     struct error *err) MUST_USE;
status run_inputs_unpin(struct db *db, const char *run_id, struct error *err) MUST_USE;

#endif
