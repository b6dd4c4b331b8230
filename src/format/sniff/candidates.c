/* Delimiters are characters that occur on many lines, and the longer strings that they are often part of. */
#include "format/sniff/candidates.h"

#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 12      /* single characters tried */
#define DELIMITERS_MAX 20 /* with their extensions, and one that does not occur */
#define LINE_SHARE 0.2    /* of the lines must hold the character: there may be a long preamble */
#define EXTEND_SHARE 0.5  /* of the occurrences must agree on the neighbour; values may hold the sign, too */
#define WIDE_SLOTS 64

struct delimiter {
    char text[CSV_DELIMITER_MAX + 1];
    double weight; /* for ranking: share of lines times prior */
};

static const struct {
    const char *text;
    double prior;
} usual[] = {
    {",", 1.0},   {"\t", 1.0},  {";", 0.98},   {"|", 0.95},  {"\x01", 0.95}, {"\x1f", 0.95},
    {", ", 0.96}, {"; ", 0.94}, {" | ", 0.95}, {"||", 0.95}, {"::", 0.9},    {"~", 0.85},
    {"^", 0.85},  {" ", 0.45},  {":", 0.5},    {"-", 0.1},   {"+", 0.2},     {"/", 0.1},
};

double sniff_delimiter_prior(const char *delimiter)
{
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++)
        if (strcmp(usual[i].text, delimiter) == 0)
            return usual[i].prior;
    size_t n = strlen(delimiter);
    if (strspn(delimiter, " ") == n)
        return 0.8; /* more than one, and always as many */
    uint8_t first = (uint8_t)delimiter[0];
    if (n == 1 && first < 0x20)
        return 0.9;
    /* Nobody writes several signs in a row at the same places by accident. */
    if (n > 1 && first < 0x80)
        return strchr(" \t", delimiter[n - 1]) && !strchr(" \t", delimiter[0]) ? 0.6 : 0.9;
    return n > 1 ? 0.7 : 0.5;
}

/* Length of the character at text[0] if it may delimit by itself, else 0. */
static size_t unit_at(const char *text, size_t n)
{
    uint8_t c = (uint8_t)text[0];
    if (c < 0x20)
        return c != '\n' && c != '\r' && c != 0;
    if (c < 0x80)
        return strchr(",;|~^: #&*!@%$=+", c) != NULL;
    /* Latin-1 signs; general punctuation to box drawing. */
    if (c == 0xc2 && n >= 2 && (uint8_t)text[1] >= 0xa1 && (uint8_t)text[1] <= 0xbf)
        return 2;
    if (c == 0xe2 && n >= 3)
        return 3;
    return 0;
}

static bool extends(char c)
{
    return (uint8_t)c < 0x80 && c != 0 && strchr(" \t,;|~^:#&*!@%$=+-/<>", c) != NULL;
}

/* The neighbour that most occurrences of `d` have, on the right or left; 0 if there is none. Neighbours beyond
 * a line's end do not count. A repeated character is taken in pairs, triples, ... */
static char common_neighbour(const char *text, size_t n, const char *d, bool right)
{
    size_t length = strlen(d), all = 0;
    size_t counts[128] = {0};
    for (size_t i = 0; i + length <= n;) {
        const char *hit = memchr(text + i, d[0], n - length + 1 - i);
        if (!hit)
            break;
        i = (size_t)(hit - text);
        if (memcmp(hit, d, length) != 0) {
            i++;
            continue;
        }
        bool edge = right ? i + length == n : i == 0;
        char c = edge ? '\n' : right ? hit[length] : hit[-1];
        i += length;
        if (c == '\n' || c == '\r')
            continue;
        all++;
        if (!extends(c))
            continue;
        counts[(uint8_t)c]++;
        if (right && c == d[length - 1])
            i++;
    }
    for (size_t c = 1; c < 128; c++)
        if (all && (double)counts[c] >= EXTEND_SHARE * (double)all)
            return (char)c;
    return 0;
}

static void add_delimiter(struct delimiter list[DELIMITERS_MAX], size_t *count, const char *text, double share)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].text, text) == 0)
            return;
    if (*count == DELIMITERS_MAX - 1)
        return;
    struct delimiter *d = &list[(*count)++];
    memcpy(d->text, text, strlen(text) + 1);
    d->weight = share * sniff_delimiter_prior(text);
}

static void add_extensions(struct delimiter list[DELIMITERS_MAX], size_t *count, const char *text, size_t n,
                           struct delimiter d, double share)
{
    for (int side = 0; side < 2; side++) {
        size_t length;
        char c;
        while ((length = strlen(d.text)) < CSV_DELIMITER_MAX &&
               (c = common_neighbour(text, n, d.text, side == 0)) != 0) {
            if (side == 1)
                memmove(d.text + 1, d.text, length + 1);
            d.text[side == 0 ? length : 0] = c;
            if (side == 0)
                d.text[length + 1] = 0;
            add_delimiter(list, count, d.text, share);
        }
    }
}

static int by_weight(const void *a, const void *b)
{
    const struct delimiter *x = a, *y = b;
    return x->weight < y->weight ? 1 : x->weight > y->weight ? -1 : strcmp(x->text, y->text);
}

struct unit_count {
    struct delimiter d;
    size_t lines, last_line;
};

