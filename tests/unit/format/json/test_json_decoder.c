#include "json_feed.h"

#include <stdio.h>

#include "base/civil.h"

#define EXPECT(f, input, rows, rejects, lines) feed_expect((f), (input), sizeof(input) - 1, (rows), (rejects), (lines))

static const struct data_type bigint = {.kind = TYPE_BIGINT}, string = {.kind = TYPE_STRING};

static void regular_records(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "a", INFER_INT53);
    feed_infer(&f, "b", INFER_DOUBLE);
    feed_infer(&f, "c", INFER_STRING);
    feed_infer(&f, "d", INFER_DATE);
    feed_infer(&f, "e", INFER_BOOLEAN);
    EXPECT(&f,
           "{\"a\":1,\"b\":2.50,\"c\":\"x\",\"d\":\"2024-02-29\",\"e\":true}\n"
           "{\"a\":-12,\"b\":7,\"c\":\"\",\"d\":\"1999-12-31\",\"e\":false}\r\n"
           "{\"a\":1234567890123456,\"b\":-0.5e1,\"c\":\"z\\u00e9\\n\",\"d\":\"2024-02-29\",\"e\":true}\n"
           "{\"a\":1,\"b\":2.5,\"c\":\"x\",\"d\":\"2024-02-29\",\"e\":null}",
           "{\"a\":1,\"b\":2.5,\"c\":\"x\",\"d\":\"2024-02-29\",\"e\":true}\n"
           "{\"a\":-12,\"b\":7.0,\"c\":\"\",\"d\":\"1999-12-31\",\"e\":false}\n"
           "{\"a\":1234567890123456,\"b\":-5.0,\"c\":\"z\xC3\xA9\\n\",\"d\":\"2024-02-29\",\"e\":true}\n"
           "{\"a\":1,\"b\":2.5,\"c\":\"x\",\"d\":\"2024-02-29\",\"e\":null}\n",
           "", 3);
    feed_release(&f);
}

static void any_order_space_and_missing_keys(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "a", INFER_INT53);
    feed_infer(&f, "b", INFER_STRING);
    EXPECT(&f,
           "{\"a\": 1, \"b\": \"x\"}\n"
           "{\"b\": \"y\", \"a\": 2}\n"
           "\n"
           "   \t\r\n"
           "{}\n"
           " { \"b\" : \"z\" } \n"
           "{\"a\":3}\n"
           "{\"\\u0061\":4,\"b\":null}\n",
           "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n{\"a\":null,\"b\":null}\n{\"a\":null,\"b\":\"z\"}\n"
           "{\"a\":3,\"b\":null}\n{\"a\":4,\"b\":null}\n",
           "", 8);
    feed_release(&f);
}

static void string_targets_take_any_scalar(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_column(&f, "s", string);
    feed_column(&f, "j", (struct data_type){.kind = TYPE_JSON});
    EXPECT(&f,
           "{\"s\":1.50,\"j\":\"t\"}\n{\"s\":true,\"j\":{\"x\" : [1,2]}}\n{\"s\":\"q\\\"\",\"j\":-1e5}\n"
           "{\"s\":[1],\"j\":null}\n{\"s\":1.50,\"j\":[]}\n",
           "{\"s\":\"1.50\",\"j\":\"t\"}\n{\"s\":\"true\",\"j\":{\"x\" : [1,2]}}\n{\"s\":\"q\\\"\",\"j\":-1e5}\n"
           "{\"s\":\"1.50\",\"j\":[]}\n",
           "CAST record 4 line 4 bytes 69+18 raw 18: column 's': \"[1]\" is not a string: an array\n", 5);
    feed_release(&f);
}

