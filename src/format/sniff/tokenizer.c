#include "format/sniff/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define QUOTED_BYTES_MAX (16u << 10) /* a longer quoted field in a head is a quote that was none */

struct scan {
    const char *text;
    size_t n, at;
    const struct csv_dialect *dialect;
    size_t delimiter_length;
    uint8_t stop[256];
    struct sniff_table *table;
};

static status grow(void **items, size_t *cap, size_t count, size_t size, struct error *err)
{
    if (count < *cap)
        return OK;
    size_t wanted = *cap ? 2 * *cap : 4096;
    void *bigger = realloc(*items, wanted * size);
    if (!bigger)
        return error_no_memory(err, wanted * size);
    *items = bigger;
    *cap = wanted;
    return OK;
}

static bool delimiter_at(const struct scan *s, size_t at)
{
    return s->n - at >= s->delimiter_length && memcmp(s->text + at, s->dialect->delimiter, s->delimiter_length) == 0;
}

static bool line_end_at(const struct scan *s, size_t at)
{
    return s->text[at] == '\n' || s->text[at] == '\r';
}

static bool cell_end_at(const struct scan *s, size_t at)
{
    return at == s->n || line_end_at(s, at) || delimiter_at(s, at);
}

/* Skip the line end at s->at, if there is one, and note its kind. */
static bool take_line_end(struct scan *s)
{
    if (s->at == s->n)
        return false;
    if (s->text[s->at] == '\n') {
        s->table->ends_lf++;
    } else if (s->at + 1 < s->n && s->text[s->at + 1] == '\n') {
        s->table->ends_crlf++;
        s->at++;
    } else {
        s->table->ends_cr++;
    }
    s->at++;
    return true;
}

/* A backslash outside of quotes shields only what would otherwise mean something. */
static bool escape_at(const struct scan *s, size_t at)
{
    if (s->dialect->escape != '\\' || s->text[at] != '\\' || at + 1 >= s->n)
        return false;
    char next = s->text[at + 1];
    return next == '\\' || (s->dialect->quote && next == s->dialect->quote) || delimiter_at(s, at + 1) ||
           line_end_at(s, at + 1);
}

static void scan_plain(struct scan *s)
{
    while (s->at < s->n) {
        if (!s->stop[(uint8_t)s->text[s->at]]) {
            s->at++;
            continue;
        }
        if (line_end_at(s, s->at) || delimiter_at(s, s->at))
            return;
        if (escape_at(s, s->at)) {
            s->table->escapes++;
            s->at++;
        }
        s->at++;
    }
}

/* s->at is behind the opening quote. Returns where the content ends; s->at is then behind the closing quote. */
static size_t scan_quoted(struct scan *s, uint32_t *lines, bool *enclosing)
{
    const struct csv_dialect *d = s->dialect;
    size_t start = s->at;
    while (s->at < s->n) {
        char c = s->text[s->at];
        if (c == d->quote) {
            if (d->escape != d->quote || s->at + 1 >= s->n || s->text[s->at + 1] != d->quote) {
                s->at++;
                return s->at - 1;
            }
            *enclosing = true;
            s->at++;
        } else if (d->escape == '\\' && c == '\\' && s->at + 1 < s->n) {
            if (s->text[s->at + 1] == d->quote || s->text[s->at + 1] == '\\') {
                s->table->escapes++;
                *enclosing = true;
                s->at++;
            }
        } else if (c == '\n' || (c == '\r' && !(s->at + 1 < s->n && s->text[s->at + 1] == '\n'))) {
            ++*lines;
            *enclosing = true;
        } else if (c == d->delimiter[0] && delimiter_at(s, s->at)) {
            *enclosing = true;
        }
        s->at++;
    }
    s->table->unterminated |= s->at - start > QUOTED_BYTES_MAX;
    return SIZE_MAX;
}

