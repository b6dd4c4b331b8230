/* Where rejects go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake/quarantine_path.h"

static void test_path(void **state)
{
    (void)state;
    struct error err;
    struct buf b = {0};
    const char *want = "job=a%2Fb%20c/dt=1970-01-02/run_id=r-1/rejects-00003.parquet";
    assert_int_equal(quarantine_path(STR("a/b c"), STR("r-1"), INT64_C(86400000000), 3, &b, &err), OK);
    assert_true(str_equal(buf_str(&b), str_of(want)));
    buf_clear(&b);
    want = "job=__HIVE_DEFAULT_PARTITION__/dt=1969-12-31/run_id=r-1/rejects-00000.parquet";
    assert_int_equal(quarantine_path(STR(""), STR("r-1"), -1, 0, &b, &err), OK);
    assert_true(str_equal(buf_str(&b), str_of(want)));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_path)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
