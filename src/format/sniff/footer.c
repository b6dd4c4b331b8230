#include "format/sniff/footer.h"

#include <string.h>
#include <strings.h>

#define FOOTER_ROWS_MAX 3 /* of the records' own shape: totals */
#define NOTE_LENGTH 24    /* bytes from which a lone text in a padded row is a note and no key */

/* How lines begin that sum up the table above them ... */
static const char *const total_words[] = {
    "total",  "totals", "grand total", "subtotal", "sub-total", "sum",   "summe", "gesamt", "gesamtsumme", "insgesamt",
    "totale", "totaux", "suma",        "razem",    "итого",     "всего", "合計",  "总计",   "合计",
};

/* ... or explain it. */
static const char *const note_words[] = {
    "average", "mean",   "source",   "sources",   "note",    "notes",      "footnote", "generated",    "exported",
    "end of",  "eof",    "printed",  "created",   "report",  "records",    "rows",     "copyright",    "(c)",
    "©",       "*",      "--",       "==",        "legend",  "data as of", "updated",  "last updated", "disclaimer",
    "see",     "quelle", "quellen",  "anmerkung", "hinweis", "stand",      "fußnote",  "remarque",     "fuente",
    "nota",    "źródło", "источник", "出典",      "注",      "来源",       "(1)",      "1)",           "[1]",
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

static bool begins_with_word(const char *text, const struct sniff_cell *cell, const char *const *words, size_t count)
{
    const char *p = text + cell->at;
    size_t n = cell->length;
    while (n && *p == ' ')
        p++, n--;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(words[i]);
        if (n < length || ((p[0] ^ words[i][0]) & 0xdf) != 0 || strncasecmp(p, words[i], length) != 0)
            continue;
        char next = n > length ? p[length] : ' ';
        if ((next | 0x20) < 'a' || (next | 0x20) > 'z' || (uint8_t)words[i][0] >= 0x80)
            return true;
    }
    return false;
}

bool sniff_begins_like_footer(const char *text, const struct sniff_cell *cell)
{
    return begins_with_word(text, cell, total_words, ARRAY_LENGTH(total_words)) ||
           begins_with_word(text, cell, note_words, ARRAY_LENGTH(note_words));
}

bool sniff_is_padded_line(const struct sniff_table *t, const struct sniff_row *r)
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
    bool total = begins_with_word(text, first, total_words, ARRAY_LENGTH(total_words));
    bool note = begins_with_word(text, first, note_words, ARRAY_LENGTH(note_words));
    bool after_blank = row > 0 && t->rows[row - 1].kind == ROW_BLANK;
    /* Better a bad row that is reported than a record that is taken for a note: a full row must say what it is. */
    if (r->fields == width && width >= 2)
        return total || ((note || after_blank || first->length >= NOTE_LENGTH) && sniff_is_padded_line(t, r)) ||
               (note && after_blank);
    if (r->fields == width)
        return (total || note) && after_blank;
    if (r->fields == 1)
        return width >= 3 || total || note || after_blank || look_of(text + first->at, first->length) == LOOK_TEXT;
    return total || note || after_blank;
}

size_t sniff_count_footer(const char *text, const struct sniff_table *t, const struct sniff_body *b)
{
    size_t end = b->last + 1;
    for (size_t i = b->last + 1; i < t->row_count; i++)
        if (t->rows[i].kind == ROW_RECORD && !is_footer_row(text, t, i, b->width))
            end = i + 1;
    for (int k = 0; k < FOOTER_ROWS_MAX && end == b->last + 1 - (size_t)k && end > b->first + 2; k++) {
        size_t row = end - 1;
        if (t->rows[row].kind != ROW_RECORD || !is_footer_row(text, t, row, b->width))
            break;
        end = row;
    }
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
