/* Runs of pipelines and jobs, and their logs. */
#include "store/store.h"
#include "store/store_runs.h"
#include "unit/store/store_files.h"

static struct store *store;
static struct db *db;

/* Two pipelines, p with two ingest jobs and a dataset job, q with one job. */
static const char jobs[] =
    "INSERT INTO pipelines (id, name, slug, created_at, updated_at) VALUES ('p', 'P', 'p', 1, 1), ('q', 'Q', 'q', 1, "
    "1);"
    "INSERT INTO layer_centric_ingest_jobs (id, pipeline_id, name, slug, source_type, dataset, compression, created_at,"
    " updated_at) VALUES ('i1', 'p', 'I1', 'i1', 'file_local', 'a', 'none', 1, 1),"
    " ('i2', 'p', 'I2', 'i2', 'file_local', 'b', 'none', 1, 1), ('i3', 'q', 'I3', 'i3', 'file_local', 'c', 'none', 1, "
    "1);"
    "INSERT INTO dataset_jobs (id, pipeline_id, name, slug, layer, dataset, inputs, sql, created_at, updated_at)"
    " VALUES ('d1', 'p', 'D1', 'd1', 'silver', 'a', '[]', 'SELECT 1', 1, 1);";

static int set_up(void **state)
{
    struct error err;
    return make_root(state) == 0 && store_open(&store, at("flowforge.db"), &err) == OK &&
                   store_writer(store, &db, &err) == OK && db_script(db, jobs, &err) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    store_give_back(store, db);
    store_close(store);
    return remove_root(state);
}

static void pipeline_run(const char *id, const char *pipeline_id, const char *state_type, const char *key)
{
    struct error err;
    json_t *run = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?,s:s}", "id", id, "pipeline_id", pipeline_id, "kind", "pipeline",
                            "state_type", state_type, "state_name", "x", "idempotency_key", key, "created_at",
                            "2026-11-25T10:00:00Z");
    assert_non_null(run);
    assert_ok(record_insert(db, &pipeline_runs_table, run, &err), err);
    json_decref(run);
}

static void job_run(enum job_kind kind, const char *id, const char *run, const char *pipeline_id, const char *job_id,
                    const char *state_type)
{
    struct error err;
    json_t *record =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s},s:{s:[]},s:s}", "id", id, "pipeline_run_id", run, "pipeline_id",
                  pipeline_id, "job_id", job_id, "job_name", job_id, "state_type", state_type, "state_name", "x",
                  "config", "name", job_id, "report", "rejects", "created_at", "2026-11-25T10:00:00Z");
    assert_non_null(record);
    assert_ok(record_insert(db, run_table(kind), record, &err), err);
    json_decref(record);
}

static void assert_ids(json_t *rows, const char *expected)
{
    char got[256] = "";
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        strcat(got, i ? " " : "");
        strcat(got, json_text(row, "id", "?"));
    }
    assert_string_equal(got, expected);
}

static void test_job_runs(void **state)
{
    (void)state;
    struct error err;
    json_t *rows = NULL;
    pipeline_run("r1", "p", "RUNNING", NULL);
    pipeline_run("r2", "p", "PENDING", NULL);
    job_run(JOB_DATASET, "b", "r1", "p", "d1", "PENDING");
    job_run(JOB_INGEST, "a", "r1", "p", "i1", "RUNNING");
    job_run(JOB_INGEST, "c", "r1", "p", "i2", "COMPLETED");
    job_run(JOB_DATASET, "d", "r2", "p", "d1", "FAILED");
    assert_ok(job_runs_of(db, "r1", false, &rows, &err), err);
    assert_ids(rows, "a b c");
    assert_string_equal(json_text(json_array_get(rows, 0), "kind", ""), "ingest");
    assert_string_equal(json_text(json_array_get(rows, 1), "kind", ""), "dataset");
    assert_string_equal(json_text(json_object_get(json_array_get(rows, 0), "config"), "name", ""), "i1");
    assert_int_equal(json_object_size(json_array_get(rows, 0)), ingest_runs_table.count + 1);
    json_decref(rows);
    assert_ok(job_runs_of(db, "r1", true, &rows, &err), err);
    assert_ids(rows, "a b c");
    assert_null(json_object_get(json_array_get(rows, 0), "config"));
    assert_null(json_object_get(json_array_get(rows, 1), "report"));
    assert_non_null(json_object_get(json_array_get(rows, 1), "state_type"));
    json_decref(rows);
    assert_ok(job_runs_of(db, "nobody", true, &rows, &err), err);
    assert_ids(rows, "");
    json_decref(rows);
    /* both tables of runs have the same columns */
    assert_int_equal(ask(db,
                         "SELECT count(*) FROM (SELECT name, type, \"notnull\" FROM"
                         " pragma_table_info('layer_centric_ingest_runs') EXCEPT SELECT name, type, \"notnull\" FROM"
                         " pragma_table_info('dataset_runs'))"),
                     0);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_table_info('dataset_runs')"), (int)dataset_runs_table.count);
}

