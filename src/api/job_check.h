/* What a job needs of the world around it, beside the rules of its field table. */
#ifndef FF_API_JOB_CHECK_H
#define FF_API_JOB_CHECK_H

#include "api/route.h"

/* The field table of a kind of job, and its word in paths and the audit: "ingest_job". */
const struct field_table *job_fields(enum job_kind kind);

/* Of an ingest job: the upload exists and is complete, the path lies below a local root, the connection exists and is
 * of a kind that fits. Of a dataset job: its SQL is
 * explained against its inputs' schemas, once all of them are in the catalog; what is wrong has the pointer /sql, the
 * code "sql", line and column. Problems go to *errors. Blocks (a short task); call it without a connection. */
status job_check_world(struct api_context *context, enum job_kind kind, const json_t *pipeline, const json_t *record,
                       struct field_errors *errors, struct error *err) MUST_USE;
/* The last of these for a connection that is not saved. */
status job_check_connection(const json_t *record, const json_t *connection, struct field_errors *errors,
                            struct error *err) MUST_USE;
/* Are all inputs of a dataset job in the catalog, with columns? With `errors`, those that are not are problems. */
status job_check_inputs(struct api_context *context, const json_t *record, struct field_errors *errors, bool *known,
                        struct error *err) MUST_USE;
/* May an ingest job with history change like this? ERR_CONFLICT, naming the three ways, when an incremental job would
 * go on with another watermark column, other keys or another mode over rows that were taken by the old ones. *fresh:
 * the job points to another dataset now, so that watermark and ledger have to go. */
status job_check_history(struct db *db, const json_t *before, const json_t *after, bool *fresh,
                         struct error *err) MUST_USE;

/* A stand-in pipeline and the members that an unsaved job lacks ("id", "slug", "name", "dataset"), for tasks. */
status job_stand_in(json_t *job, json_t **pipeline, struct error *err) MUST_USE;

#endif
