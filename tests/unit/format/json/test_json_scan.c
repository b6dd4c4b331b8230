/* The vector variants against the scalar one, on random bytes rich in the special ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/json/json_structure.h"

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void fill(uint8_t *p, size_t n, uint64_t *seed)
{
    static const char special[] = "\"\\,{}[]\n\r\t eE0-.\x1F\x20\x7F\x80\xFF:";
    uint64_t rarity = random_next(seed) % 30 + 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = random_next(seed);
        p[i] = r % rarity == 0 ? (uint8_t)special[(r >> 32) % (sizeof special - 1)] : (uint8_t)('a' + (r >> 32) % 26);
        if (r % 97 == 0)
            p[i] = (uint8_t)(r >> 40);
    }
}

static size_t variants(const struct json_scan_ops *list[3])
{
    size_t n = 0;
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
    list[n++] = &json_scan_baseline;
#endif
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        list[n++] = &json_scan_avx2;
#endif
    return n;
}

static void inline_forms(void **state)
{
    (void)state;
    uint64_t seed = 1;
    uint8_t a[32], b[32];
    for (int round = 0; round < 20000; round++) {
        fill(a, 32, &seed);
        memcpy(b, a, 32);
        for (uint64_t n = random_next(&seed) % 4; n > 0; n--)
            b[random_next(&seed) % 32] ^= (uint8_t)(1u << random_next(&seed) % 8);
        assert_int_equal(json_equal32(a, b), json_equal32_scalar(a, b));
        uint32_t high, high_scalar, letters, letters_scalar;
        assert_int_equal(json_string_stops32(a, &high), json_string_stops32_scalar(a, &high_scalar));
        assert_int_equal(high, high_scalar);
        assert_int_equal(json_token_stops16(a, &letters), json_token_stops16_scalar(a, &letters_scalar));
        assert_int_equal(letters, letters_scalar);
    }
}

static void block_forms(void **state)
{
    (void)state;
    const struct json_scan_ops *list[3];
    size_t count = variants(list);
    uint64_t seed = 2;
    uint8_t bytes[400];
    for (int round = 0; round < 5000; round++) {
        size_t n = random_next(&seed) % 300;
        fill(bytes, sizeof bytes, &seed);
        struct json_block expected;
        json_scan_scalar.classify(bytes, &expected);
        uint32_t high_scalar = 0;
        const uint8_t *stop = json_scan_scalar.string_stop(bytes, bytes + n, &high_scalar);
        for (size_t i = 0; i < count; i++) {
            struct json_block block;
            uint32_t high = 0;
            list[i]->classify(bytes, &block);
            assert_memory_equal(&block, &expected, sizeof block);
            assert_ptr_equal(list[i]->string_stop(bytes, bytes + n, &high), stop);
            if (stop < bytes + n)
                assert_int_equal(high, high_scalar);
            else
                assert_int_equal(high & high_scalar, high_scalar);
            assert_int_equal(list[i]->count_line_feeds(bytes, n), json_scan_scalar.count_line_feeds(bytes, n));
        }
    }
}

/* The structure scan, byte by byte. */
static struct json_border naive_scan(struct json_structure *s, const uint8_t *p, size_t n, bool first)
{
    struct json_border border = {0};
    for (size_t i = 0; i < n; i++) {
        bool escaped = s->escape;
        s->escape = !escaped && p[i] == '\\';
        if (p[i] == '"' && !escaped)
            s->string = ~s->string;
        else if (s->string || p[i] == '"')
            continue;
        else if (p[i] == '{' || p[i] == '[')
            s->nested++;
        else if ((p[i] == '}' || p[i] == ']') && s->nested)
            s->nested--;
        else if (p[i] == ']')
            return (struct json_border){i + 1, true, true};
        else if (p[i] == ',' && s->nested == 0) {
            border = (struct json_border){i + 1, true, false};
            if (first)
                return border;
        }
    }
    return border;
}

static void structure(void **state)
{
    (void)state;
    const struct json_scan_ops *ops = json_scan();
    uint64_t seed = 3;
    uint8_t bytes[600];
    for (int round = 0; round < 20000; round++) {
        size_t n = random_next(&seed) % 500 + 1;
        bool first = round & 1;
        fill(bytes, sizeof bytes, &seed);
        struct json_structure a = {.nested = random_next(&seed) % 4}, b = a;
        for (size_t at = 0; at < n;) { /* in pieces: the state carries over */
            size_t piece = 1 + random_next(&seed) % (n - at);
            struct json_border have = json_structure_scan(&a, ops, bytes + at, piece, first);
            struct json_border want = naive_scan(&b, bytes + at, piece, first);
            assert_int_equal(have.found, want.found);
            assert_int_equal(have.closed, want.closed);
            assert_int_equal(have.at, want.at);
            if (have.closed || (first && have.found))
                break;
            assert_int_equal(a.nested, b.nested);
            assert_int_equal(a.string, b.string);
            assert_int_equal(a.escape, b.escape);
            at += piece;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_forms),
        cmocka_unit_test(block_forms),
        cmocka_unit_test(structure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