static void test_open_runs(void **state)
{
    (void)state;
    static const struct {
        const char *state_type;
        int open;
    } states[] = {{"SCHEDULED", 1}, {"PENDING", 1}, {"RUNNING", 1},   {"CANCELLING", 1},
                  {"COMPLETED", 0}, {"FAILED", 0},  {"CANCELLED", 0}, {"CRASHED", 0}};
    struct error err;
    int64_t count, expected = 0;
    pipeline_run("r0", "p", "COMPLETED", NULL);
    pipeline_run("r9", "q", "RUNNING", NULL);
    job_run(JOB_INGEST, "z", "r9", "q", "i3", "RUNNING");
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
        char id[8];
        snprintf(id, sizeof id, "s%zu", i);
        pipeline_run(id, "p", states[i].state_type, NULL);
        job_run(JOB_INGEST, id, "r0", "p", "i1", states[i].state_type);
        job_run(JOB_DATASET, id, "r0", "p", "d1", states[i].state_type);
        expected += states[i].open;
        assert_ok(job_runs_open(db, JOB_INGEST, "i1", &count, &err), err);
        assert_int_equal(count, expected);
        assert_ok(job_runs_open(db, JOB_DATASET, "d1", &count, &err), err);
        assert_int_equal(count, expected);
        assert_ok(pipeline_runs_open(db, "p", &count, &err), err);
        assert_int_equal(count, expected);
    }
    assert_ok(job_runs_open(db, JOB_INGEST, "i2", &count, &err), err);
    assert_int_equal(count, 0);
    assert_int_equal(ask(db, "SELECT count(*) FROM pipeline_runs"), 10);
}

static void test_newest_runs(void **state)
{
    (void)state;
    struct error err;
    json_t *by_id = NULL, *rows = NULL;
    pipeline_run("r1", "p", "COMPLETED", NULL);
    pipeline_run("r2", "p", "COMPLETED", NULL);
    pipeline_run("r3", "q", "COMPLETED", NULL);
    pipeline_run("r4", "p", "FAILED", NULL);
    job_run(JOB_INGEST, "a1", "r1", "p", "i1", "COMPLETED");
    job_run(JOB_INGEST, "a3", "r4", "p", "i1", "FAILED");
    job_run(JOB_INGEST, "a2", "r2", "p", "i1", "COMPLETED");
    job_run(JOB_INGEST, "z9", "r3", "q", "i3", "COMPLETED");
    job_run(JOB_DATASET, "b1", "r1", "p", "d1", "COMPLETED");
    assert_ok(job_last_runs(db, JOB_INGEST, "p", &by_id, &err), err);
    assert_int_equal(json_object_size(by_id), 1); /* i2 never ran */
    assert_string_equal(json_text(json_object_get(by_id, "i1"), "id", ""), "a3");
    assert_null(json_object_get(json_object_get(by_id, "i1"), "config"));
    json_decref(by_id);
    assert_ok(job_last_runs(db, JOB_DATASET, "p", &by_id, &err), err);
    assert_string_equal(json_text(json_object_get(by_id, "d1"), "id", ""), "b1");
    json_decref(by_id);
    assert_ok(pipeline_recent_runs(db, "p", 2, &rows, &err), err);
    assert_ids(rows, "r4 r2");
    json_decref(rows);
    assert_ok(pipeline_recent_runs(db, "nobody", 2, &rows, &err), err);
    assert_ids(rows, "");
    json_decref(rows);
}

static void test_idempotency_keys(void **state)
{
    (void)state;
    struct error err;
    json_t *run = NULL;
    pipeline_run("r1", "p", "COMPLETED", "k");
    pipeline_run("r2", "q", "COMPLETED", "k");
    pipeline_run("r3", "p", "COMPLETED", NULL);
    pipeline_run("r4", "p", "COMPLETED", NULL);
    assert_ok(pipeline_run_by_key(db, "p", "k", &run, &err), err);
    assert_string_equal(json_text(run, "id", ""), "r1");
    assert_int_equal(json_object_size(run), pipeline_runs_table.count);
    json_decref(run);
    assert_ok(pipeline_run_by_key(db, "p", "other", &run, &err), err);
    assert_null(run);
    json_t *twice =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", "r5", "pipeline_id", "p", "kind", "pipeline", "state_type",
                  "PENDING", "state_name", "x", "idempotency_key", "k", "created_at", "2026-11-25T10:00:00Z");
    assert_int_equal(record_insert(db, &pipeline_runs_table, twice, &err), ERR_CONFLICT);
    json_decref(twice);
}

