/* Try every dialect that the text suggests on a sample, take the one that explains it best, then look at the whole
 * head through it. */
#include "format/sniff/sniff.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/sniff/json_shape.h"
#include "format/sniff/layout.h"

#define SAMPLE_BYTES (64u << 10)
#define SAMPLE_BYTES_MIN (12u << 10)
#define LONG_FIELD_BYTES (64u << 10) /* an open quote followed by that much text without a quote opens a field */
#define WORK_BYTES (1536u << 10)     /* of all samples together: many candidates get a smaller one */
#define SAMPLE_ROWS 1000
#define SURE_MAX 0.995
#define RIVAL_SHARE 0.25      /* of the best total: what is below is no rival */
#define COMMENT_SHARE_MAX 0.4 /* more lines than that beginning with a sign are data */

struct choice {
    struct sniff_candidate candidate;
    struct sniff_score score;
    double rival; /* total of the best dialect that reads the sample differently */
    struct sniff_candidate rival_candidate;
};

/* The sign that comment lines seem to begin with, 0 if there are none. */
static char find_comment(const char *text, size_t n)
{
    size_t lines = 0, hashes = 0, percents = 0;
    for (size_t at = 0; at < n;) {
        lines += text[at] != '\n' && text[at] != '\r';
        hashes += text[at] == '#';
        percents += text[at] == '%';
        while (at < n && text[at] != '\n' && text[at] != '\r')
            at++;
        at++;
    }
    /* A short file may be mostly comments before its first records. */
    double most = lines < 20 ? 0.8 : COMMENT_SHARE_MAX;
    if (hashes && (double)hashes <= most * (double)lines)
        return '#';
    return percents && (double)percents <= most * (double)lines && text[0] == '%' ? '%' : 0;
}

static status choose(const char *text, size_t n, bool at_end, const struct sniff_given *given, char comment,
                     struct sniff_table *table, struct choice *choice, struct error *err)
{
    struct sniff_candidate candidates[CANDIDATES_MAX];
    struct sniff_score scores[CANDIDATES_MAX];
    size_t count = sniff_candidates(text, n, given, candidates), best = 0;
    size_t share = WORK_BYTES / count > SAMPLE_BYTES_MIN ? WORK_BYTES / count : SAMPLE_BYTES_MIN;
    if (n > share) {
        n = share;
        at_end = false;
    }
    for (size_t i = 0; i < count; i++) {
        candidates[i].dialect.comment = comment;
        status s = sniff_tokenize(text, n, at_end, &candidates[i].dialect, SAMPLE_ROWS, table, err);
        if (s != OK)
            return s;
        sniff_score(text, table, &candidates[i], RIVAL_SHARE * (i ? scores[best].total : 0), &scores[i]);
        if (scores[i].total > scores[best].total)
            best = i;
    }
    *choice = (struct choice){.candidate = candidates[best], .score = scores[best]};
    for (size_t i = 0; i < count; i++)
        if (scores[i].fingerprint != scores[best].fingerprint && scores[i].total > choice->rival) {
            choice->rival = scores[i].total;
            choice->rival_candidate = candidates[i];
        }
    return OK;
}

/* Lines that begin with the comment sign but have the records' shape are a header or records. */
static bool comments_are_records(const struct sniff_table *t, const struct sniff_body *b)
{
    size_t fit = 0, unfit = 0, before = SIZE_MAX;
    for (size_t i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_COMMENT)
            continue;
        fit += b->width >= 2 && t->rows[i].fields == b->width;
        unfit += b->width < 2 || t->rows[i].fields != b->width;
        if (i < b->first)
            before = i;
    }
    if (fit == 0)
        return false;
    /* "#name<tab>value" right above the records. */
    bool header = before != SIZE_MAX && t->rows[before].fields == b->width && before + 1 == b->first;
    return header || fit > unfit;
}

static enum sniff_newline newline_of(const struct sniff_table *t)
{
    int kinds = (t->ends_lf > 0) + (t->ends_crlf > 0) + (t->ends_cr > 0);
    if (kinds == 0)
        return NEWLINE_NONE;
    if (kinds > 1)
        return NEWLINE_MIXED;
    return t->ends_lf ? NEWLINE_LF : t->ends_crlf ? NEWLINE_CRLF : NEWLINE_CR;
}

