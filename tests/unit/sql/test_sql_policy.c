/* What SQL of users is let through, and where errors in it are said to be. */
#include "sql/sql_policy.h"
#include "unit/cmocka_all.h"
#include "unit/sql/session_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/flowforge_policy_XXXXXX";

static int setup(void **state)
{
    static struct sql_session session;
    const struct sql_session_options options = {.threads = 1, .temp_directory = folder};
    if (!mkdtemp(folder))
        return -1;
    session_fixture_open(&session, &options);
    assert_int_equal(sql_session_run(&session, "CREATE VIEW orders AS SELECT 1 AS id, 'x' AS name", NULL), OK);
    *state = &session;
    return 0;
}

static int teardown(void **state)
{
    sql_session_release(*state);
    return rmdir(folder); /* nothing was written into it */
}

static void allowed(void **state)
{
    static const char *const sql[] = {
        "SELECT * FROM orders",
        "  -- a comment; with a semicolon\n/* and; another */ SELECT id FROM orders; -- end;",
        "WITH o AS (SELECT * FROM orders) SELECT o.id, count(*) FROM o GROUP BY ALL",
        "FROM orders",
        "(SELECT id FROM orders) UNION ALL SELECT 2",
        "VALUES (1), (2)",
        "TABLE orders",
        "SELECT o.id, r.range FROM orders o, range(o.id) r",
        "SELECT unnest([1, 2, 3]) AS n",
        "SELECT u.* FROM unnest([1, 2, 3]) u",
        "SELECT list_transform([1, 2], lambda x: x + 1)",
        "PIVOT orders ON name IN ('x', 'y') USING sum(id)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT * FROM t",
        "SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) FROM orders QUALIFY 1 = 1",
        "SELECT * FROM orders ASOF JOIN orders o2 ON orders.id >= o2.id",
        "SELECT * EXCLUDE (name), 'a;b''c' AS t FROM orders",
        "SELECT CASE WHEN id IN (SELECT id FROM orders) THEN 1 END, CAST(id AS DECIMAL(10, 2)) FROM orders TABLESAMPLE "
        "10%",
        "SELECT name, try_cast(name AS BIGINT), name::VARCHAR, name LIKE 'a%', regexp_replace(name, 'a', 'b') FROM "
        "orders",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(sql); i++) {
        struct error err = {0};
        duckdb_prepared_statement statement = NULL;
        struct sql_session *session = *state;
        if (sql_policy_prepare(session, sql[i], &statement, NULL, &err) != OK)
            fail_msg("%s: %s", sql[i], err.message);
        session->api.destroy_prepare(&statement);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *sql;
        status code;
        size_t line, column;
        const char *says;
    } cases[] = {
        {"", ERR_INVALID, 1, 1, "no SQL"},
        {" -- nothing", ERR_INVALID, 1, 1, "no SQL"},
        {"SELECT * FROM read_csv('/etc/passwd')", ERR_DENIED, 1, 15, "read_csv()"},
        {"SELECT * FROM system.main.read_csv('/etc/passwd')", ERR_DENIED, 1, 15, "read_csv()"},
        {"SELECT *\nFROM READ_PARQUET('/tmp/x')", ERR_DENIED, 2, 6, "read_parquet()"},
        {"SELECT * FROM read_text('/etc/passwd')", ERR_DENIED, 1, 15, "read_text()"},
        {"SELECT (SELECT content FROM read_blob('/etc/passwd'))", ERR_DENIED, 1, 29, "read_blob()"},
        {"WITH g AS (FROM glob('/etc/*')) FROM g", ERR_DENIED, 1, 17, "glob()"},
        {"SELECT * FROM sniff_csv('/etc/passwd')", ERR_DENIED, 1, 15, "sniff_csv()"},
        {"SELECT * FROM query('SELECT 42')", ERR_DENIED, 1, 15, "query()"},
        {"SELECT * FROM query_table('orders')", ERR_DENIED, 1, 15, "query_table()"},
        {"SELECT 1 WHERE EXISTS (FROM enable_logging(storage = 'file'))", ERR_DENIED, 1, 29, "enable_logging()"},
        {"FROM enable_profiling(format = 'json', save_location = '/tmp/p.json')", ERR_DENIED, 1, 6, "profiling()"},
        {"FROM read_duckdb('/tmp/x.db')", ERR_DENIED, 1, 6, "read_duckdb()"},
        {"FROM json_execute_serialized_sql('x')", ERR_DENIED, 1, 6, "serialized"},
        {"SELECT write_log('x')", ERR_DENIED, 1, 8, "write_log()"},
        {"SELECT getenv('HOME')", ERR_INVALID, 1, 8, "getenv"},
        {"COPY (SELECT 1) TO '/tmp/flowforge-policy.csv'", ERR_DENIED, 1, 1, "COPY is not allowed"},
        {"ATTACH '/tmp/flowforge-policy.db'", ERR_DENIED, 1, 1, "ATTACH"},
        {"INSTALL httpfs", ERR_DENIED, 1, 1, "INSTALL"},
        {"LOAD httpfs", ERR_DENIED, 1, 1, "LOAD"},
        {"SET threads = 8", ERR_DENIED, 1, 1, "SET"},
        {"RESET threads", ERR_DENIED, 1, 1, "RESET"},
        {"PRAGMA show_tables", ERR_DENIED, 1, 1, "PRAGMA"},
        {"CALL pragma_version()", ERR_DENIED, 1, 1, "CALL"},
        {"EXPORT DATABASE '/tmp/flowforge-policy'", ERR_DENIED, 1, 1, "EXPORT"},
        {"CREATE TABLE t AS SELECT 1", ERR_DENIED, 1, 1, "CREATE"},
        {"CREATE TEMP TABLE t AS SELECT 1", ERR_DENIED, 1, 1, "CREATE"},
        {"CREATE MACRO m(a) AS a", ERR_DENIED, 1, 1, "CREATE"},
        {"DROP VIEW orders", ERR_DENIED, 1, 1, "DROP"},
        {"INSERT INTO orders VALUES (1)", ERR_DENIED, 1, 1, "INSERT"},
        {"EXPLAIN ANALYZE SELECT 1", ERR_DENIED, 1, 1, "EXPLAIN"},
        {"PREPARE p AS SELECT 1", ERR_DENIED, 1, 1, "PREPARE"},
        {"SELECT 1; SELECT 2", ERR_DENIED, 1, 1, "2 statements"},
        {"SELECT 1; COPY (SELECT 1) TO '/tmp/flowforge-policy.csv'", ERR_DENIED, 1, 1, "2 statements"},
        {"SELECT 1 INTO t", ERR_INVALID, 0, 0, "INTO"},
        {"WITH t AS (INSERT INTO orders VALUES (1) RETURNING *) SELECT * FROM t", ERR_INVALID, 0, 0, "CTE"},
        {"SELECT ? FROM orders", ERR_INVALID, 0, 0, "parameters"},
        {"SELEC 1", ERR_INVALID, 1, 1, "syntax error"},
        {"SELECT 1,\n  frm FROM", ERR_INVALID, 2, 11, "end of input"},
        {"SELECT id,\n       nmae\nFROM orders", ERR_INVALID, 2, 8, "nmae"},
        {"SELECT 'äöü€', nmae FROM orders", ERR_INVALID, 1, 16, "nmae"},
        {"SELECT * FROM order", ERR_INVALID, 1, 15, "order"},
        {"SELECT "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' "
         "AS a, nmae, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' "
         "FROM orders",
         ERR_INVALID, 1, 118, "nmae"},
    };
    struct sql_session *session = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error err = {0};
        duckdb_prepared_statement statement = NULL;
        struct sql_position at = {9, 9};
        status s = sql_policy_prepare(session, cases[i].sql, &statement, &at, &err);
        if (s != cases[i].code || !strstr(err.message, cases[i].says))
            fail_msg("%s: %s: %s", cases[i].sql, status_slug(s), err.message);
        if (at.line != cases[i].line || at.column != cases[i].column)
            fail_msg("%s: %zu:%zu: %s", cases[i].sql, at.line, at.column, err.message);
        assert_null(statement);
    }
    struct stat st;
    assert_int_equal(stat("/tmp/flowforge-policy.csv", &st), -1);
    assert_int_equal(stat("/tmp/flowforge-policy.db", &st), -1);
    assert_int_equal(stat("/tmp/flowforge-policy", &st), -1);
}

static void statement_ends(void **state)
{
    static const struct {
        const char *sql;
        size_t length;
    } cases[] = {
        {"SELECT 1", 8},         {"SELECT 1;", 8},         {"SELECT 1; -- x;y", 8},
        {"SELECT ';'", 10},      {"SELECT 1 /* ; */", 16}, {"SELECT 1; ; /* end; */", 8},
        {"SELECT 'a;b';\n", 12}, {"SELECT ';--'", 12},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t length = 0;
        assert_int_equal(sql_policy_statement_length(*state, cases[i].sql, &length, NULL), OK);
        assert_int_equal(length, cases[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed),
        cmocka_unit_test(refused),
        cmocka_unit_test(statement_ends),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
