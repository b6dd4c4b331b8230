#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/parquet/parquet_plain.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const struct data_type types[] = {
    {.kind = TYPE_BOOLEAN}, {.kind = TYPE_INTEGER}, {.kind = TYPE_DOUBLE}, {.kind = TYPE_UUID},
    {.kind = TYPE_STRING},  {TYPE_DECIMAL, 9, 0},   {TYPE_DECIMAL, 18, 0}, {TYPE_DECIMAL, 38, 0},
};

/* A random value of the type, written as Parquet holds it to `expected` as well. */
static void append_random(struct column *c, struct buf *expected, uint64_t *seed)
{
    struct parquet_type t = parquet_type_of(c->type);
    uint8_t bytes[64] = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next_random(seed);
    size_t n = t.width;
    if (c->type.kind == TYPE_BOOLEAN)
        bytes[0] &= 1;
    if (c->type.kind == TYPE_STRING)
        n = next_random(seed) % 60;
    if (c->type.kind == TYPE_DECIMAL) { /* sign-extended to 16 bytes */
        memset(bytes + t.width, bytes[t.width - 1] & 0x80 ? 0xFF : 0, 16u - t.width);
        n = 16;
    }
    assert_int_equal(column_append(c, bytes, n, NULL), OK);
    if (t.order == ORDER_SIGNED_BYTES) {
        for (size_t i = t.width; i-- > 0;)
            assert_int_equal(buf_append(expected, bytes + i, 1, NULL), OK);
    } else {
        assert_int_equal(buf_append(expected, bytes, t.width ? t.width : n, NULL), OK);
    }
}

static void nulls_are_left_out_and_the_rest_is_kept(void **state)
{
    (void)state;
    uint64_t seed = 77;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        for (unsigned nulls = 0; nulls <= 10; nulls++) {
            struct column c;
            struct buf expected = {0}, got = {0};
            memset(&c, 0, sizeof c);
            column_reset(&c, types[k]);
            size_t n = next_random(&seed) % 700 + 1, present = 0;
            for (size_t i = 0; i < n; i++) {
                bool clustered = nulls == 5 ? i / 100 % 2 == 0 : next_random(&seed) % 10 < nulls;
                if (clustered) {
                    assert_int_equal(column_append_null(&c, NULL), OK);
                } else {
                    append_random(&c, &expected, &seed);
                    present++;
                }
            }
            struct parquet_values_scratch scratch = {0};
            struct parquet_values v;
            assert_int_equal(parquet_values_of(&c, &scratch, &v, NULL), OK);
            assert_int_equal(v.count, present);
            for (size_t i = 0; i < v.count; i++)
                assert_int_equal(buf_append_str(&got, parquet_slot_str(&v, i), NULL), OK);
            assert_int_equal(got.len, expected.len);
            if (got.len)
                assert_memory_equal(got.data, expected.data, got.len);
            size_t begin = next_random(&seed) % n, end = begin + next_random(&seed) % (n - begin + 1), count = 0;
            for (size_t i = begin; i < end; i++)
                count += !column_is_null(&c, i);
            assert_int_equal(parquet_count_present(&c, begin, end), count);
            buf_release(&expected);
            buf_release(&got);
            parquet_values_scratch_release(&scratch);
            column_release(&c);
        }
}

static void decimals_take_the_least_width(void **state)
{
    (void)state;
    /* LogicalTypes.md: n bytes hold floor(log10(2^(8n - 1) - 1)) digits */
    static const unsigned most_digits[] = {0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38};
    for (unsigned width = 1; width <= 16; width++) {
        assert_int_equal(parquet_decimal_width(most_digits[width]), width);
        if (width < 16)
            assert_int_equal(parquet_decimal_width(most_digits[width] + 1), width + 1);
    }
    assert_int_equal(parquet_type_of((struct data_type){TYPE_DECIMAL, 9, 2}).physical, PARQUET_INT32);
    assert_int_equal(parquet_type_of((struct data_type){TYPE_DECIMAL, 10, 2}).physical, PARQUET_INT64);
    assert_int_equal(parquet_type_of((struct data_type){TYPE_DECIMAL, 18, 2}).physical, PARQUET_INT64);
    assert_int_equal(parquet_type_of((struct data_type){TYPE_DECIMAL, 19, 2}).physical, PARQUET_FIXED);
}

/* Strings of every length around the copying's steps, straight and through codes, against a simple writer. */
static void strings_are_plain_encoded(void **state)
{
    (void)state;
    struct column c;
    struct buf expected = {0}, got = {0};
    uint32_t codes[200];
    memset(&c, 0, sizeof c);
    column_reset(&c, (struct data_type){.kind = TYPE_STRING});
    for (uint32_t n = 0; n < 200; n++) {
        char bytes[200];
        for (uint32_t i = 0; i < n; i++)
            bytes[i] = (char)('a' + (n + i) % 26);
        assert_int_equal(column_append(&c, bytes, n, NULL), OK);
        codes[n] = 199 - n;
    }
    struct parquet_values_scratch scratch = {0};
    struct parquet_values v;
    assert_int_equal(parquet_values_of(&c, &scratch, &v, NULL), OK);
    for (int with_codes = 0; with_codes < 2; with_codes++) {
        v.codes = with_codes ? codes : NULL;
        buf_clear(&expected);
        buf_release(&got);
        for (size_t i = 3; i < 190; i++) {
            struct str s = column_str(&c, with_codes ? codes[i] : i);
            uint32_t n = (uint32_t)s.n;
            assert_int_equal(buf_append(&expected, &n, 4, NULL), OK);
            assert_int_equal(buf_append_str(&expected, s, NULL), OK);
        }
        assert_int_equal(parquet_plain_bytes(&v, 3, 190), expected.len);
        assert_int_equal(parquet_plain_encode(&v, 3, 190, &got, NULL), OK);
        assert_int_equal(got.len, expected.len);
        assert_memory_equal(got.data, expected.data, got.len);
    }
    buf_release(&expected);
    buf_release(&got);
    column_release(&c);
}

static void booleans_are_bits(void **state)
{
    (void)state;
    const uint8_t values[] = {1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0};
    struct column c;
    struct buf got = {0};
    memset(&c, 0, sizeof c);
    column_reset(&c, (struct data_type){.kind = TYPE_BOOLEAN});
    for (size_t i = 0; i < sizeof values; i++)
        assert_int_equal(column_append(&c, &values[i], 1, NULL), OK);
    struct parquet_values_scratch scratch = {0};
    struct parquet_values v;
    assert_int_equal(parquet_values_of(&c, &scratch, &v, NULL), OK);
    assert_int_equal(parquet_plain_encode(&v, 0, v.count, &got, NULL), OK);
    assert_int_equal(got.len, 2);
    assert_int_equal(got.data[0], 0x8D);
    assert_int_equal(got.data[1], 0x03);
    buf_release(&got);
    column_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_are_left_out_and_the_rest_is_kept),
        cmocka_unit_test(decimals_take_the_least_width),
        cmocka_unit_test(strings_are_plain_encoded),
        cmocka_unit_test(booleans_are_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
