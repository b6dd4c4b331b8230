/* A job whose part of a transaction the database refuses: a defect of ours. It fails, so that no other run suffers;
 * what it could not tell is left to the next start. */
#include <signal.h>
#include <stdlib.h>

#include "orchestrate/engine_state.h"

/* It had ended as something that cannot be written down. */
static void end_as_failed(struct job_run *job)
{
    struct pipeline_run *run = job->run;
    if (job->state == RUN_COMPLETED) {
        run->completed--;
        run->failed++;
        run->with_rejects -= job->has_rejects;
        if (run_state_terminal(run->state) && run->state != RUN_CRASHED) {
            run->state = RUN_FAILED;
            run->state_name = run_state_name(RUN_FAILED);
        }
        run->dirty = true;
    }
    if (job->state != RUN_CRASHED) {
        job->state = RUN_FAILED;
        job->state_name = run_state_name(RUN_FAILED);
    }
    job->dirty = true;
}

static void drop_commit(struct job_run *job)
{
    json_decref(job->result);
    json_decref(job->files);
    job->result = job->files = NULL;
    job->step = STEP_NONE;
}

static void fail(struct engine *engine, struct job_run *job, const struct run_error *why)
{
    struct child *child = job->child;
    enum job_step step = job->step;
    if (child && child->started) { /* its end fails the run */
        child->protocol_error = *why;
        process_signal(&child->process, SIGKILL);
        return;
    }
    job->error = *why;
    if (child)
        child_release(engine, child);
    if (step == STEP_PUBLISHED || step == STEP_UNDO || run_state_terminal(job->state)) {
        drop_commit(job); /* the books say 'committed' still: the next start ends that */
        end_as_failed(job);
    } else if (step == STEP_COMMIT || job->state == RUN_RUNNING) {
        drop_commit(job);
        job_failed(engine, job, RUN_FAIL, false);
    } else {
        job_event(engine, job, job->state == RUN_CANCELLING ? RUN_STOPPED : RUN_FAIL, NULL);
    }
}

void job_refused(struct engine *engine, struct job_run *job)
{
    struct run_error why = {0};
    run_error_format(&why, status_slug(ERR_INTERNAL), "see the server's log; this is a defect of FlowForge",
                     "the metadata database refuses what this run has to write: %s", job->refusal);
    engine_log(engine, "error", "run %s (job '%s') is given up: %s", job->id, job->job_name, why.message);
    free(job->refusal);
    job->refusal = NULL;
    if (job->step != STEP_PUBLISHED) /* its rows are in the lake */
        job->seen = (struct job_counts){0};
    json_decref(job->report);
    job->report = NULL;
    /* Its end is refused too: nothing is left to be said. */
    if (job->refusals++ && run_state_terminal(job->state) && job->step == STEP_NONE)
        return;
    fail(engine, job, &why);
}
