/* The data consistency idea: the right dialect gives rows of one shape and cells of recognisable kinds; a wrong one
 * gives either uneven rows, or cells in which the true delimiters and quotes are still visible. */
#include "format/sniff/scoring.h"

#include <math.h>
#include <string.h>

#include "format/sniff/footer.h"

#define WIDTHS_TRIED 4
#define WIDTH_MAX 4096       /* rows with more fields are counted as this wide */
#define TYPE_ROWS 150        /* rows looked at for types */
#define TYPE_COLUMNS 256     /* columns looked at */
#define COST_OTHER_WIDTH 1.2 /* in records of the right width */
#define COST_RAGGED 0.7      /* more than one field, but not the right number */
#define NOTE_ROWS_MAX 12     /* at the end, that may be notes */
#define COST_BLANK 0.1

/* How much a cell speaks for having been cut out rightly. */
static const double look_values[LOOK_COUNT] = {
    [LOOK_EMPTY] = 0.5,   [LOOK_MISSING] = 0.9, [LOOK_INTEGER] = 1.0, [LOOK_DECIMAL] = 1.0,
    [LOOK_MONEY] = 1.0,   [LOOK_PERCENT] = 1.0, [LOOK_DATE] = 1.0,    [LOOK_TIME] = 1.0,
    [LOOK_TIMESTAMP] = 1, [LOOK_BOOLEAN] = 1.0, [LOOK_ADDRESS] = 1.0, [LOOK_CODE] = 0.9,
    [LOOK_WORD] = 0.9,    [LOOK_TEXT] = 0.8,    [LOOK_LIST] = 0.3,    [LOOK_ODD] = 0.1,
};
#define FACTOR_DECIMAL_COMMAS 0.2
#define FACTOR_HEADER_UNFIT 0.6
#define VALUE_QUOTED_TEXT 0.9 /* whatever is in it, quotes or escapes say that it is one value */
#define VALUE_PADDED 0.8      /* factor for blanks around a cell: perhaps part of the delimiter */

static double width_worth(uint32_t width)
{
    return (double)(width - 1) / (double)width;
}

/* The widths that most records have, with their counts. */
static size_t common_widths(const struct sniff_table *t, uint32_t widths[WIDTHS_TRIED])
{
    uint32_t counts[WIDTH_MAX + 1], widest = 1;
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_RECORD)
            continue;
        uint32_t width = t->rows[i].fields < WIDTH_MAX ? t->rows[i].fields : WIDTH_MAX;
        counts[width]++;
        if (width > widest)
            widest = width;
    }
    size_t found = 0;
    while (found < WIDTHS_TRIED) {
        uint32_t best = 0;
        for (uint32_t w = 2; w <= widest; w++)
            if (counts[w] > (best ? counts[best] : 0))
                best = w;
        if (best == 0)
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

static void count_body(const char *text, const struct sniff_table *t, struct sniff_body *b)
{
    b->records = b->ragged = b->outside = 0;
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_RECORD)
            continue;
        if (i > b->last && i + NOTE_ROWS_MAX >= t->row_count)
            b->outside += !sniff_begins_like_footer(text, &t->cells[t->rows[i].first_cell]);
        else if (i < b->first || i > b->last)
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
    /* A few lines alike among many others are chance; many are a table with something around it. */
    double doubt = b->records >= 5 ? 0.5 : b->records >= 3 ? 0.75 : 1.5;
    return consistency * sqrt(consistency) * pow(coverage, doubt) * width_worth(b->width);
}

bool sniff_find_body(const char *text, const struct sniff_table *t, struct sniff_body *body)
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
        count_body(text, t, &b);
        double score = pattern_score(&b);
        if (score > best) {
            best = score;
            *body = b;
        }
    }
    count_body(text, t, body);
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
    if (cell->quoted || cell->escaped)
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
    double typed;  /* share of columns that are mostly numbers, dates, times or booleans */
    bool headless; /* the body's first row has their values in most of them */
};

static bool is_typed_column(const struct column_tally *c)
{
    uint32_t typed = 0;
    for (int look = LOOK_INTEGER; look <= LOOK_BOOLEAN; look++)
        typed += c->looks[look];
    return 2 * typed > c->cells;
}

