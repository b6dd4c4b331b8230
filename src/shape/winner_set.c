#include "shape/winner_set.h"

#include <stdlib.h>

#include "sys/pages.h"

#define SMALL_MEMORY ((size_t)24 << 20) /* below it blocks of 256 partitions would be too small to be fast */
#define PARTITIONS_MAX 256
#define BLOCK_MIN 256
#define BLOCK_MAX ((size_t)256 << 10)
#define FIRST_SLOTS 8
#define AHEAD 12 /* rows whose slot is fetched before its turn */

/* A key's best row. The order value follows: its bytes (ORDER_FIXED) or a struct order_text (ORDER_VAR). */
struct slot {
    struct key_hash hash;
    uint64_t row; /* plus 1; 0: nothing here */
    uint8_t order[];
};

struct order_text {
    uint8_t *bytes;
    uint32_t length;
};

struct partition {
    uint8_t *slots;
    uint64_t slot_count;
    uint64_t used;
    uint64_t room; /* how many slots may be used before the table has to grow */
    size_t text_bytes;
    bool spilled;
    struct spill_chain chain;
};

struct winner_set {
    struct winner_options options;
    struct spill_file *spill; /* borrowed, as is losers */
    struct row_marks *losers;
    size_t stride; /* bytes a slot */
    size_t block_bytes;
    size_t memory_used;
    unsigned bits;  /* log2 of the number of partitions */
    unsigned shift; /* of the hash, down to the bits that choose the partition */
    unsigned level; /* 0 for rows as they come, 1 for what level 0 spilled, ... */
    struct partition partitions[];
};

/* A row on its way into the set. */
struct contender {
    struct key_hash hash;
    uint64_t row;
    const uint8_t *order;
    size_t order_length;
};

/* What precedes the order value of a spilled record. */
struct record_head {
    struct key_hash hash;
    uint64_t row;
    uint32_t order_length; /* not written unless ORDER_VAR */
};

static unsigned partition_bits(size_t memory)
{
    return memory < SMALL_MEMORY ? 6 : 8;
}

static status set_create(struct winner_set **set, const struct winner_options *options, unsigned level,
                         struct spill_file *spill, struct row_marks *losers, struct error *err)
{
    unsigned bits = partition_bits(options->memory);
    size_t bytes = sizeof(struct winner_set) + (sizeof(struct partition) << bits);
    struct winner_set *w = calloc(1, bytes);
    if (!w)
        return error_no_memory(err, bytes);
    w->options = *options;
    w->spill = spill;
    w->losers = losers;
    w->bits = bits;
    w->shift = 64 - bits * (level + 1);
    w->level = level;
    size_t order = options->order == ORDER_FIXED ? (options->order_width + 7) & ~(size_t)7
                   : options->order == ORDER_VAR ? sizeof(struct order_text)
                                                 : 0;
    w->stride = sizeof(struct slot) + order;
    size_t block = options->memory / 2 >> bits;
    w->block_bytes = block < BLOCK_MIN ? BLOCK_MIN : block > BLOCK_MAX ? BLOCK_MAX : block;
    *set = w;
    return OK;
}

status winner_set_create(struct winner_set **set, const struct winner_options *options, struct spill_file *spill,
                         struct row_marks *losers, struct error *err)
{
    return set_create(set, options, 0, spill, losers, err);
}

static inline struct partition *partition_of(struct winner_set *w, struct key_hash hash)
{
    return &w->partitions[hash.a >> w->shift & ((UINT64_C(1) << w->bits) - 1)];
}

/* No bits of the hash are left to spread by: a level below could not be smaller. */
static bool is_last_level(const struct winner_set *w)
{
    return w->bits * (w->level + 2) > 64;
}

static inline struct slot *slot_at(const struct winner_set *w, const struct partition *p, uint64_t i)
{
    return (struct slot *)(p->slots + i * w->stride);
}

/* Where a key's slot is looked for first: the hash scaled to the table, so that tables may have any size. */
static inline uint64_t home_of(const struct partition *p, struct key_hash hash)
{
    return (uint64_t)((unsigned __int128)hash.b * p->slot_count >> 64);
}

static struct order_text text_of(const struct slot *slot)
{
    struct order_text t;
    memcpy(&t, slot->order, sizeof t);
    return t;
}

