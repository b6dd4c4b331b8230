/* One column of a batch: Arrow's memory layout, except that booleans are bytes.
 *
 * Plain form: `data` holds length * type_width() bytes; LAYOUT_VAR instead has `offsets`
 * (length + 1 uint32 values, the first 0) into `data`.
 * Dictionary form (`is_dict`): `codes` holds length uint32 values below dict_length; `data` and
 * `offsets` hold the dict_length distinct values in the plain form. Every dictionary entry is a
 * distinct, non-null value; an entry may be used by no row (after rows were dropped).
 * Nulls: `validity` has one bit a row, least significant first, 1 = present, and holds at least
 * (length + 7) / 8 bytes; it is empty when null_count is 0. The slot of a null is zero (code 0,
 * zero-width string) and must not be read as a value.
 * All buffers are followed by BUF_PAD readable bytes. A zeroed struct may be released. */
#ifndef FF_BATCH_COLUMN_H
#define FF_BATCH_COLUMN_H

#include "base/buf.h"
#include "batch/type.h"

struct column {
    struct data_type type;
    bool is_dict;
    size_t length; /* rows */
    size_t null_count;
    size_t dict_length; /* dictionary entries, when is_dict */
    struct buf validity;
    struct buf data;
    struct buf offsets; /* uint32 */
    struct buf codes;   /* uint32 */
};

static inline bool column_is_null(const struct column *c, size_t row)
{
    return c->null_count && !(c->validity.data[row >> 3] >> (row & 7) & 1);
}

/* Index of the row's value within data/offsets: the row itself, or its dictionary code. */
static inline size_t column_slot(const struct column *c, size_t row)
{
    return c->is_dict ? ((const uint32_t *)c->codes.data)[row] : row;
}

/* Bytes of a LAYOUT_VAR value, by slot. Where all values are empty there may be no data at all: a null pointer, to
 * which C lets nothing be added, hence the integer. */
static inline struct str column_slot_str(const struct column *c, size_t slot)
{
    const uint32_t *offsets = (const uint32_t *)c->offsets.data;
    return (struct str){(const char *)((uintptr_t)c->data.data + offsets[slot]), offsets[slot + 1] - offsets[slot]};
}

static inline struct str column_str(const struct column *c, size_t row)
{
    return column_slot_str(c, column_slot(c, row));
}

/* Address of a fixed-width value. */
static inline const void *column_value(const struct column *c, size_t row)
{
    return c->data.data + column_slot(c, row) * type_width(c->type);
}

/* Empty, keeping memory; type is set, plain form. */
void column_reset(struct column *c, struct data_type type);
/* Append one value (bytes of type_width, or of any length for LAYOUT_VAR) or a null; plain form only.
 * Convenient, not fast: decoders write the buffers themselves. ERR_LIMIT beyond 4 GiB of string bytes. */
status column_append(struct column *c, const void *bytes, size_t n, struct error *err) MUST_USE;
status column_append_null(struct column *c, struct error *err) MUST_USE;
/* Turn the dictionary form into the plain one, in place. */
status column_flatten(struct column *c, struct error *err) MUST_USE;
/* Append rows of `from` given by ascending or arbitrary `rows[0..n)` (NULL: rows 0..n-1) to `to`, which has the
 * same type and the plain form; `from` may have either form. */
status column_gather(struct column *to, const struct column *from, const uint32_t *rows, size_t n,
                     struct error *err) MUST_USE;
/* Keep only the rows whose bit in `keep` is set (LSB first), in place; either form; dictionary stays as it is. */
void column_filter(struct column *c, const uint8_t *keep);
/* `length` nulls of that type. */
status column_fill_null(struct column *c, struct data_type type, size_t length, struct error *err) MUST_USE;
/* Bytes held by the buffers (capacity). */
size_t column_memory(const struct column *c);
void column_release(struct column *c);

#endif
