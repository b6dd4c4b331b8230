/* Runs in memory: making, showing, moving from state to state. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "orchestrate/engine_state.h"
#include "sys/clock.h"

int64_t engine_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void run_error_set(struct run_error *into, const struct error *err)
{
    run_error_format(into, status_slug(err->code), err->hint, "%s", err->message);
}

/* It may have been cut. */
static void drop_last_character(char *text)
{
    size_t n = strlen(text);
    while (n && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
        n--;
    text[n ? n - 1 : 0] = 0;
}

void run_error_format(struct run_error *into, const char *code, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(into->message, sizeof into->message, format, args);
    va_end(args);
    if (n >= (int)sizeof into->message)
        drop_last_character(into->message);
    snprintf(into->code, sizeof into->code, "%s", code);
    snprintf(into->hint, sizeof into->hint, "%.*s", (int)str_utf8_prefix(str_of(hint), sizeof into->hint - 1), hint);
}

static void job_run_init(struct job_run *job, struct pipeline_run *run, json_t *config, enum job_kind kind)
{
    job->run = run;
    job->kind = kind;
    job->config = json_incref(config);
    job->job_id = json_text(config, "id", "");
    job->job_name = json_text(config, "name", "");
    job->state = RUN_PENDING;
    job->state_name = run_state_name(RUN_PENDING);
    job->created_at = run->created_at;
    id_make(job->id);
}

status pipeline_run_make(struct pipeline_run **run, json_t *pipeline, bool whole, struct graph *graph,
                         json_t *const *configs, const enum job_kind *kinds, struct error *err)
{
    struct pipeline_run *made = calloc(1, sizeof *made);
    if (made)
        made->jobs = calloc(graph->job_count + 1, sizeof *made->jobs);
    if (!made || !made->jobs) {
        free(made);
        return error_no_memory(err, graph->job_count * sizeof(struct job_run));
    }
    id_make(made->id);
    made->pipeline = json_incref(pipeline);
    made->pipeline_id = json_text(pipeline, "id", "");
    made->whole = whole;
    made->created_at = engine_now();
    made->state = RUN_PENDING;
    made->state_name = run_state_name(RUN_PENDING);
    made->log_end = &made->log;
    made->job_count = made->open = graph->job_count;
    int64_t most = json_int(pipeline, "max_parallel_jobs", 0);
    made->max_parallel = most > 0 ? (size_t)most : 0;
    for (size_t i = 0; i < made->job_count; i++)
        job_run_init(&made->jobs[i], made, configs[i], kinds[i]);
    made->graph = *graph;
    *graph = (struct graph){0};
    for (size_t e = 0; e < made->graph.edge_count; e++)
        made->jobs[made->graph.edges[e].to].waits++;
    *run = made;
    return OK;
}

void pipeline_run_free(struct pipeline_run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->job_count; i++) {
        struct job_run *job = &run->jobs[i];
        json_decref(job->config);
        json_decref(job->result);
        json_decref(job->files);
        json_decref(job->report);
        free(job->payload);
        free(job->refusal);
    }
    while (run->log) {
        struct log_line *line = run->log;
        run->log = line->next;
        free(line);
    }
    graph_release(&run->graph);
    json_decref(run->pipeline);
    free(run->jobs);
    free(run);
}

static status put_time(json_t *record, const char *key, int64_t micros, struct error *err)
{
    char text[TIME_TEXT_CAP];
    if (micros)
        time_text(micros, text);
    return json_put_text(record, key, micros ? text : NULL, err);
}

status pipeline_run_json(const struct pipeline_run *run, json_t **record, struct error *err)
{
    json_t *row = json_object();
    if (!row)
        return error_no_memory(err, sizeof *run);
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"jobs_total", (int64_t)run->job_count},
                   {"jobs_completed", (int64_t)run->completed},
                   {"jobs_failed", (int64_t)run->failed},
                   {"rows_written", run->rows_written}};
    status s = json_put_text(row, "id", run->id, err);
    if (s == OK)
        s = json_put_text(row, "pipeline_id", run->pipeline_id, err);
    if (s == OK)
        s = json_put_text(row, "kind", run->whole ? "pipeline" : "job", err);
    if (s == OK)
        s = json_put_text(row, "state_type", run_state_type(run->state), err);
    if (s == OK)
        s = json_put_text(row, "state_name", run->state_name, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(numbers); i++)
        s = json_put_int(row, numbers[i].key, numbers[i].value, err);
    if (s == OK)
        s = put_time(row, "created_at", run->created_at, err);
    if (s == OK)
        s = put_time(row, "started_at", run->started_at, err);
    if (s == OK)
        s = put_time(row, "ended_at", run->ended_at, err);
    if (s == OK)
        *record = row;
    else
        json_decref(row);
    return s;
}

static status put_error(json_t *row, const struct run_error *error, struct error *err)
{
    if (!error->code[0])
        return json_put(row, "error", json_null(), err);
    json_t *object = json_pack("{s:s, s:s, s:s}", "code", error->code, "message", error->message, "hint", error->hint);
    if (!object) /* a message that is not UTF-8 */
        object = json_pack("{s:s, s:s, s:s}", "code", error->code, "message",
                           "the message of this error is not text; see the log", "hint", "");
    return json_put(row, "error", object, err);
}

