#include "format/sniff/layout.h"

#include "format/sniff/footer.h"
#include "format/sniff/header.h"

#define HEADER_ROWS_MAX 4
#define EVIDENCE_TYPED 0.1    /* over columns with a form of their own the difference must show */
#define EVIDENCE_TEXT (-0.05) /* over text it need not: most files have a header */
#define EVIDENCE_STRONG 0.5

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
    double evidence = header_evidence(text, t, b, before, profiles).score;
    if (evidence < EVIDENCE_TYPED || header_evidence(text, t, b, b->first, profiles).score > evidence)
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
                             const struct column_profiles *profiles)
{
    bool typed = any_typed(profiles);
    uint32_t lines = 0, k = 0;
    for (size_t row = first; row <= b->last && k < HEADER_ROWS_MAX; row = next_record(t, row + 1), k++) {
        struct header_evidence e = header_evidence(text, t, b, row, profiles);
        if (k == 0) {
            double threshold = typed ? EVIDENCE_TYPED : EVIDENCE_TEXT;
            lines = e.score > threshold;
            /* Titles of groups of columns leave most cells empty. */
            if (!lines && e.broken < 0.5 && e.vacant < 0.5)
                break;
        } else if (typed && e.broken > 0.99 && e.score > (lines ? 0.0 : EVIDENCE_STRONG) && row < b->last) {
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
    layout->footer_lines = whole ? sniff_count_footer(text, t, b) : 0;

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
        while (first < b->last && sniff_is_padded_line(t, &t->rows[first])) {
            size_t next = next_record(t, first + 1);
            if (next > b->last || t->rows[next].fields != b->width)
                break;
            first = next;
        }
        inner.first = first;
    }
    layout->first_row = first;
    layout->header_lines = count_header(text, t, &inner, first, &profiles);
    if (header == 0)
        layout->header_lines = 0;
    else if (header == 1)
        layout->header_lines = 1; /* "the first record holds the names": no guess may take another record away */
}
