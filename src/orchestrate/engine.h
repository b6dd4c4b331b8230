/* What runs when: one thread that owns all child processes, their timers and all commits. */
#ifndef FF_ORCHESTRATE_ENGINE_H
#define FF_ORCHESTRATE_ENGINE_H

#include "store/store.h"
#include "store/store_runs.h"

struct engine;

struct engine_options {
    struct store *store;            /* borrowed */
    const char *home;               /* absolute */
    const char *program;            /* path of this executable */
    size_t max_parallel_jobs;       /* children at once, >= 1 */
    size_t task_memory;             /* bytes for each child */
    size_t task_threads;            /* 0: a task gets the cores / the tasks that run when it starts */
    const char *const *local_roots; /* absolute, resolved */
    size_t local_root_count;
    double garbage_grace_seconds; /* how long replaced files stay */
    /* Called from the engine's thread (never blocking, never calling back into the engine) with what subscribers see:
     * "state" (a run row changed; a job run's has "pipeline_run_id", a pipeline run's has not), "progress" (at most
     * four a second and run), "log". pipeline_run_id always; data is borrowed. May be NULL. */
    void (*observe)(void *self, const char *pipeline_run_id, const char *event, const json_t *data);
    void *observer;
    /* What whoever runs the server should know (recovery, outages of the database, housekeeping), one message a call;
     * what belongs to a run is in the run's own log. level: "debug", "info", "warning", "error". Called from threads of
     * the engine, from engine_create and engine_free, and perhaps from several at once. May be NULL. */
    void (*log)(void *self, const char *level, const char *message);
    void *logger;
};

/* Recovery first (docs/pipelines.md 5), then the thread. */
status engine_create(struct engine **engine, const struct engine_options *options, struct error *err) MUST_USE;
/* Stop starting work, cancel what runs (`drain`: wait for it instead), join the thread. */
void engine_free(struct engine *engine, bool drain);

struct run_request {
    const char *pipeline_id;
    enum job_kind kind;  /* with job_id */
    const char *job_id;  /* NULL: the whole pipeline */
    const char *trigger; /* "api" (the command line goes through it, too), "retry"; NULL: "manual" */
    const char *created_by;
    const char *idempotency_key; /* NULL: none */
    /* {"from", "to"}: a backfill of these bounds, kept in the run's config as "range"; NULL: none. Of one ingest job
     * that is incremental. */
    const json_t *range;
};

/* Check, plan, record and queue. *run: the pipeline run with "job_runs". The same key gives the run it gave before
 * (*existing is true). Problems of the pipeline (missing inputs, cycles, jobs that are not valid) are ERR_INVALID with
 * *problems = [{pointer, code, message}]; ERR_CONFLICT when one run is going and one is waiting. Any thread. */
status engine_start(struct engine *engine, const struct run_request *request, json_t **run, bool *existing,
                    json_t **problems, struct error *err) MUST_USE;
/* pipeline_run_id, or a job run's id. Returns at once; ERR_CONFLICT when it is terminal already. Any thread. */
status engine_cancel(struct engine *engine, const char *run_id, struct error *err) MUST_USE;
/* Run again what did not complete of a terminal pipeline run and what needs that, as a new run (of a single job: that
 * job). ERR_CONFLICT when it is not terminal, or all of it completed. Any thread. */
status engine_retry(struct engine *engine, const char *pipeline_run_id, const char *created_by, json_t **run,
                    json_t **problems, struct error *err) MUST_USE;
/* The checks of engine_start alone: [{pointer, code, message}], and the order as [[job ids] per stage]. */
status engine_plan(struct engine *engine, const char *pipeline_id, json_t **stages, json_t **problems,
                   struct error *err) MUST_USE;
/* Gauges for /metrics and /healthz: {"running", "queued", "max_parallel_jobs", "last_tick_seconds", "failed_writes",
 * "last_write_error"}. failed_writes > 0: the database does not take what the engine has to write (last_write_error
 * says why); it keeps trying, and runs keep the state that they have in the database until then. Any thread. */
status engine_stats(struct engine *engine, json_t **stats, struct error *err) MUST_USE;
/* The payload frame of docs/pipelines.md 4 for a job that is not (yet) run: preview, plan, explain, sample. `job` may
 * be unsaved. */
status engine_payload(struct engine *engine, enum job_kind kind, const json_t *pipeline, const json_t *job,
                      json_t **payload, struct error *err) MUST_USE;

#endif
