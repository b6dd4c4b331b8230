/* The engine with real children: order, outcomes, retries, cancel, queue, and a disk that is full for a while. */
#include "unit/orchestrate/engine_fixture.h"

#include <sys/resource.h>

static void a_pipeline_runs_in_order(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("orders", "complete"));
    save(JOB_INGEST, ingest("items", "chatty"));
    save(JOB_DATASET, dataset("totals", "gold", "complete", "silver.joined"));
    save(JOB_DATASET, dataset("joined", "silver", "complete", "bronze.orders"));
    json_t *begun = start_all();
    assert_int_equal(json_array_size(json_object_get(begun, "job_runs")), 4);
    json_t *run = wait_for(run_id(begun), "COMPLETED", 10);
    assert_int_equal(json_int(run, "jobs_completed", 0), 4);
    assert_int_equal(json_int(run, "rows_written", 0), 4);
    assert_true(strcmp(json_text(job_run(run, "joined"), "started_at", ""),
                       json_text(job_run(run, "orders"), "ended_at", "")) >= 0);
    assert_true(strcmp(json_text(job_run(run, "totals"), "started_at", ""),
                       json_text(job_run(run, "joined"), "ended_at", "")) >= 0);
    assert_string_equal(json_text(job_run(run, "totals"), "commit_state", ""), "published");
    const char *key = json_string_value(json_array_get(json_object_get(job_run(run, "totals"), "output_keys"), 0));
    char path[400];
    snprintf(path, sizeof path, "%s/lake/%s", lab.home, key ? key : "?");
    assert_int_equal(access(path, F_OK), 0);
    struct db *db;
    struct error err;
    json_t *rows;
    int64_t pins;
    assert_int_equal(store_reader(lab.store, &db, &err), OK);
    const struct log_query query = {.pipeline_run_id = run_id(run), .limit = 1000};
    assert_int_equal(run_log_list(db, &query, &rows, &err), OK);
    assert_int_equal(json_array_size(rows), 200);
    assert_int_equal(db_integer(db, "SELECT count(*) FROM run_inputs", DB_NO_BINDS, 0, &pins, &err), OK);
    assert_int_equal(pins, 0);
    store_give_back(lab.store, db);
    json_decref(rows);
    json_decref(run);
    json_decref(begun);
    assert_true(atomic_load(&lab.states) >= 8);
    assert_int_equal(atomic_load(&lab.logs), 200);
    assert_int_equal(atomic_load(&lab.progresses), 1);
}

static void a_failure_takes_its_dependents_and_lets_the_rest_go_on(void **state)
{
    (void)state;
    const char *bad = save(JOB_INGEST, ingest("bad", "fail"));
    char bad_id[40];
    snprintf(bad_id, sizeof bad_id, "%s", bad);
    save(JOB_INGEST, ingest("good", "complete"));
    save(JOB_DATASET, dataset("of_bad", "silver", "complete", "bronze.bad"));
    save(JOB_DATASET, dataset("of_of_bad", "gold", "complete", "silver.of_bad"));
    save(JOB_DATASET, dataset("of_good", "silver", "complete", "bronze.good"));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "FAILED", 10);
    assert_state(run, "bad", "Failed", "bad_data");
    assert_state(run, "of_bad", "UpstreamFailed", "upstream_failed");
    assert_state(run, "of_of_bad", "UpstreamFailed", "upstream_failed");
    assert_state(run, "of_good", "Completed", "");
    assert_int_equal(json_int(run, "jobs_failed", 0), 3);
    json_decref(run);
    /* Repaired, then only what did not complete runs again. */
    struct error err;
    struct db *db = lab_writer();
    json_t *changes = json_pack("{s:{s:s}}", "config", "script", "complete");
    assert_int_equal(job_update(db, JOB_INGEST, bad_id, changes, &err), OK);
    store_give_back(lab.store, db);
    json_decref(changes);
    json_t *again, *problems;
    if (engine_retry(lab.engine, run_id(begun), "me", &again, &problems, &err) != OK)
        fail_msg("%s", err.message);
    assert_string_equal(json_text(again, "trigger", ""), "retry");
    run = wait_for(run_id(again), "COMPLETED", 10);
    assert_int_equal(json_array_size(json_object_get(run, "job_runs")), 3);
    json_decref(run);
    json_decref(begun);
    json_decref(again);
}

