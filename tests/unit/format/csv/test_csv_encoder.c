/* What the encoder writes: by table, and read back by a naive reader of RFC 4180 written here. */
#include <stdlib.h>

#include "batch/cast.h"
#include "format/csv/csv_encoder.h"
#include "unit/batch/random.h"
#include "unit/cmocka_all.h"

#define TYPE(k) ((struct data_type){.kind = (k)})

struct field_text {
    struct buf bytes;
    bool quoted;
};

/* Reads the field at *at and steps behind its delimiter or line end. */
static void read_field(const struct buf *csv, size_t *at, struct field_text *field, char expected_end)
{
    buf_clear(&field->bytes);
    field->quoted = *at < csv->len && csv->data[*at] == '"';
    if (field->quoted) {
        for (++*at;; ++*at) {
            assert_true(*at < csv->len);
            if (csv->data[*at] == '"') {
                ++*at;
                if (*at >= csv->len || csv->data[*at] != '"')
                    break;
            }
            assert_int_equal(buf_append(&field->bytes, csv->data + *at, 1, NULL), OK);
        }
    } else {
        for (; *at < csv->len && csv->data[*at] != ',' && csv->data[*at] != '\n'; ++*at) {
            assert_true(csv->data[*at] != '"' && csv->data[*at] != '\r');
            assert_int_equal(buf_append(&field->bytes, csv->data + *at, 1, NULL), OK);
        }
    }
    assert_true(*at < csv->len);
    assert_int_equal(csv->data[*at], expected_end);
    ++*at;
}

static void add_field(struct schema *s, const char *name, struct data_type type)
{
    assert_int_equal(schema_add(s, str_of(name), (struct str){0}, type, false, NULL), OK);
}

static void texts_by_table(void **state)
{
    (void)state;
    static const struct {
        struct str value;
        const char *field;
    } cases[] = {
        {{"plain", 5}, "plain"},
        {{"", 0}, "\"\""},
        {{"a,b", 3}, "\"a,b\""},
        {{"a\"b", 3}, "\"a\"\"b\""},
        {{"\"", 1}, "\"\"\"\""},
        {{"\"\"\"\"\"\"\"\"\"", 9}, "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""},
        {{"a\nb", 3}, "\"a\nb\""},
        {{"a\rb", 3}, "\"a\rb\""},
        {{" a", 2}, "\" a\""},
        {{"a ", 2}, "\"a \""},
        {{" ", 1}, "\" \""},
        {{"a b", 3}, "a b"},
        {{"a;b|c\td", 7}, "a;b|c\td"},
        {{"01234567,", 9}, "\"01234567,\""},
        {{"0123456,", 8}, "\"0123456,\""},
        {{"01234567890123456789", 20}, "01234567890123456789"},
        {{"\xC3\xA4\xE2\x82\xAC\xAC\xA2\x8A\x8D", 9}, "\xC3\xA4\xE2\x82\xAC\xAC\xA2\x8A\x8D"},
        {{"-\x0B\x0C\x0E!#+-", 8}, "-\x0B\x0C\x0E!#+-"},
    };
    struct schema s = {0};
    add_field(&s, "a", TYPE(TYPE_STRING));
    add_field(&s, "b", TYPE(TYPE_STRING));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct batch b = {0};
        struct buf csv = {0}, expected = {0};
        assert_int_equal(batch_reset(&b, &s, NULL), OK);
        assert_int_equal(column_append(&b.columns[0], cases[i].value.p, cases[i].value.n, NULL), OK);
        assert_int_equal(column_append_null(&b.columns[1], NULL), OK);
        b.rows = 1;
        assert_int_equal(csv_encode(&b, &csv, NULL), OK);
        assert_int_equal(buf_printf(&expected, NULL, "%s,\n", cases[i].field), OK);
        assert_true(str_equal(buf_str(&csv), buf_str(&expected)));
        batch_release(&b);
        buf_release(&csv);
        buf_release(&expected);
    }
    schema_release(&s);
}

