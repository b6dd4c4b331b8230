/* The books of the lake: what a commit writes, what it refuses, what undo puts back, what is garbage. */
#include "unit/store/lake_books.h"

static struct store *store;
static struct db *db;

static int set_up(void **state)
{
    struct error err;
    if (make_root(state) != 0 || store_open(&store, at("flowforge.db"), &err) != OK ||
        store_writer(store, &db, &err) != OK)
        return -1;
    seed(db);
    return 0;
}

static int tear_down(void **state)
{
    store_give_back(store, db);
    store_close(store);
    return remove_root(state);
}

static void first(void)
{
    add_run(db, JOB_INGEST, "r1");
    record(db, JOB_INGEST, "r1", SNAPSHOT_NONE, RESULT_1, NOW);
    publish_record(db, JOB_INGEST, "r1", NOW);
}

static json_t *orders(void)
{
    struct error err;
    json_t *row = NULL;
    assert_ok(dataset_find(db, "bronze", "orders", &row, &err), err);
    return row;
}

/* "a.parquet b.parquet " of a snapshot, without the folder. */
static const char *files_at(int64_t snapshot)
{
    static char names[512];
    struct error err;
    json_t *row = orders(), *files = NULL, *file;
    size_t i;
    assert_ok(dataset_files(db, json_text(row, "id", ""), snapshot, &files, &err), err);
    names[0] = '\0';
    json_array_foreach(files, i, file)
    {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s ", json_text(file, "path", "") + strlen("bronze/orders/"));
    }
    json_decref(files);
    json_decref(row);
    return names;
}

static void test_first_commit(void **state)
{
    (void)state;
    struct error err;
    add_run(db, JOB_INGEST, "r1");
    record(db, JOB_INGEST, "r1", SNAPSHOT_NONE, RESULT_1, NOW);
    json_t *row = orders();
    assert_true(json_is_null(json_object_get(row, "current_snapshot"))); /* nobody sees it */
    assert_int_equal(json_int(row, "row_count", -1), 0);
    assert_int_equal(json_array_size(json_object_get(row, "schema")), 0);
    json_decref(row);
    json_t *files = NULL, *waiting = NULL;
    assert_ok(commit_files(db, "r1", &files, &err), err);
    assert_int_equal(json_array_size(files), 4);
    assert_string_equal(json_text(json_array_get(files, 3), "staged", ""), "q");
    json_decref(files);
    assert_ok(commits_unpublished(db, &waiting, &err), err);
    assert_int_equal(json_array_size(waiting), 1);
    assert_string_equal(json_text(json_array_get(waiting, 0), "kind", ""), "ingest");
    assert_int_equal(json_int(json_array_get(waiting, 0), "rows_rejected", 0), 1);
    json_decref(waiting);

    publish_record(db, JOB_INGEST, "r1", NOW + 1);
    row = orders();
    assert_int_equal(json_int(row, "current_snapshot", -1), 1);
    assert_int_equal(json_int(row, "row_count", -1), 10);
    assert_int_equal(json_int(row, "byte_count", -1), 100);
    assert_int_equal(json_int(row, "file_count", -1), 2);
    assert_string_equal(json_text(row, "path", ""), "bronze/orders");
    assert_string_equal(json_text(row, "environment", ""), "production");
    assert_string_equal(json_text(row, "last_run_id", ""), "r1");
    assert_int_equal(json_array_size(json_object_get(row, "schema")), 1);
    json_decref(row);
    assert_string_equal(files_at(1), "a.parquet b.parquet ");
    assert_int_equal(ask(db, "SELECT count(*) FROM commit_undo"), 0);

    json_t *run = run_of(db, JOB_INGEST, "r1");
    assert_string_equal(json_text(run, "commit_state", ""), "published");
    assert_int_equal(json_int(run, "rows_read", 0), 12);
    assert_int_equal(json_int(run, "rows_deduped", 0), 1);
    assert_int_equal(json_array_size(json_object_get(run, "output_keys")), 2);
    assert_string_equal(json_text(run, "watermark_after", ""), "10");
    assert_null(json_text(run, "watermark_before", NULL));
    assert_int_equal(json_int(json_object_get(json_object_get(run, "report"), "rejects_by_code"), "CAST", 0), 1);
    json_decref(run);

    json_t *mark = NULL, *ledger = NULL;
    assert_ok(watermark_get(db, "j", &mark, &err), err);
    assert_string_equal(json_text(mark, "value", ""), "10");
    assert_int_equal(json_array_size(json_object_get(mark, "ties")), 1);
    json_decref(mark);
    assert_ok(ledger_list(db, "j", &ledger, &err), err);
    assert_int_equal(json_array_size(ledger), 2);
    assert_int_equal(json_int(json_array_get(ledger, 0), "mtime_ns", 0), 1764000000123456789);
    json_decref(ledger);
    assert_ok(watermark_reset(db, "j", &err), err);
    assert_ok(watermark_get(db, "j", &mark, &err), err);
    assert_null(mark);
}

