#include <string.h>

#include "batch/cast.h"
#include "sql/json_nonfinite.h"
#include "sql/vector_column.h"

/* 10^38: the first number that 38 digits cannot hold, as 10^19 * 10^19. */
#define TEN_TO_19 ((unsigned __int128)10000000000000000000u)
#define DECIMAL_END (TEN_TO_19 * TEN_TO_19)

static status append_validity(struct column *c, const struct vector_slice *v, struct error *err)
{
    size_t nulls = 0;
    for (size_t i = 0; i < v->count; i++)
        nulls += vector_is_null(v, i);
    if (nulls == 0 && c->null_count == 0)
        return OK;
    size_t have = c->null_count ? c->length : 0, end = c->length + v->count;
    status s = buf_resize(&c->validity, (end + 7) / 8, err);
    if (s != OK)
        return s;
    uint8_t *bits = c->validity.data;
    if (have == 0) /* the first null: all rows so far were present */
        memset(bits, 0xFF, (c->length + 7) / 8);
    for (size_t i = 0; i < v->count; i++) {
        size_t row = c->length + i;
        uint8_t bit = (uint8_t)(1u << (row & 7));
        bits[row >> 3] = (uint8_t)(vector_is_null(v, i) ? bits[row >> 3] & ~bit : bits[row >> 3] | bit);
    }
    c->null_count += nulls;
    return OK;
}

static void append_same(uint8_t *to, size_t width, const struct vector_slice *v)
{
    memcpy(to, (const uint8_t *)v->data + v->first * width, v->count * width);
    if (v->validity)
        for (size_t i = 0; i < v->count; i++)
            if (vector_is_null(v, i))
                memset(to + i * width, 0, width);
}

/* One integer of the source, whatever its width. */
static ALWAYS_INLINE __int128 read_integer(enum vector_form form, const void *data, size_t i)
{
    switch (form) {
    case VECTOR_I8:
        return ((const int8_t *)data)[i];
    case VECTOR_I16:
        return ((const int16_t *)data)[i];
    case VECTOR_I32:
        return ((const int32_t *)data)[i];
    case VECTOR_I64:
        return ((const int64_t *)data)[i];
    case VECTOR_U8:
        return ((const uint8_t *)data)[i];
    case VECTOR_U16:
        return ((const uint16_t *)data)[i];
    case VECTOR_U32:
        return ((const uint32_t *)data)[i];
    default:
        return ((const uint64_t *)data)[i];
    }
}

static ALWAYS_INLINE void append_integers(uint8_t *to, size_t width, enum vector_form form,
                                          const struct vector_slice *v)
{
    for (size_t i = 0; i < v->count; i++) {
        __int128 value = vector_is_null(v, i) ? 0 : read_integer(form, v->data, v->first + i);
        memcpy(to + i * width, &value, width); /* little-endian: the low bytes come first */
    }
}

static void append_widened(uint8_t *to, size_t width, enum vector_form form, const struct vector_slice *v)
{
    switch (form) { /* constants, so that each becomes a loop of its own */
    case VECTOR_I8:
        append_integers(to, width, VECTOR_I8, v);
        break;
    case VECTOR_I16:
        append_integers(to, width, VECTOR_I16, v);
        break;
    case VECTOR_I32:
        append_integers(to, width, VECTOR_I32, v);
        break;
    case VECTOR_I64:
        append_integers(to, width, VECTOR_I64, v);
        break;
    case VECTOR_U8:
        append_integers(to, width, VECTOR_U8, v);
        break;
    case VECTOR_U16:
        append_integers(to, width, VECTOR_U16, v);
        break;
    case VECTOR_U32:
        append_integers(to, width, VECTOR_U32, v);
        break;
    default:
        append_integers(to, width, VECTOR_U64, v);
    }
}

static status append_huge(uint8_t *to, bool is_signed, const struct vector_slice *v, size_t *bad_row, struct error *err)
{
    for (size_t i = 0; i < v->count; i++) {
        unsigned __int128 value = 0;
        if (!vector_is_null(v, i))
            memcpy(&value, (const uint8_t *)v->data + (v->first + i) * sizeof value, sizeof value);
        bool negative = is_signed && value >> 127;
        if ((negative ? -value : value) >= DECIMAL_END) {
            *bad_row = i;
            return error_set(err, ERR_BAD_DATA, "an integer of more than 38 digits");
        }
        memcpy(to + i * sizeof value, &value, sizeof value);
    }
    return OK;
}

