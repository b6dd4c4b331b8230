/* Tables of texts that each type takes and refuses, in both grammars. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "unit/batch/cell.h"
#include "unit/cmocka_all.h"

struct integer_case {
    const char *text;
    bool cast, infer;
    int64_t value;
};

static void integers(void **state)
{
    (void)state;
    static const struct integer_case cases[] = {
        {"0", 1, 1, 0},
        {"1", 1, 1, 1},
        {"9", 1, 1, 9},
        {"10", 1, 1, 10},
        {"42", 1, 1, 42},
        {"123", 1, 1, 123},
        {"1234", 1, 1, 1234},
        {"12345", 1, 1, 12345},
        {"123456", 1, 1, 123456},
        {"1234567", 1, 1, 1234567},
        {"12345678", 1, 1, 12345678},
        {"123456789", 1, 1, 123456789},
        {"1234567890", 1, 1, 1234567890},
        {"12345678901", 1, 1, 12345678901},
        {"123456789012", 1, 1, 123456789012},
        {"1234567890123", 1, 1, 1234567890123},
        {"12345678901234", 1, 1, 12345678901234},
        {"123456789012345", 1, 1, 123456789012345},
        {"1234567890123456", 1, 1, 1234567890123456},
        {"12345678901234567", 1, 1, 12345678901234567},
        {"123456789012345678", 1, 1, 123456789012345678},
        {"1234567890123456789", 1, 1, 1234567890123456789},
        {"-1", 1, 1, -1},
        {"-12345678", 1, 1, -12345678},
        {"-123456789", 1, 1, -123456789},
        {"-1234567890123456", 1, 1, -1234567890123456},
        {"99999999", 1, 1, 99999999},
        {"100000000", 1, 1, 100000000},
        {"9999999999999999", 1, 1, 9999999999999999},
        {"10000000000000000", 1, 1, 10000000000000000},
        {"9223372036854775806", 1, 1, INT64_MAX - 1},
        {"9223372036854775807", 1, 1, INT64_MAX},
        {"-9223372036854775807", 1, 1, -INT64_MAX},
        {"-9223372036854775808", 1, 1, INT64_MIN},
        {"9223372036854775808", 0, 0, 0},
        {"-9223372036854775809", 0, 0, 0},
        {"9999999999999999999", 0, 0, 0},
        {"-9999999999999999999", 0, 0, 0},
        {"18446744073709551615", 0, 0, 0},
        {"18446744073709551616", 0, 0, 0},
        {"18446744073709551617", 0, 0, 0},
        {"36893488147419103233", 0, 0, 0},
        {"100000000000000000000000000000000000000000", 0, 0, 0},
        {"+1", 1, 0, 1},
        {"+9223372036854775807", 1, 0, INT64_MAX},
        {"+9223372036854775808", 0, 0, 0},
        {"-0", 1, 0, 0},
        {"+0", 1, 0, 0},
        {"00", 1, 0, 0},
        {"007", 1, 0, 7},
        {"-007", 1, 0, -7},
        {"+007", 1, 0, 7},
        {"00000000000000000000000000000000000000000001", 1, 0, 1},
        {"-00000000000000000000000000000000000000000001", 1, 0, -1},
        {"0000000000009223372036854775807", 1, 0, INT64_MAX},
        {"-0000000000009223372036854775808", 1, 0, INT64_MIN},
        {"0000000000009223372036854775808", 0, 0, 0},
        {"0000000000000000000", 1, 0, 0},
        {"00000000000000000000", 1, 0, 0},
        {"-00000000000000000000", 1, 0, 0},
        {"01234567", 1, 0, 1234567},
        {"", 0, 0, 0},
        {"-", 0, 0, 0},
        {"+", 0, 0, 0},
        {"--1", 0, 0, 0},
        {"-+1", 0, 0, 0},
        {"+-1", 0, 0, 0},
        {" 1", 0, 0, 0},
        {"1 ", 0, 0, 0},
        {" 7 x", 0, 0, 0},
        {" 7", 0, 0, 0},
        {"1.5", 0, 0, 0},
        {"1.0", 0, 0, 0},
        {"1.", 0, 0, 0},
        {".1", 0, 0, 0},
        {"1e3", 0, 0, 0},
        {"0x1F", 0, 0, 0},
        {"0b1", 0, 0, 0},
        {"1_000", 0, 0, 0},
        {"1,000", 0, 0, 0},
        {"1'000", 0, 0, 0},
        {"12a", 0, 0, 0},
        {"a12", 0, 0, 0},
        {"1-", 0, 0, 0},
        {"1-2", 0, 0, 0},
        {"1234567a", 0, 0, 0},
        {"a2345678", 0, 0, 0},
        {"12345678a", 0, 0, 0},
        {"1234567890123456a", 0, 0, 0},
        {"1234a6789012345678", 0, 0, 0},
        {"12345678901a345678", 0, 0, 0},
        {"1/3", 0, 0, 0},
        {"1:3", 0, 0, 0},
        {"\xC2\xB2", 0, 0, 0},
        {"1\x80", 0, 0, 0},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0, 0, 0},
        {"1\t", 0, 0, 0},
        {"inf", 0, 0, 0},
        {"nan", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct integer_case *c = &cases[i];
        char *cell = cell_new(c->text, strlen(c->text));
        int64_t value = 99;
        if (cast_i64(cell, strlen(c->text), &value) != c->cast || (c->cast && value != c->value))
            fail_msg("cast_i64 of '%s': %ld", c->text, (long)value);
        if (infer_i64(cell, strlen(c->text), &value) != c->infer || (c->infer && value != c->value))
            fail_msg("infer_i64 of '%s': %ld", c->text, (long)value);
        cell_free(cell);
    }
    char *nul = cell_new("1\0", 2);
    int64_t value;
    assert_false(cast_i64(nul, 2, &value));
    assert_false(infer_i64(nul, 2, &value));
    cell_free(nul);
}

struct real_case {
    const char *text;
    bool cast, infer;
    double value;
};

static void doubles(void **state)
{
    (void)state;
    static const struct real_case cases[] = {
        {"0", 1, 1, 0.0},
        {"-0", 1, 1, -0.0},
        {"0.0", 1, 1, 0.0},
        {"-0.0", 1, 1, -0.0},
        {"-0.", 1, 1, -0.0},
        {"-.0", 1, 1, -0.0},
        {"1", 1, 1, 1},
        {"-1", 1, 1, -1},
        {"1.5", 1, 1, 1.5},
        {"-1.5", 1, 1, -1.5},
        {".5", 1, 1, 0.5},
        {"-.5", 1, 1, -0.5},
        {"5.", 1, 1, 5},
        {"-5.", 1, 1, -5},
        {"0.04", 1, 1, 0.04},
        {"12345.67", 1, 1, 12345.67},
        {"123456.78", 1, 1, 123456.78},
        {"1234567.", 1, 1, 1234567},
        {".1234567", 1, 1, .1234567},
        {"12345678.", 1, 1, 12345678},
        {".12345678", 1, 1, .12345678},
        {"1234567.8", 1, 1, 1234567.8},
        {"123456789012345.", 1, 1, 123456789012345.},
        {".123456789012345", 1, 1, .123456789012345},
        {"1234567.89012345", 1, 1, 1234567.89012345},
        {"12345678.9012345", 1, 1, 12345678.9012345},
        {"123456789.012345", 1, 1, 123456789.012345},
        {"-1234567.89012345", 1, 1, -1234567.89012345},
        {"1234567.890123456", 1, 1, 1234567.890123456},
        {"0.1234567890123456", 1, 1, 0.1234567890123456},
        {"0.12345678901234567", 1, 1, 0.12345678901234567},
        {"0.30000000000000004", 1, 1, 0.30000000000000004},
        {"-122.41941550000001", 1, 1, -122.41941550000001},
        {"3.14159265358979323846264338327950288", 1, 1, 3.14159265358979323846264338327950288},
        {"9007199254740992", 1, 1, 9007199254740992.},
        {"-9007199254740992", 1, 1, -9007199254740992.},
        {"9007199254740993", 1, 0, 9007199254740992.},
        {"-9007199254740993", 1, 0, -9007199254740992.},
        {"9007199254740994", 1, 0, 9007199254740994.},
        {"9999999999999999", 1, 0, 1e16},
        {"10000000000000000", 1, 0, 1e16},
        {"9223372036854775807", 1, 0, 9223372036854775807.},
        {"12345678901234567890", 1, 0, 12345678901234567890.},
        {"100000000000000000000000", 1, 0, 1e23},
        {"100000000000000000000000.0", 1, 1, 1e23},
        {"9007199254740993.0", 1, 1, 9007199254740992.},
        {"9007199254740993.00000000000000000000000000000000001", 1, 1, 9007199254740994.},
        {"1e5", 1, 1, 1e5},
        {"1E5", 1, 1, 1e5},
        {"1e+5", 1, 1, 1e5},
        {"1e-5", 1, 1, 1e-5},
        {"-1e-5", 1, 1, -1e-5},
        {"1e05", 1, 1, 1e5},
        {"1.e5", 1, 1, 1e5},
        {".1e5", 1, 1, 1e4},
        {"0e5", 1, 1, 0.0},
        {"-0e5", 1, 1, -0.0},
        {"0e999999999999999999999999", 1, 1, 0.0},
        {"1e22", 1, 1, 1e22},
        {"1e23", 1, 1, 1e23},
        {"1e-22", 1, 1, 1e-22},
        {"1e-23", 1, 1, 1e-23},
        {"123456789012345678e-19", 1, 1, 123456789012345678e-19},
        {"9999999999999999999e19", 1, 1, 9999999999999999999e19},
        {"9999999999999999999e-19", 1, 1, 9999999999999999999e-19},
        {"1.7976931348623157e308", 1, 1, DBL_MAX},
        {"1.7976931348623158e308", 1, 1, DBL_MAX},
        {"1.7976931348623159e308", 0, 0, 0},
        {"-1.7976931348623159e308", 0, 0, 0},
        {"1e309", 0, 0, 0},
        {"1e99999999999999999999", 0, 0, 0},
        {"-1e99999999999999999999", 0, 0, 0},
        {"2.2250738585072014e-308", 1, 1, DBL_MIN},
        {"2.2250738585072011e-308", 1, 1, 2.2250738585072011e-308},
        {"4.9406564584124654e-324", 1, 1, 4.9406564584124654e-324},
        {"5e-324", 1, 1, 5e-324},
        {"2e-324", 1, 1, 0.0},
        {"1e-400", 1, 1, 0.0},
        {"-1e-99999999999999999999", 1, 1, -0.0},
        {"0.000000000000000000000000000000000000000000001", 1, 1, 1e-45},
        {"1.0000000000000000000000000000000000000000000", 1, 1, 1.0},
        {"0.00000000000000000000000000000000000000", 1, 1, 0.0},
        {"+1", 1, 0, 1},
        {"+1.5", 1, 0, 1.5},
        {"+.5", 1, 0, .5},
        {"+1e5", 1, 0, 1e5},
        {"007.5", 1, 0, 7.5},
        {"-007.5", 1, 0, -7.5},
        {"00", 1, 0, 0.0},
        {"-00", 1, 0, -0.0},
        {"00.5", 1, 0, 0.5},
        {"01e5", 1, 0, 1e5},
        {"00000000000000000000000000000000001.5", 1, 0, 1.5},
        {"inf", 1, 0, INFINITY},
        {"Inf", 1, 0, INFINITY},
        {"INF", 1, 0, INFINITY},
        {"+inf", 1, 0, INFINITY},
        {"-inf", 1, 0, -INFINITY},
        {"infinity", 1, 0, INFINITY},
        {"-Infinity", 1, 0, -INFINITY},
        {"nan", 1, 0, NAN},
        {"NaN", 1, 0, NAN},
        {"-nan", 1, 0, NAN},
        {"nan(1)", 0, 0, 0},
        {"infinit", 0, 0, 0},
        {"infinityx", 0, 0, 0},
        {"in", 0, 0, 0},
        {"", 0, 0, 0},
        {".", 0, 0, 0},
        {"-", 0, 0, 0},
        {"+", 0, 0, 0},
        {"-.", 0, 0, 0},
        {"+.", 0, 0, 0},
        {"e", 0, 0, 0},
        {"e5", 0, 0, 0},
        {".e5", 0, 0, 0},
        {"1e", 0, 0, 0},
        {"1e+", 0, 0, 0},
        {"1e-", 0, 0, 0},
        {"1e5.", 0, 0, 0},
        {"1e5.5", 0, 0, 0},
        {"1ee5", 0, 0, 0},
        {"1e--5", 0, 0, 0},
        {"1e+-5", 0, 0, 0},
        {"1..5", 0, 0, 0},
        {"1.5.", 0, 0, 0},
        {"1.2.3", 0, 0, 0},
        {"..", 0, 0, 0},
        {"........", 0, 0, 0},
        {"1234567..", 0, 0, 0},
        {"12345678.1.", 0, 0, 0},
        {".12345678.", 0, 0, 0},
        {"--1.5", 0, 0, 0},
        {"-+1.5", 0, 0, 0},
        {"1.5-", 0, 0, 0},
        {"1-5", 0, 0, 0},
        {"1,5", 0, 0, 0},
        {"1.5f", 0, 0, 0},
        {"1.5d", 0, 0, 0},
        {"0x1p3", 0, 0, 0},
        {"0x10", 0, 0, 0},
        {" 1.5", 0, 0, 0},
        {"1.5 ", 0, 0, 0},
        {"1 .5", 0, 0, 0},
        {"$1.5", 0, 0, 0},
        {"1.5%", 0, 0, 0},
        {"1\xC2\xA0", 0, 0, 0},
        {"\xE2\x88\x92"
         "1",
         0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct real_case *c = &cases[i];
        static const char fills[] = "7.-e ";
        for (const char *fill = fills; *fill; fill++) {
            char *cell = cell_new_filled(c->text, strlen(c->text), *fill);
            double value = 99;
            bool ok = cast_f64(cell, strlen(c->text), &value);
            if (ok != c->cast || (ok && !isnan(c->value) && memcmp(&value, &c->value, sizeof value) != 0))
                fail_msg("cast_f64 of '%s': %.17g", c->text, value);
            if (ok && isnan(c->value))
                assert_true(isnan(value));
            ok = infer_f64(cell, strlen(c->text), &value);
            if (ok != c->infer || (ok && memcmp(&value, &c->value, sizeof value) != 0))
                fail_msg("infer_f64 of '%s': %.17g", c->text, value);
            cell_free(cell);
        }
    }
}

/* Halfway cases with more digits than any double has, and just beside them. */
static void very_long_digits_round_correctly(void **state)
{
    (void)state;
    static const double below[] = {1.0, 0x1p-1074, 0x1.fffffffffffffp1023 / 2, 0x1.8p-1022, 3.0, 0x1p53};
    for (size_t i = 0; i < ARRAY_LENGTH(below); i++) {
        double above = nextafter(below[i], INFINITY);
        char half[2000];
        /* The exact middle: long double (64-bit mantissa, wider exponent) holds it. */
        int n = snprintf(half, sizeof half - 2, "%.1100Lf", ((long double)below[i] + (long double)above) / 2);
        char *cell = cell_new(half, (size_t)n);
        double value, expected = strtod(half, NULL);
        assert_true(cast_f64(cell, (size_t)n, &value));
        assert_true(value == expected);
        cell_free(cell);
        strcpy(half + n, "1");
        cell = cell_new(half, (size_t)n + 1);
        assert_true(cast_f64(cell, (size_t)n + 1, &value));
        assert_true(value == above);
        cell_free(cell);
    }
    /* The first digit that matters stands after more zeros than are kept: a tie plus one unit far behind. */
    static const char room[3000];
    size_t n = sizeof room;
    char *big = cell_new(room, n);
    memcpy(big, "9007199254740993.", 17);
    memset(big + 17, '0', n - 17);
    double value;
    assert_true(cast_f64(big, n, &value));
    assert_true(value == 9007199254740992.0);
    big[n - 1] = '1';
    assert_true(cast_f64(big, n, &value));
    assert_true(value == 9007199254740994.0);
    /* 1 and thousands of zeros, brought back by the exponent. */
    memset(big, '0', n);
    memcpy(big, "9007199254740993", 16);
    memcpy(big + n - 6, "e-2978", 6);
    assert_true(cast_f64(big, n, &value));
    assert_true(value == 9007199254740992.0);
    cell_free(big);
}

