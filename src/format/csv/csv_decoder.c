#include "format/csv/csv_decoder.h"

#include <stdio.h>
#include <stdlib.h>

#include "batch/cast.h"
#include "format/csv/csv_column.h"
#include "format/csv/csv_cutter.h"
#include "format/csv/csv_record.h"
#include "format/csv/csv_scan.h"
#include "format/csv/csv_segment.h"

#define SEGMENT_BYTES (64 * 1024)
#define QUOTED_BYTES_SHOWN 100

/* A bad row of the current segment, before it becomes a reject. */
struct bad_row {
    uint32_t record;        /* within the segment */
    uint32_t start, length; /* in the chunk */
    uint32_t column;
    enum reject_code code;
    uint32_t row;    /* row of the segment, for the value; UINT32_MAX: the record's shape is wrong */
    uint32_t fields; /* how many it had, when its shape is wrong */
};

struct csv_decoder {
    struct csv_decoder_options options;
    const struct csv_scanner *scanner;
    struct null_values nulls;
    bool scannable;
    struct csv_column *columns;
    size_t column_count;
    struct buf positions;   /* uint32: [0] is the byte before the text, then field and record ends */
    struct buf first_marks; /* uint32 a row */
    struct buf records;     /* uint32 a row: which record of the segment it is */
    struct buf starts;      /* uint32 a row: where its record starts */
    struct buf lengths;     /* uint32 a row: of its record, without line end */
    struct buf faults;      /* a byte a row, then a uint32 a row */
    struct buf cells;       /* struct csv_cell, row by row */
    struct buf unescaped;   /* text of fields with escapes */
    struct buf bad;         /* struct bad_row */
    struct buf dropped;     /* uint32: rows of the chunk to drop at its end */
    struct csv_record record;
    /* Of the chunk being decoded: */
    const struct text_chunk *chunk;
    const struct decode_target *targets;
    struct decoded *into;
    bool observing;    /* some column has to widen: the rest of the chunk is only looked at */
    size_t counted_to; /* physical lines are counted up to here, for rejects */
    uint64_t counted_lines;
};

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

static uint32_t *u32(struct buf *b)
{
    return (uint32_t *)b->data;
}

static status push_u32(struct buf *b, uint32_t value, struct error *err)
{
    return buf_append(b, &value, sizeof value, err);
}

/* ---- rejects ---- */

static uint64_t line_of(struct csv_decoder *d, uint32_t start)
{
    d->counted_lines += csv_count_lines(d->chunk->data + d->counted_to, start - d->counted_to);
    d->counted_to = start;
    return d->counted_lines + 1;
}

static struct csv_cell segment_cell(const struct csv_segment *seg, size_t row, size_t field)
{
    return csv_segment_cell(seg, seg, seg->access, row, field);
}

static void describe(const struct csv_decoder *d, const struct csv_segment *seg, const struct bad_row *bad, char *text,
                     size_t cap)
{
    const struct field *field = bad->column == REJECT_NO_COLUMN ? NULL : &d->into->batch.schema->fields[bad->column];
    switch (bad->code) {
    case REJECT_MISSING_COLUMNS:
    case REJECT_TOO_MANY_COLUMNS:
        snprintf(text, cap, "%u fields where %zu are expected", bad->fields, d->options.source_columns);
        return;
    case REJECT_UNTERMINATED_QUOTE:
        snprintf(text, cap,
                 bad->fields ? "text after the closing quote of a field"
                             : "a quote that opens in this record is never closed");
        return;
    case REJECT_ROW_TOO_LONG:
        snprintf(text, cap, "the record is longer than the limit (--max-record), or a quote in it is never closed");
        return;
    case REJECT_INVALID_ENCODING:
        snprintf(text, cap, "not valid UTF-8");
        return;
    case REJECT_CAST:
        break;
    default:
        snprintf(text, cap, "column '%.100s': null, which this column must not be", field->name);
        return;
    }
    struct csv_cell cell = segment_cell(seg, bad->row, (size_t)d->targets[bad->column].source_index);
    struct str value = {(const char *)cell.p, cell.n};
    value.n = str_utf8_prefix(value, QUOTED_BYTES_SHOWN);
    const char *why = "not valid JSON";
    union value ignored;
    char type[TYPE_NAME_MAX];
    if (field->type.kind != TYPE_JSON && cast_text(field->type, (const char *)cell.p, cell.n, &ignored, &why))
        why = "unexpected";
    snprintf(text, cap, "column '%.100s': \"%.*s%s\" is no %s: %s", field->name, (int)value.n, value.p,
             value.n < cell.n ? "..." : "", type_name(field->type, type), why);
}

