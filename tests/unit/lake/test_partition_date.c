/* Tables of date patterns that are taken and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "lake/partition.h"

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
    } cases[] = {
        {"yyyy/MM/dd", "2024/03/07/"},
        {"dt=yyyy-MM-dd", "dt=2024-03-07/"},
        {"yyyyMMdd", "20240307/"},
        {"yyyyMMddHH", "2024030705/"},
        {"dt=yyyy-MM-dd/hour=HH", "dt=2024-03-07/hour=05/"},
        {"month=MM", "month=03/"},
        {"MM=MM/dd=dd/yyyy=yyyy", "MM=03/dd=07/yyyy=2024/"},
        {"mm=HH", "mm=05/"},
        {"sales/yyyy", "sales/2024/"},
        {"access/summary/yyyy_MM", "access/summary/2024_03/"},
        {"a b/yyyy", "a b/2024/"},
        {"v2-yyyy", "v2-2024/"},
        {"k=yyyy=MM", "k=2024=03/"},
        {"k=", "k=/"},
        {"Z\xC3\xBCrich-yyyy", "Z\xC3\xBCrich-2024/"},
        {"raw", "raw/"},
        {"...yyyy", "...2024/"},
    };
    int64_t micros = civil_days(2024, 3, 7) * 86400000000 + (5 * 3600 + 59 * 60 + 59) * 1000000LL + 999999;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf path = {0};
        struct error err = {0};
        struct str pattern = str_of(cases[i].pattern);
        if (partition_date_check(pattern, &err) != OK)
            fail_msg("%s: %s", cases[i].pattern, err.message);
        assert_int_equal(partition_date_path(pattern, micros, &path, &err), OK);
        assert_int_equal(buf_append(&path, "", 1, &err), OK);
        assert_string_equal((char *)path.data, cases[i].path);
        buf_release(&path);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *named; /* what the message has to name */
    } cases[] = {
        {"", "empty"},
        {"/yyyy", "'/'"},
        {"yyyy/", "'/'"},
        {"yyyy//MM", "'/'"},
        {"..", ".."},
        {"yyyy/../MM", ".."},
        {"./yyyy", "."},
        {"YYYY/MM", "'YYYY'"},
        {"yyyy/mm/dd", "'mm'"},
        {"yyyy/MM/DD", "'DD'"},
        {"yyyy/MM/dd/hh", "'hh'"},
        {"HH-ss", "'ss'"},
        {"yy", "'yy'"},
        {"yyyyy", "'yyyyy'"},
        {"yyyy/M/d", "'M'"},
        {"MMM", "'MMM'"},
        {"ddHHmm", "'ddHHmm'"},
        {"dt=YYYY", "'YYYY'"},
        {"dayDD", "'dayDD'"},
        {"yyyyT", "'yyyyT'"},
        {"address", "'address'"},
        {"TyyyyMM", "'TyyyyMM'"},
        {"a\\b", "backslash"},
        {"a\nb", "control"},
        {"a\x7F", "control"},
        {"\xFFyyyy", "UTF-8"},
        {"dt=yyyy/hour=hh", "'hh'"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf path = {0};
        struct error err = {0};
        struct str pattern = str_of(cases[i].pattern);
        if (partition_date_check(pattern, &err) != ERR_INVALID)
            fail_msg("'%s' was taken", cases[i].pattern);
        if (!strstr(err.message, cases[i].named))
            fail_msg("'%s': %s", cases[i].pattern, err.message);
        assert_non_null(strstr(err.hint, "yyyy MM dd HH"));
        assert_int_equal(partition_date_path(pattern, 0, &path, &err), ERR_INVALID);
        assert_int_equal(path.len, 0);
        buf_release(&path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
