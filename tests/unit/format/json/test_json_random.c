/* Random records against jansson's reading of the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jansson.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "format/json/json_decoder.h"

enum { COLUMNS = 12, CHUNKS = 3 };

/* How the values of a column are made. */
enum maker { SMALL_INT, LARGE_INT, SEQUENCE, PRICE, REAL, WORD, PROSE, LONG_TEXT, FLAG, DAY, MOMENT, NESTED };

static const enum infer_class classes[COLUMNS] = {
    [SMALL_INT] = INFER_INT53, [LARGE_INT] = INFER_INT64, [SEQUENCE] = INFER_INT53,     [PRICE] = INFER_DOUBLE,
    [REAL] = INFER_DOUBLE,     [WORD] = INFER_STRING,     [PROSE] = INFER_STRING,       [LONG_TEXT] = INFER_STRING,
    [FLAG] = INFER_BOOLEAN,    [DAY] = INFER_DATE,        [MOMENT] = INFER_TIMESTAMPTZ, [NESTED] = INFER_JSON,
};

static const char *const names[COLUMNS] = {
    "small",       "large", "seq",          "price",
    "real number", "w",     "pr\xC3\xB6sa", "a_rather_long_key_that_fills_more_than_one_vector",
    "flag",        "day",   "at",           "nested",
};

struct rng {
    uint64_t state;
};

static uint64_t next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static unsigned below(struct rng *r, unsigned n)
{
    return (unsigned)((next(r) >> 32) % n);
}

static struct error err;

static void put(struct buf *to, const char *text)
{
    assert_int_equal(buf_append(to, text, strlen(text), &err), OK);
}

static void put_string(struct buf *to, struct rng *r, unsigned pieces)
{
    static const char *const parts[] = {"word ", "\\n",    "\\\"",    "\xC3\xA9", "\\u00e9", "\\ud83d\\ude00",
                                        "\\\\",  "plain.", ", ]}[{:", "\\u0000",  "\\/",     "\xE2\x82\xAC",
                                        "12",    "x"};
    put(to, "\"");
    for (unsigned i = 0; i < pieces; i++)
        put(to, parts[below(r, below(r, 3) ? 1 : 14)]);
    put(to, "\"");
}

static void put_value(struct buf *to, struct rng *r, enum maker maker, unsigned sequence)
{
    static const char *const nested[] = {"{}",     "[]",  "[1, 2 ,{\"a\":\"]\\\"\"}]", "{\"k\":null}", "\"s\"",
                                         "-1.5e3", "true"};
    static const char *const reals[] = {
        "0", "-0.0", "1e-5", "123456789.123456789", "1E+22", "3", "-122.41941550000001"};
    char text[64] = "";
    switch (maker) {
    case SMALL_INT:
        snprintf(text, sizeof text, "%d", (int)below(r, 20) - 10);
        break;
    case LARGE_INT:
        snprintf(text, sizeof text, "%lld", (long long)(next(r) >> below(r, 60)) * (below(r, 2) ? 1 : -1));
        break;
    case SEQUENCE:
        snprintf(text, sizeof text, "%u", sequence);
        break;
    case PRICE:
        snprintf(text, sizeof text, "%u.%02u", below(r, 100000), below(r, 100));
        break;
    case REAL:
        snprintf(text, sizeof text, "%s", reals[below(r, 7)]);
        break;
    case WORD:
        snprintf(text, sizeof text, "\"%s\"", &"abcdefghijklmnopqrstuvwxyz"[below(r, 26)]);
        break;
    case PROSE:
        put_string(to, r, below(r, 12));
        return;
    case LONG_TEXT:
        put_string(to, r, below(r, 60));
        return;
    case FLAG:
        put(to, below(r, 2) ? "true" : "false");
        return;
    case DAY:
        snprintf(text, sizeof text, "\"20%02u-%02u-%02u\"", below(r, 100), 1 + below(r, 12), 1 + below(r, 28));
        break;
    case MOMENT:
        snprintf(text, sizeof text, "\"2024-01-%02uT%02u:%02u:%02u.%uZ\"", 1 + below(r, 31), below(r, 24), below(r, 60),
                 below(r, 60), below(r, 1000));
        break;
    case NESTED:
        snprintf(text, sizeof text, "%s", nested[below(r, 7)]);
        break;
    }
    put(to, text);
}

