/* What may start now, what cannot start any more, which runs are over. Changes memory only. */
#include "orchestrate/engine_state.h"

/* Is a run of the same job going, or of one that makes an input of this one? */
static bool is_blocked(const struct engine *engine, const struct job_run *job)
{
    const json_t *inputs = job->kind == JOB_DATASET ? json_object_get(job->config, "inputs") : NULL;
    for (const struct job_run *other = engine->active; other; other = other->active_next) {
        if (strcmp(other->job_id, job->job_id) == 0)
            return true;
        size_t i;
        const json_t *input;
        const char *layer = other->kind == JOB_INGEST ? "bronze" : json_text(other->config, "layer", "");
        const char *name = json_text(other->config, "dataset", "");
        size_t layer_length = strlen(layer);
        json_array_foreach(inputs, i, input)
        {
            const char *full = json_text(input, "dataset", "");
            if (strncmp(full, layer, layer_length) == 0 && full[layer_length] == '.' &&
                strcmp(full + layer_length + 1, name) == 0)
                return true;
        }
    }
    return false;
}

static struct child *free_child(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.max_parallel_jobs; i++)
        if (!engine->children[i].job)
            return &engine->children[i];
    return NULL;
}

static void take_slot(struct engine *engine, struct job_run *job, struct child *child)
{
    if (!job_event(engine, job, RUN_START, NULL))
        return;
    child->job = job;
    job->child = child;
    job->step = STEP_START;
    job->seen = (struct job_counts){0};
    job->error = (struct run_error){0};
    job->has_rejects = false;
    if (job->report) { /* says nothing about what comes now */
        json_decref(job->report);
        job->report = json_null();
    }
    engine->children_busy++;
}

static void fail_upstream(struct engine *engine, struct job_run *job)
{
    run_error_format(&job->error, status_slug(ERR_UPSTREAM), "run the pipeline again once it works",
                     "job '%s' did not complete (%s), and this job needs what it makes", job->upstream->job_name,
                     job->upstream->state_name);
    job_event(engine, job, RUN_FAIL, "UpstreamFailed");
}

static void schedule_job(struct engine *engine, struct job_run *job, double now)
{
    struct pipeline_run *run = job->run;
    if ((job->state != RUN_PENDING && job->state != RUN_SCHEDULED) || job->step != STEP_NONE)
        return;
    if (job->upstream) {
        fail_upstream(engine, job);
        return;
    }
    bool full = engine->children_busy == engine->options.max_parallel_jobs ||
                (run->max_parallel && run->running >= run->max_parallel);
    if (job->waits || full || engine->stop_at > 0 || (job->state == RUN_SCHEDULED && job->retry_at > now) ||
        is_blocked(engine, job))
        return;
    take_slot(engine, job, free_child(engine));
    if (run->state == RUN_PENDING)
        pipeline_event(run, RUN_START, NULL);
}

static void end_run(struct pipeline_run *run)
{
    if (run->completed == run->job_count)
        pipeline_event(run, RUN_SUCCEED, run->with_rejects ? "CompletedWithRejects" : NULL);
    else if (run->cancelled || !run->failed) {
        if (run->state == RUN_RUNNING)
            pipeline_event(run, RUN_CANCEL, NULL);
        pipeline_event(run, run->state == RUN_CANCELLING ? RUN_STOPPED : RUN_CANCEL, NULL);
    } else
        pipeline_event(run, run->crashed ? RUN_CRASH : RUN_FAIL, NULL);
}

/* Does an older run of the whole pipeline still go? */
static bool is_behind(const struct engine *engine, const struct pipeline_run *run)
{
    for (const struct pipeline_run *older = engine->runs; run->whole && older != run; older = older->next)
        if (older->whole && !run_state_terminal(older->state) && strcmp(older->pipeline_id, run->pipeline_id) == 0)
            return true;
    return false;
}

void engine_schedule(struct engine *engine, double now)
{
    for (struct pipeline_run *run = engine->runs; run; run = run->next) {
        if (run_state_terminal(run->state) || (run->state == RUN_PENDING && !run->cancelled && is_behind(engine, run)))
            continue;
        /* A failure reaches its dependents' dependents in the next turn. */
        size_t open;
        do {
            open = run->open;
            for (size_t i = 0; i < run->job_count; i++)
                schedule_job(engine, &run->jobs[i], now);
        } while (run->open != open);
        if (!run->open)
            end_run(run);
    }
    engine->again = false;
}

double engine_next_retry(const struct engine *engine)
{
    double next = 0;
    for (const struct pipeline_run *run = engine->runs; run; run = run->next)
        for (size_t i = 0; i < run->job_count; i++) {
            const struct job_run *job = &run->jobs[i];
            double at = job->state == RUN_SCHEDULED ? job->retry_at : job->step == STEP_PUBLISH ? job->step_at : 0;
            if (at > 0 && (next == 0 || at < next))
                next = at;
        }
    return next;
}