static bool only_comments_before(const struct sniff_table *t, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (t->rows[i].kind == ROW_RECORD)
            return false;
    return row > 0;
}

/* The weights were set so that of the answers about dirty files that come with a given `sure`, about that share is
 * right (tests/sniff). */
static double sure_of(const struct choice *c)
{
    const struct sniff_body *b = &c->score.body;
    if (c->score.total <= 0)
        return 0;
    double records = (double)b->records, outside = (double)(b->ragged + b->outside);
    double lead = log(c->score.total / fmax(c->rival, RIVAL_SHARE * c->score.total));
    double evidence =
        -1.1 + 1.2 * lead + 2.5 * c->score.types + 0.5 * log(records) - 2.5 * outside / (records + outside);
    return fmin(1 / (1 + exp(-evidence)), SURE_MAX);
}

static const char *delimiter_name(const char *delimiter, char buffer[40])
{
    if (strcmp(delimiter, "\t") == 0)
        return "tab";
    if (strcmp(delimiter, " ") == 0)
        return "space";
    size_t used = 0;
    buffer[used++] = '\'';
    for (const char *p = delimiter; *p; p++)
        used += (size_t)(((uint8_t)*p < 0x20 || *p == 0x7f) ? snprintf(buffer + used, 6, "\\x%02x", (uint8_t)*p)
                                                            : snprintf(buffer + used, 6, "%c", *p));
    memcpy(buffer + used, "'", 2);
    return buffer;
}

static void explain(const struct choice *c, const struct sniff_body *b, char *reason, size_t cap)
{
    char name[40], rival[40];
    int used;
    if (b->width < 2)
        used = snprintf(reason, cap, "no delimiter divides the lines alike, so each is one field");
    else if (b->ragged + b->outside == 0)
        used = snprintf(reason, cap, "all %zu records have %u fields under %s", b->records, b->width,
                        delimiter_name(c->candidate.dialect.delimiter, name));
    else
        used = snprintf(reason, cap, "%zu of %zu records have %u fields under %s", b->records,
                        b->records + b->ragged + b->outside, b->width,
                        delimiter_name(c->candidate.dialect.delimiter, name));
    if (used < 0 || (size_t)used >= cap || c->rival <= 0.3 * c->score.total)
        return;
    bool same = strcmp(c->rival_candidate.dialect.delimiter, c->candidate.dialect.delimiter) == 0;
    snprintf(reason + used, cap - (size_t)used,
             same ? "; other quoting of %s explains it %.0f %% as well" : "; %s explains it %.0f %% as well",
             delimiter_name(c->rival_candidate.dialect.delimiter, rival), 100 * c->rival / c->score.total);
}

/* "sep=;" on the first line is how spreadsheets are told the delimiter. */
static size_t sep_line(const char *text, size_t n, char delimiter[CSV_DELIMITER_MAX + 1])
{
    if (n < 6 || (memcmp(text, "sep=", 4) != 0 && memcmp(text, "\"sep=", 5) != 0))
        return 0;
    size_t at = text[0] == '"' ? 5 : 4, end = at;
    while (end < n && text[end] != '\n' && text[end] != '\r')
        end++;
    size_t stop = text[0] == '"' && end > at && text[end - 1] == '"' ? end - 1 : end;
    if (stop == at || stop - at > CSV_DELIMITER_MAX || end == n)
        return 0;
    memcpy(delimiter, text + at, stop - at);
    delimiter[stop - at] = 0;
    return end + (text[end] == '\r' && end + 1 < n && text[end + 1] == '\n' ? 2 : 1);
}

static size_t skip_lines(const char *text, size_t n, int64_t lines)
{
    size_t at = 0;
    while (lines > 0 && at < n) {
        while (at < n && text[at] != '\n' && text[at] != '\r')
            at++;
        at += at + 1 < n && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
        lines--;
    }
    return at < n ? at : n;
}

/* A quote at a field's start with nothing but other text behind it up to the head's end: a quoted field that is longer
 * than the head. No dialect without quotes may win by not being able to read it. */
static bool opens_long_field(const char *text, size_t n, const struct csv_dialect *d)
{
    const char *quote = memrchr(text, '"', n);
    if (!quote || n - (size_t)(quote - text) < LONG_FIELD_BYTES)
        return false;
    size_t at = (size_t)(quote - text), length = strlen(d->delimiter);
    return at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r' ||
           (at >= length && memcmp(quote - length, d->delimiter, length) == 0);
}