static void declared_types_are_cast(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_column(&f, "n", bigint);
    feed_column(&f, "d", (struct data_type){TYPE_DECIMAL, 6, 2});
    EXPECT(&f,
           "{\"n\":\"+007\",\"d\":1.5}\n{\"n\":8,\"d\":\"2\"}\n{\"n\":\"abc\",\"d\":1}\n{\"n\":1.5,\"d\":1}\n"
           "{\"n\":9,\"d\":1.50}\n{\"n\":1,\"d\":0.001}\n",
           "{\"n\":7,\"d\":1.50}\n{\"n\":8,\"d\":2.00}\n{\"n\":9,\"d\":1.50}\n",
           "CAST record 3 line 3 bytes 37+17 raw 17: column 'n': \"abc\" is not a bigint: not a whole number\n"
           "CAST record 4 line 4 bytes 55+15 raw 15: column 'n': \"1.5\" is not a bigint: not a whole number\n"
           "CAST record 6 line 6 bytes 88+17 raw 17: column 'd': \"0.001\" is not a decimal(6,2): more digits than "
           "the decimal's precision and scale hold\n",
           6);
    feed_release(&f);
}

static void the_first_bad_column_is_named(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_column(&f, "x", bigint);
    feed_column(&f, "y", bigint)->on_null = REJECT_NULL_KEY;
    EXPECT(&f, "{\"y\":null,\"x\":\"u\"}\n{\"y\":null,\"x\":1}\n{\"x\":1}\n{\"y\":2,\"x\":1}\n", "{\"x\":1,\"y\":2}\n",
           "CAST record 1 line 1 bytes 0+18 raw 18: column 'x': \"u\" is not a bigint: not a whole number\n"
           "NULL_KEY record 2 line 2 bytes 19+16 raw 16: column 'y': null in a dedupe key\n"
           "NULL_KEY record 3 line 3 bytes 36+7 raw 7: column 'y': null in a dedupe key\n",
           4);
    feed_release(&f);
}

static void null_texts(void **state)
{
    (void)state;
    const struct str nulls[] = {STR("N/A"), STR("")};
    struct feed f;
    feed_init(&f);
    f.options.null_values = nulls;
    f.options.null_value_count = 2;
    feed_infer(&f, "s", INFER_STRING);
    feed_infer(&f, "n", INFER_INT53);
    EXPECT(&f, "{\"s\":\"N/A\",\"n\":1}\n{\"s\":\"x\",\"n\":\"N\\/A\"}\n{\"s\":\"\",\"n\":2}\n{\"s\":\"y\",\"n\":3}\n",
           "{\"s\":null,\"n\":1}\n{\"s\":\"x\",\"n\":null}\n{\"s\":null,\"n\":2}\n{\"s\":\"y\",\"n\":3}\n", "", 4);
    feed_release(&f);
}

static void all_text(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    f.options.all_text = true;
    feed_column(&f, "a", string);
    feed_column(&f, "b", string);
    EXPECT(&f, "{\"a\":1.0,\"b\":{\"k\":[1, \"\\u0041\"]}}\n{\"a\":\"\\u0041\",\"b\":false}\n",
           "{\"a\":\"1.0\",\"b\":\"{\\\"k\\\":[1, \\\"\\\\u0041\\\"]}\"}\n{\"a\":\"A\",\"b\":\"false\"}\n", "", 2);
    feed_release(&f);
}

