/* A commit's files and its books together (docs/pipelines.md 5). The engine batches: commit_record of many runs in one
 * transaction, commit_publish_files of each, and commit_publish_record of all of them in the next transaction. */
#ifndef FF_ORCHESTRATE_COMMIT_H
#define FF_ORCHESTRATE_COMMIT_H

#include "storage/storage.h"
#include "store/store_lake.h"

/* Give the committed run's files their final names (step 3). Idempotent; ERR_NOT_FOUND: a file is lost. After an error
 * commit_undo_all, or leave it to the next start. Outside of a transaction: it waits for the disk. */
status commit_publish_files(struct storage *lake, struct db *db, const char *run_id, struct error *err) MUST_USE;
/* Take a commit back that cannot be published: its final names go, then the books are as before, within the caller's
 * transaction. The run's state is the caller's business. */
status commit_undo_all(struct storage *lake, struct db *db, enum job_kind kind, const char *run_id,
                       struct error *err) MUST_USE;
/* Both steps for one run, in transactions of its own: record, publish, record that; the staging goes. When publishing
 * fails, the commit is undone and the error returned; when that fails too, the message says so and the commit is left
 * for the next start. */
status commit_run(struct db *db, struct storage *lake, enum job_kind kind, const json_t *run, const json_t *job,
                  int64_t base_snapshot, const json_t *result, int64_t now, struct error *err) MUST_USE;

#endif
