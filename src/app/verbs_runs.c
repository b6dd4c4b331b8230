/* flowforge runs. */
#include "app/verb.h"

#include <stdio.h>

#include "app/print.h"
#include "app/run_watch.h"

status verb_runs_list(struct verb_call *call, struct error *err)
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
        snprintf(after, sizeof after, "/runs?limit=%llu", verb_limit(call));
        s = client_path(&path, "/api/workflows/", call->operand[0], after, err);
    } else {
        s = buf_printf(&path, err, "/api/runs?limit=%llu", verb_limit(call));
        if (s == OK)
            s = buf_append(&path, "", 1, err);
    }
    if (s == OK)
        s = verb_list(call, (const char *)path.data, columns, ARRAY_LENGTH(columns), err);
    buf_release(&path);
    return s;
}

/* The answer of one call on the run that the first operand names. */
static status run_call(const struct verb_call *call, const char *method, const char *after, json_t **answer,
                       struct error *err)
{
    struct buf path = {0};
    status s = client_path(&path, "/api/pipeline-runs/", call->operand[0], after, err);
    if (s == OK)
        s = client_call(call->client, method, (const char *)path.data, NULL, answer, err);
    buf_release(&path);
    return s;
}

static status run_print(const struct verb_call *call, const char *method, const char *after, struct error *err)
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

status verb_runs_show(struct verb_call *call, struct error *err)
{
    return run_print(call, "GET", "", err);
}

status verb_runs_cancel(struct verb_call *call, struct error *err)
{
    return run_print(call, "POST", "/cancel", err);
}

/* The new run is watched to its end, as flowforge run does. */
status verb_runs_retry(struct verb_call *call, struct error *err)
{
    const struct verb_settings *set = call->settings;
    const struct run_watch how = {.json = set->json, .quiet = set->quiet, .no_wait = set->no_wait};
    json_t *run = NULL;
    status s = run_watch_check(call->client, &how, err);
    if (s == OK)
        s = run_call(call, "POST", "/retry", &run, err);
    return s == OK ? run_watch(call->app, call->client, &how, run, &call->exit_code, err) : s;
}

/* Job run id -> name of the job. */
static status job_names(const struct verb_call *call, json_t **names, struct error *err)
{
    json_t *run = NULL, *found = json_object();
    size_t i;
    const json_t *job;
    status s = found ? run_call(call, "GET", "", &run, err) : error_no_memory(err, 1);
    json_array_foreach(json_object_get(run, "job_runs"), i, job)
    {
        if (s == OK)
            s = json_put_text(found, json_text(job, "id", ""), json_text(job, "job_name", ""), err);
    }
    json_decref(run);
    if (s == OK)
        *names = found;
    else
        json_decref(found);
    return s;
}

static status print_log_line(const json_t *line, const json_t *names, bool json, struct error *err)
{
    if (!json) {
        printf("%s  %-7s  %s: %s\n", json_text(line, "time", ""), json_text(line, "level", ""),
               json_text(names, json_text(line, "job_run_id", ""), "run"), json_text(line, "message", ""));
        return OK;
    }
    return json_dumpf(line, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF
               ? OK
               : error_set(err, ERR_IO, "cannot write to standard output");
}

/* All of a log, page by page; with --json one object a line. */
status verb_runs_log(struct verb_call *call, struct error *err)
{
    long long after_id = 0;
    size_t count = 1;
    json_t *names = NULL;
    status s = job_names(call, &names, err);
    while (s == OK && count > 0) {
        char after[64];
        json_t *answer = NULL;
        size_t i;
        const json_t *line;
        snprintf(after, sizeof after, "/log?limit=500&after=%lld", after_id);
        s = run_call(call, "GET", after, &answer, err);
        const json_t *items = json_object_get(answer, "items");
        count = json_array_size(items);
        json_array_foreach(items, i, line)
        {
            after_id = json_int(line, "id", after_id);
            if (s == OK)
                s = print_log_line(line, names, call->settings->json, err);
        }
        json_decref(answer);
    }
    json_decref(names);
    return s;
}
