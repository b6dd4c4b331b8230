#include "format/json/json_memo.h"

#include <stdlib.h>
#include <xxhash.h>

#define SLOTS_MIN 128
#define PROBES_MAX 64 /* texts made to collide must not turn the memo into a list */

static uint64_t read_words(const uint8_t *text, size_t n, uint64_t *high)
{
    uint8_t padded[16] = {0};
    memcpy(padded, text, n);
    *high = json_load64(padded + 8);
    return json_load64(padded);
}

/* Of more than 16 bytes. */
static uint64_t hash_long(const uint8_t *text, size_t n)
{
    if (n > 32)
        return XXH3_64bits(text, n);
    uint64_t a = json_load64(text) + UINT64_C(0xA0761D6478BD642F) * n, b = json_load64(text + 8);
    uint64_t c = json_load64(text + n - 16), d = json_load64(text + n - 8);
    a = (a ^ b << 32 ^ b >> 32) * UINT64_C(0xE7037ED1A0B428DB);
    c = (c ^ d << 32 ^ d >> 32) * UINT64_C(0x8EBC6AF09C88C6E3);
    return a ^ a >> 31 ^ c ^ c >> 29;
}

bool json_memo_find_long(const struct json_memo *m, const uint8_t *text, size_t n, unsigned tag, uint32_t *code)
{
    if (n > JSON_MEMO_TEXT_MAX)
        return false;
    uint64_t hash = hash_long(text, n);
    uint32_t key = 1 + 2 * (uint32_t)n + tag;
    for (size_t at = json_memo_home(m, hash, 0); m->slots[at].key; at = (at + 1) & m->mask) {
        const struct json_memo_slot *slot = &m->slots[at];
        if (slot->key == key && slot->low == hash && memcmp(m->long_texts.data + slot->high, text, n) == 0) {
            *code = slot->code;
            return true;
        }
    }
    return false;
}

/* Homes of long texts are by hash alone: their `high` is a place, not a part of the text. */
static size_t slot_home(const struct json_memo *m, const struct json_memo_slot *slot)
{
    return json_memo_home(m, slot->low, slot->key > 2 * 16 + 2 ? 0 : slot->high);
}

/* Index of a free slot, or SIZE_MAX after too many probes. */
static size_t free_slot(const struct json_memo *m, size_t home)
{
    for (size_t i = 0; i < PROBES_MAX; i++) {
        size_t at = (home + i) & m->mask;
        if (m->slots[at].key == 0)
            return at;
    }
    return SIZE_MAX;
}

static size_t value_home(const struct json_memo *m, const uint8_t *value, size_t width)
{
    uint64_t high, low = read_words(value, width, &high);
    return json_memo_home(m, low, high);
}

/* Where the value's code is or belongs, or SIZE_MAX after too many probes. */
static size_t value_slot(const struct json_memo *m, const struct column *column, const uint8_t *value, size_t width)
{
    size_t home = value_home(m, value, width);
    for (size_t i = 0; i < PROBES_MAX; i++) {
        size_t at = (home + i) & m->mask;
        if (m->by_value[at] == 0 || memcmp(column->data.data + (m->by_value[at] - 1) * width, value, width) == 0)
            return at;
    }
    return SIZE_MAX;
}

static status allocate(struct json_memo *m, size_t slots, struct error *err)
{
    struct json_memo_slot *s = calloc(slots, sizeof *s);
    uint32_t *by_value = calloc(slots, sizeof *by_value);
    if (!s || !by_value) {
        free(s);
        free(by_value);
        return error_no_memory(err, slots * (sizeof *s + sizeof *by_value));
    }
    m->slots = s;
    m->by_value = by_value;
    m->mask = slots - 1;
    m->shift = 64 - (unsigned)__builtin_ctzll(slots);
    return OK;
}

static status grow(struct json_memo *m, const struct column *column, bool *full, struct error *err)
{
    struct json_memo old = *m;
    status s = allocate(m, (old.mask + 1) * 2, err);
    if (s != OK)
        return s;
    for (size_t i = 0; i <= old.mask && !*full; i++)
        if (old.slots[i].key) {
            size_t at = free_slot(m, slot_home(m, &old.slots[i]));
            *full = at == SIZE_MAX;
            if (!*full)
                m->slots[at] = old.slots[i];
        }
    size_t width = type_width(column->type);
    for (size_t code = 0; width && code < column->dict_length && !*full; code++) {
        size_t at = value_slot(m, column, column->data.data + code * width, width);
        *full = at == SIZE_MAX;
        if (!*full)
            m->by_value[at] = (uint32_t)code + 1;
    }
    free(old.slots);
    free(old.by_value);
    return OK;
}

