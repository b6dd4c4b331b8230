/* What the server starts for every job: the payload comes on standard input, events or one answer go to standard output
 * (docs/pipelines.md 4). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "app/command.h"
#include "job/connection_task.h"
#include "job/report_json.h"
#include "job/task.h"
#include "sys/file.h"

#define PAYLOAD_MOST ((size_t)1 << 30)
#define PAYLOAD_STEP ((size_t)1 << 16)

typedef status run_task(const struct task *task, json_t **result, const char **outcome, struct error *err);
typedef status answer_task(const struct task *task, json_t **answer, struct error *err);

static const struct {
    const char *kind;
    run_task *run;
} kinds[] = {{"ingest", ingest_job_run}, {"dataset", dataset_job_run}};

static const struct {
    const char *name;
    answer_task *answer;
    const char *summary;
} answers[] = {
    {"preview", ingest_preview, "how an ingest job's input would be read"},
    {"plan", ingest_plan, "what an ingest job's run would take"},
    {"explain", dataset_explain, "the columns of a dataset job's SQL, or what is wrong with it"},
    {"preview-dataset", dataset_preview, "the first rows of a dataset job's SQL"},
    {"sample", dataset_sample, "some rows of files"},
    {"test-connection", connection_test, "whether a connection works, step by step"},
    {"tables", connection_tables, "schemas, tables and columns of a database"},
};

static void print_help(void)
{
    puts("Usage: flowforge task NAME < PAYLOAD\n\n"
         "For the server, which starts it for every job; people use flowforge run. The payload is one JSON document;\n"
         "docs/pipelines.md describes it, and what is answered.\n\nNames:\n"
         "  run              run a job; events go to standard output as JSON lines");
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
        printf("  %-16s %s\n", answers[i].name, answers[i].summary);
}

/* ---- in ---- */

static status read_payload(json_t **payload, struct error *err)
{
    struct buf text = {0};
    status s = OK;
    for (;;) {
        s = text.len > PAYLOAD_MOST ? error_set(err, ERR_TOO_LARGE, "the payload is larger than 1 GiB")
                                    : buf_reserve(&text, PAYLOAD_STEP, err);
        if (s != OK)
            break;
        ssize_t n = read(STDIN_FILENO, text.data + text.len, PAYLOAD_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            s = error_set_errno(err, errno, "cannot read the payload");
        if (n <= 0)
            break;
        text.len += (size_t)n;
    }
    if (s == OK)
        s = json_parse((const char *)text.data, text.len, "payload", payload, err);
    if (s == OK && !json_is_object(*payload)) {
        json_decref(*payload);
        *payload = NULL;
        s = error_set(err, ERR_INVALID, "payload: an object is wanted");
    }
    buf_release(&text);
    return s;
}

/* ---- out ---- */

/* Move a member of the result up into `finished`; `fallback` (stolen) when it is not there. */
static status raise_member(json_t *result, const char *key, json_t *members, json_t *fallback, struct error *err)
{
    json_t *value = json_object_get(result, key);
    if (!value)
        return json_put(members, key, fallback, err);
    json_decref(fallback);
    status s = json_put(members, key, json_incref(value), err);
    json_object_del(result, key);
    return s;
}

/* Steals the result. */
static status write_finished(struct task_events *events, const char *outcome, json_t *result,
                             const struct error *failure, struct error *err)
{
    json_t *members = json_object();
    status s = members ? json_put_text(members, "outcome", outcome, err) : error_no_memory(err, 64);
    if (s == OK && failure)
        s = json_put(members, "error", report_error(failure), err);
    if (s == OK)
        s = raise_member(result, "rejects", members, json_array(), err);
    if (s == OK && result && !failure)
        s = json_put(members, "result", json_incref(result), err);
    json_decref(result);
    if (s == OK)
        return task_event(events, "finished", members, err);
    json_decref(members);
    return s;
}

/* What a library or a server says about a failure may quote what it was given. */
static void scrub(const struct task *task, struct error *failure)
{
    connection_scrub(task->payload, failure->message);
    connection_scrub(task->payload, failure->hint);
}

static status write_answer(struct task_events *events, const json_t *answer, struct error *err)
{
    struct buf text = {0};
    status s = json_write(answer, &text, err);
    if (s == OK)
        s = buf_append(&text, "\n", 1, err);
    if (s == OK)
        s = file_write_all(events->fd, text.data, text.len, "standard output", err);
    buf_release(&text);
    return s;
}

/* ---- the tasks ---- */

static status run_kind(const struct task *task, json_t **result, const char **outcome, struct error *err)
{
    const char *kind = json_text(task->payload, "kind", "");
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].run(task, result, outcome, err);
    return error_set(err, ERR_INVALID, "payload: kind '%.60s' is neither ingest nor dataset", kind);
}

/* 0 once `finished` is written, whatever the outcome. */
static int run(struct task *task)
{
    struct error failure = {0}, err = {0};
    json_t *payload = NULL, *result = NULL;
    const char *outcome = "failed";
    status s = task_event(task->events, "started", NULL, &err);
    if (s != OK)
        return command_failed(&err);
    status done = read_payload(&payload, &failure);
    task->payload = payload;
    if (done == OK)
        done = run_kind(task, &result, &outcome, &failure);
    scrub(task, &failure);
    if (done != OK)
        outcome = done == ERR_CANCELLED ? "cancelled" : "failed";
    s = write_finished(task->events, outcome, result, done == OK ? NULL : &failure, &err);
    if (s == ERR_LIMIT && done == OK) { /* the result is too large to be told: that can be */
        failure = err;
        s = write_finished(task->events, "failed", NULL, &failure, &err);
    }
    json_decref(payload);
    return s == OK ? 0 : command_failed(&err);
}

static int answer(struct task *task, answer_task *make)
{
    struct error failure = {0}, err = {0};
    json_t *payload = NULL, *made = NULL;
    status done = read_payload(&payload, &failure), s = OK;
    task->payload = payload;
    if (done == OK)
        done = make(task, &made, &failure);
    scrub(task, &failure);
    if (done != OK) {
        json_t *why = report_error(&failure), *errors = json_object_get(made, "errors");
        if (errors)
            report_put(why, "errors", json_incref(errors));
        json_decref(made);
        made = json_pack("{s:o}", "error", why);
        if (!made)
            s = error_no_memory(&err, 64);
    }
    if (s == OK)
        s = write_answer(task->events, made, &err);
    json_decref(made);
    json_decref(payload);
    if (s != OK)
        return command_failed(&err);
    return done == OK ? 0 : status_exit_code(done);
}

/* Events have a descriptor of their own, so that nothing that a library prints can come between them. */
static int claim_output(struct error *err)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        error_set_errno(err, errno, "cannot write to standard output");
    return fd;
}

int command_task(const struct app *app, int argc, char **argv)
{
    struct error err = {0};
    struct task_events events;
    struct task task = {.events = &events, .cancel = app->cancel};
    answer_task *make = NULL;
    const char *name = argc == 1 ? argv[0] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help();
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
        if (strcmp(answers[i].name, name) == 0)
            make = answers[i].answer;
    if (!make && strcmp(name, "run") != 0) {
        error_set(&err, ERR_USAGE, "the name of one task is wanted");
        error_hint(&err, "flowforge task --help lists them");
        return command_failed(&err);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* without the server nobody would commit what comes out */
    int fd = claim_output(&err);
    if (err.code != OK)
        return command_failed(&err);
    task_events_init(&events, fd);
    int code = make ? answer(&task, make) : run(&task);
    task_events_release(&events);
    file_close(fd);
    return code;
}
