/* Runs input through cutter and decoder as a reader would, with a buffer that grows by `step` bytes, and renders all
 * that comes out as text: the rows as NDJSON, then one line a reject, then the totals. */
#ifndef FF_TESTS_JSON_FEED_H
#define FF_TESTS_JSON_FEED_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/json/json_decoder.h"
#include "format/json/json_encoder.h"

#define FEED_TARGETS_MAX 64

struct feed {
    struct json_options options;
    struct schema schema;
    struct decode_target targets[FEED_TARGETS_MAX];
    struct buf rows, rejects;
    uint64_t records, good, lines, bad;
    bool widened;
    enum infer_class observed[FEED_TARGETS_MAX];
    struct buf new_keys; /* each followed by a space */
    status result;
    struct error err;
};

static inline void feed_init(struct feed *f)
{
    *f = (struct feed){.options = {.max_record_bytes = 1 << 20}};
}

static inline struct decode_target *feed_column(struct feed *f, const char *name, struct data_type type)
{
    struct decode_target *t = &f->targets[f->schema.count];
    struct str source = str_of(name);
    *t = (struct decode_target){.source = source, .type = type};
    assert_int_equal(schema_add(&f->schema, source, source, type, false, &f->err), OK);
    return t;
}

static inline struct decode_target *feed_infer(struct feed *f, const char *name, enum infer_class class_)
{
    struct decode_target *t = feed_column(f, name, infer_type(class_));
    t->infer = true;
    t->class_ = class_;
    return t;
}

static inline void feed_release(struct feed *f)
{
    schema_release(&f->schema);
    buf_release(&f->rows);
    buf_release(&f->rejects);
    buf_release(&f->new_keys);
}

static inline void feed_collect(struct feed *f, const struct decoded *d)
{
    assert_int_equal(d->observed_count, f->schema.count);
    if (!d->widened) {
        assert_int_equal(d->records, d->batch.rows + d->rejects.count);
        for (size_t i = 0; i < d->batch.column_count; i++)
            assert_int_equal(d->batch.columns[i].length, d->batch.rows);
        assert_int_equal(ndjson_encode(&d->batch, &f->rows, &f->err), OK);
        f->good += d->batch.rows;
    }
    for (size_t i = 0; i < d->rejects.count; i++) {
        const struct reject *r = &d->rejects.items[i];
        struct str message = reject_message(&d->rejects, r), raw = reject_raw(&d->rejects, r);
        assert_int_equal(buf_printf(&f->rejects, &f->err,
                                    "%s record %" PRIu64 " line %" PRIu64 " bytes %" PRIu64 "+%" PRIu64
                                    " raw %zu: %.*s\n",
                                    reject_code_name(r->code), r->record + f->records, r->line + f->lines,
                                    r->byte_offset, r->byte_length, raw.n, (int)message.n, message.p),
                         OK);
    }
    f->bad += d->rejects.count;
    f->records += d->records;
    f->lines += d->lines;
    f->widened |= d->widened;
    for (size_t i = 0; i < d->observed_count; i++)
        f->observed[i] = infer_join(f->observed[i], d->observed[i]);
    for (size_t at = 0; at < d->new_keys.len;) {
        uint32_t n;
        memcpy(&n, d->new_keys.data + at, sizeof n);
        assert_int_equal(buf_append(&f->new_keys, d->new_keys.data + at + sizeof n, n, &f->err), OK);
        assert_int_equal(buf_append(&f->new_keys, " ", 1, &f->err), OK);
        at += sizeof n + n;
    }
}

/* Decodes a copy of the chunk that lies in memory of exactly its size and padding. */
static inline status feed_decode(struct feed *f, struct text_decoder *decoder, struct text_chunk *chunk,
                                 struct decoded *into)
{
    uint8_t *memory = malloc(chunk->len + 2 * TEXT_PAD);
    assert_non_null(memory);
    memset(memory, '7', chunk->len + 2 * TEXT_PAD); /* padding that looks like more of a number */
    memcpy(memory + TEXT_PAD, chunk->data, chunk->len);
    struct text_chunk copy = *chunk;
    copy.data = memory + TEXT_PAD;
    status s = decoder->ops->decode(decoder->self, &copy, f->targets, &f->schema, into, &f->err);
    if (s == OK)
        feed_collect(f, into);
    free(memory);
    return s;
}

static inline void feed_run(struct feed *f, const void *input, size_t n, size_t step)
{
    struct text_cutter cutter;
    struct text_decoder decoder;
    struct decoded into = {0};
    buf_clear(&f->rows);
    buf_clear(&f->rejects);
    buf_clear(&f->new_keys);
    f->records = f->good = f->lines = f->bad = 0;
    f->widened = false;
    memset(f->observed, 0, sizeof f->observed);
    assert_int_equal(json_cutter_create(&cutter, &f->options, &f->err), OK);
    assert_int_equal(json_decoder_create(&decoder, &f->options, &f->err), OK);
    size_t begin = 0, shown = 0, scanned = 0;
    uint64_t sequence = 0;
    f->result = OK;
    for (bool done = false; !done && f->result == OK;) {
        shown = n - shown < step ? n : shown + step;
        bool at_end = shown == n;
        size_t len = shown - begin, cut = 0;
        uint8_t *memory = malloc(len + 2 * TEXT_PAD);
        assert_non_null(memory);
        memset(memory, ']', len + 2 * TEXT_PAD);
        if (len)
            memcpy(memory + TEXT_PAD, (const uint8_t *)input + begin, len);
        struct text_chunk chunk = {.data = memory + TEXT_PAD, .byte_offset = begin, .sequence = sequence};
        f->result = cutter.ops->cut(cutter.self, chunk.data, len, scanned, at_end, &cut, &chunk, &f->err);
        assert_true(cut <= len);
        if (f->result == OK && cut) {
            chunk.len = cut;
            chunk.last = at_end && cut == len;
            f->result = feed_decode(f, &decoder, &chunk, &into);
            sequence++;
            begin += cut;
        }
        scanned = cut ? 0 : len;
        done = at_end && begin == n;
        if (at_end && !done && f->result == OK)
            assert_true(cut > 0);
        free(memory);
    }
    decoded_release(&into);
    text_cutter_free(&cutter);
    text_decoder_free(&decoder);
}

static inline void feed_expect_text(const struct buf *have, const char *expected)
{
    if (have->len == strlen(expected) && (have->len == 0 || memcmp(have->data, expected, have->len) == 0))
        return;
    print_error("have:\n%.*s\nexpected:\n%s\n", (int)have->len, have->len ? (const char *)have->data : "", expected);
    fail();
}

/* At every buffer size the rows and rejects are the same. */
static inline void feed_expect(struct feed *f, const void *input, size_t n, const char *rows, const char *rejects,
                               uint64_t lines)
{
    for (size_t step = n + 1; step-- > 1;) {
        feed_run(f, input, n, step);
        if (f->result != OK) {
            print_error("step %zu: %s\n", step, f->err.message);
            fail();
        }
        feed_expect_text(&f->rows, rows);
        feed_expect_text(&f->rejects, rejects);
        assert_int_equal(f->lines, lines);
        assert_int_equal(f->records, f->good + f->bad);
    }
}

#endif
