/* What `flowforge task ...` does in a child process: payload in, events out (docs/pipelines.md 4). */
#ifndef FF_JOB_TASK_H
#define FF_JOB_TASK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"

#define TASK_EVENT_MOST (64UL << 20) /* bytes of an event's line */

/* Writes event lines, whole ones, from any thread. The first write error is remembered and ends the run. A longer line
 * than TASK_EVENT_MOST is ERR_LIMIT: nothing is written, and other events can be. */
struct task_events {
    int fd;
    atomic_bool broken;
    pthread_mutex_t lock;
};
status task_event(struct task_events *events, const char *event, json_t *members,
                  struct error *err) MUST_USE; /* steals */
status task_log(struct task_events *events, struct error *err, const char *level, const char *format, ...)
    PRINTF_LIKE(4, 5) MUST_USE;

struct task {
    const json_t *payload;
    struct task_events *events;
    const atomic_bool *cancel;
};
/* Writes to fd, which stays the caller's. */
void task_events_init(struct task_events *events, int fd);
void task_events_release(struct task_events *events);

/* The result object of `finished`; *outcome is "completed" or "skipped". A member "rejects" of it (the first 100 bad
 * rows) becomes a member of `finished` itself. After a failure *result is NULL or holds what is known all the same
 * (rejects, rows); the caller releases it either way. */
status ingest_job_run(const struct task *task, json_t **result, const char **outcome, struct error *err) MUST_USE;
status dataset_job_run(const struct task *task, json_t **result, const char **outcome, struct error *err) MUST_USE;
/* One-document tasks. */
status ingest_preview(const struct task *task, json_t **answer, struct error *err) MUST_USE;
status ingest_plan(const struct task *task, json_t **answer, struct error *err) MUST_USE;
status dataset_explain(const struct task *task, json_t **answer, struct error *err) MUST_USE;
status dataset_preview(const struct task *task, json_t **answer, struct error *err) MUST_USE;
status dataset_sample(const struct task *task, json_t **answer, struct error *err) MUST_USE;

#endif
