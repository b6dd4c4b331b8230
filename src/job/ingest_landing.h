/* Untouched copies of an ingest run's files, in its staging (DESIGN 3.10). What is landed is what is converted. */
#ifndef FF_JOB_INGEST_LANDING_H
#define FF_JOB_INGEST_LANDING_H

#include "job/ingest_files.h"

#define LANDING_FOLDER "landing" /* in the staging, and in the lake */

/* Sets landed, landed_relative and landing_folder of every file, and hash where it came for nothing or the ledger needs
 * it. ERR_CHANGED: a source is not what was listed any more. */
status ingest_land(struct ingest_files *files, const struct ingest_options *options, const atomic_bool *cancel,
                   struct error *err) MUST_USE;
/* Make the copies durable: last, because the disk is at work on them while they are converted. */
status ingest_land_finish(const struct ingest_files *files, const atomic_bool *cancel, struct error *err) MUST_USE;

#endif
