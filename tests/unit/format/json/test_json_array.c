#include "json_feed.h"

#define EXPECT(f, input, rows, rejects, lines) feed_expect((f), (input), sizeof(input) - 1, (rows), (rejects), (lines))

static void array_feed(struct feed *f)
{
    feed_init(f);
    f->options.array = true;
    feed_infer(f, "a", INFER_INT53);
    feed_infer(f, "b", INFER_STRING);
}

static void elements_on_lines_and_between(void **state)
{
    (void)state;
    struct feed f;
    array_feed(&f);
    EXPECT(&f, "[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y,]}[{\"}]",
           "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y,]}[{\"}\n", "", 0);
    EXPECT(&f,
           " \n[\n  {\n    \"a\": 1,\n    \"b\": \"x\"\n  },\n  {\n    \"a\": 2,\n    \"b\": \"\\\\\"\n  } ,"
           "\r\n  {\"b\":\"\\\\\\\"\"}\n]\n\n ",
           "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"\\\\\"}\n{\"a\":null,\"b\":\"\\\\\\\"\"}\n", "", 13);
    EXPECT(&f, "[]", "", "", 0);
    EXPECT(&f, "\n[ \n ]\n", "", "", 3);
    EXPECT(&f, "[{}]", "{\"a\":null,\"b\":null}\n", "", 0);
    feed_release(&f);
}

static void bad_elements_are_rejected(void **state)
{
    (void)state;
    struct feed f;
    array_feed(&f);
    EXPECT(
        &f, "[{\"a\":1},\n7,\n [1,[2,3]] , {\"a\":2},,{\"a\":3}x,{\"a\":4,\"a\":4},\n{\"a\":5},]",
        "{\"a\":1,\"b\":null}\n{\"a\":2,\"b\":null}\n{\"a\":5,\"b\":null}\n",
        "INVALID_JSON record 2 line 2 bytes 10+1 raw 1: not valid JSON at byte 1 of the record: a record has to be an "
        "object\n"
        "INVALID_JSON record 3 line 3 bytes 14+9 raw 9: not valid JSON at byte 1 of the record: a record has to be an "
        "object\n"
        "INVALID_JSON record 5 line 3 bytes 34+0 raw 0: an element of the array is missing\n"
        "INVALID_JSON record 6 line 3 bytes 35+8 raw 8: not valid JSON at byte 8 of the record: more text after the "
        "record's end\n"
        "INVALID_JSON record 7 line 3 bytes 44+13 raw 13: the key 'a' occurs twice in the record\n"
        "INVALID_JSON record 9 line 4 bytes 67+0 raw 0: an element of the array is missing\n",
        3);
    /* Brackets of the wrong kind stay inside the element. */
    EXPECT(
        &f, "[{\"a\":1},{\"a\":[1}},{\"a\":2},}},{\"a\":3}]",
        "{\"a\":1,\"b\":null}\n{\"a\":2,\"b\":null}\n{\"a\":3,\"b\":null}\n",
        "INVALID_JSON record 2 line 1 bytes 9+9 raw 9: not valid JSON at byte 8 of the record: a comma or ] was "
        "expected\n"
        "INVALID_JSON record 4 line 1 bytes 27+2 raw 2: not valid JSON at byte 1 of the record: a record has to be an "
        "object\n",
        0);
    feed_release(&f);
}

static void broken_files_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *input, *message;
    } cases[] = {
        {"{\"a\":1}\n", "byte 0: a JSON array has to begin with ["},
        {"  \n x", "byte 4: a JSON array has to begin with ["},
        {"  ", "byte 2: a JSON array has to begin with ["},
        {"[{\"a\":1}", "byte 8: the input ends inside the JSON array"},
        {"[{\"a\":1},", "byte 9: the input ends inside the JSON array"},
        {"[{\"a\":\"x}]", "byte 10: the input ends inside the JSON array"},
        {"[", "byte 1: the input ends inside the JSON array"},
        {"[{\"a\":1}] \n[", "byte 11: more text after the end of the JSON array"},
        {"[{\"a\":1}]]", "byte 9: more text after the end of the JSON array"},
    };
    struct feed f;
    array_feed(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].input);
        for (size_t step = 1; step <= n + 1; step++) {
            feed_run(&f, cases[i].input, n, step);
            assert_int_equal(f.result, ERR_BAD_DATA);
            assert_string_equal(f.err.message, cases[i].message);
        }
    }
    feed_release(&f);
}

static void long_elements(void **state)
{
    (void)state;
    struct feed f;
    array_feed(&f);
    f.options.max_record_bytes = 12;
    /* White space around an element counts; a long element may contain anything that nests. */
    EXPECT(&f,
           "[{\"b\":\"1234\"},{\"b\":\"12345\"},\n{\"b\":\"1234\"},{\"b\":[\"]\\\"\",\n{},{\"c\":[[\n]]}]},{\"a\":1},"
           "{\"b\":\"12345\"}\n]\n",
           "{\"a\":null,\"b\":\"1234\"}\n{\"a\":1,\"b\":null}\n",
           "ROW_TOO_LONG record 2 line 1 bytes 14+12 raw 12: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 3 line 2 bytes 29+11 raw 11: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 4 line 2 bytes 42+12 raw 12: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 6 line 4 bytes 80+12 raw 12: the record is longer than 12 bytes\n",
           5);
    feed_release(&f);
}

/* The first and the last element may be the ones that are too long. */
static void long_elements_at_the_ends(void **state)
{
    (void)state;
    struct feed f;
    array_feed(&f);
    f.options.max_record_bytes = 10;
    EXPECT(&f, "[{\"b\":\"aaaaaaaaaaaaaaaaaaaaaa\"}]", "",
           "ROW_TOO_LONG record 1 line 1 bytes 1+10 raw 10: the record is longer than 10 bytes\n", 0);
    EXPECT(&f, "  \n [ {\"b\":\"aaaaaaaaaaaaaaaaaaaaaa\"},{\"a\":1}]  \n", "{\"a\":1,\"b\":null}\n",
           "ROW_TOO_LONG record 1 line 2 bytes 6+9 raw 9: the record is longer than 10 bytes\n", 2);
    feed_release(&f);
}

/* More than one block of 64 bytes, and structure at each place of a block. */
static void structure_at_every_place(void **state)
{
    (void)state;
    struct feed f;
    array_feed(&f);
    for (size_t shift = 0; shift < 130; shift++) {
        struct buf input = {0};
        char space[131];
        memset(space, ' ', sizeof space);
        assert_int_equal(buf_printf(&input, &f.err,
                                    "[%.*s{\"a\":1,\"b\":\"\\\"],\\\\\"}%.*s,{\"b\":\"%.*s[\",\"c\":[[],{}]},7]",
                                    (int)shift, space, (int)(shift / 2), space, (int)shift, space),
                         OK);
        for (size_t step = 61; step < 70; step++) {
            feed_run(&f, input.data, input.len, step);
            assert_int_equal(f.result, OK);
            assert_int_equal(f.good, 2);
            assert_int_equal(f.bad, 1);
        }
        buf_release(&input);
    }
    feed_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_on_lines_and_between), cmocka_unit_test(bad_elements_are_rejected),
        cmocka_unit_test(broken_files_are_errors),       cmocka_unit_test(long_elements),
        cmocka_unit_test(long_elements_at_the_ends),     cmocka_unit_test(structure_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