static int64_t log_line(const char *job_run_id, const char *level, const char *message)
{
    struct error err;
    int64_t id = 0;
    assert_ok(run_log_add(db, "r1", job_run_id, 1764064800000000, level, message, &id, &err), err);
    return id;
}

static void assert_log(const struct log_query *query, const char *expected)
{
    struct error err;
    json_t *rows = NULL, *row;
    char got[256] = "";
    size_t i;
    assert_ok(run_log_list(db, query, &rows, &err), err);
    json_array_foreach(rows, i, row)
    {
        strcat(got, i ? "|" : "");
        strcat(got, json_text(row, "message", "?"));
    }
    assert_string_equal(got, expected);
    json_decref(rows);
}

static void test_logs(void **state)
{
    (void)state;
    struct error err;
    json_t *rows = NULL;
    pipeline_run("r1", "p", "RUNNING", NULL);
    pipeline_run("r2", "p", "RUNNING", NULL);
    assert_ok(run_log_add(db, "r2", NULL, 1, "error", "of another run", NULL, &err), err);
    int64_t first = log_line(NULL, "info", "start");
    int64_t second = log_line("a", "debug", "Looking");
    log_line("b", "warning", "slow disk");
    log_line("a", "error", "DISK full");
    assert_true(second > first);
    assert_log(&(struct log_query){"r1", .limit = 10}, "start|Looking|slow disk|DISK full");
    assert_log(&(struct log_query){"r1", .limit = 2}, "start|Looking");
    assert_log(&(struct log_query){"r1", .limit = 2, .after = second}, "slow disk|DISK full");
    assert_log(&(struct log_query){"r1", "a", .limit = 10}, "Looking|DISK full");
    assert_log(&(struct log_query){NULL, "a", .limit = 10}, "Looking|DISK full");
    assert_log(&(struct log_query){"r2", "a", .limit = 10}, "");
    assert_log(&(struct log_query){"r1", .least_level = "debug", .limit = 10}, "start|Looking|slow disk|DISK full");
    assert_log(&(struct log_query){"r1", .least_level = "info", .limit = 10}, "start|slow disk|DISK full");
    assert_log(&(struct log_query){"r1", .least_level = "warning", .limit = 10}, "slow disk|DISK full");
    assert_log(&(struct log_query){"r1", .least_level = "error", .limit = 10}, "DISK full");
    assert_log(&(struct log_query){"r1", .contains = "disk", .limit = 10}, "slow disk|DISK full");
    assert_log(&(struct log_query){"r1", .contains = "%", .limit = 10}, "");
    assert_log(&(struct log_query){"r1", "b", "info", "DISK", first, 10}, "slow disk");
    assert_int_equal(run_log_list(db, &(struct log_query){"r1", .least_level = "loud", .limit = 1}, &rows, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.message, "loud"));
    assert_ok(run_log_list(db, &(struct log_query){"r1", .limit = 1}, &rows, &err), err);
    const json_t *row = json_array_get(rows, 0);
    assert_int_equal(json_int(row, "id", 0), first);
    assert_string_equal(json_text(row, "time", ""), "2025-11-25T10:00:00.000000Z");
    assert_string_equal(json_text(row, "level", ""), "info");
    assert_true(json_is_null(json_object_get(row, "job_run_id")));
    json_decref(rows);
    assert_int_equal(run_log_add(db, "r1", NULL, 1, "loud", "x", NULL, &err), ERR_INVALID);
    assert_int_equal(run_log_add(db, "nobody", NULL, 1, "info", "x", NULL, &err), ERR_CONFLICT);
}

static void test_log_bytes_that_are_no_text(void **state)
{
    (void)state;
    pipeline_run("r1", "p", "RUNNING", NULL);
    log_line(NULL, "info", "caf\xc3\xa9 \xff\xfe \xe6\x97 \xed\xa0\x80 \xf0\x9f\x98\x80 \xc3");
    assert_log(&(struct log_query){"r1", .limit = 1}, "caf\xc3\xa9 ?? ?? ??? \xf0\x9f\x98\x80 ?");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_job_runs),         TEST(test_open_runs), TEST(test_newest_runs),
        TEST(test_idempotency_keys), TEST(test_logs),      TEST(test_log_bytes_that_are_no_text),
    };
    return cmocka_run_group_tests_name("store/store_runs", tests, NULL, NULL);
}