/* *cut: the text ended within quotes. */
static status scan_cell(struct scan *s, uint32_t *lines, bool *cut, struct error *err)
{
    struct sniff_table *t = s->table;
    status result = grow((void **)&t->cells, &t->cell_cap, t->cell_count, sizeof *t->cells, err);
    if (result != OK)
        return result;
    struct sniff_cell *cell = &t->cells[t->cell_count++];
    size_t start = s->at, end;
    size_t escapes_before = t->escapes;
    cell->quoted = s->dialect->quote && s->at < s->n && s->text[s->at] == s->dialect->quote;
    if (cell->quoted) {
        bool enclosing = false;
        s->at = ++start;
        end = scan_quoted(s, lines, &enclosing);
        t->quoted++;
        t->enclosing += enclosing;
        *cut = end == SIZE_MAX;
        if (*cut)
            end = s->n;
        if (!cell_end_at(s, s->at)) {
            t->malformed++;
            scan_plain(s);
            end = s->at;
        }
    } else {
        scan_plain(s);
        end = s->at;
    }
    cell->escaped = t->escapes > escapes_before;
    cell->at = (uint32_t)start;
    cell->length = (uint32_t)(end - start);
    t->fingerprint = (t->fingerprint ^ (((uint64_t)start << 32) + end)) * 0x9e3779b97f4a7c15u;
    t->fingerprint ^= t->fingerprint >> 29;
    return OK;
}

/* A comment's fields are only counted, so that a header that begins with the comment sign can be recognised. */
static void scan_comment(struct scan *s, struct sniff_row *row)
{
    row->fields = 1;
    while (s->at < s->n && !line_end_at(s, s->at)) {
        if (delimiter_at(s, s->at)) {
            row->fields++;
            s->at += s->delimiter_length;
        } else {
            s->at++;
        }
    }
}

static status scan_row(struct scan *s, struct sniff_row *row, bool *cut, struct error *err)
{
    size_t first = s->table->cell_count;
    row->at = (uint32_t)s->at;
    row->lines = 1;
    row->first_cell = (uint32_t)first;
    if (line_end_at(s, s->at)) {
        row->kind = ROW_BLANK;
    } else if (s->dialect->comment && s->text[s->at] == s->dialect->comment) {
        row->kind = ROW_COMMENT;
        scan_comment(s, row);
    } else {
        for (;;) {
            status result = scan_cell(s, &row->lines, cut, err);
            if (result != OK)
                return result;
            if (s->at == s->n || line_end_at(s, s->at))
                break;
            s->at += s->delimiter_length;
        }
        row->fields = (uint32_t)(s->table->cell_count - first);
    }
    row->end = (uint32_t)s->at;
    /* Tabs alone are a record of empty cells where tabs delimit. */
    size_t blanks = 0, length = row->end - row->at;
    while (blanks < length &&
           (s->text[row->at + blanks] == ' ' || (row->fields == 1 && s->text[row->at + blanks] == '\t')))
        blanks++;
    if (blanks == length)
        row->kind = ROW_BLANK;
    return OK;
}

status sniff_tokenize(const char *text, size_t n, bool at_end, const struct csv_dialect *dialect, size_t row_max,
                      struct sniff_table *table, struct error *err)
{
    *table = (struct sniff_table){.cells = table->cells,
                                  .cell_cap = table->cell_cap,
                                  .rows = table->rows,
                                  .row_cap = table->row_cap,
                                  .fingerprint = 1};
    struct scan s = {.text = text, .n = n, .dialect = dialect, .table = table};
    s.delimiter_length = strlen(dialect->delimiter);
    s.stop['\n'] = s.stop['\r'] = s.stop[(uint8_t)dialect->delimiter[0]] = 1;
    if (dialect->escape == '\\')
        s.stop['\\'] = 1;

    uint32_t line = 0;
    while (s.at < n && table->row_count < row_max) {
        status result = grow((void **)&table->rows, &table->row_cap, table->row_count, sizeof *table->rows, err);
        if (result != OK)
            return result;
        struct sniff_row *row = &table->rows[table->row_count];
        *row = (struct sniff_row){.line = line};
        bool cut = false;
        result = scan_row(&s, row, &cut, err);
        if (result != OK)
            return result;
        line += row->lines;
        table->unterminated |= cut && at_end;
        table->row_count++;
        table->fingerprint = (table->fingerprint + row->fields) * 0x9e3779b97f4a7c15u;
        if (!take_line_end(&s) && !at_end && table->row_count > 1)
            table->row_count--;
    }
    return OK;
}

void sniff_table_release(struct sniff_table *table)
{
    free(table->cells);
    free(table->rows);
    *table = (struct sniff_table){0};
}