static void attempts_follow_each_other(void **state)
{
    (void)state;
    save(JOB_INGEST, with_int(ingest("flaky", "fail_once"), "retries", 2));
    save(JOB_INGEST, with_int(ingest("broken", "crash"), "retries", 1));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "CRASHED", 10);
    assert_state(run, "flaky", "Completed", "");
    assert_int_equal(json_int(job_run(run, "flaky"), "attempt", 0), 2);
    assert_state(run, "broken", "Crashed", "crashed");
    assert_int_equal(json_int(job_run(run, "broken"), "attempt", 0), 2);
    json_decref(run);
    json_decref(begun);
}

/* The run's whole record, with its report. */
static json_t *read_job_record(enum job_kind kind, const char *id)
{
    struct db *db;
    struct error err;
    json_t *record = NULL;
    assert_int_equal(store_reader(lab.store, &db, &err), OK);
    assert_int_equal(record_get(db, run_table(kind), id, &record, &err), OK);
    store_give_back(lab.store, db);
    return record;
}

static void the_report_is_that_of_the_last_attempt(void **state)
{
    (void)state;
    save(JOB_INGEST, with_int(ingest("flaky", "fail_once"), "retries", 1));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "COMPLETED", 10);
    json_t *record = read_job_record(JOB_INGEST, run_id(job_run(run, "flaky")));
    const json_t *report = json_object_get(record, "report");
    assert_int_equal(json_int(record, "attempt", 0), 2);
    assert_int_equal(json_array_size(json_object_get(report, "schema")), 1);
    assert_true(json_is_true(json_object_get(report, "replace_all")));
    json_decref(record);
    json_decref(run);
    json_decref(begun);

    save(JOB_INGEST, with_int(ingest("worse", "fail_then_crash"), "retries", 1));
    begun = start_all();
    run = wait_for(run_id(begun), "CRASHED", 10);
    record = read_job_record(JOB_INGEST, run_id(job_run(run, "worse")));
    assert_int_equal(json_int(record, "attempt", 0), 2);
    assert_true(json_is_null(json_object_get(record, "report")));
    json_decref(record);
    json_decref(run);
    json_decref(begun);
}

static void a_child_that_breaks_the_protocol_fails_its_run(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("garbage", "garbage"));
    save(JOB_INGEST, ingest("huge", "huge"));
    save(JOB_INGEST, ingest("silent", "silent"));
    save(JOB_INGEST, ingest("unequal", "unequal"));
    save(JOB_INGEST, ingest("skip", "skip"));
    save(JOB_INGEST, ingest("vanish", "vanish"));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "CRASHED", 20);
    assert_state(run, "garbage", "Failed", "internal");
    assert_state(run, "huge", "Failed", "internal");
    assert_state(run, "silent", "Crashed", "crashed");
    assert_non_null(
        strstr(json_text(json_object_get(job_run(run, "silent"), "error"), "message", ""), "nothing to say"));
    assert_state(run, "unequal", "Failed", "accounting");
    assert_state(run, "skip", "Skipped", "");
    assert_state(run, "vanish", "Failed", "lost_staging");
    assert_string_equal(json_text(job_run(run, "vanish"), "commit_state", ""), "undone");
    assert_int_equal(lab_logged("error", "cannot be published and is undone"), 1);
    json_decref(run);
    json_decref(begun);
}

static void wait_for_running(const char *id)
{
    json_decref(wait_for(id, "RUNNING", 5));
    usleep(200000); /* the child is past its start */
}

static void cancel_ends_within_two_seconds(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("hang", "hang"));
    save(JOB_DATASET, dataset("of_hang", "silver", "complete", "bronze.hang"));
    json_t *first = start_all(), *second = start_all();
    json_t *problems, *third;
    const struct run_request request = {.pipeline_id = lab.pipeline};
    assert_int_equal(try_start(&request, &third, &problems), ERR_CONFLICT);
    struct error err;
    wait_for_running(run_id(first));
    json_t *run = read_run(run_id(second));
    assert_string_equal(json_text(run, "state_type", ""), "PENDING");
    json_decref(run);
    assert_int_equal(engine_cancel(lab.engine, run_id(second), &err), OK);
    run = wait_for(run_id(second), "CANCELLED", 0.5);
    assert_state(run, "hang", "Cancelled", "");
    json_decref(run);
    assert_int_equal(engine_cancel(lab.engine, run_id(first), &err), OK);
    json_decref(wait_for(run_id(first), "CANCELLING", 0.5));
    run = wait_for(run_id(first), "CANCELLED", 2);
    assert_state(run, "hang", "Cancelled", "");
    assert_state(run, "of_hang", "Cancelled", "");
    json_decref(run);
    assert_int_equal(lab_logged("warning", "and is killed"), 1);
    assert_int_equal(engine_cancel(lab.engine, run_id(first), &err), ERR_CONFLICT);
    assert_int_equal(engine_cancel(lab.engine, "nobody", &err), ERR_NOT_FOUND);
    json_decref(first);
    json_decref(second);
}

