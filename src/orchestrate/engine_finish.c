/* How a job's attempt ends: committed and published, failed, tried again, cancelled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "lake/publish.h"
#include "orchestrate/commit.h"
#include "orchestrate/engine_state.h"
#include "store/store_lake.h"
#include "sys/clock.h"

#define PUBLISH_FIRST_SECONDS 0.2
#define PUBLISH_MOST_SECONDS 10.0

/* xorshift64*: only spreads retries. */
static double next_random(struct engine *engine)
{
    uint64_t x = engine->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    engine->random = x;
    return (double)((x * 0x2545F4914F6CDD1DULL) >> 11) * 0x1p-53;
}

static void log_error(struct engine *engine, struct job_run *job, const char *level, const char *begin)
{
    char text[sizeof job->error.message + 128];
    snprintf(text, sizeof text, "%s%s", begin, job->error.message);
    run_log(engine, job->run, job, engine_now(), level, text);
}

static void discard_staging(struct engine *engine, struct job_run *job)
{
    struct error err = {0};
    if (publish_discard(&engine->lake, job->id, &err) != OK) /* the sweep at the next start takes it */
        run_log(engine, job->run, job, engine_now(), "warning", err.message);
}

void job_failed(struct engine *engine, struct job_run *job, enum run_event event, bool retryable)
{
    int64_t retries = json_int(job->config, "retries", 0);
    discard_staging(engine, job);
    json_decref(job->result);
    job->result = NULL;
    job->step = STEP_NONE;
    job->seen = (struct job_counts){0}; /* what it had read led to nothing: the counts have to add up */
    if (!retryable || (int64_t)job->attempt > retries || job->run->cancelled || engine->stop_at > 0 ||
        job->state != RUN_RUNNING) {
        log_error(engine, job, "error", "");
        job_event(engine, job, event, NULL);
        return;
    }
    double wait = backoff_seconds((double)json_int(job->config, "retry_delay_seconds", 10), BACKOFF_MOST_SECONDS,
                                  job->attempt, next_random(engine));
    char begin[120];
    snprintf(begin, sizeof begin, "attempt %u of %lld failed, the next one follows in %.1f seconds: ", job->attempt,
             (long long)retries + 1, wait);
    log_error(engine, job, "warning", begin);
    job_event(engine, job, RUN_RETRY, "AwaitingRetry");
    job->retry_at = clock_seconds() + wait;
    job->scheduled_at = engine_now() + (int64_t)(wait * 1e6);
}

static bool slug_retryable(const char *slug)
{
    for (int code = 0; code < STATUS_COUNT; code++)
        if (strcmp(status_slug((status)code), slug) == 0)
            return status_retryable((status)code);
    return false;
}

static void take_failure(struct engine *engine, struct job_run *job, const json_t *finished)
{
    const json_t *error = json_object_get(finished, "error");
    run_error_format(&job->error, json_text(error, "code", status_slug(ERR_INTERNAL)), json_text(error, "hint", ""),
                     "%s", json_text(error, "message", "the task failed and did not say why"));
    const json_t *rejects = json_object_get(finished, "rejects");
    json_decref(job->report);
    job->report = rejects ? json_pack("{s:O}", "rejects", rejects) : NULL; /* no memory: the error stands without */
    job_failed(engine, job, RUN_FAIL, slug_retryable(job->error.code));
}

static void take_counts(struct job_run *job, const json_t *result)
{
    const json_t *rows = json_object_get(result, "rows");
    job->seen = (struct job_counts){json_int(rows, "read", 0),     json_int(rows, "written", 0),
                                    json_int(rows, "rejected", 0), json_int(rows, "deduped", 0),
                                    json_int(rows, "filtered", 0), json_int(result, "bytes_in", 0)};
}

static void take_completed(struct engine *engine, struct job_run *job, const json_t *finished)
{
    json_t *result = json_object_get(finished, "result");
    json_t *rejects = json_object_get(finished, "rejects");
    /* The bad rows are part of what the commit writes down. */
    if (rejects && !json_object_get(result, "rejects") && json_object_set(result, "rejects", rejects) != 0) {
        struct error err;
        error_no_memory(&err, json_array_size(rejects) * sizeof(void *));
        run_error_set(&job->error, &err);
        job_failed(engine, job, RUN_FAIL, true);
        return;
    }
    take_counts(job, result);
    job->has_rejects = job->seen.rejected > 0;
    json_decref(job->report);
    job->report = NULL; /* the commit writes one */
    json_decref(job->result);
    job->result = json_incref(result);
    job->step = STEP_COMMIT;
}

static void take_crash(struct engine *engine, struct job_run *job, const struct child *child)
{
    const char *errors = child->errors;
    char how[64];
    if (child->exit_code < 0)
        snprintf(how, sizeof how, "was ended by signal %d (%s)", -child->exit_code, strsignal(-child->exit_code));
    else
        snprintf(how, sizeof how, "ended with exit code %d", child->exit_code);
    size_t n = strlen(errors), most = 700;
    const char *last = n > most ? errors + n - most : errors;
    while (last > errors && ((unsigned char)*last & 0xC0) == 0x80)
        last++; /* not in the middle of a character */
    bool text = str_is_utf8(str_of(last));
    run_error_format(&job->error, status_slug(ERR_CRASHED), "see the run's log for what it did last",
                     "the task's process %s without a result%s%s", how, n ? "; it wrote: " : "",
                     text ? last : "(bytes that are not text)");
    job_failed(engine, job, RUN_CRASH, true);
}

