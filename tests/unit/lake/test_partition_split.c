/* Hive paths of every type, and splits against a model that compares the path of every row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lake/partition.h"

static uint64_t random_state = 42;

static size_t random_below(size_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

static void add_field(struct schema *schema, const char *name, enum type_kind kind)
{
    struct error err;
    struct data_type type = {kind, kind == TYPE_DECIMAL ? 10 : 0, kind == TYPE_DECIMAL ? 2 : 0};
    assert_int_equal(schema_add(schema, str_of(name), (struct str){0}, type, false, &err), OK);
}

static void assert_path(const struct batch *batch, int column, size_t row, const char *want)
{
    struct buf path = {0};
    struct error err = {0};
    assert_int_equal(partition_hive_path(batch->schema, batch, &column, 1, row, &path, &err), OK);
    assert_int_equal(buf_append(&path, "", 1, &err), OK);
    assert_string_equal((char *)path.data, want);
    buf_release(&path);
}

static void test_paths(void **state)
{
    (void)state;
    struct schema schema = {0};
    struct batch batch = {0};
    struct error err;
    add_field(&schema, "city", TYPE_STRING);
    add_field(&schema, "n", TYPE_INTEGER);
    add_field(&schema, "ok", TYPE_BOOLEAN);
    add_field(&schema, "day", TYPE_DATE);
    add_field(&schema, "ts", TYPE_TIMESTAMP);
    add_field(&schema, "price", TYPE_DECIMAL);
    add_field(&schema, "x", TYPE_DOUBLE);
    add_field(&schema, "od/d =name", TYPE_STRING);
    add_field(&schema, "nothing", TYPE_NULL);
    assert_int_equal(batch_reset(&batch, &schema, &err), OK);
    const int32_t n = -5, day = 19789; /* 2024-03-07 */
    const int64_t ts = INT64_C(19789) * 86400000000 + INT64_C(5025000001);
    const uint8_t yes = 1;
    const __int128 price = -1234;
    const double x = 1e30;
    const char *city = "S\xC3\xA3o Paulo/100%&a=b~-_.";
    assert_int_equal(column_append(&batch.columns[0], city, strlen(city), &err), OK);
    assert_int_equal(column_append(&batch.columns[1], &n, 4, &err), OK);
    assert_int_equal(column_append(&batch.columns[2], &yes, 1, &err), OK);
    assert_int_equal(column_append(&batch.columns[3], &day, 4, &err), OK);
    assert_int_equal(column_append(&batch.columns[4], &ts, 8, &err), OK);
    assert_int_equal(column_append(&batch.columns[5], &price, 16, &err), OK);
    assert_int_equal(column_append(&batch.columns[6], &x, 8, &err), OK);
    assert_int_equal(column_append(&batch.columns[7], "v", 1, &err), OK);
    assert_int_equal(column_append_null(&batch.columns[8], &err), OK);
    batch.rows = 1;
    assert_path(&batch, 0, 0, "city=S%C3%A3o%20Paulo%2F100%25%26a%3Db~-_./");
    assert_path(&batch, 1, 0, "n=-5/");
    assert_path(&batch, 2, 0, "ok=true/");
    assert_path(&batch, 3, 0, "day=2024-03-07/");
    assert_path(&batch, 4, 0, "ts=2024-03-07T01%3A23%3A45.000001/");
    assert_path(&batch, 5, 0, "price=-12.34/");
    assert_path(&batch, 6, 0, "x=1e%2B30/");
    assert_path(&batch, 7, 0, "od%2Fd%20%3Dname=v/");
    assert_path(&batch, 8, 0, "nothing=__HIVE_DEFAULT_PARTITION__/");

    /* null, the empty string, and too long a name */
    char wide[300];
    memset(wide, 'w', sizeof wide);
    assert_int_equal(column_append_null(&batch.columns[0], &err), OK);
    assert_int_equal(column_append(&batch.columns[0], "", 0, &err), OK);
    assert_int_equal(column_append(&batch.columns[0], wide, 250, &err), OK);
    assert_int_equal(column_append(&batch.columns[0], wide, 251, &err), OK);
    assert_path(&batch, 0, 1, "city=__HIVE_DEFAULT_PARTITION__/");
    assert_path(&batch, 0, 2, "city=__HIVE_DEFAULT_PARTITION__/");
    struct buf path = {0};
    const int columns[] = {0, 1};
    assert_int_equal(partition_hive_path(&schema, &batch, columns, 1, 3, &path, &err), OK);
    assert_int_equal(path.len, 256);
    assert_int_equal(partition_hive_path(&schema, &batch, columns, 1, 4, &path, &err), ERR_LIMIT);
    assert_non_null(strstr(err.hint, "city"));
    buf_clear(&path);
    assert_int_equal(partition_hive_path(&schema, &batch, columns, 2, 0, &path, &err), OK);
    const char *both = "city=S%C3%A3o%20Paulo%2F100%25%26a%3Db~-_./n=-5/";
    assert_int_equal(path.len, strlen(both));
    assert_memory_equal(path.data, both, path.len);
    buf_release(&path);
    batch_release(&batch);
    schema_release(&schema);
}

