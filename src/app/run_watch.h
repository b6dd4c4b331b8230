/* A run on the command line: shown while it goes on, its outcome printed, its end told by the exit code. */
#ifndef FF_APP_RUN_WATCH_H
#define FF_APP_RUN_WATCH_H

#include "app/client.h"
#include "app/command.h"

struct run_watch {
    bool json;    /* print the run as JSON, and nothing while it goes on */
    bool quiet;   /* print the outcome only */
    bool no_wait; /* print it as it is now; ERR_USAGE without a server, where it would end with this process */
};

/* ERR_USAGE when `how` cannot be had: before anything is started. */
status run_watch_check(const struct client *client, const struct run_watch *how, struct error *err) MUST_USE;
/* Wait for a run that was started (an interrupt cancels it) and print it. Takes over the reference to *started.
 * *exit_code: 0 completed or not waited for, 1 failed or crashed, 130 cancelled. */
status run_watch(const struct app *app, struct client *client, const struct run_watch *how, json_t *started,
                 int *exit_code, struct error *err) MUST_USE;

#endif