static void take_outcome(struct engine *engine, struct job_run *job, const struct child *child)
{
    const json_t *finished = child->finished;
    const char *outcome = json_text(finished, "outcome", "");
    if (strcmp(outcome, "failed") == 0) {
        take_failure(engine, job, finished);
    } else if (strcmp(outcome, "cancelled") == 0) {
        run_error_format(&job->error, status_slug(ERR_CANCELLED), "", "the task stopped as if it had been cancelled");
        job_failed(engine, job, RUN_FAIL, false);
    } else if (child->exit_code != 0) {
        take_crash(engine, job, child);
    } else if (strcmp(outcome, "completed") == 0 && json_is_object(json_object_get(finished, "result"))) {
        take_completed(engine, job, finished);
    } else if (strcmp(outcome, "skipped") == 0) {
        take_counts(job, json_object_get(finished, "result"));
        discard_staging(engine, job);
        job_event(engine, job, RUN_SUCCEED, "Skipped");
    } else {
        run_error_format(&job->error, status_slug(ERR_INTERNAL), "see the run's log; this is a defect of FlowForge",
                         "the task's process broke the protocol: it finished without a known outcome or without a "
                         "result");
        job_failed(engine, job, RUN_FAIL, false);
    }
}

void job_child_ended(struct engine *engine, struct child *child)
{
    struct job_run *job = child->job;
    job->dirty = true;
    if (job->state == RUN_CANCELLING) {
        /* Nothing of it is committed, whatever it managed to finish. */
        discard_staging(engine, job);
        job->seen = (struct job_counts){0};
        job_event(engine, job, RUN_STOPPED, NULL);
    } else if (child->timed_out && !child->protocol_error.code[0]) {
        run_error_format(&job->error, status_slug(ERR_TIMEOUT), "raise timeout_seconds, or find out what takes so long",
                         "the job did not end within its time limit of %lld seconds",
                         (long long)json_int(job->config, "timeout_seconds", 0));
        job_failed(engine, job, RUN_FAIL, true);
    } else if (child->protocol_error.code[0]) {
        job->error = child->protocol_error;
        job_failed(engine, job, RUN_FAIL, false);
    } else if (child->finished) {
        take_outcome(engine, job, child);
    } else {
        take_crash(engine, job, child);
    }
    child_release(engine, child);
}

void job_publish(struct engine *engine, struct job_run *job, double now)
{
    struct error err = {0};
    /* With an error it has failed before, and what it made is still to be taken back. */
    status s = job->error.code[0] ? ERR_IO : commit_publish_files(&engine->lake, job->id, job->files, &err);
    if (s == OK) {
        discard_staging(engine, job);
        job->run->rows_written += job->seen.written;
        job->step = STEP_PUBLISHED;
        job_event(engine, job, RUN_SUCCEED, job->has_rejects ? "CompletedWithRejects" : NULL);
        return;
    }
    /* A second try in this process could take a failed sync for success (lake/publish.h): the commit is undone. */
    if (!job->error.code[0]) {
        run_error_set(&job->error, &err);
        if (s == ERR_NOT_FOUND)
            run_error_format(&job->error, "lost_staging", "run the job again",
                             "a file that this run had written vanished before it was published: %s", err.message);
        engine_log(engine, "error", "the commit of run %s (job '%s') cannot be published and is undone: %s", job->id,
                   job->job_name, err.message);
    }
    if (commit_unpublish_files(&engine->lake, job->id, job->files, &err) != OK) {
        if (job->step_tries == 0)
            engine_log(engine, "error", "what run %s (job '%s') had published cannot be taken back yet: %s", job->id,
                       job->job_name, err.message);
        job->step_at =
            now + backoff_seconds(PUBLISH_FIRST_SECONDS, PUBLISH_MOST_SECONDS, ++job->step_tries, next_random(engine));
        return;
    }
    job_failed(engine, job, RUN_FAIL, slug_retryable(job->error.code));
    job->step = STEP_UNDO;
}

void job_cancel(struct engine *engine, struct job_run *job, double now)
{
    bool committed = job->step == STEP_COMMIT || job->step == STEP_PUBLISH;
    if (committed || job->state == RUN_CANCELLING || !job_event(engine, job, RUN_CANCEL, NULL))
        return;
    if (job->child && job->child->started) {
        child_terminate(job->child, now);
    } else if (job->child) {
        job->step = STEP_NONE;
        job_event(engine, job, RUN_STOPPED, NULL);
        child_release(engine, job->child);
    }
}

void pipeline_cancel(struct engine *engine, struct pipeline_run *run, double now)
{
    if (run_state_terminal(run->state))
        return;
    run->cancelled = true;
    if (run->state == RUN_RUNNING)
        pipeline_event(run, RUN_CANCEL, NULL);
    for (size_t i = 0; i < run->job_count; i++)
        job_cancel(engine, &run->jobs[i], now);
}
