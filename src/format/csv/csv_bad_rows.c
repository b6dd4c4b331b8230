/* Bad rows of a segment, with their positions and what is wrong with them. */
#include <stdio.h>
#include <stdlib.h>

#include "batch/cast.h"
#include "format/csv/csv_decoder_state.h"

#define QUOTED_BYTES_SHOWN 100

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
status csv_bad_rows_emit(struct csv_decoder *d, const struct csv_segment *seg, uint64_t records_before,
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

status csv_bad_row_add(struct csv_decoder *d, struct bad_row bad, struct error *err)
{
    return buf_append(&d->bad, &bad, sizeof bad, err);
}
