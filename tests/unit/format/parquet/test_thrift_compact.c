#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/parquet/thrift_compact.h"

/* Bytes worked out by hand from the protocol's text. */
static void writes_the_bytes_of_the_protocol(void **state)
{
    (void)state;
    const uint8_t expected[] = {
        0x15, 0x02,                   /* 1: i32 1 (zigzag 2) */
        0x16, 0xC7, 0x01,             /* 2: i64 -100 (zigzag 199) */
        0x18, 0x02, 'h',  'i',        /* 3: binary */
        0x11,                         /* 4: true */
        0x12,                         /* 5: false */
        0x05, 0x2A, 0x00,             /* 21: i32 0, a step of 16 is too far for a delta */
        0x1C, 0x13, 0x80, 0x00,       /* 22: struct { 1: i8 -128 } */
        0x19, 0x31, 0x01, 0x02, 0x01, /* 23: list of three booleans */
        0x19, 0xF6, 0x0F,             /* 24: list of 15 i64 */
        0,    2,    4,    6,    8,    10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 0x14, 0x03, /* 25: i16 -2 */
        0x00,
    };
    struct buf b = {0};
    struct thrift_writer w;
    thrift_writer_init(&w, &b, NULL);
    thrift_i32(&w, 1, 1);
    thrift_i64(&w, 2, -100);
    thrift_binary(&w, 3, STR("hi"));
    thrift_bool(&w, 4, true);
    thrift_bool(&w, 5, false);
    thrift_i32(&w, 21, 0);
    thrift_struct(&w, 22);
    thrift_i8(&w, 1, -128);
    thrift_struct_end(&w);
    thrift_list(&w, 23, THRIFT_TRUE, 3);
    thrift_element_bool(&w, true);
    thrift_element_bool(&w, false);
    thrift_element_bool(&w, true);
    thrift_list(&w, 24, THRIFT_I64, 15);
    for (int i = 0; i < 15; i++)
        thrift_element_i64(&w, i);
    thrift_i16(&w, 25, -2);
    thrift_struct_end(&w);
    assert_int_equal(thrift_writer_status(&w), OK);
    assert_int_equal(b.len, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    buf_release(&b);
}

static void write_sample(struct buf *b)
{
    struct thrift_writer w;
    thrift_writer_init(&w, b, NULL);
    thrift_list(&w, 1, THRIFT_STRUCT, 2);
    for (int i = 0; i < 2; i++) {
        thrift_element_struct(&w);
        thrift_list(&w, 3, THRIFT_BINARY, 2);
        thrift_element_binary(&w, STR("abc"));
        thrift_element_binary(&w, STR(""));
        thrift_bool(&w, 4, true);
        thrift_list(&w, 5, THRIFT_TRUE, 2);
        thrift_element_bool(&w, false);
        thrift_element_bool(&w, true);
        thrift_struct_end(&w);
    }
    thrift_empty_struct(&w, 2);
    thrift_i64(&w, 9, INT64_MIN);
    thrift_i64(&w, 10, INT64_MAX);
    thrift_i32(&w, 300, INT32_MIN);
    thrift_struct_end(&w);
    assert_int_equal(thrift_writer_status(&w), OK);
}

static void reads_back_and_skips(void **state)
{
    (void)state;
    struct buf b = {0};
    write_sample(&b);
    struct thrift_reader r;
    int id;
    enum thrift_type type;
    int64_t nine = 0, ten = 0, far = 0;
    thrift_reader_init(&r, b.data, b.len);
    while (thrift_next_field(&r, &id, &type)) {
        if (id == 9)
            nine = thrift_read_int(&r);
        else if (id == 10)
            ten = thrift_read_int(&r);
        else if (id == 300)
            far = thrift_read_int(&r);
        else
            thrift_skip(&r, type);
    }
    assert_false(r.bad);
    assert_ptr_equal(r.at, r.end);
    assert_true(nine == INT64_MIN);
    assert_true(ten == INT64_MAX);
    assert_true(far == INT32_MIN);
    buf_release(&b);
}

/* Cut anywhere, the bytes are found to be incomplete and nothing behind them is touched. */
static void cut_bytes_are_bad(void **state)
{
    (void)state;
    struct buf b = {0};
    write_sample(&b);
    for (size_t n = 0; n < b.len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, b.data, n);
        struct thrift_reader r;
        int id;
        enum thrift_type type;
        thrift_reader_init(&r, exact, n);
        while (thrift_next_field(&r, &id, &type))
            thrift_skip(&r, type);
        assert_true(r.bad);
        free(exact);
    }
    buf_release(&b);
}

static void random_bytes_end(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        struct thrift_reader r;
        int id;
        enum thrift_type type;
        thrift_reader_init(&r, bytes, sizeof bytes);
        while (thrift_next_field(&r, &id, &type))
            thrift_skip(&r, type);
        assert_true(r.at <= r.end);
    }
}

static void endless_nesting_is_bad(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    memset(bytes, 0x1C, sizeof bytes); /* field 1: struct, again and again */
    struct thrift_reader r;
    int id;
    enum thrift_type type;
    thrift_reader_init(&r, bytes, sizeof bytes);
    while (thrift_next_field(&r, &id, &type))
        thrift_skip(&r, type);
    assert_true(r.bad);
    memset(bytes, 0x19, sizeof bytes); /* a list of one list of one list ... */
    thrift_reader_init(&r, bytes, sizeof bytes);
    while (thrift_next_field(&r, &id, &type))
        thrift_skip(&r, type);
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_bytes_of_the_protocol),
        cmocka_unit_test(reads_back_and_skips),
        cmocka_unit_test(cut_bytes_are_bad),
        cmocka_unit_test(random_bytes_end),
        cmocka_unit_test(endless_nesting_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
