/* Random CSV text: the rows, rejects, places and line counts do not depend on buffer sizes, segments, scanner or on
 * whether the vector scan or the byte-by-byte way was taken, and are those of an independent reader. */
#include "unit/cmocka_all.h"

#include "unit/batch/random.h"
#include "unit/format/csv/csv_model.h"

static const struct data_type string_type = {.kind = TYPE_STRING};

static struct decode_target string_target(int source)
{
    return (struct decode_target){.source_index = source, .type = string_type};
}

static void fail_with(const char *what, const struct feed *f, const uint8_t *text, size_t n,
                      const struct feed_result *got, const struct feed_result *wanted)
{
    print_error("%s differ: columns %zu, step %zu, segment %zu, comment %d, text (%zu bytes):\n", what, f->columns,
                f->step, f->segment_bytes, f->dialect.comment, n);
    for (size_t i = 0; i < n; i++)
        print_error(text[i] >= ' ' && text[i] < 0x7F && text[i] != '\\' ? "%c" : "\\x%02X", text[i]);
    print_error("\nrecords %llu, wanted %llu; lines %llu, wanted %llu\nrejects:\n%.*s\nwanted:\n%.*s\n",
                (unsigned long long)got->records, (unsigned long long)wanted->records, (unsigned long long)got->lines,
                (unsigned long long)wanted->lines, (int)got->rejects.len, (const char *)got->rejects.data,
                (int)wanted->rejects.len, (const char *)wanted->rejects.data);
    print_error("rows:\n%.*s\nwanted:\n%.*s\n", (int)got->rows.len, (const char *)got->rows.data, (int)wanted->rows.len,
                (const char *)wanted->rows.data);
    fail();
}

static void assert_same(const struct feed *f, const uint8_t *text, size_t n, const struct feed_result *wanted)
{
    struct feed_result got;
    feed_run(&got, f, text, n);
    const char *what = feed_difference(&got, wanted);
    if (what)
        fail_with(what, f, text, n, &got, wanted);
    feed_release(&got);
}

/* Every way through the same text. `all_steps`: every buffer size from 1 on. */
static void assert_all_ways(struct feed f, const uint8_t *text, size_t n, const struct feed_result *wanted,
                            bool all_steps, uint64_t *seed)
{
    static const size_t segments[] = {0, 1, 7, 64};
    static const uint8_t pads[] = {'\n', '"', ',', '\r', 'x', 0};
    for (int slowly = 0; slowly < 2; slowly++) {
        f.dialect.comment =
            slowly ? 1 : 0; /* means the same as long as no line starts with it, and cannot be scanned */
        size_t count = all_steps ? n + 2 : 6;
        for (size_t i = 1; i <= count; i++) {
            f.step = all_steps ? i : 1 + random_below(seed, n + 2);
            f.segment_bytes = segments[random_below(seed, ARRAY_LENGTH(segments))];
            f.pad = pads[random_below(seed, ARRAY_LENGTH(pads))];
            f.scanner = random_below(seed, 2) ? &csv_scanner_scalar : NULL;
            assert_same(&f, text, n, wanted);
        }
        f.step = n + 2;
        for (size_t i = 0; i < ARRAY_LENGTH(segments); i++) {
            f.segment_bytes = segments[i];
            assert_same(&f, text, n, wanted);
        }
    }
}

static size_t random_text(uint64_t *seed, uint8_t *text, size_t most, const char *alphabet)
{
    size_t n = random_below(seed, most + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t)alphabet[random_below(seed, strlen(alphabet))];
    return n;
}