static bool equal_text(enum type_kind kind, const char *text, int64_t *value)
{
    char *cell = cell_new(text, strlen(text));
    bool ok = false;
    int32_t days;
    switch (kind) {
    case TYPE_DATE:
        ok = cast_date(cell, strlen(text), &days);
        *value = ok ? days : 0;
        break;
    case TYPE_TIME:
        ok = cast_time(cell, strlen(text), value);
        break;
    case TYPE_TIMESTAMP:
        ok = cast_timestamp(cell, strlen(text), value);
        break;
    default:
        ok = cast_timestamptz(cell, strlen(text), value);
        break;
    }
    cell_free(cell);
    return ok;
}

struct moment_case {
    const char *text;
    int64_t value; /* of a text that is taken */
};

static void check_moments(enum type_kind kind, const struct moment_case *good, size_t good_n, const char *const *bad,
                          size_t bad_n)
{
    int64_t value;
    for (size_t i = 0; i < good_n; i++)
        if (!equal_text(kind, good[i].text, &value) || value != good[i].value)
            fail_msg("'%s' is to be %ld", good[i].text, (long)good[i].value);
    for (size_t i = 0; i < bad_n; i++)
        if (equal_text(kind, bad[i], &value))
            fail_msg("'%s' is taken as %ld", bad[i], (long)value);
}

