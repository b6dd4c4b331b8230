/* The pool of connections and the migrations: what is built in, upgrades, refusals, a step that fails half-way. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/migrations.h"
#include "store/store.h"
#include "unit/store/store_files.h"

static struct store *opened(void)
{
    struct error err;
    struct store *store = NULL;
    assert_ok(store_open(&store, at("flowforge.db"), &err), err);
    return store;
}

static struct db *plain(void)
{
    struct error err;
    struct db *db = NULL;
    assert_ok(db_open(&db, at("flowforge.db"), DB_WRITE, &err), err);
    return db;
}

static void test_built_in_steps_are_the_files(void **state)
{
    (void)state;
    assert_int_equal(store_migrations_count, STORE_VERSION);
    for (size_t i = 0; i < store_migrations_count; i++) {
        static char text[1 << 20];
        char path[256];
        snprintf(path, sizeof path, "src/store/migrations/%s.sql", store_migrations[i].name);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        size_t n = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        text[n] = '\0';
        assert_int_equal(store_migrations[i].version, (int)i + 1);
        assert_int_equal(strlen(store_migrations[i].sql), n);
        assert_string_equal(store_migrations[i].sql, text);
    }
}

static void test_new_home(void **state)
{
    (void)state;
    struct stat st;
    struct error err;
    struct store *store = opened();
    struct db *db = NULL;
    assert_ok(store_writer(store, &db, &err), err);
    assert_int_equal(ask(db, "PRAGMA user_version"), STORE_VERSION);
    assert_int_equal(ask(db, "SELECT count(*) FROM pipelines"), 0);
    /* every table is STRICT */
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT "
                             "strict AND name NOT LIKE 'sqlite%'"),
                     0);
    store_give_back(store, db);
    store_close(store);
    store_close(NULL);
    assert_int_equal(stat(at("flowforge.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(stat(at("flowforge.db-wal"), &st), 0);
    store = opened();
    store_close(store);
}

/* A database of version 1 with a row in every table that a person fills. */
static const char version_1_rows[] =
    "INSERT INTO pipelines (id, name, slug, created_at, updated_at) VALUES ('p1', 'Sales', 'sales', 1, 2);"
    "INSERT INTO layer_centric_ingest_jobs (id, pipeline_id, name, slug, source_type, dataset, compression, created_at,"
    " updated_at) VALUES ('i1', 'p1', 'Orders', 'orders', 'file_local', 'orders', 'snappy', 1, 2);"
    "INSERT INTO dataset_jobs (id, pipeline_id, name, slug, layer, dataset, inputs, sql, created_at, updated_at)"
    " VALUES ('d1', 'p1', 'Clean', 'clean', 'silver', 'orders', '[]', 'SELECT 1', 1, 2);"
    "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, created_at)"
    " VALUES ('r1', 'p1', 'pipeline', 'RUNNING', 'Running', 3);"
    "INSERT INTO layer_centric_ingest_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, state_type, state_name,"
    " config, created_at) VALUES ('ir1', 'r1', 'p1', 'i1', 'Orders', 'COMPLETED', 'Completed', '{}', 3);"
    "INSERT INTO run_logs (pipeline_run_id, time, level, message) VALUES ('r1', 4, 'info', 'hello');";

static void test_upgrade_keeps_rows(void **state)
{
    (void)state;
    struct error err;
    struct db *db = plain();
    assert_ok(migrations_apply(db, "x", store_migrations, 1, &err), err);
    assert_int_equal(ask(db, "PRAGMA user_version"), 1);
    assert_ok(db_script(db, version_1_rows, &err), err);
    db_close(db);
    struct store *store = opened();
    assert_ok(store_reader(store, &db, &err), err);
    assert_int_equal(ask(db, "PRAGMA user_version"), STORE_VERSION);
    assert_int_equal(ask(db, "SELECT count(*) FROM pipelines WHERE id = 'p1' AND name = 'Sales' AND updated_at = 2"),
                     1);
    assert_int_equal(ask(db, "SELECT count(*) FROM layer_centric_ingest_jobs WHERE dataset = 'orders'"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM dataset_jobs WHERE layer = 'silver'"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM pipeline_runs WHERE state_type = 'RUNNING'"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM layer_centric_ingest_runs WHERE job_id = 'i1'"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM run_logs WHERE message = 'hello'"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    store_give_back(store, db);
    store_close(store);
}

static void test_newer_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct store *store = opened();
    store_close(store);
    struct db *db = plain();
    assert_ok(db_script(db, "PRAGMA user_version = 99", &err), err);
    db_close(db);
    store = NULL;
    assert_int_equal(store_open(&store, at("flowforge.db"), &err), ERR_UNSUPPORTED);
    assert_null(store);
    assert_non_null(strstr(err.message, "version 99"));
    assert_non_null(strstr(err.message, "flowforge.db"));
    assert_non_null(strstr(err.hint, "newer"));
    db = plain();
    assert_int_equal(ask(db, "PRAGMA user_version"), 99);
    db_close(db);
}

static void test_foreign_database_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct store *store;
    struct db *db = plain();
    assert_ok(db_script(db, "CREATE TABLE theirs (a)", &err), err);
    db_close(db);
    assert_int_equal(store_open(&store, at("flowforge.db"), &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "did not make"));
    FILE *f = fopen(at("flowforge.db"), "w");
    for (int i = 0; i < 400; i++)
        fputs("this is no database at all\n", f);
    fclose(f);
    assert_int_equal(store_open(&store, at("flowforge.db"), &err), ERR_BAD_DATA);
    assert_non_null(strstr(err.message, "flowforge.db"));
    assert_non_null(strstr(err.hint, "another home directory"));
}

static void test_step_that_fails(void **state)
{
    (void)state;
    static const struct migration steps[] = {
        {1, "0001_a", "CREATE TABLE a (n INTEGER) STRICT; INSERT INTO a VALUES (1);"},
        {2, "0002_b", "CREATE TABLE b (n INTEGER) STRICT; UPDATE a SET n = 2; INSERT INTO b VALUES ('x');"},
        {3, "0003_c", "CREATE TABLE c (n INTEGER) STRICT;"},
    };
    static const struct migration mended[] = {
        {1, "0001_a", "SELECT broken on purpose: never run again"},
        {2, "0002_b", "CREATE TABLE b (n INTEGER) STRICT; UPDATE a SET n = 2; -- a comment at the end"},
    };
    struct error err;
    struct db *db = plain();
    assert_int_equal(migrations_apply(db, "x", steps, 3, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "version 2 (0002_b)"));
    assert_false(db_in_transaction(db));
    db_close(db);
    db = plain();
    assert_int_equal(ask(db, "PRAGMA user_version"), 1);
    assert_int_equal(ask(db, "SELECT n FROM a"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_ok(migrations_apply(db, "x", mended, 2, &err), err);
    assert_int_equal(ask(db, "PRAGMA user_version"), 2);
    assert_int_equal(ask(db, "SELECT n FROM a"), 2);
    db_close(db);
}

struct counter {
    struct store *store;
    int rounds;
};

static void *count_up(void *self)
{
    struct counter *c = self;
    struct error err;
    for (int i = 0; i < c->rounds; i++) {
        struct db *db = NULL;
        int64_t n = -1;
        /* read, then write what was read plus one: only right when nobody else writes meanwhile */
        if (store_writer(c->store, &db, &err) != OK || db_begin(db, &err) != OK ||
            db_integer(db, "SELECT CAST(value AS INTEGER) FROM settings", DB_NO_BINDS, 0, &n, &err) != OK ||
            db_run(db, "UPDATE settings SET value = CAST(?1 AS TEXT)", DB_BINDS(db_int(n + 1)), NULL, &err) != OK ||
            db_commit(db, &err) != OK)
            abort();
        store_give_back(c->store, db);
        if (store_reader(c->store, &db, &err) != OK ||
            db_integer(db, "SELECT CAST(value AS INTEGER) FROM settings", DB_NO_BINDS, 0, &n, &err) != OK || n < 1)
            abort();
        store_give_back(c->store, db);
    }
    return NULL;
}

static void test_pool_in_threads(void **state)
{
    (void)state;
    enum { THREADS = 24, ROUNDS = 10 };
    struct error err;
    struct counter c = {.store = opened(), .rounds = ROUNDS};
    struct db *db = NULL;
    pthread_t threads[THREADS];
    assert_ok(store_writer(c.store, &db, &err), err);
    assert_ok(db_run(db, "INSERT INTO settings VALUES ('n', '0', 0)", DB_NO_BINDS, NULL, &err), err);
    store_give_back(c.store, db);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &c), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_ok(store_reader(c.store, &db, &err), err);
    assert_int_equal(ask(db, "SELECT CAST(value AS INTEGER) FROM settings"), THREADS * ROUNDS);
    store_give_back(c.store, db);
    store_close(c.store);
}

static void test_give_back_rolls_back(void **state)
{
    (void)state;
    struct error err;
    struct store *store = opened();
    struct db *db = NULL, *again = NULL, *one = NULL, *two = NULL;
    assert_ok(store_writer(store, &db, &err), err);
    assert_ok(db_begin(db, &err), err);
    assert_ok(db_run(db, "INSERT INTO settings VALUES ('n', '0', 0)", DB_NO_BINDS, NULL, &err), err);
    store_give_back(store, db);
    assert_ok(store_writer(store, &again, &err), err);
    assert_ptr_equal(again, db);
    assert_false(db_in_transaction(again));
    assert_int_equal(ask(again, "SELECT count(*) FROM settings"), 0);
    assert_ok(store_reader(store, &one, &err), err);
    assert_ok(store_reader(store, &two, &err), err);
    assert_ptr_not_equal(one, two);
    store_give_back(store, one);
    store_give_back(store, two);
    assert_ok(store_reader(store, &one, &err), err);
    assert_ptr_equal(one, two);
    assert_int_equal(db_run(one, "DELETE FROM settings", DB_NO_BINDS, NULL, &err), ERR_DENIED);
    store_give_back(store, one);
    store_give_back(store, again);
    store_give_back(store, NULL);
    store_close(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_built_in_steps_are_the_files),
        TEST(test_new_home),
        TEST(test_upgrade_keeps_rows),
        TEST(test_newer_is_refused),
        TEST(test_foreign_database_is_refused),
        TEST(test_step_that_fails),
        TEST(test_pool_in_threads),
        TEST(test_give_back_rolls_back),
    };
    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
