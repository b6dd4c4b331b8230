/* CSV text through cutter and decoder as a run does it, with buffers of any size, and what came out as text that can
 * be compared. Shared by the unit tests and the fuzz target: a broken rule aborts. */
#ifndef TESTS_UNIT_FORMAT_CSV_CSV_FEED_H
#define TESTS_UNIT_FORMAT_CSV_CSV_FEED_H

#include <stdio.h>
#include <stdlib.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "format/csv/csv_cutter.h"
#include "format/csv/csv_decoder.h"
#include "format/csv/csv_scan.h"

#define FEED_COLUMNS_MAX 8

struct feed {
    struct csv_dialect dialect;
    size_t columns;       /* of the source */
    size_t step;          /* first buffer size, at least 1 */
    size_t segment_bytes; /* 0: the decoder's own */
    size_t max_record;    /* 0: no limit */
    const struct csv_scanner *scanner;
    const struct str *nulls;
    size_t null_count;
    const struct decode_target *targets;
    size_t target_count;
    uint8_t pad; /* what stands around the text */
};

struct feed_result {
    struct buf rows;    /* cells as text, each ended by 0x1F; null: 0x1E; rows by 0x1D */
    struct buf rejects; /* a line each */
    uint64_t records, lines, row_count, reject_count, chunks, dictionaries, dictionary_entries;
    bool widened;
    enum infer_class observed[FEED_COLUMNS_MAX];
};

static inline void feed_must(bool holds, const char *rule)
{
    if (holds)
        return;
    fprintf(stderr, "broken rule: %s\n", rule);
    abort();
}

#define FEED_MUST(rule) feed_must((rule), #rule)

static inline struct csv_dialect feed_dialect(const char *delimiter, char quote, char escape)
{
    struct csv_dialect d = {.quote = quote, .escape = escape};
    snprintf(d.delimiter, sizeof d.delimiter, "%s", delimiter);
    return d;
}

static inline void feed_check_distinct(const struct column *c)
{
    for (size_t i = 0; i < c->dict_length && i < 64; i++)
        for (size_t k = 0; k < i; k++)
            if (type_is_var(c->type)) {
                FEED_MUST(!str_equal(column_slot_str(c, i), column_slot_str(c, k)));
            } else {
                size_t width = type_width(c->type);
                FEED_MUST(memcmp(c->data.data + i * width, c->data.data + k * width, width) != 0);
            }
}

/* The contract of column.h. */
static inline void feed_check_column(const struct column *c, size_t rows)
{
    size_t values = c->is_dict ? c->dict_length : c->length, nulls = 0;
    FEED_MUST(c->length == rows);
    FEED_MUST(c->null_count == 0 || c->validity.len >= (rows + 7) / 8);
    FEED_MUST(c->null_count > 0 || c->validity.len == 0);
    for (size_t row = 0; row < rows; row++) {
        nulls += column_is_null(c, row);
        if (c->is_dict)
            FEED_MUST(column_slot(c, row) < c->dict_length);
        if (column_is_null(c, row) && c->is_dict)
            FEED_MUST(column_slot(c, row) == 0);
        if (column_is_null(c, row) && !c->is_dict && type_is_var(c->type))
            FEED_MUST(column_str(c, row).n == 0);
    }
    FEED_MUST(nulls == c->null_count);
    if (type_is_var(c->type) && values == 0) {
        FEED_MUST(c->data.len == 0); /* after column_reset not even the first offset is there */
    } else if (type_is_var(c->type)) {
        FEED_MUST(c->offsets.len == (values + 1) * sizeof(uint32_t));
        const uint32_t *offsets = (const uint32_t *)c->offsets.data;
        FEED_MUST(offsets[0] == 0 && offsets[values] == c->data.len);
        for (size_t i = 0; i < values; i++)
            FEED_MUST(offsets[i] <= offsets[i + 1]);
    } else {
        FEED_MUST(c->data.len == values * type_width(c->type));
    }
    if (c->is_dict)
        feed_check_distinct(c);
}

static inline void feed_append(struct buf *to, const void *bytes, size_t n)
{
    FEED_MUST(buf_append(to, bytes, n, NULL) == OK);
}

static inline void feed_collect_rows(struct feed_result *r, const struct batch *batch)
{
    for (size_t i = 0; i < batch->column_count; i++) {
        feed_check_column(&batch->columns[i], batch->rows);
        r->dictionaries += batch->columns[i].is_dict;
        r->dictionary_entries += batch->columns[i].is_dict ? batch->columns[i].dict_length : 0;
    }
    for (size_t row = 0; row < batch->rows; row++) {
        for (size_t i = 0; i < batch->column_count; i++) {
            const struct column *c = &batch->columns[i];
            if (column_is_null(c, row))
                feed_append(&r->rows, "\x1E", 1);
            else
                FEED_MUST(value_text_append(c, row, &r->rows, NULL) == OK);
            feed_append(&r->rows, "\x1F", 1);
        }
        feed_append(&r->rows, "\x1D", 1);
    }
    r->row_count += batch->rows;
}

