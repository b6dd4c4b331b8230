#include "sys/id.h"

#include <string.h>

#include "unit/cmocka_all.h"

static void ids_sort_by_the_order_they_were_made(void **state)
{
    (void)state;
    char before[ID_CAP] = "", now[ID_CAP];
    for (int i = 0; i < 20000; i++) {
        id_make(now);
        assert_true(id_is_valid(now));
        assert_true(strcmp(before, now) < 0);
        memcpy(before, now, sizeof now);
    }
}

static void other_texts_are_no_ids(void **state)
{
    (void)state;
    assert_false(id_is_valid(""));
    assert_false(id_is_valid("0123456789abcdefghjkmnpqr"));
    assert_false(id_is_valid("0123456789abcdefghjkmnpqrsu"));
    assert_false(id_is_valid("../456789abcdefghjkmnpqrst"));
    assert_false(id_is_valid("0123456789ABCDEFGHJKMNPQRS"));
}

static void random_text_has_its_length_and_differs(void **state)
{
    (void)state;
    char a[65], b[65];
    random_hex(a, 32);
    random_hex(b, 32);
    assert_int_equal(strlen(a), 64);
    assert_int_equal(strspn(a, "0123456789abcdef"), 64);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_sort_by_the_order_they_were_made),
        cmocka_unit_test(other_texts_are_no_ids),
        cmocka_unit_test(random_text_has_its_length_and_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
