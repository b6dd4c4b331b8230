/* A home whose server was killed: after each step of a commit the next start makes of it what an uninterrupted run
 * makes, or what was before it. */
#include "orchestrate/recovery.h"
#include "unit/orchestrate/commit_whole.h"

static int set_up(void **state)
{
    return make_root(state);
}

static int tear_down(void **state)
{
    return remove_root(state);
}

static struct recovery_report recover(struct home *h)
{
    struct error err;
    struct recovery_report report;
    home_lend(h);
    assert_ok(recovery_run(h->store, &h->lake, NOW, &report, &err), err);
    home_take_back(h);
    return report;
}

/* r1 is published, r2 has staged RESULT_2 and has not committed. */
static void make_base(void)
{
    struct error err;
    struct home h;
    home_open(&h, "base");
    seed(h.db);
    add_run(h.db, JOB_INGEST, "r1");
    stage_result(&h, "r1", RESULT_1);
    assert_ok(commit_whole(&h, &h.lake, "r1", SNAPSHOT_NONE, RESULT_1, &err), err);
    sql(h.db, "UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED', state_name = 'CompletedWithRejects'");
    sql(h.db, "UPDATE pipeline_runs SET state_type = 'COMPLETED', state_name = 'CompletedWithRejects'");
    add_run(h.db, JOB_INGEST, "r2");
    stage_result(&h, "r2", RESULT_2);
    stage(&h, "r3", "of/a/run/that/nobody/knows");
    home_close(&h);
}

/* How far r2 came before the kill. */
enum point { STAGED, RECORDED, MOVED_1, MOVED_2, MOVED_ALL, PUBLISHED, DISCARDED, POINTS };

