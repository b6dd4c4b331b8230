/* Each encoding orders its characters by how common they are (kana, first-level and second-level ideographs), so the
 * lead byte tells the frequency of a character well enough. */
#include "format/sniff/double_byte.h"

#include <math.h>
#include <stdbool.h>

#define COST_INVALID (-18.0)
#define COST_MIXED_SCRIPT (-2.0)

#define P_PUNCTUATION 5e-3
#define P_HIRAGANA 7e-3
#define P_KATAKANA 2e-3
#define P_HALF_KATAKANA 3e-4
#define P_FULL_WIDTH 3e-4
#define P_KANJI 1e-4   /* JIS level 1 */
#define P_HANZI 2.4e-4 /* GB 2312 level 1 */
#define P_BIG5 1.7e-4  /* Big5 level 1 */
#define P_HANGUL 3.8e-4
#define P_UNCOMMON 1e-5
#define P_RARE 5e-7

static bool within(uint8_t b, uint8_t first, uint8_t last)
{
    return b >= first && b <= last;
}

static double shift_jis(const uint8_t *t, size_t n, size_t *length)
{
    *length = 1;
    if (within(t[0], 0xa1, 0xdf))
        return P_HALF_KATAKANA;
    if (!(within(t[0], 0x81, 0x9f) || within(t[0], 0xe0, 0xfc)) || n < 2 || t[1] < 0x40 || t[1] == 0x7f || t[1] > 0xfc)
        return 0;
    *length = 2;
    if (t[0] == 0x81)
        return t[1] < 0x80 ? P_PUNCTUATION : P_UNCOMMON;
    if (t[0] == 0x82)
        return t[1] >= 0x9f ? P_HIRAGANA : P_FULL_WIDTH;
    if (t[0] == 0x83)
        return t[1] <= 0x96 ? P_KATAKANA : P_UNCOMMON;
    return within(t[0], 0x88, 0x97) ? P_KANJI : t[0] < 0x88 || t[0] >= 0xeb ? P_RARE : P_UNCOMMON;
}

static double gb18030(const uint8_t *t, size_t n, size_t *length)
{
    *length = 1;
    if (!within(t[0], 0x81, 0xfe) || n < 2)
        return 0;
    if (within(t[1], 0x30, 0x39)) {
        *length = 4;
        return n >= 4 && within(t[2], 0x81, 0xfe) && within(t[3], 0x30, 0x39) ? P_RARE : 0;
    }
    if (t[1] < 0x40 || t[1] == 0x7f || t[1] == 0xff)
        return 0;
    *length = 2;
    if (t[1] < 0xa1 || t[0] < 0xa1)
        return P_RARE;
    if (t[0] <= 0xa3)
        return P_PUNCTUATION / 2;
    return within(t[0], 0xb0, 0xd7) ? P_HANZI : within(t[0], 0xd8, 0xf7) ? P_UNCOMMON : P_RARE;
}

static double big5(const uint8_t *t, size_t n, size_t *length)
{
    *length = 1;
    if (!within(t[0], 0x81, 0xfe) || n < 2 || !(within(t[1], 0x40, 0x7e) || within(t[1], 0xa1, 0xfe)))
        return 0;
    *length = 2;
    if (within(t[0], 0xa1, 0xa3))
        return P_PUNCTUATION / 2;
    return within(t[0], 0xa4, 0xc6) ? P_BIG5 : within(t[0], 0xc9, 0xf9) ? P_UNCOMMON / 4 : P_RARE;
}

static double euc_jp(const uint8_t *t, size_t n, size_t *length)
{
    *length = 1;
    if (n < 2 || !within(t[1], 0xa1, 0xfe))
        return 0;
    *length = 2;
    if (t[0] == 0x8e)
        return P_HALF_KATAKANA / 4;
    if (!within(t[0], 0xa1, 0xfe))
        return 0;
    if (t[0] <= 0xa3)
        return P_PUNCTUATION / 2;
    if (t[0] == 0xa4)
        return P_HIRAGANA;
    if (t[0] == 0xa5)
        return P_KATAKANA;
    return within(t[0], 0xb0, 0xcf) ? P_KANJI : within(t[0], 0xd0, 0xf4) ? P_UNCOMMON : P_RARE;
}

static double euc_kr(const uint8_t *t, size_t n, size_t *length)
{
    *length = 1;
    if (!within(t[0], 0x81, 0xfe) || n < 2 ||
        !(within(t[1], 0xa1, 0xfe) || within(t[1], 0x41, 0x5a) || within(t[1], 0x61, 0x7a) || within(t[1], 0x81, 0xa0)))
        return 0;
    *length = 2;
    if (t[1] < 0xa1 || t[0] < 0xa1)
        return P_RARE;
    if (t[0] <= 0xa3)
        return P_PUNCTUATION / 2;
    return within(t[0], 0xb0, 0xc8) ? P_HANGUL : P_RARE;
}

const struct double_byte double_bytes[DOUBLE_BYTES] = {
    {"CP932", 0.5, shift_jis}, {"GB18030", 0.6, gb18030}, {"BIG5", 0.3, big5},
    {"EUC-JP", 0.2, euc_jp},   {"CP949", 0.4, euc_kr},
};

double double_byte_score(const struct double_byte *encoding, const uint8_t *text, size_t n)
{
    double sum = log(encoding->prior);
    uint8_t before = '\n';
    for (size_t i = 0; i < n;) {
        size_t length = 1;
        if (text[i] >= 0x80) {
            double p = encoding->character(text + i, n - i, &length);
            if (length > n - i)
                length = n - i;
            if (p > 0)
                sum += log(p);
            else if (i + 4 < n)
                sum += COST_INVALID;
            else
                length = n - i; /* may be a character that the end of the head cuts */
            uint8_t after = i + length < n ? text[i + length] : '\n';
            if ((before | 0x20) >= 'a' && (before | 0x20) <= 'z')
                sum += COST_MIXED_SCRIPT;
            if ((after | 0x20) >= 'a' && (after | 0x20) <= 'z')
                sum += COST_MIXED_SCRIPT;
        }
        before = length == 1 ? text[i] : 0x80;
        i += length;
    }
    return sum;
}
