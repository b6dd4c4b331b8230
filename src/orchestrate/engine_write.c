/* One transaction for all that changed in a round, and what follows once it is durable. */
#include <stdio.h>
#include <stdlib.h>

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

static status make_payload(struct engine *engine, struct db *db, struct job_run *job, struct error *err)
{
    json_t *payload = NULL;
    const struct payload_for from = {job->kind,    job->run->pipeline, job->config,   job->id,
                                     job->run->id, job->attempt,       job->run_time, true};
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

static void start_child(struct engine *engine, struct job_run *job)
{
    struct error err = {0};
    job->step = STEP_NONE;
    if (child_start(engine, job->child, &err) == OK)
        return;
    run_error_set(&job->error, &err);
    child_release(engine, job->child);
    job_failed(engine, job, RUN_FAIL, status_retryable(err.code));
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
        start_child(engine, job);
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

static status write_all(struct engine *engine, json_t *rows, struct error *err)
{
    struct db *db = NULL;
    status s = rows ? store_writer(engine->options.store, &db, err) : error_no_memory(err, 1);
    if (s == OK)
        s = db_begin(db, err);
    if (s == OK)
        s = write_steps(engine, db, err);
    if (s == OK)
        s = write_rows(engine, db, rows, err);
    if (s == OK)
        s = db_commit(db, err);
    else if (db)
        db_rollback(db);
    store_give_back(engine->options.store, db);
    return s;
}

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

/* The job's step is durable: what is next? */
static void step_on(struct engine *engine, struct job_run *job, double now)
{
    switch (job->step) {
    case STEP_START:
        start_child(engine, job);
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

static void written(struct engine *engine, const json_t *rows, double now)
{
    engine->write_failures = 0;
    engine->write_at = engine->log_at = 0;
    tell_rows(engine, rows);
    for (struct pipeline_run *run = engine->runs; run; run = run->next) {
        tell_log(engine, run);
        run->dirty = false;
        for (size_t i = 0; i < run->job_count; i++) {
            struct job_run *job = &run->jobs[i];
            job->dirty = false;
            if (job->state != RUN_RUNNING && job->state != RUN_CANCELLING)
                job->pinned = false;
        }
    }
    for (struct pipeline_run *run = engine->runs; run; run = run->next)
        for (size_t i = 0; i < run->job_count; i++)
            step_on(engine, &run->jobs[i], now);
    forget_ended(engine);
}

bool engine_write(struct engine *engine, double now)
{
    struct error err = {0};
    json_t *rows = json_array();
    status s = write_all(engine, rows, &err);
    if (s == OK) {
        written(engine, rows, now);
    } else {
        engine->write_failures++;
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
