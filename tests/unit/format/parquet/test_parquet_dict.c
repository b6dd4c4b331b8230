#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/parquet/parquet_dict.h"
#include "format/parquet/parquet_plain.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill(struct column *c, enum type_kind kind, size_t n, size_t distinct, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    column_reset(c, (struct data_type){.kind = kind, .precision = 30});
    for (size_t i = 0; i < n; i++) {
        uint64_t which = next_random(&seed) % distinct, mixed = (which + 1) * 0x9E3779B97F4A7C15u;
        uint8_t bytes[40];
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(mixed >> (k % 8 * 8));
        if (kind == TYPE_DECIMAL)
            memset(bytes + 8, 0, 8);
        size_t width = type_width(c->type);
        /* distinct lengths and distinct bytes */
        assert_int_equal(column_append(c, bytes, width ? width : which % 33 + 7, NULL), OK);
    }
}

/* Every value is found again through its code, and no slot is there twice. */
static void check_dictionary(const struct parquet_values *plain, const struct parquet_values *dict, size_t distinct)
{
    assert_int_equal(dict->count, plain->count);
    assert_int_equal(dict->slots, distinct);
    for (size_t i = 0; i < plain->count; i++) {
        assert_true(dict->codes[i] < dict->slots);
        assert_true(str_equal(parquet_slot_str(dict, dict->codes[i]), parquet_slot_str(plain, i)));
    }
    if (distinct < 300)
        for (size_t i = 0; i < distinct; i++)
            for (size_t k = 0; k < i; k++)
                assert_false(str_equal(parquet_slot_str(dict, i), parquet_slot_str(dict, k)));
}

static const enum type_kind kinds[] = {TYPE_INTEGER, TYPE_BIGINT, TYPE_FLOAT,  TYPE_DOUBLE, TYPE_DATE,
                                       TYPE_DECIMAL, TYPE_UUID,   TYPE_STRING, TYPE_BINARY};

static void finds_every_value_again(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t distinct = 1; distinct <= 3000; distinct = distinct * 3 + 1) {
            struct column c;
            struct parquet_values_scratch scratch = {0};
            struct parquet_dict dict = {0};
            struct parquet_values plain, made;
            bool built = false;
            fill(&c, kinds[k], 60000, distinct, 11 + distinct);
            assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
            assert_int_equal(parquet_dict_build(&dict, &plain, 1 << 20, &made, &built, NULL), OK);
            assert_true(built);
            check_dictionary(&plain, &made, distinct);
            bool promising = false;
            assert_int_equal(parquet_dict_promising(&dict, &plain, 1 << 20, &promising, NULL), OK);
            assert_true(promising);
            column_release(&c);
            parquet_dict_release(&dict);
            parquet_values_scratch_release(&scratch);
        }
}

/* Integers of a narrow range take another way; extremes must not overflow it. */
static void integers_of_narrow_and_extreme_range(void **state)
{
    (void)state;
    static const int64_t bases[] = {0, -40, INT64_MIN, INT64_MAX - 99, -1000000};
    for (size_t b = 0; b < 5; b++)
        for (int is_32 = 0; is_32 < 2; is_32++) {
            struct column c;
            struct parquet_values_scratch scratch = {0};
            struct parquet_dict dict = {0};
            struct parquet_values plain, made;
            bool built = false;
            memset(&c, 0, sizeof c);
            column_reset(&c, (struct data_type){.kind = is_32 ? TYPE_INTEGER : TYPE_BIGINT});
            for (uint64_t i = 0; i < 5000; i++) {
                int64_t v = (int64_t)((uint64_t)bases[b] + i * 7 % 100);
                int32_t v32 = (int32_t)(b == 2   ? INT32_MIN + (int32_t)(i * 7 % 100)
                                        : b == 3 ? INT32_MAX - (int32_t)(i * 7 % 100)
                                                 : (int32_t)v);
                assert_int_equal(column_append(&c, is_32 ? (void *)&v32 : (void *)&v, 8, NULL), OK);
            }
            assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
            assert_int_equal(parquet_dict_build(&dict, &plain, 1 << 20, &made, &built, NULL), OK);
            assert_true(built);
            check_dictionary(&plain, &made, 100);
            column_release(&c);
            parquet_dict_release(&dict);
        }
    struct column c;
    struct parquet_values_scratch scratch = {0};
    struct parquet_dict dict = {0};
    struct parquet_values plain, made;
    bool built = false;
    memset(&c, 0, sizeof c);
    column_reset(&c, (struct data_type){.kind = TYPE_BIGINT});
    for (int i = 0; i < 1000; i++) {
        int64_t v = i % 2 ? INT64_MAX : INT64_MIN;
        assert_int_equal(column_append(&c, &v, 8, NULL), OK);
    }
    assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
    assert_int_equal(parquet_dict_build(&dict, &plain, 1 << 20, &made, &built, NULL), OK);
    assert_true(built);
    check_dictionary(&plain, &made, 2);
    column_release(&c);
    parquet_dict_release(&dict);
}

static void what_does_not_pay_is_not_built(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct column c;
        struct parquet_values_scratch scratch = {0};
        struct parquet_dict dict = {0};
        struct parquet_values plain, made;
        bool built = true, promising = true;
        fill(&c, kinds[k], 30000, (size_t)1 << 40, 3);
        assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
        assert_int_equal(parquet_dict_promising(&dict, &plain, 1 << 20, &promising, NULL), OK);
        assert_false(promising);
        assert_int_equal(parquet_dict_build(&dict, &plain, (uint64_t)1 << 40, &made, &built, NULL), OK);
        assert_false(built);
        column_release(&c);
        fill(&c, kinds[k], 30000, 1000, 3);
        assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
        assert_int_equal(parquet_dict_build(&dict, &plain, 2000, &made, &built, NULL), OK); /* too large */
        assert_false(built);
        column_release(&c);
        parquet_dict_release(&dict);
        parquet_values_scratch_release(&scratch);
    }
}

/* NaN with different bits, and both zeros, are values of their own. */
static void doubles_are_told_apart_by_their_bits(void **state)
{
    (void)state;
    const uint64_t bits[] = {0, (uint64_t)1 << 63, 0x7FF8000000000000u, 0x7FF8000000000001u, 0xFFF8000000000000u};
    struct column c;
    struct parquet_values_scratch scratch = {0};
    struct parquet_dict dict = {0};
    struct parquet_values plain, made;
    bool built = false;
    memset(&c, 0, sizeof c);
    column_reset(&c, (struct data_type){.kind = TYPE_DOUBLE});
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(column_append(&c, &bits[i % 5], 8, NULL), OK);
    assert_int_equal(parquet_values_of(&c, &scratch, &plain, NULL), OK);
    assert_int_equal(parquet_dict_build(&dict, &plain, 1 << 20, &made, &built, NULL), OK);
    assert_true(built);
    check_dictionary(&plain, &made, 5);
    column_release(&c);
    parquet_dict_release(&dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_value_again),
        cmocka_unit_test(integers_of_narrow_and_extreme_range),
        cmocka_unit_test(what_does_not_pay_is_not_built),
        cmocka_unit_test(doubles_are_told_apart_by_their_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
