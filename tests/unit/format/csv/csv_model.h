/* What CSV text means, by a reader of its own that looks at one byte after another: all records as texts, and the bad
 * ones with their places. For one-byte delimiters and doubled quotes. */
#ifndef TESTS_UNIT_FORMAT_CSV_CSV_MODEL_H
#define TESTS_UNIT_FORMAT_CSV_CSV_MODEL_H

#include "unit/format/csv/csv_feed.h"

struct model_place {
    const uint8_t *text;
    size_t at, size;
};

static inline bool model_line_end(const struct model_place *p)
{
    return p->at < p->size && (p->text[p->at] == '\n' || p->text[p->at] == '\r');
}

static inline void model_pass_line_end(struct model_place *p)
{
    if (p->at < p->size && p->text[p->at] == '\r' && p->at + 1 < p->size && p->text[p->at + 1] == '\n')
        p->at++;
    p->at++;
}

enum model_record { MODEL_GOOD, MODEL_BLANK, MODEL_TAIL, MODEL_OPEN };

/* One record from p->at on; its cells go to *cells as feed_run writes them. */
static inline enum model_record model_read(struct model_place *p, const struct feed *f, struct buf *cells,
                                           size_t *fields)
{
    char delimiter = f->dialect.delimiter[0];
    bool tail = false;
    *fields = 0;
    if (model_line_end(p) && f->columns != 1)
        return MODEL_BLANK;
    for (;;) {
        bool quoted = f->dialect.quote && p->at < p->size && p->text[p->at] == (uint8_t)f->dialect.quote;
        size_t before = cells->len;
        ++*fields;
        if (quoted) {
            p->at++;
            for (;; p->at++) {
                if (p->at == p->size)
                    return MODEL_OPEN;
                if (p->text[p->at] == (uint8_t)f->dialect.quote) {
                    if (p->at + 1 == p->size || p->text[p->at + 1] != (uint8_t)f->dialect.quote)
                        break;
                    p->at++;
                }
                feed_append(cells, p->text + p->at, 1);
            }
            p->at++;
        }
        while (p->at < p->size && !model_line_end(p) && p->text[p->at] != (uint8_t)delimiter) {
            tail |= quoted;
            feed_append(cells, p->text + p->at++, 1);
        }
        if (!quoted && cells->len == before)
            feed_append(cells, "\x1E", 1);
        feed_append(cells, "\x1F", 1);
        if (p->at == p->size || model_line_end(p))
            break;
        p->at++;
    }
    return tail ? MODEL_TAIL : MODEL_GOOD;
}

static inline uint64_t model_lines(const uint8_t *text, size_t size)
{
    struct model_place p = {text, 0, size};
    uint64_t lines = 0;
    while (p.at < size) {
        bool end = model_line_end(&p);
        lines += end;
        if (end)
            model_pass_line_end(&p);
        else
            p.at++;
    }
    return lines;
}

static inline void model_reject(struct feed_result *r, const char *code, const uint8_t *text, size_t start,
                                size_t length, const char *message)
{
    FEED_MUST(buf_printf(&r->rejects, NULL, "%s record %llu line %llu at %zu+%zu column -1: %s [", code,
                         (unsigned long long)r->records, (unsigned long long)model_lines(text, start) + 1, start,
                         length, message) == OK);
    feed_append(&r->rejects, text + start, length);
    feed_append(&r->rejects, "]\n", 2);
    r->reject_count++;
}

/* All of it, with every column a string. */
static inline void model_run(struct feed_result *r, const struct feed *f, const uint8_t *text, size_t size)
{
    struct model_place p = {text, 0, size};
    struct buf cells = {0};
    *r = (struct feed_result){.lines = model_lines(text, size)};
    while (p.at < size) {
        size_t start = p.at, fields;
        char message[96];
        buf_clear(&cells);
        enum model_record kind = model_read(&p, f, &cells, &fields);
        if (kind == MODEL_OPEN) { /* the physical line only */
            p.at = start;
            while (p.at < size && !model_line_end(&p))
                p.at++;
        }
        size_t length = p.at - start;
        model_pass_line_end(&p);
        if (kind == MODEL_BLANK)
            continue;
        r->records++;
        if (kind == MODEL_OPEN) {
            model_reject(r, "UNTERMINATED_QUOTE", text, start, length,
                         "a quote that opens in this record is never closed");
        } else if (kind == MODEL_TAIL) {
            model_reject(r, "UNTERMINATED_QUOTE", text, start, length, "text after the closing quote of a field");
        } else if (fields != f->columns) {
            snprintf(message, sizeof message, "%zu fields where %zu are expected", fields, f->columns);
            model_reject(r, fields < f->columns ? "MISSING_COLUMNS" : "TOO_MANY_COLUMNS", text, start, length, message);
        } else if (!str_is_utf8((struct str){(const char *)text + start, length})) {
            model_reject(r, "INVALID_ENCODING", text, start, length, "not valid UTF-8");
        } else {
            feed_append(&cells, "\x1D", 1);
            feed_append(&r->rows, cells.data, cells.len);
            r->row_count++;
        }
    }
    for (size_t i = 0; i < f->target_count; i++)
        r->observed[i] = INFER_NULL;
    buf_release(&cells);
}

#endif
