/* Watermarks of rows (DESIGN 3.7): which rows are new against the last value, and the highest value among those that
 * stay. Values compare as order_bytes.h says. Rows that have exactly the last value are told apart by row hashes. */
#ifndef FF_SHAPE_WATERMARK_H
#define FF_SHAPE_WATERMARK_H

#include "batch/batch.h"
#include "shape/key_hash.h"

#define WATERMARK_TIES_MOST 100000
#define WATERMARK_HASH_TEXT 32 /* hex digits of a row's hash */

/* Hashes of whole rows: of every value together with its column's name, nulls left out, so that neither the order of
 * the columns nor one that was added later (null in older rows) changes them. into: one a row. */
status row_hash_rows(const struct batch *batch, struct key_hash *into, struct error *err) MUST_USE;
void row_hash_text(struct key_hash hash, char into[WATERMARK_HASH_TEXT + 1]);
bool row_hash_parse(const char *text, struct key_hash *hash);

struct watermark_filter;
/* ERR_INVALID when `last` is no value of the type; the message says what to do. Copies the ties. */
status watermark_filter_create(struct watermark_filter **filter, struct str column, struct data_type type,
                               struct str last, const struct key_hash *ties, size_t tie_count,
                               struct error *err) MUST_USE;
/* Drop from the batch, in place, rows below the last value, and rows at it whose hash is a tie. The column, of the
 * filter's type, holds no null. *dropped: how many. Thread-safe. */
status watermark_filter_apply(const struct watermark_filter *filter, struct batch *batch, int column, size_t *dropped,
                              struct error *err) MUST_USE;
void watermark_filter_free(struct watermark_filter *filter);

/* Which of two values of the type comes later: < 0, 0 or > 0. ERR_INVALID as above. */
status watermark_compare(struct str column, struct data_type type, struct str a, struct str b, int *order,
                         struct error *err) MUST_USE;

/* The highest value of some rows, and the hashes of the rows that have it. A zeroed struct has seen none. */
struct watermark_top {
    bool any;
    struct data_type type;
    struct buf order;  /* its order bytes */
    struct buf text;   /* value_text.h, full precision */
    struct buf hashes; /* struct key_hash each, unless not wanted */
    bool too_many;     /* ties: hashes are incomplete */
};
/* Of one batch; what *top held is forgotten. `ties`: hashes are wanted. Nulls do not count. */
status watermark_top_of(const struct batch *batch, int column, bool ties, struct watermark_top *top,
                        struct error *err) MUST_USE;
/* Take another part's top in. Both are of one type, or one has seen nothing. */
status watermark_top_join(struct watermark_top *into, const struct watermark_top *more, struct error *err) MUST_USE;
void watermark_top_clear(struct watermark_top *top);
void watermark_top_release(struct watermark_top *top);

#endif