static status sniff_csv(const char *text, size_t n, bool at_end, const struct sniff_given *asked,
                        struct sniff_text *result, struct error *err)
{
    struct sniff_given given = *asked;
    struct sniff_table table = {0};
    struct choice choice;
    char sep[CSV_DELIMITER_MAX + 1] = "";
    uint64_t lines_before = 0;
    size_t start = 0;
    if (given.skip_lines > 0) {
        start = skip_lines(text, n, given.skip_lines);
        lines_before = (uint64_t)given.skip_lines;
    } else if (given.skip_lines < 0 && (start = sep_line(text, n, sep)) > 0) {
        lines_before = 1;
        if (!given.delimiter)
            given.delimiter = sep;
    }
    text += start;
    n -= start;

    struct csv_dialect *d = &result->dialect;
    bool whole_sample = n <= SAMPLE_BYTES;
    size_t sample = whole_sample ? n : SAMPLE_BYTES;
    char comment = given.comment ? given.comment[0] : find_comment(text, sample);
    status s = choose(text, sample, at_end && whole_sample, &given, comment, &table, &choice, err);
    if (s != OK)
        goto out;
    *d = choice.candidate.dialect;
    if (!d->quote && !asked->quote && !at_end && opens_long_field(text, n, d))
        d->quote = d->escape = '"';

    struct sniff_body body;
    s = sniff_tokenize(text, n, at_end, d, SIZE_MAX, &table, err);
    if (s != OK)
        goto out;
    if (!sniff_find_body(text, &table, &body)) {
        d->skip_lines = lines_before;
        d->header = given.header == 1;
        d->header_lines = d->header;
        snprintf(result->reason, sizeof result->reason, "the input holds no records");
        goto out;
    }
    bool commented = false;
    for (size_t i = 0; i < table.row_count; i++)
        commented |= table.rows[i].kind == ROW_COMMENT;
    if (!given.comment && d->comment && (!commented || comments_are_records(&table, &body))) {
        d->comment = 0;
        s = sniff_tokenize(text, n, at_end, d, SIZE_MAX, &table, err);
        if (s != OK)
            goto out;
        (void)sniff_find_body(text, &table, &body);
    }

    struct sniff_layout layout;
    sniff_layout_find(text, &table, &body, at_end, given.header, &layout);
    size_t first = given.skip_lines >= 0 ? 0 : layout.first_row;
    d->header_lines = layout.header_lines;
    d->header = layout.header_lines > 0;
    d->skip_lines = lines_before;
    if (given.skip_lines < 0 && !(d->comment && only_comments_before(&table, first)))
        d->skip_lines += table.rows[first].line;
    result->newline = newline_of(&table);
    result->columns = layout.columns;
    result->footer_lines = layout.footer_lines;
    result->sure = given.delimiter && given.quote ? SURE_MAX : sure_of(&choice);
    if (sep[0])
        snprintf(result->reason, sizeof result->reason, "the first line names the delimiter");
    else
        explain(&choice, &body, result->reason, sizeof result->reason);
out:
    sniff_table_release(&table);
    return s;
}

status sniff_text(const uint8_t *head, size_t n, bool at_end, const struct sniff_given *given,
                  struct sniff_text *result, struct error *err)
{
    const char *text = (const char *)head;
    *result = (struct sniff_text){.format = SNIFF_CSV,
                                  .dialect = {.delimiter = ",", .quote = '"', .escape = '"'},
                                  .newline = NEWLINE_NONE,
                                  .columns = 1};
    if (n == 0) {
        snprintf(result->reason, sizeof result->reason, "the input is empty");
        return OK;
    }
    if (n >= 4 && memcmp(text, "PAR1", 4) == 0) {
        result->format = SNIFF_PARQUET;
        result->columns = 0;
        result->sure = 1;
        snprintf(result->reason, sizeof result->reason, "the input begins with the mark of Parquet files");
        return OK;
    }
    if (!given->delimiter && sniff_json(text, n, &result->format, &result->sure)) {
        result->columns = 0;
        snprintf(result->reason, sizeof result->reason, "the input begins with %s",
                 result->format == SNIFF_NDJSON ? "JSON objects, one a line" : "one JSON value");
        return OK;
    }
    return sniff_csv(text, n, at_end, given, result, err);
}