static void dates(void **state)
{
    (void)state;
    static const struct moment_case good[] = {
        {"1970-01-01", 0},       {"1969-12-31", -1},      {"2000-02-29", 11016},  {"2024-02-29", 19782},
        {"0001-01-01", -719162}, {"9999-12-31", 2932896}, {"1900-02-28", -25509}, {"1900-03-01", -25508},
        {"2100-12-31", 47846},   {"0400-02-29", -573372},
    };
    static const char *const bad[] = {
        "",           "2024",        "2024-02",       "2024-02-30",       "2023-02-29",
        "1900-02-29", "2100-02-29",  "2024-04-31",    "2024-13-01",       "2024-00-01",
        "2024-01-00", "2024-01-32",  "0000-01-01",    "2024-1-1",         "2024-1-01",
        "2024-01-1",  "24-01-01",    "02024-01-01",   "2024/01/01",       "2024.01.01",
        "01-01-2024", "20240101",    "2024-01-01 ",   " 2024-01-01",      "2024-01-01T",
        "2024-01-0a", "2024-0a-01",  "a024-01-01",    "2a24-01-01",       "20a4-01-01",
        "202a-01-01", "2024_01-01",  "2024-01_01",    "-024-01-01",       "+024-01-01",
        "2024--1-01", "2024-01--1",  "2024-99-01",    "2024-01-99",       "2024-16-01",
        "2024-15-31", "2024-01-01Z", "2024\00101-01", "2024-01-\xB1\xB1", "\xB2\xB0\xB2\xB4-01-01",
    };
    check_moments(TYPE_DATE, good, ARRAY_LENGTH(good), bad, ARRAY_LENGTH(bad));
}