static void free_table(struct winner_set *w, struct partition *p)
{
    if (w->options.order == ORDER_VAR)
        for (uint64_t i = 0; i < p->slot_count; i++) {
            struct slot *slot = slot_at(w, p, i);
            if (slot->row)
                free(text_of(slot).bytes);
        }
    pages_free(p->slots, p->slot_count * w->stride);
    w->memory_used -= p->slot_count * w->stride + p->text_bytes;
    p->slots = NULL;
    p->slot_count = p->used = p->room = p->text_bytes = 0;
}

void winner_set_free(struct winner_set *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < (size_t)1 << w->bits; i++) {
        free_table(w, &w->partitions[i]);
        spill_chain_release(&w->partitions[i].chain);
    }
    free(w);
}

static status spill_contender(struct winner_set *w, struct partition *p, const struct contender *c, struct error *err)
{
    struct record_head head = {c->hash, c->row, (uint32_t)c->order_length};
    size_t head_length = w->options.order == ORDER_VAR ? offsetof(struct record_head, order_length) + sizeof(uint32_t)
                                                       : offsetof(struct record_head, order_length);
    return spill_append(w->spill, &p->chain, w->block_bytes, &head, head_length, c->order, c->order_length, err);
}

static struct contender contender_of(const struct winner_set *w, const struct slot *slot)
{
    struct contender c = {.hash = slot->hash, .row = slot->row - 1};
    if (w->options.order == ORDER_FIXED) {
        c.order = slot->order;
        c.order_length = w->options.order_width;
    } else if (w->options.order == ORDER_VAR) {
        struct order_text t = text_of(slot);
        c.order = t.bytes;
        c.order_length = t.length;
    }
    return c;
}

static status spill_partition(struct winner_set *w, struct partition *p, struct error *err)
{
    status s = OK;
    for (uint64_t i = 0; s == OK && i < p->slot_count; i++) {
        struct slot *slot = slot_at(w, p, i);
        if (slot->row) {
            struct contender c = contender_of(w, slot);
            s = spill_contender(w, p, &c, err);
        }
    }
    free_table(w, p);
    p->spilled = true;
    w->memory_used += w->block_bytes;
    return s;
}

static size_t table_bytes(const struct winner_set *w, const struct partition *p)
{
    return p->slot_count * w->stride + p->text_bytes;
}

/* Make `more` bytes fit for partition p, which may be spilled itself for it. */
static status make_room(struct winner_set *w, struct partition *p, size_t more, struct error *err)
{
    status s = OK;
    while (s == OK && !p->spilled && w->memory_used + more > w->options.memory && !is_last_level(w)) {
        struct partition *largest = p;
        for (size_t i = 0; i < (size_t)1 << w->bits; i++)
            if (table_bytes(w, &w->partitions[i]) > table_bytes(w, largest))
                largest = &w->partitions[i];
        s = spill_partition(w, largest, err);
    }
    return s;
}

static status grow_table(struct winner_set *w, struct partition *p, struct error *err)
{
    /* Slower growth leaves fewer slots empty, which matters once memory gets short. */
    bool ample = w->memory_used < w->options.memory / 2;
    uint64_t count = p->slot_count ? p->slot_count + p->slot_count / (ample ? 1 : 2) : FIRST_SLOTS;
    status s = make_room(w, p, count * w->stride, err);
    if (s != OK || p->spilled)
        return s;
    struct partition grown = *p;
    grown.slots = pages_alloc(count * w->stride);
    if (!grown.slots)
        return error_no_memory(err, count * w->stride);
    grown.slot_count = count;
    grown.room = count - count / 4;
    for (uint64_t i = 0; i < p->slot_count; i++) {
        struct slot *slot = slot_at(w, p, i);
        if (!slot->row)
            continue;
        uint64_t at = home_of(&grown, slot->hash);
        while (slot_at(w, &grown, at)->row)
            at = at + 1 == count ? 0 : at + 1;
        memcpy(slot_at(w, &grown, at), slot, w->stride);
    }
    w->memory_used += (count - p->slot_count) * w->stride;
    pages_free(p->slots, p->slot_count * w->stride);
    *p = grown;
    return OK;
}

