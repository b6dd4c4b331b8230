/* Rows as columns, and the stream of them. A batch borrows its schema and owns its columns. */
#ifndef FF_BATCH_BATCH_H
#define FF_BATCH_BATCH_H

#include "batch/column.h"
#include "batch/schema.h"

/* A value that its source has and that no value of the column's type is (an infinite date): null in the batch. The row
 * is a bad row for whoever takes that column. */
struct bad_value {
    uint32_t row, column;
    uint32_t text_at, text_length; /* in batch.bad_text */
    const char *why;               /* constant */
};

struct batch {
    const struct schema *schema; /* borrowed: outlives the batch */
    struct column *columns;      /* schema->count of them */
    size_t column_count;
    size_t rows;
    struct buf bad; /* struct bad_value each, in no order */
    struct buf bad_text;
};

/* Columns empty, typed as the schema says. An initialised batch of as many columns keeps its memory. */
status batch_reset(struct batch *b, const struct schema *schema, struct error *err) MUST_USE;
/* Note a bad value; `text` (what the source says, UTF-8) is copied and cut, `why` must be constant. */
status batch_add_bad(struct batch *b, size_t row, size_t column, struct str text, const char *why,
                     struct error *err) MUST_USE;
/* Keep the rows whose bit is set; `kept` is how many that are. Bad values are left as they are. */
void batch_filter(struct batch *b, const uint8_t *keep, size_t kept);
/* Append rows (NULL: the first n) of `from`, of an equal schema, to `to` (plain form). */
status batch_gather(struct batch *to, const struct batch *from, const uint32_t *rows, size_t n,
                    struct error *err) MUST_USE;
size_t batch_memory(const struct batch *b);
void batch_release(struct batch *b);

/* A pull stream: what sources that are not text (databases, Parquet files) yield. */
struct batch_stream_ops {
    const struct schema *(*schema)(void *self);
    /* Fill *into (released or reset by the stream first) with the next rows; into->rows == 0 is the end.
     * After an error only release may be called. */
    status (*next)(void *self, struct batch *into, struct error *err);
    void (*release)(void *self);
    /* Optional, both or neither: next() in two steps, so that several threads share the work. take (one thread at a
     * time) clears *piece and fills it with the next bytes as they come from the source, or sets *end; decode (any
     * thread) makes a batch of them, perhaps one without rows. */
    status (*take)(void *self, struct buf *piece, bool *end, struct error *err);
    status (*decode)(void *self, const struct buf *piece, struct batch *into, struct error *err);
};

struct batch_stream {
    const struct batch_stream_ops *ops;
    void *self;
};

static inline void batch_stream_release(struct batch_stream *s)
{
    if (s->ops)
        s->ops->release(s->self);
    *s = (struct batch_stream){0};
}

#endif
