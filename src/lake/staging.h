/* Files that nobody sees until all of them are complete (DESIGN section 4, local form without a database).
 *
 * Everything is written under a hidden staging directory next to the destination:
 * <parent>/.<name>.staging-<run id>/ , which holds an owner mark (sys/owner_mark.h) and `data`, the file or directory
 * to be published. Publish renames `data` (one file: the file; a directory: the whole directory, so it is all or
 * nothing). A run that was killed leaves only its staging directory behind; a later run towards the same destination
 * removes those whose process is gone, and those without a complete mark once they are an hour old.
 *
 * The destination: a symbolic link is followed; missing parent directories are made (and removed again if nothing is
 * published); an empty directory counts as absent. */
#ifndef FF_LAKE_STAGING_H
#define FF_LAKE_STAGING_H

#include "base/byte_stream.h"

struct staging_options {
    const char *destination; /* final path */
    bool directory;          /* the destination is a directory of files, else one file */
    bool overwrite;          /* replace what is there (a directory is exchanged atomically); else ERR_EXISTS */
    const char *run_id;      /* letters, digits, '-', '_', '.' */
    bool sync;               /* fsync files and folders before and after the rename */
};

struct staging;
/* Checks that the destination may be written, sweeps dead staging of earlier runs, creates the staging directory.
 * ERR_EXISTS: the destination is there and `overwrite` is not set, or it is a file where a directory is to be written
 * or the other way round, or another run of the same id is at work. ERR_UNSUPPORTED: an existing directory is to be
 * replaced on a file system that cannot exchange names. ERR_INVALID: "", ".", "..", "/", a device, or a directory that
 * holds the current one. */
status staging_create(struct staging **staging, const struct staging_options *options, struct error *err) MUST_USE;
/* A new file (ERR_EXISTS if it was opened before) at a path relative to the destination directory
 * ("a=1/part.parquet"), or the one file ("" when not `directory`). Parent folders are made. The sink's finish closes
 * and (with `sync`) syncs the file. A failed write or sync of any file makes staging_publish refuse, and so does a sink
 * that was closed without being finished. Sinks must be closed before the staging is published or freed. Opening and
 * writing different files is thread-safe. */
status staging_open(struct staging *staging, const char *relative, struct byte_sink *sink, struct error *err) MUST_USE;
/* Reopen a file of this staging to append (partition writers keep few files open). */
status staging_append(struct staging *staging, const char *relative, struct byte_sink *sink,
                      struct error *err) MUST_USE;
/* Path of a staged file on disk, for reading back its footer before publish; into a buffer, NUL-terminated. */
status staging_path(const struct staging *staging, const char *relative, char *into, size_t cap,
                    struct error *err) MUST_USE;
/* Make everything visible under its final name, in one step. Without `overwrite` a destination that came into being
 * meanwhile is left alone (ERR_EXISTS). After OK nothing is left of the staging directory, save what the file system
 * refuses to remove of a replaced directory: that goes with the next run's sweep. After an error nothing is visible,
 * except when only the very last step failed, making the names durable; the message then says so. */
status staging_publish(struct staging *staging, struct error *err) MUST_USE;
/* Is everything under its final name? May be so after an error of staging_publish, see there. */
bool staging_is_published(const struct staging *staging);
/* Remove everything that was not published. Safe after publish (does nothing). Frees. */
void staging_free(struct staging *staging);

#endif
