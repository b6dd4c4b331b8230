/* A commit with its files: done, refused, taken back. */
#include "orchestrate/housekeeping.h"
#include "sys/id.h"
#include "unit/orchestrate/commit_whole.h"

static struct home h;

static int set_up(void **state)
{
    if (make_root(state) != 0)
        return -1;
    home_open(&h, "home");
    seed(h.db);
    return 0;
}

static int tear_down(void **state)
{
    home_close(&h);
    return remove_root(state);
}

static void first(void)
{
    struct error err;
    add_run(h.db, JOB_INGEST, "r1");
    stage_result(&h, "r1", RESULT_1);
    assert_ok(commit_whole(&h, &h.lake, "r1", SNAPSHOT_NONE, RESULT_1, &err), err);
    sql(h.db, "UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED', state_name = 'Completed'");
}

static void test_two_runs(void **state)
{
    (void)state;
    struct error err;
    first();
    char *names = lake_names(&h);
    assert_string_equal(names, "bronze/orders/a.parquet\nbronze/orders/b.parquet\nlanding/shop/orders/a.csv\n"
                               "quarantine/job=j/dt=2026-11-25/run_id=r1/rejects-00000.parquet\n");
    free(names);
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    assert_ok(commit_whole(&h, &h.lake, "r2", 1, RESULT_2, &err), err);
    assert_int_equal(ask(h.db, "SELECT current_snapshot FROM metadata_catalog"), 2);
    assert_true(lake_has(&h, "bronze/orders/a.parquet")); /* until its grace is over */
    assert_true(lake_has(&h, "bronze/orders/x/b2.parquet"));
}

static void check_taken_back(struct storage *lake, const char *result, status expected)
{
    struct error err = {0};
    char *before = dump(h.db), *before_names = lake_names(&h);
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    if (strcmp(result, RESULT_2) != 0) /* one that was never staged */
        assert_ok(h.lake.ops->remove(h.lake.self, ".staging/r2/la2", &err), err);
    assert_int_equal(commit_whole(&h, lake, "r2", 1, RESULT_2, &err), expected);
    char *after = dump(h.db), *after_names = lake_names(&h);
    assert_string_equal(before, after);
    assert_string_equal(before_names, after_names);
    free(before);
    free(after);
    free(before_names);
    free(after_names);
}

static void test_a_lost_file(void **state)
{
    (void)state;
    first();
    check_taken_back(&h.lake, "lost", ERR_NOT_FOUND);
}

/* The disk fails once, at each of the moves in turn. */
static void test_a_failing_publish(void **state)
{
    (void)state;
    first();
    for (int n = 0; n < 4; n++) {
        struct dying d;
        struct storage lake = dying_lake(&d, &h, n, DIE_ONCE);
        check_taken_back(&lake, RESULT_2, ERR_IO);
        sql(h.db, "DELETE FROM layer_centric_ingest_runs WHERE id = 'r2'");
        sql(h.db, "DELETE FROM pipeline_runs WHERE id = 'p-r2'");
        if (d.calls_left >= 0)
            fail_msg("nothing failed at %d", n);
    }
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    struct error err;
    assert_ok(commit_whole(&h, &h.lake, "r2", 1, RESULT_2, &err), err);
}

static void test_a_refused_result_keeps_its_staging(void **state)
{
    (void)state;
    struct error err;
    first();
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    assert_int_equal(commit_whole(&h, &h.lake, "r2", 7, RESULT_2, &err), ERR_CHANGED);
    assert_true(lake_has(&h, ".staging/r2/a2"));
    assert_false(lake_has(&h, "bronze/orders/a2.parquet"));
}

static char told[512];

static void tell(void *self, const char *path)
{
    size_t used = strlen(told);
    (void)self;
    snprintf(told + used, sizeof told - used, "%s ", path);
}

static struct housekeeping_report keep_house(int64_t now, const char *uploads, bool orphans)
{
    struct error err;
    struct housekeeping_report report;
    const struct housekeeping_options options = {.now = now,
                                                 .grace_seconds = 10,
                                                 .uploads = uploads,
                                                 .orphan = orphans ? tell : NULL,
                                                 .lost = orphans ? tell : NULL};
    home_lend(&h);
    assert_ok(housekeeping_run(h.store, &h.lake, &options, &report, &err), err);
    home_take_back(&h);
    return report;
}

