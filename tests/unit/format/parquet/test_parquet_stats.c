#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/parquet/parquet_stats.h"

static const struct data_type text = {.kind = TYPE_STRING}, bytes = {.kind = TYPE_BINARY},
                              number = {.kind = TYPE_DOUBLE}, single = {.kind = TYPE_FLOAT},
                              integer = {.kind = TYPE_INTEGER}, big = {.kind = TYPE_BIGINT};

/* Both bounds of one value. *above is empty where there is none. */
static void bounds(struct data_type type, struct str value, struct buf *below, struct buf *above, bool exact)
{
    struct parquet_type t = parquet_type_of(type);
    bool below_exact = !exact, above_exact = !exact, exists = false;
    buf_clear(below);
    buf_clear(above);
    assert_int_equal(parquet_bound_below(t, value, below, &below_exact, NULL), OK);
    assert_int_equal(parquet_bound_above(t, value, above, &above_exact, &exists, NULL), OK);
    assert_int_equal(below_exact, exact);
    assert_int_equal(above_exact, exact);
    assert_int_equal(exists, exact || above->len > 0);
}

static void check_bounds(struct data_type type, const char *value, size_t n, const char *below, size_t below_n,
                         const char *above, size_t above_n)
{
    struct buf lo = {0}, hi = {0};
    bounds(type, (struct str){value, n}, &lo, &hi, false);
    assert_int_equal(lo.len, below_n);
    if (below_n)
        assert_memory_equal(lo.data, below, below_n);
    assert_int_equal(hi.len, above_n);
    if (above_n)
        assert_memory_equal(hi.data, above, above_n);
    buf_release(&lo);
    buf_release(&hi);
}

static void short_values_are_exact(void **state)
{
    (void)state;
    char value[64];
    memset(value, 0xFF, sizeof value);
    struct buf lo = {0}, hi = {0};
    bounds(bytes, (struct str){value, 64}, &lo, &hi, true);
    assert_int_equal(lo.len, 64);
    assert_int_equal(hi.len, 64);
    bounds(text, STR(""), &lo, &hi, true);
    assert_int_equal(hi.len, 0);
    buf_release(&lo);
    buf_release(&hi);
}

