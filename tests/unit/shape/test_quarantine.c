/* What quarantine writes: rows and row groups by the footer, texts by looking for them in an uncompressed file. How
 * other readers see the file is for the tests that have such readers; a path in the first argument keeps one for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/parquet/parquet_writer.h"
#include "shape/base64.h"
#include "shape/quarantine.h"
#include "sys/file.h"

static const char *keep_path;

struct memory_sink {
    struct buf bytes;
    size_t largest; /* write */
    size_t fail_at; /* bytes after which the disk is full; 0: never */
};

static status memory_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct memory_sink *m = self;
    if (n > m->largest)
        m->largest = n;
    if (m->fail_at && m->bytes.len + n > m->fail_at)
        return error_set(err, ERR_NO_SPACE, "full");
    return buf_append(&m->bytes, bytes, n, err);
}

static const struct byte_sink_ops memory_ops = {.write = memory_write};

static const struct parquet_options parquet = {.codec = PARQUET_NONE, .created_by = "test"};

static struct quarantine_options options_of(void)
{
    return (struct quarantine_options){STR("run-7"), STR("orders"), &parquet};
}

static bool holds(const struct memory_sink *m, const char *text)
{
    return memmem(m->bytes.data, m->bytes.len, text, strlen(text)) != NULL;
}

static uint64_t footer_rows(const struct memory_sink *m)
{
    uint64_t rows = UINT64_MAX;
    size_t need = 0;
    struct error err;
    assert_int_equal(parquet_footer_rows(m->bytes.data, m->bytes.len, &rows, &need, &err), OK);
    return rows;
}

static void add_reject(struct reject_list *list, uint32_t column, enum reject_code code, const char *message,
                       struct str raw)
{
    struct error err;
    struct reject r = {.record = list->count + 1,
                       .line = list->count + 2,
                       .byte_offset = list->count * 100,
                       .byte_length = raw.n,
                       .column = column,
                       .code = code};
    assert_int_equal(reject_add(list, r, str_of(message), raw, &err), OK);
}

