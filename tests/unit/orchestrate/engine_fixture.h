/* A home with a store and an engine whose children are this very test program: `<program> task run` plays what the
 * job's script says. A real process, real pipes, real files; only the work is short. */
#ifndef TESTS_UNIT_ORCHESTRATE_ENGINE_FIXTURE_H
#define TESTS_UNIT_ORCHESTRATE_ENGINE_FIXTURE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

#include "orchestrate/engine.h"
#include "store/store_lake.h"
#include "sys/clock.h"

static void child_say(json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);
    printf("%s\n", text);
    fflush(stdout);
    free(text);
    json_decref(event);
}

static void child_fail(const char *code, const char *message)
{
    child_say(json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:[]}", "event", "finished", "outcome", "failed", "error",
                        "code", code, "message", message, "hint", "", "rejects"));
}

/* One file of one byte in staging, and the result that tells of it. */
static void child_complete(const json_t *payload, int64_t rows_read)
{
    const json_t *target = json_object_get(payload, "target");
    const char *staging = json_text(payload, "staging", "");
    char path[600], name[300];
    snprintf(path, sizeof path, "%s", staging);
    char *slash = strrchr(path, '/');
    *slash = 0;
    mkdir(path, 0777);
    mkdir(staging, 0777);
    snprintf(path, sizeof path, "%s/out.parquet", staging);
    FILE *f = fopen(path, "w");
    if (!f || fputs("x", f) < 0 || fclose(f) != 0)
        exit(9);
    snprintf(name, sizeof name, "%s/%s-%lld.parquet", json_text(target, "folder", ""), json_text(payload, "run_id", ""),
             (long long)json_int(payload, "attempt", 0));
    json_t *file =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:n}", "layer", json_text(target, "layer", ""), "path", name,
                  "staged", "out.parquet", "partition", "", "rows", 1, "bytes", 1, "format", "parquet", "source_uri");
    json_t *rows = json_pack("{s:I, s:i, s:i, s:i, s:i, s:i}", "read", (json_int_t)rows_read, "written", 1, "rejected",
                             0, "deduped", 0, "filtered", 0, "replaced", 0);
    json_t *schema =
        json_pack("[{s:s, s:s, s:b, s:s}]", "name", "a", "type", "bigint", "nullable", 1, "source_name", "a");
    json_t *result = json_pack("{s:o, s:i, s:i, s:o, s:[o], s:[], s:b, s:n, s:[], s:{}, s:[], s:i}", "rows", rows,
                               "bytes_in", 7, "bytes_out", 1, "schema", schema, "files", file, "removes", "replace_all",
                               1, "watermark", "ledger", "rejects_by_code", "warnings", "skipped_files", 0);
    child_say(json_pack("{s:s, s:s, s:o}", "event", "finished", "outcome", "completed", "result", result));
}

static void child_huge(void)
{
    char *block = malloc(1 << 20);
    memset(block, 'x', 1 << 20);
    for (int i = 0; i < 66; i++)
        fwrite(block, 1, 1 << 20, stdout);
    free(block);
}

static void child_log(const char *message)
{
    child_say(json_pack("{s:s, s:s, s:s, s:I}", "event", "log", "level", "info", "message", message, "time",
                        (json_int_t)1764064800000000));
}

static void child_play(const json_t *payload, const char *script)
{
    int64_t attempt = json_int(payload, "attempt", 0);
    if (strcmp(script, "complete") == 0) {
        child_complete(payload, 1);
    } else if (strcmp(script, "skip") == 0) {
        child_say(json_pack("{s:s, s:s, s:{}}", "event", "finished", "outcome", "skipped", "result"));
    } else if (strcmp(script, "slow") == 0) {
        usleep(300000);
        child_complete(payload, 1);
    } else if (strcmp(script, "absurd") == 0) {
        usleep(100000);
        child_complete(payload, 1);
    } else if (strcmp(script, "unequal") == 0) {
        child_complete(payload, 5);
    } else if (strcmp(script, "vanish") == 0) {
        char path[600];
        child_complete(payload, 1);
        snprintf(path, sizeof path, "%s/out.parquet", json_text(payload, "staging", ""));
        unlink(path);
    } else if (strcmp(script, "fail") == 0) {
        child_fail("bad_data", "line 3 is not CSV");
    } else if (strcmp(script, "fail_once") == 0 && attempt == 1) {
        child_fail("io", "the disk was away");
    } else if (strcmp(script, "fail_once") == 0) {
        child_complete(payload, 1);
    } else if (strcmp(script, "fail_then_crash") == 0 && attempt == 1) {
        child_fail("io", "the disk was away");
    } else if (strcmp(script, "crash") == 0 || strcmp(script, "fail_then_crash") == 0) {
        fputs("the stack was here\n", stderr);
        fflush(stderr);
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    } else if (strcmp(script, "hang") == 0) {
        signal(SIGTERM, SIG_IGN);
        child_log("hanging");
        for (;;)
            pause();
    } else if (strcmp(script, "garbage") == 0) {
        puts("this is not JSON");
        fflush(stdout);
        pause();
    } else if (strcmp(script, "huge") == 0) {
        child_huge();
    } else if (strcmp(script, "silent") == 0) {
        fputs("I had nothing to say\n", stderr);
    } else if (strcmp(script, "chatty") == 0) {
        for (int i = 0; i < 200; i++)
            child_log("a line");
        child_say(json_pack("{s:s, s:i, s:i}", "event", "progress", "rows", 41, "bytes", 43));
        child_complete(payload, 1);
    } else {
        exit(8);
    }
}

