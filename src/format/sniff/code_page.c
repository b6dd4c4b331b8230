/* Letter statistics: a wrong code page turns letters into symbols, into letters that the language does not have, into
 * capitals within words, or into a foreign script among ASCII letters. */
#include "format/sniff/code_page.h"

#include <math.h>
#include <stdbool.h>

#define COST_UNDEFINED (-18.0)
#define COST_CONTROL (-12.0)
#define COST_INNER_CAPITAL (-3.5)
#define COST_LONE_LETTER (-1.5)
#define COST_MIXED_SCRIPT (-4.0)
#define COST_SYMBOL_IN_WORD (-4.0)
#define SHARE_LETTERS 0.85
#define SHARE_CAPITAL 0.08
#define SHARE_OTHER_LANGUAGE 0.15 /* names and words of other languages occur everywhere */
#define WEIGHT_FLOOR 3e-5

enum kind {
    KIND_UNDEFINED,
    KIND_CONTROL,
    KIND_SYMBOL,
    KIND_SMALL,
    KIND_CAPITAL,
    KIND_SCRIPT_SMALL,
    KIND_SCRIPT_CAPITAL
};

struct symbol_range {
    uint16_t first, last;
    double weight; /* share of one character among the symbols beyond ASCII */
};

/* First match counts. */
static const struct symbol_range symbol_ranges[] = {
    {0x20ac, 0x20ac, 0.12}, /* euro */
    {0x2018, 0x2019, 0.10}, /* single quotation marks */
    {0x00b0, 0x00b0, 0.10}, /* degree */
    {0x201c, 0x201e, 0.05}, /* double quotation marks */
    {0x2013, 0x2014, 0.08}, /* dashes */
    {0x00a3, 0x00a3, 0.06}, /* pound */
    {0x00a0, 0x00a0, 0.06}, /* no-break space */
    {0x2022, 0x2022, 0.02}, /* bullet */
    {0x2026, 0x2026, 0.03}, /* ellipsis */
    {0x2122, 0x2122, 0.03}, /* trade mark */
    {0x00a4, 0x00a4, 1e-4}, /* currency sign: hardly ever */
    {0x00a6, 0x00a6, 1e-3}, /* broken bar */
    {0x00a1, 0x00bf, 0.02}, /* Latin-1 signs */
    {0x00d7, 0x00d7, 0.01}, /* times */
    {0x2500, 0x25a0, 1e-4}, /* box drawing */
    {0x0000, 0xffff, 1e-3},
};

/* The scripts of the pages; Latin beyond ASCII is 00c0 to 024f but for the signs among it. */
static enum kind kind_of(uint16_t c)
{
    if (c == 0)
        return KIND_UNDEFINED;
    if (c < 0xa0)
        return KIND_CONTROL;
    if (c == 0xd7 || c == 0xf7)
        return KIND_SYMBOL;
    if (c >= 0xc0 && c <= 0xff)
        return c < 0xdf ? KIND_CAPITAL : KIND_SMALL;
    if (c == 0x178)
        return KIND_CAPITAL;
    if (c >= 0x139 && c <= 0x148)
        return c & 1 ? KIND_CAPITAL : KIND_SMALL;
    if (c >= 0x179 && c <= 0x17e)
        return c & 1 ? KIND_CAPITAL : KIND_SMALL;
    if (c >= 0x100 && c < 0x250)
        return c & 1 ? KIND_SMALL : KIND_CAPITAL;
    if (c >= 0x386 && c <= 0x3ce)
        return (c >= 0x3ac && c != 0x3ab) ? KIND_SCRIPT_SMALL : KIND_SCRIPT_CAPITAL;
    if (c >= 0x400 && c <= 0x491)
        return (c >= 0x430 && c <= 0x45f) || c == 0x491 ? KIND_SCRIPT_SMALL : KIND_SCRIPT_CAPITAL;
    return KIND_SYMBOL;
}

static bool ascii_small(uint8_t b)
{
    return b >= 'a' && b <= 'z';
}

static bool ascii_letter(uint8_t b)
{
    return ascii_small(b | 0x20);
}