status job_run_json(const struct job_run *job, json_t **record, struct error *err)
{
    json_t *row = json_object();
    if (!row)
        return error_no_memory(err, sizeof *job);
    const struct {
        const char *key, *value;
    } texts[] = {{"id", job->id},
                 {"kind", job->kind == JOB_INGEST ? "ingest" : "dataset"},
                 {"pipeline_run_id", job->run->id},
                 {"pipeline_id", job->run->pipeline_id},
                 {"job_id", job->job_id},
                 {"job_name", job->job_name},
                 {"state_type", run_state_type(job->state)},
                 {"state_name", job->state_name}};
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"attempt", (int64_t)job->attempt},  {"rows_read", job->seen.read},
                   {"rows_written", job->seen.written}, {"rows_rejected", job->seen.rejected},
                   {"rows_deduped", job->seen.deduped}, {"rows_filtered", job->seen.filtered},
                   {"bytes_in", job->seen.bytes_in}};
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(texts); i++)
        s = json_put_text(row, texts[i].key, texts[i].value, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(numbers); i++)
        s = json_put_int(row, numbers[i].key, numbers[i].value, err);
    if (s == OK)
        s = put_error(row, &job->error, err);
    if (s == OK)
        s = put_time(row, "created_at", job->created_at, err);
    if (s == OK)
        s = put_time(row, "scheduled_at", job->scheduled_at, err);
    if (s == OK)
        s = put_time(row, "started_at", job->started_at, err);
    if (s == OK)
        s = put_time(row, "ended_at", job->ended_at, err);
    if (s == OK)
        *record = row;
    else
        json_decref(row);
    return s;
}

static const char *known_level(const char *level)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++)
        if (strcmp(levels[i], level) == 0)
            return levels[i];
    return "info";
}

void run_log(struct engine *engine, struct pipeline_run *run, const struct job_run *job, int64_t time,
             const char *level, const char *message)
{
    if (run->log_count > LOG_LINES_MOST)
        return;
    if (++run->log_count > LOG_LINES_MOST) {
        level = "warning";
        message = "this run has written 100000 log lines; further ones are not kept";
    }
    /* Faster than the database takes them, or it takes none now. */
    if (run->log_bytes > LOG_WAITING_MOST) {
        if (run->log_overrun)
            return;
        run->log_overrun = true;
        level = "warning";
        message = "log lines came faster than they could be written; some are left out here";
    }
    size_t length = str_utf8_prefix(str_of(message), LOG_MESSAGE_MOST);
    run->log_bytes += sizeof(struct log_line) + length;
    struct log_line *line = malloc(sizeof *line + length + 1);
    if (!line)
        return; /* a run is worth more than a line of its log */
    *line = (struct log_line){.job = job, .time = time, .level = known_level(level)};
    memcpy(line->message, message, length);
    line->message[length] = 0;
    *run->log_end = line;
    run->log_end = &line->next;
    if (!engine->log_at)
        engine->log_at = clock_seconds() + LOG_SECONDS;
}

static void leave_active(struct engine *engine, struct job_run *job)
{
    struct job_run **at = &engine->active;
    while (*at != job)
        at = &(*at)->active_next;
    *at = job->active_next;
    job->run->running--;
}

static bool is_active(enum run_state state)
{
    return state == RUN_RUNNING || state == RUN_CANCELLING;
}

/* Tell the jobs behind it. */
static void release_dependents(struct job_run *job)
{
    struct pipeline_run *run = job->run;
    size_t index = (size_t)(job - run->jobs);
    for (size_t e = run->graph.first_edge[index]; e < run->graph.first_edge[index + 1]; e++) {
        struct job_run *to = &run->jobs[run->graph.edges[e].to];
        to->waits--;
        if (run->graph.edges[e].needed && job->state != RUN_COMPLETED)
            to->upstream = job;
    }
}

static void count_ended(struct job_run *job)
{
    struct pipeline_run *run = job->run;
    run->open--;
    run->completed += job->state == RUN_COMPLETED;
    run->failed += job->state == RUN_FAILED || job->state == RUN_CRASHED;
    run->crashed += job->state == RUN_CRASHED;
    run->with_rejects += job->state == RUN_COMPLETED && job->has_rejects;
    run->dirty = true;
}

bool job_event(struct engine *engine, struct job_run *job, enum run_event event, const char *name)
{
    enum run_state to, from = job->state;
    if (!run_state_next(from, event, &to))
        return false;
    job->state = to;
    job->state_name = name ? name : run_state_name(to);
    job->dirty = true;
    if (!is_active(from) && is_active(to)) {
        job->active_next = engine->active;
        engine->active = job;
        job->run->running++;
    } else if (is_active(from) && !is_active(to)) {
        leave_active(engine, job);
    }
    if (event == RUN_START) {
        job->attempt++;
        job->scheduled_at = job->ended_at = 0;
        job->started_at = engine_now();
        if (!job->run_time)
            job->run_time = job->started_at;
    }
    if (run_state_terminal(to)) {
        job->ended_at = engine_now();
        engine->again = true;
        count_ended(job);
        release_dependents(job);
    }
    return true;
}

bool pipeline_event(struct pipeline_run *run, enum run_event event, const char *name)
{
    enum run_state to;
    if (!run_state_next(run->state, event, &to))
        return false;
    run->state = to;
    run->state_name = name ? name : run_state_name(to);
    run->dirty = true;
    if (event == RUN_START)
        run->started_at = engine_now();
    if (run_state_terminal(to))
        run->ended_at = engine_now();
    return true;
}