#define HOUR INT64_C(3600000000)
#define MINUTE INT64_C(60000000)
#define SECOND INT64_C(1000000)
#define DAY (24 * HOUR)

static void times(void **state)
{
    (void)state;
    static const struct moment_case good[] = {
        {"00:00", 0},
        {"23:59", 23 * HOUR + 59 * MINUTE},
        {"12:34:56", 12 * HOUR + 34 * MINUTE + 56 * SECOND},
        {"23:59:59.999999", DAY - 1},
        {"00:00:00.1", 100000},
        {"00:00:00.12", 120000},
        {"00:00:00.123", 123000},
        {"00:00:00.1234", 123400},
        {"00:00:00.12345", 123450},
        {"00:00:00.123456", 123456},
        {"00:00:00.1234560", 123456},
        {"00:00:00.123456000", 123456},
        {"00:00:00.000001000000000000000000000000", 1},
        {"00:00:00.0", 0},
    };
    static const char *const bad[] = {
        "",
        "0",
        "00",
        "00:",
        "00:0",
        "0:00",
        "24:00",
        "24:00:00",
        "12:60",
        "12:00:60",
        "12:34:",
        "12:34:5",
        "12:34:56.",
        "12:34:56,5",
        "12:34:56.1234567",
        "12:34:56.1 ",
        "12:34:56.12345678901",
        "12:34:56.00000001",
        "12-34-56",
        "12.34.56",
        "1234",
        "123456",
        "-1:00",
        "+1:00",
        " 12:34",
        "12:34 ",
        "12:34:56Z",
        "12:34:56 PM",
        "12:34PM",
        "a2:34:56",
        "1a:34:56",
        "12:a4:56",
        "12:3a:56",
        "12:34:a6",
        "12:34:5a",
        "12:34:56.a",
        "12:34:56.1a",
        "12:34:56..1",
        "12:34.5",
        "12:34:56.-1",
        "12:34:56:00",
    };
    check_moments(TYPE_TIME, good, ARRAY_LENGTH(good), bad, ARRAY_LENGTH(bad));
}

