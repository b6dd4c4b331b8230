/* Tables of name patterns and of the names that they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "lake/file_name.h"

static struct file_name_parts parts(const char *source, uint32_t sequence)
{
    return (struct file_name_parts){
        .run_micros = civil_days(2024, 3, 7) * 86400000000 + 5025006789, /* 01:23:45.006789 */
        .source = str_of(source),
        .run_id = STR("r-1"),
        .job = STR("orders"),
        .sequence = sequence,
        .extension = STR(".parquet"),
    };
}

static const char *make(const char *pattern, struct file_name_parts p)
{
    static char name[512];
    struct buf b = {0};
    struct error err = {0};
    if (file_name_make(str_of(pattern), &p, &b, &err) != OK)
        fail_msg("%s: %s", pattern, err.message);
    snprintf(name, sizeof name, "%.*s", (int)b.len, (char *)b.data);
    assert_int_equal(strlen(name), b.len);
    buf_release(&b);
    return name;
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *source;
        uint32_t sequence;
        const char *name;
    } cases[] = {
        {"{timestamp}_{filename}", "in/sales.csv.gz", 0, "20240307T012345006Z_sales.parquet"},
        {"{timestamp}_{filename}", "in/sales.csv.gz", 3, "20240307T012345006Z_sales-3.parquet"},
        {"{filename}", "/a.b/sales.2024.csv", 0, "sales.2024.parquet"},
        {"{filename}", "x.ndjson.zst", 0, "x.parquet"},
        {"{filename}", "x.gz", 0, "x.parquet"},
        {"{filename}", "v1.2", 0, "v1.2.parquet"},
        {"{filename}", "README", 0, "README.parquet"},
        {"{filename}", ".csv", 0, "_csv.parquet"},
        {"{filename}", "-", 0, "stdin.parquet"},
        {"{filename}", "", 0, "orders.parquet"},
        {"{filename}", "dir/", 0, "orders.parquet"},
        {"part-{seq}", "x", 0, "part-00000.parquet"},
        {"part-{seq}", "x", 12, "part-00012.parquet"},
        {"part-{seq}", "x", 1234567, "part-1234567.parquet"},
        {"{job}_{run_id}_{date}", "x", 0, "orders_r-1_2024-03-07.parquet"},
        {"{job}_{run_id}_{date}", "x", 1, "orders_r-1_2024-03-07-1.parquet"},
        {"fixed", "x", 0, "fixed.parquet"},
        {"..{job}", "x", 0, "_.orders.parquet"},
        {"a:b*c?d\"e<f>g|h\\i", "x", 0, "a_b_c_d_e_f_g_h_i.parquet"},
        {"{filename}", "a\tb\x7F\xFF\xC3\xA9.csv", 0, "a_b__\xC3\xA9.parquet"},
        {"{filename}{filename}", "ab.csv", 0, "abab.parquet"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(make(cases[i].pattern, parts(cases[i].source, cases[i].sequence)), cases[i].name);
    struct file_name_parts bare = {.extension = STR(".csv.gz")};
    assert_string_equal(make("{filename}{job}{run_id}", bare), "data.csv.gz");
    assert_string_equal(make("{timestamp}", bare), "19700101T000000000Z.csv.gz");
}

static void test_long_names(void **state)
{
    (void)state;
    char source[1000] = "";
    for (int i = 0; i < 150; i++)
        strcat(source, "\xC3\xA9");
    strcat(source, ".csv");
    for (uint32_t sequence = 0; sequence < 2; sequence++) {
        const char *name = make("{filename}_{date}_{seq}", parts(source, sequence));
        size_t n = strlen(name);
        assert_true(n <= 200 + 8 && n > 190);
        assert_true(str_is_utf8((struct str){name, n}));
        assert_string_equal(strstr(name, "_2024"),
                            sequence ? "_2024-03-07_00001.parquet" : "_2024-03-07_00000.parquet");
    }
    const char *plain = make("{filename}", parts(source, 7));
    assert_true(strlen(plain) <= 200 + 8);
    assert_non_null(strstr(plain, "\xC3\xA9-7.parquet"));
    /* no {filename} to cut: what tells files of a run apart is added when {seq} may be gone */
    struct file_name_parts p = parts("x", 4000000000u);
    p.job = str_of(source);
    const char *cut = make("{job}{seq}", p);
    assert_true(strlen(cut) <= 200 + 8);
    assert_non_null(strstr(cut, "-4000000000.parquet"));
    assert_true(str_is_utf8(str_of(cut)));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {"",    "{name}", "{filename",    "a}b",  "{}",    "{{seq}}",
                                           "a/b", "{Seq}",  "{timestamp}{", "\xFF", "{seq }"};
    struct error err;
    struct buf b = {0};
    struct file_name_parts p = parts("x", 0);
    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++) {
        if (file_name_check(str_of(patterns[i]), &err) != ERR_INVALID)
            fail_msg("'%s' was taken", patterns[i]);
        assert_non_null(strstr(err.hint, "{timestamp} {filename} {run_id} {job} {date} {seq}"));
        assert_int_equal(file_name_make(str_of(patterns[i]), &p, &b, &err), ERR_INVALID);
        assert_int_equal(b.len, 0);
    }
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
