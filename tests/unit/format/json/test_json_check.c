/* What is JSON: cast_json_valid of cast.h and the pieces it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "batch/cast.h"
#include "batch/json_check.h"

/* In memory that ends with the text, so that the sanitizer sees a byte read too many. */
static bool valid(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    bool result = cast_json_valid(copy, n);
    free(copy);
    return result;
}

static void accepts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "10",
        "-1.5e+10",
        "1E5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\\\"b\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\\uD83D\\uDE00\\uFFFF\"",
        "\"\xF0\x9F\x98\x80 long enough for a word of eight\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "\t{\n\"a\" :\r1, \"a\":[{}]}\n",
        "[[[]],[{\"a\":{\"b\":[]}}]]",
        "\"12345678\\n1234567\\n123456\\n\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!valid(texts[i], strlen(texts[i]))) {
            print_error("refused: %s\n", texts[i]);
            fail();
        }
}

static void refuses(void **state)
{
    (void)state;
    static const struct str texts[] = {
        STR(""),
        STR(" "),
        STR("1 2"),
        STR("01"),
        STR("-"),
        STR("+1"),
        STR("1."),
        STR(".1"),
        STR("1e"),
        STR("1e+"),
        STR("True"),
        STR("nul"),
        STR("nulll"),
        STR("NaN"),
        STR("\""),
        STR("\"abc"),
        STR("\"\\\""),
        STR("\"\\u12\""),
        STR("\"\\u12G4\""),
        STR("\"\\q\""),
        STR("\"\n\""),
        STR("\"\x1F\""),
        STR("\"1234567\x01\""),
        STR("\"\\ud83d\""),
        STR("\"\\ud83dx\\ude00\""),
        STR("\"\\ude00\""),
        STR("\"\xFF\""),
        STR("\"\xED\xA0\x80\""),
        STR("["),
        STR("]"),
        STR("[1"),
        STR("[1,"),
        STR("[1,]"),
        STR("[,1]"),
        STR("[1 2]"),
        STR("[1}"),
        STR("{"),
        STR("{\"a\"}"),
        STR("{\"a\":}"),
        STR("{\"a\":1,}"),
        STR("{\"a\" 1}"),
        STR("{a:1}"),
        STR("{1:1}"),
        STR("{\"a\":1]"),
        STR("\0"),
        STR("1\0"),
        STR("\xEF\xBB\xBF"
            "1"),
        STR("'a'"),
        STR("/* c */1"),
        STR("\"\\"),
        STR("\"\\u"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (valid(texts[i].p, texts[i].n)) {
            print_error("accepted: %.*s\n", (int)texts[i].n, texts[i].p);
            fail();
        }
}

static void every_prefix_of_a_value_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"k\\u00e9y\":[1.5e-3,{\"s\":\"long text with \\\" and \\\\ in it\"},true,null,[]]}";
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_false(valid(text, n));
    assert_true(valid(text, sizeof text - 1));
}

static void depth(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 2];
    for (size_t levels = JSON_DEPTH_MAX - 1; levels <= JSON_DEPTH_MAX + 1; levels++) {
        memset(text, '[', levels);
        memset(text + levels, ']', levels);
        assert_int_equal(valid(text, 2 * levels), levels <= JSON_DEPTH_MAX);
    }
    struct json_fault fault;
    const uint8_t *bytes = (const uint8_t *)"[[]]";
    assert_ptr_equal(json_check_value(bytes, bytes + 4, JSON_DEPTH_MAX - 2, &fault), bytes + 4);
    assert_null(json_check_value(bytes, bytes + 4, JSON_DEPTH_MAX - 1, &fault));
    assert_ptr_equal(fault.at, bytes + 1);
}

static void faults_point_at_the_byte(void **state)
{
    (void)state;
    struct json_fault fault;
    const char *text = "[1,{\"a\":\"12345678\\x\"}]";
    const uint8_t *p = (const uint8_t *)text;
    assert_null(json_check_value(p, p + strlen(text), 0, &fault));
    assert_int_equal(fault.at - p, 17);
    assert_string_equal(fault.why, "no such escape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(every_prefix_of_a_value_is_refused),
        cmocka_unit_test(depth),
        cmocka_unit_test(faults_point_at_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
