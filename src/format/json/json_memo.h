/* Dictionary codes by raw text: in a column with few distinct values each spelling is parsed once a chunk.
 *
 * A memo belongs to one column in dictionary form and fills its data and offsets. Several spellings of one value (1.0
 * and 1.00) share a code, so the entries are distinct values. `tag` keeps apart texts that are equal as bytes but not
 * in meaning (a number's and a string's). A zeroed struct is an empty memo. */
#ifndef FF_FORMAT_JSON_MEMO_H
#define FF_FORMAT_JSON_MEMO_H

#include "batch/column.h"
#include "format/json/json_scan.h"

#define JSON_MEMO_ENTRIES_MAX 32768
#define JSON_MEMO_BYTES_MAX (1u << 20) /* of dictionary data, and of long spellings */
#define JSON_MEMO_TEXT_MAX 1024        /* a longer text means that the column is no dictionary */
#define JSON_MEMO_WINDOW 2048          /* rows between two looks at whether the memo pays */

struct json_memo_slot {
    uint64_t low, high; /* the text, zero-padded, if it has at most 16 bytes; else its hash and place in long_texts */
    uint32_t code;
    uint32_t key; /* 1 + 2 * length + tag; 0: free */
};

struct json_memo {
    struct json_memo_slot *slots;
    size_t mask;        /* slots - 1 */
    unsigned shift;     /* 64 - log2(slots) */
    size_t spellings;   /* slots in use */
    uint32_t *by_value; /* 1 + code, found by the hash of the value; as many as slots; fixed-width columns only */
    struct buf long_texts;
    size_t window_row, window_spellings; /* where the current window began */
};

static ALWAYS_INLINE size_t json_memo_home(const struct json_memo *m, uint64_t low, uint64_t high)
{
    uint64_t mixed = (low ^ (high * UINT64_C(0x9E3779B97F4A7C15) >> 7)) * UINT64_C(0xD6E8FEB86659FD93);
    return (mixed ^ mixed << 29) >> m->shift;
}

/* n <= 16; the 16 bytes from `text` on must be readable. */
static ALWAYS_INLINE void json_memo_words(const uint8_t *text, size_t n, uint64_t *low, uint64_t *high)
{
    static const uint8_t keep[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    *low = json_load64(text) & json_load64(keep + 16 - n);
    *high = json_load64(text + 8) & json_load64(keep + 24 - n);
}

/* Code of a text of at most 16 bytes that was added before. The memo must have slots. */
static ALWAYS_INLINE bool json_memo_find16(const struct json_memo *m, const uint8_t *text, size_t n, unsigned tag,
                                           uint32_t *code)
{
    uint64_t low, high;
    json_memo_words(text, n, &low, &high);
    uint32_t key = 1 + 2 * (uint32_t)n + tag;
    for (size_t at = json_memo_home(m, low, high);; at = (at + 1) & m->mask) {
        const struct json_memo_slot *slot = &m->slots[at];
        if (slot->low == low && slot->high == high && slot->key == key) {
            *code = slot->code;
            return true;
        }
        if (slot->key == 0)
            return false;
    }
}

/* The same for a longer text. */
bool json_memo_find_long(const struct json_memo *m, const uint8_t *text, size_t n, unsigned tag, uint32_t *code);

/* Empty, with some slots. Memory is kept from chunk to chunk. */
status json_memo_begin(struct json_memo *m, struct error *err) MUST_USE;

/* Learn a text that was not found: `value` (type_width bytes; LAYOUT_VAR: the text itself, NULL) joins the column's
 * dictionary unless it is there. *full (nothing was added): the limits are reached, or too many texts collide. */
status json_memo_add(struct json_memo *m, struct column *column, const uint8_t *text, size_t n, unsigned tag,
                     const void *value, uint32_t *code, bool *full, struct error *err) MUST_USE;

/* To be asked after an addition in `row`: is the dictionary form still worth it? At the end of each window, not if
 * more than one in `share` of the window's rows brought a new text. */
bool json_memo_pays(struct json_memo *m, size_t row, size_t share);

void json_memo_release(struct json_memo *m);

#endif
