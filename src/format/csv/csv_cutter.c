#include "format/csv/csv_cutter.h"

#include <stdlib.h>

#include "format/csv/csv_record.h"
#include "format/csv/csv_scan.h"

struct csv_cutter {
    struct csv_cutter_options options;
    const struct csv_scanner *scanner;
    struct csv_record record; /* scratch of the byte-by-byte way; fields are not collected */
    bool discarding;          /* within a line that is too long: up to its end nothing is a record */
};

bool csv_dialect_is_scannable(const struct csv_dialect *d)
{
    return strlen(d->delimiter) == 1 && !d->comment && (!d->quote || d->escape == d->quote) &&
           !(d->quote == 0 && d->escape != 0);
}

static size_t line_length(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            return i + 1;
        if (data[i] == '\r')
            return i + (i + 1 < len && data[i + 1] == '\n' ? 2 : 1);
    }
    return len;
}

/* Records one after another until the text ends within one; *open tells whether within quotes. */
static status cut_slowly(struct csv_cutter *c, const uint8_t *data, size_t len, size_t *cut, bool *open,
                         struct error *err)
{
    size_t at = 0;
    *open = false;
    while (at < len) {
        enum csv_record_end end;
        status s = csv_record_read(&c->options.dialect, c->options.single, data, at, len, &c->record, &end, err);
        if (s != OK)
            return s;
        *open = end == CSV_OPEN_QUOTE;
        if (end == CSV_INCOMPLETE || end == CSV_OPEN_QUOTE)
            break;
        at = c->record.next;
    }
    *cut = at;
    return OK;
}

/* Whether the record at the start of data, which has no end within len, is within quotes there. */
static status is_open_quote(struct csv_cutter *c, const uint8_t *data, size_t len, bool *open, struct error *err)
{
    enum csv_record_end end;
    status s = csv_record_read(&c->options.dialect, c->options.single, data, 0, len, &c->record, &end, err);
    if (s == OK)
        *open = end == CSV_OPEN_QUOTE;
    return s;
}

/* data[0, whole) holds no record end; at the input's end it is all of data. */
static status cut_unfinished(struct csv_cutter *c, const uint8_t *data, size_t whole, bool at_end, size_t *cut,
                             struct text_chunk *chunk, struct error *err)
{
    bool open;
    status s = is_open_quote(c, data, whole, &open, err);
    if (s != OK)
        return s;
    bool too_long = whole > c->options.max_record_bytes;
    if (!at_end && !too_long) {
        *cut = 0;
        return OK;
    }
    if (!open && !too_long) { /* the last record, without a line end */
        *cut = whole;
        return OK;
    }
    size_t line = line_length(data, whole);
    bool line_ended = data[line - 1] == '\n' || data[line - 1] == '\r';
    *cut = open && line_ended ? line : whole;
    chunk->broken = too_long ? REJECT_ROW_TOO_LONG : REJECT_UNTERMINATED_QUOTE;
    c->discarding = !at_end && !(open && line_ended);
    return OK;
}

/* Records longer than allowed, where the text up to *found is long enough to hold one: it becomes a chunk of its own,
 * what precedes it the chunk before. */
static status part_at_long_record(struct csv_cutter *c, const uint8_t *data, size_t *found, struct text_chunk *chunk,
                                  struct error *err)
{
    for (size_t at = 0; at < *found;) {
        enum csv_record_end end;
        status s = csv_record_read(&c->options.dialect, c->options.single, data, at, *found, &c->record, &end, err);
        if (s != OK)
            return s;
        bool last = end == CSV_INCOMPLETE || end == CSV_OPEN_QUOTE;
        size_t next = last ? *found : c->record.next;
        if ((last ? next - at : c->record.length) > c->options.max_record_bytes) {
            chunk->broken = at == 0 ? REJECT_ROW_TOO_LONG : REJECT_NONE;
            *found = at == 0 ? next : at;
            return OK;
        }
        at = next;
    }
    return OK;
}

static status csv_cut(void *self, const uint8_t *data, size_t len, size_t scanned, bool at_end, size_t *cut,
                      struct text_chunk *chunk, struct error *err)
{
    struct csv_cutter *c = self;
    (void)scanned;
    *cut = 0;
    /* A CR at the very end may be half of a CR LF. */
    size_t whole = !at_end && len > 0 && data[len - 1] == '\r' ? len - 1 : len;
    if (whole == 0)
        return OK;
    if (c->discarding) {
        size_t line = line_length(data, whole);
        bool ended = line > 0 && (data[line - 1] == '\n' || data[line - 1] == '\r');
        *cut = line;
        chunk->rest = true;
        c->discarding = !ended && !at_end;
        return OK;
    }
    size_t found = 0;
    bool open = false;
    if (csv_dialect_is_scannable(&c->options.dialect)) {
        struct csv_marks marks = {(uint8_t)c->options.dialect.delimiter[0], (uint8_t)c->options.dialect.quote};
        struct csv_cut seen = c->scanner->cut(data, whole, marks);
        chunk->quotes = seen.quotes;
        chunk->irregular = seen.irregular;
        found = seen.end;
        open = seen.open;
    } else {
        chunk->irregular = true;
    }
    if (chunk->irregular) {
        status s = cut_slowly(c, data, whole, &found, &open, err);
        if (s != OK)
            return s;
    }
    if (at_end && !open && len <= c->options.max_record_bytes + found)
        found = len; /* the last record needs no line end */
    if (found == 0)
        return cut_unfinished(c, data, whole, at_end, cut, chunk, err);
    if (found > c->options.max_record_bytes) {
        status s = part_at_long_record(c, data, &found, chunk, err);
        if (s != OK)
            return s;
    }
    *cut = found;
    return OK;
}

static void csv_cutter_free(void *self)
{
    struct csv_cutter *c = self;
    csv_record_release(&c->record);
    free(c);
}

static const struct text_cutter_ops csv_cutter_ops = {.cut = csv_cut, .free = csv_cutter_free};

status csv_cutter_create(struct text_cutter *cutter, const struct csv_cutter_options *options, struct error *err)
{
    struct csv_cutter *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, sizeof *c);
    c->options = *options;
    c->scanner = csv_scanner_best();
    *cutter = (struct text_cutter){&csv_cutter_ops, c};
    return OK;
}
