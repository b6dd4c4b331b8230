#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "sql/session.h"
#include "unit/sql/session_fixture.h"

static struct sql_session session;

static int open_session(void **state)
{
    (void)state;
    session_fixture_open(&session, &(struct sql_session_options){.memory = (size_t)64 << 20, .threads = 2});
    return 0;
}

static int close_session(void **state)
{
    (void)state;
    sql_session_release(&session);
    sql_session_release(&session); /* a released one may be released */
    return 0;
}

struct seen {
    char text[256];
    size_t rows;
};

static status note(void *self, const struct str *cells, struct error *err)
{
    struct seen *seen = self;
    (void)err;
    size_t have = strlen(seen->text);
    if (cells[0].p)
        snprintf(seen->text + have, sizeof seen->text - have, "%.*s;", (int)cells[0].n, cells[0].p);
    else
        snprintf(seen->text + have, sizeof seen->text - have, "null;");
    seen->rows++;
    return OK;
}

static const char *ask(const char *sql, struct seen *seen)
{
    struct error err = {0};
    *seen = (struct seen){0};
    if (sql_session_walk(&session, sql, 1, note, seen, &err) != OK)
        fail_msg("%s: %s", sql, err.message);
    return seen->text;
}

static void test_settings(void **state)
{
    (void)state;
    struct seen seen;
    assert_string_equal(ask("SELECT current_setting('memory_limit')", &seen), "64.0 MiB;");
    assert_string_equal(ask("SELECT CAST(current_setting('threads') AS VARCHAR)", &seen), "2;");
    assert_string_equal(ask("SELECT current_setting('TimeZone')", &seen), "UTC;");
    assert_string_equal(ask("SELECT CAST(current_setting('enable_external_access') AS VARCHAR)", &seen), "false;");
    assert_string_equal(ask("SELECT CAST(current_setting('autoload_known_extensions') AS VARCHAR)", &seen), "false;");
    assert_string_equal(ask("SELECT CAST(current_setting('lock_configuration') AS VARCHAR)", &seen), "true;");
}

static void test_walk(void **state)
{
    (void)state;
    struct seen seen;
    assert_string_equal(ask("SELECT * FROM (VALUES ('a'), (NULL), (''), ('longer than twelve bytes'))", &seen),
                        "a;null;;longer than twelve bytes;");
    ask("SELECT CAST(i AS VARCHAR) FROM range(5000) t(i)", &seen);
    assert_int_equal(seen.rows, 5000);
}

static void test_nothing_outside_is_reachable(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/flowforge-test-out.csv'",
        "ATTACH '/tmp/flowforge-test.db'",
        "EXPORT DATABASE '/tmp/flowforge-test-export'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access=true",
        "SET allowed_directories=['/']",
        "SET memory_limit='10GB'",
        "SET lock_configuration=false",
        "RESET enable_external_access",
        "PRAGMA threads=8",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct error err = {0};
        status s = sql_session_run(&session, refused[i], &err);
        if (s == OK)
            fail_msg("allowed: %s", refused[i]);
        assert_true(err.message[0]);
    }
    assert_int_not_equal(access("/tmp/flowforge-test-out.csv", F_OK), 0);
}

static void test_error_codes(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        status code;
        const char *contains;
    } cases[] = {
        {"SELECT * FROM read_csv('/etc/passwd')", ERR_DENIED, "/etc/passwd"},
        {"SELEC 1", ERR_INVALID, "syntax error"},
        {"SELECT nothing_like_it", ERR_INVALID, "nothing_like_it"},
        {"SELECT CAST('x' AS INTEGER)", ERR_BAD_DATA, "Could not convert"},
        {"SELECT 9223372036854775807::BIGINT + 1::BIGINT", ERR_BAD_DATA, "Overflow"},
        {"CREATE TABLE t AS SELECT i, random() AS r FROM range(100000000) t(i)", ERR_NO_MEMORY, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error err = {0};
        assert_int_equal(sql_session_run(&session, cases[i].sql, &err), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        if (!strstr(err.message, cases[i].contains))
            fail_msg("%s: %s", cases[i].sql, err.message);
        assert_null(strstr(err.message, "LINE 1"));
        assert_null(strstr(err.message, "Error: "));
    }
}

/* Preparing gives no error type: the code comes from the text. */
static void test_prepare_error(void **state)
{
    (void)state;
    struct error err = {0};
    duckdb_prepared_statement statement = NULL;
    assert_int_equal(sql_session_prepare(&session, "SELECT * FROM read_csv('/etc/passwd')", &statement, &err),
                     ERR_DENIED);
    assert_null(statement);
    assert_int_equal(sql_session_prepare(&session, "SELECT nothing_like_it", &statement, &err), ERR_INVALID);
}

/* An error in the middle of a stream ends it with that error, not as if it were complete. */
static void test_late_error(void **state)
{
    (void)state;
    struct error err = {0};
    duckdb_prepared_statement statement = NULL;
    duckdb_result result = {0};
    duckdb_data_chunk chunk = NULL;
    const char *sql = "SELECT CASE WHEN i < 1000000 THEN i ELSE CAST('x' || i AS BIGINT) END FROM range(1000001) t(i)";
    assert_int_equal(sql_session_prepare(&session, sql, &statement, &err), OK);
    status s = sql_session_stream(&session, statement, &result, &err);
    size_t rows = 0;
    while (s == OK) {
        s = sql_session_fetch(&session, &result, &chunk, &err);
        if (s != OK || !chunk)
            break;
        rows += session.api.data_chunk_get_size(chunk);
        session.api.destroy_data_chunk(&chunk);
    }
    session.api.destroy_result(&result);
    session.api.destroy_prepare(&statement);
    assert_int_equal(s, ERR_BAD_DATA);
    assert_true(rows > 0 && rows < 1000001);
    assert_non_null(strstr(err.message, "x1000000"));
}

static void *interrupt_soon(void *arg)
{
    volatile int *done = arg;
    while (!*done) {
        usleep(20000);
        sql_session_interrupt(&session);
    }
    return NULL;
}

static void test_interrupt(void **state)
{
    (void)state;
    struct error err = {0};
    pthread_t thread;
    volatile int done = 0;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, (void *)&done), 0);
    status s = sql_session_run(&session, "SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(1000000) b(i)", &err);
    __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    assert_int_equal(s, ERR_CANCELLED);
    struct seen seen;
    assert_string_equal(ask("SELECT 'usable again'", &seen), "usable again;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_nothing_outside_is_reachable),
        cmocka_unit_test(test_error_codes),
        cmocka_unit_test(test_prepare_error),
        cmocka_unit_test(test_late_error),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, open_session, close_session);
}
