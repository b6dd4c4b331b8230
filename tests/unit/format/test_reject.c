#include <stdlib.h>
#include <string.h>

#include "format/reject.h"
#include "unit/cmocka_all.h"

static void rows_keep_their_texts(void **state)
{
    (void)state;
    struct reject_list list = {0};
    char message[32], raw[32];
    for (uint64_t i = 1; i <= 500; i++) {
        size_t m = (size_t)(i % 30), r = (size_t)(i % 17);
        memset(message, 'm', sizeof message);
        memset(raw, (int)('a' + i % 26), sizeof raw);
        struct reject at = {
            .record = i, .line = 2 * i, .byte_offset = 10 * i, .byte_length = r, .column = 3, .code = REJECT_CAST};
        assert_int_equal(reject_add(&list, at, (struct str){message, m}, (struct str){raw, r}, NULL), OK);
    }
    assert_int_equal(list.count, 500);
    for (uint64_t i = 1; i <= 500; i++) {
        const struct reject *r = &list.items[i - 1];
        assert_int_equal(r->record, i);
        assert_int_equal(r->line, 2 * i);
        assert_int_equal(r->byte_offset, 10 * i);
        assert_int_equal(r->column, 3);
        assert_int_equal(reject_message(&list, r).n, i % 30);
        assert_int_equal(reject_raw(&list, r).n, i % 17);
        for (size_t k = 0; k < i % 17; k++)
            assert_int_equal(reject_raw(&list, r).p[k], 'a' + i % 26);
    }
    reject_clear(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.text.len, 0);
    assert_int_equal(reject_add(&list, (struct reject){.code = REJECT_NULL_KEY}, STR("why"), STR(""), NULL), OK);
    assert_true(str_equal(reject_message(&list, &list.items[0]), STR("why")));
    reject_release(&list);
    reject_release(&list);
}

static void a_long_row_is_kept_in_part_but_measured_whole(void **state)
{
    (void)state;
    struct reject_list list = {0};
    size_t n = REJECT_RAW_MAX + 1000;
    char *raw = malloc(n);
    assert_non_null(raw);
    memset(raw, 'r', n);
    struct reject at = {.byte_length = n, .code = REJECT_ROW_TOO_LONG, .column = REJECT_NO_COLUMN};
    assert_int_equal(reject_add(&list, at, STR("long"), (struct str){raw, n}, NULL), OK);
    assert_int_equal(list.items[0].byte_length, n);
    assert_int_equal(reject_raw(&list, &list.items[0]).n, REJECT_RAW_MAX);
    free(raw);
    reject_release(&list);
}

static void rebasing_raises_records_and_lines_only(void **state)
{
    (void)state;
    struct reject_list chunk = {0}, all = {0};
    for (uint64_t i = 1; i <= 3; i++) {
        struct reject at = {.record = i, .line = i + 1, .byte_offset = 100 * i, .code = REJECT_CAST};
        assert_int_equal(reject_add(&chunk, at, STR("m"), (struct str){"abc", i}, NULL), OK);
    }
    assert_int_equal(reject_append_rebased(&all, &chunk, 0, 0, NULL), OK);
    assert_int_equal(reject_append_rebased(&all, &chunk, 1000, 2000, NULL), OK);
    assert_int_equal(all.count, 6);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(all.items[i - 1].record, i);
        assert_int_equal(all.items[i + 2].record, 1000 + i);
        assert_int_equal(all.items[i + 2].line, 2000 + i + 1);
        assert_int_equal(all.items[i + 2].byte_offset, 100 * i);
        assert_true(str_equal(reject_raw(&all, &all.items[i + 2]), (struct str){"abc", i}));
        assert_true(str_equal(reject_message(&all, &all.items[i + 2]), STR("m")));
    }
    reject_release(&chunk);
    reject_release(&all);
}

static void codes_have_the_names_of_the_quarantine(void **state)
{
    (void)state;
    static const char *const names[] = {
        "CAST",         "MISSING_COLUMNS", "TOO_MANY_COLUMNS", "UNTERMINATED_QUOTE", "INVALID_ENCODING",
        "ROW_TOO_LONG", "NULL_KEY",        "NULL_WATERMARK",   "INVALID_JSON"};
    size_t found = 0;
    for (int code = REJECT_NONE; code < REJECT_CODE_COUNT; code++) {
        assert_non_null(reject_code_name((enum reject_code)code));
        for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
            found += strcmp(names[i], reject_code_name((enum reject_code)code)) == 0;
    }
    assert_int_equal(found, ARRAY_LENGTH(names));
    assert_string_equal(reject_code_name(REJECT_CAST), "CAST");
    assert_string_equal(reject_code_name(REJECT_INVALID_JSON), "INVALID_JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_keep_their_texts),
        cmocka_unit_test(a_long_row_is_kept_in_part_but_measured_whole),
        cmocka_unit_test(rebasing_raises_records_and_lines_only),
        cmocka_unit_test(codes_have_the_names_of_the_quarantine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