status json_memo_begin(struct json_memo *m, struct error *err)
{
    if (!m->slots || (m->mask > 1024 && m->spellings < m->mask / 16)) { /* none, or far larger than was needed */
        free(m->slots);
        free(m->by_value);
        m->slots = NULL;
        m->by_value = NULL;
        status s = allocate(m, SLOTS_MIN, err);
        if (s != OK)
            return s;
    } else {
        memset(m->slots, 0, (m->mask + 1) * sizeof *m->slots);
        memset(m->by_value, 0, (m->mask + 1) * sizeof *m->by_value);
    }
    m->spellings = m->window_row = m->window_spellings = 0;
    buf_clear(&m->long_texts);
    return OK;
}

/* A new dictionary entry for the value. */
static status add_entry(struct column *column, const uint8_t *text, size_t n, const void *value, uint32_t *code,
                        struct error *err)
{
    status s;
    if (type_is_var(column->type)) {
        uint32_t zero = 0;
        s = column->offsets.len ? OK : buf_append(&column->offsets, &zero, sizeof zero, err);
        if (s == OK)
            s = buf_reserve(&column->data, n + 1, err); /* bytes to point at, even for the empty text */
        if (s == OK)
            buf_append_unsafe(&column->data, text, n);
        uint32_t end = (uint32_t)column->data.len;
        if (s == OK)
            s = buf_append(&column->offsets, &end, sizeof end, err);
    } else {
        s = buf_append(&column->data, value, type_width(column->type), err);
    }
    if (s == OK)
        *code = (uint32_t)column->dict_length++;
    return s;
}

status json_memo_add(struct json_memo *m, struct column *column, const uint8_t *text, size_t n, unsigned tag,
                     const void *value, uint32_t *code, bool *full, struct error *err)
{
    *full = n > JSON_MEMO_TEXT_MAX || m->spellings >= JSON_MEMO_ENTRIES_MAX ||
            column->data.len + n > JSON_MEMO_BYTES_MAX || m->long_texts.len + n > JSON_MEMO_BYTES_MAX;
    if (*full)
        return OK;
    status s = OK;
    if ((m->spellings + 1) * 2 > m->mask) {
        s = grow(m, column, full, err);
        if (s != OK || *full)
            return s;
    }
    struct json_memo_slot slot = {.key = 1 + 2 * (uint32_t)n + tag};
    if (n <= 16) {
        slot.low = read_words(text, n, &slot.high);
    } else {
        slot.low = hash_long(text, n);
        slot.high = m->long_texts.len;
    }
    size_t at = free_slot(m, slot_home(m, &slot)), by_value = 0;
    if (value)
        by_value = value_slot(m, column, value, type_width(column->type));
    *full = at == SIZE_MAX || by_value == SIZE_MAX;
    if (*full)
        return OK;
    if (n > 16)
        s = buf_append(&m->long_texts, text, n, err);
    if (s != OK)
        return s;
    if (value && m->by_value[by_value]) {
        slot.code = m->by_value[by_value] - 1;
    } else {
        s = add_entry(column, text, n, value, &slot.code, err);
        if (s != OK)
            return s;
        if (value)
            m->by_value[by_value] = slot.code + 1;
    }
    m->slots[at] = slot;
    m->spellings++;
    *code = slot.code;
    return OK;
}

bool json_memo_pays(struct json_memo *m, size_t row, size_t share)
{
    size_t rows = row - m->window_row, fresh = m->spellings - m->window_spellings;
    if (row < JSON_MEMO_WINDOW)
        return row < JSON_MEMO_WINDOW / 2 || m->spellings <= row - row / 16; /* still learning */
    if (rows < JSON_MEMO_WINDOW)
        return true;
    bool learning = m->window_row == 0;
    m->window_row = row;
    m->window_spellings = m->spellings;
    return learning || fresh <= rows / share;
}

void json_memo_release(struct json_memo *m)
{
    free(m->slots);
    free(m->by_value);
    buf_release(&m->long_texts);
    *m = (struct json_memo){0};
}