static void a_job_has_a_time_limit(void **state)
{
    (void)state;
    const char *id = save(JOB_INGEST, with_int(ingest("hang", "hang"), "timeout_seconds", 1));
    json_t *begun, *problems;
    const struct run_request request = {.pipeline_id = lab.pipeline, .kind = JOB_INGEST, .job_id = id};
    assert_int_equal(try_start(&request, &begun, &problems), OK);
    json_t *run = wait_for(run_id(begun), "FAILED", 5);
    assert_string_equal(json_text(run, "kind", ""), "job");
    assert_state(run, "hang", "Failed", "timeout");
    json_decref(run);
    json_decref(begun);
}

static void the_same_job_never_runs_twice_at_once(void **state)
{
    (void)state;
    const char *id = save(JOB_INGEST, ingest("slow", "slow"));
    json_t *runs[2], *third, *problems;
    const struct run_request request = {.pipeline_id = lab.pipeline, .kind = JOB_INGEST, .job_id = id};
    assert_int_equal(try_start(&request, &runs[0], &problems), OK);
    assert_int_equal(try_start(&request, &runs[1], &problems), OK);
    assert_int_equal(try_start(&request, &third, &problems), ERR_CONFLICT);
    json_t *second = wait_for(run_id(runs[1]), "COMPLETED", 5);
    json_t *first = wait_for(run_id(runs[0]), "COMPLETED", 5);
    assert_true(strcmp(json_text(job_run(second, "slow"), "started_at", ""),
                       json_text(job_run(first, "slow"), "ended_at", "")) >= 0);
    json_decref(first);
    json_decref(second);
    json_decref(runs[0]);
    json_decref(runs[1]);
}

static void the_same_key_gives_the_same_run(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("one", "complete"));
    json_t *first, *second, *problems;
    bool existing;
    struct error err;
    const struct run_request request = {.pipeline_id = lab.pipeline, .idempotency_key = "k"};
    assert_int_equal(engine_start(lab.engine, &request, &first, &existing, &problems, &err), OK);
    assert_false(existing);
    assert_int_equal(engine_start(lab.engine, &request, &second, &existing, &problems, &err), OK);
    assert_true(existing);
    assert_string_equal(run_id(first), run_id(second));
    json_decref(wait_for(run_id(first), "COMPLETED", 5));
    json_decref(first);
    json_decref(second);
}

static void what_cannot_run_is_refused(void **state)
{
    (void)state;
    json_t *run, *problems = NULL;
    const struct run_request request = {.pipeline_id = lab.pipeline};
    assert_int_equal(try_start(&request, &run, &problems), ERR_INVALID);
    assert_string_equal(json_text(json_array_get(problems, 0), "code", ""), "no_jobs");
    json_decref(problems);
    save(JOB_DATASET, dataset("lost", "silver", "complete", "bronze.nowhere"));
    save(JOB_DATASET, dataset("a", "silver", "complete", "silver.b"));
    save(JOB_DATASET, dataset("b", "silver", "complete", "silver.a"));
    assert_int_equal(try_start(&request, &run, &problems), ERR_INVALID);
    assert_int_equal(json_array_size(problems), 2);
    assert_string_equal(json_text(json_array_get(problems, 0), "code", ""), "missing_input");
    assert_string_equal(json_text(json_array_get(problems, 1), "code", ""), "cycle");
    json_decref(problems);
}

static void set_file_limit(rlim_t most)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Files cannot grow for a while: SQLite cannot write, and nothing is lost by that. */
static void a_full_disk_delays_the_end_of_a_run(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("slow", "slow"));
    json_t *begun = start_all();
    wait_for_running(run_id(begun));
    set_file_limit(4096);
    usleep(600000);
    json_t *stats, *run = read_run(run_id(begun));
    struct error err;
    assert_int_equal(engine_stats(lab.engine, &stats, &err), OK);
    set_file_limit(RLIM_INFINITY);
    assert_string_equal(json_text(run, "state_type", ""), "RUNNING");
    assert_true(json_int(stats, "failed_writes", 0) > 0);
    json_decref(stats);
    json_decref(run);
    json_decref(wait_for(run_id(begun), "COMPLETED", 8));
    json_decref(begun);
    /* Told once, however often it was tried, and once that it is over. */
    assert_int_equal(lab_logged("error", "keeps trying"), 1);
    assert_int_equal(lab_logged("info", "again, after"), 1);
}

