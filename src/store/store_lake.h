/* The lake's books: catalog, manifest, ledger, watermarks, and the transactions of a commit (docs/pipelines.md 5). */
#ifndef FF_STORE_STORE_LAKE_H
#define FF_STORE_STORE_LAKE_H

#include "store/store_runs.h"

extern const struct record_table catalog_table;

/* The dataset's catalog row by layer and name; *record NULL when there is none. "bronze.orders" is split by
 * dataset_name_split. */
status dataset_find(struct db *db, const char *layer, const char *name, json_t **record, struct error *err) MUST_USE;
bool dataset_name_split(const char *full, char layer[16], const char **name);
/* The files that a reader of `snapshot` sees, in order of id: [{id, path, rows, bytes, partition, source_uri, format}].
 */
status dataset_files(struct db *db, const char *dataset_id, int64_t snapshot, json_t **rows,
                     struct error *err) MUST_USE;
/* [{uri, size, mtime_ns, etag, hash}] */
status ledger_list(struct db *db, const char *job_id, json_t **rows, struct error *err) MUST_USE;
/* {column, type, value, ties}; NULL when there is none. */
status watermark_get(struct db *db, const char *job_id, json_t **record, struct error *err) MUST_USE;
/* Forget watermark and ledger (an audited reset; the caller writes the audit). */
status watermark_reset(struct db *db, const char *job_id, struct error *err) MUST_USE;

/* Step 2 of a commit, within the caller's transaction: what a task's `finished.result` says becomes manifest,
 * tombstones, watermark, ledger, catalog and run row (commit_state 'committed', rows, bytes, output_keys, report,
 * watermark_after). `run` is the job run's record, `job` its configuration. ERR_ACCOUNTING when the counts do not add
 * up or files tell another number of rows, ERR_CHANGED when the target's snapshot is not the one the task saw. */
status commit_record(struct db *db, enum job_kind kind, const json_t *run, const json_t *job, const json_t *result,
                     struct error *err) MUST_USE;
/* Step 3's second half: the snapshot becomes current; totals of the catalog row follow; commit_undo goes. */
status commit_publish_record(struct db *db, enum job_kind kind, const char *run_id, struct error *err) MUST_USE;
/* Everything as before the commit; commit_state 'undone'. */
status commit_undo(struct db *db, enum job_kind kind, const char *run_id, struct error *err) MUST_USE;
/* [{path, staged}] of a committed run's new files. */
status commit_files(struct db *db, const char *run_id, json_t **rows, struct error *err) MUST_USE;
/* Run ids with commit_state 'committed': [{"id", "kind"}]. */
status commits_unpublished(struct db *db, json_t **rows, struct error *err) MUST_USE;

/* Files that may be unlinked now: removed before `removed_before`, in a snapshot that is published and that no open
 * dataset run still reads around. [{id, path}], at most `limit`. */
status garbage_list(struct db *db, int64_t removed_before, size_t limit, json_t **rows, struct error *err) MUST_USE;
/* After they were unlinked. */
status garbage_forget(struct db *db, int64_t file_id, struct error *err) MUST_USE;
/* Landing copies older than their job's landing_retention_days, of jobs without an open run, become garbage at once.
 * *count: how many. */
status landing_expire(struct db *db, int64_t now, int64_t *count, struct error *err) MUST_USE;

/* Pin and unpin what a dataset run reads. */
status run_input_pin(struct db *db, const char *run_id, const char *dataset_id, int64_t snapshot,
                     struct error *err) MUST_USE;
status run_inputs_unpin(struct db *db, const char *run_id, struct error *err) MUST_USE;

#endif
