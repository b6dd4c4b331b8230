#include "batch/batch.h"
#include "unit/cmocka_all.h"

static void make_schema(struct schema *s)
{
    *s = (struct schema){0};
    assert_int_equal(schema_add(s, STR("n"), (struct str){0}, (struct data_type){.kind = TYPE_BIGINT}, false, NULL),
                     OK);
    assert_int_equal(schema_add(s, STR("s"), (struct str){0}, (struct data_type){.kind = TYPE_STRING}, false, NULL),
                     OK);
}

/* Row i: i, and i times 'x'; every fourth number is null. */
static void fill(struct batch *b, int64_t rows)
{
    static const char text[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for (int64_t i = 0; i < rows; i++) {
        if (i % 4 == 0)
            assert_int_equal(column_append_null(&b->columns[0], NULL), OK);
        else
            assert_int_equal(column_append(&b->columns[0], &i, sizeof i, NULL), OK);
        assert_int_equal(column_append(&b->columns[1], text, (size_t)i, NULL), OK);
    }
    b->rows = (size_t)rows;
}

static void expect_row(const struct batch *b, size_t row, int64_t i)
{
    assert_int_equal(column_is_null(&b->columns[0], row), i % 4 == 0);
    if (i % 4)
        assert_int_equal(*(const int64_t *)column_value(&b->columns[0], row), i);
    assert_int_equal(column_str(&b->columns[1], row).n, i);
}

static void resetting_keeps_memory_and_forgets_rows(void **state)
{
    (void)state;
    struct schema s;
    struct batch b = {0};
    make_schema(&s);
    assert_int_equal(batch_reset(&b, &s, NULL), OK);
    assert_int_equal(b.column_count, 2);
    assert_int_equal(batch_memory(&b), 0);
    fill(&b, 60);
    size_t memory = batch_memory(&b);
    assert_true(memory >= 60 * 8 + 61 * 4 + 60 * 59 / 2);
    const uint8_t *data = b.columns[0].data.data;
    assert_int_equal(batch_reset(&b, &s, NULL), OK);
    assert_int_equal(b.rows, 0);
    assert_int_equal(b.columns[0].length, 0);
    assert_int_equal(batch_memory(&b), memory);
    fill(&b, 9);
    assert_ptr_equal(b.columns[0].data.data, data);
    for (size_t i = 0; i < 9; i++)
        expect_row(&b, i, (int64_t)i);
    /* Another number of columns. */
    struct schema wider = {0};
    assert_int_equal(schema_copy(&wider, &s, NULL), OK);
    assert_int_equal(schema_add(&wider, STR("d"), (struct str){0}, (struct data_type){.kind = TYPE_DATE}, false, NULL),
                     OK);
    assert_int_equal(batch_reset(&b, &wider, NULL), OK);
    assert_int_equal(b.column_count, 3);
    assert_int_equal(b.columns[2].type.kind, TYPE_DATE);
    assert_ptr_equal(b.schema, &wider);
    batch_release(&b);
    assert_int_equal(b.column_count, 0);
    batch_release(&b);
    schema_release(&s);
    schema_release(&wider);
}

static void filtering_keeps_whole_rows(void **state)
{
    (void)state;
    struct schema s;
    struct batch b = {0};
    make_schema(&s);
    assert_int_equal(batch_reset(&b, &s, NULL), OK);
    fill(&b, 64);
    uint8_t keep[8];
    size_t kept = 0;
    for (size_t i = 0; i < 8; i++) {
        keep[i] = 0x92; /* rows 1, 4 and 7 of eight */
        kept += 3;
    }
    batch_filter(&b, keep, kept);
    assert_int_equal(b.rows, 24);
    for (size_t i = 0; i < 24; i++)
        expect_row(&b, i, (int64_t)(i / 3 * 8 + i % 3 * 3 + 1));
    batch_release(&b);
    schema_release(&s);
}

static void gathering_appends_rows_in_the_order_asked(void **state)
{
    (void)state;
    struct schema s;
    struct batch from = {0}, to = {0};
    make_schema(&s);
    assert_int_equal(batch_reset(&from, &s, NULL), OK);
    assert_int_equal(batch_reset(&to, &s, NULL), OK);
    fill(&from, 40);
    static const uint32_t rows[] = {39, 0, 0, 7, 12};
    assert_int_equal(batch_gather(&to, &from, rows, 5, NULL), OK);
    assert_int_equal(batch_gather(&to, &from, NULL, 3, NULL), OK);
    assert_int_equal(to.rows, 8);
    for (size_t i = 0; i < 5; i++)
        expect_row(&to, i, rows[i]);
    for (size_t i = 0; i < 3; i++)
        expect_row(&to, 5 + i, (int64_t)i);
    batch_release(&from);
    batch_release(&to);
    schema_release(&s);
}

static int released;

static void note_release(void *self)
{
    (void)self;
    released++;
}

static void a_stream_is_released_once(void **state)
{
    (void)state;
    static const struct batch_stream_ops ops = {.release = note_release};
    struct batch_stream stream = {&ops, NULL};
    batch_stream_release(&stream);
    batch_stream_release(&stream);
    assert_int_equal(released, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resetting_keeps_memory_and_forgets_rows),
        cmocka_unit_test(filtering_keeps_whole_rows),
        cmocka_unit_test(gathering_appends_rows_in_the_order_asked),
        cmocka_unit_test(a_stream_is_released_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
