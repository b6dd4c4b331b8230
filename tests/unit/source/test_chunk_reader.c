/* Chunks of whole records out of sources that give what they like. */
#include "unit/cmocka_all.h"

#include <stdlib.h>

#include "format/csv/csv_cutter.h"
#include "source/chunk_reader.h"
#include "unit/format/compress/drip_source.h"

/* A cutter at line ends that notes what it was told. */
struct line_cutter {
    unsigned ends_told, calls, freed;
    size_t most_shown;
    bool fails;
};

static status line_cut(void *self, const uint8_t *data, size_t len, size_t scanned, bool at_end, size_t *cut,
                       struct text_chunk *chunk, struct error *err)
{
    struct line_cutter *c = self;
    c->calls++;
    c->ends_told += at_end;
    c->most_shown = len > c->most_shown ? len : c->most_shown;
    assert_true(scanned < len || at_end);
    for (size_t i = 0; i < scanned; i++)
        assert_int_not_equal(data[i], '\n');
    if (c->fails)
        return error_set(err, ERR_BAD_DATA, "no line here");
    size_t n = len;
    while (n > 0 && data[n - 1] != '\n')
        n--;
    *cut = at_end ? len : n;
    chunk->quotes = true;
    return OK;
}

static void line_cutter_free(void *self)
{
    ((struct line_cutter *)self)->freed++;
}

static const struct text_cutter_ops line_cutter_ops = {.cut = line_cut, .free = line_cutter_free};

struct whole {
    struct buf text;
    size_t chunks, longest;
};

static void read_all(struct whole *w, const char *text, size_t n, size_t step, size_t chunk_bytes, size_t first)
{
    struct line_cutter cutter = {0};
    struct drip drip;
    struct chunk_reader reader;
    struct chunk_buffer buffer = {0};
    struct text_chunk chunk;
    struct error err;
    *w = (struct whole){0};
    assert_int_equal(chunk_reader_init(&reader, drip_open(&drip, text + first, n - first, step),
                                       (struct text_cutter){&line_cutter_ops, &cutter}, chunk_bytes,
                                       (struct str){text, first}, 1000, &err),
                     OK);
    bool last = false;
    for (;;) {
        bool end;
        assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, &err), OK);
        if (end)
            break;
        assert_false(last);
        last = chunk.last;
        assert_int_equal(chunk.byte_offset, 1000 + w->text.len);
        assert_int_equal(chunk.sequence, w->chunks);
        assert_true(chunk.quotes);
        assert_true(chunk.len > 0);
        assert_true(chunk.data[chunk.len - 1] == '\n' || chunk.last);
        if (chunk.last)
            assert_int_equal(chunk.data[chunk.len], '\n');
        volatile uint8_t around = 0; /* readable: the sanitizer looks on */
        for (size_t i = 0; i < TEXT_PAD; i++)
            around |= (uint8_t)(chunk.data[(ptrdiff_t)i - TEXT_PAD] | chunk.data[chunk.len + i]);
        (void)around;
        w->longest = chunk.len > w->longest ? chunk.len : w->longest;
        w->chunks++;
        assert_int_equal(buf_append(&w->text, chunk.data, chunk.len, &err), OK);
    }
    bool end = false;
    assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, &err), OK);
    assert_true(end); /* and it stays the end */
    assert_true(cutter.ends_told >= 1);
    assert_true(reader.read_seconds >= 0);
    chunk_reader_release(&reader);
    chunk_buffer_release(&buffer);
    assert_int_equal(drip.closed, 1);
    assert_int_equal(cutter.freed, 1);
    assert_int_equal(w->text.len, n);
    if (n)
        assert_memory_equal(w->text.data, text, n);
    buf_release(&w->text);
}

static void every_chunk_size_and_step(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"",
                                        "\n",
                                        "a",
                                        "a\n",
                                        "one\ntwo\nthree\n",
                                        "one\ntwo\nthree",
                                        "a line much longer than the others, to outgrow its buffer\nb\n\n\nc"};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        size_t n = strlen(texts[t]);
        for (size_t chunk_bytes = 1; chunk_bytes <= n + 2; chunk_bytes++)
            for (size_t step = 1; step <= n + 1; step += 1 + n / 4)
                for (size_t first = 0; first <= n; first += 1 + n / 3) {
                    struct whole w;
                    read_all(&w, texts[t], n, step, chunk_bytes, first);
                    assert_true(n == 0 ? w.chunks == 0 : w.chunks >= 1);
                }
    }
}