/* Characters that may delimit, with the share of lines that they are on. */
static size_t count_units(const char *text, size_t n, struct delimiter units[UNITS_MAX])
{
    struct unit_count ascii[128] = {0}, wide[WIDE_SLOTS] = {0};
    size_t wide_count = 0, lines = 0, line = 1;
    bool blank = true;
    for (size_t i = 0; i < n;) {
        if (text[i] == '\n' || text[i] == '\r') {
            lines += !blank;
            blank = true;
            line++;
            i++;
            continue;
        }
        blank = false;
        size_t length = unit_at(text + i, n - i);
        struct unit_count *u = NULL;
        if (length == 1) {
            u = &ascii[(uint8_t)text[i]];
        } else if (length > 1) {
            size_t k = 0;
            while (k < wide_count && strncmp(wide[k].d.text, text + i, length) != 0)
                k++;
            u = k < WIDE_SLOTS ? &wide[k] : NULL;
            wide_count += k == wide_count && k < WIDE_SLOTS;
        }
        if (u && u->last_line != line) {
            u->last_line = line;
            u->lines++;
            memcpy(u->d.text, text + i, length);
        }
        i += length ? length : 1;
    }
    lines += !blank;

    struct delimiter found[128 + WIDE_SLOTS];
    size_t count = 0;
    for (size_t k = 0; k < 128 + wide_count; k++) {
        struct unit_count *u = k < 128 ? &ascii[k] : &wide[k - 128];
        double share = lines ? (double)u->lines / (double)lines : 0;
        if (u->lines == 0 || share < LINE_SHARE)
            continue;
        u->d.weight = share * sniff_delimiter_prior(u->d.text);
        found[count++] = u->d;
    }
    qsort(found, count, sizeof *found, by_weight);
    if (count > UNITS_MAX)
        count = UNITS_MAX;
    memcpy(units, found, count * sizeof *found);
    return count;
}

static size_t find_delimiters(const char *text, size_t n, struct delimiter list[DELIMITERS_MAX])
{
    struct delimiter units[UNITS_MAX];
    size_t unit_count = count_units(text, n, units), count = 0;
    for (size_t i = 0; i < unit_count; i++)
        add_delimiter(list, &count, units[i].text, units[i].weight);
    for (size_t i = 0; i < unit_count; i++)
        add_extensions(list, &count, text, n, units[i], units[i].weight);
    return count;
}

/* Under a delimiter that does not occur the file has one column. */
static const char *absent_delimiter(const char *text, size_t n)
{
    static const char *const choices[] = {",", ";", "\t", "|", "\x1f"};
    for (size_t i = 0; i + 1 < ARRAY_LENGTH(choices); i++)
        if (!n || !memchr(text, choices[i][0], n))
            return choices[i];
    return choices[ARRAY_LENGTH(choices) - 1];
}

struct marks {
    bool quote[2];        /* " and ' occur where a field may begin */
    bool backslash_quote; /* a backslash stands before one of them or before itself */
    bool backslash_other; /* ... before a sign */
};

static struct marks find_marks(const char *text, size_t n)
{
    struct marks m = {0};
    for (size_t i = 0; i < n; i++) {
        char c = text[i], before = i ? text[i - 1] : '\n';
        if (c == '"')
            m.quote[0] = true;
        else if (c == '\'' && (before == '\n' || before == '\r' || unit_at(&before, 1) || extends(before)))
            m.quote[1] = true;
        if (before == '\\') {
            m.backslash_quote |= c == '"' || c == '\'' || c == '\\';
            m.backslash_other |= extends(c);
        }
    }
    return m;
}

static void add_candidate(struct sniff_candidate candidates[CANDIDATES_MAX], size_t *count, const char *delimiter,
                          char quote, char escape, double prior)
{
    if (*count == CANDIDATES_MAX)
        return;
    struct sniff_candidate *c = &candidates[(*count)++];
    *c = (struct sniff_candidate){.dialect = {.quote = quote, .escape = escape}, .prior = prior};
    memcpy(c->dialect.delimiter, delimiter, strnlen(delimiter, CSV_DELIMITER_MAX));
}

static void add_escapes(struct sniff_candidate candidates[CANDIDATES_MAX], size_t *count, const char *delimiter,
                        char quote, const struct sniff_given *given, const struct marks *m, double prior)
{
    if (given->escape) {
        add_candidate(candidates, count, delimiter, quote, given->escape[0], prior);
        return;
    }
    add_candidate(candidates, count, delimiter, quote, quote, prior);
    if (m->backslash_other || (quote && m->backslash_quote))
        add_candidate(candidates, count, delimiter, quote, '\\', prior * 0.97);
}

size_t sniff_candidates(const char *text, size_t n, const struct sniff_given *given,
                        struct sniff_candidate candidates[CANDIDATES_MAX])
{
    struct delimiter delimiters[DELIMITERS_MAX];
    size_t delimiter_count = 0, count = 0;
    if (given->delimiter && given->delimiter[0] && strlen(given->delimiter) <= CSV_DELIMITER_MAX)
        add_delimiter(delimiters, &delimiter_count, given->delimiter, 1);
    else
        delimiter_count = find_delimiters(text, n, delimiters);
    if (!given->delimiter)
        strcpy(delimiters[delimiter_count++].text, absent_delimiter(text, n));
    struct marks m = find_marks(text, n);
    for (size_t i = 0; i < delimiter_count; i++) {
        const char *d = delimiters[i].text;
        double prior = given->delimiter ? 1 : sniff_delimiter_prior(d);
        if (given->quote) {
            add_escapes(candidates, &count, d, given->quote[0], given, &m, prior);
            continue;
        }
        add_escapes(candidates, &count, d, '"', given, &m, prior);
        if (m.quote[0])
            add_escapes(candidates, &count, d, 0, given, &m, prior * 0.97);
        if (m.quote[1])
            add_escapes(candidates, &count, d, '\'', given, &m, prior * 0.95);
    }
    return count;
}
