/* Texts that dates, times and timestamps take and refuse. */
#include "unit/batch/cell.h"
#include "unit/cmocka_all.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(times),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(instants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
