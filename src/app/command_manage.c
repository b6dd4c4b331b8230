/* flowforge pipelines, job, runs, catalog, token: each verb is a call of the API and a way to print its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/print.h"

#define OPERANDS_MOST 2

static const char *const roles[] = {"viewer", "editor", "admin", NULL};

struct settings {
    const char *home;
    uint64_t limit;
    int role;
    bool json, help;
};

static const struct option table[] = {
    {"home", 0, OPTION_TEXT, offsetof(struct settings, home), "DIR", NULL,
     "where FlowForge keeps its data (default $FLOWFORGE_HOME, else ./flowforge-home)"},
    {"json", 0, OPTION_FLAG, offsetof(struct settings, json), NULL, NULL, "print JSON instead of a table"},
    {"limit", 'n', OPTION_COUNT, offsetof(struct settings, limit), "N", NULL,
     "most items of a list (default 50, at most 500)"},
    {"role", 0, OPTION_CHOICE, offsetof(struct settings, role), "ROLE", roles,
     "of a new token: viewer (default), editor or admin"},
    {"help", 'h', OPTION_FLAG, offsetof(struct settings, help), NULL, NULL, "show this help"},
};

/* A verb at work. */
struct call {
    struct client *client;
    const struct settings *settings;
    const char *operand[OPERANDS_MOST]; /* NULL: not given */
};

/* ---- answers ---- */

/* GET a path and print its items, or the whole answer as JSON. */
static status list(const struct call *call, const char *path, const struct print_column *columns, size_t count,
                   struct error *err)
{
    json_t *answer = NULL;
    status s = client_call(call->client, "GET", path, NULL, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        print_table(json_object_get(answer, "items"), columns, count);
    json_decref(answer);
    return s;
}

static unsigned long long limit_of(const struct call *call)
{
    return call->settings->limit ? call->settings->limit : 50;
}

/* ---- pipelines and jobs ---- */

static status pipelines_list(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"id", "ID"}, {"name", "NAME"}, {"environment", "ENVIRONMENT"}, {"owner", "OWNER"}, {"updated_at", "UPDATED"}};
    char path[64];
    snprintf(path, sizeof path, "/api/workflows?limit=%llu", limit_of(call));
    return list(call, path, columns, ARRAY_LENGTH(columns), err);
}

static status job_list(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"id", "ID"},       {"kind", "KIND"},          {"name", "NAME"},       {"dataset", "DATASET"},
        {"layer", "LAYER"}, {"source_type", "SOURCE"}, {"enabled", "ENABLED"}, {"updated_at", "UPDATED"}};
    json_t *jobs = NULL;
    status s = print_all_jobs(call->client, call->operand[0], &jobs, err);
    if (s == OK && call->settings->json)
        s = print_json(jobs, err);
    else if (s == OK)
        print_table(jobs, columns, ARRAY_LENGTH(columns));
    json_decref(jobs);
    return s;
}

static status job_show(const struct call *call, struct error *err)
{
    json_t *job = NULL;
    status s = print_find_job(call->client, call->operand[0], call->operand[1], &job, err);
    if (s == OK)
        s = print_json(job, err);
    json_decref(job);
    return s;
}

static status job_plan(const struct call *call, struct error *err)
{
    struct buf path = {0};
    json_t *job = NULL, *plan = NULL;
    status s = print_find_job(call->client, call->operand[0], call->operand[1], &job, err);
    if (s == OK)
        s = print_job_path(job, "/plan", &path, err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)path.data, NULL, &plan, err);
    if (s == OK)
        s = print_json(plan, err);
    json_decref(job);
    json_decref(plan);
    buf_release(&path);
    return s;
}

/* ---- runs ---- */

