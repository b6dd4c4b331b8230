/* What the commands about pipelines and runs have in common: finding a job, and printing answers for people. */
#ifndef FF_APP_PRINT_H
#define FF_APP_PRINT_H

#include "app/client.h"

/* Indented, with a line end, on standard output. */
status print_json(const json_t *value, struct error *err) MUST_USE;
/* A run's outcome with its jobs, rows and errors. */
void print_run(const json_t *run);

/* A column of a list: which member, its heading. */
struct print_column {
    const char *member, *heading;
};
/* A table as wide as its values; numbers stand to the right. */
void print_table(const json_t *rows, const struct print_column *columns, size_t count);

/* A job of the pipeline, of either kind, by name or id: the record plus "kind" ("ingest" or "dataset"). ERR_NOT_FOUND
 * names the jobs that there are. */
status print_find_job(struct client *client, const char *pipeline, const char *job, json_t **record,
                      struct error *err) MUST_USE;
/* "/api/workflows/<pipeline_id>/<ingest|dataset>-jobs/<id><after>", NUL-terminated. */
status print_job_path(const json_t *job, const char *after, struct buf *path, struct error *err) MUST_USE;
/* All jobs of a pipeline, each with its "kind". */
status print_all_jobs(struct client *client, const char *pipeline, json_t **jobs, struct error *err) MUST_USE;

#endif