static int child_main(void)
{
    json_t *payload = json_loadf(stdin, JSON_REJECT_DUPLICATES, NULL);
    const json_t *job = json_object_get(payload, "job");
    const char *script = json_text(json_object_get(job, "config"), "script", json_text(job, "sql", ""));
    child_say(json_pack("{s:s}", "event", "started"));
    child_play(payload, script);
    json_decref(payload);
    return 0;
}

#define LOGGED_MOST 64

static struct {
    pthread_mutex_t log_lock;
    char *logged[LOGGED_MOST]; /* "level: message" */
    size_t logged_count;
    char home[64];
    char program[512];
    struct store *store;
    struct engine *engine;
    char pipeline[40];
    atomic_int states, logs, progresses;
} lab;

static void lab_observe(void *self, const char *run, const char *event, const json_t *data)
{
    (void)self;
    assert_non_null(run);
    assert_true(json_is_object(data));
    atomic_fetch_add(strcmp(event, "state") == 0 ? &lab.states
                     : strcmp(event, "log") == 0 ? &lab.logs
                                                 : &lab.progresses,
                     1);
}

static void lab_log(void *self, const char *level, const char *message)
{
    (void)self;
    pthread_mutex_lock(&lab.log_lock);
    assert_true(lab.logged_count < LOGGED_MOST);
    assert_true(asprintf(&lab.logged[lab.logged_count++], "%s: %s", level, message) > 0);
    pthread_mutex_unlock(&lab.log_lock);
}

/* How many messages of the engine begin with the level and hold the text. */
static int lab_logged(const char *level, const char *part)
{
    int found = 0;
    pthread_mutex_lock(&lab.log_lock);
    for (size_t i = 0; i < lab.logged_count; i++)
        found += strncmp(lab.logged[i], level, strlen(level)) == 0 && strstr(lab.logged[i], part) != NULL;
    pthread_mutex_unlock(&lab.log_lock);
    return found;
}

static void lab_open_engine(size_t parallel)
{
    struct error err;
    const struct engine_options options = {.store = lab.store,
                                           .home = lab.home,
                                           .program = lab.program,
                                           .max_parallel_jobs = parallel,
                                           .task_memory = 256 << 20,
                                           .garbage_grace_seconds = 600,
                                           .observe = lab_observe,
                                           .log = lab_log};
    if (engine_create(&lab.engine, &options, &err) != OK)
        fail_msg("%s", err.message);
}

static struct db *lab_writer(void)
{
    struct db *db;
    struct error err;
    assert_int_equal(store_writer(lab.store, &db, &err), OK);
    return db;
}

static int lab_open(void **state)
{
    char path[100];
    struct error err;
    (void)state;
    memset(&lab, 0, sizeof lab);
    pthread_mutex_init(&lab.log_lock, NULL);
    strcpy(lab.home, "/tmp/ff-engine-XXXXXX");
    assert_non_null(mkdtemp(lab.home));
    ssize_t n = readlink("/proc/self/exe", lab.program, sizeof lab.program - 1);
    assert_true(n > 0);
    snprintf(path, sizeof path, "%s/flowforge.db", lab.home);
    if (store_open(&lab.store, path, &err) != OK)
        fail_msg("%s", err.message);
    struct db *db = lab_writer();
    json_t *record = json_pack("{s:s}", "name", "Test");
    if (pipeline_create(db, record, &err) != OK)
        fail_msg("%s", err.message);
    snprintf(lab.pipeline, sizeof lab.pipeline, "%s", json_text(record, "id", ""));
    json_decref(record);
    store_give_back(lab.store, db);
    lab_open_engine(4);
    return 0;
}