static int by_record(const void *a, const void *b)
{
    const struct bad_row *x = a, *y = b;
    return (x->record > y->record) - (x->record < y->record);
}

/* The segment's bad rows, in order, as rejects. */
static status emit_rejects(struct csv_decoder *d, const struct csv_segment *seg, uint64_t records_before,
                           struct error *err)
{
    struct bad_row *bad = (struct bad_row *)d->bad.data;
    size_t count = d->bad.len / sizeof *bad;
    if (count == 0)
        return OK;
    qsort(bad, count, sizeof *bad, by_record);
    for (size_t i = 0; i < count; i++) {
        char message[512];
        describe(d, seg, &bad[i], message, sizeof message);
        struct reject r = {
            .record = records_before + bad[i].record + 1,
            .line = line_of(d, bad[i].start),
            .byte_offset = d->chunk->byte_offset + bad[i].start,
            .byte_length = bad[i].length,
            .column = bad[i].column,
            .code = bad[i].code,
        };
        struct str raw = {(const char *)d->chunk->data + bad[i].start, bad[i].length};
        status s = reject_add(&d->into->rejects, r, str_of(message), raw, err);
        if (s != OK)
            return s;
    }
    buf_clear(&d->bad);
    return OK;
}

static status add_bad(struct csv_decoder *d, struct bad_row bad, struct error *err)
{
    return buf_append(&d->bad, &bad, sizeof bad, err);
}

/* ---- columns ---- */

static status parse_columns(struct csv_decoder *d, const struct csv_segment *seg, struct error *err)
{
    struct batch *batch = &d->into->batch;
    size_t before = batch->rows;
    status s = buf_resize(&d->faults, seg->rows * 5 + 8, err);
    if (s != OK)
        return s;
    memset(d->faults.data, 0, d->faults.len);
    struct csv_faults faults = {.codes = d->faults.data + seg->rows * 4, .columns = u32(&d->faults)};
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
            .record = u32(&d->records)[row],
            .start = u32(&d->starts)[row],
            .length = u32(&d->lengths)[row],
            .column = faults.columns[row],
            .code = (enum reject_code)faults.codes[row],
            .row = (uint32_t)row,
        };
        s = add_bad(d, bad, err);
        if (s == OK)
            s = push_u32(&d->dropped, (uint32_t)(before + row), err);
        if (s != OK)
            return s;
        faults.count--;
    }
    return OK;
}

/* ---- rows out of marks ---- */

static bool is_record_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

static uint32_t trimmed_end(const uint8_t *text, uint32_t start, uint32_t end)
{
    return end > start && text[end] == '\n' && text[end - 1] == '\r' ? end - 1 : end;
}

static void clear_rows(struct csv_decoder *d)
{
    buf_clear(&d->first_marks);
    buf_clear(&d->records);
    buf_clear(&d->starts);
    buf_clear(&d->lengths);
}

static status push_row(struct csv_decoder *d, uint32_t mark, uint32_t record, uint32_t start, uint32_t length,
                       struct error *err)
{
    status s = push_u32(&d->first_marks, mark, err);
    if (s == OK)
        s = push_u32(&d->records, record, err);
    if (s == OK)
        s = push_u32(&d->starts, start, err);
    return s == OK ? push_u32(&d->lengths, length, err) : s;
}

