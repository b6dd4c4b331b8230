/* Byte order marks, zero bytes (UTF-16 and -32), valid UTF-8, then letter statistics. */
#include <math.h>
#include <string.h>

#include "base/attributes.h"
#include "format/sniff/code_page.h"
#include "format/sniff/double_byte.h"
#include "format/sniff/sniff.h"

#define STATISTICS_BYTES (24u << 10) /* around bytes above 0x7f; more would not change the answer */
#define TEMPER 0.5 /* neighbouring letters are not independent: how much of the likelihood is believed */
#define CODE_PAGE_SURE_MAX 0.97

static const struct {
    const char *name;
    const char *bytes;
    size_t n;
} boms[] = {
    {"UTF-8", "\xef\xbb\xbf", 3}, {"UTF-32LE", "\xff\xfe\0\0", 4}, {"UTF-32BE", "\0\0\xfe\xff", 4},
    {"UTF-16LE", "\xff\xfe", 2},  {"UTF-16BE", "\xfe\xff", 2},     {"GB18030", "\x84\x31\x95\x33", 4},
};

/* Text without zero characters has zero bytes only as the high bytes of wide characters. */
static bool sniff_wide(const uint8_t *head, size_t n, struct sniff_encoding *found)
{
    size_t zeros[4] = {0}, plain_le = 0, plain_be = 0, wide_ends = 0, narrow_ends = 0;
    size_t end = n - n % 4;
    for (size_t i = 0; i < end; i++)
        zeros[i % 4] += head[i] == 0;
    size_t quads = end / 4;
    if (quads == 0) {
        if (n < 2 || (head[0] != 0) == (head[1] != 0))
            return false;
        *found = (struct sniff_encoding){head[0] ? "UTF-16LE" : "UTF-16BE", 0, 0.6};
        return true;
    }
    if (zeros[0] + zeros[1] + zeros[2] + zeros[3] == 0)
        return false;
    if (zeros[3] == quads && zeros[2] * 10 >= quads * 9) {
        *found = (struct sniff_encoding){"UTF-32LE", 0, 0.97};
        return true;
    }
    if (zeros[0] == quads && zeros[1] * 10 >= quads * 9) {
        *found = (struct sniff_encoding){"UTF-32BE", 0, 0.97};
        return true;
    }
    /* Line ends, separators and digits are in Latin-1 for every script: see on which side their zero stands. */
    for (size_t i = 0; i < end; i += 2) {
        plain_le += head[i + 1] == 0 && head[i] > 0;
        plain_be += head[i] == 0 && head[i + 1] > 0;
        bool ends = head[i] == '\n' || head[i + 1] == '\n';
        wide_ends += ends && (head[i] == 0 || head[i + 1] == 0);
        narrow_ends += ends && head[i] != 0 && head[i + 1] != 0;
    }
    if (narrow_ends > wide_ends)
        return false;
    size_t most = plain_le > plain_be ? plain_le : plain_be, least = plain_le + plain_be - most;
    size_t all = zeros[0] + zeros[1] + zeros[2] + zeros[3];
    /* In an 8-bit text with stray zero bytes they stand anywhere. */
    if (most * 10 < all * 8 || most * 20 < end / 2)
        return false;
    *found = (struct sniff_encoding){plain_le > plain_be ? "UTF-16LE" : "UTF-16BE", 0,
                                     0.97 * (1 - (double)least / (double)(most + 1))};
    return true;
}

enum utf8_state { UTF8_VALID, UTF8_INVALID, UTF8_CUT };

/* The sequence at head (Unicode 15, table 3-7); *length is set when it is valid. UTF8_CUT: valid as far as it goes. */
static enum utf8_state utf8_sequence(const uint8_t *head, size_t n, size_t *length)
{
    uint8_t b = head[0];
    size_t wanted = b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
    if (wanted == 0)
        return UTF8_INVALID;
    for (size_t k = 1; k < wanted; k++) {
        uint8_t low = k > 1 ? 0x80 : b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
        uint8_t high = k > 1 ? 0xbf : b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        if (k == n)
            return UTF8_CUT;
        if (head[k] < low || head[k] > high)
            return UTF8_INVALID;
    }
    *length = wanted;
    return UTF8_VALID;
}

