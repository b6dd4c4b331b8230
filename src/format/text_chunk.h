/* How text input (CSV, NDJSON, JSON array) is worked on in parallel and in order.
 *
 * One thread at a time reads bytes and cuts them into chunks at record boundaries (a cutter: exact,
 * it carries the quoting state). Chunks are then decoded by any thread, each on its own, into one
 * batch and a list of bad rows; positions inside are relative and are rebased in chunk order. */
#ifndef FF_FORMAT_TEXT_CHUNK_H
#define FF_FORMAT_TEXT_CHUNK_H

#include "batch/batch.h"
#include "batch/infer.h"
#include "format/reject.h"

/* Bytes readable (with any contents) before data[0] and after data[len - 1]. */
#define TEXT_PAD 64

struct text_chunk {
    uint8_t *data; /* whole records only; TEXT_PAD bytes around it are readable */
    size_t len;
    uint64_t byte_offset; /* of data[0] in the decoded input */
    uint64_t sequence;    /* 0, 1, 2, ... in input order */
    bool last;            /* no chunk follows: the last record may lack its line end; then data[len] is '\n' */
    bool quotes;          /* a quote character occurs */
    bool irregular;       /* the cutter met quoting that the vector scan cannot vouch for: decode byte by byte */
    /* data[0..len) is one bad record, or its start: then what is left of it follows in chunks with `rest`. A CSV quote
     * that is never closed spoils one physical line only. */
    enum reject_code broken;
    bool rest; /* of a record whose start an earlier chunk held: no record, only line ends to count */
};

/* Finds record boundaries. Carries its state from cut to cut; used by one thread at a time. */
struct text_cutter_ops {
    /* `data` begins at a record boundary (the input's start, or where the last cut ended). The first `scanned`
     * bytes were shown in the previous call, which asked for more. `at_end`: no more bytes will come.
     * Sets *cut to the length of a prefix that ends at a record boundary (at_end: all of it, unless broken), as
     * long as can be vouched for; 0 asks for more bytes. Sets chunk->quotes, irregular, broken and rest.
     * TEXT_PAD bytes after data[len - 1] are readable. A JSON cutter asks for more as long as one record fills the
     * buffer and fewer than max_record_bytes + 2 bytes are shown. A JSON array that is never closed is found when
     * at_end is passed, so it has to be passed once even if len is 0 then. */
    status (*cut)(void *self, const uint8_t *data, size_t len, size_t scanned, bool at_end, size_t *cut,
                  struct text_chunk *chunk, struct error *err);
    void (*free)(void *self);
};

struct text_cutter {
    const struct text_cutter_ops *ops;
    void *self;
};

/* One output column of a decoder. */
struct decode_target {
    struct str source;        /* JSON: the key as it stands in the records, unescaped */
    int source_index;         /* CSV: position in the record, 0 first; -1: always null */
    struct data_type type;    /* what values are cast to */
    bool infer;               /* a value that does not fit widens the column and rejects nothing */
    enum infer_class class_;  /* when infer: type == infer_type(class_) */
    enum reject_code on_null; /* REJECT_NONE: nulls are allowed */
};

/* What came out of one chunk. Reused from chunk to chunk by the same worker. */
struct decoded {
    struct batch batch; /* the good rows; invalid when `widened` */
    struct reject_list rejects;
    uint64_t records;           /* data records met, good and bad: batch.rows + rejects.count */
    uint64_t lines;             /* physical line ends met */
    bool widened;               /* some inferred target has to change its type: see observed */
    enum infer_class *observed; /* per target: join of its class and of every value in the chunk */
    size_t observed_count;
    struct buf new_keys; /* JSON: keys met that no target has, in order of appearance: uint32 length + bytes */
};

/* Turns chunks into batches: one per worker, so that it may keep scratch memory and what it learned about columns. */
struct text_decoder_ops {
    /* `targets` and `schema` have the same length; both may change between calls (a column was widened). `into` is
     * reused. On OK either into->batch holds the good rows, or into->widened is set and into->observed tells the
     * classes that are needed; then every value of the chunk was looked at. */
    status (*decode)(void *self, const struct text_chunk *chunk, const struct decode_target *targets,
                     const struct schema *schema, struct decoded *into, struct error *err);
    void (*free)(void *self);
};

struct text_decoder {
    const struct text_decoder_ops *ops;
    void *self;
};

static inline void text_cutter_free(struct text_cutter *c)
{
    if (c->ops)
        c->ops->free(c->self);
    *c = (struct text_cutter){0};
}

static inline void text_decoder_free(struct text_decoder *d)
{
    if (d->ops)
        d->ops->free(d->self);
    *d = (struct text_decoder){0};
}

/* Room for `targets` columns; clears rejects and counters. */
status decoded_reset(struct decoded *d, const struct schema *schema, size_t targets, struct error *err) MUST_USE;
void decoded_release(struct decoded *d);

#endif
