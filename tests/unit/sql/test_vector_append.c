#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/session.h"
#include "sql/vector_column.h"
#include "unit/sql/session_fixture.h"

static struct sql_session session;

static int open_session(void **state)
{
    (void)state;
    session_fixture_open(&session, &(struct sql_session_options){.memory = (size_t)64 << 20, .threads = 1});
    return 0;
}

static int close_session(void **state)
{
    (void)state;
    sql_session_release(&session);
    return 0;
}

/* Append the first column of a query's result to *c, in slices of `step` rows (0: whole chunks). */
static status take(const char *sql, size_t step, struct column *c, struct vector_type *type, size_t *bad_row,
                   struct error *err)
{
    const struct duckdb_api *api = &session.api;
    duckdb_prepared_statement statement = NULL;
    duckdb_result result = {0};
    duckdb_data_chunk chunk = NULL;
    status s = sql_session_prepare(&session, sql, &statement, err);
    if (s == OK) {
        duckdb_logical_type logical = api->prepared_statement_column_logical_type(statement, 0);
        s = vector_type_of(api, logical, type, err);
        api->destroy_logical_type(&logical);
    }
    if (s == OK)
        s = sql_session_stream(&session, statement, &result, err);
    column_reset(c, type->type);
    while (s == OK) {
        s = sql_session_fetch(&session, &result, &chunk, err);
        if (s != OK || !chunk)
            break;
        duckdb_vector vector = api->data_chunk_get_vector(chunk, 0);
        size_t rows = api->data_chunk_get_size(chunk);
        for (size_t at = 0; s == OK && at < rows; at += step ? step : rows) {
            size_t n = step && step < rows - at ? step : rows - at;
            const struct vector_slice slice = {api->vector_get_data(vector), api->vector_get_validity(vector), at, n};
            s = vector_append(c, type, &slice, bad_row, err);
        }
        api->destroy_data_chunk(&chunk);
    }
    api->destroy_result(&result);
    api->destroy_prepare(&statement);
    return s;
}

static void expect_type(const char *sql, const char *name)
{
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = 0;
    char text[TYPE_NAME_MAX];
    if (take(sql, 0, &c, &type, &bad_row, &err) != OK)
        fail_msg("%s: %s", sql, err.message);
    assert_string_equal(type_name(type.type, text), name);
    column_release(&c);
}

static void test_types(void **state)
{
    (void)state;
    expect_type("SELECT true", "boolean");
    expect_type("SELECT 1::TINYINT", "integer");
    expect_type("SELECT 1::USMALLINT", "integer");
    expect_type("SELECT 1::INTEGER", "integer");
    expect_type("SELECT 1::UINTEGER", "bigint");
    expect_type("SELECT 1::BIGINT", "bigint");
    expect_type("SELECT 1::UBIGINT", "decimal(20,0)");
    expect_type("SELECT 1::HUGEINT", "decimal(38,0)");
    expect_type("SELECT 1::UHUGEINT", "decimal(38,0)");
    expect_type("SELECT 1::DECIMAL(4,1)", "decimal(4,1)");
    expect_type("SELECT 1::DECIMAL(38,37)", "decimal(38,37)");
    expect_type("SELECT 1::FLOAT", "float");
    expect_type("SELECT 1::DOUBLE", "double");
    expect_type("SELECT DATE '2024-02-29'", "date");
    expect_type("SELECT TIME '23:59:59'", "time");
    expect_type("SELECT TIMESTAMP_S '2024-02-29 00:00:00'", "timestamp");
    expect_type("SELECT TIMESTAMPTZ '2024-02-29 00:00:00+01'", "timestamptz");
    expect_type("SELECT 'x'", "string");
    expect_type("SELECT 'x'::BLOB", "binary");
    expect_type("SELECT uuid()", "uuid");
}

/* Every third row null, taken in slices of every odd size: values, validity and the zeros of null slots. */
static void test_slices(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE (i - 2500)::SMALLINT END FROM range(5000) t(i)",
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE (i - 2500)::INTEGER END FROM range(5000) t(i)",
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i::UBIGINT + 18446744073709546615 END FROM range(5000) t(i)",
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('x', i % 20) || i END FROM range(5000) t(i)",
    };
    for (size_t q = 0; q < ARRAY_LENGTH(queries); q++) {
        struct column whole = {0}, sliced = {0};
        struct vector_type type = {0};
        struct error err = {0};
        size_t bad_row = 0;
        assert_int_equal(take(queries[q], 0, &whole, &type, &bad_row, &err), OK);
        assert_int_equal(whole.length, 5000);
        assert_int_equal(whole.null_count, 1667);
        for (size_t step = 1; step < 4096; step = step * 3 + 2) {
            assert_int_equal(take(queries[q], step, &sliced, &type, &bad_row, &err), OK);
            assert_int_equal(sliced.length, whole.length);
            assert_int_equal(sliced.null_count, whole.null_count);
            assert_int_equal(sliced.data.len, whole.data.len);
            assert_memory_equal(sliced.data.data, whole.data.data, whole.data.len);
            assert_int_equal(sliced.offsets.len, whole.offsets.len);
            if (whole.offsets.len)
                assert_memory_equal(sliced.offsets.data, whole.offsets.data, whole.offsets.len);
            for (size_t row = 0; row < whole.length; row++)
                assert_int_equal(column_is_null(&sliced, row), column_is_null(&whole, row));
        }
        if (q == 1)
            for (int32_t row = 0; row < 5000; row++)
                assert_int_equal(((const int32_t *)whole.data.data)[row], row % 3 == 0 ? 0 : row - 2500);
        column_release(&whole);
        column_release(&sliced);
    }
}

