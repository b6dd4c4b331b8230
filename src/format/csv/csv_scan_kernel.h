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

/* A block of ordinary data holds about eight: the first twelve are written without a branch each, and a block of long
 * text none, which is worth a branch. */
static ALWAYS_INLINE uint32_t *write_positions(uint32_t *to, uint32_t at, uint64_t bits)
{
    if (bits == 0)
        return to;
    uint32_t *end = to + __builtin_popcountll(bits);
    do {
        for (int i = 0; i < 12; i++) {
            to[i] = at + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
            bits &= bits - 1;
        }
        to += 12;
    } while (UNLIKELY(bits));
    return end;
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

static ALWAYS_INLINE bool is_border(uint8_t c, struct csv_marks marks)
{
    return c == marks.delimiter || c == marks.quote || c == '\n' || c == '\r';
}

/* The last record end outside quotes in data[from, end), when the text is `inside` quotes at `from`. */
static size_t last_end_outside(const uint8_t *data, size_t from, size_t end, struct csv_marks marks, uint64_t inside)
{
    size_t last = 0;
    for (size_t at = from; at < end; at += 64) {
        struct block64 b = block64_load(data + at);
        uint64_t valid = bits_before(at, end);
        uint64_t in = block64_prefix_xor(block64_match(b, marks.quote) & valid) ^ inside;
        inside = (uint64_t)((int64_t)in >> 63);
        uint64_t ends = (block64_match(b, '\n') | block64_match(b, '\r')) & valid & ~in;
        if (ends)
            last = at + 64 - (size_t)__builtin_clzll(ends);
    }
    return last;
}

/* Blocks without a quote cost one comparison: where the last record ends is found afterwards, from the quoting state
 * that was noted every STRIDE bytes. */
static struct csv_cut kernel_cut(const uint8_t *data, size_t end, struct csv_marks marks)
{
    enum { STRIDE = 1 << 16, STRIDES = 64 };
    const uint8_t *first = marks.quote ? memchr(data, marks.quote, end) : NULL;
    if (!first)
        return (struct csv_cut){.end = last_record_end(data, end)};
    struct csv_cut cut = {.quotes = true};
    size_t start = (size_t)(first - data) & ~(size_t)63;
    uint64_t states[STRIDES]; /* at the starts of the last STRIDES strides */
    uint64_t inside = 0, bad = 0;
    size_t stride = 0;
    for (size_t at = start; at < end; at += 64) {
        if (((at - start) & (STRIDE - 1)) == 0)
            states[stride++ % STRIDES] = inside;
        struct block64 b = block64_load(data + at);
        uint64_t quotes = block64_match(b, marks.quote) & bits_before(at, end);
        if (quotes == 0)
            continue;
        uint64_t valid = bits_before(at, end);
        uint64_t in = block64_prefix_xor(quotes) ^ inside;
        uint64_t border =
            ((block64_match(b, '\n') | block64_match(b, '\r') | block64_match(b, marks.delimiter)) & valid) | quotes;
        uint64_t opens = quotes & in, closes = quotes & ~in;
        uint64_t before = at == 0 || is_border(data[at - 1], marks);
        uint64_t after = at + 64 >= end || is_border(data[at + 64], marks);
        inside = (uint64_t)((int64_t)in >> 63);
        bad |= opens & ~(border << 1 | before);
        /* A closing quote at the text's very end may be followed by anything as far as is known. */
        uint64_t text_end = at + 64 < end ? 0 : ~(valid >> 1);
        bad |= closes & ~(border >> 1 | after << 63 | text_end);
    }
    for (size_t back = 1; cut.end == 0 && back <= stride && back <= STRIDES; back++) {
        size_t from = start + (stride - back) * STRIDE, to = from + STRIDE < end ? from + STRIDE : end;
        cut.end = last_end_outside(data, from, to, marks, states[(stride - back) % STRIDES]);
    }
    if (cut.end == 0 && stride > STRIDES) /* a record of megabytes: once more from the start */
        cut.end = last_end_outside(data, start, end, marks, 0);
    if (cut.end == 0)
        cut.end = last_record_end(data, start);
    cut.open = inside != 0;
    cut.irregular = bad != 0;
    return cut;
}

#endif
