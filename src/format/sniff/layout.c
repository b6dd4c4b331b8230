#include "format/sniff/layout.h"

#include <string.h>
#include <strings.h>

#include "format/sniff/header.h"

#define HEADER_ROWS_MAX 4
#define FOOTER_ROWS_MAX 3     /* of the records' own shape: totals */
#define EVIDENCE_TYPED 0.1    /* over columns with a form of their own the difference must show */
#define EVIDENCE_TEXT (-0.05) /* over text it need not: most files have a header */
#define EVIDENCE_STRONG 0.5

/* How lines begin that sum up or explain the table above them. */
static const char *const footer_words[] = {
    "total",    "grand total",  "subtotal",   "sub-total", "sum",      "average",  "mean",      "source", "note",
    "footnote", "generated",    "exported",   "end of",    "eof",      "printed",  "created",   "report", "records",
    "rows",     "copyright",    "(c)",        "©",         "*",        "--",       "==",        "legend", "data as of",
    "updated",  "last updated", "disclaimer", "see ",      "summe",    "gesamt",   "insgesamt", "quelle", "anmerkung",
    "hinweis",  "stand",        "fußnote",    "totale",    "totaux",   "remarque", "fuente",    "nota",   "suma",
    "razem",    "źródło",       "итого",      "всего",     "источник", "合計",     "出典",      "注",     "总计",
    "合计",     "来源",         "(1)",        "1)",        "[1]",
};

static const struct sniff_cell *first_filled(const struct sniff_table *t, const struct sniff_row *r, uint32_t *filled)
{
    const struct sniff_cell *first = NULL;
    *filled = 0;
    for (uint32_t c = 0; c < r->fields; c++) {
        const struct sniff_cell *cell = &t->cells[r->first_cell + c];
        if (cell->length == 0)
            continue;
        if (!first)
            first = cell;
        ++*filled;
    }
    return first;
}

static bool begins_like_footer(const char *text, const struct sniff_cell *cell)
{
    const char *p = text + cell->at;
    size_t n = cell->length;
    while (n && *p == ' ')
        p++, n--;
    for (size_t i = 0; i < ARRAY_LENGTH(footer_words); i++) {
        size_t length = strlen(footer_words[i]);
        if (n < length || strncasecmp(p, footer_words[i], length) != 0)
            continue;
        char next = n > length ? p[length] : ' ';
        bool letter = (next | 0x20) >= 'a' && (next | 0x20) <= 'z';
        if (!letter || next == 's')
            return true;
    }
    return false;
}

/* A record's shape, but only a title or note in it: what spreadsheets make of lines of text. */
static bool is_padded_line(const struct sniff_table *t, const struct sniff_row *r)
{
    uint32_t filled;
    const struct sniff_cell *first = first_filled(t, r, &filled);
    return filled == 0 || (filled == 1 && first == &t->cells[r->first_cell] && r->fields >= 3);
}

static bool is_footer_row(const char *text, const struct sniff_table *t, size_t row, uint32_t width)
{
    const struct sniff_row *r = &t->rows[row];
    uint32_t filled;
    const struct sniff_cell *first = first_filled(t, r, &filled);
    if (!first)
        return true;
    bool words = begins_like_footer(text, first);
    bool after_blank = row > 0 && t->rows[row - 1].kind == ROW_BLANK;
    if (r->fields == width)
        return width >= 2 && ((words && (filled < width || after_blank)) || is_padded_line(t, r));
    if (r->fields == 1)
        return width >= 3 || words || after_blank || look_of(text + first->at, first->length) == LOOK_TEXT;
    return words || after_blank;
}

static size_t count_footer(const char *text, const struct sniff_table *t, const struct sniff_body *b)
{
    size_t end = b->last + 1;
    for (size_t i = b->last + 1; i < t->row_count; i++)
        if (t->rows[i].kind == ROW_RECORD && !is_footer_row(text, t, i, b->width))
            end = i + 1;
    if (end == b->last + 1)
        for (int k = 0; k < FOOTER_ROWS_MAX && end > b->first + 2; k++) {
            size_t row = end - 1;
            if (t->rows[row].kind == ROW_RECORD && !is_footer_row(text, t, row, b->width))
                break;
            end = row;
        }
    while (end < t->row_count && t->rows[end].kind == ROW_BLANK)
        end++;
    bool any = false;
    for (size_t i = end; i < t->row_count; i++)
        any |= t->rows[i].kind == ROW_RECORD;
    if (!any)
        return 0;
    /* Blank lines between the last record and the footer belong to the footer. */
    while (end > b->first + 1 && t->rows[end - 1].kind == ROW_BLANK)
        end--;
    const struct sniff_row *last = &t->rows[t->row_count - 1];
    return last->line + last->lines - t->rows[end].line;
}

