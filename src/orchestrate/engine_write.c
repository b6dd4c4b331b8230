/* One transaction for all that changed in a round, and what follows once it is durable. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "orchestrate/engine_state.h"
#include "store/store_lake.h"
#include "sys/clock.h"

#define AGAIN_FIRST_SECONDS 0.1
#define AGAIN_MOST_SECONDS 5.0

/* The disk's, the database's or the memory's trouble: it ends the whole transaction, and all of it is tried again. Any
 * other error belongs to the run whose part it was. */
static bool is_trouble(status s)
{
    return s == ERR_NO_SPACE || s == ERR_IO || s == ERR_NO_MEMORY || s == ERR_UNAVAILABLE || s == ERR_TIMEOUT ||
           s == ERR_DENIED;
}

/* A value that its table does not take, a rule that is broken: a defect of ours that no further try mends. */
static bool is_refusal(status s)
{
    return s == ERR_INVALID || s == ERR_CONFLICT || s == ERR_TOO_LARGE || s == ERR_NOT_FOUND || s == ERR_INTERNAL;
}

static status record_commit(struct db *db, const struct job_run *job, json_t **files, struct error *err)
{
    json_t *row = NULL;
    status s = record_get(db, run_table(job->kind), job->id, &row, err);
    if (s == OK)
        s = commit_record(db, job->kind, row, job->config, job->base_snapshot, job->result, engine_now(), err);
    if (s == OK)
        s = commit_files(db, job->id, files, err);
    json_decref(row);
    return s;
}

/* A commit that is refused takes only its own part back. */
static status write_commit(struct engine *engine, struct db *db, struct job_run *job, struct error *err)
{
    json_t *files = NULL;
    struct error refused = {0};
    status s = db_run(db, "SAVEPOINT job_commit", DB_NO_BINDS, NULL, err);
    if (s != OK)
        return s;
    status why = record_commit(db, job, &files, &refused);
    if (is_trouble(why)) {
        if (err)
            *err = refused;
        return why;
    }
    if (why != OK) {
        s = db_run(db, "ROLLBACK TO job_commit", DB_NO_BINDS, NULL, err);
        run_error_set(&job->error, &refused);
        job_failed(engine, job, RUN_FAIL, status_retryable(why));
    } else {
        json_decref(job->files);
        job->files = files;
    }
    return s == OK ? db_run(db, "RELEASE job_commit", DB_NO_BINDS, NULL, err) : s;
}

static status write_published(struct db *db, struct job_run *job, struct error *err)
{
    status s = job->step == STEP_UNDO ? commit_undo(db, job->kind, job->id, err)
                                      : commit_publish_record(db, job->kind, job->id, engine_now(), err);
    return s == ERR_NOT_FOUND ? OK : s; /* deleted with its pipeline */
}

/* All that start in one round have their slots already, so they share fairly. One that started alone keeps what it got:
 * for as long as it runs beside a later one, the cores have a few threads more than they need. */
static size_t threads_of_task(const struct engine *engine)
{
    size_t tasks = engine->children_busy ? engine->children_busy : 1;
    size_t share = engine->options.task_threads ? engine->options.task_threads : engine->cores / tasks;
    return share ? share : 1;
}

static status make_payload(struct engine *engine, struct db *db, struct job_run *job, struct error *err)
{
    json_t *payload = NULL;
    const struct payload_for from = {job->kind,    job->run->pipeline, job->config,   job->id,
                                     job->run->id, job->attempt,       job->run_time, threads_of_task(engine),
                                     true};
    job->pinned = true;
    status s = payload_make(engine, db, &from, &payload, err);
    if (s != OK)
        return s;
    job->base_snapshot = json_int(json_object_get(payload, "target"), "snapshot", SNAPSHOT_NONE);
    free(job->payload);
    job->payload = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    return job->payload ? OK : error_no_memory(err, 1);
}

/* An ingest's child is started before the transaction is durable: it works while the disk does, and until its commit it
 * only stages. A dataset's child has to wait: its inputs are pinned by this transaction. */
static status write_start(struct engine *engine, struct db *db, struct job_run *job, struct error *err)
{
    struct error refused = {0};
    status s = make_payload(engine, db, job, &refused);
    if (is_trouble(s)) {
        if (err)
            *err = refused;
        return s;
    }
    if (s != OK) {
        run_error_set(&job->error, &refused);
        child_release(engine, job->child);
        job_failed(engine, job, RUN_FAIL, status_retryable(s));
    } else if (job->kind == JOB_INGEST) {
        job_start_child(engine, job);
    }
    return OK;
}

