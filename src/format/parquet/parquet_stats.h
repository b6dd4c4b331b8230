/* Smallest and largest value of pages and column chunks (parquet.thrift, Statistics and ColumnIndex):
 * no NaN among them, a zero of a float is -0.0 as the smallest and +0.0 as the largest value. */
#ifndef FF_FORMAT_PARQUET_STATS_H
#define FF_FORMAT_PARQUET_STATS_H

#include "format/parquet/parquet_values.h"

/* Bounds longer than this are shortened: a prefix for the smallest, a prefix with its last character or byte raised
 * for the largest (one that grew by a byte at most). */
#define PARQUET_BOUND_BYTES 64

struct parquet_range {
    bool present; /* false: no value that has an order */
    uint8_t min_fixed[16], max_fixed[16];
    struct str min_var, max_var; /* PARQUET_BYTE_ARRAY: views of the column's bytes */
};

static inline struct str parquet_range_min(const struct parquet_range *r, struct parquet_type type)
{
    return type.width ? (struct str){(const char *)r->min_fixed, type.width} : r->min_var;
}
static inline struct str parquet_range_max(const struct parquet_range *r, struct parquet_type type)
{
    return type.width ? (struct str){(const char *)r->max_fixed, type.width} : r->max_var;
}

/* Order of the slots of values with codes, prepared once and then asked page by page. */
struct parquet_slot_order {
    struct buf keys;  /* uint64 per slot: rises with the value, equal where only the full values tell */
    struct buf marks; /* byte per slot, all zero between calls */
};

status parquet_slot_order_prepare(struct parquet_slot_order *order, const struct parquet_values *v,
                                  struct error *err) MUST_USE;
void parquet_slot_order_release(struct parquet_slot_order *order);

/* Of values [begin, end); `order` was prepared for v if it has codes, and may be NULL otherwise. */
void parquet_range_of(const struct parquet_values *v, struct parquet_slot_order *order, size_t begin, size_t end,
                      struct parquet_range *range);
/* Widen `range` by `other`. */
void parquet_range_join(struct parquet_type type, struct parquet_range *range, const struct parquet_range *other);
/* <0, 0, >0 in the column's sort order; neither is NaN. */
int parquet_compare(struct parquet_type type, struct str a, struct str b);

/* Append a lower bound of `value` of at most PARQUET_BOUND_BYTES. */
status parquet_bound_below(struct parquet_type type, struct str value, struct buf *to, bool *exact,
                           struct error *err) MUST_USE;
/* The same upwards. *exists is false, and nothing appended, when no short upper bound exists. */
status parquet_bound_above(struct parquet_type type, struct str value, struct buf *to, bool *exact, bool *exists,
                           struct error *err) MUST_USE;

#endif
