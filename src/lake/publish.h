/* Moving a run's staged files to their final places (docs/pipelines.md 5, step 3), and taking them back. */
#ifndef FF_LAKE_PUBLISH_H
#define FF_LAKE_PUBLISH_H

#include "storage/storage.h"

#define STAGING_FOLDER ".staging"

struct publish_file {
    const char *staged; /* relative to the run's staging folder */
    const char *path;   /* relative to the lake */
};

/* Idempotent, see storage_ops.publish. ERR_NOT_FOUND: a file is neither staged nor published. Trying again
 * after another error is safe, but of no use when a folder could not be made durable: that is refused until the next
 * start (storage_ops.publish), so undo the commit or leave it for then. */
status publish_files(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                     struct error *err) MUST_USE;
/* For a commit that cannot be published: remove those final names that this run gave. A file that is still staged has
 * not got its final name; what stands there is somebody else's and stays. Goes on after an error and reports the
 * first. */
status unpublish_files(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                       struct error *err) MUST_USE;
/* Drop what the run staged and did not publish. */
status publish_discard(struct storage *lake, const char *run_id, struct error *err) MUST_USE;
/* Drop the staging of every run that `keep` does not want (NULL: of every run). */
status publish_sweep(struct storage *lake, bool (*keep)(void *self, const char *run_id), void *self,
                     struct error *err) MUST_USE;

#endif
