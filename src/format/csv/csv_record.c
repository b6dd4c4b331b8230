#include "format/csv/csv_record.h"

#include <stdlib.h>

/* Where a record is read: the text, the reading position and the limit. */
struct reading {
    const struct csv_dialect *dialect;
    const uint8_t *text;
    size_t at, to;
    size_t delimiter_length;
};

static status add_field(struct csv_record *record, struct csv_field field, struct error *err)
{
    if (!record->collect)
        return OK;
    if (record->count == record->cap) {
        size_t cap = record->cap ? record->cap * 2 : 64;
        struct csv_field *fields = realloc(record->fields, cap * sizeof *fields);
        if (!fields)
            return error_no_memory(err, cap * sizeof *fields);
        record->fields = fields;
        record->cap = cap;
    }
    record->fields[record->count++] = field;
    return OK;
}

static bool is_line_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

static bool at_delimiter(const struct reading *r)
{
    return r->to - r->at >= r->delimiter_length &&
           memcmp(r->text + r->at, r->dialect->delimiter, r->delimiter_length) == 0;
}

/* Past the line end at r->at. */
static size_t after_line_end(const struct reading *r)
{
    bool crlf = r->text[r->at] == '\r' && r->at + 1 < r->to && r->text[r->at + 1] == '\n';
    return r->at + (crlf ? 2 : 1);
}

/* From after the opening quote to after the closing one; false when the text ends first. */
static bool read_quoted(struct reading *r, struct csv_field *field)
{
    const uint8_t quote = (uint8_t)r->dialect->quote, escape = (uint8_t)r->dialect->escape;
    field->quoted = true;
    field->start = (uint32_t)r->at;
    while (r->at < r->to) {
        uint8_t c = r->text[r->at];
        if (escape && escape != quote && c == escape) {
            field->escaped = true;
            r->at += 2;
        } else if (c != quote) {
            r->at++;
        } else if (escape == quote && r->at + 1 < r->to && r->text[r->at + 1] == quote) {
            field->escaped = true;
            r->at += 2;
        } else {
            field->length = (uint32_t)(r->at - field->start);
            r->at++;
            return true;
        }
    }
    r->at = r->to;
    field->length = (uint32_t)(r->to - field->start);
    return false;
}

static void read_plain(struct reading *r, struct csv_field *field)
{
    const uint8_t escape = r->dialect->escape == '\\' ? '\\' : 0;
    field->start = (uint32_t)r->at;
    while (r->at < r->to && !is_line_end(r->text[r->at]) && !at_delimiter(r)) {
        if (escape && r->text[r->at] == escape) {
            field->escaped = true;
            r->at++;
        }
        r->at++;
    }
    if (r->at > r->to)
        r->at = r->to;
    field->length = (uint32_t)(r->at - field->start);
}

static bool is_skipped_line(const struct reading *r, bool single)
{
    uint8_t c = r->text[r->at];
    return (r->dialect->comment && c == (uint8_t)r->dialect->comment) || (is_line_end(c) && !single);
}

static void skip_line(struct reading *r, struct csv_record *record)
{
    size_t from = r->at;
    while (r->at < r->to && !is_line_end(r->text[r->at]))
        r->at++;
    record->length = r->at - from;
    record->next = r->at < r->to ? after_line_end(r) : r->to;
}

status csv_record_read(const struct csv_dialect *dialect, bool single, const uint8_t *text, size_t from, size_t to,
                       struct csv_record *record, enum csv_record_end *end, struct error *err)
{
    struct reading r = {dialect, text, from, to, strlen(dialect->delimiter)};
    record->count = 0;
    record->tail = false;
    if (is_skipped_line(&r, single)) {
        skip_line(&r, record);
        *end = record->next == to && !is_line_end(text[to - 1]) ? CSV_INCOMPLETE : CSV_SKIPPED;
        return OK;
    }
    for (;;) {
        struct csv_field field = {0};
        bool open = false;
        if (dialect->quote && r.at < to && text[r.at] == (uint8_t)dialect->quote) {
            r.at++;
            open = !read_quoted(&r, &field);
            if (!open && r.at < to && !is_line_end(text[r.at]) && !at_delimiter(&r)) {
                struct csv_field tail = {0};
                read_plain(&r, &tail);
                record->tail = true;
            }
        } else {
            read_plain(&r, &field);
        }
        status s = add_field(record, field, err);
        if (s != OK)
            return s;
        if (r.at >= to) {
            record->length = to - from;
            record->next = to;
            *end = open ? CSV_OPEN_QUOTE : CSV_INCOMPLETE;
            return OK;
        }
        if (is_line_end(text[r.at]))
            break;
        r.at += r.delimiter_length;
    }
    record->length = r.at - from;
    record->next = after_line_end(&r);
    *end = record->tail ? CSV_TEXT_AFTER_QUOTE : CSV_RECORD;
    return OK;
}

status csv_field_unescape(const struct csv_dialect *dialect, const uint8_t *text, const struct csv_field *field,
                          struct buf *to, struct error *err)
{
    status s = buf_reserve(to, field->length, err);
    if (s != OK)
        return s;
    const uint8_t escape = field->quoted ? (uint8_t)dialect->escape : '\\';
    const uint8_t *p = text + field->start, *end = p + field->length;
    uint8_t *at = to->data + to->len;
    while (p < end) {
        if (*p == escape && p + 1 < end)
            p++;
        *at++ = *p++;
    }
    to->len = (size_t)(at - to->data);
    return OK;
}

void csv_record_release(struct csv_record *record)
{
    free(record->fields);
    *record = (struct csv_record){0};
}

uint64_t csv_count_lines(const uint8_t *text, size_t n)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n' || (text[i] == '\r' && !(i + 1 < n && text[i + 1] == '\n'));
    return lines;
}
