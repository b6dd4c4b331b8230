/* The files that an ingest run would take: listed, compared with the ledger. */
#ifndef FF_JOB_INGEST_FILES_H
#define FF_JOB_INGEST_FILES_H

#include "job/ingest_options.h"

enum ingest_change { INGEST_NEW, INGEST_CHANGED };

struct ingest_file {
    char *uri;        /* "file:///in/a.csv", "upload://<id>/a.csv": what ledger and manifest call it */
    char *path;       /* to read, links followed */
    char *name;       /* for people and for names of files */
    const char *etag; /* of uploads: their SHA-256; NULL: none. The payload's */
    uint64_t size;
    int64_t mtime_ns; /* as the file system tells it; the ledger keeps 0 for uploads */
    enum ingest_change change;
    bool upload;
    char hash[33]; /* XXH3-128 as hex; "" when it was not needed */
    /* Set by landing: */
    char *landed; /* absolute path of the copy in the staging */
    char *landed_relative, *landing_folder;
};

struct ingest_files {
    struct ingest_file *items; /* to be taken, sorted by uri */
    size_t count;
    uint64_t bytes;
    size_t skipped; /* the same as in the ledger */
    size_t waiting; /* still being written */
    size_t hidden;
};

/* ERR_NOT_FOUND: nothing matches, in full mode. ERR_CHANGED: a file is still being written, in full mode or when it is
 * the only one that was named. Waits up to the settle time for files to come to rest. */
status ingest_files_find(struct ingest_files *files, const struct ingest_options *options, const json_t *payload,
                         const atomic_bool *cancel, struct error *err) MUST_USE;
/* One entry, for the rows of a query. */
status ingest_files_of_query(struct ingest_files *files, const char *uri, const char *name, struct error *err) MUST_USE;
void ingest_files_release(struct ingest_files *files);

#endif
