/* Facts about an input and its text, whatever it is wrapped in. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "source/text_input.h"

static char folder[] = "/tmp/flowforge_text_input_XXXXXX";
static char path[64];

static void write_file(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_gzip(const char *bytes, size_t n)
{
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

static void write_zstd(const char *bytes, size_t n)
{
    char packed[1024];
    size_t got = ZSTD_compress(packed, sizeof packed, bytes, n, 3);
    assert_false(ZSTD_isError(got));
    write_file(packed, got);
}

/* Look at the file, then read it whole; both give `text`. */
static struct text_input_facts assert_text(const char *encoding, const char *text, size_t head_bytes)
{
    struct text_input_options options = {.encoding = encoding};
    struct text_input_facts facts;
    struct buf head = {0}, all = {0};
    struct byte_source source;
    struct error err = {0};
    atomic_ullong progress = 0;
    bool whole = false;
    status s = text_input_look(path, &options, head_bytes, &facts, &head, &whole, &err);
    if (s != OK)
        print_error("%s\n", err.message);
    assert_int_equal(s, OK);
    assert_true(head.len <= strlen(text));
    assert_memory_equal(head.data, text, head.len);
    if (whole)
        assert_int_equal(head.len, strlen(text));
    assert_int_equal(text_input_open(path, &options, &facts, &progress, &source, &err), OK);
    assert_int_equal(buf_reserve(&all, strlen(text) + 100, &err), OK);
    assert_int_equal(byte_source_read_full(&source, all.data, strlen(text) + 100, &all.len, &err), OK);
    assert_int_equal(all.len, strlen(text));
    assert_memory_equal(all.data, text, all.len);
    byte_source_close(&source);
    assert_int_equal(atomic_load(&progress), facts.size); /* bytes on disk, however they were packed */
    assert_true(facts.regular);
    assert_int_equal(text_input_check_unchanged(path, &facts, &err), OK);
    buf_release(&head);
    buf_release(&all);
    return facts;
}

#define TEXT "name,town\nJos\xC3\xA9,K\xC3\xB6ln\nZo\xC3\xAB,\xC3\x85rhus\n"

static void plain_gzip_zstd(void **unused)
{
    (void)unused;
    for (size_t head = 5; head < 60; head += 11) {
        write_file(TEXT, strlen(TEXT));
        struct text_input_facts facts = assert_text(NULL, TEXT, head);
        assert_int_equal(facts.compression, SNIFF_PLAIN);
        assert_string_equal(facts.encoding, "UTF-8");
        assert_int_equal(facts.bom_bytes, 0);
        write_gzip(TEXT, strlen(TEXT));
        assert_int_equal(assert_text(NULL, TEXT, head).compression, SNIFF_GZIP);
        write_zstd(TEXT, strlen(TEXT));
        assert_int_equal(assert_text(NULL, TEXT, head).compression, SNIFF_ZSTD);
    }
}

static void byte_order_mark(void **unused)
{
    (void)unused;
    write_file("\xEF\xBB\xBF" TEXT, strlen(TEXT) + 3);
    struct text_input_facts facts = assert_text(NULL, TEXT, 1000);
    assert_string_equal(facts.encoding, "UTF-8");
    assert_int_equal(facts.bom_bytes, 3);
    assert_int_equal(assert_text("utf-8", TEXT, 1000).bom_bytes, 3);
    write_gzip("\xEF\xBB\xBF" TEXT, strlen(TEXT) + 3);
    assert_int_equal(assert_text(NULL, TEXT, 1000).bom_bytes, 3);
}

static void utf16(void **unused)
{
    (void)unused;
    static const char text[] = "id,name\n1,abc\n2,def\n3,ghi\n4,jkl\n";
    for (int big = 0; big < 2; big++)
        for (int mark = 0; mark < 2; mark++) {
            uint8_t bytes[200];
            size_t n = 0;
            if (mark) {
                bytes[n++] = big ? 0xFE : 0xFF;
                bytes[n++] = big ? 0xFF : 0xFE;
            }
            for (const char *c = text; *c; c++) {
                bytes[n++] = big ? 0 : (uint8_t)*c;
                bytes[n++] = big ? (uint8_t)*c : 0;
            }
            write_file(bytes, n);
            const char *name = big ? "UTF-16BE" : "UTF-16LE";
            for (size_t head = 7; head < 100; head += 31) { /* also one that ends within a character */
                struct text_input_facts facts = assert_text(mark ? NULL : name, text, head);
                assert_string_equal(facts.encoding, name);
                assert_int_equal(facts.bom_bytes, mark ? 2 : 0);
            }
            assert_text(name, text, 1000);
            if (mark)
                assert_string_equal(assert_text("UTF-16", text, 1000).encoding, name);
        }
}

static void given_code_page(void **unused)
{
    (void)unused;
    write_file("gr\xFCn\n", 5);
    struct text_input_facts facts = assert_text("WINDOWS-1252", "gr\xC3\xBCn\n", 100);
    assert_string_equal(facts.encoding, "WINDOWS-1252");
    assert_true(facts.encoding_sure == 1.0);
}

static void empty_file(void **unused)
{
    (void)unused;
    struct text_input_options options = {0};
    struct text_input_facts facts;
    struct buf head = {0};
    bool whole = false;
    write_file("", 0);
    assert_int_equal(text_input_look(path, &options, 100, &facts, &head, &whole, NULL), OK);
    assert_true(whole);
    assert_int_equal(head.len, 0);
    assert_int_equal(facts.size, 0);
    assert_string_equal(facts.encoding, "UTF-8");
    buf_release(&head);
}

static void errors(void **unused)
{
    (void)unused;
    struct text_input_options options = {0};
    struct text_input_facts facts;
    struct buf head = {0};
    struct error err = {0};
    bool whole;
    assert_int_equal(text_input_look("/nowhere/x.csv", &options, 100, &facts, &head, &whole, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/x.csv"));
    assert_int_equal(text_input_look(folder, &options, 100, &facts, &head, &whole, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, folder));
    write_file("\x1F\x8B\x08\x00garbage that is no deflate stream at all", 44);
    assert_int_not_equal(text_input_look(path, &options, 100, &facts, &head, &whole, &err), OK);
    assert_non_null(strstr(err.message, path));
    options.encoding = "KLINGON-8";
    write_file("a\n", 2);
    assert_int_not_equal(text_input_look(path, &options, 100, &facts, &head, &whole, &err), OK);
    assert_non_null(strstr(err.message, "KLINGON-8"));
    buf_release(&head);
}

static void changed_meanwhile(void **unused)
{
    (void)unused;
    struct text_input_options options = {0};
    struct text_input_facts facts;
    struct buf head = {0};
    struct error err = {0};
    bool whole;
    write_file("a\n1\n", 4);
    assert_int_equal(text_input_look(path, &options, 100, &facts, &head, &whole, &err), OK);
    write_file("a\n1\n2\n", 6);
    assert_int_equal(text_input_check_unchanged(path, &facts, &err), ERR_CHANGED);
    assert_non_null(strstr(err.message, path));
    buf_release(&head);
}

static int make_folder(void **unused)
{
    (void)unused;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/input", folder);
    return 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    return unlink(path) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_gzip_zstd),   cmocka_unit_test(byte_order_mark), cmocka_unit_test(utf16),
        cmocka_unit_test(given_code_page),   cmocka_unit_test(empty_file),      cmocka_unit_test(errors),
        cmocka_unit_test(changed_meanwhile),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