static void bytes_are_raised_with_carry(void **state)
{
    (void)state;
    char value[80], above[80];
    memset(value, 'a', sizeof value);
    memset(above, 'a', sizeof above);
    above[63] = 'b';
    check_bounds(bytes, value, 80, value, 64, above, 64);
    memset(value + 10, 0xFF, 70);
    above[9] = 'b';
    check_bounds(bytes, value, 80, value, 64, above, 10); /* 0xFF cannot be raised: the byte before is */
    memset(value, 0xFF, sizeof value);
    check_bounds(bytes, value, 80, value, 64, NULL, 0); /* nothing above of this length */
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    char value[80], above[80];
    memset(value, 'a', sizeof value);
    memcpy(value + 62, "\xE2\x82\xAC", 3); /* the euro sign would be cut after two of three bytes */
    memcpy(above, value, sizeof above);
    above[61] = 'b';
    check_bounds(text, value, 80, value, 62, above, 62);
    memset(value, 'a', sizeof value);
    memcpy(value + 62, "\xC3\xBF", 2); /* U+00FF becomes U+0100 */
    memcpy(above, value, sizeof above);
    memcpy(above + 62, "\xC4\x80", 2);
    check_bounds(text, value, 80, value, 64, above, 64);
    memcpy(value + 61, "\xED\x9F\xBF", 3); /* U+D7FF: what follows are surrogates */
    memcpy(above + 61, "\xEE\x80\x80", 3);
    check_bounds(text, value, 80, value, 64, above, 64);
    memset(value, 'a', sizeof value);
    memset(above, 'a', sizeof above);
    value[63] = 0x7F; /* one byte becomes two */
    memcpy(above + 63, "\xC2\x80", 2);
    check_bounds(text, value, 80, value, 64, above, 65);
    for (size_t i = 4; i < 80; i += 4)
        memcpy(value + i, "\xF4\x8F\xBF\xBF", 4); /* the last character there is */
    memcpy(above, "aaab", 4);
    check_bounds(text, value, 80, value, 64, above, 4);
    memcpy(value, "\xF4\x8F\xBF\xBF", 4);
    check_bounds(text, value, 80, value, 64, NULL, 0);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Whatever the text, below <= value <= above, and both are UTF-8. */
static void random_text_stays_within_its_bounds(void **state)
{
    (void)state;
    static const char *const characters[] = {"a",
                                             "\x7F",
                                             "\xC3\xBF",
                                             "\xDF\xBF",
                                             "\xED\x9F\xBF",
                                             "\xEF\xBF\xBF",
                                             "\xF4\x8F\xBF\xBF",
                                             "z",
                                             "\xF0\x9F\x98\x80"};
    uint64_t seed = 17;
    struct parquet_type t = parquet_type_of(text);
    struct buf value = {0}, lo = {0}, hi = {0};
    for (int round = 0; round < 20000; round++) {
        bool exact, exists;
        size_t wanted = 60 + next_random(&seed) % 12, only = next_random(&seed) % 9;
        buf_clear(&value);
        buf_clear(&lo);
        buf_clear(&hi);
        while (value.len < wanted)
            assert_int_equal(
                buf_append_str(&value, str_of(characters[round % 2 ? only : next_random(&seed) % 9]), NULL), OK);
        assert_int_equal(parquet_bound_below(t, buf_str(&value), &lo, &exact, NULL), OK);
        assert_true(str_compare(buf_str(&lo), buf_str(&value)) <= 0 && str_is_utf8(buf_str(&lo)));
        assert_int_equal(exact, value.len <= PARQUET_BOUND_BYTES);
        assert_int_equal(parquet_bound_above(t, buf_str(&value), &hi, &exact, &exists, NULL), OK);
        assert_true(!exists || str_compare(buf_str(&hi), buf_str(&value)) >= 0);
        assert_true(str_is_utf8(buf_str(&hi)) && hi.len <= PARQUET_BOUND_BYTES + 1);
        assert_int_equal(exact, value.len <= PARQUET_BOUND_BYTES);
    }
    buf_release(&value);
    buf_release(&lo);
    buf_release(&hi);
}

static struct column column_of_doubles(const double *values, size_t n)
{
    struct column c;
    memset(&c, 0, sizeof c);
    column_reset(&c, number);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(column_append(&c, &values[i], sizeof values[i], NULL), OK);
    return c;
}

/* The column's range in both forms: `codes` turns it into its own dictionary. */
static struct parquet_range range_of(const struct column *c, bool codes)
{
    struct parquet_values_scratch scratch = {0};
    struct parquet_slot_order order = {0};
    struct parquet_values v;
    struct parquet_range r;
    uint32_t *own = malloc((c->length + 1) * sizeof *own);
    assert_int_equal(parquet_values_of(c, &scratch, &v, NULL), OK);
    for (size_t i = 0; i < v.count; i++)
        own[i] = (uint32_t)(v.count - 1 - i);
    if (codes) {
        v.codes = own;
        assert_int_equal(parquet_slot_order_prepare(&order, &v, NULL), OK);
    }
    parquet_range_of(&v, &order, 0, v.count, &r);
    parquet_slot_order_release(&order);
    parquet_values_scratch_release(&scratch);
    free(own);
    return r;
}

static void check_doubles(const double *values, size_t n, bool present, double min, double max)
{
    struct column c = column_of_doubles(values, n);
    for (int codes = 0; codes < 2; codes++) {
        struct parquet_range r = range_of(&c, codes);
        assert_int_equal(r.present, present);
        if (present) {
            assert_memory_equal(r.min_fixed, &min, sizeof min); /* bit by bit: the sign of zero counts */
            assert_memory_equal(r.max_fixed, &max, sizeof max);
        }
    }
    column_release(&c);
}

static void nan_is_no_bound(void **state)
{
    (void)state;
    check_doubles((double[]){NAN, 1.5, -NAN, -2.5, NAN}, 5, true, -2.5, 1.5);
    check_doubles((double[]){NAN, -NAN, NAN}, 3, false, 0, 0);
    check_doubles((double[]){NAN}, 1, false, 0, 0);
    check_doubles((double[]){INFINITY, NAN}, 2, true, INFINITY, INFINITY);
    check_doubles((double[]){-INFINITY, -INFINITY, -INFINITY}, 3, true, -INFINITY, -INFINITY);
    check_doubles((double[]){-INFINITY, 3, INFINITY}, 3, true, -INFINITY, INFINITY);
    const float floats[] = {NAN, 2.0F, -1.0F, -NAN};
    struct column c;
    memset(&c, 0, sizeof c);
    column_reset(&c, single);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(column_append(&c, &floats[i], sizeof floats[i], NULL), OK);
    for (int codes = 0; codes < 2; codes++) {
        struct parquet_range r = range_of(&c, codes);
        assert_true(r.present);
        assert_memory_equal(r.min_fixed, &floats[2], sizeof(float));
        assert_memory_equal(r.max_fixed, &floats[1], sizeof(float));
    }
    column_release(&c);
}

static void zeros_cover_both_zeros(void **state)
{
    (void)state;
    check_doubles((double[]){0.0, 0.0}, 2, true, -0.0, 0.0);
    check_doubles((double[]){-0.0, -0.0}, 2, true, -0.0, 0.0);
    check_doubles((double[]){0.0, 5.0}, 2, true, -0.0, 5.0);
    check_doubles((double[]){-0.0, -5.0}, 2, true, -5.0, 0.0);
}

static void integers_have_their_extremes(void **state)
{
    (void)state;
    const int32_t small[] = {5, INT32_MIN, -1, INT32_MAX, 0};
    const int64_t large[] = {INT64_MAX, 5, -1, INT64_MIN, 0, 7};
    for (size_t n = 1; n <= 5; n++) {
        struct column c;
        memset(&c, 0, sizeof c);
        column_reset(&c, integer);
        int32_t min = INT32_MAX, max = INT32_MIN;
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(column_append(&c, &small[i], sizeof small[i], NULL), OK);
            min = small[i] < min ? small[i] : min;
            max = small[i] > max ? small[i] : max;
        }
        for (int codes = 0; codes < 2; codes++) {
            struct parquet_range r = range_of(&c, codes);
            assert_memory_equal(r.min_fixed, &min, sizeof min);
            assert_memory_equal(r.max_fixed, &max, sizeof max);
        }
        column_release(&c);
    }
    struct column c;
    memset(&c, 0, sizeof c);
    column_reset(&c, big);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(column_append(&c, &large[i], sizeof large[i], NULL), OK);
    for (int codes = 0; codes < 2; codes++) {
        struct parquet_range r = range_of(&c, codes);
        assert_memory_equal(r.min_fixed, &large[3], sizeof large[3]);
        assert_memory_equal(r.max_fixed, &large[0], sizeof large[0]);
    }
    column_release(&c);
}

