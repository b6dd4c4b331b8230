/* Columns against a naive model: a row is either null or a run of bytes. */
#include <stdlib.h>

#include "batch/column.h"
#include "unit/batch/random.h"
#include "unit/cmocka_all.h"

#define ROWS_MAX 700
#define VALUE_MAX 24

struct model_row {
    bool null;
    size_t n;
    uint8_t bytes[VALUE_MAX];
};

struct model {
    size_t length;
    struct model_row rows[ROWS_MAX];
};

static const struct data_type types[] = {
    {.kind = TYPE_BOOLEAN}, {.kind = TYPE_INTEGER}, {.kind = TYPE_DOUBLE},
    {TYPE_DECIMAL, 10, 2},  {.kind = TYPE_UUID},    {.kind = TYPE_STRING},
};

static void expect(const struct column *c, const struct model *m)
{
    size_t nulls = 0;
    assert_int_equal(c->length, m->length);
    for (size_t i = 0; i < m->length; i++) {
        const struct model_row *row = &m->rows[i];
        nulls += row->null;
        assert_int_equal(column_is_null(c, i), row->null);
        size_t slot = column_slot(c, i);
        if (c->is_dict)
            assert_true(slot < c->dict_length || row->null);
        if (type_is_var(c->type)) {
            if (row->null && c->is_dict)
                continue;
            struct str s = column_str(c, i);
            assert_int_equal(s.n, row->null ? 0 : row->n); /* the slot of a null is empty */
            assert_true(s.n == 0 || memcmp(s.p, row->bytes, s.n) == 0);
        } else if (!row->null) {
            assert_memory_equal(column_value(c, i), row->bytes, type_width(c->type));
        } else if (!c->is_dict) {
            static const uint8_t zeros[16];
            assert_memory_equal(column_value(c, i), zeros, type_width(c->type));
        }
    }
    assert_int_equal(c->null_count, nulls);
    if (nulls)
        assert_true(c->validity.len >= (c->length + 7) / 8);
    else
        assert_int_equal(c->validity.len, 0);
    if (!c->is_dict && !type_is_var(c->type))
        assert_int_equal(c->data.len, c->length * type_width(c->type));
    if (!c->is_dict && type_is_var(c->type) && c->offsets.len) {
        assert_int_equal(c->offsets.len, (c->length + 1) * sizeof(uint32_t));
        assert_int_equal(((const uint32_t *)c->offsets.data)[0], 0);
        assert_int_equal(((const uint32_t *)c->offsets.data)[c->length], c->data.len);
    }
}

static struct model_row random_row(struct data_type type, uint64_t *random, unsigned nulls_in_16)
{
    struct model_row row = {.null = random_below(random, 16) < nulls_in_16};
    if (row.null)
        return row;
    row.n = type_is_var(type) ? random_below(random, VALUE_MAX + 1) : type_width(type);
    for (size_t i = 0; i < row.n; i++)
        row.bytes[i] = (uint8_t)random_next(random);
    if (type.kind == TYPE_BOOLEAN)
        row.bytes[0] &= 1;
    return row;
}

static void append_random(struct column *c, struct model *m, size_t n, uint64_t *random, unsigned nulls_in_16)
{
    for (size_t i = 0; i < n && m->length < ROWS_MAX; i++) {
        struct model_row row = random_row(c->type, random, nulls_in_16);
        m->rows[m->length++] = row;
        assert_int_equal(row.null ? column_append_null(c, NULL) : column_append(c, row.bytes, row.n, NULL), OK);
    }
}

/* A dictionary column: some entries, some of them used by no row. */
static void make_dictionary(struct column *c, struct model *m, struct data_type type, size_t rows, uint64_t *random,
                            unsigned nulls_in_16)
{
    struct model entries = {0};
    column_reset(c, type);
    append_random(c, &entries, type.kind == TYPE_BOOLEAN ? 2 : 9, random, 0);
    c->dict_length = entries.length;
    c->length = 0;
    c->is_dict = true;
    m->length = rows;
    uint8_t *validity;
    assert_int_equal(buf_extend_zero(&c->validity, (rows + 7) / 8, &validity, NULL), OK);
    for (size_t i = 0; i < rows; i++) {
        uint32_t code = (uint32_t)random_below(random, entries.length);
        m->rows[i] = entries.rows[code];
        if (random_below(random, 16) < nulls_in_16) {
            m->rows[i] = (struct model_row){.null = true};
            code = 0;
            c->null_count++;
        } else {
            c->validity.data[i >> 3] |= (uint8_t)(1u << (i & 7));
        }
        assert_int_equal(buf_append(&c->codes, &code, sizeof code, NULL), OK);
    }
    if (c->null_count == 0)
        buf_clear(&c->validity);
    c->length = rows;
}

static void filter_model(struct model *m, const uint8_t *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->length; i++)
        if (keep[i >> 3] >> (i & 7) & 1)
            m->rows[kept++] = m->rows[i];
    m->length = kept;
}