static status runs_list(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {{"id", "RUN"},
                                                  {"kind", "KIND"},
                                                  {"state_name", "STATE"},
                                                  {"jobs_total", "JOBS"},
                                                  {"jobs_failed", "FAILED"},
                                                  {"rows_written", "ROWS"},
                                                  {"created_at", "CREATED"},
                                                  {"ended_at", "ENDED"}};
    char after[64];
    struct buf path = {0};
    status s;
    if (call->operand[0]) {
        snprintf(after, sizeof after, "/runs?limit=%llu", limit_of(call));
        s = client_path(&path, "/api/workflows/", call->operand[0], after, err);
    } else {
        s = buf_printf(&path, err, "/api/runs?limit=%llu", limit_of(call));
        if (s == OK)
            s = buf_append(&path, "", 1, err);
    }
    if (s == OK)
        s = list(call, (const char *)path.data, columns, ARRAY_LENGTH(columns), err);
    buf_release(&path);
    return s;
}

/* The answer of one call on the run that the first operand names. */
static status run_call(const struct call *call, const char *method, const char *after, json_t **answer,
                       struct error *err)
{
    struct buf path = {0};
    status s = client_path(&path, "/api/pipeline-runs/", call->operand[0], after, err);
    if (s == OK)
        s = client_call(call->client, method, (const char *)path.data, NULL, answer, err);
    buf_release(&path);
    return s;
}

static status run_print(const struct call *call, const char *method, const char *after, struct error *err)
{
    json_t *run = NULL;
    status s = run_call(call, method, after, &run, err);
    if (s == OK && call->settings->json)
        s = print_json(run, err);
    else if (s == OK)
        print_run(run);
    json_decref(run);
    return s;
}

static status runs_show(const struct call *call, struct error *err)
{
    return run_print(call, "GET", "", err);
}

static status runs_cancel(const struct call *call, struct error *err)
{
    return run_print(call, "POST", "/cancel", err);
}

static status runs_retry(const struct call *call, struct error *err)
{
    return run_print(call, "POST", "/retry", err);
}

/* All of a log, page by page. */
static status runs_log(const struct call *call, struct error *err)
{
    long long after_id = 0;
    for (;;) {
        char after[64];
        json_t *answer = NULL;
        size_t i;
        const json_t *line;
        snprintf(after, sizeof after, "/log?limit=500&after=%lld", after_id);
        status s = run_call(call, "GET", after, &answer, err);
        const json_t *items = json_object_get(answer, "items");
        size_t count = json_array_size(items);
        json_array_foreach(items, i, line)
        {
            after_id = json_int(line, "id", after_id);
            if (s == OK && call->settings->json)
                s = json_dumpf(line, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF
                        ? OK
                        : error_set(err, ERR_IO, "cannot write to standard output");
            else if (s == OK)
                printf("%s  %-7s  %s\n", json_text(line, "time", ""), json_text(line, "level", ""),
                       json_text(line, "message", ""));
        }
        json_decref(answer);
        if (s != OK || count == 0)
            return s;
    }
}

/* ---- the catalog ---- */

static status catalog_list(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"layer", "LAYER"},      {"name", "DATASET"},  {"row_count", "ROWS"}, {"file_count", "FILES"},
        {"byte_count", "BYTES"}, {"format", "FORMAT"}, {"path", "PATH"},      {"updated_at", "UPDATED"}};
    char path[64];
    snprintf(path, sizeof path, "/api/catalog?limit=%llu", limit_of(call));
    return list(call, path, columns, ARRAY_LENGTH(columns), err);
}

/* Columns as "name type, ..."; parents as "a, b". */
static void print_facts(const json_t *entry)
{
    size_t i;
    const json_t *item;
    printf("%s.%s: %lld rows in %lld files, %s\n", json_text(entry, "layer", ""), json_text(entry, "name", ""),
           (long long)json_int(entry, "row_count", 0), (long long)json_int(entry, "file_count", 0),
           json_text(entry, "path", ""));
    const json_t *parents = json_object_get(entry, "parent_tables");
    json_array_foreach(parents, i, item) printf("%s%s", i ? ", " : "made from: ", json_string_value(item));
    if (json_array_size(parents))
        putchar('\n');
    json_array_foreach(json_object_get(entry, "schema"), i, item)
        printf("%s%s %s", i ? ", " : "columns: ", json_text(item, "name", ""), json_text(item, "type", ""));
    putchar('\n');
}