static status set_order(struct winner_set *w, struct partition *p, struct slot *slot, const struct contender *c,
                        bool replace, struct error *err)
{
    if (w->options.order == ORDER_FIXED) {
        memcpy(slot->order, c->order, c->order_length);
    } else if (w->options.order == ORDER_VAR) {
        struct order_text t = replace ? text_of(slot) : (struct order_text){0};
        uint8_t *bytes = realloc(t.bytes, c->order_length);
        if (!bytes)
            return error_no_memory(err, c->order_length);
        memcpy(bytes, c->order, c->order_length);
        p->text_bytes += c->order_length - t.length;
        w->memory_used += c->order_length - t.length;
        t = (struct order_text){bytes, (uint32_t)c->order_length};
        memcpy(slot->order, &t, sizeof t);
    }
    return OK;
}

static inline uint64_t big_endian_u64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

/* memcmp of `width` (1 to 17) bytes, of which 8 may be loaded whatever the width. */
static inline int compare_fixed(const uint8_t *a, const uint8_t *b, size_t width)
{
    uint64_t x = big_endian_u64(a), y = big_endian_u64(b);
    if (width < 8) {
        x >>= 8 * (8 - width);
        y >>= 8 * (8 - width);
    } else if (x == y) {
        if (width > 16) {
            x = big_endian_u64(a + 8);
            y = big_endian_u64(b + 8);
        }
        if (x == y) { /* the last 8, some of which were seen */
            x = big_endian_u64(a + width - 8);
            y = big_endian_u64(b + width - 8);
        }
    }
    return (x > y) - (x < y);
}

/* The total order of rows of one key: by order value, then by position. */
static ALWAYS_INLINE bool beats(const struct winner_set *w, enum order_form form, const struct contender *c,
                                const struct slot *slot)
{
    int order = 0;
    if (form == ORDER_FIXED) {
        order = compare_fixed(c->order, slot->order, w->options.order_width);
    } else if (form == ORDER_VAR) {
        struct order_text t = text_of(slot);
        order = str_compare((struct str){(const char *)c->order, c->order_length},
                            (struct str){(const char *)t.bytes, t.length});
    }
    return order ? order > 0 : c->row + 1 > slot->row;
}

/* Cold: a row of a new key whose table is full, or whose order value needs memory of its own. *done: it was spilled. */
static NO_INLINE status prepare_insert(struct winner_set *w, struct partition *p, const struct contender *c, bool *done,
                                       struct error *err)
{
    status s = p->used >= p->room ? grow_table(w, p, err) : OK;
    if (s == OK && !p->spilled && w->options.order == ORDER_VAR)
        s = make_room(w, p, c->order_length, err);
    *done = p->spilled;
    return s == OK && p->spilled ? spill_contender(w, p, c, err) : s;
}

static ALWAYS_INLINE status offer(struct winner_set *w, enum order_form form, const struct contender *c,
                                  struct error *err)
{
    struct partition *p = partition_of(w, c->hash);
    status s;
    if (p->spilled)
        return spill_contender(w, p, c, err);
    if (UNLIKELY(p->used >= p->room || form == ORDER_VAR)) {
        bool done;
        s = prepare_insert(w, p, c, &done, err);
        if (s != OK || done)
            return s;
    }
    uint64_t at = home_of(p, c->hash);
    struct slot *slot;
    for (;; at = at + 1 == p->slot_count ? 0 : at + 1) {
        slot = slot_at(w, p, at);
        if (!slot->row)
            break;
        if (slot->hash.a != c->hash.a || slot->hash.b != c->hash.b)
            continue;
        uint64_t loser = slot->row - 1;
        if (beats(w, form, c, slot)) {
            s = set_order(w, p, slot, c, true, err);
            if (s != OK)
                return s;
            slot->row = c->row + 1;
        } else {
            loser = c->row;
        }
        return row_marks_add(w->losers, loser, err);
    }
    s = set_order(w, p, slot, c, false, err);
    if (s == OK) {
        slot->hash = c->hash;
        slot->row = c->row + 1;
        p->used++;
    }
    return s;
}

static ALWAYS_INLINE void fetch_ahead(struct winner_set *w, struct key_hash hash)
{
    struct partition *p = partition_of(w, hash);
    if (UNLIKELY(!p->slots))
        return;
    const uint8_t *home = p->slots + home_of(p, hash) * w->stride;
    __builtin_prefetch(home, 1);
    __builtin_prefetch(home + 64, 1); /* a slot may straddle two lines, and the key may be a few slots on */
}

