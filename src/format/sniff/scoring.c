/* The data consistency idea: the right dialect gives rows of one shape and cells of recognisable kinds; a wrong one
 * gives either uneven rows, or cells in which the true delimiters and quotes are still visible. */
#include "format/sniff/scoring.h"

#include <math.h>
#include <string.h>

#define WIDTHS_TRIED 4
#define WIDTH_MAX 4096       /* rows with more fields are counted as this wide */
#define TYPE_ROWS 150        /* rows looked at for types */
#define TYPE_COLUMNS 256     /* columns looked at */
#define COST_OTHER_WIDTH 1.2 /* in records of the right width */
#define COST_RAGGED 0.7      /* more than one field, but not the right number */
#define COST_BLANK 0.1

/* How much a cell speaks for having been cut out rightly. */
static const double look_values[LOOK_COUNT] = {
    [LOOK_EMPTY] = 0.5,   [LOOK_MISSING] = 0.9, [LOOK_INTEGER] = 1.0, [LOOK_DECIMAL] = 1.0,
    [LOOK_MONEY] = 1.0,   [LOOK_PERCENT] = 1.0, [LOOK_DATE] = 1.0,    [LOOK_TIME] = 1.0,
    [LOOK_TIMESTAMP] = 1, [LOOK_BOOLEAN] = 1.0, [LOOK_ADDRESS] = 1.0, [LOOK_CODE] = 0.9,
    [LOOK_WORD] = 0.9,    [LOOK_TEXT] = 0.8,    [LOOK_LIST] = 0.3,    [LOOK_ODD] = 0.1,
};
#define VALUE_QUOTED_TEXT 0.9 /* whatever is in it, the quotes say that it is one value */
#define VALUE_PADDED 0.8      /* factor for blanks around a cell: perhaps part of the delimiter */

static double width_worth(uint32_t width)
{
    return (double)(width - 1) / (double)width;
}

/* The widths that most records have, with their counts. */
static size_t common_widths(const struct sniff_table *t, uint32_t widths[WIDTHS_TRIED])
{
    static const uint32_t none = 0;
    uint32_t counts[WIDTH_MAX + 1];
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].kind == ROW_RECORD)
            counts[t->rows[i].fields < WIDTH_MAX ? t->rows[i].fields : WIDTH_MAX]++;
    size_t found = 0;
    while (found < WIDTHS_TRIED) {
        uint32_t best = none;
        for (uint32_t w = 2; w <= WIDTH_MAX; w++)
            if (counts[w] > (best ? counts[best] : 0))
                best = w;
        if (best == none)
            break;
        widths[found++] = best;
        counts[best] = 0;
    }
    return found;
}

/* The stretch of rows with the largest balance of records of the right width over others. */
static double best_stretch(const struct sniff_table *t, uint32_t width, struct sniff_body *body)
{
    double sum = 0, best = 0;
    size_t start = 0;
    for (size_t i = 0; i < t->row_count; i++) {
        const struct sniff_row *r = &t->rows[i];
        if (r->kind == ROW_COMMENT)
            continue;
        if (sum <= 0) {
            sum = 0;
            start = i;
        }
        if (r->kind == ROW_BLANK)
            sum -= COST_BLANK;
        else if (r->fields == width)
            sum += 1;
        else
            sum -= r->fields > 1 ? COST_RAGGED : COST_OTHER_WIDTH;
        if (sum > best) {
            best = sum;
            *body = (struct sniff_body){.first = start, .last = i, .width = width};
        }
    }
    return best;
}

static void count_body(const struct sniff_table *t, struct sniff_body *b)
{
    b->records = b->ragged = b->outside = 0;
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_RECORD)
            continue;
        if (i < b->first || i > b->last)
            b->outside++;
        else if (t->rows[i].fields == b->width)
            b->records++;
        else
            b->ragged++;
    }
}

static double pattern_score(const struct sniff_body *b)
{
    if (b->width < 2)
        return 0;
    double inside = (double)(b->records + b->ragged);
    double consistency = (double)b->records / inside;
    double coverage = inside / (inside + (double)b->outside);
    return consistency * sqrt(consistency) * sqrt(coverage) * width_worth(b->width);
}

bool sniff_find_body(const struct sniff_table *t, struct sniff_body *body)
{
    size_t records = 0;
    struct sniff_body one = {.width = 1};
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_RECORD)
            continue;
        if (records++ == 0)
            one.first = i;
        one.last = i;
    }
    if (records == 0)
        return false;

    uint32_t widths[WIDTHS_TRIED];
    size_t width_count = common_widths(t, widths);
    double best = 0;
    *body = one;
    for (size_t k = 0; k < width_count; k++) {
        struct sniff_body b = {0};
        if (best_stretch(t, widths[k], &b) <= 0)
            continue;
        count_body(t, &b);
        double score = pattern_score(&b);
        if (score > best) {
            best = score;
            *body = b;
        }
    }
    count_body(t, body);
    return true;
}

struct column_tally {
    uint32_t looks[LOOK_COUNT];
    uint32_t cells;
    double value;
};

