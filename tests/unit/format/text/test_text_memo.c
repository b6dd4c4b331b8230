/* The memory of texts: exact for every length, whatever stands behind a text. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/text/text_memo.h"

#define BEHIND 16

/* A copy with `behind` in the bytes that may be read but do not belong to it. */
static uint8_t *padded(const void *text, size_t n, uint8_t behind)
{
    uint8_t *copy = malloc(n + BEHIND);
    assert_non_null(copy);
    if (n)
        memcpy(copy, text, n);
    memset(copy + n, behind, BEHIND);
    return copy;
}

static uint32_t find(const struct text_memo *m, const void *text, size_t n, uint8_t behind)
{
    uint8_t *copy = padded(text, n, behind);
    uint32_t code = text_memo_find(m, copy, n);
    free(copy);
    return code;
}

static void add(struct text_memo *m, const void *text, size_t n, uint32_t code)
{
    uint8_t *copy = padded(text, n, 0xEE);
    assert_int_equal(text_memo_add(m, copy, n, code, NULL), OK);
    free(copy);
}

/* Of one letter, each length is a text of its own; the bytes behind do not matter. */
static void every_length(void **unused)
{
    (void)unused;
    struct text_memo m = {0};
    uint8_t text[100];
    memset(text, 'a', sizeof text);
    assert_int_equal(text_memo_reset(&m, NULL), OK);
    for (uint32_t n = 0; n <= 100; n++) {
        assert_int_equal(find(&m, text, n, 'a'), TEXT_MEMO_NONE);
        add(&m, text, n, n * 3);
        assert_int_equal(m.count, n + 1);
        for (uint32_t k = 0; k <= n; k++) {
            assert_int_equal(find(&m, text, k, 'a'), k * 3);
            assert_int_equal(find(&m, text, k, 0), k * 3);
        }
    }
    text_memo_release(&m);
}

static void nul_bytes_count(void **unused)
{
    (void)unused;
    struct text_memo m = {0};
    uint8_t zeros[40] = {0};
    assert_int_equal(text_memo_reset(&m, NULL), OK);
    for (uint32_t n = 0; n <= 40; n++) {
        assert_int_equal(find(&m, zeros, n, 0), TEXT_MEMO_NONE);
        add(&m, zeros, n, n);
    }
    for (uint32_t n = 0; n <= 40; n++)
        assert_int_equal(find(&m, zeros, n, 0xFF), n);
    assert_int_equal(find(&m, "a\0b", 3, 0), TEXT_MEMO_NONE);
    add(&m, "a\0b", 3, 77);
    assert_int_equal(find(&m, "a\0c", 3, 0), TEXT_MEMO_NONE);
    assert_int_equal(find(&m, "a", 1, 0), TEXT_MEMO_NONE);
    assert_int_equal(find(&m, "a\0b", 3, 0), 77);
    text_memo_release(&m);
}

/* Each byte of a text matters, in every place. */
static void one_byte_differs(void **unused)
{
    (void)unused;
    for (size_t n = 1; n <= 70; n++) {
        struct text_memo m = {0};
        uint8_t text[70];
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)(i * 7 + n);
        assert_int_equal(text_memo_reset(&m, NULL), OK);
        add(&m, text, n, 5);
        for (size_t i = 0; i < n; i++) {
            text[i] ^= 0x80;
            assert_int_equal(find(&m, text, n, 0), TEXT_MEMO_NONE);
            text[i] ^= 0x80;
        }
        assert_int_equal(find(&m, text, n, 0), 5);
        text_memo_release(&m);
    }
}

/* 20,000 texts through many growths, and none of them left after a reset. */
static void growth_and_reset(void **unused)
{
    (void)unused;
    enum { COUNT = 20000 };
    struct text_memo m = {0};
    char text[64];
    assert_int_equal(text_memo_reset(&m, NULL), OK);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            int n = snprintf(text, sizeof text, i & 1 ? "%u" : "a text of some length, number %u", i * 2654435761u);
            assert_int_equal(find(&m, text, (size_t)n, 'x'), TEXT_MEMO_NONE);
            add(&m, text, (size_t)n, i);
        }
        assert_int_equal(m.count, COUNT);
        assert_true(m.mask >= 2 * COUNT - 1);
        for (uint32_t i = 0; i < COUNT; i++) {
            int n = snprintf(text, sizeof text, i & 1 ? "%u" : "a text of some length, number %u", i * 2654435761u);
            assert_int_equal(find(&m, text, (size_t)n, '0'), i);
        }
        assert_int_equal(text_memo_reset(&m, NULL), OK);
        assert_int_equal(m.count, 0);
        assert_int_equal(find(&m, text, strlen(text), 0), TEXT_MEMO_NONE);
    }
    text_memo_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(nul_bytes_count),
        cmocka_unit_test(one_byte_differs),
        cmocka_unit_test(growth_and_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
