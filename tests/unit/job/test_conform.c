/* Typed batches under wanted columns. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "batch/value_text.h"
#include "job/conform.h"

struct fixture {
    struct schema schema;
    struct batch batch;
    struct column_types types;
    struct decoded out;
};

static void add_source(struct fixture *f, const char *name, enum type_kind kind)
{
    assert_int_equal(
        schema_add(&f->schema, str_of(name), (struct str){0}, (struct data_type){.kind = kind}, false, NULL), OK);
}

static void begin(struct fixture *f)
{
    assert_int_equal(batch_reset(&f->batch, &f->schema, NULL), OK);
}

static void put_text(struct fixture *f, size_t column, const char *text, size_t n)
{
    struct column *c = &f->batch.columns[column];
    assert_int_equal(text ? column_append(c, text, n, NULL) : column_append_null(c, NULL), OK);
    f->batch.rows = c->length;
}

static void put_i64(struct fixture *f, size_t column, int64_t v)
{
    assert_int_equal(column_append(&f->batch.columns[column], &v, sizeof v, NULL), OK);
    f->batch.rows = f->batch.columns[column].length;
}

static void conform(struct fixture *f, const struct type_column *columns, size_t count)
{
    assert_int_equal(column_types_init(&f->types, columns, count, NULL), OK);
    assert_int_equal(conform_batch(&f->batch, f->types.newest, &f->out, NULL), OK);
    assert_int_equal(f->out.records, f->batch.rows);
    assert_int_equal(f->out.batch.rows + f->out.rejects.count, f->out.records);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(f->out.batch.columns[i].length, f->out.batch.rows);
}

static void assert_cell(const struct fixture *f, size_t row, size_t column, const char *text)
{
    const struct column *c = &f->out.batch.columns[column];
    struct buf got = {0};
    assert_int_equal(column_is_null(c, row), text == NULL);
    if (!text)
        return;
    assert_int_equal(value_text_append(c, row, &got, NULL), OK);
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.data ? got.data : (const uint8_t *)"", text, got.len);
    buf_release(&got);
}

static void assert_reject(const struct fixture *f, size_t at, uint64_t record, enum reject_code code, uint32_t column,
                          const char *raw)
{
    const struct reject *r = &f->out.rejects.items[at];
    assert_true(at < f->out.rejects.count);
    assert_int_equal(r->record, record);
    assert_int_equal(r->code, code);
    assert_int_equal(r->column, column);
    struct str got = reject_raw(&f->out.rejects, r);
    assert_true(str_equal(got, str_of(raw)));
    assert_int_equal(r->byte_length, strlen(raw));
}

static void release(struct fixture *f)
{
    batch_release(&f->batch);
    schema_release(&f->schema);
    column_types_release(&f->types);
    decoded_release(&f->out);
}

#define STRING_TYPE                                                                                                    \
    {                                                                                                                  \
        .kind = TYPE_STRING                                                                                            \
    }

/* Picked, put in another order, renamed, found in any case; one that is not there is null. */
static void picked(void **unused)
{
    (void)unused;
    struct fixture f = {0};
    add_source(&f, "Id", TYPE_BIGINT);
    add_source(&f, "name", TYPE_STRING);
    begin(&f);
    put_i64(&f, 0, 7);
    put_text(&f, 1, "seven", 5);
    put_i64(&f, 0, 8);
    put_text(&f, 1, NULL, 0);
    const struct type_column columns[] = {
        {.name = STR("label"), .source = STR("name"), .type = STRING_TYPE},
        {.name = STR("id"), .source = STR("id"), .type = {.kind = TYPE_BIGINT}},
        {.name = STR("gone"), .source = STR("gone"), .type = {.kind = TYPE_DATE}},
    };
    conform(&f, columns, 3);
    assert_int_equal(f.out.batch.rows, 2);
    assert_cell(&f, 0, 0, "seven");
    assert_cell(&f, 1, 0, NULL);
    assert_cell(&f, 0, 1, "7");
    assert_cell(&f, 1, 1, "8");
    assert_cell(&f, 0, 2, NULL);
    release(&f);
}

static void cast_and_rejected(void **unused)
{
    (void)unused;
    struct fixture f = {0};
    add_source(&f, "n", TYPE_BIGINT);
    add_source(&f, "d", TYPE_STRING);
    begin(&f);
    static const char *const dates[] = {"2024-02-29", "soon", NULL, "", "2024-01-01"};
    for (int64_t i = 0; i < 5; i++) {
        put_i64(&f, 0, i == 4 ? INT64_C(3000000000) : i);
        put_text(&f, 1, dates[i], dates[i] ? strlen(dates[i]) : 0);
    }
    const struct type_column columns[] = {
        {.name = STR("n"), .source = STR("n"), .type = {.kind = TYPE_INTEGER}},
        {.name = STR("d"), .source = STR("d"), .type = {.kind = TYPE_DATE}},
    };
    conform(&f, columns, 2);
    assert_int_equal(f.out.batch.rows, 2);
    assert_cell(&f, 0, 0, "0");
    assert_cell(&f, 0, 1, "2024-02-29");
    assert_cell(&f, 1, 0, "2");
    assert_cell(&f, 1, 1, NULL);
    assert_int_equal(f.out.rejects.count, 3);
    assert_reject(&f, 0, 2, REJECT_CAST, 1, "{\"n\":1,\"d\":\"soon\"}");
    assert_reject(&f, 1, 4, REJECT_CAST, 1, "{\"n\":3,\"d\":\"\"}");
    assert_reject(&f, 2, 5, REJECT_CAST, 0, "{\"n\":3000000000,\"d\":\"2024-01-01\"}");
    release(&f);
}

static void nulls_that_must_not_be(void **unused)
{
    (void)unused;
    struct fixture f = {0};
    add_source(&f, "k", TYPE_STRING);
    begin(&f);
    put_text(&f, 0, "a", 1);
    put_text(&f, 0, NULL, 0);
    const struct type_column columns[] = {
        {.name = STR("k"), .source = STR("k"), .type = STRING_TYPE, .on_null = REJECT_NULL_KEY}};
    conform(&f, columns, 1);
    assert_int_equal(f.out.batch.rows, 1);
    assert_int_equal(f.out.rejects.count, 1);
    assert_int_equal(f.out.rejects.items[0].code, REJECT_NULL_KEY);
    release(&f);
    f = (struct fixture){0};
    add_source(&f, "other", TYPE_STRING);
    begin(&f);
    put_text(&f, 0, "a", 1);
    conform(&f, columns, 1); /* the column is not there at all */
    assert_int_equal(f.out.batch.rows, 0);
    assert_int_equal(f.out.rejects.count, 1);
    release(&f);
}

/* Text has to be UTF-8, wherever it comes from. */
static void binary_as_text(void **unused)
{
    (void)unused;
    struct fixture f = {0};
    add_source(&f, "b", TYPE_BINARY);
    begin(&f);
    put_text(&f, 0, "gr\xC3\xBCn", 5);
    put_text(&f, 0, "gr\xFCn", 4);
    const struct type_column columns[] = {{.name = STR("b"), .source = STR("b"), .type = STRING_TYPE}};
    conform(&f, columns, 1);
    assert_int_equal(f.out.batch.rows, 1);
    assert_cell(&f, 0, 0, "gr\xC3\xBCn");
    assert_int_equal(f.out.rejects.count, 1);
    assert_int_equal(f.out.rejects.items[0].code, REJECT_INVALID_ENCODING);
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picked),
        cmocka_unit_test(cast_and_rejected),
        cmocka_unit_test(nulls_that_must_not_be),
        cmocka_unit_test(binary_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