static void test_snapshots(void **state)
{
    (void)state;
    struct error err;
    first();
    add_run(db, JOB_INGEST, "r2");
    record(db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    assert_string_equal(files_at(1), "a.parquet b.parquet ");
    json_t *row = orders();
    assert_int_equal(json_array_size(json_object_get(row, "schema")), 1); /* still that of snapshot 1 */
    json_decref(row);
    publish_record(db, JOB_INGEST, "r2", NOW);
    assert_string_equal(files_at(1), "a.parquet b.parquet ");
    assert_string_equal(files_at(2), "a2.parquet x/b2.parquet ");
    row = orders();
    assert_int_equal(json_int(row, "row_count", -1), 9);
    assert_int_equal(json_array_size(json_object_get(row, "schema")), 2);
    json_decref(row);
    assert_int_equal(ask(db, "SELECT rows_replaced FROM layer_centric_ingest_runs WHERE id = 'r2'"), 6);
    assert_int_equal(ask(db, "SELECT count(*) FROM ingest_ledger"), 3);

    add_run(db, JOB_INGEST, "r3");
    record(db, JOB_INGEST, "r3", 2, RESULT_FULL, NOW);
    publish_record(db, JOB_INGEST, "r3", NOW);
    assert_string_equal(files_at(2), "a2.parquet x/b2.parquet ");
    assert_string_equal(files_at(3), "f.csv ");
    assert_int_equal(ask(db, "SELECT count(*) FROM ingest_ledger"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM watermarks"), 0);
    assert_int_equal(ask(db, "SELECT last_watermark_value IS NULL FROM layer_centric_ingest_jobs"), 1);
    row = orders();
    assert_string_equal(json_text(row, "format", ""), "csv");
    json_t *history = NULL;
    assert_ok(dataset_schemas(db, json_text(row, "id", ""), &history, &err), err);
    assert_int_equal(json_array_size(history), 3);
    json_decref(history);
    json_decref(row);
}

static void test_dataset_job(void **state)
{
    (void)state;
    struct error err;
    for (int i = 0; i < 2; i++) {
        static const char *const ids[] = {"s1", "s2"}, *const paths[] = {"s.parquet", "t.parquet"};
        char text[2048] = RESULT_SALES;
        char *path = strstr(text, "s.parquet");
        memcpy(path, paths[i], strlen(paths[i]));
        add_run(db, JOB_DATASET, ids[i]);
        record(db, JOB_DATASET, ids[i], i ? 1 : SNAPSHOT_NONE, text, NOW);
        publish_record(db, JOB_DATASET, ids[i], NOW);
    }
    json_t *row = NULL, *history = NULL;
    assert_ok(dataset_find(db, "silver", "sales", &row, &err), err);
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "parent_tables"), 0)), "bronze.orders");
    assert_int_equal(json_int(row, "current_snapshot", 0), 2);
    assert_ok(dataset_schemas(db, json_text(row, "id", ""), &history, &err), err);
    assert_int_equal(json_array_size(history), 1); /* unchanged */
    json_decref(history);
    json_decref(row);
}

