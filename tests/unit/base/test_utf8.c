/* The vector validator against the byte-by-byte one, and both against the table of the standard. */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static bool (*const variants[])(const uint8_t *, size_t) = {
    utf8_is_valid,
    utf8_is_valid_scalar,
#if defined(__x86_64__)
    utf8_is_valid_avx2,
#endif
};

static size_t variant_count(void)
{
    size_t n = sizeof variants / sizeof variants[0];
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2"))
        n--;
#endif
    return n;
}

/* The bytes at every distance from the start and from the end of a longer text, exactly allocated. */
static void expect(const char *bytes, size_t n, bool valid)
{
    for (size_t before = 0; before < 70; before++)
        for (size_t after = 0; after < 70; after += 23) {
            uint8_t *text = malloc(before + n + after + 1);
            assert_non_null(text);
            memset(text, 'a', before + n + after);
            memcpy(text + before, bytes, n);
            for (size_t v = 0; v < variant_count(); v++)
                assert_int_equal(variants[v](text, before + n + after), valid);
            free(text);
        }
}

static void well_formed(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "é",
                                       "日本語",
                                       "😀😀"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        expect(good[i], strlen(good[i]), true);
}

static void ill_formed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC2",
        "\xC2 ",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xE1\x80",
        "\xE1\x80 ",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFF",
        "\xFE",
        "\xC2\x80\x80",
        "\xF0\x90\x80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(bad[i], strlen(bad[i]), false);
}

static void every_sequence_of_three_bytes(void **state)
{
    (void)state;
    uint8_t text[67];
    for (unsigned lead = 0x78; lead < 0x100; lead++)
        for (unsigned second = 0; second < 0x100; second++)
            for (unsigned third = 0x70; third < 0xD0; third += 5) {
                memset(text, 'x', sizeof text);
                text[30] = (uint8_t)lead; /* across the border of two vectors */
                text[31] = (uint8_t)second;
                text[32] = (uint8_t)third;
                bool wanted = utf8_is_valid_scalar(text, sizeof text);
                for (size_t v = 0; v < variant_count(); v++)
                    assert_int_equal(variants[v](text, sizeof text), wanted);
            }
}

static void random_text(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "é", "日", "😀", "\x80", "\xED\xA0\x80", "\xF0\x90", " "};
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[400];
        size_t n = 0;
        bool damaged = round % 3 == 0;
        for (int i = 0; i < 60; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const char *piece = pieces[(seed >> 40) % (damaged && i % 20 == 0 ? 8 : 4)];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        bool wanted = utf8_is_valid_scalar(text, n);
        for (size_t v = 0; v < variant_count(); v++)
            assert_int_equal(variants[v](text, n), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed),
        cmocka_unit_test(ill_formed),
        cmocka_unit_test(every_sequence_of_three_bytes),
        cmocka_unit_test(random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