/* Micro- from coarser units: may overflow. */
static status append_coarse(uint8_t *to, int64_t factor, const struct vector_slice *v, size_t *bad_row,
                            struct error *err)
{
    const int64_t *values = (const int64_t *)v->data + v->first;
    for (size_t i = 0; i < v->count; i++) {
        int64_t micros = 0;
        if (!vector_is_null(v, i) && __builtin_mul_overflow(values[i], factor, &micros)) {
            *bad_row = i;
            return error_set(err, ERR_BAD_DATA, "a timestamp beyond the range of 64-bit microseconds");
        }
        memcpy(to + i * sizeof micros, &micros, sizeof micros);
    }
    return OK;
}

static status append_nanos(uint8_t *to, const struct vector_slice *v, size_t *bad_row, struct error *err)
{
    const int64_t *values = (const int64_t *)v->data + v->first;
    for (size_t i = 0; i < v->count; i++) {
        int64_t nanos = vector_is_null(v, i) ? 0 : values[i], micros = nanos / 1000;
        if (nanos % 1000 != 0) {
            *bad_row = i;
            status s =
                error_set(err, ERR_BAD_DATA, "a time with nanoseconds (...%03d), and only microseconds can be kept",
                          (int)(nanos % 1000 < 0 ? nanos % 1000 + 1000 : nanos % 1000));
            error_hint(err, "round the column to microseconds where the file is written");
            return s;
        }
        memcpy(to + i * sizeof micros, &micros, sizeof micros);
    }
    return OK;
}

/* DuckDB keeps a UUID as a signed 128-bit number whose order is that of the text: topmost bit flipped. */
static void append_uuid(uint8_t *to, const struct vector_slice *v)
{
    const duckdb_hugeint *values = (const duckdb_hugeint *)v->data + v->first;
    for (size_t i = 0; i < v->count; i++) {
        uint64_t halves[2] = {0, 0};
        if (!vector_is_null(v, i)) {
            halves[0] = __builtin_bswap64((uint64_t)values[i].upper ^ UINT64_C(1) << 63);
            halves[1] = __builtin_bswap64(values[i].lower);
        }
        memcpy(to + i * sizeof halves, halves, sizeof halves);
    }
}

static ALWAYS_INLINE const char *text_of(const duckdb_string_t *text)
{
    return text->value.inlined.length <= sizeof text->value.inlined.inlined ? text->value.inlined.inlined
                                                                            : text->value.pointer.ptr;
}

static status too_many_bytes(struct error *err)
{
    return error_set(err, ERR_LIMIT, "a batch holds more than 4 GiB of text in one column");
}