/* A row that is gone was deleted with its pipeline or job: there is nothing to be written any more. */
static status update_row(struct db *db, const struct record_table *table, const char *id, json_t *row,
                         struct error *err)
{
    status s = record_update(db, table, id, row, err);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* The row as subscribers will see it into `rows`; *changes: what of it an update writes. */
static status note_row(json_t *rows, json_t *row, json_t **changes, struct error *err)
{
    json_t *made;
    status s = json_add(rows, row, err);
    if (s != OK)
        return s;
    if (!(made = json_copy(row)))
        return error_no_memory(err, 64);
    json_object_del(made, "id");
    json_object_del(made, "created_at");
    *changes = made;
    return OK;
}

static status write_job_row(struct db *db, struct job_run *job, json_t *rows, struct error *err)
{
    json_t *row = NULL, *changes = NULL;
    status s = job_run_json(job, &row, err);
    if (s == OK)
        s = note_row(rows, row, &changes, err);
    if (s == OK && job->report)
        s = json_put(changes, "report", json_incref(job->report), err);
    if (s == OK)
        s = update_row(db, run_table(job->kind), job->id, changes, err);
    json_decref(changes);
    if (s == OK && job->pinned && job->state != RUN_RUNNING && job->state != RUN_CANCELLING)
        s = run_inputs_unpin(db, job->id, err);
    return s;
}

static status write_pipeline_row(struct db *db, const struct pipeline_run *run, json_t *rows, struct error *err)
{
    json_t *row = NULL, *changes = NULL;
    status s = pipeline_run_json(run, &row, err);
    if (s == OK)
        s = note_row(rows, row, &changes, err);
    if (s == OK)
        s = update_row(db, &pipeline_runs_table, run->id, changes, err);
    json_decref(changes);
    return s;
}

static status write_log(struct db *db, struct pipeline_run *run, struct error *err)
{
    for (struct log_line *line = run->log; line; line = line->next) {
        status s = run_log_add(db, run->id, line->job ? line->job->id : NULL, line->time, line->level, line->message,
                               &line->id, err);
        if (s != OK && s != ERR_CONFLICT) /* conflict: the run was deleted */
            return s;
    }
    return OK;
}

/* Commits and what was published first: what starts in the same transaction reads it. */
static status write_steps(struct engine *engine, struct db *db, struct error *err)
{
    status s = OK;
    for (struct pipeline_run *run = engine->runs; run; run = run->next)
        for (size_t i = 0; s == OK && i < run->job_count; i++) {
            struct job_run *job = &run->jobs[i];
            if (job->step == STEP_COMMIT)
                s = write_commit(engine, db, job, err);
            else if (job->step == STEP_PUBLISHED || job->step == STEP_UNDO)
                s = write_published(db, job, err);
        }
    for (size_t i = 0; s == OK && i < engine->options.max_parallel_jobs; i++) {
        struct job_run *job = engine->children[i].job;
        if (job && job->step == STEP_START)
            s = write_start(engine, db, job, err);
    }
    return s;
}

static status write_rows(struct engine *engine, struct db *db, json_t *rows, struct error *err)
{
    status s = OK;
    for (struct pipeline_run *run = engine->runs; s == OK && run; run = run->next) {
        for (size_t i = 0; s == OK && i < run->job_count; i++)
            if (run->jobs[i].dirty)
                s = write_job_row(db, &run->jobs[i], rows, err);
        if (s == OK && run->dirty)
            s = write_pipeline_row(db, run, rows, err);
        if (s == OK)
            s = write_log(db, run, err);
    }
    return s;
}

/* ---- apart: when the database refuses something in a transaction, only the run whose it is may suffer ---- */

typedef status job_part(struct engine *engine, struct db *db, struct job_run *job, json_t *rows, struct error *err);

/* What goes with one job's row: its step before that, unless it starts, which comes after all commits. */
static status write_job_part(struct engine *engine, struct db *db, struct job_run *job, json_t *rows, struct error *err)
{
    status s = OK;
    if (job->step == STEP_START)
        return OK;
    if (job->step == STEP_COMMIT)
        s = write_commit(engine, db, job, err);
    else if (job->step == STEP_PUBLISHED || job->step == STEP_UNDO)
        s = write_published(db, job, err);
    return s == OK && job->dirty ? write_job_row(db, job, rows, err) : s;
}

static status write_start_part(struct engine *engine, struct db *db, struct job_run *job, json_t *rows,
                               struct error *err)
{
    status s = write_start(engine, db, job, err);
    return s == OK && job->dirty ? write_job_row(db, job, rows, err) : s;
}

static status write_job_apart(struct engine *engine, struct db *db, struct job_run *job, job_part *part, json_t *rows,
                              struct error *err)
{
    struct error why = {0};
    size_t told = json_array_size(rows);
    status s = db_run(db, "SAVEPOINT job_part", DB_NO_BINDS, NULL, err);
    if (s != OK)
        return s;
    status refused = part(engine, db, job, rows, &why);
    if (refused != OK && !is_refusal(refused)) {
        if (err)
            *err = why;
        return refused;
    }
    if (refused != OK) {
        free(job->refusal);
        job->refusal = strdup(why.message);
        while (json_array_size(rows) > told)
            json_array_remove(rows, told);
        s = job->refusal ? db_run(db, "ROLLBACK TO job_part", DB_NO_BINDS, NULL, err) : error_no_memory(err, 1);
    }
    return s == OK ? db_run(db, "RELEASE job_part", DB_NO_BINDS, NULL, err) : s;
}

/* The run goes on without what is refused; the next start puts its row right. */
static status write_run_apart(struct engine *engine, struct db *db, struct pipeline_run *run, json_t *rows,
                              struct error *err)
{
    struct error why = {0};
    size_t told = json_array_size(rows);
    status s = db_run(db, "SAVEPOINT run_part", DB_NO_BINDS, NULL, err);
    if (s != OK)
        return s;
    status refused = run->dirty ? write_pipeline_row(db, run, rows, &why) : OK;
    if (refused == OK)
        refused = write_log(db, run, &why);
    if (refused != OK && !is_refusal(refused)) {
        if (err)
            *err = why;
        return refused;
    }
    if (refused != OK) {
        engine_log(engine, "error",
                   "the metadata database refuses the state or the log of pipeline run %s, which is a defect of "
                   "FlowForge: %s",
                   run->id, why.message);
        while (json_array_size(rows) > told)
            json_array_remove(rows, told);
        s = db_run(db, "ROLLBACK TO run_part", DB_NO_BINDS, NULL, err);
    }
    return s == OK ? db_run(db, "RELEASE run_part", DB_NO_BINDS, NULL, err) : s;
}

static status write_apart(struct engine *engine, struct db *db, json_t *rows, struct error *err)
{
    status s = OK;
    for (struct pipeline_run *run = engine->runs; run; run = run->next)
        for (size_t i = 0; s == OK && i < run->job_count; i++)
            if (run->jobs[i].dirty || run->jobs[i].step != STEP_NONE)
                s = write_job_apart(engine, db, &run->jobs[i], write_job_part, rows, err);
    for (size_t i = 0; s == OK && i < engine->options.max_parallel_jobs; i++) {
        struct job_run *job = engine->children[i].job;
        if (job && job->step == STEP_START)
            s = write_job_apart(engine, db, job, write_start_part, rows, err);
    }
    for (struct pipeline_run *run = engine->runs; s == OK && run; run = run->next)
        s = write_run_apart(engine, db, run, rows, err);
    return s;
}

static status write_together(struct engine *engine, struct db *db, json_t *rows, struct error *err)
{
    status s = write_steps(engine, db, err);
    return s == OK ? write_rows(engine, db, rows, err) : s;
}

typedef status transaction_parts(struct engine *engine, struct db *db, json_t *rows, struct error *err);

static status write_all(struct engine *engine, transaction_parts *parts, json_t *rows, struct error *err)
{
    struct db *db = NULL;
    status s = rows ? store_writer(engine->options.store, &db, err) : error_no_memory(err, 1);
    if (s == OK)
        s = db_begin(db, err);
    if (s == OK)
        s = parts(engine, db, rows, err);
    if (s == OK)
        s = db_commit(db, err);
    else if (db)
        db_rollback(db);
    store_give_back(engine->options.store, db);
    return s;
}

bool engine_write(struct engine *engine, double now)
{
    struct error err = {0};
    json_t *rows = json_array();
    status s = write_all(engine, write_together, rows, &err);
    if (is_refusal(s)) {
        json_array_clear(rows);
        s = write_all(engine, write_apart, rows, &err);
    }
    if (s == OK) {
        engine_written(engine, rows, now);
    } else {
        if (engine->write_failures++ == 0)
            engine_log(engine, "error",
                       "the engine cannot write what its runs did; it keeps trying, and runs keep the state that they "
                       "have until then: %s",
                       err.message);
        pthread_mutex_lock(&engine->lock);
        snprintf(engine->gauge_error, sizeof engine->gauge_error, "%.*s",
                 (int)str_utf8_prefix(str_of(err.message), sizeof engine->gauge_error - 1), err.message);
        pthread_mutex_unlock(&engine->lock);
        engine->write_at = now + backoff_seconds(AGAIN_FIRST_SECONDS, AGAIN_MOST_SECONDS, engine->write_failures, 0);
    }
    json_decref(rows);
    return s == OK;
}

bool engine_has_changes(const struct engine *engine, double now)
{
    if (engine->log_at > 0 && engine->log_at <= now)
        return true;
    for (const struct pipeline_run *run = engine->runs; run; run = run->next) {
        if (run->dirty)
            return true;
        for (size_t i = 0; i < run->job_count; i++)
            if (run->jobs[i].dirty || (run->jobs[i].step != STEP_NONE && run->jobs[i].step != STEP_PUBLISH))
                return true;
    }
    return false;
}
