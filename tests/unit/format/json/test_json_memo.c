#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/json/json_memo.h"

static const struct data_type real = {.kind = TYPE_DOUBLE}, string = {.kind = TYPE_STRING};

/* Texts are followed by readable bytes. */
static bool find(const struct json_memo *m, const char *text, unsigned tag, uint32_t *code)
{
    uint8_t padded[2048];
    size_t n = strlen(text);
    memset(padded, 'x', sizeof padded);
    memcpy(padded, text, n);
    return n <= 16 ? json_memo_find16(m, padded, n, tag, code) : json_memo_find_long(m, padded, n, tag, code);
}

static uint32_t add(struct json_memo *m, struct column *c, const char *text, unsigned tag, const double *value)
{
    struct error err;
    uint32_t code = UINT32_MAX;
    bool full;
    assert_false(find(m, text, tag, &code));
    assert_int_equal(json_memo_add(m, c, (const uint8_t *)text, strlen(text), tag, value, &code, &full, &err), OK);
    assert_false(full);
    return code;
}

static void spellings_of_one_value_share_a_code(void **state)
{
    (void)state;
    struct json_memo m = {0};
    struct column c = {.type = real, .is_dict = true};
    struct error err;
    assert_int_equal(json_memo_begin(&m, &err), OK);
    const double one = 1, two = 2, zero = 0, minus_zero = -0.0;
    assert_int_equal(add(&m, &c, "1.0", 1, &one), 0);
    assert_int_equal(add(&m, &c, "2", 1, &two), 1);
    assert_int_equal(add(&m, &c, "1.00", 1, &one), 0);
    assert_int_equal(add(&m, &c, "1.00000000000000000000000", 1, &one), 0);
    assert_int_equal(add(&m, &c, "1.0", 0, &one), 0); /* the string */
    assert_int_equal(add(&m, &c, "0.0", 1, &zero), 2);
    assert_int_equal(add(&m, &c, "-0.0", 1, &minus_zero), 3);
    assert_int_equal(c.dict_length, 4);
    uint32_t code;
    assert_true(find(&m, "1.00000000000000000000000", 1, &code));
    assert_int_equal(code, 0);
    assert_false(find(&m, "1.000", 1, &code));
    assert_false(find(&m, "2", 0, &code));
    json_memo_release(&m);
    column_release(&c);
}

static void many_texts_of_all_lengths(void **state)
{
    (void)state;
    struct json_memo m = {0};
    struct column c = {.type = string, .is_dict = true};
    struct error err;
    char text[64];
    for (int round = 0; round < 2; round++) {
        column_reset(&c, string);
        c.is_dict = true;
        assert_int_equal(json_memo_begin(&m, &err), OK);
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "%.*s%u", (int)(i % 37), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", i);
            assert_int_equal(add(&m, &c, text, 0, NULL), i);
        }
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t code;
            snprintf(text, sizeof text, "%.*s%u", (int)(i % 37), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", i);
            assert_true(find(&m, text, 0, &code));
            assert_int_equal(code, i);
            assert_true(str_equal(column_slot_str(&c, i), str_of(text)));
        }
    }
    uint32_t code;
    assert_int_equal(add(&m, &c, "", 0, NULL), 5000); /* length counts, not only the bytes */
    assert_true(find(&m, "", 0, &code));
    assert_int_equal(code, 5000);
    json_memo_release(&m);
    column_release(&c);
}

static void limits(void **state)
{
    (void)state;
    struct json_memo m = {0};
    struct column c = {.type = string, .is_dict = true};
    struct error err;
    char text[JSON_MEMO_TEXT_MAX + 2];
    uint32_t code;
    bool full = false;
    assert_int_equal(json_memo_begin(&m, &err), OK);
    memset(text, 'x', sizeof text);
    assert_int_equal(json_memo_add(&m, &c, (uint8_t *)text, JSON_MEMO_TEXT_MAX + 1, 0, NULL, &code, &full, &err), OK);
    assert_true(full);
    size_t added = 0;
    for (full = false; !full; added += !full) {
        int n = snprintf(text, sizeof text, "%zu", added);
        assert_int_equal(json_memo_add(&m, &c, (uint8_t *)text, (size_t)n, 0, NULL, &code, &full, &err), OK);
    }
    assert_int_equal(added, JSON_MEMO_ENTRIES_MAX);
    assert_int_equal(c.dict_length, added);
    json_memo_release(&m);
    column_release(&c);
}

static void what_pays(void **state)
{
    (void)state;
    struct json_memo m = {0};
    m.spellings = 1000;
    assert_true(json_memo_pays(&m, 1000, 3)); /* too early to tell */
    m.spellings = 1024;
    assert_false(json_memo_pays(&m, 1030, 3)); /* next to all of them distinct */
    m.spellings = 1400;
    assert_true(json_memo_pays(&m, 2047, 3)); /* half known: still learning */
    assert_true(json_memo_pays(&m, 2048, 3));
    m.spellings = 1400 + 2048 / 3;
    assert_true(json_memo_pays(&m, 4096, 3));
    m.spellings += 683;
    assert_false(json_memo_pays(&m, 6144, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_one_value_share_a_code),
        cmocka_unit_test(many_texts_of_all_lengths),
        cmocka_unit_test(limits),
        cmocka_unit_test(what_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
