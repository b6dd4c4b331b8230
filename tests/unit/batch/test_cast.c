/* Booleans and uuids; cast_text, which reaches all types and says why a text is refused. */
#include <math.h>

#include "unit/batch/cell.h"
#include "unit/cmocka_all.h"

#define HOUR INT64_C(3600000000)
#define MINUTE INT64_C(60000000)
#define DAY (24 * HOUR)

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
        cmocka_unit_test(booleans),
        cmocka_unit_test(uuids),
        cmocka_unit_test(reasons),
        cmocka_unit_test(values_land_in_their_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