static void timestamps(void **state)
{
    (void)state;
    const int64_t noon = 19782 * DAY + 12 * HOUR + 34 * MINUTE + 56 * SECOND;
    const struct moment_case good[] = {
        {"2024-02-29", 19782 * DAY},
        {"2024-02-29T12:34", noon - 56 * SECOND},
        {"2024-02-29 12:34", noon - 56 * SECOND},
        {"2024-02-29T12:34:56", noon},
        {"2024-02-29 12:34:56", noon},
        {"2024-02-29 12:34:56.5", noon + 500000},
        {"2024-02-29T12:34:56.000001", noon + 1},
        {"2024-02-29T12:34:56.000001000", noon + 1},
        {"1969-12-31T23:59:59.999999", -1},
        {"0001-01-01T00:00:00", -719162 * DAY},
        {"9999-12-31T23:59:59.999999", 2932897 * DAY - 1},
    };
    static const char *const bad[] = {
        "",
        "2024-02-30T12:34:56",
        "2023-02-29 12:34",
        "2024-02-29T",
        "2024-02-29 ",
        "2024-02-29T1",
        "2024-02-29T12",
        "2024-02-29T12:",
        "2024-02-29T12:3",
        "2024-02-29T12:34:",
        "2024-02-29T12:34:5",
        "2024-02-29T12:34:56.",
        "2024-02-29t12:34:56",
        "2024-02-29_12:34:56",
        "2024-02-29  12:34:56",
        "2024-02-2912:34:56",
        "2024-02-29T12:34:56Z",
        "2024-02-29T12:34:56+00:00",
        "2024-02-29T12:34:56-05",
        "2024-02-29T24:00:00",
        "2024-02-29T23:59:60",
        "2024-02-29T12:34:56.1234567",
        "2024-02-29T12:34:56 ",
        " 2024-02-29T12:34:56",
        "20240229T123456",
        "2024-02-29T123456",
        "0000-01-01T00:00:00",
        "1709210096",
    };
    check_moments(TYPE_TIMESTAMP, good, ARRAY_LENGTH(good), bad, ARRAY_LENGTH(bad));
}

static void instants(void **state)
{
    (void)state;
    const int64_t noon = 19782 * DAY + 12 * HOUR + 34 * MINUTE + 56 * SECOND;
    const struct moment_case good[] = {
        {"2024-02-29T12:34:56Z", noon},
        {"2024-02-29 12:34:56Z", noon},
        {"2024-02-29 12:34:56 Z", noon},
        {"2024-02-29T12:34Z", noon - 56 * SECOND},
        {"2024-02-29T12:34+01", noon - 56 * SECOND - HOUR},
        {"2024-02-29T12:34:56+00", noon},
        {"2024-02-29T12:34:56-00:00", noon},
        {"2024-02-29T12:34:56+01:00", noon - HOUR},
        {"2024-02-29T12:34:56-01:00", noon + HOUR},
        {"2024-02-29T12:34:56+0530", noon - 5 * HOUR - 30 * MINUTE},
        {"2024-02-29T12:34:56+05:30", noon - 5 * HOUR - 30 * MINUTE},
        {"2024-02-29 12:34:56.25 +05:30", noon + 250000 - 5 * HOUR - 30 * MINUTE},
        {"2024-02-29 12:34:56.250000000-23:59", noon + 250000 + 24 * HOUR - MINUTE},
        {"0001-01-01T00:00:00Z", -719162 * DAY},
        {"0001-01-01T01:00:00+01:00", -719162 * DAY},
        {"9999-12-31T23:59:59.999999Z", 2932897 * DAY - 1},
    };
    static const char *const bad[] = {
        "",
        "2024-02-29",
        "2024-02-29Z",
        "2024-02-29+01:00",
        "2024-02-29-05",
        "2024-02-29 -05:00",
        "2024-02-29T12:34",
        "2024-02-29T12:34:56",
        "2024-02-29T12:34:56 ",
        "2024-02-29T12:34:56z",
        "2024-02-29T12:34:56UTC",
        "2024-02-29T12:34:56 UTC",
        "2024-02-29T12:34:56  Z",
        "2024-02-29T12:34:56ZZ",
        "2024-02-29T12:34:56Z ",
        "2024-02-29T12:34:56+",
        "2024-02-29T12:34:56+1",
        "2024-02-29T12:34:56+1:00",
        "2024-02-29T12:34:56+01:",
        "2024-02-29T12:34:56+01:0",
        "2024-02-29T12:34:56+010",
        "2024-02-29T12:34:56+01:00:00",
        "2024-02-29T12:34:56+24:00",
        "2024-02-29T12:34:56+01:60",
        "2024-02-29T12:34:56+01.00",
        "2024-02-29T12:34:56+0a:00",
        "2024-02-29T12:34:56+01:00Z",
        "2024-02-29T12:34:56Z+01:00",
        "2024-02-30T12:34:56Z",
        "2024-02-29T12:34:56.1234567Z",
        "2024-02-29T12:34:56.Z",
        "2024-02-29T12Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2024-02-29T12:34:56+01:00 ",
        "2024-02-29T12:34:56[Europe/Paris]",
    };
    check_moments(TYPE_TIMESTAMPTZ, good, ARRAY_LENGTH(good), bad, ARRAY_LENGTH(bad));
}

