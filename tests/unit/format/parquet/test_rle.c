#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/parquet/rle.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Bit by bit, straight from the specification. */
static uint32_t unpack_one(const uint8_t *bytes, size_t index, unsigned width)
{
    uint32_t v = 0;
    for (unsigned bit = 0; bit < width; bit++) {
        size_t at = index * width + bit;
        v |= (uint32_t)(bytes[at / 8] >> (at % 8) & 1) << bit;
    }
    return v;
}

static uint64_t read_varint(const struct buf *b, size_t *at)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(*at < b->len);
        uint8_t byte = b->data[(*at)++];
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
}

/* Decode `n` values and require that the bytes end with them. Returns the number of RLE runs. */
static size_t decode(const struct buf *b, unsigned width, size_t n, uint32_t *values)
{
    size_t at = 0, have = 0, runs = 0;
    while (have < n) {
        uint64_t head = read_varint(b, &at);
        if (head & 1) {
            size_t count = (size_t)(head >> 1) * 8, bytes = (size_t)(head >> 1) * width;
            assert_true(count > 0 && bytes <= b->len - at);
            for (size_t i = 0; i < count && have < n; i++)
                values[have++] = unpack_one(b->data + at, i, width);
            at += bytes;
        } else {
            uint32_t value = 0;
            size_t bytes = (width + 7) / 8;
            assert_true(bytes <= b->len - at && head >> 1 > 0 && head >> 1 <= n - have);
            memcpy(&value, b->data + at, bytes);
            at += bytes;
            for (uint64_t i = 0; i < head >> 1; i++)
                values[have++] = value;
            runs++;
        }
    }
    assert_int_equal(at, b->len);
    return runs;
}

static void width_of_count(void **state)
{
    (void)state;
    assert_int_equal(rle_width(1), 1);
    assert_int_equal(rle_width(2), 1);
    assert_int_equal(rle_width(3), 2);
    assert_int_equal(rle_width(4), 2);
    assert_int_equal(rle_width(5), 3);
    assert_int_equal(rle_width(256), 8);
    assert_int_equal(rle_width(257), 9);
    assert_int_equal(rle_width((size_t)1 << 32), 32);
}

static void packing_holds_every_width(void **state)
{
    (void)state;
    uint64_t seed = 0x1234567;
    for (unsigned width = 1; width <= 32; width++) {
        uint32_t codes[40];
        uint8_t packed[40 * 4 + 8];
        for (size_t i = 0; i < 40; i++)
            codes[i] = (uint32_t)(next_random(&seed) >> (64 - width));
        codes[3] = (uint32_t)(((uint64_t)1 << width) - 1);
        memset(packed, 0xEE, sizeof packed);
        rle_pack(codes, 5, width, packed);
        for (size_t i = 0; i < 40; i++)
            assert_int_equal(unpack_one(packed, i, width), codes[i]);
    }
}