/* The sample's rows as objects, to be printed as a table. */
static status print_sample(const json_t *sample, struct error *err)
{
    const json_t *names = json_object_get(sample, "columns"), *row;
    struct print_column columns[16];
    size_t count = 0, i, c;
    json_t *rows = json_array(), *name;
    status s = rows ? OK : error_no_memory(err, 1);
    json_array_foreach(names, c, name)
    {
        if (count < ARRAY_LENGTH(columns)) {
            const char *text = json_text(name, "name", "");
            columns[count++] = (struct print_column){text, text};
        }
    }
    json_array_foreach(json_object_get(sample, "rows"), i, row)
    {
        json_t *object = json_object();
        if (s == OK)
            s = json_add(rows, object, err);
        for (c = 0; s == OK && c < count; c++)
            s = json_put(object, columns[c].member, json_incref(json_array_get(row, c)), err);
    }
    if (s == OK)
        print_table(rows, columns, count);
    json_decref(rows);
    return s;
}

static status catalog_show(const struct call *call, struct error *err)
{
    char after[64];
    struct buf path = {0}, sample_path = {0};
    json_t *entry = NULL, *sample = NULL;
    snprintf(after, sizeof after, "/sample?limit=%llu",
             (unsigned long long)(call->settings->limit ? call->settings->limit : 10));
    status s = client_path(&path, "/api/catalog/", call->operand[0], "", err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)path.data, NULL, &entry, err);
    if (s == OK)
        s = client_path(&sample_path, "/api/catalog/", call->operand[0], after, err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)sample_path.data, NULL, &sample, err);
    if (s == OK)
        s = json_put(entry, "sample", json_incref(sample), err);
    if (s == OK && call->settings->json) {
        s = print_json(entry, err);
    } else if (s == OK) {
        print_facts(entry);
        s = print_sample(sample, err);
    }
    json_decref(sample);
    json_decref(entry);
    buf_release(&sample_path);
    buf_release(&path);
    return s;
}

/* ---- tokens ---- */

static status token_list_verb(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {{"id", "ID"},
                                                  {"name", "NAME"},
                                                  {"role", "ROLE"},
                                                  {"created_at", "CREATED"},
                                                  {"last_used_at", "LAST USED"},
                                                  {"revoked_at", "REVOKED"}};
    return list(call, "/api/tokens", columns, ARRAY_LENGTH(columns), err);
}