static size_t next_record(const struct sniff_table *t, size_t row)
{
    while (row < t->row_count && t->rows[row].kind != ROW_RECORD)
        row++;
    return row;
}

/* The row before the body, if it is a header with another number of fields (row names without a title; rows that
 * leave out trailing empty fields or add one). */
static bool other_width_header(const char *text, const struct sniff_table *t, const struct sniff_body *b,
                               const struct column_profiles *profiles, size_t *row)
{
    if (b->first == 0 || t->rows[b->first - 1].kind != ROW_RECORD)
        return false;
    size_t before = b->first - 1;
    uint32_t fields = t->rows[before].fields;
    if (fields < 2 || (fields + 1 != b->width && fields <= b->width))
        return false;
    double broken, broken_first;
    double evidence = header_evidence(text, t, b, before, profiles, &broken);
    double evidence_first = header_evidence(text, t, b, b->first, profiles, &broken_first);
    if (evidence < EVIDENCE_TYPED || evidence_first > evidence)
        return false;
    *row = before;
    return true;
}

static bool any_typed(const struct column_profiles *p)
{
    for (uint32_t c = 0; c < p->count; c++)
        if (look_is_typed(p->columns[c].kind) && p->columns[c].kind_share >= 0.7)
            return true;
    return false;
}

/* How many rows from `first` on make the header. */
static uint32_t count_header(const char *text, const struct sniff_table *t, const struct sniff_body *b, size_t first,
                             const struct column_profiles *profiles, double *sure)
{
    bool typed = any_typed(profiles);
    uint32_t lines = 0, k = 0;
    *sure = 0.5;
    for (size_t row = first; row <= b->last && k < HEADER_ROWS_MAX; row = next_record(t, row + 1), k++) {
        double broken;
        double evidence = header_evidence(text, t, b, row, profiles, &broken);
        if (k == 0) {
            double threshold = typed ? EVIDENCE_TYPED : EVIDENCE_TEXT;
            lines = evidence > threshold;
            double distance = evidence > threshold ? evidence - threshold : threshold - evidence;
            *sure = 0.5 + (distance > 0.5 ? 0.49 : 0.98 * distance);
            if (!lines && broken < 0.5)
                break;
        } else if (typed && broken > 0.99 && evidence > (lines ? 0.0 : EVIDENCE_STRONG) && row < b->last) {
            lines = k + 1;
        } else {
            break;
        }
    }
    return lines;
}

void sniff_layout_find(const char *text, const struct sniff_table *t, const struct sniff_body *b, bool whole,
                       int header, struct sniff_layout *layout)
{
    size_t first = b->first;
    *layout = (struct sniff_layout){.columns = b->width};
    layout->footer_lines = whole ? count_footer(text, t, b) : 0;

    /* Columns are learnt from below where headers may be, if there are enough rows. */
    struct sniff_body inner = *b;
    struct column_profiles profiles;
    size_t from = first;
    for (int k = 0; k < HEADER_ROWS_MAX; k++)
        from = next_record(t, from + 1);
    size_t rows_below = 0;
    for (size_t i = from; i <= b->last && i < t->row_count; i++)
        rows_below += t->rows[i].kind == ROW_RECORD && t->rows[i].fields == b->width;
    column_profiles_learn(text, t, b, rows_below >= 3 ? from : next_record(t, first + 1), &profiles);

    if (header != 0 && other_width_header(text, t, b, &profiles, &first)) {
        inner.first = first;
        if (t->rows[first].fields > b->width)
            layout->columns = t->rows[first].fields;
    } else {
        while (first < b->last && is_padded_line(t, &t->rows[first])) {
            size_t next = next_record(t, first + 1);
            if (next > b->last || t->rows[next].fields != b->width)
                break;
            first = next;
        }
        inner.first = first;
    }
    layout->first_row = first;
    layout->header_lines = count_header(text, t, &inner, first, &profiles, &layout->header_sure);
    if (header == 0)
        layout->header_lines = 0;
    else if (header == 1 && layout->header_lines == 0)
        layout->header_lines = 1;
}
