#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/json/json_encoder.h"

static struct error err;

static void expect_literal(struct str text, const char *expected)
{
    struct buf to = {0};
    assert_int_equal(json_append_string(&to, text, &err), OK);
    assert_int_equal(buf_append(&to, "", 1, &err), OK);
    assert_string_equal((char *)to.data, expected);
    buf_release(&to);
}

static void strings(void **state)
{
    (void)state;
    expect_literal(STR(""), "\"\"");
    expect_literal(STR("plain"), "\"plain\"");
    expect_literal(STR("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    expect_literal(STR("a\0b\x1F\x7F"), "\"a\\u0000b\\u001f\x7F\"");
    expect_literal(STR("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
    /* All escapes: the buffer has to grow on the way. */
    char controls[1000];
    struct buf to = {0};
    memset(controls, 1, sizeof controls);
    assert_int_equal(json_append_string(&to, (struct str){controls, sizeof controls}, &err), OK);
    assert_int_equal(to.len, 6 * sizeof controls + 2);
    assert_memory_equal(to.data + to.len - 7, "\\u0001\"", 7);
    buf_release(&to);
}

static void add(struct batch *b, size_t column, const void *value, size_t n)
{
    struct column *c = &b->columns[column];
    assert_int_equal(value ? column_append(c, value, n, &err) : column_append_null(c, &err), OK);
}

static void add_str(struct batch *b, size_t column, struct str s)
{
    add(b, column, s.p, s.n);
}

static void expect_batch(const struct batch *b, const char *expected)
{
    struct buf to = {0};
    assert_int_equal(ndjson_encode(b, &to, &err), OK);
    assert_int_equal(buf_append(&to, "", 1, &err), OK);
    assert_string_equal((char *)to.data, expected);
    buf_release(&to);
}

static void every_type(void **state)
{
    (void)state;
    static const enum type_kind kinds[] = {TYPE_BOOLEAN, TYPE_INTEGER, TYPE_BIGINT, TYPE_DOUBLE, TYPE_DATE,
                                           TYPE_STRING,  TYPE_JSON,    TYPE_BINARY, TYPE_NULL,   TYPE_FLOAT};
    static const char *const names[] = {"bo", "in", "bi", "do", "da", "s\"t", "js", "by", "nu", "fl"};
    struct schema schema = {0};
    struct batch b = {0};
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(
            schema_add(&schema, str_of(names[i]), str_of(names[i]), (struct data_type){.kind = kinds[i]}, false, &err),
            OK);
    assert_int_equal(batch_reset(&b, &schema, &err), OK);
    const uint8_t yes = 1;
    const int32_t integer = -5, day = 19782;
    const int64_t bigint = INT64_MIN;
    const double real = 1, not_finite = -INFINITY;
    const float small = 0.5f, nan_value = NAN;
    add(&b, 0, &yes, 1);
    add(&b, 1, &integer, 4);
    add(&b, 2, &bigint, 8);
    add(&b, 3, &real, 8);
    add(&b, 4, &day, 4);
    add_str(&b, 5, STR("q\"\n"));
    add_str(&b, 6, STR("{\"a\":\r\n[1]}"));
    add_str(&b, 7, STR("\0\xFF\x10"));
    add(&b, 8, NULL, 0);
    add(&b, 9, &small, 4);
    for (size_t i = 0; i < 9; i++)
        if (i == 3)
            add(&b, 3, &not_finite, 8);
        else if (i == 7)
            add_str(&b, 7, STR("\0"));
        else
            add(&b, i, NULL, 0);
    add(&b, 9, &nan_value, 4);
    b.rows = 2;
    expect_batch(&b, "{\"bo\":true,\"in\":-5,\"bi\":-9223372036854775808,\"do\":1.0,\"da\":\"2024-02-29\","
                     "\"s\\\"t\":\"q\\\"\\n\",\"js\":{\"a\":  [1]},\"by\":\"AP8Q\",\"nu\":null,\"fl\":0.5}\n"
                     "{\"bo\":null,\"in\":null,\"bi\":null,\"do\":\"-inf\",\"da\":null,"
                     "\"s\\\"t\":null,\"js\":null,\"by\":\"AA==\",\"nu\":null,\"fl\":\"NaN\"}\n");
    batch_release(&b);
    schema_release(&schema);
}

static void dictionary_form(void **state)
{
    (void)state;
    struct schema schema = {0};
    struct batch b = {0};
    assert_int_equal(schema_add(&schema, STR("s"), STR("s"), (struct data_type){.kind = TYPE_STRING}, false, &err), OK);
    assert_int_equal(batch_reset(&b, &schema, &err), OK);
    add_str(&b, 0, STR("one"));
    add_str(&b, 0, STR("two"));
    struct column *c = &b.columns[0];
    const uint32_t codes[] = {1, 0, 1};
    assert_int_equal(buf_append(&c->codes, codes, sizeof codes, &err), OK);
    c->is_dict = true;
    c->dict_length = 2;
    c->length = b.rows = 3;
    expect_batch(&b, "{\"s\":\"two\"}\n{\"s\":\"one\"}\n{\"s\":\"two\"}\n");
    batch_release(&b);
    schema_release(&schema);
}

static void no_columns(void **state)
{
    (void)state;
    struct schema schema = {0};
    struct batch b = {.schema = &schema, .rows = 2};
    expect_batch(&b, "{}\n{}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(every_type),
        cmocka_unit_test(dictionary_form),
        cmocka_unit_test(no_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
