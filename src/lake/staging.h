/* Files that nobody sees until all of them are complete (DESIGN section 4, local form without a database).
 *
 * Everything is written under a hidden staging directory next to the destination:
 * <parent>/.<name>.staging-<run id>/ . Publish renames (one file: the file; a directory: the whole directory, so it is
 * all or nothing). A run that was killed leaves only its staging directory behind; staging_sweep of a later run
 * towards the same destination removes those whose process is gone (pid + boot id + start time in an owner file). */
#ifndef FF_LAKE_STAGING_H
#define FF_LAKE_STAGING_H

#include "base/byte_stream.h"

struct staging_options {
    const char *destination; /* final path */
    bool directory;          /* the destination is a directory of files, else one file */
    bool overwrite;          /* replace what is there (a directory is exchanged atomically); else ERR_EXISTS */
    const char *run_id;
    bool sync; /* fsync files and folders before and after the rename */
};

struct staging;
/* Checks that the destination may be written, sweeps dead staging of earlier runs, creates the staging directory. */
status staging_create(struct staging **staging, const struct staging_options *options, struct error *err) MUST_USE;
/* A new file at a path relative to the destination directory ("a=1/part.parquet"), or the one file ("" when not
 * `directory`). Parent folders are made. Writes fail cleanly on a full disk. The sink's finish closes and (with
 * `sync`) syncs the file. */
status staging_open(struct staging *staging, const char *relative, struct byte_sink *sink, struct error *err) MUST_USE;
/* Reopen a file of this staging to append (partition writers keep few files open). */
status staging_append(struct staging *staging, const char *relative, struct byte_sink *sink,
                      struct error *err) MUST_USE;
/* Path of a staged file on disk, for reading back its footer before publish; into a buffer, NUL-terminated. */
status staging_path(const struct staging *staging, const char *relative, char *into, size_t cap,
                    struct error *err) MUST_USE;
/* Make everything visible under its final name. After OK nothing is left of the staging directory. */
status staging_publish(struct staging *staging, struct error *err) MUST_USE;
/* Remove everything that was not published. Safe after publish (does nothing). Frees. */
void staging_free(struct staging *staging);

#endif
