/* Rows found byte by byte. */
#include "format/csv/csv_decoder_state.h"

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
status csv_decode_by_cells(struct csv_decoder *d, size_t from, size_t stop, size_t *next, struct error *err)
{
    const uint8_t *text = d->chunk->data;
    const size_t fields = d->options.source_columns;
    uint32_t record = 0;
    size_t at = from;
    csv_decoder_clear_rows(d);
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
        if (csv_decoder_is_too_long(d, d->record.length)) {
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
            s = csv_bad_row_add(d, bad, err);
        } else {
            /* Unescaped text must stay where it is while cells point to it. */
            if (d->unescaped.cap - d->unescaped.len < d->record.length + 2 * TEXT_PAD) {
                if (d->cells.len > 0) {
                    at = start;
                    record--;
                    break;
                }
                s = buf_reserve(&d->unescaped, d->record.length + 2 * TEXT_PAD + CSV_SEGMENT_BYTES, err);
            }
            if (s == OK)
                s = push_cells(d, err);
            if (s == OK)
                s = csv_decoder_push_row(d, 0, bad.record, bad.start, bad.length, err);
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
    status s = csv_decoder_parse_columns(d, &seg, err);
    if (s == OK)
        s = csv_bad_rows_emit(d, &seg, d->into->records, err);
    d->into->records += record;
    d->into->lines += csv_count_lines(text + from, at - from);
    *next = at;
    return s;
}