/* Bit 0: CAST takes it; bit 1: INFER does. */
static void booleans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int taken;
        uint8_t value;
    } cases[] = {
        {"true", 3, 1},  {"True", 3, 1},  {"TRUE", 3, 1},  {"tRUE", 1, 1},  {"t", 1, 1},     {"T", 1, 1},
        {"yes", 1, 1},   {"YES", 1, 1},   {"Yes", 1, 1},   {"y", 1, 1},     {"Y", 1, 1},     {"1", 1, 1},
        {"false", 3, 0}, {"False", 3, 0}, {"FALSE", 3, 0}, {"fALSE", 1, 0}, {"f", 1, 0},     {"F", 1, 0},
        {"no", 1, 0},    {"No", 1, 0},    {"NO", 1, 0},    {"n", 1, 0},     {"N", 1, 0},     {"0", 1, 0},
        {"", 0, 0},      {"2", 0, 0},     {"01", 0, 0},    {"tru", 0, 0},   {"truee", 0, 0}, {" true", 0, 0},
        {"true ", 0, 0}, {"on", 0, 0},    {"off", 0, 0},   {"ja", 0, 0},    {"fals", 0, 0},  {"falsee", 0, 0},
        {"-1", 0, 0},    {"yess", 0, 0},  {"TRUe", 1, 1},  {"null", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t n = strlen(cases[i].text);
        char *cell = cell_new(cases[i].text, n);
        uint8_t value = 9;
        bool cast = cast_bool(cell, n, &value);
        if (cast != (cases[i].taken & 1) || (cast && value != cases[i].value))
            fail_msg("cast_bool of '%s'", cases[i].text);
        bool infer = infer_bool(cell, n, &value);
        if (infer != cases[i].taken >> 1 || (infer && value != cases[i].value))
            fail_msg("infer_bool of '%s'", cases[i].text);
        cell_free(cell);
    }
}

