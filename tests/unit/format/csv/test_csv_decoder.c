/* The decoder's and cutter's rules one by one, with the values written down. */
#include "unit/cmocka_all.h"

#include "unit/format/csv/csv_feed.h"

static struct decode_target target(int source, enum type_kind kind)
{
    return (struct decode_target){.source_index = source, .type = {.kind = kind}};
}

static struct decode_target inferred(int source, enum infer_class class_)
{
    return (struct decode_target){.source_index = source, .type = infer_type(class_), .infer = true, .class_ = class_};
}

/* Rows as "a|b;c|d;", null as ~. */
static void assert_rows(const struct feed_result *r, const char *wanted)
{
    char got[1024];
    size_t n = 0;
    for (size_t i = 0; i < r->rows.len && n + 1 < sizeof got; i++) {
        char c = (char)r->rows.data[i];
        if (c == '\x1F' && i + 1 < r->rows.len && r->rows.data[i + 1] == 0x1D)
            continue;
        got[n++] = c == '\x1F' ? '|' : c == '\x1E' ? '~' : c == '\x1D' ? ';' : c;
    }
    got[n] = '\0';
    assert_string_equal(got, wanted);
}

static void assert_rejects(const struct feed_result *r, const char *wanted)
{
    char got[2048];
    snprintf(got, sizeof got, "%.*s", (int)r->rejects.len, r->rejects.len ? (const char *)r->rejects.data : "");
    assert_string_equal(got, wanted);
}

static void run(struct feed_result *r, struct feed f, const char *text)
{
    f.step = strlen(text) + 2;
    feed_run(r, &f, text, strlen(text));
}

static struct feed strings(const struct decode_target *targets, size_t columns)
{
    return (struct feed){
        .dialect = feed_dialect(",", '"', '"'), .columns = columns, .targets = targets, .target_count = columns};
}

static const struct decode_target two_strings[] = {{.source_index = 0, .type = {.kind = TYPE_STRING}},
                                                   {.source_index = 1, .type = {.kind = TYPE_STRING}}};

static void bad_records_and_their_places(void **unused)
{
    (void)unused;
    struct feed_result r;
    run(&r, strings(two_strings, 2), "a,b\n\nc\r\nd,e,f\n\"x\ny\",g\n\"h\"i,j\n\xFF,k\nl,m");
    assert_rows(&r, "a|b;x\ny|g;l|m;");
    assert_rejects(&r, "MISSING_COLUMNS record 2 line 3 at 5+1 column -1: 1 fields where 2 are expected [c]\n"
                       "TOO_MANY_COLUMNS record 3 line 4 at 8+5 column -1: 3 fields where 2 are expected [d,e,f]\n"
                       "UNTERMINATED_QUOTE record 5 line 7 at 22+6 column -1: text after the closing quote of a field "
                       "[\"h\"i,j]\n"
                       "INVALID_ENCODING record 6 line 8 at 29+3 column -1: not valid UTF-8 [\xFF,k]\n");
    assert_int_equal(r.records, 7);
    assert_int_equal(r.lines, 8);
    feed_release(&r);
}

/* At the input's end text after a quote is as bad as elsewhere. */
static void text_after_quote_at_the_end(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"a,b\n\"c\"d,e", "a,b\n\"c\"d,e\n", "a,b\n\"c\"d,e\r", "a,b\nc,\"d\"e"};
    for (size_t i = 0; i < 4; i++) {
        struct feed_result r;
        run(&r, strings(two_strings, 2), texts[i]);
        assert_rows(&r, "a|b;");
        assert_int_equal(r.reject_count, 1);
        feed_release(&r);
    }
}

static void unterminated_quote_spoils_one_line(void **unused)
{
    (void)unused;
    struct feed_result r;
    run(&r, strings(two_strings, 2), "a,b\nc,\"d\ne,f\r\ng,h\n");
    assert_rows(&r, "a|b;e|f;g|h;");
    assert_rejects(&r,
                   "UNTERMINATED_QUOTE record 2 line 2 at 4+4 column -1: a quote that opens in this record is never "
                   "closed [c,\"d]\n");
    assert_int_equal(r.lines, 4);
    feed_release(&r);
}