struct utf8_counts {
    size_t sequences, invalid; /* beyond ASCII */
};

static struct utf8_counts count_utf8(const uint8_t *head, size_t n, bool at_end)
{
    struct utf8_counts counts = {0};
    size_t length;
    for (size_t i = 0; i < n; i += length) {
        length = 1;
        if (head[i] < 0x80)
            continue;
        enum utf8_state state = utf8_sequence(head + i, n - i, &length);
        if (state == UTF8_VALID)
            counts.sequences++;
        else if (state == UTF8_INVALID || at_end)
            counts.invalid++;
        else
            break;
    }
    return counts;
}

/* Copy the bytes above 0x7f with one byte before and three after: long stretches of ASCII say nothing. */
static size_t gather(const uint8_t *head, size_t n, uint8_t *into, size_t cap)
{
    size_t used = 0, after = 0;
    for (size_t i = 0; i < n && used + 2 <= cap; i++) {
        bool high = head[i] >= 0x80;
        if (high && after == 0 && i > 0)
            into[used++] = head[i - 1];
        if (high)
            after = 4;
        if (after > 0) {
            into[used++] = head[i];
            after--;
        }
    }
    return used;
}

static bool same_reading(const struct code_page *a, const struct code_page *b, const uint8_t *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] >= 0x80 && a->character[text[i] - 0x80] != b->character[text[i] - 0x80])
            return false;
    return true;
}

static struct sniff_encoding sniff_by_letters(const uint8_t *text, size_t n)
{
    double scores[CODE_PAGES + DOUBLE_BYTES];
    size_t best = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(scores); i++) {
        scores[i] = i < CODE_PAGES ? code_page_score(&code_pages[i], text, n)
                                   : double_byte_score(&double_bytes[i - CODE_PAGES], text, n);
        if (scores[i] > scores[best])
            best = i;
    }
    double rivals = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(scores); i++) {
        bool same = i == best ||
                    (i < CODE_PAGES && best < CODE_PAGES && same_reading(&code_pages[i], &code_pages[best], text, n));
        if (!same)
            rivals += exp(TEMPER * (scores[i] - scores[best]));
    }
    const char *name = best < CODE_PAGES ? code_pages[best].name : double_bytes[best - CODE_PAGES].name;
    return (struct sniff_encoding){name, 0, CODE_PAGE_SURE_MAX / (1 + rivals)};
}

struct sniff_encoding sniff_encoding(const uint8_t *head, size_t n, bool at_end)
{
    for (size_t i = 0; i < ARRAY_LENGTH(boms); i++)
        if (n >= boms[i].n && memcmp(head, boms[i].bytes, boms[i].n) == 0)
            return (struct sniff_encoding){boms[i].name, boms[i].n, 1};
    struct sniff_encoding wide;
    if (sniff_wide(head, n, &wide))
        return wide;

    struct utf8_counts utf8 = count_utf8(head, n, at_end);
    if (utf8.invalid == 0 && utf8.sequences > 0)
        return (struct sniff_encoding){"UTF-8", 0, 1};
    if (utf8.invalid == 0) {
        for (size_t i = 0; i + 2 < n; i++)
            if (head[i] == 0x1b && head[i + 1] == '$' && (head[i + 2] == 'B' || head[i + 2] == '@'))
                return (struct sniff_encoding){"ISO-2022-JP", 0, 0.95};
        return (struct sniff_encoding){"UTF-8", 0, 0.95};
    }
    /* Chance makes few valid sequences: mostly valid UTF-8 is UTF-8 with damaged cells. */
    if (utf8.sequences > 4 * utf8.invalid)
        return (struct sniff_encoding){"UTF-8", 0,
                                       (double)utf8.sequences / (double)(utf8.sequences + 4 * utf8.invalid)};

    uint8_t text[STATISTICS_BYTES];
    return sniff_by_letters(text, gather(head, n, text, sizeof text));
}