static void stopping_cancels_or_drains(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("slow", "slow"));
    save(JOB_DATASET, dataset("after", "silver", "complete", "bronze.slow"));
    json_t *begun = start_all();
    wait_for_running(run_id(begun));
    engine_free(lab.engine, true);
    json_t *run = read_run(run_id(begun));
    assert_string_equal(json_text(run, "state_type", ""), "CANCELLED");
    assert_state(run, "slow", "Completed", "");
    assert_state(run, "after", "Cancelled", "");
    json_decref(run);
    json_decref(begun);
    lab_open_engine(1);
    begun = start_all();
    wait_for_running(run_id(begun));
    engine_free(lab.engine, false);
    lab.engine = NULL;
    run = read_run(run_id(begun));
    assert_string_equal(json_text(run, "state_type", ""), "CANCELLED");
    json_decref(run);
    json_decref(begun);
}

static void many_small_tasks_are_quick(void **state)
{
    enum { TASKS = 100 };
    char name[20];
    (void)state;
    for (int i = 0; i < TASKS; i++) {
        snprintf(name, sizeof name, "t%d", i);
        save(JOB_INGEST, ingest(name, "skip"));
    }
    double begin = clock_seconds();
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "COMPLETED", 60);
    print_message("%.0f tasks a second\n", TASKS / (clock_seconds() - begin));
    assert_int_equal(json_int(run, "jobs_completed", 0), TASKS);
    json_decref(run);
    json_decref(begun);
}

static json_t *read_record(const struct record_table *table, const char *id)
{
    struct db *db;
    struct error err;
    json_t *record = NULL;
    assert_int_equal(store_reader(lab.store, &db, &err), OK);
    assert_int_equal(record_get(db, table, id, &record, &err), OK);
    store_give_back(lab.store, db);
    return record;
}

static void plan_and_payload_tell_what_would_run(void **state)
{
    (void)state;
    struct error err;
    const char *country_id = save(JOB_INGEST, with_true(ingest("countries", "complete"), "is_reference"));
    const char *order_id = save(JOB_INGEST, ingest("orders", "complete"));
    const char *join_id = save(JOB_DATASET, dataset("joined", "silver", "complete", "bronze.orders"));
    json_t *stages, *problems, *payload;
    assert_int_equal(engine_plan(lab.engine, lab.pipeline, &stages, &problems, &err), OK);
    assert_int_equal(json_array_size(problems), 0);
    assert_int_equal(json_array_size(stages), 3);
    const char *const ids[] = {country_id, order_id, join_id};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_array_get(json_array_get(stages, i), 0)), ids[i]);
    json_decref(stages);
    json_decref(problems);
    json_t *pipeline = read_record(&pipelines_table, lab.pipeline), *job = read_record(&dataset_jobs_table, join_id);
    assert_int_equal(engine_payload(lab.engine, JOB_DATASET, pipeline, job, &payload, &err), OK);
    const json_t *input = json_array_get(json_object_get(payload, "inputs"), 0);
    assert_true(json_is_null(json_object_get(input, "snapshot")));
    assert_int_equal(json_array_size(json_object_get(input, "files")), 0);
    json_decref(payload);
    json_t *begun = start_all();
    json_decref(wait_for(run_id(begun), "COMPLETED", 10));
    json_decref(begun);
    assert_int_equal(engine_payload(lab.engine, JOB_DATASET, pipeline, job, &payload, &err), OK);
    input = json_array_get(json_object_get(payload, "inputs"), 0);
    assert_string_equal(json_text(input, "alias", ""), "i");
    assert_true(json_int(input, "snapshot", 0) > 0);
    const json_t *file = json_array_get(json_object_get(input, "files"), 0);
    assert_int_equal(access(json_text(file, "path", ""), F_OK), 0);
    const json_t *target = json_object_get(payload, "target");
    assert_string_equal(json_text(target, "folder", ""), "silver/joined");
    assert_int_equal(json_array_size(json_object_get(target, "schema")), 1);
    assert_int_equal(json_array_size(json_object_get(target, "files")), 1);
    json_decref(payload);
    json_decref(pipeline);
    json_decref(job);
}

