/* What other threads ask of the engine: start, cancel, run again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchestrate/engine_state.h"

static void send_message(struct engine *engine, struct message *message)
{
    pthread_mutex_lock(&engine->lock);
    *engine->inbox_end = message;
    engine->inbox_end = &message->next;
    const uint64_t one = 1;
    while (write(engine->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* EAGAIN: it is awake already */
    pthread_mutex_unlock(&engine->lock);
}

/* Between these two the thread does not end. */
static status enter(struct engine *engine, struct error *err)
{
    pthread_mutex_lock(&engine->lock);
    bool stopping = engine->stop != STOP_NOT;
    engine->starters += !stopping;
    pthread_mutex_unlock(&engine->lock);
    return stopping ? error_set(err, ERR_UNAVAILABLE, "the server is stopping: no run is started any more") : OK;
}

static void leave(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->starters--;
    const uint64_t one = 1;
    while (write(engine->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_mutex_unlock(&engine->lock);
}

static status answer_run(struct db *db, const char *id, json_t **run, struct error *err)
{
    json_t *record = NULL, *jobs = NULL;
    status s = record_get(db, &pipeline_runs_table, id, &record, err);
    if (s == OK)
        s = job_runs_of(db, id, true, &jobs, err);
    if (s == OK)
        s = json_put(record, "job_runs", jobs, err);
    if (s == OK)
        *run = record;
    else
        json_decref(record);
    return s;
}

/* One runs, one waits, a third is refused. */
static status check_queue(struct db *db, const struct run_request *request, struct error *err)
{
    int64_t open = 0;
    status s = request->job_id
                   ? job_runs_open(db, request->kind, request->job_id, &open, err)
                   : db_integer(db,
                                "SELECT count(*) FROM pipeline_runs WHERE pipeline_id = ?1 AND kind = 'pipeline' AND "
                                "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')",
                                DB_BINDS(db_text(request->pipeline_id)), 0, &open, err);
    if (s != OK || open < 2)
        return s;
    s = error_set(err, ERR_CONFLICT, "a run of this %s is going and another one waits already",
                  request->job_id ? "job" : "pipeline");
    error_hint(err, "wait for one of them to end, or cancel it");
    return s;
}

static status insert_run(struct db *db, const struct pipeline_run *run, const struct run_request *request,
                         struct error *err)
{
    json_t *record = NULL;
    status s = pipeline_run_json(run, &record, err);
    if (s == OK)
        s = json_put_text(record, "trigger", request->trigger ? request->trigger : "manual", err);
    if (s == OK)
        s = json_put_text(record, "created_by", request->created_by ? request->created_by : "", err);
    if (s == OK)
        s = json_put_text(record, "orchestrator", "inline", err);
    if (s == OK && request->idempotency_key)
        s = json_put_text(record, "idempotency_key", request->idempotency_key, err);
    if (s == OK)
        s = record_insert(db, &pipeline_runs_table, record, err);
    json_decref(record);
    for (size_t i = 0; s == OK && i < run->job_count; i++) {
        const struct job_run *job = &run->jobs[i];
        record = NULL;
        s = job_run_json(job, &record, err);
        if (s == OK)
            s = json_put(record, "config", json_incref(job->config), err);
        if (s == OK)
            s = record_insert(db, run_table(job->kind), record, err);
        json_decref(record);
    }
    return s;
}

/* A key stands for one thing that is to happen once; for another thing it is refused, not answered with the first. */
static status check_same(const struct run_request *request, const json_t *run, struct error *err)
{
    const char *of = json_text(json_array_get(json_object_get(run, "job_runs"), 0), "job_id", "");
    bool of_job = strcmp(json_text(run, "kind", ""), "job") == 0;
    if (request->job_id ? of_job && strcmp(of, request->job_id) == 0 : !of_job)
        return OK;
    error_set(err, ERR_CONFLICT, "this Idempotency-Key belongs to the run %s already, which is one of %s",
              json_text(run, "id", ""), of_job ? "another job" : "the whole pipeline");
    error_hint(err, "send a new key for each thing that is to happen once");
    return ERR_CONFLICT;
}

/* The run that this key gave before, if any. */
static status find_existing(struct db *db, const struct run_request *request, json_t **run, struct error *err)
{
    json_t *record = NULL;
    if (!request->idempotency_key)
        return OK;
    status s = pipeline_run_by_key(db, request->pipeline_id, request->idempotency_key, &record, err);
    if (s == OK && record)
        s = answer_run(db, json_text(record, "id", ""), run, err);
    if (s == OK && *run)
        s = check_same(request, *run, err);
    json_decref(record);
    return s;
}

/* Bounds of a backfill, in the job's copy that this run has. */
static status put_range(json_t *config, const json_t *range, struct error *err)
{
    if (strcmp(json_text(config, "incremental_mode", "full"), "incremental") != 0)
        return error_set(err, ERR_INVALID,
                         "the job '%s' is not incremental: a run of a range would replace all of its "
                         "dataset by that range",
                         json_text(config, "name", ""));
    return json_put(config, "range", json_deep_copy(range), err);
}

static status plan_run(struct db *db, const struct run_request *request, const json_t *only, struct pipeline_run **made,
                       json_t **problems, struct error *err)
{
    struct plan plan = {0};
    const struct plan_for from = {request->pipeline_id, request->kind, request->job_id, only};
    status s = plan_make(&plan, db, &from, err);
    if (s == OK && json_array_size(plan.problems)) {
        *problems = json_incref(plan.problems);
        s = error_set(err, ERR_INVALID, "this pipeline cannot run: %s",
                      json_text(json_array_get(plan.problems, 0), "message", ""));
    }
    if (s == OK && request->range)
        s = put_range(plan.configs[0], request->range, err);
    if (s == OK)
        s = check_queue(db, request, err);
    if (s == OK)
        s = pipeline_run_make(made, plan.pipeline, !request->job_id, &plan.graph, plan.configs, plan.kinds, err);
    plan_release(&plan);
    return s;
}

static status start(struct engine *engine, const struct run_request *request, const json_t *only, json_t **run,
                    bool *existing, json_t **problems, struct error *err)
{
    struct db *db = NULL;
    struct pipeline_run *made = NULL;
    json_t *answer = NULL;
    struct message *message = calloc(1, sizeof *message);
    *problems = NULL;
    status s = message ? store_writer(engine->options.store, &db, err) : error_no_memory(err, sizeof *message);
    if (s == OK)
        s = db_begin(db, err);
    if (s == OK)
        s = find_existing(db, request, &answer, err);
    bool found = answer != NULL;
    if (s == OK && !found)
        s = plan_run(db, request, only, &made, problems, err);
    if (s == OK && !found)
        s = insert_run(db, made, request, err);
    if (s == OK && !found)
        s = answer_run(db, made->id, &answer, err);
    if (s == OK && !found)
        s = db_commit(db, err);
    if (db)
        db_rollback(db);
    if (s == OK && !found) {
        /* While the writer is held, so that runs come in the order of their records. */
        message->run = made;
        send_message(engine, message);
        message = NULL;
        made = NULL;
    }
    store_give_back(engine->options.store, db);
    if (s == OK) {
        *run = answer;
        *existing = found;
        answer = NULL;
    }
    json_decref(answer);
    pipeline_run_free(made);
    free(message);
    return s;
}

status engine_start(struct engine *engine, const struct run_request *request, json_t **run, bool *existing,
                    json_t **problems, struct error *err)
{
    status s = enter(engine, err);
    if (s != OK)
        return s;
    s = start(engine, request, NULL, run, existing, problems, err);
    leave(engine);
    return s;
}

static status find_run(struct db *db, const char *id, json_t **record, struct error *err)
{
    const struct record_table *const tables[] = {&pipeline_runs_table, &ingest_runs_table, &dataset_runs_table};
    status s = ERR_NOT_FOUND;
    for (size_t i = 0; s == ERR_NOT_FOUND && i < ARRAY_LENGTH(tables); i++)
        s = record_get(db, tables[i], id, record, err);
    return s == ERR_NOT_FOUND ? error_set(err, s, "there is no run '%.60s'", id) : s;
}

static bool is_terminal(const json_t *run)
{
    enum run_state state;
    return run_state_parse(json_text(run, "state_type", ""), &state) && run_state_terminal(state);
}

status engine_cancel(struct engine *engine, const char *run_id, struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL;
    struct message *message = NULL;
    /* The writer, because engine_start holds it until its run is on the way: the run comes before its cancel. */
    status s = store_writer(engine->options.store, &db, err);
    if (s == OK)
        s = find_run(db, run_id, &record, err);
    store_give_back(engine->options.store, db);
    if (s == OK && is_terminal(record))
        s = error_set(err, ERR_CONFLICT, "the run '%s' has ended already (%s)", run_id,
                      json_text(record, "state_name", ""));
    if (s == OK && !(message = calloc(1, sizeof *message)))
        s = error_no_memory(err, sizeof *message);
    if (s == OK) {
        strncpy(message->cancel, run_id, sizeof message->cancel - 1);
        send_message(engine, message);
    }
    json_decref(record);
    return s;
}

/* {job id: true} of the job runs that did not complete. */
static status list_incomplete(const json_t *job_runs, json_t **only, struct error *err)
{
    json_t *set = json_object();
    status s = set ? OK : error_no_memory(err, 1);
    for (size_t i = 0; s == OK && i < json_array_size(job_runs); i++) {
        const json_t *job = json_array_get(job_runs, i);
        if (strcmp(json_text(job, "state_type", ""), run_state_type(RUN_COMPLETED)) != 0)
            s = json_put_bool(set, json_text(job, "job_id", ""), true, err);
    }
    if (s == OK)
        *only = set;
    else
        json_decref(set);
    return s;
}

/* A backfill that is run again is the same backfill: *record gets its "range". */
static status read_range(struct db *db, json_t *record, struct error *err)
{
    const json_t *job = json_array_get(json_object_get(record, "job_runs"), 0);
    json_t *run = NULL;
    if (strcmp(json_text(record, "kind", ""), "job") != 0 || strcmp(json_text(job, "kind", ""), "ingest") != 0)
        return OK;
    status s = record_get(db, &ingest_runs_table, json_text(job, "id", ""), &run, err);
    json_t *range = json_object_get(json_object_get(run, "config"), "range");
    if (s == OK && json_is_object(range))
        s = json_put(record, "range", json_incref(range), err);
    json_decref(run);
    return s;
}

static status read_incomplete(struct engine *engine, const char *id, json_t **record, json_t **only, struct error *err)
{
    struct db *db = NULL;
    status s = store_reader(engine->options.store, &db, err);
    if (s == OK)
        s = answer_run(db, id, record, err);
    if (s == OK)
        s = read_range(db, *record, err);
    store_give_back(engine->options.store, db);
    if (s != OK)
        return s;
    if (!is_terminal(*record)) {
        s = error_set(err, ERR_CONFLICT, "the run '%s' has not ended (%s)", id, json_text(*record, "state_name", ""));
        error_hint(err, "wait for its end, or cancel it");
        return s;
    }
    s = list_incomplete(json_object_get(*record, "job_runs"), only, err);
    if (s == OK && !json_object_size(*only))
        s = error_set(err, ERR_CONFLICT, "every job of the run '%s' completed: there is nothing to run again", id);
    return s;
}

status engine_retry(struct engine *engine, const char *pipeline_run_id, const char *created_by, json_t **run,
                    json_t **problems, struct error *err)
{
    json_t *record = NULL, *only = NULL;
    *problems = NULL;
    status s = enter(engine, err);
    if (s != OK)
        return s;
    s = read_incomplete(engine, pipeline_run_id, &record, &only, err);
    if (s == OK) {
        bool existing;
        bool whole = strcmp(json_text(record, "kind", ""), "pipeline") == 0;
        const json_t *job = whole ? NULL : json_array_get(json_object_get(record, "job_runs"), 0);
        const struct run_request request = {.pipeline_id = json_text(record, "pipeline_id", ""),
                                            .kind = strcmp(json_text(job, "kind", ""), "dataset") == 0 ? JOB_DATASET
                                                                                                       : JOB_INGEST,
                                            .job_id = json_text(job, "job_id", NULL),
                                            .range = json_object_get(record, "range"),
                                            .trigger = "retry",
                                            .created_by = created_by};
        s = start(engine, &request, whole ? only : NULL, run, &existing, problems, err);
    }
    json_decref(record);
    json_decref(only);
    leave(engine);
    return s;
}

status engine_stats(struct engine *engine, json_t **stats, struct error *err)
{
    pthread_mutex_lock(&engine->lock);
    json_t *made =
        json_pack("{s:I, s:I, s:I, s:f, s:I, s:s}", "running", (json_int_t)engine->gauge_running, "queued",
                  (json_int_t)engine->gauge_queued, "max_parallel_jobs", (json_int_t)engine->options.max_parallel_jobs,
                  "last_tick_seconds", engine->gauge_tick, "failed_writes", (json_int_t)engine->gauge_failures,
                  "last_write_error", engine->gauge_error);
    pthread_mutex_unlock(&engine->lock);
    if (!made)
        return error_no_memory(err, 1);
    *stats = made;
    return OK;
}