/* Every line end, also of the last record; the bytes behind the text say nothing. */
static void line_ends(void **unused)
{
    (void)unused;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    static const uint8_t pads[] = {'\n', '\r', ',', 'x', '"'};
    for (size_t e = 0; e < 3; e++)
        for (int closed = 0; closed < 2; closed++)
            for (size_t p = 0; p < sizeof pads; p++)
                for (size_t step = 1; step < 20; step++) {
                    char text[64];
                    int n = snprintf(text, sizeof text, "1,\"2\"%s3,4%s", ends[e], closed ? ends[e] : "");
                    struct feed f = strings(two_strings, 2);
                    f.pad = pads[p];
                    f.step = step;
                    struct feed_result r;
                    feed_run(&r, &f, text, (size_t)n);
                    assert_rows(&r, "1|2;3|4;");
                    assert_int_equal(r.records, 2);
                    assert_int_equal(r.lines, 1 + closed);
                    feed_release(&r);
                }
}

static void blank_lines(void **unused)
{
    (void)unused;
    struct feed_result r;
    run(&r, strings(two_strings, 2), "\n\r\na,b\n\n\n\rc,d\n\n");
    assert_rows(&r, "a|b;c|d;");
    assert_int_equal(r.records, 2);
    assert_int_equal(r.lines, 8);
    feed_release(&r);
    run(&r, strings(two_strings, 1), "a\n\n\"\"\r\n\r\nb\n"); /* of one column a blank line is a null */
    assert_rows(&r, "a;~;;~;b;");
    feed_release(&r);
    run(&r, strings(two_strings, 2), "\n\n\n");
    assert_int_equal(r.records, 0);
    assert_int_equal(r.lines, 3);
    feed_release(&r);
    run(&r, strings(two_strings, 2), "");
    assert_int_equal(r.records, 0);
    feed_release(&r);
}