static int lab_close(void **state)
{
    char command[100];
    (void)state;
    engine_free(lab.engine, false);
    store_close(lab.store);
    while (lab.logged_count)
        free(lab.logged[--lab.logged_count]);
    pthread_mutex_destroy(&lab.log_lock);
    snprintf(command, sizeof command, "rm -rf %s", lab.home);
    return system(command);
}

static json_t *ingest(const char *name, const char *script)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:i}", "name", name, "source_type", "file_local", "format",
                     "csv", "dataset", name, "compression", "snappy", "config", "script", script, "retry_delay_seconds",
                     0);
}

static json_t *dataset(const char *name, const char *layer, const char *script, const char *input)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:i}", "name", name, "layer", layer, "dataset", name, "sql",
                     script, "inputs", "alias", "i", "dataset", input, "retry_delay_seconds", 0);
}

static json_t *with_int(json_t *record, const char *key, int64_t n)
{
    assert_int_equal(json_object_set_new(record, key, json_integer(n)), 0);
    return record;
}

static json_t *with_true(json_t *record, const char *key)
{
    assert_int_equal(json_object_set_new(record, key, json_true()), 0);
    return record;
}

/* Saves the job; gives its id (static text, of the last four). */
static const char *save(enum job_kind kind, json_t *record)
{
    static char ids[4][40];
    static int turn;
    struct error err;
    struct db *db = lab_writer();
    if (job_create(db, kind, lab.pipeline, record, &err) != OK)
        fail_msg("%s", err.message);
    char *id = ids[turn++ & 3];
    snprintf(id, sizeof ids[0], "%s", json_text(record, "id", ""));
    json_decref(record);
    store_give_back(lab.store, db);
    return id;
}

static status try_start(const struct run_request *request, json_t **run, json_t **problems)
{
    struct error err;
    bool existing;
    return engine_start(lab.engine, request, run, &existing, problems, &err);
}

static json_t *start_all(void)
{
    json_t *run = NULL, *problems = NULL;
    struct error err;
    bool existing;
    const struct run_request request = {.pipeline_id = lab.pipeline, .trigger = "manual"};
    if (engine_start(lab.engine, &request, &run, &existing, &problems, &err) != OK)
        fail_msg("%s", err.message);
    return run;
}

static const char *run_id(const json_t *run)
{
    return json_text(run, "id", "");
}

/* The pipeline run with "job_runs". */
static json_t *read_run(const char *id)
{
    struct db *db;
    struct error err;
    json_t *run = NULL, *jobs = NULL;
    assert_int_equal(store_reader(lab.store, &db, &err), OK);
    assert_int_equal(record_get(db, &pipeline_runs_table, id, &run, &err), OK);
    assert_int_equal(job_runs_of(db, id, false, &jobs, &err), OK);
    store_give_back(lab.store, db);
    json_object_set_new(run, "job_runs", jobs);
    return run;
}

static json_t *wait_for(const char *id, const char *state_type, double seconds)
{
    double end = clock_seconds() + seconds;
    for (;;) {
        json_t *run = read_run(id);
        if (strcmp(json_text(run, "state_type", ""), state_type) == 0)
            return run;
        if (clock_seconds() > end) {
            char *text = json_dumps(run, JSON_INDENT(1));
            print_message("%s\n", text);
            free(text);
            fail_msg("not %s after %g seconds", state_type, seconds);
        }
        json_decref(run);
        usleep(5000);
    }
}

static const json_t *job_run(const json_t *run, const char *name)
{
    size_t i;
    const json_t *job;
    json_array_foreach(json_object_get(run, "job_runs"), i,
                       job) if (strcmp(json_text(job, "job_name", ""), name) == 0) return job;
    fail_msg("no job run of '%s'", name);
    return NULL;
}

static void assert_state(const json_t *run, const char *name, const char *state_name, const char *error_code)
{
    const json_t *job = job_run(run, name);
    assert_string_equal(json_text(job, "state_name", ""), state_name);
    assert_string_equal(json_text(json_object_get(job, "error"), "code", ""), error_code);
}

#endif
