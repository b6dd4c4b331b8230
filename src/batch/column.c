#include "batch/column.h"

#include <stdlib.h>

void column_reset(struct column *c, struct data_type type)
{
    c->type = type;
    c->is_dict = false;
    c->length = c->null_count = c->dict_length = 0;
    buf_clear(&c->validity);
    buf_clear(&c->data);
    buf_clear(&c->offsets);
    buf_clear(&c->codes);
}

void column_release(struct column *c)
{
    buf_release(&c->validity);
    buf_release(&c->data);
    buf_release(&c->offsets);
    buf_release(&c->codes);
    *c = (struct column){0};
}

size_t column_memory(const struct column *c)
{
    return c->validity.cap + c->data.cap + c->offsets.cap + c->codes.cap;
}

/* Validity for `rows` rows is there, those from c->length on all "present". The last byte in use may hold leftovers
 * beyond the length, of rows that were filtered away. */
static status grow_validity(struct column *c, size_t rows, struct error *err)
{
    size_t wanted = (rows + 7) / 8, known = c->null_count ? c->length : 0;
    status s = buf_resize(&c->validity, wanted, err);
    if (s != OK)
        return s;
    if (known & 7)
        c->validity.data[known >> 3] |= (uint8_t)(0xFFu << (known & 7));
    size_t have = (known + 7) / 8;
    if (wanted > have)
        memset(c->validity.data + have, 0xFF, wanted - have);
    return OK;
}

static status first_offset(struct column *c, struct error *err)
{
    const uint32_t zero = 0;
    return c->offsets.len ? OK : buf_append(&c->offsets, &zero, sizeof zero, err);
}

static status too_many_bytes(struct error *err)
{
    return error_set(err, ERR_LIMIT, "a batch holds more than 4 GiB of text in one column");
}

status column_append(struct column *c, const void *bytes, size_t n, struct error *err)
{
    status s = OK;
    if (type_is_var(c->type)) {
        if (n > UINT32_MAX - c->data.len)
            return too_many_bytes(err);
        s = first_offset(c, err);
        if (s == OK)
            s = buf_append(&c->data, bytes, n, err);
        uint32_t end = (uint32_t)c->data.len;
        if (s == OK)
            s = buf_append(&c->offsets, &end, sizeof end, err);
    } else {
        s = buf_append(&c->data, bytes, type_width(c->type), err);
    }
    if (s == OK && c->null_count)
        s = grow_validity(c, c->length + 1, err);
    if (s == OK)
        c->length++;
    return s;
}

status column_append_null(struct column *c, struct error *err)
{
    static const uint8_t zeros[16];
    status s = grow_validity(c, c->length + 1, err);
    if (s == OK && c->type.kind == TYPE_NULL) {
        c->length++;
    } else if (s == OK) {
        c->null_count++; /* validity is complete from here on, so column_append keeps it so */
        s = column_append(c, zeros, 0, err);
        if (s != OK && --c->null_count == 0)
            buf_clear(&c->validity);
    }
    if (s != OK)
        return s;
    if (c->type.kind == TYPE_NULL)
        c->null_count++;
    size_t row = c->length - 1;
    c->validity.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    return OK;
}

status column_fill_null(struct column *c, struct data_type type, size_t length, struct error *err)
{
    column_reset(c, type);
    uint8_t *at;
    status s = buf_extend_zero(&c->validity, (length + 7) / 8, &at, err);
    if (s == OK && type_is_var(type))
        s = buf_extend_zero(&c->offsets, (length + 1) * sizeof(uint32_t), &at, err);
    else if (s == OK)
        s = buf_extend_zero(&c->data, length * type_width(type), &at, err);
    if (s == OK)
        c->length = c->null_count = length;
    return s;
}

static status gather_fixed(struct buf *to, const struct column *from, const uint32_t *rows, size_t n, struct error *err)
{
    size_t width = type_width(from->type);
    if (n == 0)
        return OK;
    status s = buf_reserve(to, n * width, err);
    if (s != OK)
        return s;
    if (n * width == 0)
        return OK;
    uint8_t *at = to->data + to->len;
    const uint8_t *values = from->data.data;
    if (!from->is_dict && !rows) {
        if (n > 0)
            memcpy(at, values, n * width);
    } else {
        for (size_t i = 0; i < n; i++) {
            size_t row = rows ? rows[i] : i;
            if (column_is_null(from, row))
                memset(at + i * width, 0, width);
            else
                memcpy(at + i * width, values + column_slot(from, row) * width, width);
        }
    }
    to->len += n * width;
    return OK;
}