static void dialects(void **unused)
{
    (void)unused;
    static const struct {
        const char *delimiter;
        char quote, escape, comment;
        const char *text, *rows;
    } cases[] = {
        {";", '"', '"', 0, "a;b,c\n\"d;e\";f", "a|b,c;d;e|f;"},
        {"\t", '\'', '\'', 0, "'it''s'\t\"q\"\n", "it's|\"q\";"},
        {",", 0, 0, 0, "\"a,b\"\n\"c\"d,\"\n", "\"a|b\";\"c\"d|\";"},
        {",", '"', '\\', 0, "\"a\\\"b\",c\\,d\nx\\\\,\"\\n\"\n", "a\"b|c,d;x\\|n;"},
        {",", 0, '\\', 0, "a\\,b,\"c\nd\\\ne,f\n", "a,b|\"c;d\ne|f;"},
        {"||", '"', '"', 0, "a||b|c\n\"x||y\"||z\n|||\n", "a|b|c;x||y|z;~||;"},
        {"<=>", 0, 0, 0, "a<=>b\n<=<=>>\n", "a|b;<=|>;"},
        {",", '"', '"', '#', "#one, \"two\na,b\n#\n\"#c\",#d\n #e,f\n#end", "a|b;#c|#d; #e|f;"},
        {",", '"', 0, 0, "\"a\",\"b\"\n", "a|b;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 60; step++) {
            struct feed f = strings(two_strings, 2);
            f.dialect = feed_dialect(cases[i].delimiter, cases[i].quote, cases[i].escape);
            f.dialect.comment = cases[i].comment;
            f.step = step;
            struct feed_result r;
            feed_run(&r, &f, cases[i].text, strlen(cases[i].text));
            assert_rows(&r, cases[i].rows);
            assert_int_equal(r.reject_count, 0);
            feed_release(&r);
        }
}

static void every_type(void **unused)
{
    (void)unused;
    static const struct {
        struct data_type type;
        const char *good, *text, *bad;
    } cases[] = {
        {{.kind = TYPE_BOOLEAN}, "Yes", "true", "2"},
        {{.kind = TYPE_INTEGER}, "+007", "7", "2147483648"},
        {{.kind = TYPE_BIGINT}, "-9223372036854775808", "-9223372036854775808", "9223372036854775808"},
        {{.kind = TYPE_FLOAT}, "0.5", "0.5", "1e39"},
        {{.kind = TYPE_DOUBLE}, "+1.50", "1.5", "1,5"},
        {{TYPE_DECIMAL, 5, 2}, "123.4", "123.40", "123.456"},
        {{.kind = TYPE_DATE}, "2024-02-29", "2024-02-29", "2023-02-29"},
        {{.kind = TYPE_TIME}, "23:59", "23:59:00", "24:00"},
        {{.kind = TYPE_TIMESTAMP}, "2024-01-02", "2024-01-02T00:00:00", "2024-01-02T03:04:05Z"},
        {{.kind = TYPE_TIMESTAMPTZ}, "2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z", "2024-01-02T03:04:05"},
        {{.kind = TYPE_JSON}, "[1]", "[1]", "[1"},
        {{.kind = TYPE_UUID}, "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            char text[200], rows[200];
            struct decode_target targets[] = {target(0, TYPE_STRING), target(1, TYPE_STRING)};
            targets[1].type = cases[i].type;
            snprintf(text, sizeof text, "1,\"%s\"\n2,\"%s\"\n3,\n4,\"%s\"\n", cases[i].good, cases[i].bad,
                     cases[i].good);
            snprintf(rows, sizeof rows, "1|%s;3|~;4|%s;", cases[i].text, cases[i].text);
            struct feed f = strings(targets, 2);
            f.dialect.comment = slowly ? '#' : 0;
            struct feed_result r;
            run(&r, f, text);
            assert_rows(&r, rows);
            assert_int_equal(r.reject_count, 1);
            assert_memory_equal(r.rejects.data, "CAST record 2 line 2", 20);
            feed_release(&r);
        }
}

static void nulls(void **unused)
{
    (void)unused;
    static const struct str texts[] = {STR("NULL"), STR("-")};
    struct decode_target targets[] = {target(0, TYPE_STRING), target(1, TYPE_BIGINT), target(-1, TYPE_DATE)};
    struct feed f = strings(targets, 2);
    f.target_count = 3;
    f.nulls = texts;
    f.null_count = 2;
    struct feed_result r;
    run(&r, f, "NULL,\"NULL\"\n,-\n\"\",1\nNUL,2\n\"-\",3\n");
    assert_rows(&r, "~|~|~;~|~|~;|1|~;NUL|2|~;~|3|~;");
    feed_release(&r);
    targets[1].on_null = REJECT_NULL_KEY;
    run(&r, f, "a,1\nb,NULL\nc,3\n");
    assert_rows(&r, "a|1|~;c|3|~;");
    assert_rejects(&r, "NULL_KEY record 2 line 2 at 4+6 column 1: column 'c1': null, which this column must not be "
                       "[b,NULL]\n");
    feed_release(&r);
    targets[0].type.kind = TYPE_BIGINT; /* the first reason in column order wins */
    run(&r, f, "x,\n");
    assert_memory_equal(r.rejects.data, "CAST record 1", 13);
    assert_int_equal(r.reject_count, 1);
    feed_release(&r);
    targets[2].on_null = REJECT_NULL_VALUE; /* of a column that is not there */
    run(&r, f, "1,2\n3,4\n");
    assert_int_equal(r.reject_count, 2);
    assert_int_equal(r.row_count, 0);
    feed_release(&r);
}

/* The first text of a column is the empty one: there is no memory for its texts yet. */
static void empty_texts_first(void **unused)
{
    (void)unused;
    struct decode_target targets[] = {target(0, TYPE_BINARY), target(1, TYPE_STRING)};
    struct feed_result r;
    run(&r, strings(targets, 2), "\"\",\"\"\n\"\",\"\"\n");
    assert_rows(&r, "|;|;");
    feed_release(&r);
}

static void widening(void **unused)
{
    (void)unused;
    struct decode_target targets[] = {inferred(0, INFER_INT53), inferred(1, INFER_DATE), target(1, TYPE_STRING)};
    struct feed f = strings(targets, 2);
    f.target_count = 3;
    struct feed_result r;
    run(&r, f, "1,2024-01-01\n2,2024-01-02\n");
    assert_false(r.widened);
    assert_int_equal(r.observed[0], INFER_INT53);
    feed_release(&r);
    run(&r, f, "9007199254740993,2024-01-01\n"); /* the same type: no widening, but it is told */
    assert_false(r.widened);
    assert_int_equal(r.observed[0], INFER_INT64);
    assert_rows(&r, "9007199254740993|2024-01-01|2024-01-01;");
    feed_release(&r);
    run(&r, f, "9007199254740993,2024-01-01\n1.5,2024-01-01T10:00\n");
    assert_true(r.widened);
    assert_int_equal(r.observed[0], INFER_STRING); /* and not double: the first value would not be exact */
    assert_int_equal(r.observed[1], INFER_TIMESTAMP);
    feed_release(&r);
}

/* Values equal in different spellings share one entry; entries are distinct (feed_run sees to it). */
static void dictionary_by_value(void **unused)
{
    (void)unused;
    struct decode_target targets[] = {target(0, TYPE_DOUBLE), target(1, TYPE_TIME)};
    struct feed_result r;
    run(&r, strings(targets, 2), "1.0,10:00\n1.00,10:00:00\n1e0,10:00:00.000\n2,11:00\n,\n01.0,10:00\n");
    assert_rows(&r, "1.0|10:00:00;1.0|10:00:00;1.0|10:00:00;2.0|11:00:00;~|~;1.0|10:00:00;");
    assert_int_equal(r.dictionaries, 2);
    assert_int_equal(r.dictionary_entries, 4);
    feed_release(&r);
}

/* More distinct values than a dictionary may hold: given up in the middle of a chunk, and nothing changes. */
static void dictionary_given_up(void **unused)
{
    (void)unused;
    static const size_t repeats[] = {1, 2, 3};
    for (size_t k = 0; k < 3; k++)
        for (int kind = 0; kind < 3; kind++) {
            struct decode_target targets[] = {target(0, kind == 0   ? TYPE_STRING
                                                        : kind == 1 ? TYPE_DOUBLE
                                                                    : TYPE_TIMESTAMPTZ),
                                              target(1, TYPE_STRING)};
            size_t rows = kind == 0 ? 60000 * repeats[k] : 12000 * repeats[k];
            struct buf text = {0}, wanted = {0};
            for (size_t i = 0; i < rows; i++) {
                size_t v = i / repeats[k];
                char cell[64];
                int n = kind == 0   ? snprintf(cell, sizeof cell, "v%zu", v)
                        : kind == 1 ? snprintf(cell, sizeof cell, "%zu.5", v)
                                    : snprintf(cell, sizeof cell, "2024-01-01T%02zu:%02zu:%02zuZ", v / 3600 % 24,
                                               v / 60 % 60, v % 60);
                if (i % 7 == 3) {
                    n = 0;
                    feed_append(&wanted, "\x1E", 1);
                }
                feed_append(&text, cell, (size_t)n);
                feed_append(&wanted, cell, (size_t)n);
                feed_append(&text, ",k\n", 3);
                feed_append(&wanted, "\x1Fk\x1F\x1D", 4);
            }
            struct feed f = strings(targets, 2);
            f.step = text.len + 2;
            struct feed_result r;
            feed_run(&r, &f, text.data, text.len);
            assert_int_equal(r.row_count, rows);
            assert_int_equal(r.dictionaries, 1); /* of the second column only */
            assert_int_equal(r.rows.len, wanted.len);
            assert_memory_equal(r.rows.data, wanted.data, wanted.len);
            feed_release(&r);
            buf_release(&text);
            buf_release(&wanted);
        }
}

/* A line that is too long is one bad row; what follows it is read as ever, wherever the buffers end. */
static void too_long(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "a,b\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,y\nc,d\ne,f\n",
        "a,b\rxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,y\rc,d\re,f\r",
        "a,b\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,y\r\nc,d\r\ne,f",
    };
    for (size_t t = 0; t < 3; t++)
        for (size_t step = 1; step <= 70; step++)
            for (size_t most = 10; most < 24; most++) {
                struct feed f = strings(two_strings, 2);
                f.step = step;
                f.max_record = most;
                struct feed_result r;
                feed_run(&r, &f, texts[t], strlen(texts[t]));
                assert_rows(&r, "a|b;c|d;e|f;");
                assert_int_equal(r.reject_count, 1);
                assert_memory_equal(r.rejects.data, "ROW_TOO_LONG record 2 line 2 at ", 32);
                assert_int_equal(r.records, 4);
                assert_int_equal(r.lines, t == 2 ? 3 : 4);
                feed_release(&r);
            }
}

/* A quote that is not closed within the limit: its line is bad, the lines after it are not. */
static void open_quote_beyond_the_limit(void **unused)
{
    (void)unused;
    static const char *const ends[] = {"\n", "\r", "\r\n"};
    for (size_t e = 0; e < 3; e++)
        for (size_t step = 1; step <= 12; step++)
            for (size_t most = 4; most < 24; most++) {
                char text[600];
                size_t n = (size_t)sprintf(text, "\"a,b%s", ends[e]);
                for (int i = 0; i < 20; i++)
                    n += (size_t)sprintf(text + n, "c,d%s", ends[e]);
                struct feed f = strings(two_strings, 2);
                f.step = step;
                f.max_record = most;
                struct feed_result r;
                feed_run(&r, &f, text, n);
                assert_int_equal(r.row_count, 20);
                assert_int_equal(r.reject_count, 1);
                assert_int_equal(r.lines, 21);
                feed_release(&r);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_records_and_their_places),
        cmocka_unit_test(text_after_quote_at_the_end),
        cmocka_unit_test(unterminated_quote_spoils_one_line),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(blank_lines),
        cmocka_unit_test(dialects),
        cmocka_unit_test(every_type),
        cmocka_unit_test(nulls),
        cmocka_unit_test(empty_texts_first),
        cmocka_unit_test(widening),
        cmocka_unit_test(dictionary_by_value),
        cmocka_unit_test(dictionary_given_up),
        cmocka_unit_test(too_long),
        cmocka_unit_test(open_quote_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