static void test_contents(void **state)
{
    (void)state;
    struct schema columns = {0};
    struct reject_list rejects = {0};
    struct memory_sink memory = {0};
    struct byte_sink sink = {&memory_ops, &memory};
    struct quarantine *q;
    struct error err = {0};
    uint64_t rows = 0;
    struct data_type bigint = {.kind = TYPE_BIGINT};
    assert_int_equal(schema_add(&columns, STR("id"), (struct str){0}, bigint, false, &err), OK);
    assert_int_equal(schema_add(&columns, STR("price"), (struct str){0}, bigint, false, &err), OK);
    add_reject(&rejects, 1, REJECT_CAST, "'x' is not a number", STR("1,x"));
    add_reject(&rejects, REJECT_NO_COLUMN, REJECT_MISSING_COLUMNS, "1 column of 2", STR("\xFF\xFE!"));
    add_reject(&rejects, 0, REJECT_INVALID_ENCODING, "bad \xC3 byte", STR("S\xC3\xA3o"));
    char *wide = malloc(REJECT_RAW_MAX + 10);
    memset(wide, 'w', REJECT_RAW_MAX + 10);
    wide[REJECT_RAW_MAX - 1] = '\xC3'; /* cut within a character */
    wide[REJECT_RAW_MAX] = '\xA3';
    add_reject(&rejects, REJECT_NO_COLUMN, REJECT_ROW_TOO_LONG, "too long", (struct str){wide, REJECT_RAW_MAX + 10});
    wide[REJECT_RAW_MAX - 1] = 'w';

    struct quarantine_options options = options_of();
    assert_int_equal(quarantine_create(&q, &options, &sink, &err), OK);
    assert_int_equal(quarantine_add(q, &rejects, STR("in/\xFF.csv"), &columns, &err), OK);
    assert_int_equal(quarantine_finish(q, &rows, &err), OK);
    quarantine_free(q);
    assert_int_equal(rows, 4);
    assert_int_equal(footer_rows(&memory), 4);
    static const char *const texts[] = {"run-7",
                                        "orders",
                                        "in/\xEF\xBF\xBD.csv",
                                        "price",
                                        "CAST",
                                        "MISSING_COLUMNS",
                                        "1,x",
                                        "INVALID_ENCODING",
                                        "bad \xEF\xBF\xBD byte",
                                        "S\xC3\xA3o",
                                        "//4h",
                                        "base64",
                                        "utf-8",
                                        "ROW_TOO_LONG",
                                        "row_number",
                                        "raw_encoding"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (!holds(&memory, texts[i]))
            fail_msg("'%s' is not in the file", texts[i]);
    wide[REJECT_RAW_MAX - 1] = '\0';
    assert_true(holds(&memory, wide));
    if (keep_path) {
        struct byte_sink file;
        assert_int_equal(file_sink_create(&file, keep_path, 0, &err), OK);
        assert_int_equal(byte_sink_write(&file, memory.bytes.data, memory.bytes.len, &err), OK);
        assert_int_equal(byte_sink_finish(&file, &err), OK);
        byte_sink_close(&file);
    }
    free(wide);
    buf_release(&memory.bytes);
    reject_release(&rejects);
    schema_release(&columns);
}

static void test_nothing(void **state)
{
    (void)state;
    struct memory_sink memory = {0};
    struct byte_sink sink = {&memory_ops, &memory};
    struct quarantine *q;
    struct error err = {0};
    uint64_t rows = 7;
    struct quarantine_options options = options_of();
    assert_int_equal(quarantine_create(&q, &options, &sink, &err), OK);
    assert_int_equal(quarantine_finish(q, &rows, &err), OK);
    quarantine_free(q);
    assert_int_equal(rows, 0);
    assert_int_equal(footer_rows(&memory), 0);
    buf_release(&memory.bytes);
}

/* Many rows, and wide ones: what waits in memory is bounded, so that no row group is large. */
static void test_bounded(void **state)
{
    (void)state;
    struct schema columns = {0};
    struct reject_list rejects = {0};
    struct memory_sink memory = {0};
    struct byte_sink sink = {&memory_ops, &memory};
    struct quarantine *q;
    struct error err = {0};
    uint64_t rows = 0;
    char *wide = malloc(REJECT_RAW_MAX);
    for (size_t i = 0; i < REJECT_RAW_MAX; i++)
        wide[i] = (char)('a' + i * i % 23);
    struct quarantine_options options = options_of();
    assert_int_equal(quarantine_create(&q, &options, &sink, &err), OK);
    for (int i = 0; i < 600; i++) { /* 37 MiB */
        wide[0] = (char)i;
        wide[1] = (char)(i >> 8);
        wide[0] &= 0x7F;
        wide[1] &= 0x7F;
        wide[2] = (char)('a' + i % 26);
        add_reject(&rejects, REJECT_NO_COLUMN, REJECT_ROW_TOO_LONG, "too long", (struct str){wide, REJECT_RAW_MAX});
    }
    assert_int_equal(quarantine_add(q, &rejects, STR("a"), &columns, &err), OK);
    assert_true(memory.bytes.len > 20 << 20); /* two groups are out already */
    reject_clear(&rejects);
    for (int i = 0; i < 1000; i++)
        add_reject(&rejects, REJECT_NO_COLUMN, REJECT_MISSING_COLUMNS, "short", STR("x"));
    for (int i = 0; i < 70; i++)
        assert_int_equal(quarantine_add(q, &rejects, STR("b"), &columns, &err), OK);
    assert_int_equal(quarantine_finish(q, &rows, &err), OK);
    quarantine_free(q);
    assert_int_equal(rows, 70600);
    assert_int_equal(footer_rows(&memory), 70600);
    assert_true(memory.largest < 18 << 20);
    free(wide);
    buf_release(&memory.bytes);
    reject_release(&rejects);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct schema columns = {0};
    struct reject_list rejects = {0};
    struct memory_sink memory = {.fail_at = 100};
    struct byte_sink sink = {&memory_ops, &memory};
    struct quarantine *q;
    struct error err = {0};
    uint64_t rows = 0;
    struct quarantine_options options = options_of();
    add_reject(&rejects, 3, REJECT_CAST, "a message of some length", STR("raw bytes of some length"));
    assert_int_equal(quarantine_create(&q, &options, &sink, &err), OK);
    assert_int_equal(quarantine_add(q, &rejects, STR("in.csv"), &columns, &err), OK);
    assert_int_equal(quarantine_finish(q, &rows, &err), ERR_NO_SPACE);
    quarantine_free(q);
    memory.fail_at = 1;
    buf_clear(&memory.bytes);
    assert_int_equal(quarantine_create(&q, &options, &sink, &err), ERR_NO_SPACE);
    buf_release(&memory.bytes);
    reject_release(&rejects);
}

static void test_base64(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xFF\xFB\xF0", "//vw"}}; /* RFC 4648 section 10 */
    struct error err;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf b = {0};
        assert_int_equal(base64_append(str_of(cases[i][0]), &b, &err), OK);
        assert_true(str_equal(buf_str(&b), str_of(cases[i][1])));
        buf_release(&b);
    }
}

int main(int argc, char **argv)
{
    keep_path = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),  cmocka_unit_test(test_nothing), cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
