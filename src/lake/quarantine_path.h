/* Where the rejects of a run lie below the quarantine root (DESIGN 3.5). */
#ifndef FF_LAKE_QUARANTINE_PATH_H
#define FF_LAKE_QUARANTINE_PATH_H

#include "base/buf.h"

/* Append "job=<job>/dt=<yyyy-MM-dd>/run_id=<run id>/rejects-<sequence, 5 digits>.parquet"; the date is that of the
 * run's start in UTC. Job and run id are percent-encoded; an empty one is __HIVE_DEFAULT_PARTITION__. */
status quarantine_path(struct str job, struct str run_id, int64_t run_micros, uint32_t sequence, struct buf *path,
                       struct error *err) MUST_USE;

#endif
