/* The values of a column without its nulls, each as Parquet's physical type has it in memory: what
 * statistics, dictionaries and PLAIN encoding work on. */
#ifndef FF_FORMAT_PARQUET_VALUES_H
#define FF_FORMAT_PARQUET_VALUES_H

#include "batch/column.h"
#include "format/parquet/parquet_types.h"

struct parquet_values {
    struct parquet_type type;
    size_t count;            /* values */
    size_t slots;            /* distinct values with codes, else count */
    const uint8_t *data;     /* slot i at i * width; boolean: one byte; strings: see offsets */
    const uint32_t *offsets; /* PARQUET_BYTE_ARRAY: slot i is data[offsets[i] .. offsets[i + 1]) */
    const uint32_t *codes;   /* value -> slot; NULL: value i is slot i */
};

/* Memory of a conversion, reused from column to column. */
struct parquet_values_scratch {
    struct buf data, offsets, codes;
};

/* A view of the column where nothing has to change, else of `scratch`: valid until either is changed. */
status parquet_values_of(const struct column *column, struct parquet_values_scratch *scratch,
                         struct parquet_values *values, struct error *err) MUST_USE;
void parquet_values_scratch_release(struct parquet_values_scratch *scratch);

/* Present rows among [begin, end). */
size_t parquet_count_present(const struct column *column, size_t begin, size_t end);

static inline size_t parquet_slot(const struct parquet_values *v, size_t i)
{
    return v->codes ? v->codes[i] : i;
}
/* Bytes of a slot as they stand in a dictionary and in statistics. */
static inline struct str parquet_slot_str(const struct parquet_values *v, size_t slot)
{
    if (v->type.width)
        return (struct str){(const char *)v->data + slot * v->type.width, v->type.width};
    return (struct str){(const char *)v->data + v->offsets[slot], v->offsets[slot + 1] - v->offsets[slot]};
}

#endif