/* References come first, but an ingest does not need them. */
static void an_ingest_goes_on_when_a_reference_fails(void **state)
{
    (void)state;
    save(JOB_INGEST, with_true(ingest("countries", "fail"), "is_reference"));
    save(JOB_INGEST, ingest("orders", "complete"));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "FAILED", 10);
    assert_state(run, "countries", "Failed", "bad_data");
    assert_state(run, "orders", "Completed", "");
    assert_true(strcmp(json_text(job_run(run, "orders"), "started_at", ""),
                       json_text(job_run(run, "countries"), "ended_at", "")) >= 0);
    json_decref(run);
    json_decref(begun);
}

static void a_run_that_was_open_when_the_server_died_is_crashed(void **state)
{
    (void)state;
    struct error err;
    save(JOB_INGEST, ingest("slow", "slow"));
    json_t *begun = start_all();
    json_decref(wait_for(run_id(begun), "COMPLETED", 5));
    engine_free(lab.engine, false);
    struct db *db = lab_writer(); /* as a kill leaves it */
    assert_int_equal(db_run(db, "UPDATE layer_centric_ingest_runs SET state_type = 'RUNNING', commit_state = 'none'",
                            DB_NO_BINDS, NULL, &err),
                     OK);
    assert_int_equal(db_run(db, "UPDATE pipeline_runs SET state_type = 'RUNNING'", DB_NO_BINDS, NULL, &err), OK);
    store_give_back(lab.store, db);
    lab_open_engine(1);
    json_t *run = read_run(run_id(begun));
    assert_string_equal(json_text(run, "state_type", ""), "CRASHED");
    assert_state(run, "slow", "Crashed", "crashed");
    assert_int_equal(lab_logged("warning", "of its job runs 1 crashed, 0 were cancelled"), 1);
    json_decref(run);
    json_decref(begun);
}

static void a_pipeline_may_allow_less_at_once(void **state)
{
    (void)state;
    struct error err;
    struct db *db = lab_writer();
    json_t *changes = json_pack("{s:i}", "max_parallel_jobs", 1);
    assert_int_equal(pipeline_update(db, lab.pipeline, changes, &err), OK);
    json_decref(changes);
    store_give_back(lab.store, db);
    save(JOB_INGEST, ingest("a", "slow"));
    save(JOB_INGEST, ingest("b", "slow"));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "COMPLETED", 10);
    const char *a_start = json_text(job_run(run, "a"), "started_at", ""),
               *b_start = json_text(job_run(run, "b"), "started_at", ""),
               *a_end = json_text(job_run(run, "a"), "ended_at", ""),
               *b_end = json_text(job_run(run, "b"), "ended_at", "");
    assert_true(strcmp(a_end, b_start) <= 0 || strcmp(b_end, a_start) <= 0);
    json_decref(run);
    json_decref(begun);
}

/* Nothing else happens that would wake the engine. */
static void a_refused_commit_ends_its_run(void **state)
{
    (void)state;
    save(JOB_INGEST, ingest("unequal", "unequal"));
    json_t *begun = start_all();
    json_t *run = wait_for(run_id(begun), "FAILED", 3);
    assert_state(run, "unequal", "Failed", "accounting");
    json_decref(run);
    json_decref(begun);
}

/* As a rule of the schema would that the engine does not keep. */
static void forbid(const char *trigger)
{
    struct error err;
    struct db *db = lab_writer();
    if (db_script(db, trigger, &err) != OK)
        fail_msg("%s", err.message);
    store_give_back(lab.store, db);
}

static int64_t count_of(const char *query)
{
    struct db *db;
    struct error err;
    int64_t n;
    assert_int_equal(store_reader(lab.store, &db, &err), OK);
    assert_int_equal(db_integer(db, query, DB_NO_BINDS, 0, &n, &err), OK);
    store_give_back(lab.store, db);
    return n;
}

#define WHEN_ABSURD "WHEN new.job_name = 'absurd' "