static bool begins_with_values(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                               const struct column_tally *columns, uint32_t width)
{
    uint32_t typed = 0, values = 0;
    const struct sniff_row *r = &t->rows[b->first];
    for (uint32_t c = 0; c < width && c < r->fields; c++) {
        if (!is_typed_column(&columns[c]))
            continue;
        const struct sniff_cell *cell = &t->cells[r->first_cell + c];
        typed++;
        values += look_is_typed(look_of(text + cell->at, cell->length));
    }
    return typed > 0 && 2 * values > typed;
}

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
        return (struct type_summary){.score = 0.5};
    for (uint32_t c = 0; c < width; c++) {
        const struct column_tally *col = &columns[c];
        s.score += col->value / col->cells * (0.7 + 0.3 * uniformity(col));
        s.typed += is_typed_column(col);
    }
    s.score /= width;
    s.typed /= width;
    s.headless = begins_with_values(text, t, b, columns, width);
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

/* Quoted cells of the body that hold a whole record's worth of delimiters and a line end: a stray quote that swallowed
 * what follows up to the next one looks like that. */
static size_t count_swallowed(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                              const char *delimiter)
{
    size_t swallowed = 0, length = strlen(delimiter);
    for (size_t i = b->first; i <= b->last && b->width > 2; i++) {
        const struct sniff_row *r = &t->rows[i];
        for (uint32_t c = 0; r->lines > 1 && c < r->fields; c++) {
            const struct sniff_cell *cell = &t->cells[r->first_cell + c];
            if (!cell->quoted || cell->length < length || !memchr(text + cell->at, '\n', cell->length))
                continue;
            size_t delimiters = 0;
            for (size_t k = 0; k + length <= cell->length; k++)
                delimiters += memcmp(text + cell->at + k, delimiter, length) == 0;
            swallowed += delimiters + 1 >= b->width;
        }
    }
    return swallowed;
}

static double quoting_score(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                            const char *delimiter)
{
    if (t->quoted == 0)
        return 1;
    double quoted = (double)t->quoted;
    double malformed = (double)t->malformed / quoted;
    double swallowed = (double)count_swallowed(text, t, b, delimiter) / quoted;
    return (t->unterminated ? 0.1 : 1) / ((1 + 8 * malformed) * (1 + swallowed));
}

/* Blanks, colons and other signs occur within values too: numbers between them must vouch for them. */
static double weak_delimiter_factor(const char *delimiter, double typed, const struct sniff_body *b)
{
    if (sniff_delimiter_prior(delimiter) > 0.6 || typed >= 0.4)
        return 1;
    /* Many sentences of the same number of words would be a wonder. */
    size_t enough = strcmp(delimiter, " ") != 0 ? 3 : b->width > 3 ? 6 : 12;
    bool regular = b->width > 2 && b->ragged == 0 && b->records >= enough;
    return 0.25 + typed + (regular ? 0.4 : 0);
}

/* One name above pairs of digits: a column of numbers with decimal commas. */
static bool is_decimal_commas(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                              const char *delimiter)
{
    if (b->width != 2 || b->ragged || b->outside != 1 || b->first == 0 || strcmp(delimiter, ",") != 0 ||
        t->rows[b->first - 1].kind != ROW_RECORD)
        return false;
    for (size_t i = b->first; i <= b->last; i++)
        for (uint32_t c = 0; t->rows[i].kind == ROW_RECORD && c < 2; c++) {
            const struct sniff_cell *cell = &t->cells[t->rows[i].first_cell + c];
            if (cell->quoted || look_of(text + cell->at, cell->length) != LOOK_INTEGER)
                return false;
        }
    return true;
}

void sniff_score(const char *text, const struct sniff_table *t, const struct sniff_candidate *candidate, double floor,
                 struct sniff_score *score)
{
    const char *delimiter = candidate->dialect.delimiter;
    *score = (struct sniff_score){.fingerprint = t->fingerprint};
    if (!sniff_find_body(text, t, &score->body))
        return;
    score->quoting = quoting_score(text, t, &score->body, delimiter);
    if (score->body.width >= 2) {
        score->pattern = pattern_score(&score->body);
        if (score->pattern * score->quoting * candidate->prior < floor)
            return;
    }
    struct type_summary types = type_score(text, t, &score->body);
    score->types = types.score;
    if (score->body.width < 2) {
        /* Which delimiter does not occur is no question of taste. */
        score->pattern = one_column_pattern(text, t, &score->body);
        score->total = score->pattern * score->types * score->quoting;
        return;
    }
    if (is_decimal_commas(text, t, &score->body, delimiter))
        score->pattern *= FACTOR_DECIMAL_COMMAS;
    /* The line right above values is their header: a dialect under which it does not fit is not the right one. */
    if (types.headless && score->body.first > 0 && t->rows[score->body.first - 1].kind == ROW_RECORD)
        score->pattern *= FACTOR_HEADER_UNFIT;
    score->total = score->pattern * score->types * score->quoting * candidate->prior *
                   weak_delimiter_factor(delimiter, types.typed, &score->body);
}