static void one_row_of_every_type(void **state)
{
    (void)state;
    struct schema s = {0};
    add_field(&s, "flag", TYPE(TYPE_BOOLEAN));
    add_field(&s, "small", TYPE(TYPE_INTEGER));
    add_field(&s, "large", TYPE(TYPE_BIGINT));
    add_field(&s, "single", TYPE(TYPE_FLOAT));
    add_field(&s, "real", TYPE(TYPE_DOUBLE));
    add_field(&s, "money", (struct data_type){TYPE_DECIMAL, 9, 2});
    add_field(&s, "day", TYPE(TYPE_DATE));
    add_field(&s, "hour", TYPE(TYPE_TIME));
    add_field(&s, "local", TYPE(TYPE_TIMESTAMP));
    add_field(&s, "instant", TYPE(TYPE_TIMESTAMPTZ));
    add_field(&s, "key", TYPE(TYPE_UUID));
    add_field(&s, "doc", TYPE(TYPE_JSON));
    add_field(&s, "raw", TYPE(TYPE_BINARY));
    add_field(&s, "a \"name\", quoted", TYPE(TYPE_STRING));
    const union value values[] = {{.b = 1},          {.i32 = -5}, {.i64 = INT64_MIN}, {.f32 = 0.1f},
                                  {.f64 = 2},        {.i128 = 5}, {.i32 = 1},         {.i64 = 1},
                                  {.i64 = 60000000}, {.i64 = 0},  {.bytes = {0xAB}}};
    struct batch b = {0};
    struct buf csv = {0};
    assert_int_equal(batch_reset(&b, &s, NULL), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        assert_int_equal(column_append(&b.columns[i], &values[i], 16, NULL), OK);
    assert_int_equal(column_append(&b.columns[11], "{\"a\":1}", 7, NULL), OK);
    assert_int_equal(column_append(&b.columns[12], "\0\xFF", 2, NULL), OK);
    assert_int_equal(column_append(&b.columns[13], "x", 1, NULL), OK);
    for (size_t i = 0; i < 14; i++)
        assert_int_equal(column_append_null(&b.columns[i], NULL), OK);
    b.rows = 2;
    assert_int_equal(csv_encode_header(&s, &csv, NULL), OK);
    assert_int_equal(csv_encode(&b, &csv, NULL), OK);
    struct str expected = STR("flag,small,large,single,real,money,day,hour,local,instant,key,doc,raw,"
                              "\"a \"\"name\"\", quoted\"\n"
                              "true,-5,-9223372036854775808,0.1,2.0,0.05,1970-01-02,00:00:00.000001,"
                              "1970-01-01T00:01:00,1970-01-01T00:00:00Z,ab000000-0000-0000-0000-000000000000,"
                              "\"{\"\"a\"\":1}\",\0\xFF,x\n"
                              ",,,,,,,,,,,,,\n");
    assert_int_equal(csv.len, expected.n);
    assert_memory_equal(csv.data, expected.p, expected.n);
    batch_release(&b);
    buf_release(&csv);
    schema_release(&s);
}

static void a_single_column_tells_null_from_empty(void **state)
{
    (void)state;
    struct schema s = {0};
    add_field(&s, "only", TYPE(TYPE_STRING));
    struct batch b = {0};
    struct buf csv = {0};
    assert_int_equal(batch_reset(&b, &s, NULL), OK);
    assert_int_equal(column_append(&b.columns[0], "", 0, NULL), OK);
    assert_int_equal(column_append_null(&b.columns[0], NULL), OK);
    assert_int_equal(column_append(&b.columns[0], "x", 1, NULL), OK);
    b.rows = 3;
    assert_int_equal(csv_encode_header(&s, &csv, NULL), OK);
    assert_int_equal(csv_encode(&b, &csv, NULL), OK);
    assert_true(str_equal(buf_str(&csv), STR("only\n\"\"\n\nx\n")));
    batch_release(&b);
    buf_release(&csv);
    schema_release(&s);
}

static void append_random_text(struct column *c, uint64_t *random)
{
    static const char alphabet[] = "ab,\"\n\r  xyz\xC3\xA4;0123456789";
    char text[40];
    size_t n = random_below(random, sizeof text + 1);
    bool tame = random_below(random, 2);
    for (size_t i = 0; i < n; i++)
        text[i] = tame ? (char)('a' + random_below(random, 26)) : alphabet[random_below(random, sizeof alphabet - 1)];
    assert_int_equal(column_append(c, text, n, NULL), OK);
}

/* Turn a plain column into a dictionary of `entries` values with random rows. */
static void add_codes(struct column *c, size_t rows, uint64_t *random)
{
    c->is_dict = true;
    c->dict_length = c->length;
    c->length = rows;
    for (size_t i = 0; i < rows; i++) {
        uint32_t code = (uint32_t)random_below(random, c->dict_length);
        assert_int_equal(buf_append(&c->codes, &code, sizeof code, NULL), OK);
    }
}

static void random_batches_read_back(void **state)
{
    (void)state;
    uint64_t random = 13;
    struct schema s = {0};
    add_field(&s, "text", TYPE(TYPE_STRING));
    add_field(&s, "number", TYPE(TYPE_DOUBLE));
    add_field(&s, "coded text", TYPE(TYPE_STRING));
    add_field(&s, "coded day", TYPE(TYPE_DATE));
    for (int round = 0; round < 200; round++) {
        struct batch b = {0};
        struct buf csv = {0};
        struct field_text field = {0};
        size_t rows = random_below(&random, 100);
        assert_int_equal(batch_reset(&b, &s, NULL), OK);
        for (size_t i = 0; i < rows; i++) {
            double number = (double)(int64_t)random_next(&random) / 1024;
            if (random_below(&random, 4) == 0)
                assert_int_equal(column_append_null(&b.columns[0], NULL), OK);
            else
                append_random_text(&b.columns[0], &random);
            if (random_below(&random, 4) == 0)
                assert_int_equal(column_append_null(&b.columns[1], NULL), OK);
            else
                assert_int_equal(column_append(&b.columns[1], &number, sizeof number, NULL), OK);
        }
        for (int32_t entry = 0; entry < 7; entry++) {
            append_random_text(&b.columns[2], &random);
            assert_int_equal(column_append(&b.columns[3], &(int32_t){entry * 1000}, 4, NULL), OK);
        }
        add_codes(&b.columns[2], rows, &random);
        add_codes(&b.columns[3], rows, &random);
        b.rows = rows;
        assert_int_equal(csv_encode(&b, &csv, NULL), OK);
        size_t at = 0;
        for (size_t row = 0; row < rows; row++)
            for (size_t i = 0; i < 4; i++) {
                const struct column *c = &b.columns[i];
                read_field(&csv, &at, &field, i < 3 ? ',' : '\n');
                bool null = field.bytes.len == 0 && !field.quoted;
                assert_int_equal(null, column_is_null(c, row));
                if (null)
                    continue;
                if (i % 2 == 0) {
                    assert_true(str_equal(buf_str(&field.bytes), column_str(c, row)));
                    continue;
                }
                char padded[CAST_PAD * 2 + 64];
                union value value;
                const char *why;
                memcpy(padded + CAST_PAD, field.bytes.data, field.bytes.len);
                assert_true(cast_text(c->type, padded + CAST_PAD, field.bytes.len, &value, &why));
                assert_memory_equal(&value, column_value(c, row), type_width(c->type));
            }
        assert_int_equal(at, csv.len);
        batch_release(&b);
        buf_release(&csv);
        buf_release(&field.bytes);
    }
    schema_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_by_table),
        cmocka_unit_test(one_row_of_every_type),
        cmocka_unit_test(a_single_column_tells_null_from_empty),
        cmocka_unit_test(random_batches_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
