/* Which rows survive `dedupe_keys` (DESIGN 3.6), for inputs far larger than memory, keeping row order.
 *
 * Two passes over the same rows in the same order. In the first every row's keys are hashed (128 bits; equal hash
 * counts as equal keys) and handed to the index in order together with its order value; the index spills to
 * temporary files by hash partition. dedupe_resolve decides the winners: the highest order value wins (a null order
 * value loses to any), then the last in input order. In the second pass dedupe_keep tells which rows to drop.
 *
 * Order values compare as order_bytes.h says: numbers and times by value, NaN below every number but above null, text
 * by unsigned bytes. The result depends on the rows and their order only, never on memory or on how they are batched.
 *
 * A key column must have one type over all batches, and so must the order column once it has one (batches before its
 * first value may give it as TYPE_NULL): when inference widens one of them, start again with a new index. */
#ifndef FF_SHAPE_DEDUPE_H
#define FF_SHAPE_DEDUPE_H

#include "batch/batch.h"

struct dedupe_options {
    const int *keys; /* column indexes */
    size_t key_count;
    int order_by;         /* column index or -1 */
    size_t memory;        /* bytes that the index stays within by spilling; sensible from 16 MiB on */
    const char *temp_dir; /* for spilled partitions; files are unlinked while open */
};

/* Per-row facts of one batch, computed by any worker. */
struct dedupe_rows {
    struct buf hashes;    /* 16 bytes a row, in the order that suits the index */
    struct buf hash_rows; /* uint32 a row: whose hash it is */
    struct buf scratch;
    struct buf orders;     /* order values in a form that compares by bytes, empty without order_by */
    struct buf order_ends; /* uint32 a row into orders */
    size_t rows;
    size_t order_width; /* bytes of every order value, 0 when they differ */
    uint64_t key_types; /* a digest, to notice a type that changed */
    struct data_type order_type;
};

struct dedupe_index;
status dedupe_create(struct dedupe_index **index, const struct dedupe_options *options, struct error *err) MUST_USE;
/* Thread-safe and lock-free: reads only the options. No key is null (the decoder rejected those rows). */
status dedupe_rows_of(const struct dedupe_index *index, const struct batch *batch, struct dedupe_rows *rows,
                      struct error *err) MUST_USE;
/* In input order, one thread at a time. */
status dedupe_add(struct dedupe_index *index, const struct dedupe_rows *rows, struct error *err) MUST_USE;
/* After the last add. *losers: how many rows will be dropped. */
status dedupe_resolve(struct dedupe_index *index, uint64_t *losers, struct error *err) MUST_USE;
/* keep (LSB first, (rows + 7) / 8 bytes, caller's) for rows [first_row, first_row + rows). Thread-safe after resolve.
 */
status dedupe_keep(const struct dedupe_index *index, uint64_t first_row, size_t rows, uint8_t *keep, size_t *kept,
                   struct error *err) MUST_USE;
void dedupe_rows_release(struct dedupe_rows *rows);
void dedupe_free(struct dedupe_index *index);

#endif