/* Mostly well-formed records, so that the scan has long stretches that it can vouch for. */
static size_t random_records(uint64_t *seed, uint8_t *text, size_t most, size_t columns)
{
    static const char *const cells[] = {"",
                                        "1",
                                        "-2.5",
                                        "abc",
                                        "\"x,y\"",
                                        "\"\"",
                                        "\"a\"\"b\"",
                                        "\"l\nm\"",
                                        "é",
                                        "\"\r\n\"",
                                        "true",
                                        "2024-02-29",
                                        "0",
                                        "9007199254740993",
                                        "text that is longer than sixteen bytes",
                                        "\"\"\"\"",
                                        " "};
    static const char *const ends[] = {"\n", "\r\n", "\r", "\n\n", "\r\r\n"};
    static const char *const oddities[] = {"a\"b", "\"a\"b", "\"open", "\xFF", ",,,", "\"\"\""};
    const char *end = ends[random_below(seed, ARRAY_LENGTH(ends))];
    size_t n = 0;
    while (n + 60 * columns < most) {
        for (size_t i = 0; i < columns; i++) {
            const char *cell = random_below(seed, 60) == 0 ? oddities[random_below(seed, ARRAY_LENGTH(oddities))]
                                                           : cells[random_below(seed, ARRAY_LENGTH(cells))];
            n += (size_t)sprintf((char *)text + n, "%s%s", i ? "," : "", cell);
        }
        if (random_below(seed, 40) == 0)
            end = ends[random_below(seed, ARRAY_LENGTH(ends))];
        n += (size_t)sprintf((char *)text + n, "%s", end);
        if (random_below(seed, 30) == 0)
            break;
    }
    return random_below(seed, 3) == 0 && n ? n - 1 : n;
}

static void texts_as_the_model(void **unused)
{
    (void)unused;
    static const char *const alphabets[] = {"\",\r\n;ab1 .-", "\",\n", "\",\r\nab", ",\r\n1", "\"\n", "a\xC3\xA9,\n\""};
    struct decode_target targets[3] = {string_target(0), string_target(1), string_target(2)};
    uint64_t seed = 11;
    uint8_t text[200];
    for (int round = 0; round < 700; round++) {
        struct feed f = {.dialect = feed_dialect(round % 7 == 6 ? ";" : ",", round % 5 == 4 ? 0 : '"', 0)};
        f.dialect.escape = f.dialect.quote;
        f.columns = f.target_count = 1 + (size_t)round % 3;
        f.targets = targets;
        size_t n = random_text(&seed, text, 8 + (size_t)round % 130, alphabets[round % (int)ARRAY_LENGTH(alphabets)]);
        struct feed_result wanted;
        model_run(&wanted, &f, text, n);
        for (size_t i = 0; i < f.target_count; i++)
            wanted.observed[i] = INFER_NULL;
        assert_all_ways(f, text, n, &wanted, round % 10 == 0, &seed);
        feed_release(&wanted);
    }
}

static void records_as_the_model(void **unused)
{
    (void)unused;
    struct decode_target targets[3] = {string_target(0), string_target(1), string_target(2)};
    uint64_t seed = 12;
    uint8_t text[2048];
    for (int round = 0; round < 250; round++) {
        struct feed f = {.dialect = feed_dialect(",", '"', '"'), .targets = targets};
        f.columns = f.target_count = 1 + (size_t)round % 3;
        size_t n = random_records(&seed, text, 256 + (size_t)round * 7, f.columns);
        struct feed_result wanted;
        model_run(&wanted, &f, text, n);
        assert_all_ways(f, text, n, &wanted, false, &seed);
        feed_release(&wanted);
    }
}

