#include "base/buf.h"
#include "unit/cmocka_all.h"

static void appends_keep_what_was_there(void **state)
{
    (void)state;
    struct buf b = {0};
    struct error err;
    for (int i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        assert_int_equal(buf_append(&b, &byte, 1, &err), OK);
    }
    assert_int_equal(b.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(b.data[i], (uint8_t)(i * 7));
    assert_int_equal(buf_append(&b, NULL, 0, &err), OK);
    assert_int_equal(b.len, 10000);
    buf_release(&b);
    assert_null(b.data);
    assert_int_equal(b.cap, 0);
    buf_release(&b);
}

static void padding_behind_the_capacity_is_readable(void **state)
{
    (void)state;
    struct buf b = {0};
    unsigned sum = 0;
    assert_int_equal(buf_reserve(&b, 1000, NULL), OK);
    assert_true(b.cap >= 1000);
    for (size_t i = 0; i < BUF_PAD; i++)
        sum += b.data[b.cap + i];
    assert_int_equal(sum, 0);
    buf_release(&b);
}

static void reserve_within_the_capacity_does_not_move(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(buf_reserve(&b, 500, NULL), OK);
    const uint8_t *before = b.data;
    assert_int_equal(buf_append(&b, "x", 1, NULL), OK);
    assert_int_equal(buf_reserve(&b, b.cap - 1, NULL), OK);
    assert_ptr_equal(b.data, before);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.data, before);
    buf_release(&b);
}

static void absurd_sizes_are_an_error_and_change_nothing(void **state)
{
    (void)state;
    struct buf b = {0};
    struct error err = {0};
    assert_int_equal(buf_append_str(&b, STR("kept"), &err), OK);
    size_t cap = b.cap;
    assert_int_equal(buf_reserve(&b, SIZE_MAX, &err), ERR_NO_MEMORY);
    assert_int_equal(err.code, ERR_NO_MEMORY);
    assert_int_equal(buf_reserve(&b, SIZE_MAX / 4, &err), ERR_NO_MEMORY);
    assert_int_equal(buf_resize(&b, SIZE_MAX / 2, &err), ERR_NO_MEMORY);
    assert_int_equal(b.cap, cap);
    assert_true(str_equal(buf_str(&b), STR("kept")));
    buf_release(&b);
}

static void zeros_and_sizes(void **state)
{
    (void)state;
    struct buf b = {0};
    uint8_t *at = NULL;
    assert_int_equal(buf_append(&b, "abc", 3, NULL), OK);
    assert_int_equal(buf_extend_zero(&b, 5, &at, NULL), OK);
    assert_ptr_equal(at, b.data + 3);
    assert_memory_equal(b.data, "abc\0\0\0\0\0", 8);
    assert_int_equal(buf_extend_zero(&b, 0, &at, NULL), OK);
    assert_int_equal(b.len, 8);
    assert_int_equal(buf_resize(&b, 2, NULL), OK);
    assert_int_equal(b.len, 2);
    assert_int_equal(buf_resize(&b, 4000, NULL), OK);
    assert_int_equal(b.len, 4000);
    assert_memory_equal(b.data, "ab", 2);
    buf_release(&b);
}

static void formatted_text_grows_as_needed(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(buf_printf(&b, NULL, "%s=%d;", "n", 42), OK);
    assert_int_equal(buf_printf(&b, NULL, "%3000d", 7), OK);
    assert_int_equal(b.len, 5 + 3000);
    assert_memory_equal(b.data, "n=42;   ", 8);
    assert_int_equal(b.data[b.len - 1], '7');
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_keep_what_was_there),
        cmocka_unit_test(padding_behind_the_capacity_is_readable),
        cmocka_unit_test(reserve_within_the_capacity_does_not_move),
        cmocka_unit_test(absurd_sizes_are_an_error_and_change_nothing),
        cmocka_unit_test(zeros_and_sizes),
        cmocka_unit_test(formatted_text_grows_as_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
