/* The API as the command line uses it: through the server that owns the home, or in this process when none runs. */
#ifndef FF_APP_CLIENT_H
#define FF_APP_CLIENT_H

#include <stdatomic.h>

#include "base/json.h"

struct client;
/* `home` NULL: the usual one ($FLOWFORGE_HOME, else ./flowforge-home). ERR_NOT_FOUND when it is no home yet, unless
 * `create`. Looks at <home>/server.lock: a server that runs is talked to, else store and engine are opened here. */
status client_open(struct client **client, const char *home, bool create, struct error *err) MUST_USE;
/* Whether a server has the home; else runs end with this process. */
bool client_has_server(const struct client *client);
/* *answer (may be NULL) is the body, or null. A problem becomes an error whose message holds every bad field. `body`
 * may be NULL. `path` with its query, encoded. */
status client_call(struct client *client, const char *method, const char *path, const json_t *body, json_t **answer,
                   struct error *err) MUST_USE;
/* Wait for a pipeline run to end, handing over its log lines (event "log") and job runs whose state changed (event
 * "job") meanwhile. When *cancel becomes true the run is cancelled, once. *run: as GET /api/pipeline-runs/{id} gives
 * it. */
typedef void client_watcher(void *self, const char *event, const json_t *data);
status client_watch(struct client *client, const char *pipeline_run_id, const atomic_bool *cancel,
                    client_watcher *watch, void *self, json_t **run, struct error *err) MUST_USE;
void client_close(struct client *client);

/* "<before><segment, percent-encoded><after>" in *path, to be released. */
status client_path(struct buf *path, const char *before, const char *segment, const char *after,
                   struct error *err) MUST_USE;

#endif
