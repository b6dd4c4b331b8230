/* The tasks that are about a connection alone: its test and its tables. payload: {"connection": {id, name, kind, config
 * with secrets}, "local_roots", "search", "schema"}. */
#ifndef FF_JOB_CONNECTION_TASK_H
#define FF_JOB_CONNECTION_TASK_H

#include "job/task.h"
#include "source/db_driver.h"

/* {"ok": bool, "steps": [{"step", "seconds", "ok", "message", "hint"}]}. A connection that does not work is an answer,
 * not a failure; a kind that cannot be tested is ERR_UNSUPPORTED. */
status connection_test(const struct task *task, json_t **answer, struct error *err) MUST_USE;
/* {"tables": [as db_driver.h says], "more": there are further ones}, by payload.search (a part of the name) and
 * payload.schema. ERR_UNSUPPORTED for what has no tables. */
status connection_tables(const struct task *task, json_t **answer, struct error *err) MUST_USE;

/* How a kind is tested: tells each step as it ends, the one that failed with its error, and returns that error. The
 * table is in connection_task.c, a row a kind. */
typedef status connection_tester(const struct task *task, db_step *step, void *self, struct error *err);

/* The config of payload.connection, ready for a driver: the path of a sqlite file is confined to the local roots and
 * resolved. *config is a new reference. ERR_INVALID when the payload has no connection. */
status connection_config(const json_t *payload, json_t **config, struct error *err) MUST_USE;
/* "***" instead of every secret of payload.connection that stands in the text, in place. For messages of libraries and
 * servers on their way out. */
void connection_scrub(const json_t *payload, char *text);

#endif