/* Against plain comparisons, with many values that share their first bytes or hold zero bytes. */
static void random_strings_have_their_extremes(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 2000; round++) {
        struct column c;
        memset(&c, 0, sizeof c);
        column_reset(&c, bytes);
        size_t n = next_random(&seed) % 20 + 1, shared = next_random(&seed) % 20;
        for (size_t i = 0; i < n; i++) {
            char value[48];
            size_t length = next_random(&seed) % 2 ? shared + next_random(&seed) % 20 : next_random(&seed) % 4;
            memset(value, round % 3 == 0 ? 0xFF : 'x', sizeof value);
            for (size_t k = shared; k < length; k++)
                value[k] = (char)("\x00\x01\x7F\xFF"[next_random(&seed) % 4]);
            assert_int_equal(column_append(&c, value, length, NULL), OK);
        }
        struct str min = column_str(&c, 0), max = min;
        for (size_t i = 1; i < n; i++) {
            min = str_compare(column_str(&c, i), min) < 0 ? column_str(&c, i) : min;
            max = str_compare(column_str(&c, i), max) > 0 ? column_str(&c, i) : max;
        }
        for (int codes = 0; codes < 2; codes++) {
            struct parquet_range r = range_of(&c, codes);
            assert_true(r.present && str_equal(r.min_var, min) && str_equal(r.max_var, max));
        }
        column_release(&c);
    }
}

