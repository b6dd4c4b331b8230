/* A set of row numbers, each put in at most once and in any order, for billions of rows: a bitmap in memory while it
 * is small; beyond, the numbers are logged by range of rows and each range's bits are made at the end, in a temporary
 * file that is then read by pread. */
#ifndef FF_SHAPE_ROW_MARKS_H
#define FF_SHAPE_ROW_MARKS_H

#include "shape/spill.h"

#define ROW_MARKS_AHEAD 16

struct row_marks {
    size_t memory;            /* bytes to stay within */
    struct spill_file *spill; /* borrowed: where logs go */
    struct buf bits;          /* one bit a row, LSB first; empty once on disk */
    uint64_t count;
    uint64_t ahead[ROW_MARKS_AHEAD]; /* added but not yet put: row + 1, or 0 */
    bool on_disk;
    struct spill_file file;   /* bits on disk */
    struct spill_chain *logs; /* by row / rows_per_range */
    size_t range_count, log_memory;
    uint64_t range_bytes; /* of bits */
};

void row_marks_init(struct row_marks *marks, size_t memory, struct spill_file *spill);
/* Put into the bitmap or the log at once. */
status row_marks_put(struct row_marks *marks, uint64_t row, struct error *err) MUST_USE;
/* Rows come at random, so that nearly each bit is a cache miss: put it a few rows later, when its line is there. */
static inline MUST_USE status row_marks_add(struct row_marks *marks, uint64_t row, struct error *err)
{
    size_t at = marks->count++ % ROW_MARKS_AHEAD;
    uint64_t due = marks->ahead[at];
    marks->ahead[at] = row + 1;
    if (row / 8 < marks->bits.len)
        __builtin_prefetch(marks->bits.data + row / 8, 1);
    if (UNLIKELY(due - 1 >= marks->bits.len * 8)) /* 0, too: nothing was there */
        return due ? row_marks_put(marks, due - 1, err) : OK;
    due--;
    marks->bits.data[due >> 3] |= (uint8_t)(1u << (due & 7));
    return OK;
}
/* After the last add. */
status row_marks_seal(struct row_marks *marks, struct error *err) MUST_USE;
/* keep: bit i is set when row first + i is not marked, for i below rows; the last byte's further bits are 0. Returns
 * through *kept how many are set. Thread-safe once sealed. */
status row_marks_unmarked(const struct row_marks *marks, uint64_t first, size_t rows, uint8_t *keep, size_t *kept,
                          struct error *err) MUST_USE;
void row_marks_release(struct row_marks *marks);

#endif
