#include <stdlib.h>

#include "format/csv/csv_cutter.h"
#include "format/csv/csv_decoder_state.h"

struct csv_cell csv_segment_unescape(const struct csv_segment *seg, const uint8_t *p, size_t n)
{
    uint8_t *to = seg->unescaped->data + TEXT_PAD, *at = to;
    for (const uint8_t *end = p + n; p < end;) {
        const uint8_t *quote = memchr(p, seg->quote, (size_t)(end - p));
        size_t piece = quote ? (size_t)(quote - p) + 1 : (size_t)(end - p);
        memcpy(at, p, piece);
        at += piece;
        p += piece + (quote != NULL); /* of two quotes one stays */
    }
    return (struct csv_cell){to, (size_t)(at - to), true};
}

status csv_decoder_parse_columns(struct csv_decoder *d, const struct csv_segment *seg, struct error *err)
{
    struct batch *batch = &d->into->batch;
    size_t before = batch->rows;
    status s = buf_resize(&d->faults, seg->rows * 5 + 8, err);
    if (s != OK)
        return s;
    memset(d->faults.data, 0, d->faults.len);
    struct csv_faults faults = {.codes = d->faults.data + seg->rows * 4, .columns = csv_u32(&d->faults)};
    for (size_t i = 0; i < d->column_count; i++) {
        bool widened = false;
        struct csv_column_job job = {
            .segment = seg,
            .target = &d->targets[i],
            .index = (uint32_t)i,
            .nulls = &d->nulls,
            .faults = &faults,
            .observed = &d->into->observed[i],
            .widened = &widened,
        };
        if (d->observing) {
            csv_column_observe(&job);
            continue;
        }
        s = csv_column_append(&d->columns[i], &batch->columns[i], &job, err);
        if (s != OK)
            return s;
        d->into->widened |= widened;
    }
    d->observing = d->into->widened;
    batch->rows += seg->rows;
    for (size_t row = 0; faults.count > 0 && row < seg->rows; row++) {
        if (!faults.codes[row])
            continue;
        struct bad_row bad = {
            .record = csv_u32(&d->records)[row],
            .start = csv_u32(&d->starts)[row],
            .length = csv_u32(&d->lengths)[row],
            .column = faults.columns[row],
            .code = (enum reject_code)faults.codes[row],
            .row = (uint32_t)row,
        };
        s = csv_bad_row_add(d, bad, err);
        if (s == OK)
            s = csv_push_u32(&d->dropped, (uint32_t)(before + row), err);
        if (s != OK)
            return s;
        faults.count--;
    }
    return OK;
}

void csv_decoder_clear_rows(struct csv_decoder *d)
{
    buf_clear(&d->first_marks);
    buf_clear(&d->records);
    buf_clear(&d->starts);
    buf_clear(&d->lengths);
}

status csv_decoder_push_row(struct csv_decoder *d, uint32_t mark, uint32_t record, uint32_t start, uint32_t length,
                            struct error *err)
{
    status s = csv_push_u32(&d->first_marks, mark, err);
    if (s == OK)
        s = csv_push_u32(&d->records, record, err);
    if (s == OK)
        s = csv_push_u32(&d->starts, start, err);
    return s == OK ? csv_push_u32(&d->lengths, length, err) : s;
}

bool csv_decoder_is_too_long(const struct csv_decoder *d, size_t record_bytes)
{
    return d->options.max_record_bytes && record_bytes > d->options.max_record_bytes;
}

/* The record boundary at or after `at`, in text without quotes. */
static size_t next_boundary(const struct text_chunk *chunk, size_t at)
{
    while (at < chunk->len && !csv_is_record_end(chunk->data[at - 1]))
        at++;
    if (at < chunk->len && chunk->data[at] == '\n' && chunk->data[at - 1] == '\r')
        at++;
    return at;
}

/* One segment from `from`: by the scan where it can vouch for the text, else byte by byte. */
static status decode_segment(struct csv_decoder *d, size_t from, size_t *next, struct error *err)
{
    const struct text_chunk *chunk = d->chunk;
    size_t window = d->options.segment_bytes;
    size_t stop = chunk->len - from > window ? from + window : chunk->len;
    if (d->scannable && !chunk->quotes) {
        *next = stop == chunk->len ? stop : next_boundary(chunk, stop);
        return csv_decode_by_marks(d, from, next, true, false, err);
    }
    if (d->scannable && !chunk->irregular) {
        /* The cutter vouches for all quotes: what a window cuts off is simply left to the next one. */
        for (;;) {
            while (stop < chunk->len && chunk->data[stop - 1] == '\r') /* not parting a CR LF */
                stop++;
            *next = stop;
            status s = csv_decode_by_marks(d, from, next, stop == chunk->len, true, err);
            if (s != OK || *next > from)
                return s;
            size_t wider = (stop - from) * 2; /* a record longer than the window */
            stop = chunk->len - from > wider ? from + wider : chunk->len;
        }
    }
    while (d->scannable) {
        while (stop < chunk->len && chunk->data[stop - 1] == '\r')
            stop++;
        struct csv_marks marks = {(uint8_t)d->options.dialect.delimiter[0], (uint8_t)d->options.dialect.quote};
        struct csv_cut cut = d->scanner->cut(chunk->data + from, stop - from, marks);
        if (cut.irregular)
            break;
        if (stop == chunk->len && !cut.open)
            cut.end = stop - from; /* the last record may lack its line end */
        if (cut.end > 0) {
            *next = from + cut.end;
            return csv_decode_by_marks(d, from, next, true, cut.quotes, err);
        }
        if (stop == chunk->len)
            break;
        size_t wider = (stop - from) * 2; /* a record longer than the window */
        stop = chunk->len - from > wider ? from + wider : chunk->len;
    }
    stop = chunk->len - from > window ? from + window : chunk->len;
    buf_clear(&d->unescaped);
    status s = buf_resize(&d->unescaped, TEXT_PAD, err);
    if (s == OK)
        s = buf_reserve(&d->unescaped, 4 * window, err);
    return s == OK ? csv_decode_by_cells(d, from, stop, next, err) : s;
}

