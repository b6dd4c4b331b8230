#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/json/json_decoder.h"

/* Renders what is discovered as "key:class " and compares. */
static void expect(const char *head, bool at_end, const struct json_options *options, const char *expected)
{
    struct error err;
    struct buf names = {0}, text = {0};
    enum infer_class *classes = NULL;
    size_t count = 99, n = strlen(head), at = 0;
    uint8_t *exact = malloc(n ? n : 1); /* ends with the head */
    assert_non_null(exact);
    memcpy(exact, head, n);
    assert_int_equal(json_discover(exact, n, at_end, options, &names, &classes, &count, &err), OK);
    for (size_t i = 0; i < count; i++) {
        uint32_t length;
        memcpy(&length, names.data + at, sizeof length);
        at += sizeof length;
        assert_int_equal(buf_append(&text, names.data + at, length, &err), OK);
        assert_int_equal(buf_printf(&text, &err, ":%d ", classes[i]), OK);
        at += length;
    }
    assert_int_equal(at, names.len);
    assert_int_equal(buf_append(&text, "", 1, &err), OK);
    assert_string_equal((char *)text.data, expected);
    free(exact);
    free(classes);
    buf_release(&names);
    buf_release(&text);
}

static void lines(void **state)
{
    (void)state;
    struct json_options o = {.max_record_bytes = 60};
    assert_int_equal(INFER_INT53, 2);
    expect("", true, &o, "");
    expect("{\"a\":1,\"b\":null}\r\n\n{\"c\":\"2024-01-01\",\"a\":1.5}\n", true, &o, "a:4 b:0 c:5 ");
    /* The last record is whole only at the end of the input. */
    expect("{\"a\":1}\n{\"a\":1.5,\"b\":1}", false, &o, "a:2 ");
    expect("{\"a\":1}\n{\"a\":1.5,\"b\":true}", true, &o, "a:4 b:1 ");
    /* Broken records count for nothing: no JSON, a key twice, not UTF-8, too long. */
    expect("{\"x\":1\n{\"y\":1,\"y\":2}\n{\"z\":\"\xFF\"}\n"
           "{\"q\":\"123456789012345678901234567890123456789012345678901234567890\"}\n{\"y\":\"t\",\"\\u0061\":[]}\n",
           true, &o, "y:8 a:9 ");
}

static void options_are_obeyed(void **state)
{
    (void)state;
    const struct str nulls[] = {STR("-")};
    struct json_options o = {.max_record_bytes = 1000, .null_values = nulls, .null_value_count = 1};
    expect("{\"a\":\"-\",\"b\":\"-x\"}\n{\"a\":1}\n", true, &o, "a:2 b:8 ");
    o.all_text = true;
    expect("{\"a\":null,\"b\":1}\n", true, &o, "a:8 b:8 ");
}

static void arrays(void **state)
{
    (void)state;
    struct json_options o = {.max_record_bytes = 1000, .array = true};
    expect("\n[\n {\"a\" : 1},\n {\"b\":\",]\",\n\"a\":true}, 7, {\"c\":1}]\n", true, &o, "a:8 b:8 c:2 ");
    expect("[{\"a\":1},{\"b\":1}", false, &o, "a:2 ");
    expect("[]", true, &o, "");
    expect("  ", false, &o, "");
    struct error err;
    struct buf names = {0};
    enum infer_class *classes;
    size_t count;
    assert_int_equal(json_discover((const uint8_t *)"{\"a\":1}", 7, true, &o, &names, &classes, &count, &err),
                     ERR_BAD_DATA);
    buf_release(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(options_are_obeyed),
        cmocka_unit_test(arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