/* Records that are not JSON, each between two good ones; the position is that of the byte that is wrong. */
static void malformed_records(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        size_t n;
        int at; /* 0: another message */
        const char *why;
    } cases[] = {
#define CASE(text, at, why) {text, sizeof(text) - 1, at, why}
        CASE("{\"a\":1", 7, "a comma or } was expected"),
        CASE("{\"a\":1}}", 8, "more text after the record's end"),
        CASE("{\"a\":1} {\"a\":2}", 9, "more text after the record's end"),
        CASE("{\"a\":1,}", 8, "a key in quotes was expected"),
        CASE("{\"a\":1 \"b\":2}", 8, "a comma or } was expected"),
        CASE("{\"a\"}", 5, "a colon was expected"),
        CASE("{\"a\":}", 6, "a value was expected"),
        CASE("{a:1}", 2, "a key in quotes was expected"),
        CASE("{\"a\":01}", 6, "a number with a leading zero"),
        CASE("{\"a\":-}", 7, "a value was expected"),
        CASE("{\"a\":+1}", 6, "a value was expected"),
        CASE("{\"a\":1.}", 8, "digits must follow the decimal point"),
        CASE("{\"a\":.5}", 6, "a value was expected"),
        CASE("{\"a\":1e}", 8, "digits must follow the exponent's e"),
        CASE("{\"a\":1.e5}", 8, "digits must follow the decimal point"),
        CASE("{\"a\":NaN}", 6, "a value was expected"),
        CASE("{\"a\":0x10}", 7, "a comma or } was expected"),
        CASE("{\"a\":tru}", 6, "a value was expected"),
        CASE("{\"a\":truex}", 10, "a comma or } was expected"),
        CASE("{\"b\":\"x}", 6, "the string is not closed"),
        CASE("{\"b\":\"\\", 7, "the string is not closed"),
        CASE("{\"b\":\"\\x41\"}", 7, "no such escape"),
        CASE("{\"b\":\"\\u00\"}", 7, "\\u needs four hexadecimal digits"),
        CASE("{\"b\":\"\\ud800\"}", 7, "half a surrogate pair"),
        CASE("{\"b\":\"\\udc00\"}", 7, "half a surrogate pair"),
        CASE("{\"b\":\"\\ud800\\u0041\"}", 7, "half a surrogate pair"),
        CASE("{\"b\":\"a\tb\"}", 8, "a control byte in a string"),
        CASE("{\"b\":\"a\0b\"}", 8, "a control byte in a string"),
        CASE("{\"a\":1\0}", 7, "a comma or } was expected"),
        CASE("{\"j\":{\"x\":1]}", 12, "a comma or } was expected"),
        CASE("{\"j\":[1,]}", 9, "a value was expected"),
        CASE("{\"j\":[1}", 8, "a comma or ] was expected"),
        CASE("{\"unknown\":[tru]}", 13, "a value was expected"),
        CASE("[1]", 1, "a record has to be an object"),
        CASE("5", 1, "a record has to be an object"),
        CASE("nonsense", 1, "a record has to be an object"),
        CASE("\xEF\xBB\xBF{\"a\":1}", 1, "a byte order mark inside the text"),
        CASE("{\"a\":1,\"a\":1}", 0, "the key 'a' occurs twice in the record"),
        CASE("{\"u\":1,\"a\":1,\"u\":1}", 0, "the key 'u' occurs twice in the record"),
        CASE("{\"a\":1,\"\\u0061\":1}", 0, "the key 'a' occurs twice in the record"),
#undef CASE
    };
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "a", INFER_INT53);
    feed_infer(&f, "b", INFER_STRING);
    feed_infer(&f, "j", INFER_JSON);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const char good[] = "{\"a\":1,\"b\":\"x\",\"j\":[]}\n{\"u\":0,\"a\":1}\n";
        struct buf input = {0}, rejects = {0};
        assert_int_equal(buf_append(&input, good, sizeof good - 1, &f.err), OK);
        assert_int_equal(buf_append(&input, cases[i].record, cases[i].n, &f.err), OK);
        assert_int_equal(buf_append(&input, "\n{\"a\":9}\n", 9, &f.err), OK);
        assert_int_equal(buf_printf(&rejects, &f.err, "INVALID_JSON record 3 line 3 bytes %zu+%zu raw %zu: ",
                                    sizeof good - 1, cases[i].n, cases[i].n),
                         OK);
        if (cases[i].at)
            assert_int_equal(buf_printf(&rejects, &f.err, "not valid JSON at byte %d of the record: ", cases[i].at),
                             OK);
        assert_int_equal(buf_printf(&rejects, &f.err, "%s\n%c", cases[i].why, 0), OK);
        feed_expect(&f, input.data, input.len,
                    "{\"a\":1,\"b\":\"x\",\"j\":[]}\n{\"a\":1,\"b\":null,\"j\":null}\n"
                    "{\"a\":9,\"b\":null,\"j\":null}\n",
                    (const char *)rejects.data, 4);
        buf_release(&input);
        buf_release(&rejects);
    }
    feed_release(&f);
}

