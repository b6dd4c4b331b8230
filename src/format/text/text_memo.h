/* A memory of texts already met: text to a small number (a dictionary code), exactly.
 *
 * It lets a decoder recognise a repeated cell by its raw bytes, before any parsing. Texts of up to 16 bytes are kept
 * as two words and compared whole; longer ones by hash, then byte by byte. Texts must be readable 16 bytes beyond
 * their end. */
#ifndef FF_FORMAT_TEXT_TEXT_MEMO_H
#define FF_FORMAT_TEXT_TEXT_MEMO_H

#include "base/buf.h"

#define TEXT_MEMO_NONE UINT32_MAX

struct text_memo_entry {
    uint64_t low, high; /* the text's bytes, zero-filled; for long texts: hash, and where the text is kept */
    uint32_t length;
    uint32_t code; /* TEXT_MEMO_NONE: free entry */
};

struct text_memo {
    struct text_memo_entry *entries;
    uint32_t mask; /* number of entries less one, a power of two */
    uint32_t count;
    struct buf long_texts;
};

struct text_memo_key {
    uint64_t low, high;
    uint32_t length;
};

static ALWAYS_INLINE struct text_memo_key text_memo_key(const uint8_t *p, size_t n)
{
    /* Masks by length, so that the key of "ab" is that of "ab" only. */
    static const uint64_t masks[17] = {
        0,          0xFF,       0xFFFF,     0xFFFFFF,   0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF,
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,   UINT64_MAX,     UINT64_MAX,
        UINT64_MAX,
    };
    struct text_memo_key key = {.length = (uint32_t)n};
    memcpy(&key.low, p, 8);
    memcpy(&key.high, p + 8, 8);
    key.low &= masks[n];
    key.high &= n > 8 ? masks[n - 8] : 0;
    return key;
}

static ALWAYS_INLINE uint32_t text_memo_slot(struct text_memo_key key)
{
    uint64_t h = (key.low ^ (key.high * 0x9E3779B97F4A7C15u) ^ key.length) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(h >> 32);
}

/* Code of a text of at most 16 bytes, or TEXT_MEMO_NONE. */
static ALWAYS_INLINE uint32_t text_memo_find_short(const struct text_memo *m, struct text_memo_key key)
{
    uint32_t slot = text_memo_slot(key);
    for (;;) {
        const struct text_memo_entry *e = &m->entries[slot & m->mask];
        if (LIKELY(e->low == key.low && e->high == key.high && e->length == key.length))
            return e->code;
        if (e->code == TEXT_MEMO_NONE)
            return TEXT_MEMO_NONE;
        slot++;
    }
}

/* The same for a text of any length. */
uint32_t text_memo_find_long(const struct text_memo *m, const uint8_t *p, size_t n);

static ALWAYS_INLINE uint32_t text_memo_find(const struct text_memo *m, const uint8_t *p, size_t n)
{
    return LIKELY(n <= 16) ? text_memo_find_short(m, text_memo_key(p, n)) : text_memo_find_long(m, p, n);
}

/* Empty, ready to find in and add to. */
status text_memo_reset(struct text_memo *m, struct error *err) MUST_USE;
/* The text is not there yet. */
status text_memo_add(struct text_memo *m, const uint8_t *p, size_t n, uint32_t code, struct error *err) MUST_USE;
void text_memo_release(struct text_memo *m);

#endif
