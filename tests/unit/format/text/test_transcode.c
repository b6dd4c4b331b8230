#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "format/text/transcode.h"
#include "unit/format/compress/drip_source.h"

static status transcode(const char *encoding, const void *bytes, size_t n, size_t step, size_t chunk, struct buf *into,
                        struct error *err)
{
    struct drip drip;
    struct byte_source from = drip_open(&drip, bytes, n, step), source = {0};
    status s = byte_source_transcode(&source, &from, encoding, 2, err);
    assert_null(from.ops);
    while (s == OK) {
        size_t got;
        assert_int_equal(buf_reserve(into, chunk, err), OK);
        s = byte_source_read(&source, into->data + into->len, chunk, &got, err);
        if (s == OK && got == 0)
            break;
        if (s == OK)
            into->len += got;
    }
    byte_source_close(&source);
    assert_int_equal(drip.closed, 1);
    return s;
}

static const struct {
    const char *encoding;
    const char *bytes;
    size_t n;
    const char *utf8;
} cases[] = {
#define CASE(encoding, bytes, utf8)                                                                                    \
    {                                                                                                                  \
        encoding, bytes, sizeof(bytes) - 1, utf8                                                                       \
    }
    CASE("WINDOWS-1252", "caf\xe9,\x80 5\n", "café,€ 5\n"),
    CASE("ISO-8859-15", "\xa4uro", "€uro"),
    CASE("WINDOWS-1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
    CASE("CP437", "gar\x87on \xc9\xcd", "garçon ╔═"),
    CASE("SHIFT_JIS", "\x93\xfa\x96{,\x83\x65\x83X\x83g", "日本,テスト"),
    CASE("GB18030", "\xd6\xd0\xb9\xfa\x81\x30\x84\x36", "中国¥"),
    CASE("UTF-16LE", "a\0\xe9\0\x3d\xd8\x00\xde\n\0", "aé😀\n"),
    CASE("UTF-16BE", "\0a\0\xe9\xd8\x3d\xde\x00\0\n", "aé😀\n"),
    CASE("UTF-32LE", "a\0\0\0\x00\xf6\x01\0", "a😀"),
    CASE("CP1258", "\x61\xec\x62", "áb"), /* letter and combining accent are composed, held back until the next byte */
    CASE("ISO-2022-JP", "\x1b$B$\"\x1b(Bx", "あx"),
    CASE("EBCDIC-US", "\xc1\xc2", "AB"),
    CASE("UTF-8", "caf\xc3\xa9", "café"),
};

static void every_seam(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 2, 3, 5, 64, 100000};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        for (size_t a = 0; a < ARRAY_LENGTH(sizes); a++)
            for (size_t b = 0; b < ARRAY_LENGTH(sizes); b++) {
                struct error err = {0};
                struct buf into = {0};
                status s = transcode(cases[i].encoding, cases[i].bytes, cases[i].n, sizes[a], sizes[b], &into, &err);
                if (s != OK)
                    print_error("%s: %s\n", cases[i].encoding, err.message);
                assert_int_equal(s, OK);
                assert_int_equal(into.len, strlen(cases[i].utf8));
                assert_memory_equal(into.data, cases[i].utf8, into.len);
                buf_release(&into);
            }
}

static void long_text_crosses_windows(void **unused)
{
    (void)unused;
    struct error err;
    for (size_t i = 0; i < 8; i++) {
        struct buf text = {0}, wanted = {0}, into = {0};
        for (size_t k = 0; k < 20000; k++) {
            assert_int_equal(buf_append(&text, cases[i].bytes, cases[i].n, &err), OK);
            assert_int_equal(buf_append(&wanted, cases[i].utf8, strlen(cases[i].utf8), &err), OK);
        }
        assert_int_equal(transcode(cases[i].encoding, text.data, text.len, 4099, 10007, &into, &err), OK);
        assert_int_equal(into.len, wanted.len);
        assert_memory_equal(into.data, wanted.data, wanted.len);
        buf_release(&text);
        buf_release(&wanted);
        buf_release(&into);
    }
}

/* 2 is added to positions: the bytes of a BOM that was consumed before. */
static void errors_stand_on_the_byte(void **unused)
{
    (void)unused;
    static const struct {
        const char *encoding, *bytes;
        size_t n;
        const char *where, *before;
    } bad[] = {
#define BAD(encoding, bytes, where, before) {encoding, bytes, sizeof(bytes) - 1, where, before}
        BAD("WINDOWS-1252", "abc\x81x", "at byte 5 ", "abc"),
        BAD("UTF-16LE", "a\0b\0c", "at byte 6 ", "ab"),
        BAD("UTF-16LE", "a\0\x3d\xd8z\0", "at byte 4 ", "a"),
        BAD("UTF-16LE", "a\0\x3d\xd8", "at byte 4 ", "a"),
        BAD("UTF-8", "abc\xc3(", "at byte 5 ", "abc"),
        BAD("UTF-8", "abc\xe2\x82", "at byte 5 ", "abc"),
        BAD("SHIFT_JIS", "ab\x93\xfa\x93", "at byte 6 ", "ab日"),
        BAD("UTF-32BE", "\0\0\0a\0\x11\0\0", "at byte 6 ", "a"),
    };
    static const size_t sizes[] = {1, 3, 100, 100000};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        for (size_t a = 0; a < ARRAY_LENGTH(sizes); a++)
            for (size_t b = 0; b < ARRAY_LENGTH(sizes); b++) {
                struct error err;
                struct buf into = {0};
                assert_int_equal(transcode(bad[i].encoding, bad[i].bytes, bad[i].n, sizes[a], sizes[b], &into, &err),
                                 ERR_BAD_ENCODING);
                if (!strstr(err.message, bad[i].where))
                    print_error("%s: %s\n", bad[i].encoding, err.message);
                assert_non_null(strstr(err.message, bad[i].where));
                assert_int_equal(into.len, strlen(bad[i].before));
                assert_memory_equal(into.data, bad[i].before, into.len);
                buf_release(&into);
            }
}

static void unknown_names_are_refused(void **unused)
{
    (void)unused;
    static const char *const names[] = {"", "KLINGON-1", "LATIN1//IGNORE", "LATIN1/",
                                        "ISO-8859-1-WITH-A-NAME-THAT-IS-FAR-TOO-LONG-TO-BE-AN-ENCODING-OF-ANY-KIND"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct error err;
        struct buf into = {0};
        assert_int_equal(transcode(names[i], "a", 1, 1, 1, &into, &err), ERR_INVALID);
        assert_non_null(strstr(err.hint, "iconv --list"));
        buf_release(&into);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seam),
        cmocka_unit_test(long_text_crosses_windows),
        cmocka_unit_test(errors_stand_on_the_byte),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
