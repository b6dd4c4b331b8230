/* The scan itself, over the primitives of base/block64.h. Each csv_scan_<variant>.c chooses its variant, includes
 * this header and exports one struct csv_scanner made of these two functions. */
#ifndef FF_FORMAT_CSV_SCAN_KERNEL_H
#define FF_FORMAT_CSV_SCAN_KERNEL_H

#include "base/block64.h"
#include "format/csv/csv_scan.h"

/* Bits of the block that lie before `end`. */
static ALWAYS_INLINE uint64_t bits_before(size_t at, size_t end)
{
    return end - at >= 64 ? UINT64_MAX : ((uint64_t)1 << (end - at)) - 1;
}

/* LF, and CR that no LF follows. */
static ALWAYS_INLINE uint64_t record_ends(struct block64 b, const uint8_t *data, size_t at, uint64_t *carriage)
{
    uint64_t lf = block64_match(b, '\n');
    uint64_t cr = block64_match(b, '\r');
    *carriage = cr;
    if (LIKELY(cr == 0))
        return lf;
    uint64_t next_lf = lf >> 1 | (uint64_t)(data[at + 64] == '\n') << 63;
    return lf | (cr & ~next_lf);
}

/* Eight at a time without a branch each: most blocks hold 5 to 16. */
static ALWAYS_INLINE uint32_t *write_positions(uint32_t *to, uint32_t at, uint64_t bits)
{
    unsigned count = (unsigned)__builtin_popcountll(bits);
    uint32_t *next = to + count;
    do {
        for (int i = 0; i < 8; i++) {
            to[i] = at + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
            bits &= bits - 1;
        }
        to += 8;
    } while (UNLIKELY(bits));
    return next;
}

static ALWAYS_INLINE size_t scan_index(const uint8_t *data, size_t begin, size_t end, struct csv_marks marks,
                                       struct csv_scan_state *state, uint32_t *positions, const bool quoted)
{
    uint32_t *to = positions;
    uint64_t inside = state->inside, lines = 0, records = 0, high = 0, carriage = 0;
    for (size_t at = begin; at < end; at += 64) {
        struct block64 b = block64_load(data + at);
        uint64_t valid = bits_before(at, end), cr;
        uint64_t ends = record_ends(b, data, at, &cr) & valid;
        uint64_t delimiters = block64_match(b, marks.delimiter) & valid;
        carriage |= cr & valid;
        high |= block64_high(b) & valid;
        lines += (uint64_t)__builtin_popcountll(ends);
        if (quoted) {
            uint64_t quotes = block64_match(b, marks.quote) & valid;
            uint64_t in = block64_prefix_xor(quotes) ^ inside;
            inside = (uint64_t)((int64_t)in >> 63);
            ends &= ~in;
            delimiters &= ~in;
            records += (uint64_t)__builtin_popcountll(ends);
        }
        to = write_positions(to, (uint32_t)at, ends | delimiters);
    }
    state->inside = inside;
    state->lines += lines;
    state->records += quoted ? records : lines;
    state->high |= high != 0;
    state->carriage |= carriage != 0;
    return (size_t)(to - positions);
}

static size_t kernel_index(const uint8_t *data, size_t begin, size_t end, struct csv_marks marks,
                           struct csv_scan_state *state, uint32_t *positions)
{
    return marks.quote ? scan_index(data, begin, end, marks, state, positions, true)
                       : scan_index(data, begin, end, marks, state, positions, false);
}

static size_t last_record_end(const uint8_t *data, size_t end)
{
    while (end > 0 && data[end - 1] != '\n' && data[end - 1] != '\r')
        end--;
    return end;
}

static struct csv_cut kernel_cut(const uint8_t *data, size_t end, struct csv_marks marks)
{
    const uint8_t *first = marks.quote ? memchr(data, marks.quote, end) : NULL;
    if (!first)
        return (struct csv_cut){.end = last_record_end(data, end)};
    struct csv_cut cut = {.quotes = true};
    uint64_t inside = 0, before_border = 1, after_close = 0, bad = 0;
    size_t last = 0;
    uint64_t last_ends = 0;
    /* Nothing before the first quote can be irregular; the byte before a block's start decides its first bit. */
    size_t start = (size_t)(first - data) & ~(size_t)63;
    if (start > 0) {
        size_t e = last_record_end(data, start);
        cut.end = e;
        uint8_t c = data[start - 1];
        before_border = c == marks.delimiter || c == '\n' || c == '\r';
    }
    for (size_t at = start; at < end; at += 64) {
        struct block64 b = block64_load(data + at);
        uint64_t valid = bits_before(at, end);
        uint64_t quotes = block64_match(b, marks.quote) & valid;
        uint64_t line = (block64_match(b, '\n') | block64_match(b, '\r')) & valid;
        uint64_t in = block64_prefix_xor(quotes) ^ inside;
        inside = (uint64_t)((int64_t)in >> 63);
        uint64_t border = line | (block64_match(b, marks.delimiter) & valid) | quotes;
        uint64_t opens = quotes & in, closes = quotes & ~in;
        bad |= opens & ~(border << 1 | before_border);
        bad |= (closes << 1 | after_close) & valid & ~border;
        before_border = border >> 63;
        after_close = closes >> 63;
        uint64_t ends = line & ~in;
        if (ends) {
            last = at;
            last_ends = ends;
        }
    }
    if (last_ends)
        cut.end = last + 64 - (size_t)__builtin_clzll(last_ends);
    cut.open = inside != 0;
    cut.irregular = bad != 0;
    return cut;
}

#endif