static void uuids(void **state)
{
    (void)state;
    static const uint8_t expected[16] = {0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3,
                                         0xA4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00};
    static const char *good[] = {"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"};
    uint8_t out[16];
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        char *cell = cell_new(good[i], 36);
        memset(out, 0, sizeof out);
        assert_true(cast_uuid(cell, 36, out));
        assert_memory_equal(out, expected, 16);
        cell_free(cell);
    }
    static const char *bad[] = {"",
                                "123e4567e89b12d3a456426614174000",
                                "123e4567-e89b-12d3-a456-42661417400",
                                "123e4567-e89b-12d3-a456-4266141740000",
                                "{123e4567-e89b-12d3-a456-42661417400}",
                                "123e4567-e89b-12d3-a456_426614174000",
                                "123e4567-e89b-12d3-a4560426614174000",
                                "123e4567ee89b-12d3-a456-426614174000",
                                "123e4567-e89b-12d3-a456-42661417400g",
                                "g23e4567-e89b-12d3-a456-426614174000",
                                "123e456--e89b-12d3-a456-426614174000",
                                "123e4567-e89b-12d3-a456-4266141740@0",
                                "123e4567-e89b-12d3-a456-4266141740`0",
                                " 23e4567-e89b-12d3-a456-426614174000"};
    memset(out, 0x55, sizeof out);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        char *cell = cell_new(bad[i], strlen(bad[i]));
        assert_false(cast_uuid(cell, strlen(bad[i]), out));
        cell_free(cell);
    }
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(out[i], 0x55);
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned precision, scale;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", 1, 0, 1, 0},
        {"-0", 1, 0, 1, 0},
        {"0.00", 1, 1, 1, 0},
        {"9", 1, 0, 1, 9},
        {"10", 1, 0, 0, 0},
        {"1.5", 4, 2, 1, 150},
        {"-1.5", 4, 2, 1, -150},
        {"+1.5", 4, 2, 1, 150},
        {"99.99", 4, 2, 1, 9999},
        {"99.990", 4, 2, 1, 9999},
        {"99.9900000000000000000000000000000000000000000", 4, 2, 1, 9999},
        {"99.999", 4, 2, 0, 0},
        {"100", 4, 2, 0, 0},
        {"100.00", 4, 2, 0, 0},
        {"-100", 4, 2, 0, 0},
        {"000099.99", 4, 2, 1, 9999},
        {"00000000000000000000000000000000000000000000000000099.99", 4, 2, 1, 9999},
        {".5", 4, 2, 1, 50},
        {"5.", 4, 2, 1, 500},
        {".", 4, 2, 0, 0},
        {"", 4, 2, 0, 0},
        {"-", 4, 2, 0, 0},
        {"0.01", 2, 2, 1, 1},
        {"0.001", 2, 2, 0, 0},
        {"0.99", 2, 2, 1, 99},
        {"1.00", 2, 2, 0, 0},
        {"1e1", 4, 2, 1, 1000},
        {"1e2", 4, 2, 0, 0},
        {"1e-2", 4, 2, 1, 1},
        {"1e-3", 4, 2, 0, 0},
        {"1.5e1", 4, 2, 1, 1500},
        {"1.5E+1", 4, 2, 1, 1500},
        {"150e-2", 4, 2, 1, 150},
        {"1500e-3", 4, 2, 1, 150},
        {"15000000000000000000000000000000000000000000000e-46", 4, 2, 1, 150},
        {"0.0000000000000000000000000000000000000000000015e45", 4, 2, 1, 150},
        {"0e99999999999999999999", 4, 2, 1, 0},
        {"1e99999999999999999999", 4, 2, 0, 0},
        {"1e-99999999999999999999", 4, 2, 0, 0},
        {"1e-9223372036854775808", 4, 2, 0, 0},
        {"inf", 4, 2, 0, 0},
        {"nan", 4, 2, 0, 0},
        {"1.5 ", 4, 2, 0, 0},
        {" 1.5", 4, 2, 0, 0},
        {"1,5", 4, 2, 0, 0},
        {"0x1", 4, 2, 0, 0},
        {"1.5e", 4, 2, 0, 0},
        {"1..5", 4, 2, 0, 0},
        {"123456789012345678", 18, 0, 1, 123456789012345678},
        {"1234567890123456789", 18, 0, 0, 0},
        {"12345678901234567.8", 18, 1, 1, 123456789012345678},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *cell = cell_new(cases[i].text, strlen(cases[i].text));
        __int128 value = 99;
        bool ok = cast_decimal(cell, strlen(cases[i].text), cases[i].precision, cases[i].scale, &value);
        if (ok != cases[i].ok || value != (ok ? cases[i].value : 99))
            fail_msg("cast_decimal(%u,%u) of '%s'", cases[i].precision, cases[i].scale, cases[i].text);
        cell_free(cell);
    }
    char *nines = cell_new("-99999999999999999999999999999999999999", 39);
    __int128 value, largest = 0;
    for (int i = 0; i < 38; i++)
        largest = largest * 10 + 9;
    assert_true(cast_decimal(nines, 39, 38, 0, &value));
    assert_true(value == -largest);
    assert_true(cast_decimal(nines + 1, 38, 38, 0, &value));
    assert_true(value == largest);
    cell_free(nines);
    char *one = cell_new("1", 1);
    assert_true(cast_decimal(one, 1, 38, 37, &value));
    assert_true(value == largest / 10 + 1);
    assert_false(cast_decimal(one, 1, 38, 38, &value));
    cell_free(one);
}