static void invalid_utf8_is_rejected(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "s", INFER_STRING);
    EXPECT(&f,
           "{\"s\":\"ok\"}\n{\"s\":\"\xC3\x28\"}\n{\"s\":\"\xC3\xA9\"}\n{\"s\":\"\\u0041\xFF\"}\n{\"\xFF\":1}\n"
           "{\"s\":\"ok\"}\n",
           "{\"s\":\"ok\"}\n{\"s\":\"\xC3\xA9\"}\n{\"s\":\"ok\"}\n",
           "INVALID_ENCODING record 2 line 2 bytes 11+10 raw 10: the record is not valid UTF-8\n"
           "INVALID_ENCODING record 4 line 4 bytes 33+15 raw 15: the record is not valid UTF-8\n"
           "INVALID_ENCODING record 5 line 5 bytes 49+7 raw 7: the record is not valid UTF-8\n",
           6);
    feed_release(&f);
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "j", INFER_JSON);
    for (size_t depth = 254; depth <= 257; depth++) {
        struct buf input = {0};
        assert_int_equal(buf_append(&input, "{\"j\":", 5, &f.err), OK);
        for (size_t i = 0; i < depth; i++)
            assert_int_equal(buf_append(&input, "[", 1, &f.err), OK);
        for (size_t i = 0; i < depth; i++)
            assert_int_equal(buf_append(&input, "]", 1, &f.err), OK);
        assert_int_equal(buf_append(&input, "}\n", 2, &f.err), OK);
        feed_run(&f, input.data, input.len, input.len);
        assert_int_equal(f.good, depth <= 255); /* the record is a level itself */
        assert_int_equal(f.bad, depth > 255);
        buf_release(&input);
    }
    feed_release(&f);
}

static void widening(void **state)
{
    (void)state;
    static const struct {
        enum infer_class class_;
        const char *value;
        bool widened;
        enum infer_class observed;
    } cases[] = {
        {INFER_NULL, "null", false, INFER_NULL},
        {INFER_NULL, "1", true, INFER_INT53},
        {INFER_INT53, "9007199254740992", false, INFER_INT53},
        {INFER_INT53, "9007199254740993", false, INFER_INT64},
        {INFER_INT64, "-9223372036854775808", false, INFER_INT64},
        {INFER_INT53, "9223372036854775808", true, INFER_STRING},
        {INFER_INT53, "1.5", true, INFER_DOUBLE},
        {INFER_INT53, "-0", true, INFER_DOUBLE},
        {INFER_INT64, "1.5", true, INFER_STRING},
        {INFER_DOUBLE, "3", false, INFER_DOUBLE},
        {INFER_DOUBLE, "1e308", false, INFER_DOUBLE},
        {INFER_DOUBLE, "1e309", true, INFER_STRING},
        {INFER_DOUBLE, "9007199254740993", true, INFER_STRING},
        {INFER_DOUBLE, "\"1.5\"", true, INFER_STRING},
        {INFER_BOOLEAN, "\"true\"", true, INFER_STRING},
        {INFER_BOOLEAN, "0", true, INFER_STRING},
        {INFER_DATE, "\"2024-01-01T10:00:00\"", true, INFER_TIMESTAMP},
        {INFER_TIMESTAMP, "\"2024-01-01\"", false, INFER_TIMESTAMP},
        {INFER_TIMESTAMP, "\"2024-01-01T10:00:00Z\"", true, INFER_STRING},
        {INFER_TIMESTAMPTZ, "\"2024-01-01T10:00:00+02:00\"", false, INFER_TIMESTAMPTZ},
        {INFER_DATE, "\"2024-02-30\"", true, INFER_STRING},
        {INFER_STRING, "12", false, INFER_STRING},
        {INFER_STRING, "[12]", true, INFER_JSON},
        {INFER_INT53, "{}", true, INFER_JSON},
        {INFER_JSON, "\"x\"", false, INFER_JSON},
        {INFER_JSON, "5", false, INFER_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed f;
        struct buf input = {0};
        feed_init(&f);
        feed_infer(&f, "a", cases[i].class_);
        feed_infer(&f, "b", INFER_INT53);
        assert_int_equal(buf_printf(&input, &f.err, "{\"b\":1}\n{\"a\":%s}\n{\"bad\"}\n{\"b\":2.5}\n", cases[i].value),
                         OK);
        feed_run(&f, input.data, input.len - 10, input.len);
        assert_int_equal(f.result, OK);
        assert_int_equal(f.widened, cases[i].widened);
        assert_int_equal(f.observed[0], cases[i].observed);
        assert_int_equal(f.observed[1], INFER_INT53);
        assert_int_equal(f.records, 3);
        assert_int_equal(f.bad, 1);
        /* Every value of the chunk was looked at. */
        feed_run(&f, input.data, input.len, input.len);
        assert_true(f.widened);
        assert_int_equal(f.observed[0], cases[i].observed);
        assert_int_equal(f.observed[1], INFER_DOUBLE);
        buf_release(&input);
        feed_release(&f);
    }
}

static void rejected_rows_widen_nothing(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "a", INFER_INT53);
    feed_column(&f, "b", bigint);
    EXPECT(&f, "{\"a\":1,\"b\":1}\n{\"a\":\"text\",\"b\":\"no\"}\n{\"a\":9007199254740993,\"b\":\"no\"}\n",
           "{\"a\":1,\"b\":1}\n",
           "CAST record 2 line 2 bytes 14+21 raw 21: column 'b': \"no\" is not a bigint: not a whole number\n"
           "CAST record 3 line 3 bytes 36+31 raw 31: column 'b': \"no\" is not a bigint: not a whole number\n",
           3);
    assert_int_equal(f.observed[0], INFER_INT53);
    feed_release(&f);
}

