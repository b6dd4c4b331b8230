/* The files of a commit (docs/pipelines.md 5, step 3); its books are store/store_lake.h. The engine batches: the books
 * of many runs in one transaction, the files of each, and that they are published in the next transaction. */
#ifndef FF_ORCHESTRATE_COMMIT_H
#define FF_ORCHESTRATE_COMMIT_H

#include "base/json.h"
#include "storage/storage.h"

/* `files`: what commit_files gave, [{path, staged}]. Outside of a transaction: both wait for the disk. */

/* Give the committed run's files their final names. Idempotent; ERR_NOT_FOUND: a file is lost. After an error
 * commit_unpublish_files and commit_undo, in this order, or leave it to the next start. */
status commit_publish_files(struct storage *lake, const char *run_id, const json_t *files, struct error *err) MUST_USE;
/* The final names go. Before the books are as before: were the books first, a kill in between would leave files that
 * nobody knows. */
status commit_unpublish_files(struct storage *lake, const char *run_id, const json_t *files,
                              struct error *err) MUST_USE;

#endif
