/* What is removed by and by: files of old snapshots, landing copies beyond their retention, uploads that were never
 * completed. */
#ifndef FF_ORCHESTRATE_HOUSEKEEPING_H
#define FF_ORCHESTRATE_HOUSEKEEPING_H

#include <stdatomic.h>

#include "storage/storage.h"
#include "store/store.h"

struct housekeeping_options {
    int64_t now;           /* microseconds since 1970 UTC */
    double grace_seconds;  /* how long replaced files stay */
    double upload_seconds; /* how long an upload may be receiving; 0: a day */
    const char *uploads;   /* absolute path of <home>/uploads; NULL: leave uploads alone */
    /* With `orphan`: look for files of the lake that the manifest does not know. With `lost`: for files that the
     * manifest has and the lake has not. Either costs a walk over all of them, so once a start. They are told, nothing
     * more. */
    void (*orphan)(void *self, const char *path);
    void (*lost)(void *self, const char *path);
    void *self;
    const atomic_bool *stop; /* true: leave the rest to the next time; NULL: never */
};

struct housekeeping_report {
    size_t files_removed, landing_expired, uploads_removed, orphans, lost;
};

/* Any thread that has no connection. Goes on with the next part after an error and returns the first; all of it may be
 * killed anywhere and done again. *report (may be NULL) is filled in also after an error. */
status housekeeping_run(struct store *store, struct storage *lake, const struct housekeeping_options *options,
                        struct housekeeping_report *report, struct error *err) MUST_USE;

#endif
