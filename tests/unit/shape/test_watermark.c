/* Which rows are new, which row is the highest, and hashes that tell rows apart. */
#include "shape/watermark.h"

#include <stdlib.h>

#include "unit/cmocka_all.h"

/* Rows (id, at, note); NULL at is null. */
struct row {
    int64_t id;
    const char *at, *note;
};

struct table {
    struct schema schema;
    struct batch batch;
};

static void add_text(struct column *c, const char *text)
{
    if (text)
        assert_int_equal(column_append(c, text, strlen(text), NULL), OK);
    else
        assert_int_equal(column_append_null(c, NULL), OK);
}

static void table_make(struct table *t, const struct row *rows, size_t n, bool with_extra)
{
    *t = (struct table){0};
    const struct data_type bigint = {.kind = TYPE_BIGINT}, string = {.kind = TYPE_STRING};
    assert_int_equal(schema_add(&t->schema, STR("id"), STR("id"), bigint, false, NULL), OK);
    assert_int_equal(schema_add(&t->schema, STR("at"), STR("at"), string, false, NULL), OK);
    if (with_extra)
        assert_int_equal(schema_add(&t->schema, STR("extra"), STR("extra"), bigint, false, NULL), OK);
    assert_int_equal(schema_add(&t->schema, STR("note"), STR("note"), string, false, NULL), OK);
    assert_int_equal(batch_reset(&t->batch, &t->schema, NULL), OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(column_append(&t->batch.columns[0], &rows[i].id, sizeof rows[i].id, NULL), OK);
        add_text(&t->batch.columns[1], rows[i].at);
        if (with_extra)
            assert_int_equal(column_append_null(&t->batch.columns[2], NULL), OK);
        add_text(&t->batch.columns[with_extra ? 3 : 2], rows[i].note);
    }
    t->batch.rows = n;
}

static void table_release(struct table *t)
{
    batch_release(&t->batch);
    schema_release(&t->schema);
}

static void hashes_ignore_columns_that_came_later(void **unused)
{
    (void)unused;
    const struct row rows[] = {{1, "a", "x"}, {2, "a", "x"}, {1, "x", "a"}, {1, "a", NULL}, {1, NULL, "a"}};
    struct table before, after;
    struct key_hash a[5], b[5];
    table_make(&before, rows, 5, false);
    table_make(&after, rows, 5, true);
    assert_int_equal(row_hash_rows(&before.batch, a, NULL), OK);
    assert_int_equal(row_hash_rows(&after.batch, b, NULL), OK);
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(&a[i], &a[k], sizeof a[i]);
    char text[WATERMARK_HASH_TEXT + 1];
    struct key_hash back;
    row_hash_text(a[0], text);
    assert_true(row_hash_parse(text, &back));
    assert_memory_equal(&back, &a[0], sizeof back);
    text[3] = 'x';
    assert_false(row_hash_parse(text, &back));
    assert_false(row_hash_parse("00", &back));
    table_release(&before);
    table_release(&after);
}

static void older_rows_and_known_ties_are_dropped(void **unused)
{
    (void)unused;
    const struct row rows[] = {{1, "b", "x"}, {2, "a", "x"}, {3, "b", "x"}, {4, "c", "x"}, {1, "b", "other"}};
    struct table t;
    struct key_hash hashes[5];
    struct watermark_filter *filter = NULL;
    size_t dropped;
    table_make(&t, rows, 5, false);
    assert_int_equal(row_hash_rows(&t.batch, hashes, NULL), OK);
    assert_int_equal(
        watermark_filter_create(&filter, STR("at"), (struct data_type){.kind = TYPE_STRING}, STR("b"), hashes, 1, NULL),
        OK);
    assert_int_equal(watermark_filter_apply(filter, &t.batch, 1, &dropped, NULL), OK);
    assert_int_equal(dropped, 2);
    assert_int_equal(t.batch.rows, 3);
    const int64_t kept[] = {3, 4, 1};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(*(const int64_t *)column_value(&t.batch.columns[0], i), kept[i]);
    watermark_filter_free(filter);
    table_release(&t);
}