/* Types of every kind, casts that fail, nulls that must not be: one piece taken byte by byte is the reference. */
static void every_type_every_way(void **unused)
{
    (void)unused;
    static const struct data_type types[] = {
        {.kind = TYPE_BOOLEAN},   {.kind = TYPE_INTEGER},     {.kind = TYPE_BIGINT}, {.kind = TYPE_FLOAT},
        {.kind = TYPE_DOUBLE},    {TYPE_DECIMAL, 9, 2},       {.kind = TYPE_DATE},   {.kind = TYPE_TIME},
        {.kind = TYPE_TIMESTAMP}, {.kind = TYPE_TIMESTAMPTZ}, {.kind = TYPE_STRING}, {.kind = TYPE_JSON},
        {.kind = TYPE_BINARY},    {.kind = TYPE_UUID},
    };
    static const struct str nulls[] = {STR("abc"), STR("0")};
    uint64_t seed = 13;
    uint8_t text[2048];
    for (int round = 0; round < 200; round++) {
        struct decode_target targets[4];
        struct feed f = {.dialect = feed_dialect(",", '"', '"'), .targets = targets, .columns = 3};
        f.target_count = 4;
        f.nulls = nulls;
        f.null_count = (size_t)round % 3;
        for (size_t i = 0; i < 4; i++) {
            targets[i] = string_target(i == 3 ? -1 : (int)random_below(&seed, 3));
            targets[i].type = types[random_below(&seed, ARRAY_LENGTH(types))];
            if (i < 3 && random_below(&seed, 4) == 0)
                targets[i].on_null = REJECT_NULL_VALUE;
        }
        size_t n = random_records(&seed, text, 256 + (size_t)round * 8, f.columns);
        f.step = n + 2;
        f.dialect.comment = 1;
        struct feed_result wanted;
        feed_run(&wanted, &f, text, n);
        assert_int_equal(wanted.records, wanted.row_count + wanted.reject_count);
        assert_all_ways(f, text, n, &wanted, false, &seed);
        feed_release(&wanted);
    }
}

/* Inferred columns: the classes that come out are the join over all cells, wherever the text was cut. */
static void classes_are_the_join(void **unused)
{
    (void)unused;
    static const char *const cells[] = {"1",    "9007199254740993",     "1.5", "",     "2024-01-02", "2024-01-02T03:04",
                                        "true", "2024-01-02T03:04:05Z", "007", "\"\"", "x"};
    uint64_t seed = 14;
    for (int round = 0; round < 1500; round++) {
        char text[1024];
        size_t n = 0, rows = 1 + random_below(&seed, 24), kinds = 1 + random_below(&seed, 3);
        enum infer_class start = (enum infer_class)random_below(&seed, INFER_STRING + 1), joined = start;
        size_t of[3] = {random_below(&seed, ARRAY_LENGTH(cells)), random_below(&seed, ARRAY_LENGTH(cells)),
                        random_below(&seed, ARRAY_LENGTH(cells))};
        for (size_t row = 0; row < rows; row++) {
            const char *cell = cells[of[random_below(&seed, kinds)]];
            n += (size_t)sprintf(text + n, "%s,z\n", cell);
            if (strcmp(cell, "\"\"") == 0)
                joined = infer_join(joined, infer_text("", 0));
            else if (*cell) {
                char padded[64] = {0};
                memcpy(padded + CAST_PAD, cell, strlen(cell));
                joined = infer_join(joined, infer_text(padded + CAST_PAD, strlen(cell)));
            }
        }
        struct decode_target targets[2] = {string_target(0), string_target(1)};
        targets[0].infer = true;
        targets[0].class_ = start;
        targets[0].type = infer_type(start);
        struct feed f = {.dialect = feed_dialect(",", '"', '"'), .columns = 2, .targets = targets, .target_count = 2};
        for (int way = 0; way < 6; way++) {
            f.step = way < 3 ? n + 2 : 1 + random_below(&seed, n);
            f.segment_bytes = way % 3 == 0 ? 0 : way % 3 == 1 ? 16 : 64;
            f.dialect.comment = way & 1;
            struct feed_result got;
            feed_run(&got, &f, text, n);
            if (got.observed[0] != joined)
                print_error("class %d, wanted %d, from %d, step %zu, segment %zu:\n%.*s\n", got.observed[0], joined,
                            start, f.step, f.segment_bytes, (int)n, text);
            assert_int_equal(got.observed[0], joined);
            assert_int_equal(got.widened, infer_type(joined).kind != targets[0].type.kind);
            feed_release(&got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_as_the_model),
        cmocka_unit_test(records_as_the_model),
        cmocka_unit_test(every_type_every_way),
        cmocka_unit_test(classes_are_the_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