/* Chunks are about as large as wanted, and a chunk that fits exactly loses nothing. */
static void sizes(void **unused)
{
    (void)unused;
    char text[4096];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 8 == 7 ? '\n' : 'x';
    struct whole w;
    read_all(&w, text, sizeof text, 100, 1024, 0);
    assert_int_equal(w.longest, 1024);
    assert_int_equal(w.chunks, 4);
    read_all(&w, text, 1024, 1024, 1024, 0);
    assert_int_equal(w.chunks, 1);
    read_all(&w, text, 1024, 1, 4096, 0);
    assert_int_equal(w.chunks, 1);
}

/* Ends in an error after some bytes. */
struct failing {
    struct drip drip;
    struct byte_source inner;
};

static status failing_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct failing *f = self;
    status s = byte_source_read(&f->inner, into, cap, got, err);
    return s == OK && *got == 0 ? error_set(err, ERR_IO, "the disk is gone") : s;
}

static void failing_close(void *self)
{
    byte_source_close(&((struct failing *)self)->inner);
}

static const struct byte_source_ops failing_ops = {.read = failing_read, .close = failing_close};

static void error_in_the_middle(void **unused)
{
    (void)unused;
    struct line_cutter cutter = {0};
    struct failing f;
    struct chunk_reader reader;
    struct chunk_buffer buffer = {0};
    struct text_chunk chunk;
    struct error err = {0};
    bool end = false;
    f.inner = drip_open(&f.drip, "one\ntwo\nthr", 11, 3);
    assert_int_equal(chunk_reader_init(&reader, (struct byte_source){&failing_ops, &f},
                                       (struct text_cutter){&line_cutter_ops, &cutter}, 8, (struct str){0}, 0, &err),
                     OK);
    assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, &err), OK);
    assert_int_equal(chunk.len, 8);
    assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, &err), ERR_IO);
    assert_string_equal(err.message, "the disk is gone");
    assert_int_equal(cutter.ends_told, 0); /* what is missing was not taken for the end */
    chunk_reader_release(&reader);
    chunk_buffer_release(&buffer);
    assert_int_equal(f.drip.closed, 1);
}

static void error_of_the_cutter(void **unused)
{
    (void)unused;
    struct line_cutter cutter = {.fails = true};
    struct drip drip;
    struct chunk_reader reader;
    struct chunk_buffer buffer = {0};
    struct text_chunk chunk;
    struct error err = {0};
    bool end;
    assert_int_equal(chunk_reader_init(&reader, drip_open(&drip, "a\n", 2, 9),
                                       (struct text_cutter){&line_cutter_ops, &cutter}, 8, (struct str){0}, 0, &err),
                     OK);
    assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, &err), ERR_BAD_DATA);
    chunk_reader_release(&reader);
    chunk_buffer_release(&buffer);
    assert_int_equal(cutter.freed, 1);
}

/* The last line of an old Macintosh file ends in CR: what lies behind the text must not make it a CR LF. */
static void last_carriage_return(void **unused)
{
    (void)unused;
    struct csv_cutter_options options = {.dialect = {.delimiter = ","}, .max_record_bytes = 100};
    struct text_cutter cutter;
    struct drip drip;
    struct chunk_reader reader;
    struct chunk_buffer buffer = {0};
    struct text_chunk chunk;
    bool end;
    assert_int_equal(csv_cutter_create(&cutter, &options, NULL), OK);
    assert_int_equal(
        chunk_reader_init(&reader, drip_open(&drip, "1,2\r3,4\r", 8, 9), cutter, 64, (struct str){0}, 0, NULL), OK);
    assert_int_equal(chunk_reader_next(&reader, &buffer, &chunk, &end, NULL), OK);
    assert_false(end);
    assert_true(chunk.last);
    assert_int_equal(chunk.len, 8);
    chunk_reader_release(&reader);
    chunk_buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_size_and_step), cmocka_unit_test(sizes),
        cmocka_unit_test(error_in_the_middle),       cmocka_unit_test(error_of_the_cutter),
        cmocka_unit_test(last_carriage_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
