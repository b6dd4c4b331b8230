/* Names for folders. */
#include "unit/cmocka_all.h"

#include "base/slug.h"

static void assert_slug(const char *name, size_t cap, const char *wanted)
{
    char into[64];
    slug_of(name, into, cap);
    assert_string_equal(into, wanted);
}

static void test_slugs(void **state)
{
    (void)state;
    assert_slug("Sales EU", 64, "sales_eu");
    assert_slug("  a  --  b  ", 64, "a_--_b");
    assert_slug("-a-", 64, "a-");
    assert_slug("_a", 64, "_a");
    assert_slug("caf\xC3\xA9 2", 64, "caf_2");
    assert_slug("../..", 64, "x");
    assert_slug("", 64, "x");
    assert_slug("!", 2, "x");
    assert_slug("abc", 3, "ab");
    assert_slug("ab c", 4, "ab");
    assert_slug("ab c", 5, "ab_c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slugs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