static ALWAYS_INLINE status add_rows(struct winner_set *w, enum order_form form, const struct winner_rows *rows,
                                     struct error *err)
{
    status s = OK;
    struct contender c = {0};
    for (size_t i = 0; s == OK && i < rows->n; i++) {
        if (i + AHEAD < rows->n)
            fetch_ahead(w, rows->hashes[i + AHEAD]);
        uint32_t row = rows->rows[i];
        c.hash = rows->hashes[i];
        c.row = rows->first_row + row;
        if (form != ORDER_NONE) {
            uint32_t begin = row ? rows->order_ends[row - 1] : 0;
            c.order = rows->orders + begin;
            c.order_length = rows->order_ends[row] - begin;
        }
        s = offer(w, form, &c, err);
    }
    return s;
}

status winner_set_add(struct winner_set *w, const struct winner_rows *rows, struct error *err)
{
    switch (w->options.order) {
    case ORDER_NONE:
        return add_rows(w, ORDER_NONE, rows, err);
    case ORDER_FIXED:
        return add_rows(w, ORDER_FIXED, rows, err);
    case ORDER_VAR:
        break;
    }
    return add_rows(w, ORDER_VAR, rows, err);
}

void winner_group(size_t memory, const struct key_hash *hashes, size_t n, struct key_hash *grouped, uint32_t *rows)
{
    uint32_t starts[PARTITIONS_MAX] = {0};
    unsigned shift = 64 - partition_bits(memory);
    for (size_t i = 0; i < n; i++)
        starts[hashes[i].a >> shift]++;
    uint32_t start = 0;
    for (size_t p = 0; p < PARTITIONS_MAX; p++) {
        uint32_t count = starts[p];
        starts[p] = start;
        start += count;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t at = starts[hashes[i].a >> shift]++;
        grouped[at] = hashes[i];
        rows[at] = (uint32_t)i;
    }
}

/* Take the record at the front of `records`. */
static struct contender next_record(const struct winner_options *options, struct str *records)
{
    struct record_head head;
    size_t fixed = offsetof(struct record_head, order_length);
    struct contender c;
    memcpy(&head, records->p, fixed);
    c = (struct contender){.hash = head.hash, .row = head.row};
    if (options->order == ORDER_VAR) {
        uint32_t length;
        memcpy(&length, records->p + fixed, sizeof length);
        fixed += sizeof length;
        c.order_length = length;
    } else {
        c.order_length = options->order == ORDER_FIXED ? options->order_width : 0;
    }
    c.order = (const uint8_t *)records->p + fixed;
    records->p += fixed + c.order_length;
    records->n -= fixed + c.order_length;
    return c;
}

/* Everything that partition p spilled, through a set of its own. */
static status resolve_partition(struct winner_set *w, struct partition *p, struct error *err)
{
    struct winner_options options = w->options;
    struct winner_set *below = NULL;
    struct buf block = {0};
    struct str records;
    if (options.memory > 4 * w->block_bytes)
        options.memory -= w->block_bytes; /* the block being read */
    status s = set_create(&below, &options, w->level + 1, w->spill, w->losers, err);
    while (s == OK) {
        s = spill_take(w->spill, &p->chain, &block, &records, err);
        if (s != OK || records.n == 0)
            break;
        while (s == OK && records.n) {
            struct contender c = next_record(&options, &records);
            s = offer(below, options.order, &c, err);
        }
    }
    buf_release(&block);
    if (s == OK)
        s = winner_set_resolve(below, err);
    winner_set_free(below);
    return s;
}

status winner_set_resolve(struct winner_set *w, struct error *err)
{
    size_t count = (size_t)1 << w->bits;
    status s = OK;
    for (size_t i = 0; i < count; i++)
        free_table(w, &w->partitions[i]);
    for (size_t i = 0; s == OK && i < count; i++)
        s = spill_flush(w->spill, &w->partitions[i].chain, err);
    for (size_t i = 0; s == OK && i < count; i++)
        if (w->partitions[i].chain.last_length)
            s = resolve_partition(w, &w->partitions[i], err);
    return s;
}
