#include <stdio.h>

#include "batch/schema.h"
#include "unit/cmocka_all.h"

static const struct data_type bigint = {.kind = TYPE_BIGINT};

static void fields_own_their_names(void **state)
{
    (void)state;
    struct schema s = {0};
    char name[] = "price", source[] = "Price (EUR)";
    assert_int_equal(schema_add(&s, str_of(name), str_of(source), bigint, true, NULL), OK);
    assert_int_equal(schema_add(&s, STR("plain"), (struct str){0}, (struct data_type){TYPE_DECIMAL, 9, 2}, false, NULL),
                     OK);
    name[0] = source[0] = 'X';
    assert_int_equal(s.count, 2);
    assert_string_equal(s.fields[0].name, "price");
    assert_string_equal(s.fields[0].source_name, "Price (EUR)");
    assert_true(s.fields[0].not_null);
    assert_string_equal(s.fields[1].source_name, "plain");
    assert_true(s.fields[1].source_name != s.fields[1].name);
    assert_int_equal(s.fields[1].type.precision, 9);
    schema_release(&s);
    assert_int_equal(s.count, 0);
    schema_release(&s);
}

static void names_are_found_exactly_before_case_is_ignored(void **state)
{
    (void)state;
    struct schema s = {0};
    static const char *names[] = {"Id", "id", "NAME", ""};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(schema_add(&s, str_of(names[i]), (struct str){0}, bigint, false, NULL), OK);
    assert_int_equal(schema_find(&s, STR("id")), 1);
    assert_int_equal(schema_find(&s, STR("Id")), 0);
    assert_int_equal(schema_find(&s, STR("ID")), 0);
    assert_int_equal(schema_find(&s, STR("name")), 2);
    assert_int_equal(schema_find(&s, STR("")), 3);
    assert_int_equal(schema_find(&s, STR("i")), -1);
    schema_release(&s);
}

static void copies_stand_alone(void **state)
{
    (void)state;
    struct schema s = {0}, copy = {0};
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(schema_add(&s, str_of(name), STR("source"), bigint, i % 2, NULL), OK);
    }
    assert_int_equal(schema_copy(&copy, &s, NULL), OK);
    schema_release(&s);
    assert_int_equal(copy.count, 100);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_string_equal(copy.fields[i].name, name);
        assert_string_equal(copy.fields[i].source_name, "source");
        assert_int_equal(copy.fields[i].not_null, i % 2);
    }
    assert_int_equal(schema_find(&copy, STR("C77")), 77);
    schema_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_own_their_names),
        cmocka_unit_test(names_are_found_exactly_before_case_is_ignored),
        cmocka_unit_test(copies_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
