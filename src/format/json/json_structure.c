#include "format/json/json_structure.h"

/* The bytes that follow an effective backslash; s->escape carries over from block to block. */
static uint64_t escaped_bytes(struct json_structure *s, uint64_t backslash, unsigned n)
{
    uint64_t escaped = s->escape;
    s->escape = false;
    backslash &= ~escaped;
    while (backslash) {
        uint64_t lowest = backslash & -backslash;
        backslash ^= lowest;
        if (lowest == UINT64_C(1) << (n - 1)) {
            s->escape = true;
        } else {
            escaped |= lowest << 1;
            backslash &= ~(lowest << 1);
        }
    }
    return escaped;
}

/* Bit i is the parity of bits 0 to i. */
static uint64_t prefix_xor(uint64_t x)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        x ^= x << shift;
    return x;
}

static uint64_t bits_below(unsigned i)
{
    return i >= 64 ? UINT64_MAX : (UINT64_C(1) << i) - 1;
}

/* Follow the brackets of one block. Sets the bits of the commas at the top level; returns where the array was closed,
 * or 64. */
static unsigned follow_brackets(struct json_structure *s, const uint8_t *p, const struct json_block *block,
                                uint64_t *borders)
{
    uint64_t brackets = block->open | block->close, below = 0;
    *borders = 0;
    while (brackets) {
        unsigned at = (unsigned)__builtin_ctzll(brackets);
        brackets &= brackets - 1;
        if (s->nested == 0)
            *borders |= block->comma & (bits_below(at) & ~below);
        below = bits_below(at + 1);
        if (block->open >> at & 1)
            s->nested++;
        else if (s->nested)
            s->nested--;
        else if (p[at] == ']')
            return at;
    }
    if (s->nested == 0)
        *borders |= block->comma & ~below;
    return 64;
}

struct json_border json_structure_scan(struct json_structure *s, const struct json_scan_ops *ops, const uint8_t *p,
                                       size_t n, bool first)
{
    struct json_border border = {0};
    for (size_t base = 0; base < n; base += 64) {
        unsigned here = n - base < 64 ? (unsigned)(n - base) : 64;
        uint64_t valid = bits_below(here), borders;
        struct json_block block;
        ops->classify(p + base, &block);
        block.backslash &= valid;
        block.quote &= valid;
        if (block.backslash || s->escape)
            block.quote &= ~escaped_bytes(s, block.backslash, here);
        uint64_t string = (block.quote ? prefix_xor(block.quote) : 0) ^ s->string;
        s->string = string >> (here - 1) & 1 ? UINT64_MAX : 0;
        uint64_t outside = valid & ~string;
        block.comma &= outside;
        block.open &= outside;
        block.close &= outside;
        unsigned closed = follow_brackets(s, p + base, &block, &borders);
        if (borders && first) {
            *s = (struct json_structure){0};
            return (struct json_border){base + (size_t)__builtin_ctzll(borders) + 1, true, false};
        }
        if (closed < 64)
            return (struct json_border){base + closed + 1, true, true};
        if (borders)
            border = (struct json_border){base + 64 - (size_t)__builtin_clzll(borders), true, false};
    }
    return border;
}
