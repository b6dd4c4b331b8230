/* Rows whose borders the vector scan finds. */
#include "format/csv/csv_decoder_state.h"

static uint32_t trimmed_end(const uint8_t *text, uint32_t start, uint32_t end)
{
    return end > start && text[end] == '\n' && text[end - 1] == '\r' ? end - 1 : end;
}

/* Every record has the expected number of fields: its end is the `fields`-th mark, and there are no other ends. */
static bool marks_are_regular(const uint8_t *text, const uint32_t *marks, size_t count, size_t records, size_t fields)
{
    if (count != records * fields)
        return false;
    bool regular = true;
    for (size_t r = 1; r <= records; r++)
        regular &= csv_is_record_end(text[marks[r * fields - 1]]);
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
    uint32_t *first = csv_u32(&d->first_marks), *record = csv_u32(&d->records), *start = csv_u32(&d->starts),
             *length = csv_u32(&d->lengths);
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

/* Some record is ragged, blank or perhaps too long, or some text is not UTF-8: look at each record by itself. */
static status irregular_rows(struct csv_decoder *d, const uint32_t *marks, size_t count, bool check_utf8,
                             uint32_t *record_count, struct error *err)
{
    const size_t fields = d->options.source_columns;
    const uint8_t *text = d->chunk->data;
    uint32_t record = 0;
    csv_decoder_clear_rows(d);
    for (size_t mark = 1; mark <= count;) {
        size_t last = mark;
        while (!csv_is_record_end(text[marks[last]]))
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
        if (csv_decoder_is_too_long(d, length))
            bad.code = REJECT_ROW_TOO_LONG;
        else if (found != fields)
            bad.code = found < fields ? REJECT_MISSING_COLUMNS : REJECT_TOO_MANY_COLUMNS;
        else if (check_utf8 && !str_is_utf8((struct str){(const char *)text + start, length}))
            bad.code = REJECT_INVALID_ENCODING;
        status s = bad.code ? csv_bad_row_add(d, bad, err)
                            : csv_decoder_push_row(d, (uint32_t)mark, record, start, length, err);
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
    while (count > 0 && !csv_is_record_end(text[marks[count]]))
        count--;
    *to = count > 0 ? marks[count] + 1 : from;
    return count;
}

/* Records from `from` on, borders found by the scan, which sees up to *to. With `whole` that is a record border;
 * otherwise *to becomes the last one found (`from`: none, nothing was done). */
status csv_decode_by_marks(struct csv_decoder *d, size_t from, size_t *end, bool whole, bool quotes, struct error *err)
{
    size_t to = *end;
    const uint8_t *text = d->chunk->data;
    const struct csv_dialect *dialect = &d->options.dialect;
    status s = buf_resize(&d->positions, (to - from + 130) * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    struct csv_marks kinds = {(uint8_t)dialect->delimiter[0], quotes ? (uint8_t)dialect->quote : 0};
    struct csv_scan_state scan = {0};
    uint32_t *marks = csv_u32(&d->positions);
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
    } else if (to > from && !csv_is_record_end(text[to - 1])) { /* the input's last record has no line end */
        marks[++count] = (uint32_t)to;
        records++;
    }
    bool check_utf8 = scan.high && !str_is_utf8((struct str){(const char *)text + from, to - from});
    uint32_t record_count = (uint32_t)records;
    if (!check_utf8 && !csv_decoder_is_too_long(d, to - from) &&
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
        .first_mark = csv_u32(&d->first_marks),
        .carriage = scan.carriage,
        .quote = (uint8_t)dialect->quote,
        .unescaped = &d->unescaped,
    };
    s = csv_decoder_parse_columns(d, &seg, err);
    if (s == OK)
        s = csv_bad_rows_emit(d, &seg, d->into->records, err);
    d->into->records += record_count;
    return s;
}
