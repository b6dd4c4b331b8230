/* What a start of the server puts in order after one that was killed (docs/pipelines.md 5, "At start"). */
#ifndef FF_ORCHESTRATE_RECOVERY_H
#define FF_ORCHESTRATE_RECOVERY_H

#include "storage/storage.h"
#include "store/store.h"

struct recovery_report {
    size_t published; /* commits brought to their end */
    size_t undone;    /* commits that could not be */
    size_t crashed;   /* job runs that were going or waiting */
    size_t cancelled; /* job runs whose cancelling is brought to its end */
};

/* Before anything else uses the home. Idempotent, and may be killed anywhere: the next one does the rest. An error
 * means that the home cannot be used (the disk or the database does not answer). `now`: microseconds since 1970 UTC.
 * *report may be NULL. */
status recovery_run(struct store *store, struct storage *lake, int64_t now, struct recovery_report *report,
                    struct error *err) MUST_USE;

#endif