static status append_text(struct column *c, const struct vector_slice *v, struct error *err)
{
    const duckdb_string_t *texts = (const duckdb_string_t *)v->data + v->first;
    size_t total = 0;
    for (size_t i = 0; i < v->count; i++)
        total += vector_is_null(v, i) ? 0 : texts[i].value.inlined.length;
    if (total > UINT32_MAX - c->data.len)
        return too_many_bytes(err);
    size_t offsets_have = c->offsets.len ? c->offsets.len : sizeof(uint32_t);
    /* At least a byte: the copies below are of constant size even where nothing is to be copied. */
    status s = buf_reserve(&c->data, total ? total : 1, err);
    if (s == OK)
        s = buf_resize(&c->offsets, offsets_have + v->count * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    uint32_t *ends = (uint32_t *)(c->offsets.data + offsets_have);
    ends[-1] = (uint32_t)c->data.len;
    uint8_t *at = c->data.data + c->data.len;
    for (size_t i = 0; i < v->count; i++) {
        if (!vector_is_null(v, i)) {
            uint32_t n = texts[i].value.inlined.length;
            if (n <= sizeof texts[i].value.inlined.inlined) /* a copy of constant size; BUF_PAD follows the buffer */
                memcpy(at, texts[i].value.inlined.inlined, sizeof texts[i].value.inlined.inlined);
            else
                memcpy(at, texts[i].value.pointer.ptr, n);
            at += n;
        }
        ends[i] = (uint32_t)(at - c->data.data);
    }
    c->data.len = (size_t)(at - c->data.data);
    return OK;
}

static bool any_nonfinite(const struct vector_slice *v)
{
    const duckdb_string_t *texts = (const duckdb_string_t *)v->data + v->first;
    for (size_t i = 0; i < v->count; i++)
        if (!vector_is_null(v, i) &&
            json_nonfinite_maybe((struct str){text_of(&texts[i]), texts[i].value.inlined.length}))
            return true;
    return false;
}

/* What to_json() made. */
static status append_nested(struct column *c, const struct vector_slice *v, struct error *err)
{
    if (!any_nonfinite(v))
        return append_text(c, v, err);
    const duckdb_string_t *texts = (const duckdb_string_t *)v->data + v->first;
    const uint32_t zero = 0;
    status s = c->offsets.len ? OK : buf_append(&c->offsets, &zero, sizeof zero, err);
    for (size_t i = 0; s == OK && i < v->count; i++) {
        if (!vector_is_null(v, i))
            s = json_nonfinite_quote((struct str){text_of(&texts[i]), texts[i].value.inlined.length}, &c->data, err);
        if (s == OK && c->data.len > UINT32_MAX)
            s = too_many_bytes(err);
        uint32_t end = (uint32_t)c->data.len;
        if (s == OK)
            s = buf_append(&c->offsets, &end, sizeof end, err);
    }
    return s;
}

/* A column that calls itself JSON may hold anything: what we write as JSON has to be JSON. */
static status check_json(const struct vector_slice *v, size_t *bad_row, struct error *err)
{
    const duckdb_string_t *texts = (const duckdb_string_t *)v->data + v->first;
    struct buf padded = {0};
    status s = OK;
    for (size_t i = 0; s == OK && i < v->count; i++) {
        if (vector_is_null(v, i))
            continue;
        static const uint8_t pad[CAST_PAD];
        uint32_t n = texts[i].value.inlined.length;
        buf_clear(&padded);
        s = buf_reserve(&padded, n + 2 * sizeof pad, err);
        if (s != OK)
            break;
        buf_append_unsafe(&padded, pad, sizeof pad);
        buf_append_unsafe(&padded, text_of(&texts[i]), n);
        buf_append_unsafe(&padded, pad, sizeof pad);
        if (!cast_json_valid((const char *)padded.data + sizeof pad, n)) {
            *bad_row = i;
            s = error_set(err, ERR_BAD_DATA,
                          "a value that is not JSON, in a column that the file declares as JSON: %.*s",
                          (int)(n < 100 ? n : 100), text_of(&texts[i]));
        }
    }
    buf_release(&padded);
    return s;
}

static status append_fixed(struct column *c, enum vector_form form, const struct vector_slice *v, size_t *bad_row,
                           struct error *err)
{
    size_t width = type_width(c->type), have = c->data.len;
    status s = buf_resize(&c->data, have + v->count * width, err);
    if (s != OK)
        return s;
    uint8_t *to = c->data.data + have;
    switch (form) {
    case VECTOR_SAME:
        append_same(to, width, v);
        return OK;
    case VECTOR_HUGEINT:
    case VECTOR_UHUGEINT:
        return append_huge(to, form == VECTOR_HUGEINT, v, bad_row, err);
    case VECTOR_SECONDS:
        return append_coarse(to, 1000000, v, bad_row, err);
    case VECTOR_MILLIS:
        return append_coarse(to, 1000, v, bad_row, err);
    case VECTOR_NANOS:
        return append_nanos(to, v, bad_row, err);
    case VECTOR_UUID:
        append_uuid(to, v);
        return OK;
    default:
        append_widened(to, width, form, v);
        return OK;
    }
}

status vector_append(struct column *c, const struct vector_type *type, const struct vector_slice *v, size_t *bad_row,
                     struct error *err)
{
    status s = type->form == VECTOR_JSON ? check_json(v, bad_row, err) : OK;
    if (s == OK && type->select == SELECT_TO_JSON)
        s = append_nested(c, v, err);
    else if (s == OK && type_is_var(c->type))
        s = append_text(c, v, err);
    else if (s == OK)
        s = append_fixed(c, type->form, v, bad_row, err);
    if (s == OK)
        s = append_validity(c, v, err);
    if (s == OK)
        c->length += v->count;
    return s;
}