/* The first null comes late: rows before it were counted as present without a bitmap. */
static void test_late_null(void **state)
{
    (void)state;
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = 0;
    assert_int_equal(
        take("SELECT CASE WHEN i = 4500 THEN NULL ELSE i END FROM range(5000) t(i)", 7, &c, &type, &bad_row, &err), OK);
    assert_int_equal(c.null_count, 1);
    for (size_t row = 0; row < c.length; row++)
        assert_int_equal(column_is_null(&c, row), row == 4500);
    column_release(&c);
}

static void expect_i128(const char *sql, __int128 expected)
{
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = 0;
    __int128 value;
    if (take(sql, 0, &c, &type, &bad_row, &err) != OK)
        fail_msg("%s: %s", sql, err.message);
    assert_int_equal(c.length, 1);
    memcpy(&value, column_value(&c, 0), sizeof value);
    assert_true(value == expected);
    column_release(&c);
}

static void expect_i64(const char *sql, int64_t expected)
{
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = 0;
    if (take(sql, 0, &c, &type, &bad_row, &err) != OK)
        fail_msg("%s: %s", sql, err.message);
    int64_t value;
    memcpy(&value, column_value(&c, 0), sizeof value);
    assert_true(value == expected);
    column_release(&c);
}

static void expect_refused(const char *sql, const char *contains, size_t row)
{
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = SIZE_MAX;
    status s = take(sql, 0, &c, &type, &bad_row, &err);
    column_release(&c);
    if (s != ERR_BAD_DATA || !strstr(err.message, contains))
        fail_msg("%s: %d %s", sql, s, err.message);
    assert_int_equal(bad_row, row);
}

static void test_wide_integers(void **state)
{
    (void)state;
    __int128 nines = 1;
    for (int i = 0; i < 38; i++)
        nines *= 10;
    nines -= 1;
    expect_i128("SELECT 18446744073709551615::UBIGINT", ((__int128)1 << 64) - 1);
    expect_i128("SELECT 99999999999999999999999999999999999999::HUGEINT", nines);
    expect_i128("SELECT -99999999999999999999999999999999999999::HUGEINT", -nines);
    expect_i128("SELECT -12.5::DECIMAL(4,1)", -125);
    expect_i128("SELECT -12.5::DECIMAL(9,1)", -125);
    expect_i128("SELECT -12.5::DECIMAL(18,1)", -125);
    expect_i128("SELECT -12.5::DECIMAL(38,1)", -125);
    expect_refused("SELECT * FROM (VALUES (1::HUGEINT), (100000000000000000000000000000000000000::HUGEINT))",
                   "38 digits", 1);
    expect_refused("SELECT -100000000000000000000000000000000000000::HUGEINT", "38 digits", 0);
    expect_refused("SELECT '-170141183460469231731687303715884105728'::HUGEINT", "38 digits", 0);
    expect_refused("SELECT '340282366920938463463374607431768211455'::UHUGEINT", "38 digits", 0);
}

static void test_times(void **state)
{
    (void)state;
    expect_i64("SELECT TIMESTAMP_S '1969-12-31 23:59:59'", -1000000);
    expect_i64("SELECT TIMESTAMP_MS '1969-12-31 23:59:59.999'", -1000);
    expect_i64("SELECT TIMESTAMP_NS '1969-12-31 23:59:59.999999'", -1);
    expect_i64("SELECT TIMESTAMPTZ '1970-01-01 02:00:00+02'", 0);
    expect_i64("SELECT '23:59:59.999999'::TIME_NS", INT64_C(86399999999));
    expect_refused("SELECT * FROM (VALUES (TIMESTAMP_NS '2024-01-01 00:00:00'), (NULL),"
                   " (TIMESTAMP_NS '1969-12-31 23:59:59.999999999'))",
                   "...999", 2);
    expect_refused("SELECT '00:00:00.000000001'::TIME_NS", "...001", 0);
}

static void test_uuid(void **state)
{
    (void)state;
    struct column c = {0};
    struct vector_type type = {0};
    struct error err = {0};
    size_t bad_row = 0;
    assert_int_equal(take("SELECT * FROM (VALUES ('00112233-4455-6677-8899-aabbccddeeff'::UUID), (NULL),"
                          " ('ffeeddcc-bbaa-9988-7766-554433221100'::UUID))",
                          0, &c, &type, &bad_row, &err),
                     OK);
    const uint8_t *bytes = c.data.data;
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(bytes[i], i * 0x11);
        assert_int_equal(bytes[16 + i], 0);
        assert_int_equal(bytes[32 + i], 0xff - i * 0x11);
    }
    assert_true(column_is_null(&c, 1));
    column_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),         cmocka_unit_test(test_slices), cmocka_unit_test(test_late_null),
        cmocka_unit_test(test_wide_integers), cmocka_unit_test(test_times),  cmocka_unit_test(test_uuid),
    };
    return cmocka_run_group_tests(tests, open_session, close_session);
}
