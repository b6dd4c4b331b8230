/* PLAIN encoding (parquet-format Encodings.md, "PLAIN = 0"). */
#ifndef FF_FORMAT_PARQUET_PLAIN_H
#define FF_FORMAT_PARQUET_PLAIN_H

#include "format/parquet/parquet_values.h"

/* Bytes that values [begin, end) take. */
uint64_t parquet_plain_bytes(const struct parquet_values *v, size_t begin, size_t end);
/* Append values [begin, end); values with codes are looked up. ERR_LIMIT when they take more than a page may. */
status parquet_plain_encode(const struct parquet_values *v, size_t begin, size_t end, struct buf *to,
                            struct error *err) MUST_USE;
/* The slots of v as values, without its codes: what a dictionary page holds. */
struct parquet_values parquet_slots_of(const struct parquet_values *v);

/* Sizes in page headers are signed 32-bit numbers; a little is left for levels. */
#define PARQUET_PAGE_MOST_BYTES ((uint64_t)INT32_MAX - (1u << 24))

#endif
