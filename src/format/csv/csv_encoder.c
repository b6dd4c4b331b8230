#include "format/csv/csv_encoder.h"

#include <stdlib.h>

#include "batch/value_text.h"

/* One column while its batch is written. A dictionary's entries are turned into fields once, ahead of the rows. */
struct field_writer {
    const struct column *column;
    struct buf fields;  /* of the dictionary's entries, one after the other */
    struct buf offsets; /* size_t, dict_length + 1 */
};

static uint64_t any_byte(uint64_t word, uint8_t byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t t = word ^ (ones * byte);
    return (t - ones) & ~t & (ones << 7);
}

static uint64_t any_special(uint64_t word)
{
    return any_byte(word, ',') | any_byte(word, '"') | any_byte(word, '\r') | any_byte(word, '\n');
}

static uint8_t *put_quoted(uint8_t *at, struct str s)
{
    *at++ = '"';
    for (size_t i = 0; i < s.n; i++) {
        *at = (uint8_t)s.p[i];
        at += 1 + (s.p[i] == '"');
        at[-1] = (uint8_t)s.p[i];
    }
    *at++ = '"';
    return at;
}

/* Append a text field, in quotes where it needs them. Eight bytes are copied and looked at in one go; what was
 * copied is overwritten if a special byte turns up. */
static status append_field(struct buf *to, struct str s, struct error *err)
{
    if (s.n > (SIZE_MAX - 16) / 2)
        return error_no_memory(err, s.n);
    status st = buf_reserve(to, 2 * s.n + 16, err);
    if (st != OK)
        return st;
    uint8_t *at = to->data + to->len;
    uint64_t special = s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ';
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        memcpy(at + i, &word, 8);
        special |= any_special(word);
    }
    if (i < s.n) {
        uint64_t word = 0;
        memcpy(&word, s.p + i, s.n - i);
        memcpy(at + i, &word, 8);
        special |= any_special(word);
    }
    at = special ? put_quoted(at, s) : at + s.n;
    to->len = (size_t)(at - to->data);
    return OK;
}

static status prepare_dictionary(struct field_writer *w, struct error *err)
{
    const struct column *c = w->column;
    size_t at = 0;
    status s = buf_append(&w->offsets, &at, sizeof at, err);
    for (size_t slot = 0; s == OK && slot < c->dict_length; slot++) {
        if (type_is_var(c->type)) {
            s = append_field(&w->fields, column_slot_str(c, slot), err);
        } else if ((s = buf_reserve(&w->fields, VALUE_TEXT_MAX, err)) == OK) {
            const uint8_t *value = c->data.data + slot * type_width(c->type);
            w->fields.len += value_text(c->type, value, (char *)w->fields.data + w->fields.len);
        }
        at = w->fields.len;
        if (s == OK)
            s = buf_append(&w->offsets, &at, sizeof at, err);
    }
    return s;
}

/* Append the field of a row that has a value. */
static status append_cell(const struct field_writer *w, size_t row, struct buf *to, struct error *err)
{
    const struct column *c = w->column;
    if (c->is_dict) {
        const size_t *offsets = (const size_t *)w->offsets.data;
        size_t slot = column_slot(c, row);
        return buf_append(to, w->fields.data + offsets[slot], offsets[slot + 1] - offsets[slot], err);
    }
    if (type_is_var(c->type))
        return append_field(to, column_str(c, row), err);
    return value_text_append(c, row, to, err); /* numbers, dates and the like never need quotes */
}

static status append_row(const struct field_writer *writers, size_t count, size_t row, struct buf *to,
                         struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        if (!column_is_null(writers[i].column, row))
            s = append_cell(&writers[i], row, to, err);
        if (s == OK)
            s = buf_append_str(to, i + 1 < count ? STR(",") : STR("\n"), err);
    }
    return s;
}

status csv_encode_header(const struct schema *schema, struct buf *to, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < schema->count; i++) {
        s = append_field(to, str_of(schema->fields[i].name), err);
        if (s == OK)
            s = buf_append_str(to, i + 1 < schema->count ? STR(",") : STR("\n"), err);
    }
    return s;
}

status csv_encode(const struct batch *batch, struct buf *to, struct error *err)
{
    size_t count = batch->column_count;
    struct field_writer *writers = calloc(count ? count : 1, sizeof *writers);
    if (!writers)
        return error_no_memory(err, count * sizeof *writers);
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        writers[i].column = &batch->columns[i];
        if (batch->columns[i].is_dict)
            s = prepare_dictionary(&writers[i], err);
    }
    for (size_t row = 0; s == OK && row < batch->rows; row++)
        s = append_row(writers, count, row, to, err);
    for (size_t i = 0; i < count; i++) {
        buf_release(&writers[i].fields);
        buf_release(&writers[i].offsets);
    }
    free(writers);
    return s;
}
