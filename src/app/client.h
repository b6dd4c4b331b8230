/* The API as the command line uses it: through the server that owns the home, or in this process when none runs. */
#ifndef FF_APP_CLIENT_H
#define FF_APP_CLIENT_H

#include <stdatomic.h>

#include "base/json.h"

struct client;
/* Looks at <home>/server.lock. No server: opens store and engine in this process. */
status client_open(struct client **client, const char *home, struct error *err) MUST_USE;
/* *answer (may be NULL) is the body; a problem becomes an error whose message holds every bad field. `body` may be
 * NULL. */
status client_call(struct client *client, const char *method, const char *path, const json_t *body, json_t **answer,
                   struct error *err) MUST_USE;
/* Wait for a pipeline run to end, handing over log lines and state changes meanwhile; *cancel cancels the run. */
typedef void client_watcher(void *self, const char *event, const json_t *data);
status client_watch(struct client *client, const char *pipeline_run_id, const atomic_bool *cancel,
                    client_watcher *watch, void *self, json_t **run, struct error *err) MUST_USE;
void client_close(struct client *client);

#endif