/* cast_text: the right field of the union, and a reason that fits. */
static void reasons(void **state)
{
    (void)state;
    static const struct {
        struct data_type type;
        const char *text;
        const char *why; /* NULL: taken */
    } cases[] = {
        {{.kind = TYPE_BOOLEAN}, "yes", NULL},
        {{.kind = TYPE_BOOLEAN}, "maybe", "not a boolean"},
        {{.kind = TYPE_INTEGER}, "2147483647", NULL},
        {{.kind = TYPE_INTEGER}, "-2147483648", NULL},
        {{.kind = TYPE_INTEGER}, "2147483648", "beyond the range of integer"},
        {{.kind = TYPE_INTEGER}, "-2147483649", "beyond the range of integer"},
        {{.kind = TYPE_INTEGER}, "4294967297", "beyond the range of integer"},
        {{.kind = TYPE_INTEGER}, "99999999999999999999", "beyond the range of integer"},
        {{.kind = TYPE_INTEGER}, "1.5", "not a whole number"},
        {{.kind = TYPE_INTEGER}, "one", "not a whole number"},
        {{.kind = TYPE_BIGINT}, "9223372036854775808", "beyond the range of bigint"},
        {{.kind = TYPE_BIGINT}, "1e3", "not a whole number"},
        {{.kind = TYPE_BIGINT}, "", "not a whole number"},
        {{.kind = TYPE_BIGINT}, "+17", NULL},
        {{.kind = TYPE_FLOAT}, "3.4028234663852886e38", NULL},
        {{.kind = TYPE_FLOAT}, "3.4028235677973362e38", NULL},
        {{.kind = TYPE_FLOAT}, "3.4028235677973366e38", "beyond the range of float"},
        {{.kind = TYPE_FLOAT}, "-1e39", "beyond the range of float"},
        {{.kind = TYPE_FLOAT}, "1e400", "beyond the range of float"},
        {{.kind = TYPE_FLOAT}, "-inf", NULL},
        {{.kind = TYPE_FLOAT}, "x", "not a number"},
        {{.kind = TYPE_DOUBLE}, "1e400", "beyond the range of double"},
        {{.kind = TYPE_DOUBLE}, "1,5", "not a number"},
        {{.kind = TYPE_DOUBLE}, "nan", NULL},
        {{TYPE_DECIMAL, 4, 2}, "12.34", NULL},
        {{TYPE_DECIMAL, 4, 2}, "12.345", "more digits than the decimal's precision and scale hold"},
        {{TYPE_DECIMAL, 4, 2}, "twelve", "not a number"},
        {{.kind = TYPE_DATE}, "2024-02-30", "not a date (yyyy-MM-dd) that exists"},
        {{.kind = TYPE_TIME}, "24:00", "not a time (HH:mm:ss) within microseconds"},
        {{.kind = TYPE_TIMESTAMP}, "2024-02-29", NULL},
        {{.kind = TYPE_TIMESTAMPTZ}, "2024-02-29 00:00Z", NULL},
        {{.kind = TYPE_UUID}, "x", "not a uuid"},
        {{.kind = TYPE_JSON}, "{\"a\": [1, 2, null]}", NULL},
        {{.kind = TYPE_JSON}, "{\"a\": }", "not one valid JSON value"},
        {{.kind = TYPE_STRING}, "anything", NULL},
        {{.kind = TYPE_BINARY}, "\xFF", NULL},
        {{.kind = TYPE_NULL}, "x", "a column without a type takes no value"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t n = strlen(cases[i].text);
        char *cell = cell_new(cases[i].text, n);
        union value value;
        const char *why = NULL;
        bool ok = cast_text(cases[i].type, cell, n, &value, &why);
        if (ok != !cases[i].why)
            fail_msg("cast_text of '%s' as %s", cases[i].text, type_table[cases[i].type.kind].name);
        if (!ok)
            assert_string_equal(why, cases[i].why);
        cell_free(cell);
    }
}

static union value cast_or_fail(enum type_kind kind, const char *text)
{
    union value value;
    const char *why;
    char *cell = cell_new(text, strlen(text));
    memset(&value, 0xAA, sizeof value);
    if (!cast_text((struct data_type){.kind = kind, .precision = 9, .scale = 3}, cell, strlen(text), &value, &why))
        fail_msg("'%s': %s", text, why);
    cell_free(cell);
    return value;
}

static void values_land_in_their_member(void **state)
{
    (void)state;
    assert_int_equal(cast_or_fail(TYPE_BOOLEAN, "true").b, 1);
    assert_int_equal(cast_or_fail(TYPE_INTEGER, "-5").i32, -5);
    assert_int_equal(cast_or_fail(TYPE_BIGINT, "-5000000000").i64, -5000000000);
    assert_true(cast_or_fail(TYPE_FLOAT, "0.1").f32 == 0.1f);
    assert_true(isinf(cast_or_fail(TYPE_FLOAT, "inf").f32));
    assert_true(cast_or_fail(TYPE_FLOAT, "1e-60").f32 == 0.0f);
    assert_true(cast_or_fail(TYPE_DOUBLE, "0.1").f64 == 0.1);
    assert_true(cast_or_fail(TYPE_DECIMAL, "-0.125").i128 == -125);
    assert_int_equal(cast_or_fail(TYPE_DATE, "1970-01-02").i32, 1);
    assert_int_equal(cast_or_fail(TYPE_TIME, "00:01").i64, MINUTE);
    assert_int_equal(cast_or_fail(TYPE_TIMESTAMP, "1970-01-02").i64, DAY);
    assert_int_equal(cast_or_fail(TYPE_TIMESTAMPTZ, "1970-01-01T00:00+01").i64, -HOUR);
    assert_int_equal(cast_or_fail(TYPE_UUID, "ff000000-0000-0000-0000-000000000000").bytes[0], 0xFF);
    assert_int_equal(cast_or_fail(TYPE_STRING, "x").bytes[0], 0xAA); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),   cmocka_unit_test(doubles),
        cmocka_unit_test(dates),      cmocka_unit_test(times),
        cmocka_unit_test(timestamps), cmocka_unit_test(instants),
        cmocka_unit_test(booleans),   cmocka_unit_test(uuids),
        cmocka_unit_test(decimals),   cmocka_unit_test(very_long_digits_round_correctly),
        cmocka_unit_test(reasons),    cmocka_unit_test(values_land_in_their_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