static void new_keys_are_told_once_in_order(void **state)
{
    (void)state;
    static const char input[] = "{\"a\":1,\"z\":1}\n{\"a\":1,\"bad\":1,\"b\" 2}\n{\"y\":{},\"a\":2,\"z\":\"q\"}\n"
                                "{\"a\":2,\"\\u00e9\":[\"]\"]}\n{\"a\":3,\"y\":0}\n";
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "a", INFER_INT53);
    feed_run(&f, input, sizeof input - 1, sizeof input);
    feed_expect_text(&f.new_keys, "z y \xC3\xA9 ");
    feed_expect_text(&f.rows, "{\"a\":1}\n{\"a\":2}\n{\"a\":2}\n{\"a\":3}\n");
    assert_int_equal(f.bad, 1);
    feed_release(&f);
}

static void long_records(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    f.options.max_record_bytes = 12;
    feed_infer(&f, "a", INFER_STRING);
    /* 12 bytes fit, with either line end; 13 do not; nor do 40. */
    EXPECT(&f,
           "{\"a\":\"1234\"}\n{\"a\":\"1234\"}\r\n{\"a\":\"12345\"}\n{\"a\":\"12345\"}\r\n"
           "{\"a\":\"12345678901234567890123456789012\"}\n{\"a\":\"x\"}\n{\"a\":\"123456789\"}",
           "{\"a\":\"1234\"}\n{\"a\":\"1234\"}\n{\"a\":\"x\"}\n",
           "ROW_TOO_LONG record 3 line 3 bytes 27+12 raw 12: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 4 line 4 bytes 41+12 raw 12: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 5 line 5 bytes 56+12 raw 12: the record is longer than 12 bytes\n"
           "ROW_TOO_LONG record 7 line 7 bytes 107+12 raw 12: the record is longer than 12 bytes\n",
           6);
    feed_release(&f);
}

static void repeated_sources_are_refused(void **state)
{
    (void)state;
    struct feed f;
    feed_init(&f);
    feed_column(&f, "a", bigint);
    feed_column(&f, "b", bigint)->source = STR("a");
    feed_run(&f, "{}\n", 3, 3);
    assert_int_equal(f.result, ERR_INVALID);
    assert_string_equal(f.err.message, "two columns read the key 'a'");
    feed_release(&f);
}

