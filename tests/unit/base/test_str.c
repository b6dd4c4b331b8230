#include <stdio.h>

#include "base/attributes.h"
#include "base/str.h"
#include "unit/cmocka_all.h"

static void equality_ignores_ascii_case_only(void **state)
{
    (void)state;
    assert_true(str_equal(STR("abc"), STR("abc")));
    assert_false(str_equal(STR("abc"), STR("abC")));
    assert_false(str_equal(STR("abc"), STR("ab")));
    assert_true(str_equal((struct str){NULL, 0}, STR("")));
    assert_true(str_equal_nocase(STR("aZ09_"), STR("Az09_")));
    assert_false(str_equal_nocase(STR("["), STR("{"))); /* 0x5B and 0x7B differ by the case bit only */
    assert_false(str_equal_nocase(STR("@"), STR("`")));
    assert_false(str_equal_nocase(STR("\xC3\x84"), STR("\xC3\xA4")));
    assert_false(str_equal_nocase(STR("a"), STR("ab")));
}

static void order_is_by_unsigned_bytes_with_prefixes_first(void **state)
{
    (void)state;
    static const struct str ordered[] = {{"", 0},  {"\0", 1},   {"A", 1},    {"a", 1},    {"a\0", 2},     {"ab", 2},
                                         {"b", 1}, {"\x7F", 1}, {"\x80", 1}, {"\xFF", 1}, {"\xFF\xFF", 2}};
    for (size_t i = 0; i < ARRAY_LENGTH(ordered); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(ordered); j++) {
            int order = str_compare(ordered[i], ordered[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void prefixes_never_cut_a_sequence(void **state)
{
    (void)state;
    struct str s = STR("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"); /* 1 + 2 + 3 + 4 + 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
    for (size_t max = 0; max < ARRAY_LENGTH(expected); max++)
        assert_int_equal(str_utf8_prefix(s, max), expected[max]);
}

static void utf8_follows_the_table_of_the_standard(void **state)
{
    (void)state;
    static const struct str good[] = {{"", 0},
                                      {"plain", 5},
                                      {"\0", 1},
                                      {"\x7F", 1},
                                      {"\xC2\x80", 2},
                                      {"\xDF\xBF", 2},
                                      {"\xE0\xA0\x80", 3},
                                      {"\xED\x9F\xBF", 3},
                                      {"\xEE\x80\x80", 3},
                                      {"\xEF\xBF\xBF", 3},
                                      {"\xF0\x90\x80\x80", 4},
                                      {"\xF4\x8F\xBF\xBF", 4}};
    static const struct str bad[] = {{"\x80", 1},
                                     {"\xBF", 1},
                                     {"\xC0\x80", 2},
                                     {"\xC1\xBF", 2},
                                     {"\xC2", 1},
                                     {"\xC2\x7F", 2},
                                     {"\xC2\xC0", 2},
                                     {"\xE0\x9F\xBF", 3},
                                     {"\xED\xA0\x80", 3},
                                     {"\xE2\x82", 2},
                                     {"\xE2\x82\x41", 3},
                                     {"\xF0\x8F\xBF\xBF", 4},
                                     {"\xF0\x9F\x98", 3},
                                     {"\xF0\x9F\x98\x41", 4},
                                     {"\xF4\x90\x80\x80", 4},
                                     {"\xF5\x80\x80\x80", 4},
                                     {"\xFE", 1},
                                     {"\xFF", 1},
                                     {"ok\xFFok", 5}};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(str_is_utf8(good[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(str_is_utf8(bad[i]));
}

/* Encode every code point; each is valid, every proper prefix is not, and a surrogate never is. */
static void every_code_point_is_valid_whole_and_invalid_cut(void **state)
{
    (void)state;
    for (uint32_t c = 0x80; c < 0x110000; c++) {
        char b[4];
        size_t n;
        if (c < 0x800) {
            n = 2;
            b[0] = (char)(0xC0 | c >> 6);
        } else if (c < 0x10000) {
            n = 3;
            b[0] = (char)(0xE0 | c >> 12);
        } else {
            n = 4;
            b[0] = (char)(0xF0 | c >> 18);
        }
        for (size_t i = 1; i < n; i++)
            b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
        assert_int_equal(str_is_utf8((struct str){b, n}), c < 0xD800 || c > 0xDFFF);
        for (size_t cut = 1; cut < n; cut++)
            assert_false(str_is_utf8((struct str){b, cut}));
    }
}

static void unsigned_numbers_keep_their_limits(void **state)
{
    (void)state;
    uint64_t v = 77;
    assert_true(str_parse_u64(STR("0"), 0, &v));
    assert_int_equal(v, 0);
    assert_true(str_parse_u64(STR("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_true(str_parse_u64(STR("00000000000000000042"), 42, &v));
    assert_int_equal(v, 42);
    v = 77;
    static const struct str bad[] = {{"", 0},
                                     {"+1", 2},
                                     {"-1", 2},
                                     {" 1", 2},
                                     {"1 ", 2},
                                     {"0x1", 3},
                                     {"1.", 2},
                                     {"\0311", 2},
                                     {"18446744073709551616", 20},
                                     {"99999999999999999999", 20},
                                     {"000000000000000000001", 21},
                                     {"43", 2}};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(str_parse_u64(bad[i], i + 1 < ARRAY_LENGTH(bad) ? UINT64_MAX : 42, &v));
    assert_int_equal(v, 77);
}

static void byte_counts_know_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"4096", 4096},
        {"7B", 7},
        {"1K", 1024},
        {"64KiB", 65536},
        {"64kb", 65536},
        {"256M", UINT64_C(256) << 20},
        {"256mib", UINT64_C(256) << 20},
        {"1.5G", UINT64_C(3) << 29},
        {"2.5K", 2560},
        {"3TiB", UINT64_C(3) << 40},
        {"9223372036854775807", INT64_MAX},
        {"8388607T", UINT64_C(8388607) << 40},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        uint64_t bytes = 1;
        assert_true(str_parse_bytes(str_of(good[i].text), &bytes));
        assert_true(bytes == good[i].bytes);
    }
    static const char *bad[] = {"",    "K",     "-1",   "1.5.5G", "1 G", "G1", "9223372036854775808", "8388608T", "1.G",
                                ".5G", "1.55G", "0x10", "1e3",    "1KK", "KiB"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        uint64_t bytes;
        assert_false(str_parse_bytes(str_of(bad[i]), &bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_ignores_ascii_case_only),
        cmocka_unit_test(order_is_by_unsigned_bytes_with_prefixes_first),
        cmocka_unit_test(prefixes_never_cut_a_sequence),
        cmocka_unit_test(utf8_follows_the_table_of_the_standard),
        cmocka_unit_test(every_code_point_is_valid_whole_and_invalid_cut),
        cmocka_unit_test(unsigned_numbers_keep_their_limits),
        cmocka_unit_test(byte_counts_know_their_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