/* Only what is used counts, and the marks are clean for the next page. */
static void unused_slots_do_not_count(void **state)
{
    (void)state;
    const int64_t slots[] = {50, -7, 999, 3};
    uint32_t codes[100];
    struct parquet_values v = {
        .type = parquet_type_of(big), .count = 100, .slots = 4, .data = (const uint8_t *)slots, .codes = codes};
    struct parquet_slot_order order = {0};
    struct parquet_range r;
    for (size_t i = 0; i < 100; i++)
        codes[i] = i < 50 ? 0 : i % 2 ? 3 : 0;
    assert_int_equal(parquet_slot_order_prepare(&order, &v, NULL), OK);
    parquet_range_of(&v, &order, 50, 100, &r);
    assert_memory_equal(r.min_fixed, &slots[3], 8);
    assert_memory_equal(r.max_fixed, &slots[0], 8);
    parquet_range_of(&v, &order, 0, 50, &r);
    assert_memory_equal(r.min_fixed, &slots[0], 8);
    parquet_range_of(&v, &order, 10, 11, &r); /* fewer rows than slots */
    assert_memory_equal(r.max_fixed, &slots[0], 8);
    parquet_slot_order_release(&order);
}

static void large_decimals_compare_signed(void **state)
{
    (void)state;
    const struct data_type decimal = {TYPE_DECIMAL, 20, 2};
    struct column c;
    memset(&c, 0, sizeof c);
    column_reset(&c, decimal);
    const __int128 values[] = {5, -1, -300, 70000, 70001};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(column_append(&c, &values[i], sizeof values[i], NULL), OK);
    struct parquet_type t = parquet_type_of(decimal);
    assert_int_equal(t.width, 9);
    for (int codes = 0; codes < 2; codes++) {
        struct parquet_range r = range_of(&c, codes);
        const uint8_t min[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xD4}; /* -300 */
        const uint8_t max[] = {0, 0, 0, 0, 0, 0, 0x01, 0x11, 0x71};                   /* 70001 */
        assert_memory_equal(r.min_fixed, min, 9);
        assert_memory_equal(r.max_fixed, max, 9);
        assert_true(parquet_compare(t, parquet_range_min(&r, t), parquet_range_max(&r, t)) < 0);
    }
    column_release(&c);
}

static void ranges_join(void **state)
{
    (void)state;
    struct parquet_type t = parquet_type_of(big);
    struct parquet_range all = {0}, none = {0}, page = {.present = true};
    int64_t lo = -5, hi = 9, lower = -50, higher = 90;
    memcpy(page.min_fixed, &lo, 8);
    memcpy(page.max_fixed, &hi, 8);
    parquet_range_join(t, &all, &none);
    assert_false(all.present);
    parquet_range_join(t, &all, &page);
    parquet_range_join(t, &all, &none);
    assert_true(all.present);
    assert_memory_equal(all.max_fixed, &hi, 8);
    memcpy(page.min_fixed, &lower, 8);
    parquet_range_join(t, &all, &page);
    assert_memory_equal(all.min_fixed, &lower, 8);
    assert_memory_equal(all.max_fixed, &hi, 8);
    memcpy(page.max_fixed, &higher, 8);
    memcpy(page.min_fixed, &hi, 8);
    parquet_range_join(t, &all, &page);
    assert_memory_equal(all.min_fixed, &lower, 8);
    assert_memory_equal(all.max_fixed, &higher, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_values_are_exact),
        cmocka_unit_test(bytes_are_raised_with_carry),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(random_text_stays_within_its_bounds),
        cmocka_unit_test(nan_is_no_bound),
        cmocka_unit_test(zeros_cover_both_zeros),
        cmocka_unit_test(integers_have_their_extremes),
        cmocka_unit_test(random_strings_have_their_extremes),
        cmocka_unit_test(unused_slots_do_not_count),
        cmocka_unit_test(large_decimals_compare_signed),
        cmocka_unit_test(ranges_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