static status decode_broken(struct csv_decoder *d, struct error *err)
{
    size_t n = d->chunk->len;
    while (n > 0 && csv_is_record_end(d->chunk->data[n - 1]))
        n--;
    struct csv_segment none = {0};
    struct bad_row bad = {
        .length = (uint32_t)n, .column = REJECT_NO_COLUMN, .code = d->chunk->broken, .row = UINT32_MAX};
    status s = csv_bad_row_add(d, bad, err);
    if (s == OK)
        s = csv_bad_rows_emit(d, &none, 0, err);
    d->into->records = 1;
    return s;
}

static status drop_bad_rows(struct csv_decoder *d, struct error *err)
{
    size_t dropped = d->dropped.len / sizeof(uint32_t), rows = d->into->batch.rows;
    if (dropped == 0)
        return OK;
    status s = buf_resize(&d->faults, (rows + 7) / 8, err);
    if (s != OK)
        return s;
    memset(d->faults.data, 0xFF, d->faults.len);
    for (size_t i = 0; i < dropped; i++) {
        uint32_t row = csv_u32(&d->dropped)[i];
        d->faults.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    }
    batch_filter(&d->into->batch, d->faults.data, rows - dropped);
    return OK;
}

static status resize_columns(struct csv_decoder *d, size_t count, struct error *err)
{
    if (count == d->column_count)
        return OK;
    for (size_t i = 0; i < d->column_count; i++)
        csv_column_release(&d->columns[i]);
    free(d->columns);
    d->column_count = 0;
    d->columns = calloc(count ? count : 1, sizeof *d->columns);
    if (!d->columns)
        return error_no_memory(err, count * sizeof *d->columns);
    d->column_count = count;
    return OK;
}

static status decode_records(struct csv_decoder *d, struct error *err)
{
    struct batch *batch = &d->into->batch;
    for (size_t i = 0; i < d->column_count; i++) {
        status s = csv_column_begin(&d->columns[i], &batch->columns[i], &d->targets[i], err);
        if (s != OK)
            return s;
    }
    for (size_t at = 0; at < d->chunk->len;) {
        status s = decode_segment(d, at, &at, err);
        if (s != OK)
            return s;
    }
    for (size_t i = 0; i < d->column_count && !d->into->widened; i++) {
        status s = csv_column_end(&d->columns[i], &batch->columns[i], err);
        if (s != OK)
            return s;
    }
    return d->into->widened ? OK : drop_bad_rows(d, err);
}

static status csv_decode(void *self, const struct text_chunk *chunk, const struct decode_target *targets,
                         const struct schema *schema, struct decoded *into, struct error *err)
{
    struct csv_decoder *d = self;
    status s = decoded_reset(into, schema, schema->count, err);
    if (s == OK)
        s = resize_columns(d, schema->count, err);
    if (s != OK)
        return s;
    d->chunk = chunk;
    d->targets = targets;
    d->into = into;
    d->observing = false;
    d->counted_to = 0;
    d->counted_lines = 0;
    buf_clear(&d->bad);
    buf_clear(&d->dropped);
    for (size_t i = 0; i < schema->count; i++)
        into->observed[i] = targets[i].class_;
    if (!chunk->broken && !chunk->rest)
        return decode_records(d, err);
    into->lines = csv_count_lines(chunk->data, chunk->len);
    if (chunk->broken)
        s = decode_broken(d, err);
    return s;
}

static void csv_decoder_free(void *self)
{
    struct csv_decoder *d = self;
    for (size_t i = 0; i < d->column_count; i++)
        csv_column_release(&d->columns[i]);
    free(d->columns);
    struct buf *bufs[] = {&d->positions, &d->first_marks, &d->records, &d->starts,    &d->lengths,
                          &d->faults,    &d->cells,       &d->bad,     &d->unescaped, &d->dropped};
    for (size_t i = 0; i < ARRAY_LENGTH(bufs); i++)
        buf_release(bufs[i]);
    csv_record_release(&d->record);
    free(d);
}

static const struct text_decoder_ops csv_decoder_ops = {.decode = csv_decode, .free = csv_decoder_free};

status csv_decoder_create(struct text_decoder *decoder, const struct csv_decoder_options *options, struct error *err)
{
    struct csv_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return error_no_memory(err, sizeof *d);
    d->options = *options;
    if (!d->options.segment_bytes)
        d->options.segment_bytes = CSV_SEGMENT_BYTES;
    d->scanner = options->scanner ? options->scanner : csv_scanner_best();
    d->scannable = csv_dialect_is_scannable(&options->dialect);
    d->nulls = (struct null_values){.items = options->null_values, .count = options->null_value_count};
    for (size_t i = 0; i < d->nulls.count; i++)
        if (d->nulls.items[i].n > d->nulls.longest)
            d->nulls.longest = d->nulls.items[i].n;
    *decoder = (struct text_decoder){&csv_decoder_ops, d};
    return OK;
}