/* Every record has the expected number of fields: its end is the `fields`-th mark, and there are no other ends. */
static bool marks_are_regular(const uint8_t *text, const uint32_t *marks, size_t count, size_t records, size_t fields)
{
    if (count != records * fields)
        return false;
    bool regular = true;
    for (size_t r = 1; r <= records; r++)
        regular &= is_record_end(text[marks[r * fields - 1]]);
    /* A one-column file may hold blank lines, which are nulls; elsewhere a blank line has one field only. */
    return regular;
}

static status regular_rows(struct csv_decoder *d, const uint32_t *marks, size_t records, struct error *err)
{
    const size_t fields = d->options.source_columns;
    size_t bytes = records * sizeof(uint32_t);
    status s = buf_resize(&d->first_marks, bytes, err);
    if (s == OK)
        s = buf_resize(&d->records, bytes, err);
    if (s == OK)
        s = buf_resize(&d->starts, bytes, err);
    if (s == OK)
        s = buf_resize(&d->lengths, bytes, err);
    if (s != OK)
        return s;
    uint32_t *first = u32(&d->first_marks), *record = u32(&d->records), *start = u32(&d->starts),
             *length = u32(&d->lengths);
    const uint8_t *text = d->chunk->data;
    for (size_t r = 0; r < records; r++) {
        size_t mark = 1 + r * fields;
        first[r] = (uint32_t)mark;
        record[r] = (uint32_t)r;
        start[r] = marks[mark - 1] + 1;
        length[r] = trimmed_end(text, start[r], marks[mark + fields - 1]) - start[r];
    }
    return OK;
}

static bool is_too_long(const struct csv_decoder *d, size_t record_bytes)
{
    return d->options.max_record_bytes && record_bytes > d->options.max_record_bytes;
}

/* Some record is ragged, blank or perhaps too long, or some text is not UTF-8: look at each record by itself. */
static status irregular_rows(struct csv_decoder *d, const uint32_t *marks, size_t count, bool check_utf8,
                             uint32_t *record_count, struct error *err)
{
    const size_t fields = d->options.source_columns;
    const uint8_t *text = d->chunk->data;
    uint32_t record = 0;
    clear_rows(d);
    for (size_t mark = 1; mark <= count;) {
        size_t last = mark;
        while (!is_record_end(text[marks[last]]))
            last++;
        uint32_t start = marks[mark - 1] + 1, length = trimmed_end(text, start, marks[last]) - start;
        size_t found = last - mark + 1;
        struct bad_row bad = {.record = record,
                              .start = start,
                              .length = length,
                              .column = REJECT_NO_COLUMN,
                              .row = UINT32_MAX,
                              .fields = (uint32_t)found};
        if (found == 1 && length == 0 && fields > 1) {
            mark = last + 1;
            continue;
        }
        if (is_too_long(d, length))
            bad.code = REJECT_ROW_TOO_LONG;
        else if (found != fields)
            bad.code = found < fields ? REJECT_MISSING_COLUMNS : REJECT_TOO_MANY_COLUMNS;
        else if (check_utf8 && !str_is_utf8((struct str){(const char *)text + start, length}))
            bad.code = REJECT_INVALID_ENCODING;
        status s = bad.code ? add_bad(d, bad, err) : push_row(d, (uint32_t)mark, record, start, length, err);
        if (s != OK)
            return s;
        record++;
        mark = last + 1;
    }
    *record_count = record;
    return OK;
}

/* Of `count` marks those up to the last record end; *to becomes the offset after it, `from` if there is none. */
static size_t drop_unfinished(const uint8_t *text, const uint32_t *marks, size_t count, size_t from, size_t *to)
{
    while (count > 0 && !is_record_end(text[marks[count]]))
        count--;
    *to = count > 0 ? marks[count] + 1 : from;
    return count;
}

/* Records from `from` on, borders found by the scan, which sees up to *to. With `whole` that is a record border;
 * otherwise *to becomes the last one found (`from`: none, nothing was done). */
