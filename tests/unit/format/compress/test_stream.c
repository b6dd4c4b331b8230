#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/compress/stream.h"
#include "unit/format/compress/drip_source.h"

typedef status open_fn(struct byte_source *, struct byte_source *, struct decompress_limits, struct error *);
typedef status block_fn(const void *, size_t, int, struct buf *, struct error *);

static const struct {
    open_fn *open;
    block_fn *block;
} codecs[] = {{byte_source_gunzip, gzip_block}, {byte_source_unzstd, zstd_block}};

static struct buf sample_text(size_t n)
{
    struct buf text = {0};
    uint32_t state = 12345;
    struct error err;
    while (text.len < n) {
        state = state * 1664525u + 1013904223u;
        assert_int_equal(buf_printf(&text, &err, "%u,name %u,%u.%u\n", state >> 8, state % 97, state % 1000, state % 7),
                         OK);
    }
    text.len = n;
    return text;
}

/* Read everything by `chunk` bytes; the status of the read that ended it. */
static status read_all(struct byte_source *source, size_t chunk, struct buf *into, struct error *err)
{
    for (;;) {
        size_t got;
        assert_int_equal(buf_reserve(into, chunk, err), OK);
        status s = byte_source_read(source, into->data + into->len, chunk, &got, err);
        if (s != OK || got == 0)
            return s;
        into->len += got;
    }
}

static status unpack(size_t codec, const struct buf *packed, size_t step, size_t chunk, struct decompress_limits limits,
                     struct buf *into, struct error *err)
{
    struct drip drip;
    struct byte_source from = drip_open(&drip, packed->data, packed->len, step), source = {0};
    status s = codecs[codec].open(&source, &from, limits, err);
    assert_int_equal(s, OK);
    assert_null(from.ops);
    s = read_all(&source, chunk, into, err);
    assert_int_equal(drip.closed, 0);
    byte_source_close(&source);
    assert_int_equal(drip.closed, 1);
    return s;
}

static void blocks_concatenate(void **unused)
{
    (void)unused;
    struct buf text = sample_text(300000);
    static const struct {
        size_t step, chunk;
    } sizes[] = {{1, 70000}, {7, 1000}, {1 << 20, 1}, {1 << 20, 1 << 20}, {4096, 333}};
    for (size_t c = 0; c < ARRAY_LENGTH(codecs); c++) {
        struct error err;
        struct buf packed = {0};
        assert_int_equal(codecs[c].block(text.data, 100000, 6, &packed, &err), OK);
        assert_int_equal(codecs[c].block(text.data + 100000, 0, 6, &packed, &err), OK);
        assert_int_equal(codecs[c].block(text.data + 100000, 200000, 1, &packed, &err), OK);
        assert_true(packed.len < 200000);
        for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
            struct buf back = {0};
            assert_int_equal(
                unpack(c, &packed, sizes[i].step, sizes[i].chunk, (struct decompress_limits){0}, &back, &err), OK);
            assert_int_equal(back.len, text.len);
            assert_memory_equal(back.data, text.data, text.len);
            buf_release(&back);
        }
        buf_release(&packed);
    }
    buf_release(&text);
}

static void truncation_tells_the_offset(void **unused)
{
    (void)unused;
    struct buf text = sample_text(5000);
    for (size_t c = 0; c < ARRAY_LENGTH(codecs); c++) {
        struct error err;
        struct buf packed = {0};
        assert_int_equal(codecs[c].block(text.data, text.len, 6, &packed, &err), OK);
        size_t whole = packed.len;
        for (size_t cut = 0; cut < whole; cut += cut < 30 || cut + 30 > whole ? 1 : 97) {
            struct buf back = {0};
            char where[64];
            packed.len = cut;
            assert_int_equal(unpack(c, &packed, 512, 4096, (struct decompress_limits){0}, &back, &err), ERR_BAD_DATA);
            snprintf(where, sizeof where, "compressed byte %zu", cut);
            assert_non_null(strstr(err.message, where));
            buf_release(&back);
        }
        buf_release(&packed);
    }
    buf_release(&text);
}

