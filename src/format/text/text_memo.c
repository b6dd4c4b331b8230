#include "format/text/text_memo.h"

#include <stdlib.h>
#include <xxhash.h>

#define FIRST_ENTRIES 256u

static void mark_free(struct text_memo_entry *entries, uint32_t count)
{
    /* length UINT32_MAX never equals a key's, so a free entry needs no test of its own in the first compare. */
    for (uint32_t i = 0; i < count; i++)
        entries[i] = (struct text_memo_entry){.length = UINT32_MAX, .code = TEXT_MEMO_NONE};
}

static struct text_memo_key long_key(const uint8_t *p, size_t n)
{
    return (struct text_memo_key){.low = XXH3_64bits(p, n), .length = (uint32_t)n};
}

uint32_t text_memo_find_long(const struct text_memo *m, const uint8_t *p, size_t n)
{
    struct text_memo_key key = long_key(p, n);
    for (uint32_t slot = text_memo_slot(key);; slot++) {
        const struct text_memo_entry *e = &m->entries[slot & m->mask];
        if (e->code == TEXT_MEMO_NONE)
            return TEXT_MEMO_NONE;
        if (e->low == key.low && e->length == key.length && memcmp(m->long_texts.data + e->high, p, n) == 0)
            return e->code;
    }
}

status text_memo_reset(struct text_memo *m, struct error *err)
{
    if (!m->entries) {
        m->entries = malloc(FIRST_ENTRIES * sizeof *m->entries);
        if (!m->entries)
            return error_no_memory(err, FIRST_ENTRIES * sizeof *m->entries);
        m->mask = FIRST_ENTRIES - 1;
    }
    mark_free(m->entries, m->mask + 1);
    m->count = 0;
    buf_clear(&m->long_texts);
    return OK;
}

static uint32_t home_slot(const struct text_memo_entry *e)
{
    uint64_t high = e->length <= 16 ? e->high : 0;
    return text_memo_slot((struct text_memo_key){e->low, high, e->length});
}

static void place(struct text_memo *m, struct text_memo_entry entry)
{
    uint32_t slot = home_slot(&entry);
    while (m->entries[slot & m->mask].code != TEXT_MEMO_NONE)
        slot++;
    m->entries[slot & m->mask] = entry;
}

static status grow(struct text_memo *m, struct error *err)
{
    uint32_t count = m->mask + 1;
    struct text_memo_entry *old = m->entries, *entries = malloc(2 * (size_t)count * sizeof *entries);
    if (!entries)
        return error_no_memory(err, 2 * (size_t)count * sizeof *entries);
    mark_free(entries, 2 * count);
    m->entries = entries;
    m->mask = 2 * count - 1;
    for (uint32_t i = 0; i < count; i++)
        if (old[i].code != TEXT_MEMO_NONE)
            place(m, old[i]);
    free(old);
    return OK;
}

status text_memo_add(struct text_memo *m, const uint8_t *p, size_t n, uint32_t code, struct error *err)
{
    if ((m->count + 1) * 2 > m->mask) {
        status s = grow(m, err);
        if (s != OK)
            return s;
    }
    struct text_memo_key key;
    if (n <= 16) {
        key = text_memo_key(p, n);
    } else {
        key = long_key(p, n);
        key.high = m->long_texts.len;
        status s = buf_append(&m->long_texts, p, n, err);
        if (s != OK)
            return s;
    }
    place(m, (struct text_memo_entry){key.low, key.high, key.length, code});
    m->count++;
    return OK;
}

void text_memo_release(struct text_memo *m)
{
    free(m->entries);
    buf_release(&m->long_texts);
    *m = (struct text_memo){0};
}