static void check_undo(const char *name, const char *run, int64_t base, const char *result)
{
    struct error err;
    char *before = dump(db);
    add_run(db, JOB_INGEST, run);
    record(db, JOB_INGEST, run, base, result, NOW + 5);
    char *between = dump(db);
    assert_string_not_equal(before, between);
    assert_ok(db_begin(db, &err), err);
    assert_ok(commit_undo(db, JOB_INGEST, run, &err), err);
    assert_ok(db_commit(db, &err), err);
    char *after = dump(db);
    if (strcmp(before, after) != 0)
        fail_msg("%s\nbefore:\n%s\nafter:\n%s", name, before, after);
    json_t *row = run_of(db, JOB_INGEST, run);
    assert_string_equal(json_text(row, "commit_state", ""), "undone");
    assert_int_equal(json_int(row, "rows_written", -1), 0);
    json_decref(row);
    assert_int_equal(commit_undo(db, JOB_INGEST, run, &err), ERR_CONFLICT);
    /* a later attempt of the same run may commit */
    record(db, JOB_INGEST, run, base, result, NOW + 5);
    free(before);
    free(between);
    free(after);
}

static void test_undo_of_a_first_commit(void **state)
{
    (void)state;
    check_undo("first", "r1", SNAPSHOT_NONE, RESULT_1);
}

static void test_undo_of_a_merge(void **state)
{
    (void)state;
    first();
    check_undo("merge", "r2", 1, RESULT_2);
}

static void test_undo_of_a_replacement(void **state)
{
    (void)state;
    first();
    check_undo("full", "r2", 1, RESULT_FULL);
}

/* What stands in RESULT_2 for what, and how the commit ends then. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        status expected;
        const char *says;
    } cases[] = {
        {"'read': 5", "'read': 6", ERR_ACCOUNTING, "rows read is 6"},
        {"'written': 5", "'written': 6", ERR_ACCOUNTING, "rows read"},
        {"'rows': 5, 'bytes': 45", "'rows': 6, 'bytes': 45", ERR_ACCOUNTING, "sum of the new files"},
        {"'replaced': 6", "'replaced': 5", ERR_ACCOUNTING, "replaced 5 rows"},
        {"'removes': [1, 2]", "'removes': [1]", ERR_ACCOUNTING, "replaced"},
        {"'rows': 4, 'bytes': 44", "'rows': 3, 'bytes': 44", ERR_ACCOUNTING, "carry on"},
        {"'rewrites': 2", "'rewrites': 3", ERR_ACCOUNTING, "rewrites file 3"},
        {"'read': 5, 'written': 5, 'rejected': 0", "'read': 6, 'written': 5, 'rejected': 1", ERR_ACCOUNTING,
         "rejected rows is 1"},
        {"[1, 2]", "[1, 2, 2]", ERR_CHANGED, "file 2"},
        {"[1, 2]", "[1, 2, 4]", ERR_CHANGED, "file 4"}, /* a quarantine file */
        {"[1, 2]", "[1, 2, 99]", ERR_CHANGED, "file 99"},
        {"[1, 2]", "[1, '2']", ERR_INTERNAL, "not a number"},
        {"bronze/orders/a2", "bronze/other/a2", ERR_INTERNAL, "does not lie below"},
        {"bronze/orders/a2", "bronze/orders/../a2", ERR_INTERNAL, "plain"},
        {"bronze/orders/a2", "bronze/orders/.a2", ERR_INTERNAL, "plain"},
        {"'bronze/orders/a2", "'/bronze/orders/a2", ERR_INTERNAL, "plain"},
        {"bronze/orders/a2.parquet", "bronze/orders/x/b2.parquet", ERR_INTERNAL, "twice"},
        {"'staged': 'a2'", "'staged': 'x/b2'", ERR_INTERNAL, "twice"},
        {"'staged': 'a2'", "'staged': '../r1/a2'", ERR_INTERNAL, "plain"},
        {"bronze/orders/a2.parquet", "bronze/orders/a.parquet", ERR_CONFLICT, ""},
        {"landing/shop/orders/a2", "landing/shop/other/a2", ERR_INTERNAL, "does not lie below"},
        {"'layer': 'landing'", "'layer': 'gold'", ERR_INTERNAL, "does not lie below"},
        {"'rows': 5, 'bytes': 45", "'rows': -5, 'bytes': 45", ERR_INTERNAL, "count"},
        {"'value': '20'", "'value': 20", ERR_INTERNAL, "watermark"},
        {"'size': 55", "'size': '55'", ERR_INTERNAL, "ledger"},
    };
    first();
    add_run(db, JOB_INGEST, "r2");
    char *before = dump(db);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct buf text = {0};
        const char *at_from = strstr(RESULT_2, cases[i].from);
        assert_non_null(at_from);
        assert_ok(buf_printf(&text, &err, "%.*s%s%s", (int)(at_from - RESULT_2), RESULT_2, cases[i].to,
                             at_from + strlen(cases[i].from)),
                  err);
        assert_ok(buf_append(&text, "", 1, &err), err);
        status s = record_error(db, JOB_INGEST, "r2", 1, (char *)text.data, NOW, &err);
        if (s != cases[i].expected || !strstr(err.message, cases[i].says))
            fail_msg("%s -> %s: %s (%s)", cases[i].from, cases[i].to, status_slug(s), err.message);
        buf_release(&text);
        char *after = dump(db);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
}

