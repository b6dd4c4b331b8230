#include "app/run_watch.h"

#include <stdio.h>
#include <string.h>

#include "app/print.h"

/* What is shown of a run while it goes on. */
struct screen {
    bool silent;
    json_t *names; /* job run id -> name of the job */
};

/* Job runs and log lines as they come, on standard error. */
static void show(void *self, const char *event, const json_t *data)
{
    struct screen *screen = self;
    if (screen->silent)
        return;
    if (strcmp(event, "log") == 0) {
        fprintf(stderr, "  %s: %s: %s\n", json_text(screen->names, json_text(data, "job_run_id", ""), "run"),
                json_text(data, "level", ""), json_text(data, "message", ""));
        return;
    }
    const char *name = json_text(data, "job_name", "?");
    if (json_put_text(screen->names, json_text(data, "id", ""), name, NULL) == OK)
        fprintf(stderr, "%s: %s\n", name, json_text(data, "state_name", "?"));
}

status run_watch_check(const struct client *client, const struct run_watch *how, struct error *err)
{
    if (!how->no_wait || client_has_server(client))
        return OK;
    status s =
        error_set(err, ERR_USAGE, "--no-wait: no server runs on this home, so the run would end with this command");
    error_hint(err, "leave --no-wait out, or start flowforge serve first");
    return s;
}

/* The process's exit code for how a run ended. */
static int exit_code_of(const json_t *run)
{
    const char *type = json_text(run, "state_type", "");
    return strcmp(type, "COMPLETED") == 0 ? 0 : strcmp(type, "CANCELLED") == 0 ? 130 : 1;
}

status run_watch(const struct app *app, struct client *client, const struct run_watch *how, json_t *started,
                 int *exit_code, struct error *err)
{
    json_t *run = started;
    status s = OK;
    if (!how->no_wait) {
        struct screen screen = {.silent = how->quiet || how->json, .names = json_object()};
        run = NULL;
        s = screen.names ? client_watch(client, json_text(started, "id", ""), app->cancel, show, &screen, &run, err)
                         : error_no_memory(err, 1);
        json_decref(screen.names);
        json_decref(started);
    }
    if (s == OK && how->json)
        s = print_json(run, err);
    else if (s == OK)
        print_run(run);
    if (s == OK)
        *exit_code = how->no_wait ? 0 : exit_code_of(run);
    json_decref(run);
    return s;
}