static status gather_var(struct column *to, const struct column *from, const uint32_t *rows, size_t n,
                         struct error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        size_t row = rows ? rows[i] : i;
        total += column_is_null(from, row) ? 0 : column_str(from, row).n;
    }
    if (total > UINT32_MAX - to->data.len)
        return too_many_bytes(err);
    status s = first_offset(to, err);
    if (s == OK)
        s = buf_reserve(&to->data, total, err);
    if (s == OK)
        s = buf_reserve(&to->offsets, n * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    for (size_t i = 0; i < n; i++) {
        size_t row = rows ? rows[i] : i;
        if (!column_is_null(from, row)) {
            struct str value = column_str(from, row);
            buf_append_unsafe(&to->data, value.p, value.n);
        }
        uint32_t end = (uint32_t)to->data.len;
        buf_append_unsafe(&to->offsets, &end, sizeof end);
    }
    return OK;
}

status column_gather(struct column *to, const struct column *from, const uint32_t *rows, size_t n, struct error *err)
{
    status s = OK;
    if (from->null_count || to->null_count)
        s = grow_validity(to, to->length + n, err);
    if (s == OK)
        s = type_is_var(from->type) ? gather_var(to, from, rows, n, err) : gather_fixed(&to->data, from, rows, n, err);
    if (s == OK && from->null_count)
        for (size_t i = 0; i < n; i++)
            if (column_is_null(from, rows ? rows[i] : i)) {
                size_t at = to->length + i;
                to->validity.data[at >> 3] &= (uint8_t) ~(1u << (at & 7));
                to->null_count++;
            }
    if (to->null_count == 0)
        buf_clear(&to->validity);
    if (s == OK)
        to->length += n;
    return s;
}

status column_flatten(struct column *c, struct error *err)
{
    if (!c->is_dict)
        return OK;
    struct column flat = {.type = c->type};
    status s = column_gather(&flat, c, NULL, c->length, err);
    if (s != OK) {
        column_release(&flat);
        return s;
    }
    column_release(c);
    *c = flat;
    return OK;
}

void column_filter(struct column *c, const uint8_t *keep)
{
    size_t width = c->is_dict ? sizeof(uint32_t) : type_width(c->type);
    uint8_t *fixed = c->is_dict ? c->codes.data : c->data.data;
    bool var = type_is_var(c->type) && !c->is_dict;
    uint32_t *offsets = (uint32_t *)c->offsets.data;
    size_t kept = 0, nulls = 0;
    uint32_t var_end = 0;
    for (size_t row = 0; row < c->length; row++) {
        if (!(keep[row >> 3] >> (row & 7) & 1))
            continue;
        if (c->null_count) {
            bool null = column_is_null(c, row);
            uint8_t bit = (uint8_t)(1u << (kept & 7));
            c->validity.data[kept >> 3] =
                (uint8_t)(null ? c->validity.data[kept >> 3] & ~bit : c->validity.data[kept >> 3] | bit);
            nulls += null;
        }
        if (var) {
            uint32_t begin = offsets[row], n = offsets[row + 1] - begin;
            if (n)
                memmove(c->data.data + var_end, c->data.data + begin, n);
            var_end += n;
            offsets[kept + 1] = var_end; /* kept + 1 <= row + 1, which was read above */
        } else if (width && kept != row) {
            memcpy(fixed + kept * width, fixed + row * width, width);
        }
        kept++;
    }
    if (var) {
        c->data.len = var_end;
        c->offsets.len = c->length ? (kept + 1) * sizeof(uint32_t) : c->offsets.len;
    } else if (c->is_dict) {
        c->codes.len = kept * width;
    } else {
        c->data.len = kept * width;
    }
    c->length = kept;
    c->null_count = nulls;
    c->validity.len = nulls ? (kept + 7) / 8 : 0;
}