/* Groups are complete, in the order of their first rows, rows in order within, and no path comes twice. */
static void check_split(const struct partition_split *split, const struct batch *batch, const int *columns, size_t n)
{
    struct error err;
    const struct partition_group *groups = (const struct partition_group *)split->groups.data;
    const uint32_t *rows = (const uint32_t *)split->rows.data;
    uint8_t *seen = calloc(batch->rows + 1, 1);
    struct buf path = {0};
    size_t total = 0;
    for (size_t g = 0; g < split->group_count; g++) {
        struct str want = {(const char *)split->paths.data + groups[g].path_at, groups[g].path_length};
        assert_int_equal(groups[g].rows_at, total);
        assert_true(groups[g].row_count > 0);
        total += groups[g].row_count;
        for (size_t i = 0; i < groups[g].row_count; i++) {
            uint32_t row = rows[groups[g].rows_at + i];
            assert_true(row < batch->rows && !seen[row]);
            seen[row] = 1;
            assert_true(i == 0 || row > rows[groups[g].rows_at + i - 1]);
            buf_clear(&path);
            assert_int_equal(partition_hive_path(batch->schema, batch, columns, n, row, &path, &err), OK);
            assert_true(str_equal(buf_str(&path), want));
        }
        if (g)
            assert_true(rows[groups[g].rows_at] > rows[groups[g - 1].rows_at]);
        if (split->group_count < 500)
            for (size_t other = 0; other < g; other++)
                assert_false(str_equal(want, (struct str){(const char *)split->paths.data + groups[other].path_at,
                                                          groups[other].path_length}));
    }
    assert_int_equal(total, batch->rows);
    buf_release(&path);
    free(seen);
}

/* Codes into `count` texts "v<i>", every one used or not; perhaps null. */
static void fill_dictionary(struct column *c, size_t rows, size_t count, bool nulls)
{
    struct error err;
    struct column values = {.type = c->type};
    for (size_t i = 0; i < count; i++) {
        char text[16];
        int n = i == 3 ? 0 : sprintf(text, "v%zu", i); /* one is the empty string */
        assert_int_equal(column_append(&values, text, (size_t)n, &err), OK);
    }
    column_reset(c, c->type);
    buf_release(&c->data);
    buf_release(&c->offsets);
    c->data = values.data;
    c->offsets = values.offsets;
    c->is_dict = true;
    c->dict_length = count;
    c->length = rows;
    if (nulls) {
        assert_int_equal(buf_resize(&c->validity, (rows + 7) / 8, &err), OK);
        memset(c->validity.data, 0xFF, c->validity.len);
    }
    for (size_t row = 0; row < rows; row++) {
        uint32_t code = (uint32_t)random_below(count);
        if (nulls && random_below(10) == 0) {
            code = 0;
            c->validity.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
            c->null_count++;
        }
        assert_int_equal(buf_append(&c->codes, &code, sizeof code, &err), OK);
    }
}

static void test_splits(void **state)
{
    (void)state;
    struct schema schema = {0};
    struct batch batch = {0};
    struct partition_split split = {0};
    struct error err;
    add_field(&schema, "s", TYPE_STRING);
    add_field(&schema, "d", TYPE_STRING);
    add_field(&schema, "i", TYPE_INTEGER);
    add_field(&schema, "f", TYPE_DOUBLE);
    static const int choices[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 3, 0}, {3, 1, 0}};
    for (size_t trial = 0; trial < 60; trial++) {
        size_t rows = trial == 0 ? 0 : 1 + random_below(3000);
        size_t distinct = trial % 3 == 0 ? 2000 : 5;
        assert_int_equal(batch_reset(&batch, &schema, &err), OK);
        fill_dictionary(&batch.columns[1], rows, distinct, trial % 2);
        for (size_t row = 0; row < rows; row++) {
            char text[16];
            size_t pick = random_below(distinct);
            int32_t number = (int32_t)(row / 50 % distinct); /* runs */
            int n = pick == 2 ? 0 : sprintf(text, "%zu", pick);
            /* NaNs of different bits are written alike, and so is an empty string as null */
            double x = pick == 0 ? __builtin_nan("") : pick == 1 ? -__builtin_nan("0x77") : (double)pick;
            assert_int_equal(pick == 4 ? column_append_null(&batch.columns[0], &err)
                                       : column_append(&batch.columns[0], text, (size_t)n, &err),
                             OK);
            assert_int_equal(column_append(&batch.columns[2], &number, 4, &err), OK);
            assert_int_equal(column_append(&batch.columns[3], &x, 8, &err), OK);
        }
        batch.rows = rows;
        const int *columns = choices[random_below(ARRAY_LENGTH(choices))];
        size_t n = 1 + random_below(3);
        assert_int_equal(partition_split(&split, &batch, columns, n, &err), OK);
        assert_true((split.group_count > 0) == (rows > 0));
        check_split(&split, &batch, columns, n);
    }
    assert_int_equal(partition_split(&split, &batch, NULL, 0, &err), ERR_INTERNAL);
    partition_split_release(&split);
    batch_release(&batch);
    schema_release(&schema);
}

static void test_too_long(void **state)
{
    (void)state;
    struct schema schema = {0};
    struct batch batch = {0};
    struct partition_split split = {0};
    struct error err;
    char wide[400];
    memset(wide, 'w', sizeof wide);
    add_field(&schema, "s", TYPE_STRING);
    assert_int_equal(batch_reset(&batch, &schema, &err), OK);
    assert_int_equal(column_append(&batch.columns[0], "fine", 4, &err), OK);
    assert_int_equal(column_append(&batch.columns[0], wide, sizeof wide, &err), OK);
    batch.rows = 2;
    assert_int_equal(partition_split(&split, &batch, &(int){0}, 1, &err), ERR_LIMIT);
    partition_split_release(&split);
    batch_release(&batch);
    schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