static status decode_by_marks(struct csv_decoder *d, size_t from, size_t *end, bool whole, bool quotes,
                              struct error *err)
{
    size_t to = *end;
    const uint8_t *text = d->chunk->data;
    const struct csv_dialect *dialect = &d->options.dialect;
    status s = buf_resize(&d->positions, (to - from + 130) * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    struct csv_marks kinds = {(uint8_t)dialect->delimiter[0], quotes ? (uint8_t)dialect->quote : 0};
    struct csv_scan_state scan = {0};
    uint32_t *marks = u32(&d->positions);
    marks[0] = (uint32_t)from - 1;
    size_t count = d->scanner->index(text, from, to, kinds, &scan, marks + 1);
    size_t records = scan.records;
    d->into->lines += scan.lines;
    if (!whole) {
        count = drop_unfinished(text, marks, count, from, end);
        d->into->lines -= csv_count_lines(text + *end, to - *end);
        to = *end;
        if (to == from)
            return OK;
    } else if (to > from && text[to - 1] == '\r' && marks[count] != to - 1) {
        /* The scan took it for the first half of a CR LF: an LF lies behind the text, which is no part of it. */
        marks[++count] = (uint32_t)to - 1;
        records++;
        d->into->lines++;
    } else if (to > from && !is_record_end(text[to - 1])) { /* the input's last record has no line end */
        marks[++count] = (uint32_t)to;
        records++;
    }
    bool check_utf8 = scan.high && !str_is_utf8((struct str){(const char *)text + from, to - from});
    uint32_t record_count = (uint32_t)records;
    if (!check_utf8 && !is_too_long(d, to - from) &&
        marks_are_regular(text, marks + 1, count, records, d->options.source_columns))
        s = regular_rows(d, marks, records, err);
    else
        s = irregular_rows(d, marks, count, check_utf8, &record_count, err);
    if (s != OK)
        return s;
    if (quotes) {
        s = buf_resize(&d->unescaped, to - from + (size_t)2 * TEXT_PAD, err);
        if (s != OK)
            return s;
    }
    struct csv_segment seg = {
        .access = quotes ? CSV_BY_MARKS_QUOTED : CSV_BY_MARKS,
        .rows = d->first_marks.len / sizeof(uint32_t),
        .fields = d->options.source_columns,
        .text = text,
        .marks = marks,
        .first_mark = u32(&d->first_marks),
        .carriage = scan.carriage,
        .quote = (uint8_t)dialect->quote,
        .unescaped = &d->unescaped,
    };
    s = parse_columns(d, &seg, err);
    if (s == OK)
        s = emit_rejects(d, &seg, d->into->records, err);
    d->into->records += record_count;
    return s;
}

/* ---- rows byte by byte ---- */

static status push_cells(struct csv_decoder *d, struct error *err)
{
    const uint8_t *text = d->chunk->data;
    for (size_t i = 0; i < d->record.count; i++) {
        const struct csv_field *f = &d->record.fields[i];
        struct csv_cell cell = {text + f->start, f->length, f->quoted};
        if (f->escaped) {
            size_t at = d->unescaped.len;
            status s = csv_field_unescape(&d->options.dialect, text, f, &d->unescaped, err);
            if (s != OK)
                return s;
            cell.p = d->unescaped.data + at; /* reserved up front for the whole segment: it does not move */
            cell.n = d->unescaped.len - at;
        }
        status s = buf_append(&d->cells, &cell, sizeof cell, err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* Records from `from` on, at most up to about `stop`, byte by byte; *next is where the next one starts. */
static status decode_by_cells(struct csv_decoder *d, size_t from, size_t stop, size_t *next, struct error *err)
{
    const uint8_t *text = d->chunk->data;
    const size_t fields = d->options.source_columns;
    uint32_t record = 0;
    size_t at = from;
    clear_rows(d);
    buf_clear(&d->cells);
    d->record.collect = true;
    while (at < stop) {
        enum csv_record_end end;
        status s = csv_record_read(&d->options.dialect, fields == 1, text, at, d->chunk->len, &d->record, &end, err);
        if (s != OK)
            return s;
        size_t start = at;
        at = d->record.next;
        if (end == CSV_SKIPPED || (end == CSV_INCOMPLETE && d->record.count == 0))
            continue;
        struct bad_row bad = {.record = record++,
                              .start = (uint32_t)start,
                              .length = (uint32_t)d->record.length,
                              .column = REJECT_NO_COLUMN,
                              .row = UINT32_MAX,
                              .fields = (uint32_t)d->record.count};
        if (is_too_long(d, d->record.length)) {
            bad.code = REJECT_ROW_TOO_LONG;
        } else if (d->record.tail || end == CSV_OPEN_QUOTE) {
            bad.code = REJECT_UNTERMINATED_QUOTE;
            bad.fields = end != CSV_OPEN_QUOTE;
        } else if (d->record.count != fields) {
            bad.code = d->record.count < fields ? REJECT_MISSING_COLUMNS : REJECT_TOO_MANY_COLUMNS;
        } else if (!str_is_utf8((struct str){(const char *)text + start, d->record.length})) {
            bad.code = REJECT_INVALID_ENCODING;
        }
        if (bad.code) {
            s = add_bad(d, bad, err);
        } else {
            /* Unescaped text must stay where it is while cells point to it. */
            if (d->unescaped.cap - d->unescaped.len < d->record.length + 2 * TEXT_PAD) {
                if (d->cells.len > 0) {
                    at = start;
                    record--;
                    break;
                }
                s = buf_reserve(&d->unescaped, d->record.length + 2 * TEXT_PAD + SEGMENT_BYTES, err);
            }
            if (s == OK)
                s = push_cells(d, err);
            if (s == OK)
                s = push_row(d, 0, bad.record, bad.start, bad.length, err);
        }
        if (s != OK)
            return s;
    }
    struct csv_segment seg = {
        .access = CSV_BY_CELLS,
        .rows = d->starts.len / sizeof(uint32_t),
        .fields = fields,
        .cells = (const struct csv_cell *)d->cells.data,
    };
    status s = parse_columns(d, &seg, err);
    if (s == OK)
        s = emit_rejects(d, &seg, d->into->records, err);
    d->into->records += record;
    d->into->lines += csv_count_lines(text + from, at - from);
    *next = at;
    return s;
}

/* ---- chunks ---- */

/* The record boundary at or after `at`, in text without quotes. */
static size_t next_boundary(const struct text_chunk *chunk, size_t at)
{
    while (at < chunk->len && !is_record_end(chunk->data[at - 1]))
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
        return decode_by_marks(d, from, next, true, false, err);
    }
    if (d->scannable && !chunk->irregular) {
        /* The cutter vouches for all quotes: what a window cuts off is simply left to the next one. */
        for (;;) {
            while (stop < chunk->len && chunk->data[stop - 1] == '\r') /* not parting a CR LF */
                stop++;
            *next = stop;
            status s = decode_by_marks(d, from, next, stop == chunk->len, true, err);
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
            return decode_by_marks(d, from, next, true, cut.quotes, err);
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
    return s == OK ? decode_by_cells(d, from, stop, next, err) : s;
}

static status decode_broken(struct csv_decoder *d, struct error *err)
{
    size_t n = d->chunk->len;
    while (n > 0 && is_record_end(d->chunk->data[n - 1]))
        n--;
    struct csv_segment none = {0};
    struct bad_row bad = {
        .length = (uint32_t)n, .column = REJECT_NO_COLUMN, .code = d->chunk->broken, .row = UINT32_MAX};
    status s = add_bad(d, bad, err);
    if (s == OK)
        s = emit_rejects(d, &none, 0, err);
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
        uint32_t row = u32(&d->dropped)[i];
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
        d->options.segment_bytes = SEGMENT_BYTES;
    d->scanner = options->scanner ? options->scanner : csv_scanner_best();
    d->scannable = csv_dialect_is_scannable(&options->dialect);
    d->nulls = (struct null_values){.items = options->null_values, .count = options->null_value_count};
    for (size_t i = 0; i < d->nulls.count; i++)
        if (d->nulls.items[i].n > d->nulls.longest)
            d->nulls.longest = d->nulls.items[i].n;
    *decoder = (struct text_decoder){&csv_decoder_ops, d};
    return OK;
}
