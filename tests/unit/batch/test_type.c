#include <string.h>

#include "batch/type.h"
#include "unit/cmocka_all.h"

static void names_round_trip_in_any_case(void **state)
{
    (void)state;
    for (int kind = TYPE_BOOLEAN; kind < TYPE_KIND_COUNT; kind++) {
        struct data_type type = {.kind = (enum type_kind)kind, .precision = 38, .scale = 9}, parsed = {0};
        if (kind != TYPE_DECIMAL)
            type.precision = type.scale = 0;
        char name[TYPE_NAME_MAX], upper[TYPE_NAME_MAX];
        assert_ptr_equal(type_name(type, name), name);
        for (size_t i = 0; i < sizeof upper; i++)
            upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
        assert_int_equal(type_parse(str_of(name), &parsed, NULL), OK);
        assert_true(type_equal(type, parsed));
        assert_int_equal(type_parse((struct str){upper, strlen(name)}, &parsed, NULL), OK);
        assert_true(type_equal(type, parsed));
    }
}

static void decimals_carry_their_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t precision, scale;
    } good[] = {{"decimal", 38, 9},   {"DECIMAL(18,3)", 18, 3},   {"decimal(18, 3)", 18, 3}, {"decimal(18,  3)", 18, 3},
                {"decimal(1)", 1, 0}, {"decimal(38,38)", 38, 38}, {"decimal(38,0)", 38, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct data_type type;
        assert_int_equal(type_parse(str_of(good[i].text), &type, NULL), OK);
        assert_int_equal(type.kind, TYPE_DECIMAL);
        assert_int_equal(type.precision, good[i].precision);
        assert_int_equal(type.scale, good[i].scale);
    }
    char name[TYPE_NAME_MAX];
    assert_string_equal(type_name((struct data_type){TYPE_DECIMAL, 18, 3}, name), "decimal(18,3)");
    assert_false(type_equal((struct data_type){TYPE_DECIMAL, 18, 3}, (struct data_type){TYPE_DECIMAL, 18, 2}));
    assert_true(type_equal((struct data_type){TYPE_DATE, 1, 1}, (struct data_type){TYPE_DATE, 0, 0}));
}

static void unknown_types_are_named_and_the_known_listed(void **state)
{
    (void)state;
    static const char *bad[] = {"",
                                "int",
                                "null",
                                "varchar",
                                "string ",
                                " string",
                                "strin",
                                "decimal(",
                                "decimal()",
                                "decimal(0)",
                                "decimal(39)",
                                "decimal(5,6)",
                                "decimal(5,-1)",
                                "decimal(5,)",
                                "decimal(,5)",
                                "decimal(5,2",
                                "decimal(5,2)x",
                                "decimal(5;2)",
                                "decimal 5",
                                "decimalx"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct error err = {0};
        struct data_type type = {.kind = TYPE_UUID};
        assert_int_equal(type_parse(str_of(bad[i]), &type, &err), ERR_INVALID);
        assert_int_equal(type.kind, TYPE_UUID);
        assert_non_null(strstr(err.message, bad[i]));
        assert_non_null(strstr(err.hint, "timestamptz"));
    }
}

static void layouts_agree_with_widths(void **state)
{
    (void)state;
    static const uint8_t widths[] = {
        [LAYOUT_NONE] = 0, [LAYOUT_BOOL] = 1,  [LAYOUT_I32] = 4,      [LAYOUT_I64] = 8, [LAYOUT_F32] = 4,
        [LAYOUT_F64] = 8,  [LAYOUT_I128] = 16, [LAYOUT_BYTES16] = 16, [LAYOUT_VAR] = 0};
    for (int kind = 0; kind < TYPE_KIND_COUNT; kind++) {
        struct data_type type = {.kind = (enum type_kind)kind};
        assert_int_equal(type_width(type), widths[type_layout(type)]);
        assert_int_equal(type_is_var(type), kind == TYPE_STRING || kind == TYPE_JSON || kind == TYPE_BINARY);
        assert_int_equal(type_table[kind].is_text, kind == TYPE_STRING || kind == TYPE_JSON);
        assert_non_null(type_table[kind].duckdb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_round_trip_in_any_case),
        cmocka_unit_test(decimals_carry_their_parameters),
        cmocka_unit_test(unknown_types_are_named_and_the_known_listed),
        cmocka_unit_test(layouts_agree_with_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
