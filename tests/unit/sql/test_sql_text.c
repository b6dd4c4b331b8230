#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/sql_text.h"

static void test_quoting(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf sql = {0};
    const char *const texts[] = {"it's", "", "a\"b\\n"};
    assert_int_equal(sql_append_identifier(&sql, STR("a\"b'c"), &err), OK);
    assert_int_equal(sql_append_literal(&sql, STR("'"), &err), OK);
    assert_int_equal(sql_append_literals(&sql, texts, 3, &err), OK);
    assert_int_equal(sql_append_literals(&sql, NULL, 0, &err), OK);
    assert_int_equal(sql_end(&sql, &err), OK);
    assert_string_equal((const char *)sql.data, "\"a\"\"b'c\"''''['it''s','','a\"b\\n'][]");
    assert_int_equal(sql.len, strlen((const char *)sql.data));
    buf_release(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