static bool is_letter(const enum kind *kinds, uint8_t b)
{
    return b < 0x80 ? ascii_letter(b) : kinds[b - 0x80] >= KIND_SMALL;
}

static bool is_small(const enum kind *kinds, uint8_t b)
{
    return b < 0x80 ? ascii_small(b) : kinds[b - 0x80] == KIND_SMALL || kinds[b - 0x80] == KIND_SCRIPT_SMALL;
}

/* What the neighbours say about one high byte. */
static double context_cost(const struct code_page *page, const enum kind *kinds, uint8_t before, uint8_t b,
                           uint8_t after)
{
    bool letter_before = is_letter(kinds, before), letter_after = is_letter(kinds, after);
    double cost = 0;
    switch (kinds[b - 0x80]) {
    case KIND_UNDEFINED:
        return COST_UNDEFINED;
    case KIND_CONTROL:
        return COST_CONTROL;
    case KIND_SYMBOL:
        return letter_before && letter_after && page->character[b - 0x80] != 0x2019 ? COST_SYMBOL_IN_WORD : 0;
    case KIND_SCRIPT_SMALL:
    case KIND_SCRIPT_CAPITAL:
        if (ascii_letter(before) || ascii_letter(after))
            cost += COST_MIXED_SCRIPT;
        break;
    case KIND_SMALL:
    case KIND_CAPITAL:
        if (!letter_before && !letter_after)
            cost += COST_LONE_LETTER;
        break;
    }
    if (is_small(kinds, before) && (kinds[b - 0x80] == KIND_CAPITAL || kinds[b - 0x80] == KIND_SCRIPT_CAPITAL))
        cost += COST_INNER_CAPITAL;
    return cost;
}

static double symbol_weight(uint16_t c)
{
    size_t i = 0;
    while (c < symbol_ranges[i].first || c > symbol_ranges[i].last)
        i++;
    return symbol_ranges[i].weight;
}

/* weights[language][byte]: share of the character among those beyond ASCII, without regard to other languages. */
static void letter_weights(const struct code_page *page, double weights[CODE_PAGE_LANGUAGES][128], double any[128])
{
    for (size_t i = 0; i < code_page_letter_count; i++) {
        const struct code_page_letter *l = &code_page_letters[i];
        for (size_t b = 0; b < 128; b++) {
            double share = page->character[b] == l->small                   ? 1
                           : l->capital && page->character[b] == l->capital ? SHARE_CAPITAL
                                                                            : 0;
            weights[l->language][b] += share * l->weight / 10000;
            any[b] += share * l->weight / 10000 / CODE_PAGE_LANGUAGES;
        }
    }
}

double code_page_score(const struct code_page *page, const uint8_t *text, size_t n)
{
    enum kind kinds[128];
    for (size_t b = 0; b < 128; b++)
        kinds[b] = kind_of(page->character[b]);

    uint32_t counts[128] = {0};
    double context = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x80)
            continue;
        counts[text[i] - 0x80]++;
        context += context_cost(page, kinds, i ? text[i - 1] : '\n', text[i], i + 1 < n ? text[i + 1] : '\n');
    }

    double weights[CODE_PAGE_LANGUAGES][128] = {0}, any[128] = {0};
    letter_weights(page, weights, any);
    double best = -INFINITY;
    for (size_t language = 0; language < CODE_PAGE_LANGUAGES; language++) {
        double sum = 0;
        for (size_t b = 0; b < 128; b++) {
            if (!counts[b] || kinds[b] <= KIND_CONTROL)
                continue;
            double p = kinds[b] == KIND_SYMBOL ? (1 - SHARE_LETTERS) * symbol_weight(page->character[b])
                                               : SHARE_LETTERS * ((1 - SHARE_OTHER_LANGUAGE) * weights[language][b] +
                                                                  SHARE_OTHER_LANGUAGE * any[b] + WEIGHT_FLOOR);
            sum += counts[b] * log(p);
        }
        if (sum > best)
            best = sum;
    }
    return best + context + log(page->prior);
}
