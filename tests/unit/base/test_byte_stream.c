#include <string.h>

#include "base/byte_stream.h"
#include "unit/cmocka_all.h"

/* Yields one byte a read, then fails or ends. */
struct drip {
    const char *text;
    size_t at, fail_at;
    int closed;
};

static status drip_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct drip *d = self;
    assert_true(cap > 0);
    if (d->at == d->fail_at)
        return error_set(err, ERR_IO, "the drip broke");
    *got = d->text[d->at] ? 1 : 0;
    if (*got)
        *into = (uint8_t)d->text[d->at++];
    return OK;
}

static void drip_close(void *self)
{
    ((struct drip *)self)->closed++;
}

static const struct byte_source_ops drip_ops = {drip_read, drip_close};

static void full_reads_collect_short_ones(void **state)
{
    (void)state;
    struct drip d = {"hello", 0, SIZE_MAX, 0};
    struct byte_source source = {&drip_ops, &d};
    uint8_t into[16];
    size_t got = 99;
    assert_int_equal(byte_source_read(&source, into, sizeof into, &got, NULL), OK);
    assert_int_equal(got, 1);
    assert_int_equal(byte_source_read_full(&source, into, 2, &got, NULL), OK);
    assert_int_equal(got, 2);
    assert_memory_equal(into, "el", 2);
    assert_int_equal(byte_source_read_full(&source, into, sizeof into, &got, NULL), OK);
    assert_int_equal(got, 2);
    assert_memory_equal(into, "lo", 2);
    assert_int_equal(byte_source_read_full(&source, into, sizeof into, &got, NULL), OK);
    assert_int_equal(got, 0);
    byte_source_close(&source);
    byte_source_close(&source);
    assert_int_equal(d.closed, 1);
}

static void a_failed_read_reports_and_leaves_the_count(void **state)
{
    (void)state;
    struct drip d = {"hello", 0, 3, 0};
    struct byte_source source = {&drip_ops, &d};
    struct error err;
    uint8_t into[16];
    size_t got = 99;
    assert_int_equal(byte_source_read_full(&source, into, sizeof into, &got, &err), ERR_IO);
    assert_int_equal(got, 99);
    assert_string_equal(err.message, "the drip broke");
    byte_source_close(&source);
    assert_int_equal(d.closed, 1);
}

static void memory_is_read_in_pieces_to_the_end(void **state)
{
    (void)state;
    const char text[] = "0123456789";
    for (size_t cap = 1; cap <= 11; cap++) {
        struct byte_source source;
        assert_int_equal(byte_source_memory(&source, text, 10, NULL), OK);
        char back[32];
        size_t total = 0, got;
        do {
            assert_int_equal(byte_source_read(&source, (uint8_t *)back + total, cap, &got, NULL), OK);
            assert_true(got <= cap);
            total += got;
        } while (got);
        assert_int_equal(total, 10);
        assert_memory_equal(back, text, 10);
        byte_source_close(&source);
        assert_null(source.ops);
    }
    struct byte_source empty;
    uint8_t byte;
    size_t got = 99;
    assert_int_equal(byte_source_memory(&empty, NULL, 0, NULL), OK);
    assert_int_equal(byte_source_read(&empty, &byte, 1, &got, NULL), OK);
    assert_int_equal(got, 0);
    byte_source_close(&empty);
}

struct tally {
    size_t bytes;
    int finished, closed;
};

static status tally_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct tally *t = self;
    if (n && bytes[0] == '!')
        return error_set(err, ERR_NO_SPACE, "full");
    t->bytes += n;
    return OK;
}

static status tally_finish(void *self, struct error *err)
{
    (void)err;
    ((struct tally *)self)->finished++;
    return OK;
}

static void tally_close(void *self)
{
    ((struct tally *)self)->closed++;
}

static const struct byte_sink_ops tally_ops = {tally_write, tally_finish, tally_close};

static void sinks_pass_on_and_close_once(void **state)
{
    (void)state;
    struct tally t = {0};
    struct byte_sink sink = {&tally_ops, &t};
    struct error err;
    assert_int_equal(byte_sink_write(&sink, "abc", 3, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "!", 1, &err), ERR_NO_SPACE);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    byte_sink_close(&sink);
    byte_sink_close(&sink);
    assert_int_equal(t.bytes, 3);
    assert_int_equal(t.finished, 1);
    assert_int_equal(t.closed, 1);
    byte_source_close(&(struct byte_source){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_reads_collect_short_ones),
        cmocka_unit_test(a_failed_read_reports_and_leaves_the_count),
        cmocka_unit_test(memory_is_read_in_pieces_to_the_end),
        cmocka_unit_test(sinks_pass_on_and_close_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