/* A column goes from the dictionary form to the plain one in the middle of a chunk, and comes back to it later. */
static void dictionaries(void **state)
{
    (void)state;
    enum { ROWS = 6000 };
    struct json_options options = {.max_record_bytes = 1000};
    struct text_decoder decoder;
    struct decoded into = {0};
    struct feed f;
    feed_init(&f);
    feed_infer(&f, "few", INFER_DOUBLE);
    feed_infer(&f, "many", INFER_INT53);
    feed_infer(&f, "late", INFER_STRING);
    feed_infer(&f, "none", INFER_STRING);
    feed_infer(&f, "day", INFER_DATE);
    feed_infer(&f, "long", INFER_STRING);
    assert_int_equal(json_decoder_create(&decoder, &options, &f.err), OK);
    for (int chunk = 0; chunk < 20; chunk++) {
        struct buf input = {0};
        for (int i = 0; i < ROWS; i++)
            assert_int_equal(buf_printf(&input, &f.err,
                                        "{\"few\":%d.%0*d,\"many\":%d,%s\"late\":\"%d\",\"day\":\"20%02d-03-%02d\","
                                        "\"long\":\"more than sixteen bytes, number %d\"}\n",
                                        i % 7, 1 + i % 3, 0, chunk < 16 ? i * 3 : i % 5, i % 10 ? "" : "\"none\":null,",
                                        i < 2100 ? i % 3 : i, i % 31, 1 + i % 28, i % 9),
                             OK);
        struct text_chunk c = {.data = input.data, .len = input.len, .sequence = (uint64_t)chunk};
        assert_int_equal(decoder.ops->decode(decoder.self, &c, f.targets, &f.schema, &into, &f.err), OK);
        const struct column *columns = into.batch.columns;
        assert_int_equal(into.batch.rows, ROWS);
        assert_true(columns[0].is_dict);
        assert_int_equal(columns[0].dict_length, 7); /* 1.0, 1.00 and 1.000 are one value */
        assert_int_equal(columns[1].is_dict, chunk >= 16);
        assert_false(columns[2].is_dict);
        assert_false(columns[3].is_dict);
        assert_int_equal(columns[3].null_count, ROWS);
        assert_true(columns[4].is_dict);
        assert_int_equal(columns[4].dict_length, 31 * 28);
        assert_true(columns[5].is_dict);
        assert_int_equal(columns[5].dict_length, 9);
        for (int i = 0; i < ROWS; i++) {
            char text[64];
            const double few = i % 7;
            const int64_t many = chunk < 16 ? i * 3 : i % 5;
            assert_memory_equal(column_value(&columns[0], (size_t)i), &few, sizeof few);
            assert_memory_equal(column_value(&columns[1], (size_t)i), &many, sizeof many);
            snprintf(text, sizeof text, "%d", i < 2100 ? i % 3 : i);
            assert_true(str_equal(column_str(&columns[2], (size_t)i), str_of(text)));
            assert_int_equal(*(const int32_t *)column_value(&columns[4], (size_t)i),
                             civil_days(2000 + i % 31, 3, 1 + i % 28));
            snprintf(text, sizeof text, "more than sixteen bytes, number %d", i % 9);
            assert_true(str_equal(column_str(&columns[5], (size_t)i), str_of(text)));
        }
        buf_release(&input);
    }
    decoded_release(&into);
    text_decoder_free(&decoder);
    feed_release(&f);
}

static void long_values_in_messages_are_cut(void **state)
{
    (void)state;
    struct feed f;
    struct buf input = {0};
    feed_init(&f);
    feed_column(&f, "a", bigint);
    assert_int_equal(buf_append(&input, "{\"a\":\"", 6, &f.err), OK);
    for (int i = 0; i < 99; i++)
        assert_int_equal(buf_append(&input, "x", 1, &f.err), OK);
    assert_int_equal(buf_append(&input, "\xC3\xA9zz\"}\n", 7, &f.err), OK); /* byte 100 is inside a character */
    feed_run(&f, input.data, input.len, input.len);
    assert_int_equal(f.bad, 1);
    assert_non_null(memmem(f.rejects.data, f.rejects.len, "xxx\"... is not a bigint", 23));
    assert_true(str_is_utf8(buf_str(&f.rejects)));
    buf_release(&input);
    feed_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_records),
        cmocka_unit_test(any_order_space_and_missing_keys),
        cmocka_unit_test(string_targets_take_any_scalar),
        cmocka_unit_test(declared_types_are_cast),
        cmocka_unit_test(the_first_bad_column_is_named),
        cmocka_unit_test(null_texts),
        cmocka_unit_test(all_text),
        cmocka_unit_test(malformed_records),
        cmocka_unit_test(invalid_utf8_is_rejected),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(widening),
        cmocka_unit_test(rejected_rows_widen_nothing),
        cmocka_unit_test(new_keys_are_told_once_in_order),
        cmocka_unit_test(long_records),
        cmocka_unit_test(repeated_sources_are_refused),
        cmocka_unit_test(dictionaries),
        cmocka_unit_test(long_values_in_messages_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