static void advance(struct home *h, enum point point)
{
    struct error err;
    static const struct publish_file moves[] = {{"a2", "bronze/orders/a2.parquet"},
                                                {"x/b2", "bronze/orders/x/b2.parquet"},
                                                {"la2", "landing/shop/orders/a2.csv"}};
    if (point >= RECORDED)
        record(h->db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    if (point >= MOVED_1)
        assert_ok(publish_files(&h->lake, "r2", moves, point - MOVED_1 < 2 ? point - MOVED_1 + 1 : 3, &err), err);
    if (point >= PUBLISHED) {
        assert_ok(db_begin(h->db, &err), err);
        assert_ok(commit_publish_record(h->db, JOB_INGEST, "r2", NOW, &err), err);
        sql(h->db, "UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED', state_name = 'Completed', "
                   "ended_at = 1 WHERE id = 'r2'");
        assert_ok(db_commit(h->db, &err), err);
    }
    if (point >= DISCARDED)
        assert_ok(publish_discard(&h->lake, "r2", &err), err);
}

struct picture {
    char *books, *files;
};

static struct picture picture_of(struct home *h)
{
    return (struct picture){dump(h->db), lake_names(h)};
}

static void picture_release(struct picture *p)
{
    free(p->books);
    free(p->files);
}

static void assert_same(const struct picture *a, const struct picture *b, const char *what, int point)
{
    if (strcmp(a->books, b->books) != 0)
        fail_msg("%s at %d\n%s\nis not\n%s", what, point, a->books, b->books);
    if (strcmp(a->files, b->files) != 0)
        fail_msg("%s at %d\n%s\nis not\n%s", what, point, a->files, b->files);
}

/* What r2 makes when nothing happens, and what is without it; nothing staged either way. */
static void expected_pictures(struct picture *with, struct picture *without)
{
    struct error err;
    struct home h;
    home_copy("base", "with");
    home_open(&h, "with");
    advance(&h, DISCARDED);
    assert_ok(publish_discard(&h.lake, "r3", &err), err);
    *with = picture_of(&h);
    home_close(&h);
    home_copy("base", "without");
    home_open(&h, "without");
    assert_ok(publish_discard(&h.lake, "r2", &err), err);
    assert_ok(publish_discard(&h.lake, "r3", &err), err);
    *without = picture_of(&h);
    home_close(&h);
}

static void check_states(struct home *h, enum point point)
{
    assert_text(h->db, "SELECT state_type FROM layer_centric_ingest_runs WHERE id = 'r2'",
                point == STAGED ? "CRASHED" : "COMPLETED");
    assert_text(h->db, "SELECT state_name FROM pipeline_runs WHERE id = 'p-r2'",
                point == STAGED ? "Crashed" : "Completed");
    assert_text(h->db, "SELECT state_name FROM pipeline_runs WHERE id = 'p-r1'", "CompletedWithRejects");
    assert_int_equal(ask(h->db, "SELECT ended_at IS NOT NULL FROM pipeline_runs WHERE id = 'p-r2'"), 1);
    assert_int_equal(ask(h->db, "SELECT rows_written FROM pipeline_runs WHERE id = 'p-r2'"), point == STAGED ? 0 : 5);
    assert_int_equal(ask(h->db, "SELECT jobs_completed FROM pipeline_runs WHERE id = 'p-r2'"), point != STAGED);
    if (point == STAGED) {
        assert_text(h->db, "SELECT error->>'code' FROM layer_centric_ingest_runs WHERE id = 'r2'", "crashed");
        assert_text(h->db, "SELECT error->>'code' FROM pipeline_runs WHERE id = 'p-r2'", "crashed");
    }
}

static void test_every_point(void **state)
{
    (void)state;
    struct picture with, without;
    make_base();
    expected_pictures(&with, &without);
    for (int point = STAGED; point < POINTS; point++) {
        struct home h;
        home_copy("base", "case");
        home_open(&h, "case");
        advance(&h, point);
        home_close(&h); /* the kill */
        home_open(&h, "case");
        struct recovery_report report = recover(&h);
        assert_int_equal(report.published, point >= RECORDED && point < PUBLISHED);
        assert_int_equal(report.crashed, point == STAGED);
        for (int again = 0; again < 2; again++) {
            struct picture now = picture_of(&h);
            assert_same(&now, point == STAGED ? &without : &with, "the home", point);
            picture_release(&now);
            check_states(&h, point);
            report = recover(&h); /* finds nothing to do */
            assert_int_equal(report.published + report.undone + report.crashed, 0);
        }
        home_close(&h);
    }
    picture_release(&with);
    picture_release(&without);
}

/* The recovery in a process of its own, which is killed at its n-th change of the lake. True: it came to its end. */
static bool recover_killed(const char *name, int n)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct home h;
        struct error err;
        struct dying d;
        home_open(&h, name);
        home_lend(&h);
        struct storage lake = dying_lake(&d, &h, n, DIE_KILLED);
        _exit(recovery_run(h.store, &lake, NOW, NULL, &err) == OK ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_true(WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == 99);
    return WEXITSTATUS(how) == 0;
}

static void test_killed_recoveries(void **state)
{
    (void)state;
    struct picture with, without;
    int kills = 0;
    make_base();
    expected_pictures(&with, &without);
    for (int point = STAGED; point < POINTS; point++)
        for (int n = 0; n < 12; n++) {
            struct home h;
            home_copy("base", "case");
            home_open(&h, "case");
            advance(&h, point);
            home_close(&h);
            bool whole = recover_killed("case", n);
            kills += !whole;
            home_open(&h, "case");
            recover(&h);
            struct picture now = picture_of(&h);
            assert_same(&now, point == STAGED ? &without : &with, "after a killed recovery", point * 100 + n);
            picture_release(&now);
            check_states(&h, point);
            home_close(&h);
            if (whole)
                break;
        }
    assert_true(kills >= 10);
    picture_release(&with);
    picture_release(&without);
}

static void check_lost(enum point point, const char *lost)
{
    struct picture with, without;
    make_base();
    expected_pictures(&with, &without);
    for (int n = 0; n < 12; n++) {
        struct error err;
        struct home h;
        home_copy("base", "case");
        home_open(&h, "case");
        advance(&h, point);
        assert_ok(h.lake.ops->remove(h.lake.self, lost, &err), err);
        home_close(&h);
        bool whole = recover_killed("case", n);
        home_open(&h, "case");
        struct recovery_report report = recover(&h);
        if (!whole && n == 0)
            assert_int_equal(report.undone, 1);
        struct picture now = picture_of(&h);
        assert_same(&now, &without, "after a loss", n);
        picture_release(&now);
        assert_text(h.db, "SELECT state_type FROM layer_centric_ingest_runs WHERE id = 'r2'", "FAILED");
        assert_text(h.db, "SELECT error->>'code' FROM layer_centric_ingest_runs WHERE id = 'r2'", "lost_staging");
        assert_text(h.db, "SELECT commit_state FROM layer_centric_ingest_runs WHERE id = 'r2'", "undone");
        assert_text(h.db, "SELECT state_type FROM pipeline_runs WHERE id = 'p-r2'", "FAILED");
        assert_int_equal(ask(h.db, "SELECT jobs_failed FROM pipeline_runs WHERE id = 'p-r2'"), 1);
        home_close(&h);
        if (whole)
            break;
    }
    picture_release(&with);
    picture_release(&without);
}

static void test_a_staged_file_is_lost(void **state)
{
    (void)state;
    check_lost(MOVED_1, ".staging/r2/x/b2");
}

static void test_a_moved_file_is_lost(void **state)
{
    (void)state;
    check_lost(MOVED_ALL, "landing/shop/orders/a2.csv");
}

static void test_a_name_is_taken(void **state)
{
    (void)state;
    struct error err;
    struct home h;
    const struct publish_file stray = {"f", "bronze/orders/a2.parquet"};
    make_base();
    home_open(&h, "base");
    record(h.db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    stage(&h, "x", "f");
    assert_ok(publish_files(&h.lake, "x", &stray, 1, &err), err);
    struct recovery_report report = recover(&h);
    assert_int_equal(report.undone, 1);
    assert_true(lake_has(&h, "bronze/orders/a2.parquet")); /* not ours */
    assert_text(h.db, "SELECT error->>'code' FROM layer_centric_ingest_runs WHERE id = 'r2'", "exists");
    assert_int_equal(ask(h.db, "SELECT current_snapshot FROM metadata_catalog"), 1);
    home_close(&h);
}

static void test_a_disk_that_does_not_answer(void **state)
{
    (void)state;
    struct error err;
    struct home h;
    struct dying d;
    make_base();
    home_open(&h, "base");
    record(h.db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    struct picture before = picture_of(&h);
    home_lend(&h);
    struct storage lake = dying_lake(&d, &h, 0, DIE_FOR_GOOD);
    assert_int_equal(recovery_run(h.store, &lake, NOW, NULL, &err), ERR_IO);
    home_take_back(&h);
    struct picture after = picture_of(&h);
    assert_same(&before, &after, "a home without its disk", 0);
    assert_text(h.db, "SELECT state_type FROM layer_centric_ingest_runs WHERE id = 'r2'", "RUNNING");
    picture_release(&before);
    picture_release(&after);
    home_close(&h);
}

/* Neither publishing nor taking back works: the commit stays for the next start, and nobody else commits until then. */
static void test_a_commit_that_is_left(void **state)
{
    (void)state;
    struct error err;
    struct home h;
    struct picture with, without;
    make_base();
    expected_pictures(&with, &without);
    for (int n = 0; n < 4; n++) {
        struct dying d;
        home_copy("base", "case");
        home_open(&h, "case");
        struct storage lake = dying_lake(&d, &h, n, DIE_FOR_GOOD);
        assert_int_equal(commit_whole(&h, &lake, "r2", 1, RESULT_2, &err), ERR_IO);
        /* With nothing moved there is nothing to take back. */
        assert_text(h.db, "SELECT commit_state FROM layer_centric_ingest_runs WHERE id = 'r2'",
                    n > 0 ? "committed" : "undone");
        add_run(h.db, JOB_INGEST, "r9");
        if (n > 0)
            assert_int_equal(record_error(h.db, JOB_INGEST, "r9", 1, RESULT_FULL, NOW, &err), ERR_CHANGED);
        home_close(&h);
        home_open(&h, "case");
        recover(&h);
        struct picture now = picture_of(&h);
        assert_same(&now, n == 0 ? &without : &with, "a commit that was left", n);
        picture_release(&now);
        home_close(&h);
    }
    picture_release(&with);
    picture_release(&without);
}

/* A pipeline run with several jobs: what each has come to, and what the whole is then. */
static void test_pipeline_runs(void **state)
{
    (void)state;
    static const struct {
        const char *pipeline;  /* its state */
        const char *jobs[3];   /* theirs; the last one is a dataset run */
        const char *whole;     /* what becomes of it */
        const char *job_three; /* and of the dataset run */
    } cases[] = {
        {"RUNNING", {"COMPLETED", "RUNNING", "PENDING"}, "CRASHED", "CRASHED"},
        {"RUNNING", {"COMPLETED", "COMPLETED", "SCHEDULED"}, "CRASHED", "CRASHED"},
        {"RUNNING", {"COMPLETED", "COMPLETED", "COMPLETED"}, "COMPLETED", "COMPLETED"},
        {"RUNNING", {"COMPLETED", "FAILED", "FAILED"}, "FAILED", "FAILED"},
        {"CANCELLING", {"COMPLETED", "CANCELLED", "CANCELLED"}, "CANCELLED", "CANCELLED"},
        {"CANCELLING", {"COMPLETED", "CANCELLING", "CANCELLED"}, "CANCELLED", "CANCELLED"},
        {"CANCELLING", {"COMPLETED", "COMPLETED", "PENDING"}, "CANCELLED", "CANCELLED"}, /* not all was told yet */
        {"RUNNING", {"COMPLETED", "COMPLETED", "CANCELLING"}, "CANCELLED", "CANCELLED"}, /* one job was cancelled */
        {"RUNNING", {"RUNNING", "COMPLETED", "CANCELLING"}, "CRASHED", "CANCELLED"},
        {"PENDING", {"PENDING", "PENDING", "PENDING"}, "CRASHED", "CRASHED"},
        {"FAILED", {"FAILED", "FAILED", "COMPLETED"}, "FAILED", "COMPLETED"},
    };
    struct error err;
    struct home h;
    home_open(&h, "base");
    seed(h.db);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[600], id[32];
        for (int k = 0; k < 3; k++) {
            snprintf(id, sizeof id, "%zu-%d", i, k);
            add_run(h.db, k < 2 ? JOB_INGEST : JOB_DATASET, id);
            snprintf(text, sizeof text, "UPDATE %s SET state_type = '%s', pipeline_run_id = 'p-%zu-0' WHERE id = '%s'",
                     k < 2 ? "layer_centric_ingest_runs" : "dataset_runs", cases[i].jobs[k], i, id);
            sql(h.db, text);
            snprintf(text, sizeof text, "UPDATE pipeline_runs SET state_type = '%s' WHERE id = 'p-%s'",
                     k == 0 ? cases[i].pipeline : "COMPLETED", id);
            sql(h.db, text);
        }
    }
    assert_ok(run_input_pin(h.db, "0-2", "x", 1, &err), err);
    struct recovery_report report = recover(&h);
    assert_int_equal(report.crashed, 2 + 1 + 1 + 3);
    assert_int_equal(report.cancelled, 1 + 1 + 1 + 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "SELECT state_type FROM pipeline_runs WHERE id = 'p-%zu-0'", i);
        assert_text(h.db, text, cases[i].whole);
        snprintf(text, sizeof text, "SELECT state_type FROM dataset_runs WHERE id = '%zu-2'", i);
        assert_text(h.db, text, cases[i].job_three);
    }
    assert_int_equal(ask(h.db, "SELECT count(*) FROM run_inputs"), 0);
    assert_int_equal(ask(h.db, "SELECT count(*) FROM run_logs"), 10);
    assert_int_equal(ask(h.db, "SELECT jobs_failed FROM pipeline_runs WHERE id = 'p-0-0'"), 2);
    home_close(&h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_point),           TEST(test_killed_recoveries), TEST(test_a_staged_file_is_lost),
        TEST(test_a_moved_file_is_lost),  TEST(test_a_name_is_taken),   TEST(test_a_disk_that_does_not_answer),
        TEST(test_a_commit_that_is_left), TEST(test_pipeline_runs),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
