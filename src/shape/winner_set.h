/* Of all rows of each key the one that wins, within a limit of memory; whoever loses is put into row_marks.
 *
 * Rows are spread by hash over partitions, each an open-addressing table that keeps the best row so far of every key.
 * When memory runs out the largest table goes to the spill file, and further rows of its partition follow it there
 * unseen; the other partitions go on in memory. Resolving hands each spilled partition to a set of its own that
 * spreads it by further bits of the hash, and so on. A row is marked the moment it loses and never written after. */
#ifndef FF_SHAPE_WINNER_SET_H
#define FF_SHAPE_WINNER_SET_H

#include "shape/key_hash.h"
#include "shape/row_marks.h"
#include "shape/spill.h"

/* How the order values of rows look (order_bytes.h). */
enum order_form { ORDER_NONE, ORDER_FIXED, ORDER_VAR };

struct winner_options {
    enum order_form order;
    size_t order_width; /* ORDER_FIXED: bytes */
    size_t memory;      /* for tables, blocks and strings */
};

struct winner_set;
status winner_set_create(struct winner_set **set, const struct winner_options *options, struct spill_file *spill,
                         struct row_marks *losers, struct error *err) MUST_USE;
/* Rows grouped by partition and in order within each: then a partition's table is met as a whole and stays in the
 * cache meanwhile, and this work can be done by any thread. */
struct winner_rows {
    const struct key_hash *hashes; /* n, in grouped order */
    const uint32_t *rows;          /* n, the row of each, counted from first_row */
    const uint8_t *orders;         /* as order_bytes_rows made them, by row; NULL with ORDER_NONE */
    const uint32_t *order_ends;
    uint64_t first_row;
    size_t n;
};
/* Group the hashes of rows 0 to n - 1 for a set of that much memory. */
void winner_group(size_t memory, const struct key_hash *hashes, size_t n, struct key_hash *grouped, uint32_t *rows);
status winner_set_add(struct winner_set *set, const struct winner_rows *rows, struct error *err) MUST_USE;
/* After the last add: every loser is marked. Nothing may be added any more; the memory is given back. */
status winner_set_resolve(struct winner_set *set, struct error *err) MUST_USE;
void winner_set_free(struct winner_set *set);

#endif
