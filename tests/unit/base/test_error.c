#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "unit/cmocka_all.h"

static void a_message_is_set_and_safe_to_print(void **state)
{
    (void)state;
    struct error err = {.hint = "old"};
    assert_int_equal(error_set(&err, ERR_BAD_DATA, "value '%s' in line %d", "a\x1b[31m\n\x7f", 3), ERR_BAD_DATA);
    assert_int_equal(err.code, ERR_BAD_DATA);
    assert_string_equal(err.message, "value 'a [31m  ' in line 3");
    assert_string_equal(err.hint, "");
    assert_int_equal(error_set(NULL, ERR_LIMIT, "nobody listens"), ERR_LIMIT);
}

static void long_messages_are_cut_and_terminated(void **state)
{
    (void)state;
    struct error err;
    char big[4000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    (void)error_set(&err, ERR_INVALID, "%s", big);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(error_prefix(&err, "file '%s'", "a.csv"), ERR_INVALID);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "file 'a.csv': xxx", 17);
    (void)error_prefix(&err, "%s", big);
    assert_true(strlen(err.message) < sizeof err.message);
    error_hint(&err, "%s", big);
    assert_int_equal(strlen(err.hint), sizeof err.hint - 1);
    (void)error_set_errno(&err, EIO, "%s", big);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void errno_chooses_the_code(void **state)
{
    (void)state;
    static const struct {
        int number;
        status code;
    } cases[] = {{ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE},  {EACCES, ERR_DENIED}, {EPERM, ERR_DENIED},
                 {EROFS, ERR_DENIED},    {ENOENT, ERR_NOT_FOUND}, {EEXIST, ERR_EXISTS}, {ENOMEM, ERR_NO_MEMORY},
                 {EIO, ERR_IO},          {EPIPE, ERR_IO}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error err = {.hint = "old"};
        assert_int_equal(error_set_errno(&err, cases[i].number, "cannot write %s", "x"), cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_memory_equal(err.message, "cannot write x: ", 16);
        assert_non_null(strstr(err.message, strerror(cases[i].number)));
        assert_int_equal(err.hint[0] != '\0', cases[i].code == ERR_NO_SPACE);
        assert_int_equal(error_set_errno(NULL, cases[i].number, "x"), cases[i].code);
    }
}

static void a_prefix_keeps_code_and_hint(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_no_memory(&err, 123), ERR_NO_MEMORY);
    assert_true(err.hint[0] != '\0');
    assert_int_equal(error_prefix(&err, "column %d", 4), ERR_NO_MEMORY);
    assert_memory_equal(err.message, "column 4: out of memory", 23);
    assert_true(err.hint[0] != '\0');
    error_hint(&err, "try\t%d", 1);
    assert_string_equal(err.hint, "try 1");
    error_hint(NULL, "nobody listens");
}

static void every_code_has_a_row(void **state)
{
    (void)state;
    for (int code = 0; code < STATUS_COUNT; code++) {
        const char *slug = status_slug((status)code);
        assert_non_null(slug);
        for (const char *p = slug; *p; p++)
            assert_true((*p >= 'a' && *p <= 'z') || *p == '_');
        for (int other = 0; other < code; other++)
            assert_string_not_equal(slug, status_slug((status)other));
        assert_in_range(status_http((status)code), 200, 599);
        assert_int_equal(status_exit_code((status)code) == 0, code == OK);
    }
    assert_string_equal(status_slug(ERR_BAD_ROWS), "bad_rows");
    assert_int_equal(status_http(ERR_NOT_FOUND), 404);
    assert_int_equal(status_exit_code(ERR_USAGE), 2);
    assert_true(status_retryable(ERR_IO));
    assert_false(status_retryable(ERR_BAD_DATA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_set_and_safe_to_print),
        cmocka_unit_test(long_messages_are_cut_and_terminated),
        cmocka_unit_test(errno_chooses_the_code),
        cmocka_unit_test(a_prefix_keeps_code_and_hint),
        cmocka_unit_test(every_code_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