static void test_garbage(void **state)
{
    (void)state;
    struct error err;
    first();
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    assert_ok(commit_whole(&h, &h.lake, "r2", 1, RESULT_2, &err), err);
    assert_int_equal(keep_house(NOW + 9999999, NULL, false).files_removed, 0);
    assert_true(lake_has(&h, "bronze/orders/a.parquet"));
    /* one is gone already, as after a kill between the file and its row */
    assert_ok(h.lake.ops->remove(h.lake.self, "bronze/orders/b.parquet", &err), err);
    assert_int_equal(keep_house(NOW + 10000000, NULL, false).files_removed, 2);
    assert_false(lake_has(&h, "bronze/orders/a.parquet"));
    assert_int_equal(ask(h.db, "SELECT count(*) FROM manifest_files WHERE removed_at IS NOT NULL"), 0);
    assert_true(lake_has(&h, "landing/shop/orders/a.csv"));
    sql(h.db, "UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED'");
    struct housekeeping_report report = keep_house(NOW + (int64_t)8 * 86400 * 1000000, NULL, false);
    assert_int_equal(report.landing_expired, 2);
    assert_int_equal(report.files_removed, 2);
    assert_false(lake_has(&h, "landing/shop/orders/a.csv"));
    assert_true(lake_has(&h, "bronze/orders/a2.parquet"));
    assert_true(lake_has(&h, "quarantine/job=j/dt=2026-11-25/run_id=r1/rejects-00000.parquet"));
}

static void test_orphans_are_told_and_stay(void **state)
{
    (void)state;
    struct error err;
    const struct storage_move move = {".staging/x/f", "bronze/orders/stray.parquet"};
    first();
    stage(&h, "x", "f");
    assert_ok(h.lake.ops->publish(h.lake.self, &move, 1, &err), err);
    told[0] = '\0';
    assert_int_equal(keep_house(NOW, NULL, true).orphans, 1);
    assert_string_equal(told, "bronze/orders/stray.parquet ");
    assert_true(lake_has(&h, "bronze/orders/stray.parquet"));
}

static void test_lost_files_are_told(void **state)
{
    (void)state;
    struct error err;
    first();
    told[0] = '\0';
    assert_int_equal(keep_house(NOW, NULL, true).lost, 0);
    assert_ok(h.lake.ops->remove(h.lake.self, "bronze/orders/b.parquet", &err), err);
    assert_int_equal(keep_house(NOW, NULL, true).lost, 1);
    assert_string_equal(told, "bronze/orders/b.parquet ");
    /* a commit that is not published yet has no files there */
    told[0] = '\0';
    sql(h.db, "UPDATE layer_centric_ingest_runs SET commit_state = 'committed'");
    assert_int_equal(keep_house(NOW, NULL, true).lost, 0);
    sql(h.db, "UPDATE layer_centric_ingest_runs SET commit_state = 'published'");
    /* nor has one that was removed */
    sql(h.db, "UPDATE manifest_files SET removed_at = 1, removed_snapshot = 1 WHERE path = 'bronze/orders/b.parquet'");
    assert_int_equal(keep_house(2, NULL, true).lost, 0);
}

static void put(const char *folder, const char *id, int age)
{
    char path[400];
    snprintf(path, sizeof path, "touch -d '-%d seconds' %s/%s.part", age, folder, id);
    assert_int_equal(system(path), 0);
}

static void test_uploads_that_were_given_up(void **state)
{
    (void)state;
    struct error err;
    char folder[200], path[400], ids[4][ID_CAP];
    snprintf(folder, sizeof folder, "%s/uploads", h.path);
    assert_int_equal(mkdir(folder, 0777), 0);
    static const struct {
        const char *state;
        int age_of_row, age_of_file; /* hours */
        bool stays;
    } uploads[4] = {{"receiving", 25, 25, false},
                    {"receiving", 23, 23, true},
                    {"complete", 99, 99, true},
                    {"receiving", 99, 1, true}}; /* bytes still come */
    for (int i = 0; i < 4; i++) {
        id_make(ids[i]);
        put(folder, ids[i], uploads[i].age_of_file * 3600);
        assert_ok(db_run(h.db, "INSERT INTO uploads (id, filename, state, created_at) VALUES (?1, 'f', ?2, ?3)",
                         DB_BINDS(db_text(ids[i]), db_text(uploads[i].state),
                                  db_int(NOW - (int64_t)uploads[i].age_of_row * 3600 * 1000000)),
                         NULL, &err),
                  err);
    }
    assert_int_equal(keep_house(NOW, folder, false).uploads_removed, 1);
    for (int i = 0; i < 4; i++) {
        int64_t rows = 0;
        snprintf(path, sizeof path, "%s/%s.part", folder, ids[i]);
        assert_int_equal(access(path, F_OK) == 0, uploads[i].stays);
        assert_ok(
            db_integer(h.db, "SELECT count(*) FROM uploads WHERE id = ?1", DB_BINDS(db_text(ids[i])), 0, &rows, &err),
            err);
        assert_int_equal(rows, uploads[i].stays);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_runs),
        TEST(test_a_lost_file),
        TEST(test_a_failing_publish),
        TEST(test_a_refused_result_keeps_its_staging),
        TEST(test_garbage),
        TEST(test_orphans_are_told_and_stay),
        TEST(test_lost_files_are_told),
        TEST(test_uploads_that_were_given_up),
    };
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
