/* Dictionaries for columns that arrive as plain values. */
#ifndef FF_FORMAT_PARQUET_DICT_H
#define FF_FORMAT_PARQUET_DICT_H

#include "format/parquet/parquet_values.h"

/* Memory of one dictionary, reused from column to column. */
struct parquet_dict {
    struct buf table;                /* hash table, or code by value for integers of a narrow range */
    struct buf data, offsets, codes; /* what the result of parquet_dict_build points to */
};

/* From a sample spread over the values: would a dictionary of at most `max_bytes` be clearly smaller than the plain
 * values? A gain of a few percent is none. Integers always are a yes when their range is narrow, because counting them
 * is cheap. */
status parquet_dict_promising(struct parquet_dict *dict, const struct parquet_values *plain, uint64_t max_bytes,
                              bool *promising, struct error *err) MUST_USE;
/* Values with codes from values without. *built is false when the dictionary would take more than `max_bytes` or,
 * with its codes, more than the plain values. Not for booleans. */
status parquet_dict_build(struct parquet_dict *dict, const struct parquet_values *plain, uint64_t max_bytes,
                          struct parquet_values *result, bool *built, struct error *err) MUST_USE;
/* Bytes of the dictionary and of `count` bit-packed codes. */
uint64_t parquet_dict_bytes(const struct parquet_values *v);
void parquet_dict_release(struct parquet_dict *dict);

#endif