static status token_create_verb(const struct call *call, struct error *err)
{
    json_t *request = json_object(), *answer = NULL;
    status s = request ? json_put_text(request, "name", call->operand[0], err) : error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(request, "role", roles[call->settings->role], err);
    if (s == OK)
        s = client_call(call->client, "POST", "/api/tokens", request, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        printf("%s\n", json_text(answer, "token", ""));
    if (s == OK && !call->settings->json)
        fprintf(stderr, "This is the only time it is shown.\n");
    json_decref(request);
    json_decref(answer);
    return s;
}

static status token_revoke_verb(const struct call *call, struct error *err)
{
    struct buf path = {0};
    status s = client_path(&path, "/api/tokens/", call->operand[0], "", err);
    if (s == OK)
        s = client_call(call->client, "DELETE", (const char *)path.data, NULL, NULL, err);
    buf_release(&path);
    return s;
}

/* ---- the frame ---- */

struct verb {
    const char *command, *name;
    size_t least, most; /* operands */
    status (*run)(const struct call *call, struct error *err);
    const char *usage, *help;
};

static const struct verb verbs[] = {
    {"pipelines", "list", 0, 0, pipelines_list, "", "all pipelines"},
    {"job", "list", 1, 1, job_list, "PIPELINE", "the ingest and dataset jobs of a pipeline"},
    {"job", "show", 2, 2, job_show, "PIPELINE JOB", "a job's whole configuration as JSON"},
    {"job", "plan", 2, 2, job_plan, "PIPELINE JOB", "what a run would take and write, as JSON"},
    {"runs", "list", 0, 1, runs_list, "[PIPELINE]", "runs, newest first"},
    {"runs", "show", 1, 1, runs_show, "RUN", "a run with its jobs, rows and errors"},
    {"runs", "log", 1, 1, runs_log, "RUN", "a run's log lines"},
    {"runs", "cancel", 1, 1, runs_cancel, "RUN", "cancel a run"},
    {"runs", "retry", 1, 1, runs_retry, "RUN", "run again what did not complete"},
    {"catalog", "list", 0, 0, catalog_list, "", "the datasets"},
    {"catalog", "show", 1, 1, catalog_show, "DATASET",
     "a dataset (silver.orders): columns, parents, first rows (--limit)"},
    {"token", "list", 0, 0, token_list_verb, "", "all tokens (never their secret)"},
    {"token", "create", 1, 1, token_create_verb, "NAME", "a new token, with --role; printed this once"},
    {"token", "revoke", 1, 1, token_revoke_verb, "ID", "a token is refused from now on"},
};

static void print_help(const char *command)
{
    printf("Usage: flowforge %s [VERB] [OPTION]... [ARGUMENT]...\n\n", command);
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (strcmp(verbs[i].command, command) == 0) {
            char usage[80];
            snprintf(usage, sizeof usage, "%s %s", verbs[i].name, verbs[i].usage);
            printf("  %-24s %s\n", usage, verbs[i].help);
        }
    puts("\nWorks through the server when one runs on this home, else on the home itself.\n");
    options_print(table, ARRAY_LENGTH(table));
}

/* The verb that the first operand names, else "list"; *taken: how many operands that used. */
static const struct verb *find_verb(const char *command, const struct text_list *operands, size_t *taken)
{
    const struct verb *fallback = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        if (strcmp(verbs[i].command, command) != 0)
            continue;
        if (operands->count > 0 && strcmp(operands->items[0].p, verbs[i].name) == 0) {
            *taken = 1;
            return &verbs[i];
        }
        if (strcmp(verbs[i].name, "list") == 0)
            fallback = &verbs[i];
    }
    *taken = 0;
    return fallback;
}

static int run_verb(const char *command, int argc, char **argv)
{
    struct settings settings = {0};
    struct text_list operands = {0};
    struct call call = {.settings = &settings};
    struct error err;
    size_t taken = 0;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help(command);
        goto out;
    }
    const struct verb *verb = s == OK ? find_verb(command, &operands, &taken) : NULL;
    size_t given = operands.count - taken;
    if (s == OK && (given < verb->least || given > verb->most)) {
        s = error_set(&err, ERR_USAGE, "flowforge %s %s takes %s", command, verb->name,
                      verb->usage[0] ? verb->usage : "no argument");
        error_hint(&err, "flowforge %s --help shows how", command);
    }
    for (size_t i = 0; s == OK && i < given; i++)
        call.operand[i] = operands.items[taken + i].p;
    if (s == OK)
        s = client_open(&call.client, settings.home, false, &err);
    if (s == OK)
        s = verb->run(&call, &err);
out:
    client_close(call.client);
    text_list_release(&operands);
    return s == OK ? 0 : command_failed(&err);
}

int command_pipelines(const struct app *app, int argc, char **argv)
{
    (void)app;
    return run_verb("pipelines", argc, argv);
}

int command_job(const struct app *app, int argc, char **argv)
{
    (void)app;
    return run_verb("job", argc, argv);
}

int command_runs(const struct app *app, int argc, char **argv)
{
    (void)app;
    return run_verb("runs", argc, argv);
}

int command_catalog(const struct app *app, int argc, char **argv)
{
    (void)app;
    return run_verb("catalog", argc, argv);
}

int command_token(const struct app *app, int argc, char **argv)
{
    (void)app;
    return run_verb("token", argc, argv);
}