static void what_may_follow(void **unused)
{
    (void)unused;
    static const uint8_t zeros[700] = {0};
    struct error err;
    struct buf packed = {0}, back = {0};
    assert_int_equal(gzip_block("abc", 3, 6, &packed, &err), OK);
    size_t member = packed.len;
    assert_int_equal(buf_append(&packed, zeros, sizeof zeros, &err), OK);
    assert_int_equal(unpack(0, &packed, 100, 100, (struct decompress_limits){0}, &back, &err), OK);
    assert_int_equal(back.len, 3);
    buf_clear(&back);
    packed.data[packed.len - 1] = 'x';
    assert_int_equal(unpack(0, &packed, 100, 100, (struct decompress_limits){0}, &back, &err), ERR_BAD_DATA);
    char where[64];
    snprintf(where, sizeof where, "compressed byte %zu", packed.len - 1);
    assert_non_null(strstr(err.message, where));

    packed.len = member;
    assert_int_equal(buf_append(&packed, "junk", 4, &err), OK);
    buf_clear(&back);
    assert_int_equal(unpack(0, &packed, 100, 100, (struct decompress_limits){0}, &back, &err), ERR_BAD_DATA);
    assert_int_equal(back.len, 3);
    buf_clear(&packed);
    buf_clear(&back);
    assert_int_equal(zstd_block("abc", 3, 3, &packed, &err), OK);
    assert_int_equal(buf_append(&packed, "junkjunk", 8, &err), OK);
    assert_int_equal(unpack(1, &packed, 100, 100, (struct decompress_limits){0}, &back, &err), ERR_BAD_DATA);
    assert_int_equal(back.len, 3);
    buf_release(&packed);
    buf_release(&back);
}

static void corruption_is_found(void **unused)
{
    (void)unused;
    struct buf text = sample_text(20000);
    struct error err;
    struct buf packed = {0}, back = {0};
    assert_int_equal(gzip_block(text.data, text.len, 6, &packed, &err), OK);
    packed.data[packed.len - 8] ^= 1; /* the checksum in the trailer */
    assert_int_equal(unpack(0, &packed, 4096, 4096, (struct decompress_limits){0}, &back, &err), ERR_BAD_DATA);
    buf_release(&packed);
    buf_release(&back);
    buf_release(&text);
}

static void bombs_are_stopped(void **unused)
{
    (void)unused;
    struct error err;
    struct buf zeros = {0};
    uint8_t *at;
    assert_int_equal(buf_extend_zero(&zeros, 4u << 20, &at, &err), OK);
    for (size_t c = 0; c < ARRAY_LENGTH(codecs); c++) {
        struct buf packed = {0}, back = {0};
        assert_int_equal(codecs[c].block(zeros.data, zeros.len, 6, &packed, &err), OK);
        struct decompress_limits tight = {.free_bytes = 1u << 20, .max_ratio = 100};
        assert_int_equal(unpack(c, &packed, 1 << 16, 1 << 14, tight, &back, &err), ERR_LIMIT);
        assert_true(back.len < 2u << 20);
        struct decompress_limits none[] = {{.free_bytes = 1, .max_ratio = 0},
                                           {.free_bytes = 1, .max_ratio = 1000000},
                                           {.free_bytes = 4u << 20, .max_ratio = 2}};
        for (size_t i = 0; i < ARRAY_LENGTH(none); i++) {
            buf_clear(&back);
            assert_int_equal(unpack(c, &packed, 1 << 16, 1 << 14, none[i], &back, &err), OK);
            assert_int_equal(back.len, zeros.len);
        }
        buf_release(&packed);
        buf_release(&back);
    }
    buf_release(&zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_concatenate), cmocka_unit_test(truncation_tells_the_offset),
        cmocka_unit_test(what_may_follow),    cmocka_unit_test(corruption_is_found),
        cmocka_unit_test(bombs_are_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
