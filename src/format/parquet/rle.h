/* The RLE / bit-packed hybrid (parquet-format Encodings.md, "RLE = 3"): dictionary codes and definition levels. */
#ifndef FF_FORMAT_PARQUET_RLE_H
#define FF_FORMAT_PARQUET_RLE_H

#include "base/buf.h"

/* Bits that codes below `count` (at most 2^32) need; 1 also for a single one, as some readers expect. */
unsigned rle_width(size_t count);

/* Append `n` codes, each below 2^width (width 1..32), without a length or width before them. */
status rle_encode_codes(const uint32_t *codes, size_t n, unsigned width, struct buf *to, struct error *err) MUST_USE;

/* Append `n` bits of `bits` (least significant first) from bit `first` on, as values of width 1. The bytes behind the
 * last one that holds such a bit are not read. */
status rle_encode_bits(const uint8_t *bits, size_t first, size_t n, struct buf *to, struct error *err) MUST_USE;
/* The same for `n` bits that are all `bit`: one run. */
status rle_encode_run(bool bit, size_t n, struct buf *to, struct error *err) MUST_USE;

/* Bit packing of groups * 8 codes: groups * width bytes at `to`, up to 8 more are overwritten. */
void rle_pack(const uint32_t *codes, size_t groups, unsigned width, uint8_t *to);

#endif