/* Known bytes: the example of Encodings.md (0..7 in 3 bits). */
static void packing_follows_the_standard(void **state)
{
    (void)state;
    const uint32_t codes[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint8_t expected[] = {0x03, 0x88, 0xC6, 0xFA}; /* one group, bit-packed */
    struct buf b = {0};
    assert_int_equal(rle_encode_codes(codes, 8, 3, &b, NULL), OK);
    assert_int_equal(b.len, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    buf_release(&b);
}

/* Runs of all lengths at all alignments, mixed with noise. */
static void codes_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 99;
    uint32_t *codes = malloc(5000 * sizeof *codes), *back = malloc(5000 * sizeof *back);
    for (unsigned width = 1; width <= 32; width++)
        for (int round = 0; round < 30; round++) {
            size_t n = next_random(&seed) % 5000 + 1, i = 0;
            uint32_t limit = (uint32_t)(~(uint64_t)0 >> (64 - width));
            while (i < n) {
                uint32_t value = (uint32_t)next_random(&seed) & limit;
                size_t run = next_random(&seed) % 3 ? 1 : next_random(&seed) % (round % 2 ? 40 : 400) + 1;
                while (run-- && i < n)
                    codes[i++] = value;
            }
            /* An exact allocation, so that the sanitizer sees any reading beyond it. */
            uint32_t *exact = malloc(n * sizeof *exact);
            memcpy(exact, codes, n * sizeof *exact);
            struct buf b = {0};
            assert_int_equal(rle_encode_codes(exact, n, width, &b, NULL), OK);
            decode(&b, width, n, back);
            assert_memory_equal(back, codes, n * sizeof *codes);
            assert_true(b.len <= (n + 7) / 8 * width + 10 + n / 128);
            buf_release(&b);
            free(exact);
        }
    free(codes);
    free(back);
}

static void runs_are_used(void **state)
{
    (void)state;
    uint32_t codes[1000] = {0}, back[1000];
    struct buf b = {0};
    assert_int_equal(rle_encode_codes(codes, 1000, 7, &b, NULL), OK);
    assert_int_equal(b.len, 3); /* header of two bytes and the value */
    assert_int_equal(decode(&b, 7, 1000, back), 1);
    buf_clear(&b);
    for (size_t i = 500; i < 1000; i++)
        codes[i] = 9;
    assert_int_equal(rle_encode_codes(codes, 1000, 7, &b, NULL), OK);
    assert_int_equal(decode(&b, 7, 1000, back), 2);
    assert_int_equal(b.len, 6);
    buf_clear(&b);
    assert_int_equal(rle_encode_codes(codes, 0, 7, &b, NULL), OK);
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

static void check_bits(const uint8_t *bits, size_t first, size_t n)
{
    struct buf b = {0};
    uint32_t *back = malloc((n + 1) * sizeof *back);
    size_t bytes = (first + n + 7) / 8;
    uint8_t *exact = malloc(bytes + 1);
    memcpy(exact, bits, bytes);
    exact = realloc(exact, bytes ? bytes : 1);
    assert_int_equal(rle_encode_bits(exact, first, n, &b, NULL), OK);
    decode(&b, 1, n, back);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(back[i], bits[(first + i) / 8] >> ((first + i) % 8) & 1);
    buf_release(&b);
    free(exact);
    free(back);
}

static void bits_round_trip(void **state)
{
    (void)state;
    uint64_t seed = 4242;
    uint8_t bits[600];
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof bits;) {
            size_t run = next_random(&seed) % 30 + 1;
            uint8_t byte = round % 3 == 0 ? 0xFF : round % 3 == 1 ? 0 : (uint8_t)next_random(&seed);
            if (next_random(&seed) % 3 == 0)
                byte = (uint8_t)next_random(&seed);
            while (run-- && i < sizeof bits)
                bits[i++] = byte;
        }
        size_t first = next_random(&seed) % 64;
        check_bits(bits, first, next_random(&seed) % (sizeof bits * 8 - first) + 1);
        check_bits(bits, first, next_random(&seed) % 20 + 1);
    }
}

static void long_stretches_of_bits_are_runs(void **state)
{
    (void)state;
    uint8_t bits[2000];
    uint32_t back[16000];
    memset(bits, 0xFF, sizeof bits);
    memset(bits + 1000, 0, 1000);
    struct buf b = {0};
    assert_int_equal(rle_encode_bits(bits, 0, 16000, &b, NULL), OK);
    assert_int_equal(decode(&b, 1, 16000, back), 2);
    assert_true(b.len <= 8);
    buf_clear(&b);
    assert_int_equal(rle_encode_run(true, 16000, &b, NULL), OK);
    assert_int_equal(decode(&b, 1, 16000, back), 1);
    assert_int_equal(back[15999], 1);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_of_count),
        cmocka_unit_test(packing_holds_every_width),
        cmocka_unit_test(packing_follows_the_standard),
        cmocka_unit_test(codes_round_trip),
        cmocka_unit_test(runs_are_used),
        cmocka_unit_test(bits_round_trip),
        cmocka_unit_test(long_stretches_of_bits_are_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
