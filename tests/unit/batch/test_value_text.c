#include "batch/value_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/civil.h"
#include "unit/batch/cell.h"
#include "unit/batch/random.h"
#include "unit/cmocka_all.h"

/* The text of a value, written into a block of exactly VALUE_TEXT_MAX bytes, and read back. */
static size_t text_of(struct data_type type, const void *value, char copy[VALUE_TEXT_MAX + 1])
{
    char *into = malloc(VALUE_TEXT_MAX);
    assert_non_null(into);
    size_t n = value_text(type, value, into);
    assert_in_range(n, 1, VALUE_TEXT_MAX);
    memcpy(copy, into, n);
    copy[n] = '\0';
    free(into);
    return n;
}

static union value read_back(struct data_type type, const char *text, size_t n)
{
    char *cell = cell_new(text, n);
    union value back;
    const char *why;
    memset(&back, 0, sizeof back);
    if (!cast_text(type, cell, n, &back, &why))
        fail_msg("'%s' does not read back: %s", text, why);
    cell_free(cell);
    return back;
}

static void check(struct data_type type, const void *value, const char *expected)
{
    char text[VALUE_TEXT_MAX + 1];
    size_t n = text_of(type, value, text);
    if (expected)
        assert_string_equal(text, expected);
    union value back = read_back(type, text, n);
    if (memcmp(&back, value, type_width(type)) != 0)
        fail_msg("'%s' reads back as another value", text);
}

#define TYPE(k) ((struct data_type){.kind = (k)})

static void integers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-7, "-7"},
                 {10, "10"},
                 {99, "99"},
                 {100, "100"},
                 {12345678, "12345678"},
                 {INT32_MAX, "2147483647"},
                 {INT32_MIN, "-2147483648"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        check(TYPE(TYPE_BIGINT), &cases[i].value, cases[i].text);
        if (cases[i].value == (int32_t)cases[i].value)
            check(TYPE(TYPE_INTEGER), &(int32_t){(int32_t)cases[i].value}, cases[i].text);
    }
    for (uint64_t power = 1; power <= INT64_MAX / 10; power *= 10) /* each change of length */
        for (int64_t off = -1; off <= 1; off++) {
            char expected[32];
            int64_t v = (int64_t)power + off;
            snprintf(expected, sizeof expected, "%lld", (long long)v);
            check(TYPE(TYPE_BIGINT), &v, expected);
            v = -v;
            snprintf(expected, sizeof expected, "%lld", (long long)v);
            check(TYPE(TYPE_BIGINT), &v, expected);
        }
}

