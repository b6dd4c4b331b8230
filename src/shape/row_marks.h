/* A set of row numbers, each put in at most once and in any order, for billions of rows: a bitmap in memory while it
 * is small; beyond, the numbers are logged by range of rows and each range's bits are made at the end, in a temporary
 * file that is then read by pread. */
#ifndef FF_SHAPE_ROW_MARKS_H
#define FF_SHAPE_ROW_MARKS_H

#include "shape/spill.h"

struct row_marks {
    size_t memory;            /* bytes to stay within */
    struct spill_file *spill; /* borrowed: where logs go */
    struct buf bits;          /* one bit a row, LSB first, while in memory */
    uint64_t count;
    bool on_disk;
    struct spill_file file;   /* bits on disk */
    struct spill_chain *logs; /* by row / rows_per_range */
    size_t range_count, log_memory;
    uint64_t range_bytes; /* of bits */
};

void row_marks_init(struct row_marks *marks, size_t memory, struct spill_file *spill);
status row_marks_add(struct row_marks *marks, uint64_t row, struct error *err) MUST_USE;
/* After the last add. */
status row_marks_seal(struct row_marks *marks, struct error *err) MUST_USE;
/* keep: bit i is set when row first + i is not marked, for i below rows; the last byte's further bits are 0. Returns
 * through *kept how many are set. Thread-safe once sealed. */
status row_marks_unmarked(const struct row_marks *marks, uint64_t first, size_t rows, uint8_t *keep, size_t *kept,
                          struct error *err) MUST_USE;
void row_marks_release(struct row_marks *marks);

#endif