static double cell_value(const char *text, const struct sniff_cell *cell, enum look look)
{
    double value = look_values[look];
    if (cell->quoted)
        return value > VALUE_QUOTED_TEXT || look == LOOK_EMPTY ? value : VALUE_QUOTED_TEXT;
    if (cell->length && (text[cell->at] == ' ' || text[cell->at + cell->length - 1] == ' '))
        value *= VALUE_PADDED;
    return value;
}

/* 0..1: the share that the most frequent kind of look has among the filled cells. */
static double uniformity(const struct column_tally *c)
{
    uint32_t filled = c->cells - c->looks[LOOK_EMPTY] - c->looks[LOOK_MISSING];
    uint32_t numbers = 0, text = 0, most = 0;
    for (int look = LOOK_INTEGER; look < LOOK_COUNT; look++) {
        if (look_is_number((enum look)look))
            numbers += c->looks[look];
        else if (look >= LOOK_ADDRESS)
            text += c->looks[look];
        else if (c->looks[look] > most)
            most = c->looks[look];
    }
    if (numbers > most)
        most = numbers;
    if (text > most)
        most = text;
    return filled ? (double)most / (double)filled : 1;
}

struct type_summary {
    double score;
    double typed; /* share of columns that are mostly numbers, dates, times or booleans */
};

static struct type_summary type_score(const char *text, const struct sniff_table *t, const struct sniff_body *b)
{
    struct column_tally columns[TYPE_COLUMNS];
    uint32_t width = b->width < TYPE_COLUMNS ? b->width : TYPE_COLUMNS;
    memset(columns, 0, width * sizeof *columns);
    size_t records = b->records + b->ragged, taken = 0;
    size_t stride = records / TYPE_ROWS + 1, seen = 0;
    for (size_t i = b->first; i <= b->last && taken < TYPE_ROWS; i++) {
        const struct sniff_row *r = &t->rows[i];
        if (r->kind != ROW_RECORD || r->fields != b->width)
            continue;
        /* The first row may be a header, which says little about the values. */
        if ((seen++ == 0 && records > 2) || seen % stride != 0)
            continue;
        taken++;
        for (uint32_t c = 0; c < width; c++) {
            const struct sniff_cell *cell = &t->cells[r->first_cell + c];
            enum look look = look_of(text + cell->at, cell->length);
            columns[c].looks[look]++;
            columns[c].cells++;
            columns[c].value += cell_value(text, cell, look);
        }
    }
    struct type_summary s = {0};
    if (taken == 0)
        return (struct type_summary){0.5, 0};
    for (uint32_t c = 0; c < width; c++) {
        const struct column_tally *col = &columns[c];
        uint32_t typed = 0;
        for (int look = LOOK_INTEGER; look <= LOOK_BOOLEAN; look++)
            typed += col->looks[look];
        s.score += col->value / col->cells * (0.7 + 0.3 * uniformity(col));
        s.typed += 2 * typed > col->cells;
    }
    s.score /= width;
    s.typed /= width;
    return s;
}

/* A file of one column: credible when its cells have a form of their own that other delimiters would break. */
static double one_column_pattern(const char *text, const struct sniff_table *t, const struct sniff_body *b)
{
    size_t formed = 0, cells = 0;
    for (size_t i = b->first; i <= b->last && cells < TYPE_ROWS; i++) {
        if (t->rows[i].kind != ROW_RECORD)
            continue;
        const struct sniff_cell *cell = &t->cells[t->rows[i].first_cell];
        enum look look = look_of(text + cell->at, cell->length);
        cells++;
        formed += cell->quoted || look == LOOK_ADDRESS || (look >= LOOK_MONEY && look <= LOOK_TIMESTAMP);
    }
    double share = cells ? (double)formed / (double)cells : 0;
    return 0.15 + 0.55 * share * share;
}

static double quoting_score(const struct sniff_table *t)
{
    double malformed = t->quoted ? (double)t->malformed / (double)t->quoted : 0;
    return (t->unterminated ? 0.1 : 1) / (1 + 8 * malformed);
}

/* Blanks, colons and other signs occur within values too: numbers between them must vouch for them. */
static double weak_delimiter_factor(const char *delimiter, double typed)
{
    double prior = sniff_delimiter_prior(delimiter);
    if (prior > 0.6)
        return 1;
    return typed >= 0.4 ? 1 : 0.25 + typed;
}

void sniff_score(const char *text, const struct sniff_table *t, const struct sniff_candidate *candidate,
                 struct sniff_score *score)
{
    *score = (struct sniff_score){.fingerprint = t->fingerprint, .quoting = quoting_score(t)};
    if (!sniff_find_body(t, &score->body))
        return;
    struct type_summary types = type_score(text, t, &score->body);
    score->types = types.score;
    if (score->body.width < 2) {
        /* Which delimiter does not occur is no question of taste. */
        score->pattern = one_column_pattern(text, t, &score->body);
        score->total = score->pattern * score->types * score->quoting;
        return;
    }
    score->pattern = pattern_score(&score->body);
    score->total = score->pattern * score->types * score->quoting * candidate->prior *
                   weak_delimiter_factor(candidate->dialect.delimiter, types.typed);
}
