/* What follows once a round's transaction is durable: tell, go on with each job's step, forget what is over. */
#include <stdlib.h>

#include "orchestrate/engine_state.h"
#include "sys/clock.h"

static void tell(struct engine *engine, const char *run_id, const char *event, const json_t *data)
{
    if (engine->options.observe)
        engine->options.observe(engine->options.observer, run_id, event, data);
}

static void tell_log(struct engine *engine, struct pipeline_run *run)
{
    while (run->log) {
        struct log_line *line = run->log;
        char time[TIME_TEXT_CAP];
        time_text(line->time, time);
        json_t *data = engine->options.observe
                           ? json_pack("{s:I, s:s, s:s, s:s, s:s, s:s?}", "id", (json_int_t)line->id, "time", time,
                                       "level", line->level, "message", line->message, "pipeline_run_id", run->id,
                                       "job_run_id", line->job ? line->job->id : NULL)
                           : NULL;
        if (data)
            tell(engine, run->id, "log", data);
        json_decref(data);
        run->log = line->next;
        free(line);
    }
    run->log_end = &run->log;
    run->log_bytes = 0;
    run->log_overrun = false;
}

static void tell_rows(struct engine *engine, const json_t *rows)
{
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *of = json_text(row, "pipeline_run_id", NULL);
        tell(engine, of ? of : json_text(row, "id", ""), "state", row);
    }
}

void job_start_child(struct engine *engine, struct job_run *job)
{
    struct error err = {0};
    job->step = STEP_NONE;
    if (child_start(engine, job->child, &err) == OK)
        return;
    run_error_set(&job->error, &err);
    child_release(engine, job->child);
    job_failed(engine, job, RUN_FAIL, status_retryable(err.code));
}

/* The job's step is durable: what is next? */
static void step_on(struct engine *engine, struct job_run *job, double now)
{
    switch (job->step) {
    case STEP_START:
        job_start_child(engine, job);
        break;
    case STEP_COMMIT:
        job->step = STEP_PUBLISH;
        job->step_tries = 0;
        job_publish(engine, job, now);
        break;
    case STEP_PUBLISHED:
    case STEP_UNDO:
        json_decref(job->result);
        json_decref(job->files);
        job->result = job->files = NULL;
        job->step = STEP_NONE;
        break;
    case STEP_NONE:
    case STEP_PUBLISH:
        break;
    }
}

static bool is_over(const struct pipeline_run *run)
{
    bool over = run_state_terminal(run->state) && !run->dirty && !run->log;
    for (size_t i = 0; over && i < run->job_count; i++)
        over = !run->jobs[i].dirty && run->jobs[i].step == STEP_NONE;
    return over;
}

static void forget_ended(struct engine *engine)
{
    struct pipeline_run **at = &engine->runs;
    while (*at) {
        struct pipeline_run *run = *at;
        if (is_over(run)) {
            *at = run->next;
            pipeline_run_free(run);
            housekeeper_run_ended(engine->housekeeper);
        } else {
            at = &run->next;
        }
    }
    engine->runs_end = at;
}

void engine_written(struct engine *engine, const json_t *rows, double now)
{
    if (engine->write_failures)
        engine_log(engine, "info", "the metadata database takes what the engine writes again, after %u failed tries",
                   engine->write_failures);
    engine->write_failures = 0;
    engine->write_at = engine->log_at = 0;
    tell_rows(engine, rows);
    for (struct pipeline_run *run = engine->runs; run; run = run->next) {
        tell_log(engine, run);
        run->dirty = false;
        for (size_t i = 0; i < run->job_count; i++) {
            struct job_run *job = &run->jobs[i];
            job->dirty = false;
            if (!job->refusal && job->state != RUN_RUNNING && job->state != RUN_CANCELLING)
                job->pinned = false;
        }
    }
    for (struct pipeline_run *run = engine->runs; run; run = run->next)
        for (size_t i = 0; i < run->job_count; i++) {
            if (run->jobs[i].refusal)
                job_refused(engine, &run->jobs[i]);
            else
                step_on(engine, &run->jobs[i], now);
        }
    forget_ended(engine);
}