static void the_last_value_has_to_be_of_the_type(void **unused)
{
    (void)unused;
    struct watermark_filter *filter = NULL;
    struct error err = {0};
    assert_int_equal(
        watermark_filter_create(&filter, STR("at"), (struct data_type){.kind = TYPE_DATE}, STR("soon"), NULL, 0, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.message, "'at', which is date"));
    assert_non_null(strstr(err.hint, "set a value"));
    assert_non_null(strstr(err.hint, "full"));
    assert_non_null(strstr(err.hint, "another watermark_column"));
}

static void the_top_joins_over_batches(void **unused)
{
    (void)unused;
    const struct row first[] = {{1, "b", "x"}, {2, NULL, "x"}, {3, "b", "x"}},
                     second[] = {{4, "b", "y"}, {5, "a", "y"}}, third[] = {{6, "ba", NULL}},
                     fourth[] = {{7, NULL, NULL}};
    const struct {
        const struct row *rows;
        size_t n, ties;
        const char *value;
    } steps[] = {{first, 3, 2, "b"}, {second, 2, 3, "b"}, {third, 1, 1, "ba"}, {fourth, 1, 1, "ba"}};
    struct watermark_top all = {0}, one = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        struct table t;
        table_make(&t, steps[i].rows, steps[i].n, false);
        assert_int_equal(watermark_top_of(&t.batch, 1, true, &one, NULL), OK);
        assert_int_equal(watermark_top_join(&all, &one, NULL), OK);
        assert_true(str_equal(buf_str(&all.text), str_of(steps[i].value)));
        assert_int_equal(all.hashes.len, steps[i].ties * sizeof(struct key_hash));
        table_release(&t);
    }
    assert_false(all.too_many);
    watermark_top_release(&all);
    watermark_top_release(&one);
}

static void too_many_ties_are_told(void **unused)
{
    (void)unused;
    struct table t;
    struct row *rows = calloc(WATERMARK_TIES_MOST, sizeof *rows);
    struct watermark_top all = {0}, one = {0};
    assert_non_null(rows);
    for (size_t i = 0; i < WATERMARK_TIES_MOST; i++)
        rows[i] = (struct row){(int64_t)i, "b", NULL};
    table_make(&t, rows, WATERMARK_TIES_MOST, false);
    assert_int_equal(watermark_top_of(&t.batch, 1, true, &one, NULL), OK);
    assert_int_equal(watermark_top_join(&all, &one, NULL), OK);
    assert_false(all.too_many);
    assert_int_equal(watermark_top_join(&all, &one, NULL), OK);
    assert_true(all.too_many);
    assert_int_equal(all.hashes.len, 0);
    rows[0].at = "c"; /* a higher value begins anew */
    table_release(&t);
    table_make(&t, rows, 1, false);
    assert_int_equal(watermark_top_of(&t.batch, 1, true, &one, NULL), OK);
    assert_int_equal(watermark_top_join(&all, &one, NULL), OK);
    assert_false(all.too_many);
    table_release(&t);
    free(rows);
    watermark_top_release(&all);
    watermark_top_release(&one);
}

static void values_compare_by_type(void **unused)
{
    (void)unused;
    int order = 0;
    const struct {
        struct data_type type;
        const char *low, *high;
    } pairs[] = {
        {{.kind = TYPE_BIGINT}, "9", "10"},
        {{.kind = TYPE_STRING}, "10", "9"},
        {{.kind = TYPE_DECIMAL, .precision = 10, .scale = 2}, "-3.50", "-3.49"},
        {{.kind = TYPE_TIMESTAMPTZ}, "2024-01-01T00:00:00+02:00", "2023-12-31T23:00:00Z"},
        {{.kind = TYPE_DOUBLE}, "nan", "-inf"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        assert_int_equal(
            watermark_compare(STR("c"), pairs[i].type, str_of(pairs[i].low), str_of(pairs[i].high), &order, NULL), OK);
        assert_true(order < 0);
        assert_int_equal(
            watermark_compare(STR("c"), pairs[i].type, str_of(pairs[i].high), str_of(pairs[i].high), &order, NULL), OK);
        assert_int_equal(order, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_ignore_columns_that_came_later),
        cmocka_unit_test(older_rows_and_known_ties_are_dropped),
        cmocka_unit_test(the_last_value_has_to_be_of_the_type),
        cmocka_unit_test(the_top_joins_over_batches),
        cmocka_unit_test(too_many_ties_are_told),
        cmocka_unit_test(values_compare_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
