/* What a child says, line by line (docs/pipelines.md 4). */
#include <signal.h>

#include "orchestrate/engine_state.h"
#include "sys/clock.h"

static void on_nothing(struct engine *engine, struct child *child, json_t *event)
{
    (void)engine;
    (void)child;
    (void)event;
}

static void on_log(struct engine *engine, struct child *child, json_t *event)
{
    run_log(engine, child->job->run, child->job, json_int(event, "time", engine_now()),
            json_text(event, "level", "info"), json_text(event, "message", ""));
}

static void on_progress(struct engine *engine, struct child *child, json_t *event)
{
    struct job_run *job = child->job;
    struct pipeline_run *run = job->run;
    job->seen.read = json_int(event, "rows", job->seen.read);
    job->seen.bytes_in = json_int(event, "bytes", job->seen.bytes_in);
    double now = clock_seconds();
    if (!engine->options.observe || now < run->progress_at)
        return;
    run->progress_at = now + PROGRESS_SECONDS;
    if (json_put_text(event, "job_run_id", job->id, NULL) == OK &&
        json_put_text(event, "pipeline_run_id", run->id, NULL) == OK)
        engine->options.observe(engine->options.observer, run->id, "progress", event);
}

static void on_finished(struct engine *engine, struct child *child, json_t *event)
{
    (void)engine;
    json_decref(child->finished);
    child->finished = json_incref(event);
}

static const struct {
    const char *name;
    void (*take)(struct engine *engine, struct child *child, json_t *event);
} events[] = {
    {"started", on_nothing}, {"staged", on_nothing},    {"watermark", on_nothing},
    {"log", on_log},         {"progress", on_progress}, {"finished", on_finished},
};

static void refuse(struct child *child, const char *why, const char *line, size_t length)
{
    run_error_format(&child->protocol_error, status_slug(ERR_INTERNAL),
                     "see the run's log; this is a defect of FlowForge",
                     "the task's process broke the protocol: %s; the line begins with '%.*s'", why,
                     (int)str_utf8_prefix((struct str){line, length}, 80), line);
    process_signal(&child->process, SIGKILL);
}

void child_line(struct engine *engine, struct child *child, const char *line, size_t length)
{
    json_t *event = NULL;
    struct error err = {0};
    if (length > TASK_EVENT_MOST) {
        refuse(child, "an event is longer than 64 MiB", line, length);
        return;
    }
    if (!str_is_utf8((struct str){line, length})) {
        refuse(child, "an event is not UTF-8", "", 0);
        return;
    }
    if (json_parse(line, length, "event", &event, &err) != OK) {
        refuse(child, err.message, line, length);
        return;
    }
    const char *name = json_text(event, "event", "");
    size_t i = 0;
    while (i < ARRAY_LENGTH(events) && strcmp(events[i].name, name) != 0)
        i++;
    if (i < ARRAY_LENGTH(events))
        events[i].take(engine, child, event);
    else
        refuse(child, "it wrote an event that does not exist", line, length);
    json_decref(event);
}
