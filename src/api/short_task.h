/* Tasks that answer while the client waits: preview, plan, explain, sample (docs/pipelines.md 4). Each is a child
 * process, so that a file or a query that breaks a parser never breaks the server. */
#ifndef FF_API_SHORT_TASK_H
#define FF_API_SHORT_TASK_H

#include "api/route.h"

#define SHORT_TASKS_MOST 2
#define SHORT_TASK_SECONDS 30.0

/* Run `flowforge task <what>` with the payload. *answer: its document. *problems (NULL when there are none; may be set
 * on failure only): error.errors of a task that failed. Blocks; ERR_UNAVAILABLE when SHORT_TASKS_MOST run already,
 * ERR_TIMEOUT after SHORT_TASK_SECONDS. What the source lacks is ERR_INVALID, never ERR_NOT_FOUND: the route exists. */
status short_task_run(struct api_context *context, const char *what, const json_t *payload, json_t **answer,
                      json_t **problems, struct error *err) MUST_USE;

#endif