static inline void feed_collect(struct feed_result *r, const struct decoded *d)
{
    for (size_t i = 0; i < d->observed_count; i++)
        r->observed[i] = infer_join(r->observed[i], d->observed[i]);
    uint64_t before = 0;
    for (size_t i = 0; i < d->rejects.count; i++) {
        const struct reject *one = &d->rejects.items[i];
        struct str message = reject_message(&d->rejects, one), raw = reject_raw(&d->rejects, one);
        FEED_MUST(one->record > before && one->record <= d->records);
        before = one->record;
        FEED_MUST(buf_printf(&r->rejects, NULL, "%s record %llu line %llu at %llu+%llu column %d: %.*s [",
                             reject_code_name(one->code), (unsigned long long)(r->records + one->record),
                             (unsigned long long)(r->lines + one->line), (unsigned long long)one->byte_offset,
                             (unsigned long long)one->byte_length,
                             one->column == REJECT_NO_COLUMN ? -1 : (int)one->column, (int)message.n, message.p) == OK);
        feed_append(&r->rejects, raw.p, raw.n);
        feed_append(&r->rejects, "]\n", 2);
    }
    r->reject_count += d->rejects.count;
    r->records += d->records;
    r->lines += d->lines;
    r->widened |= d->widened;
    if (d->widened)
        return;
    FEED_MUST(d->batch.rows + d->rejects.count == d->records);
    feed_collect_rows(r, &d->batch);
}

/* As source/chunk_reader.c does: fill a buffer, cut, decode, keep the rest; twice the buffer when nothing was cut. */
static inline void feed_run(struct feed_result *r, const struct feed *f, const void *bytes, size_t size)
{
    struct text_cutter cutter;
    struct text_decoder decoder;
    struct decoded into = {0};
    struct schema schema = {0};
    struct error err = {0};
    struct csv_cutter_options cut_options = {f->dialect, f->columns == 1, f->max_record ? f->max_record : SIZE_MAX / 4};
    struct csv_decoder_options options = {
        .dialect = f->dialect,
        .source_columns = f->columns,
        .null_values = f->nulls,
        .null_value_count = f->null_count,
        .max_record_bytes = f->max_record,
        .segment_bytes = f->segment_bytes,
        .scanner = f->scanner,
    };
    *r = (struct feed_result){0};
    for (size_t i = 0; i < f->target_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%zu", i);
        FEED_MUST(schema_add(&schema, str_of(name), str_of(name), f->targets[i].type, false, &err) == OK);
    }
    FEED_MUST(csv_cutter_create(&cutter, &cut_options, &err) == OK);
    FEED_MUST(csv_decoder_create(&decoder, &options, &err) == OK);
    size_t begin = 0, cap = f->step, scanned = 0, tries = 0;
    for (;;) {
        size_t left = size - begin, len = left < cap ? left : cap, cut = 0;
        bool at_end = left < cap; /* only a read that gives less than was asked for tells the end */
        uint8_t *memory = malloc(len + 2 * TEXT_PAD);
        FEED_MUST(memory != NULL);
        memset(memory, f->pad, len + 2 * TEXT_PAD);
        if (len)
            memcpy(memory + TEXT_PAD, (const uint8_t *)bytes + begin, len);
        struct text_chunk chunk = {.data = memory + TEXT_PAD, .byte_offset = begin, .sequence = r->chunks};
        FEED_MUST(cutter.ops->cut(cutter.self, chunk.data, len, scanned, at_end, &cut, &chunk, &err) == OK);
        FEED_MUST(cut <= len);
        FEED_MUST(cut > 0 || !at_end || len == 0);
        if (cut) {
            chunk.len = cut;
            chunk.last = at_end && cut == len;
            if (chunk.last)
                chunk.data[len] = '\n';
            FEED_MUST(decoder.ops->decode(decoder.self, &chunk, f->targets, &schema, &into, &err) == OK);
            feed_collect(r, &into);
            r->chunks++;
            begin += cut;
            cap = f->step > len - cut ? f->step : len - cut + f->step;
            scanned = 0;
        } else {
            scanned = len;
            cap = len * 2 > cap ? len * 2 : cap;
            FEED_MUST(++tries < 100 + size);
        }
        free(memory);
        if (at_end && begin == size)
            break;
    }
    decoded_release(&into);
    schema_release(&schema);
    text_cutter_free(&cutter);
    text_decoder_free(&decoder);
}

static inline void feed_release(struct feed_result *r)
{
    buf_release(&r->rows);
    buf_release(&r->rejects);
}

static inline bool feed_same_text(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Why two results differ, or NULL. Rows and rejects only count when no column has to widen. */
static inline const char *feed_difference(const struct feed_result *a, const struct feed_result *b)
{
    if (a->records != b->records)
        return "records";
    if (a->lines != b->lines)
        return "lines";
    if (a->widened != b->widened)
        return "widened";
    if (memcmp(a->observed, b->observed, sizeof a->observed) != 0)
        return "observed classes";
    if (a->widened)
        return NULL;
    if (!feed_same_text(&a->rows, &b->rows))
        return "rows";
    return feed_same_text(&a->rejects, &b->rejects) ? NULL : "rejects";
}

#endif