/* 0: compact; 1: as Python writes it; 2: white space anywhere; 3: also any order, and escaped keys. */
static void put_record(struct buf *to, struct rng *r, unsigned style, unsigned sequence)
{
    static const char *const spaces[] = {"", " ", "\t", "  \r"};
    unsigned missing = style == 0 ? 0 : below(r, 2) * 20, shift = style == 3 ? below(r, COLUMNS) : 0;
    bool any = false;
    put(to, "{");
    for (unsigned i = 0; i < COLUMNS; i++) {
        unsigned column = (i + shift) % COLUMNS;
        if (below(r, 100) < missing)
            continue;
        const char *name = names[column];
        put(to, any ? style == 1 ? ", " : "," : "");
        put(to, style >= 2 ? spaces[below(r, 4)] : "");
        put(to, "\"");
        put(to, style == 3 && column == WORD && below(r, 3) == 0 ? "\\u0077" : name);
        put(to, "\"");
        put(to, style >= 2 ? spaces[below(r, 4)] : "");
        put(to, style == 1 ? ": " : ":");
        put(to, style >= 2 ? spaces[below(r, 4)] : "");
        if (below(r, 40) == 0)
            put(to, "null");
        else
            put_value(to, r, (enum maker)column, sequence);
        any = true;
    }
    if (style && below(r, 50) == 0)
        put(to, any ? ",\"unknown\":[1]" : "\"unknown\":\"\xC3\xA9\"");
    put(to, style >= 2 ? spaces[below(r, 4)] : "");
    put(to, "}");
}

/* `as_json`: no value is read as a number by us, so jansson's limit on integers must not count. */
static json_t *load(const void *p, size_t n, bool as_json, size_t flags)
{
    size_t integers = as_json ? JSON_DECODE_INT_AS_REAL : 0;
    return json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | integers | flags, NULL);
}

static void expect_cell(const struct column *c, size_t row, const json_t *have, bool as_json)
{
    char text[VALUE_TEXT_MAX];
    assert_int_equal(column_is_null(c, row), !have || json_is_null(have));
    if (column_is_null(c, row))
        return;
    switch (c->type.kind) {
    case TYPE_BOOLEAN:
        assert_int_equal(*(const uint8_t *)column_value(c, row), json_is_true(have));
        break;
    case TYPE_BIGINT:
        assert_true(json_is_integer(have));
        assert_int_equal(*(const int64_t *)column_value(c, row), json_integer_value(have));
        break;
    case TYPE_DOUBLE: {
        double value = json_number_value(have);
        assert_memory_equal(column_value(c, row), &value, sizeof value);
        break;
    }
    case TYPE_STRING: {
        struct str value = column_str(c, row);
        assert_int_equal(value.n, json_string_length(have));
        assert_memory_equal(value.p, json_string_value(have), value.n);
        break;
    }
    case TYPE_DATE:
        assert_int_equal(value_text(c->type, column_value(c, row), text), json_string_length(have));
        assert_memory_equal(text, json_string_value(have), json_string_length(have));
        break;
    case TYPE_TIMESTAMPTZ: {
        int64_t micros;
        char padded[96] = "";
        assert_true(json_string_length(have) < 64);
        memcpy(padded + CAST_PAD, json_string_value(have), json_string_length(have));
        assert_true(cast_timestamptz(padded + CAST_PAD, json_string_length(have), &micros));
        assert_int_equal(*(const int64_t *)column_value(c, row), micros);
        break;
    }
    default: {
        struct str value = column_str(c, row);
        json_t *parsed = load(value.p, value.n, as_json, JSON_DECODE_ANY);
        assert_non_null(parsed);
        assert_true(json_equal(parsed, have));
        json_decref(parsed);
    }
    }
}

