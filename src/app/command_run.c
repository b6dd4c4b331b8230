/* flowforge run: run a pipeline, or one of its jobs, and watch it. */
#include <stdio.h>
#include <string.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/print.h"

struct settings {
    const char *home, *job, *from, *to;
    bool json, no_wait, quiet, help;
};

static const struct option table[] = {
    {"home", 0, OPTION_TEXT, offsetof(struct settings, home), "DIR", NULL,
     "where FlowForge keeps its data (default $FLOWFORGE_HOME, else ./flowforge-home)"},
    {"job", 'j', OPTION_TEXT, offsetof(struct settings, job), "JOB", NULL, "only this job, by name or id"},
    {"from", 0, OPTION_TEXT, offsetof(struct settings, from), "VALUE", NULL,
     "with --job and --to: a backfill of the rows from this value of the job's watermark column on"},
    {"to", 0, OPTION_TEXT, offsetof(struct settings, to), "VALUE", NULL, "with --from: up to this value, without it"},
    {"no-wait", 0, OPTION_FLAG, offsetof(struct settings, no_wait), NULL, NULL,
     "start it and return at once (a server must be running)"},
    {"quiet", 'q', OPTION_FLAG, offsetof(struct settings, quiet), NULL, NULL, "print no log lines, only the outcome"},
    {"json", 0, OPTION_FLAG, offsetof(struct settings, json), NULL, NULL, "print the run as JSON"},
    {"help", 'h', OPTION_FLAG, offsetof(struct settings, help), NULL, NULL, "show this help"},
};

static void print_help(void)
{
    puts("Usage: flowforge run [OPTION]... PIPELINE\n\n"
         "Run a pipeline, by name or id: reference ingests, ingests, silver, gold; what is independent runs at once.\n"
         "Goes through the server when one runs on this home, else runs it in this process.\n");
    options_print(table, ARRAY_LENGTH(table));
    puts("\nCtrl-C cancels the run. Exit code: 0 completed, 1 failed, 130 cancelled.\n\n"
         "Examples:\n"
         "  flowforge run sales\n"
         "  flowforge run sales --job orders --json\n"
         "  flowforge run sales --job orders --from 2026-01-01 --to 2026-02-01");
}

/* What is shown of a run while it goes on. */
struct screen {
    const struct settings *settings;
    json_t *names; /* job run id -> name of the job */
};

/* Job runs and log lines as they come, on standard error. */
static void show(void *self, const char *event, const json_t *data)
{
    struct screen *screen = self;
    if (screen->settings->quiet || screen->settings->json)
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

static status start(struct client *client, const struct settings *settings, const char *pipeline, json_t **run,
                    struct error *err)
{
    struct buf path = {0};
    json_t *body = NULL;
    status s;
    if (settings->from && !(body = json_pack("{s:{s:s, s:s}}", "range", "from", settings->from, "to", settings->to)))
        return error_no_memory(err, 1);
    if (!settings->job) {
        s = client_path(&path, "/api/workflows/", pipeline, "/run", err);
    } else {
        json_t *job = NULL;
        s = print_find_job(client, pipeline, settings->job, &job, err);
        if (s == OK)
            s = print_job_path(job, "/run", &path, err);
        json_decref(job);
    }
    if (s == OK)
        s = client_call(client, "POST", (const char *)path.data, body, run, err);
    json_decref(body);
    buf_release(&path);
    return s;
}

/* The process's exit code for how a run ended. */
static int exit_code_of(const json_t *run)
{
    const char *type = json_text(run, "state_type", "");
    return strcmp(type, "COMPLETED") == 0 ? 0 : strcmp(type, "CANCELLED") == 0 ? 130 : 1;
}

int command_run(const struct app *app, int argc, char **argv)
{
    struct settings settings = {0};
    struct text_list operands = {0};
    struct client *client = NULL;
    json_t *run = NULL;
    struct error err;
    int code = 0;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help();
        goto out;
    }
    if (s == OK && operands.count != 1) {
        s = error_set(&err, ERR_USAGE, "one pipeline has to be named");
        error_hint(&err, "flowforge run --help shows how; flowforge pipelines lists them");
    }
    if (s == OK && (!settings.from != !settings.to || (settings.from && !settings.job)))
        s = error_set(&err, ERR_USAGE, "a backfill takes all three: --job, --from and --to");
    if (s == OK)
        s = client_open(&client, settings.home, false, &err);
    if (s == OK)
        s = start(client, &settings, operands.items[0].p, &run, &err);
    if (s == OK && !settings.no_wait) {
        char id[64];
        snprintf(id, sizeof id, "%s", json_text(run, "id", ""));
        json_decref(run);
        run = NULL;
        struct screen screen = {.settings = &settings, .names = json_object()};
        s = screen.names ? client_watch(client, id, app->cancel, show, &screen, &run, &err) : error_no_memory(&err, 1);
        json_decref(screen.names);
    }
    if (s == OK && settings.json)
        s = print_json(run, &err);
    else if (s == OK)
        print_run(run);
    if (s == OK && !settings.no_wait)
        code = exit_code_of(run);
out:
    if (s != OK)
        code = command_failed(&err);
    json_decref(run);
    client_close(client);
    text_list_release(&operands);
    return code;
}