static void test_the_target_has_to_be_as_it_was(void **state)
{
    (void)state;
    struct error err;
    first();
    add_run(db, JOB_INGEST, "r2");
    assert_int_equal(record_error(db, JOB_INGEST, "r2", SNAPSHOT_NONE, RESULT_2, NOW, &err), ERR_CHANGED);
    assert_int_equal(record_error(db, JOB_INGEST, "r2", 2, RESULT_2, NOW, &err), ERR_CHANGED);
    record(db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    assert_int_equal(record_error(db, JOB_INGEST, "r2", 1, RESULT_2, NOW, &err), ERR_CONFLICT); /* twice */
    add_run(db, JOB_INGEST, "r3");
    assert_int_equal(record_error(db, JOB_INGEST, "r3", 1, RESULT_FULL, NOW, &err), ERR_CHANGED);
    assert_non_null(strstr(err.message, "not published yet"));
    publish_record(db, JOB_INGEST, "r2", NOW);
    assert_int_equal(commit_publish_record(db, JOB_INGEST, "r2", NOW, &err), ERR_CONFLICT);
    assert_int_equal(commit_publish_record(db, JOB_INGEST, "none", NOW, &err), ERR_NOT_FOUND);
    assert_int_equal(record_error(db, JOB_INGEST, "r3", 1, RESULT_FULL, NOW, &err), ERR_CHANGED);
    record(db, JOB_INGEST, "r3", 2, RESULT_FULL, NOW);
}

static size_t garbage(int64_t until, int64_t after, size_t limit)
{
    struct error err;
    json_t *rows = NULL;
    assert_ok(garbage_list(db, until, after, limit, &rows, &err), err);
    size_t count = json_array_size(rows);
    json_decref(rows);
    return count;
}

static void test_garbage(void **state)
{
    (void)state;
    struct error err;
    first();
    json_t *row = orders();
    const char *id = json_text(row, "id", "");
    assert_int_equal(garbage(NOW + 100, 0, 10), 0);
    add_run(db, JOB_DATASET, "reader");
    assert_ok(run_input_pin(db, "reader", id, 1, &err), err);
    assert_ok(run_input_pin(db, "reader", id, 1, &err), err);
    add_run(db, JOB_INGEST, "r2");
    record(db, JOB_INGEST, "r2", 1, RESULT_2, NOW);
    assert_int_equal(garbage(NOW + 100, 0, 10), 0); /* not published */
    publish_record(db, JOB_INGEST, "r2", NOW);
    assert_int_equal(garbage(NOW + 100, 0, 10), 0); /* pinned */
    assert_ok(run_inputs_unpin(db, "reader", &err), err);
    assert_ok(run_input_pin(db, "reader", id, 2, &err), err);
    assert_int_equal(garbage(NOW - 1, 0, 10), 0); /* grace */
    assert_int_equal(garbage(NOW, 0, 10), 2);
    assert_int_equal(garbage(NOW, 0, 1), 1);
    assert_int_equal(garbage(NOW, 1, 10), 1);
    assert_ok(garbage_forget(db, 1, &err), err);
    assert_ok(garbage_forget(db, 5, &err), err); /* a current one: stays */
    assert_int_equal(garbage(NOW, 0, 10), 1);
    assert_string_equal(files_at(2), "a2.parquet x/b2.parquet ");
    bool known = true;
    assert_ok(manifest_knows(db, "bronze/orders/a.parquet", &known, &err), err);
    assert_false(known);
    assert_ok(manifest_knows(db, "bronze/orders/b.parquet", &known, &err), err);
    assert_true(known);
    json_decref(row);
}

static void test_landing_retention(void **state)
{
    (void)state;
    struct error err;
    int64_t count = -1, days = (int64_t)86400 * 1000000;
    first();
    assert_ok(landing_expire(db, NOW + 8 * days, &count, &err), err);
    assert_int_equal(count, 0); /* r1 is still open */
    sql(db, "UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED', state_name = 'Completed'");
    assert_ok(landing_expire(db, NOW + 7 * days - 1, &count, &err), err);
    assert_int_equal(count, 0);
    assert_ok(landing_expire(db, NOW + 7 * days, &count, &err), err);
    assert_int_equal(count, 1);
    assert_int_equal(garbage(0, 0, 10), 1); /* at once */
    assert_ok(landing_expire(db, NOW + 9 * days, &count, &err), err);
    assert_int_equal(count, 0);
}

static int64_t count_of(const char *sql)
{
    struct error err;
    int64_t count = -1;
    assert_ok(db_integer(db, sql, DB_NO_BINDS, 0, &count, &err), err);
    return count;
}

/* The job makes another dataset by now: that one has to get all files, so what went into the first says nothing. */
static void test_a_job_that_was_given_another_dataset_meanwhile(void **state)
{
    struct error err;
    (void)state;
    add_run(db, JOB_INGEST, "r1");
    json_t *run = run_of(db, JOB_INGEST, "r1"), *job = job_of(db, JOB_INGEST), *result = json_of(RESULT_1);
    sql(db, "UPDATE layer_centric_ingest_jobs SET dataset = 'other'");
    assert_ok(watermark_reset(db, "j", &err), err);
    assert_ok(db_begin(db, &err), err);
    assert_ok(commit_record(db, JOB_INGEST, run, job, SNAPSHOT_NONE, result, NOW, &err), err);
    assert_ok(db_commit(db, &err), err);
    publish_record(db, JOB_INGEST, "r1", NOW);
    assert_string_equal(files_at(1), "a.parquet b.parquet ");
    assert_int_equal(count_of("SELECT count(*) FROM ingest_ledger"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM watermarks"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM layer_centric_ingest_jobs WHERE last_watermark_value IS NULL"), 1);
    json_decref(run);
    json_decref(job);
    json_decref(result);
}

/* The same between commit and undo. */
static void test_undo_after_a_job_was_given_another_dataset(void **state)
{
    struct error err;
    (void)state;
    first();
    add_run(db, JOB_INGEST, "r2");
    record(db, JOB_INGEST, "r2", 1, RESULT_2, NOW + 5);
    sql(db, "UPDATE layer_centric_ingest_jobs SET dataset = 'other'");
    assert_ok(watermark_reset(db, "j", &err), err);
    assert_ok(db_begin(db, &err), err);
    assert_ok(commit_undo(db, JOB_INGEST, "r2", &err), err);
    assert_ok(db_commit(db, &err), err);
    assert_string_equal(files_at(1), "a.parquet b.parquet ");
    assert_int_equal(count_of("SELECT count(*) FROM ingest_ledger"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM watermarks"), 0);
    assert_int_equal(count_of("SELECT count(*) FROM commit_undo"), 0);
}

static void test_names(void **state)
{
    (void)state;
    char layer[16];
    const char *name;
    assert_true(dataset_name_split("gold.top.ten", layer, &name));
    assert_string_equal(layer, "gold");
    assert_string_equal(name, "top.ten");
    assert_false(dataset_name_split("landing.x", layer, &name));
    assert_false(dataset_name_split("bronze.", layer, &name));
    assert_false(dataset_name_split("orders", layer, &name));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_commit),
        TEST(test_snapshots),
        TEST(test_dataset_job),
        TEST(test_undo_of_a_first_commit),
        TEST(test_undo_of_a_merge),
        TEST(test_undo_of_a_replacement),
        TEST(test_refusals),
        TEST(test_the_target_has_to_be_as_it_was),
        TEST(test_garbage),
        TEST(test_landing_retention),
        TEST(test_names),
        TEST(test_a_job_that_was_given_another_dataset_meanwhile),
        TEST(test_undo_after_a_job_was_given_another_dataset),
    };
    return cmocka_run_group_tests_name("store lake", tests, NULL, NULL);
}