/* What the database refuses costs the run that said it, and no other. */
static void a_refused_row_fails_only_its_run(void **state)
{
    static const struct {
        const char *trigger, *type, *name, *code;
        int64_t files; /* of the absurd dataset */
    } cases[] = {
        {"CREATE TRIGGER t BEFORE UPDATE ON layer_centric_ingest_runs " WHEN_ABSURD
         "AND new.rows_written > 0 BEGIN SELECT RAISE(ABORT, 'too many rows'); END",
         "FAILED", "Failed", "conflict", 0}, /* by its commit */
        {"CREATE TRIGGER t BEFORE UPDATE ON layer_centric_ingest_runs " WHEN_ABSURD
         "AND new.state_type = 'RUNNING' BEGIN SELECT RAISE(ABORT, 'it must not run'); END",
         "FAILED", "Failed", "internal", 0},
        {"CREATE TRIGGER t BEFORE UPDATE ON layer_centric_ingest_runs " WHEN_ABSURD
         "AND new.commit_state = 'published' BEGIN SELECT RAISE(ABORT, 'not yet'); END",
         "FAILED", "Failed", "internal", 1},
        {"CREATE TRIGGER t BEFORE UPDATE ON layer_centric_ingest_runs " WHEN_ABSURD
         "BEGIN SELECT RAISE(ABORT, 'nothing at all'); END",
         "PENDING", "Pending", "", 0},
        {"CREATE TRIGGER t BEFORE INSERT ON run_logs WHEN new.message LIKE '%line%' BEGIN SELECT RAISE(ABORT, 'no'); "
         "END",
         "COMPLETED", "Completed", "", 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (i) {
            lab_close(state);
            lab_open(state);
        }
        save(JOB_INGEST, ingest("absurd", "absurd"));
        save(JOB_INGEST, ingest("good", "chatty"));
        save(JOB_DATASET, dataset("of_good", "silver", "complete", "bronze.good"));
        forbid(cases[i].trigger);
        json_t *begun = start_all();
        json_t *run = wait_for(run_id(begun), i < 4 ? "FAILED" : "COMPLETED", 10);
        const json_t *job = job_run(run, "absurd");
        assert_string_equal(json_text(job, "state_type", ""), cases[i].type);
        assert_state(run, "absurd", cases[i].name, cases[i].code);
        assert_state(run, "good", "Completed", "");
        assert_state(run, "of_good", "Completed", "");
        assert_int_equal(json_int(run, "jobs_failed", -1), i < 4 ? 1 : 0);
        assert_int_equal(
            count_of("SELECT count(*) FROM manifest_files f JOIN metadata_catalog c ON c.id = f.dataset_id "
                     "WHERE c.name = 'absurd'"),
            cases[i].files);
        json_decref(run);
        json_decref(begun);
        assert_int_equal(lab_logged("error", "defect of FlowForge") + lab_logged("error", "is given up") > 0,
                         i > 0 && i < 4);
        assert_int_equal(lab_logged("error", "keeps trying"), 0);
        /* The next start brings to its end what was left. */
        engine_free(lab.engine, false);
        forbid("DROP TRIGGER t");
        lab_open_engine(2);
        assert_int_equal(count_of("SELECT count(*) FROM layer_centric_ingest_runs WHERE commit_state = 'committed' OR "
                                  "state_type IN ('PENDING', 'RUNNING')"),
                         0);
        if (i == 2)
            assert_int_equal(count_of("SELECT count(*) FROM layer_centric_ingest_runs WHERE job_name = 'absurd' AND "
                                      "state_type = 'COMPLETED' AND error IS NULL AND rows_written = 1"),
                             1);
    }
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "task") == 0 && strcmp(argv[2], "run") == 0)
        return child_main();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        LAB_TEST(a_pipeline_runs_in_order),
        LAB_TEST(a_failure_takes_its_dependents_and_lets_the_rest_go_on),
        LAB_TEST(attempts_follow_each_other),
        LAB_TEST(the_report_is_that_of_the_last_attempt),
        LAB_TEST(a_child_that_breaks_the_protocol_fails_its_run),
        LAB_TEST(cancel_ends_within_two_seconds),
        LAB_TEST(a_job_has_a_time_limit),
        LAB_TEST(the_same_job_never_runs_twice_at_once),
        LAB_TEST(the_same_key_gives_the_same_run),
        LAB_TEST(what_cannot_run_is_refused),
        LAB_TEST(a_full_disk_delays_the_end_of_a_run),
        LAB_TEST(stopping_cancels_or_drains),
        LAB_TEST(plan_and_payload_tell_what_would_run),
        LAB_TEST(an_ingest_goes_on_when_a_reference_fails),
        LAB_TEST(a_run_that_was_open_when_the_server_died_is_crashed),
        LAB_TEST(a_pipeline_may_allow_less_at_once),
        LAB_TEST(a_refused_commit_ends_its_run),
        LAB_TEST(a_refused_row_fails_only_its_run),
        LAB_TEST(many_small_tasks_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