/* Decodes lines and compares: what jansson refuses is a reject, the others are rows. */
static void compare(struct text_decoder *d, struct buf *lines, const struct decode_target *targets,
                    const struct schema *schema)
{
    struct decoded into = {0};
    uint8_t *memory = malloc(lines->len + 2 * TEXT_PAD);
    assert_non_null(memory);
    memset(memory, '5', lines->len + 2 * TEXT_PAD);
    memcpy(memory + TEXT_PAD, lines->data, lines->len);
    struct text_chunk chunk = {.data = memory + TEXT_PAD, .len = lines->len};
    assert_int_equal(d->ops->decode(d->self, &chunk, targets, schema, &into, &err), OK);
    assert_false(into.widened);
    size_t row = 0, reject = 0, record = 0;
    bool as_json = targets[0].class_ == INFER_JSON;
    for (const uint8_t *p = chunk.data, *end = p + chunk.len; p < end; record++) {
        const uint8_t *feed = memchr(p, '\n', (size_t)(end - p));
        assert_non_null(feed);
        json_t *object = load(p, (size_t)(feed - p), as_json, 0);
        bool rejected = reject < into.rejects.count && into.rejects.items[reject].record == record + 1;
        if (rejected != !object) {
            print_error("record %zu: %.*s\n", record + 1, (int)(feed - p), (const char *)p);
            fail();
        }
        if (object) {
            assert_true(row < into.batch.rows);
            for (size_t i = 0; i < schema->count; i++)
                expect_cell(&into.batch.columns[i], row, json_object_get(object, schema->fields[i].name), as_json);
            row++;
        } else {
            assert_int_equal(into.rejects.items[reject].byte_offset, p - chunk.data);
            assert_int_equal(into.rejects.items[reject].line, record + 1);
            reject++;
        }
        json_decref(object);
        p = feed + 1;
    }
    assert_int_equal(row, into.batch.rows);
    assert_int_equal(reject, into.rejects.count);
    assert_int_equal(record, into.records);
    assert_int_equal(record, into.lines);
    decoded_release(&into);
    free(memory);
}

static void targets_of(struct decode_target targets[COLUMNS], struct schema *schema, bool as_json)
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct str name = str_of(names[i]);
        enum infer_class class_ = as_json ? INFER_JSON : classes[i];
        targets[i] =
            (struct decode_target){.source = name, .type = infer_type(class_), .infer = true, .class_ = class_};
        assert_int_equal(schema_add(schema, name, name, targets[i].type, false, &err), OK);
    }
}

static void valid_records(void **state)
{
    (void)state;
    struct json_options options = {.max_record_bytes = 1 << 20};
    struct decode_target targets[COLUMNS];
    struct schema schema = {0};
    struct rng r = {11};
    targets_of(targets, &schema, false);
    for (unsigned style = 0; style < 5; style++) {
        struct text_decoder d;
        unsigned sequence = 0;
        assert_int_equal(json_decoder_create(&d, &options, &err), OK);
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            struct buf lines = {0};
            for (int i = 0; i < 5000; i++) {
                put_record(&lines, &r, style == 4 ? below(&r, 4) : style, sequence++);
                put(&lines, "\n");
            }
            compare(&d, &lines, targets, &schema);
            buf_release(&lines);
        }
        text_decoder_free(&d);
    }
    schema_release(&schema);
}

/* One byte changed, dropped or doubled, anywhere. */
static void mutate(struct buf *line, struct rng *r)
{
    static const char bytes[] = "\"\\{}[]:,0-.u \x01\x80\xC3tn";
    size_t at = below(r, (unsigned)line->len);
    switch (below(r, 3)) {
    case 0:
        line->data[at] = (uint8_t)bytes[below(r, sizeof bytes - 1)];
        break;
    case 1:
        memmove(line->data + at, line->data + at + 1, line->len - at - 1);
        line->len--;
        break;
    default:
        assert_int_equal(buf_append(line, "", 1, &err), OK);
        memmove(line->data + at + 1, line->data + at, line->len - at - 1);
    }
}

static bool blank(const struct buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ' && line->data[i] != '\t' && line->data[i] != '\r')
            return false;
    return true;
}

static void damaged_records(void **state)
{
    (void)state;
    struct json_options options = {.max_record_bytes = 1 << 20};
    struct decode_target targets[COLUMNS];
    struct schema schema = {0};
    struct rng r = {12};
    targets_of(targets, &schema, true);
    for (unsigned style = 0; style < 4; style++) {
        struct text_decoder d;
        struct buf lines = {0};
        assert_int_equal(json_decoder_create(&d, &options, &err), OK);
        for (unsigned i = 0; i < 6000; i++) {
            struct buf line = {0};
            put_record(&line, &r, style, i);
            if (i % 2)
                mutate(&line, &r);
            if (!blank(&line)) {
                assert_int_equal(buf_append(&lines, line.data, line.len, &err), OK);
                put(&lines, "\n");
            }
            buf_release(&line);
        }
        compare(&d, &lines, targets, &schema);
        buf_release(&lines);
        text_decoder_free(&d);
    }
    schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_records),
        cmocka_unit_test(damaged_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
