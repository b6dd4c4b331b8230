/* The locked DuckDB session of a dataset's tasks, with the payload's inputs as views. */
#ifndef FF_JOB_DATASET_SESSION_H
#define FF_JOB_DATASET_SESSION_H

#include "batch/schema.h"
#include "job/task.h"
#include "sql/parquet_paths.h"
#include "sql/session.h"
#include "sql/watch.h"

#define DATASET_MEMORY_LEAST ((size_t)64 << 20)

struct dataset_session {
    struct sql_session sql;
    struct sql_watch watch;
    struct parquet_paths paths; /* of all inputs' files, one after another */
    char *temp_dir;             /* below the task's staging; NULL: nothing is spilled */
};

/* The task's limits, with defaults where the payload has none. */
size_t dataset_memory(const struct task *task);
size_t dataset_threads(const struct task *task);

enum dataset_use {
    DATASET_COLUMNS, /* the views have their columns and no rows */
    DATASET_ROWS,    /* and read the files */
    DATASET_RUN      /* and queries spill into <staging>/tmp */
};

/* `inputs` as in the payload. Queries end with ERR_CANCELLED when the task is cancelled, with ERR_TIMEOUT
 * after `seconds` (0: no limit). `session` must not move. */
status dataset_session_open(struct dataset_session *session, const struct task *task, const json_t *inputs,
                            enum dataset_use use, double seconds, struct error *err) MUST_USE;
/* Turns what DuckDB said about `s` into what the user knows: names of files, the limit of time. Ends the watch. */
status dataset_session_end(struct dataset_session *session, status s, struct error *err);
void dataset_session_release(struct dataset_session *session);

/* [{"name", "type", "nullable", "source_name"}] to a schema; JSON null or absent: no columns. ERR_INVALID names the
 * bad one. */
status dataset_columns(const json_t *columns, const char *what, struct schema *schema, struct error *err) MUST_USE;

#endif