static void doubles_by_table(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1, "-1.0"},
        {100, "100.0"},
        {0.1, "0.1"},
        {0.5, "0.5"},
        {-2.25, "-2.25"},
        {12345.67, "12345.67"},
        {0.04, "0.04"},
        {0.001, "0.001"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e15, "1000000000000000.0"},
        {9007199254740991, "9007199254740991.0"},
        {9007199254740992, "9007199254740992.0"},
        {9007199254740994, "9007199254740994.0"},
        {9999999999999998, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1e17, "1e+17"},
        {1.2345678901234568e17, "1.2345678901234568e+17"},
        {1e30, "1e+30"},
        {1e100, "1e+100"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {0.1 + 0.2, "0.30000000000000004"},
        {999.9999999999999, "999.9999999999999"},
        {5.684341886080801e-14, "5.684341886080801e-14"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
        {-1e-310, "-1e-310"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check(TYPE(TYPE_DOUBLE), &cases[i].value, cases[i].text);
    char text[VALUE_TEXT_MAX + 1];
    double nan = -NAN;
    text_of(TYPE(TYPE_DOUBLE), &nan, text);
    assert_string_equal(text, "NaN");
    assert_true(isnan(read_back(TYPE(TYPE_DOUBLE), text, 3).f64));
}

/* Digits of a number's text that matter. */
static int count_digits(const char *text)
{
    int digits = 0, zeros = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') {
            zeros = *text == '0' ? zeros + 1 : 0;
            digits += digits || *text != '0';
        }
    return digits > zeros ? digits - zeros : 1;
}

static void check_shortest(double v)
{
    char text[VALUE_TEXT_MAX + 1], shorter[40];
    check(TYPE(TYPE_DOUBLE), &v, NULL);
    text_of(TYPE(TYPE_DOUBLE), &v, text);
    assert_non_null(strpbrk(text, ".e"));
    int digits = count_digits(text);
    snprintf(shorter, sizeof shorter, "%.*e", digits > 1 ? digits - 2 : 0, v);
    if (digits > 1 && strtod(shorter, NULL) == v)
        fail_msg("%s could be %s", text, shorter);
}

static void random_doubles_are_shortest_and_read_back(void **state)
{
    (void)state;
    uint64_t random = 6;
    for (int i = 0; i < 300000; i++) {
        uint64_t bits = random_next(&random);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            check_shortest(v);
        uint64_t exponent = 1023 - 15 + random_below(&random, 75); /* from a little below 1e-4 to a little above 1e16 */
        bits = (bits & ~(UINT64_C(0x7FF) << 52)) | exponent << 52;
        if (i % 50 == 0)
            bits &= ~((UINT64_C(1) << 52) - 1); /* powers of two */
        memcpy(&v, &bits, sizeof v);
        check_shortest(v);
        check_shortest(round(v * 1000) / 1000);
        check_shortest((double)(int64_t)random_below(&random, 100000000) / 100);
    }
}

static void floats(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0.0f, "0.0"},
                 {-0.0f, "-0.0"},
                 {1.0f, "1.0"},
                 {0.1f, "0.1"},
                 {0.3f, "0.3"},
                 {16777216.0f, "16777216.0"},
                 {1e10f, "10000000000.0"},
                 {1e20f, "1e+20"},
                 {FLT_MAX, "3.4028235e+38"},
                 {FLT_MIN, "1.1754944e-38"},
                 {1e-45f, "1e-45"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check(TYPE(TYPE_FLOAT), &cases[i].value, cases[i].text);
    uint64_t random = 7;
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)random_next(&random);
        float v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            check(TYPE(TYPE_FLOAT), &v, NULL);
    }
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        uint8_t precision, scale;
        int64_t value;
        const char *text;
    } cases[] = {
        {5, 0, 0, "0"},
        {5, 0, 12345, "12345"},
        {5, 0, -12345, "-12345"},
        {5, 2, 0, "0.00"},
        {5, 2, 5, "0.05"},
        {5, 2, -5, "-0.05"},
        {5, 2, 100, "1.00"},
        {5, 2, 12345, "123.45"},
        {5, 5, 12345, "0.12345"},
        {5, 5, 1, "0.00001"},
        {38, 38, -1, "-0.00000000000000000000000000000000000001"},
        {38, 20, 1, "0.00000000000000000001"},
        {38, 9, 1234567890123456789, "1234567890.123456789"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check((struct data_type){TYPE_DECIMAL, cases[i].precision, cases[i].scale}, &(__int128){cases[i].value},
              cases[i].text);
    __int128 nines = 0;
    for (int i = 0; i < 38; i++)
        nines = nines * 10 + 9;
    check((struct data_type){TYPE_DECIMAL, 38, 0}, &nines, "99999999999999999999999999999999999999");
    check((struct data_type){TYPE_DECIMAL, 38, 19}, &nines, "9999999999999999999.9999999999999999999");
    nines = -nines;
    check((struct data_type){TYPE_DECIMAL, 38, 38}, &nines, "-0.99999999999999999999999999999999999999");
    uint64_t random = 8;
    for (int i = 0; i < 100000; i++) {
        __int128 v = (__int128)((unsigned __int128)random_next(&random) << 62 | random_next(&random) >> 2);
        v >>= random_below(&random, 126);
        v = random_below(&random, 2) ? -v : v;
        check((struct data_type){TYPE_DECIMAL, 38, (uint8_t)random_below(&random, 39)}, &v, NULL);
    }
}

#define DAY INT64_C(86400000000)

static void moments(void **state)
{
    (void)state;
    check(TYPE(TYPE_DATE), &(int32_t){0}, "1970-01-01");
    check(TYPE(TYPE_DATE), &(int32_t){-719162}, "0001-01-01");
    check(TYPE(TYPE_DATE), &(int32_t){2932896}, "9999-12-31");
    check(TYPE(TYPE_TIME), &(int64_t){0}, "00:00:00");
    check(TYPE(TYPE_TIME), &(int64_t){DAY - 1}, "23:59:59.999999");
    check(TYPE(TYPE_TIME), &(int64_t){500000}, "00:00:00.5");
    check(TYPE(TYPE_TIME), &(int64_t){10}, "00:00:00.00001");
    check(TYPE(TYPE_TIMESTAMP), &(int64_t){-1}, "1969-12-31T23:59:59.999999");
    check(TYPE(TYPE_TIMESTAMP), &(int64_t){19782 * DAY + 3600000000}, "2024-02-29T01:00:00");
    check(TYPE(TYPE_TIMESTAMPTZ), &(int64_t){19782 * DAY + 1200}, "2024-02-29T00:00:00.0012Z");
    char text[VALUE_TEXT_MAX + 1];
    text_of(TYPE(TYPE_DATE), &(int32_t){INT32_MIN}, text);
    assert_string_equal(text, "-5877641-06-23");
    text_of(TYPE(TYPE_DATE), &(int32_t){INT32_MAX}, text);
    assert_string_equal(text, "5881580-07-11");
    text_of(TYPE(TYPE_DATE), &(int32_t){-719163}, text);
    assert_string_equal(text, "0000-12-31");
    text_of(TYPE(TYPE_TIMESTAMPTZ), &(int64_t){INT64_MAX}, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    text_of(TYPE(TYPE_TIMESTAMPTZ), &(int64_t){INT64_MIN}, text);
    assert_string_equal(text, "-290308-12-21T19:59:05.224192Z");
    for (int32_t days = -719162; days <= 2932896; days += 1) {
        char into[VALUE_TEXT_MAX + 2 * CAST_PAD];
        size_t n = value_text_date(days, into + CAST_PAD);
        int32_t back;
        if (n != 10 || !cast_date(into + CAST_PAD, n, &back) || back != days)
            fail_msg("day %d", days);
    }
    uint64_t random = 9;
    for (int i = 0; i < 100000; i++) {
        int64_t v = -719162 * DAY + (int64_t)random_below(&random, UINT64_C(3652059) * DAY);
        v -= i % 2 ? v % 1000000 : 0;
        check(TYPE(TYPE_TIMESTAMP), &v, NULL);
        check(TYPE(TYPE_TIMESTAMPTZ), &v, NULL);
    }
}

static void flags_and_uuids(void **state)
{
    (void)state;
    check(TYPE(TYPE_BOOLEAN), &(uint8_t){1}, "true");
    check(TYPE(TYPE_BOOLEAN), &(uint8_t){0}, "false");
    static const uint8_t bytes[16] = {0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3,
                                      0xA4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0xFF};
    check(TYPE(TYPE_UUID), bytes, "123e4567-e89b-12d3-a456-4266141740ff");
}

static void unaligned_values_are_read(void **state)
{
    (void)state;
    char room[40], text[VALUE_TEXT_MAX + 1];
    for (size_t at = 1; at < 16; at++) {
        double d = 1.5;
        memcpy(room + at, &d, sizeof d);
        text_of(TYPE(TYPE_DOUBLE), room + at, text);
        assert_string_equal(text, "1.5");
        __int128 wide = 15;
        memcpy(room + at, &wide, sizeof wide);
        text_of((struct data_type){TYPE_DECIMAL, 38, 1}, room + at, text);
        assert_string_equal(text, "1.5");
    }
}

static void cells_of_columns(void **state)
{
    (void)state;
    struct column c = {.type = TYPE(TYPE_STRING)}, d = {.type = TYPE(TYPE_DATE)};
    struct buf to = {0};
    assert_int_equal(column_append(&c, "one", 3, NULL), OK);
    assert_int_equal(column_append(&c, "", 0, NULL), OK);
    assert_int_equal(column_append(&c, "three", 5, NULL), OK);
    for (size_t row = 0; row < 3; row++)
        assert_int_equal(value_text_append(&c, row, &to, NULL), OK);
    static const uint32_t codes[] = {1, 0, 1};
    d.is_dict = true;
    d.length = 3;
    d.dict_length = 2;
    assert_int_equal(buf_append(&d.data, (int32_t[]){0, 1}, 8, NULL), OK);
    assert_int_equal(buf_append(&d.codes, codes, sizeof codes, NULL), OK);
    assert_int_equal(value_text_append(&d, 0, &to, NULL), OK);
    assert_int_equal(value_text_append(&d, 1, &to, NULL), OK);
    assert_true(str_equal(buf_str(&to), STR("onethree1970-01-021970-01-01")));
    column_release(&c);
    column_release(&d);
    buf_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles_by_table),
        cmocka_unit_test(random_doubles_are_shortest_and_read_back),
        cmocka_unit_test(floats),
        cmocka_unit_test(decimals),
        cmocka_unit_test(moments),
        cmocka_unit_test(flags_and_uuids),
        cmocka_unit_test(unaligned_values_are_read),
        cmocka_unit_test(cells_of_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
