/* flowforge run: run a pipeline, or one of its jobs, and watch it. */
#include <stdio.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/print.h"
#include "app/run_watch.h"

struct settings {
    const char *home, *job, *from, *to;
    bool json, no_wait, quiet, help;
};

static const struct option table[] = {
    OPTION_ROW_HOME(struct settings),
    {"job", 'j', OPTION_TEXT, offsetof(struct settings, job), "JOB", NULL, "only this job, by name or id"},
    {"from", 0, OPTION_TEXT, offsetof(struct settings, from), "VALUE", NULL,
     "with --job and --to: a backfill of the rows from this value of the job's watermark column on"},
    {"to", 0, OPTION_TEXT, offsetof(struct settings, to), "VALUE", NULL, "with --from: up to this value, without it"},
    {"no-wait", 0, OPTION_FLAG, offsetof(struct settings, no_wait), NULL, NULL,
     "start it and return at once (a server must be running)"},
    {"quiet", 'q', OPTION_FLAG, offsetof(struct settings, quiet), NULL, NULL, "print no log lines, only the outcome"},
    OPTION_ROW_JSON(struct settings, "print the run as JSON"),
    OPTION_ROW_HELP(struct settings),
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
    const struct run_watch how = {.json = settings.json, .quiet = settings.quiet, .no_wait = settings.no_wait};
    if (s == OK)
        s = client_open(&client, settings.home, false, &err);
    if (s == OK)
        s = run_watch_check(client, &how, &err);
    if (s == OK)
        s = start(client, &settings, operands.items[0].p, &run, &err);
    if (s == OK)
        s = run_watch(app, client, &how, run, &code, &err);
    if (s == ERR_NOT_FOUND && !err.hint[0])
        error_hint(&err, "flowforge pipelines lists them");
out:
    if (s != OK)
        code = command_failed(&err);
    client_close(client);
    text_list_release(&operands);
    return code;
}