static void appended_values_and_nulls(void **state)
{
    (void)state;
    uint64_t random = 10;
    static struct model m;
    struct column c = {0};
    for (size_t t = 0; t < ARRAY_LENGTH(types); t++)
        for (unsigned nulls = 0; nulls <= 16; nulls += 4) {
            column_reset(&c, types[t]);
            m.length = 0;
            expect(&c, &m);
            append_random(&c, &m, 1 + random_below(&random, 300), &random, nulls);
            expect(&c, &m);
            append_random(&c, &m, random_below(&random, 300), &random, 8);
            expect(&c, &m);
        }
    assert_true(column_memory(&c) > 0);
    column_release(&c);
    assert_int_equal(column_memory(&c), 0);
    column_release(&c);
}

/* Any mix of appends, gathers and filters leaves what the model says. */
static void random_operations(void **state)
{
    (void)state;
    uint64_t random = 11;
    static struct model m, from_model;
    for (int round = 0; round < 600; round++) {
        struct data_type type = types[random_below(&random, ARRAY_LENGTH(types))];
        struct column c = {0}, from = {0};
        column_reset(&c, type);
        m.length = 0;
        for (int step = 0; step < 12; step++) {
            unsigned nulls = random_below(&random, 2) ? 0 : (unsigned)random_below(&random, 17);
            uint8_t keep[(ROWS_MAX + 7) / 8 + 1];
            uint32_t rows[ROWS_MAX];
            size_t n;
            switch (random_below(&random, 4)) {
            case 0:
                append_random(&c, &m, random_below(&random, 40), &random, nulls);
                break;
            case 1:
                for (size_t i = 0; i < sizeof keep; i++)
                    keep[i] = (uint8_t)(random_next(&random) | (step % 2 ? random_next(&random) : 0));
                column_filter(&c, keep);
                filter_model(&m, keep);
                break;
            default:
                n = random_below(&random, 60);
                if (random_below(&random, 2)) {
                    make_dictionary(&from, &from_model, type, n + 1, &random, nulls);
                } else {
                    column_reset(&from, type);
                    from_model.length = 0;
                    append_random(&from, &from_model, n + 1, &random, nulls);
                }
                expect(&from, &from_model);
                bool all = random_below(&random, 2);
                n = all ? random_below(&random, n + 2) : random_below(&random, 100);
                for (size_t i = 0; i < n; i++)
                    rows[i] = (uint32_t)(all ? i : random_below(&random, from_model.length));
                if (m.length + n > ROWS_MAX)
                    break;
                assert_int_equal(column_gather(&c, &from, all ? NULL : rows, n, NULL), OK);
                for (size_t i = 0; i < n; i++)
                    m.rows[m.length++] = from_model.rows[rows[i]];
                break;
            }
            expect(&c, &m);
        }
        column_release(&c);
        column_release(&from);
    }
}

static void dictionaries_filter_and_flatten(void **state)
{
    (void)state;
    uint64_t random = 12;
    static struct model m;
    for (int round = 0; round < 300; round++) {
        struct column c = {0};
        uint8_t keep[(ROWS_MAX + 7) / 8];
        make_dictionary(&c, &m, types[random_below(&random, ARRAY_LENGTH(types))], random_below(&random, 200), &random,
                        (unsigned)random_below(&random, 17));
        expect(&c, &m);
        for (size_t i = 0; i < sizeof keep; i++)
            keep[i] = (uint8_t)random_next(&random);
        size_t entries = c.dict_length;
        column_filter(&c, keep);
        filter_model(&m, keep);
        expect(&c, &m);
        assert_true(c.is_dict);
        assert_int_equal(c.dict_length, entries);
        assert_int_equal(column_flatten(&c, NULL), OK);
        assert_false(c.is_dict);
        expect(&c, &m);
        assert_int_equal(column_flatten(&c, NULL), OK);
        append_random(&c, &m, 20, &random, 8);
        expect(&c, &m);
        column_release(&c);
    }
}

static void columns_of_nulls_only(void **state)
{
    (void)state;
    static struct model m;
    for (size_t t = 0; t < ARRAY_LENGTH(types); t++)
        for (size_t n = 0; n < 20; n++) {
            struct column c = {0};
            assert_int_equal(column_append(&c, "", 0, NULL), OK); /* leftovers must go */
            assert_int_equal(column_fill_null(&c, types[t], n, NULL), OK);
            m.length = n;
            for (size_t i = 0; i < n; i++)
                m.rows[i] = (struct model_row){.null = true};
            assert_int_equal(c.null_count, n);
            if (n)
                expect(&c, &m);
            uint64_t random = n;
            append_random(&c, &m, 9, &random, 8);
            expect(&c, &m);
            column_release(&c);
        }
    struct column none = {0};
    assert_int_equal(column_fill_null(&none, (struct data_type){.kind = TYPE_NULL}, 3, NULL), OK);
    assert_int_equal(column_append_null(&none, NULL), OK);
    assert_int_equal(none.length, 4);
    assert_int_equal(none.null_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(column_is_null(&none, i));
    struct column copy = {0};
    assert_int_equal(column_gather(&copy, &none, NULL, 3, NULL), OK);
    assert_int_equal(copy.length, 3);
    assert_int_equal(copy.null_count, 3);
    column_release(&none);
    column_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_values_and_nulls),
        cmocka_unit_test(random_operations),
        cmocka_unit_test(dictionaries_filter_and_flatten),
        cmocka_unit_test(columns_of_nulls_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
