#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/json_nonfinite.h"

static const struct {
    const char *json, *quoted;
    bool maybe;
} cases[] = {
    {"", "", false},
    {"NaN", "\"NaN\"", true},
    {"-NaN", "\"NaN\"", true},
    {"[Infinity,-Infinity]", "[\"inf\",\"-inf\"]", true},
    {"[NaN,NaN,NaN,NaN,NaN,NaN]", "[\"NaN\",\"NaN\",\"NaN\",\"NaN\",\"NaN\",\"NaN\"]", true},
    {"{\"NaN\":NaN}", "{\"NaN\":\"NaN\"}", true},
    {"{\"a\":\"Infinity\"}", "{\"a\":\"Infinity\"}", true},
    {"{\"a\":\"\\\"NaN\",\"b\":NaN}", "{\"a\":\"\\\"NaN\",\"b\":\"NaN\"}", true},
    {"{\"a\":\"\\\\\",\"b\":NaN}", "{\"a\":\"\\\\\",\"b\":\"NaN\"}", true},
    {"[-1.5,2,null,true]", "[-1.5,2,null,true]", false},
    {"\"unended NaN", "\"unended NaN", true},
    {"\"unended \\", "\"unended \\", false},
    {"[N,I,-]", "[N,I,-]", false},
};

static void test_quote(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error err = {0};
        struct buf to = {0};
        assert_int_equal(json_nonfinite_maybe(str_of(cases[i].json)), cases[i].maybe);
        assert_int_equal(json_nonfinite_quote(str_of(cases[i].json), &to, &err), OK);
        assert_int_equal(to.len, strlen(cases[i].quoted));
        assert_memory_equal(to.len ? (const char *)to.data : "", cases[i].quoted, to.len);
        assert_true(to.len <= to.cap);
        buf_release(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
