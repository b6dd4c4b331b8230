/* Where a buffer of JSON may be cut into chunks: see text_chunk.h for the rules and json_decoder.h for the limits. */
#include <inttypes.h>
#include <stdlib.h>

#include "batch/json_check.h"
#include "format/json/json_decoder.h"
#include "format/json/json_structure.h"

enum place { PLACE_BEFORE, PLACE_INSIDE, PLACE_AFTER };

/* White space before the array's bracket that is looked through for it. */
#define LEADING_SPACE_MAX 65536

struct json_cutter {
    size_t max_record;
    uint64_t offset; /* of data[0] in the input */
    bool rest;       /* the start of a record that is too long was cut off: what follows is its rest */
    /* Arrays only. */
    const struct json_scan_ops *scan;
    enum place place;
    struct json_structure structure; /* behind data[ahead - 1] */
    size_t ahead;                    /* bytes of data that were scanned before; they hold no border */
    size_t opened;                   /* where the first element may begin, while data holds the opening bracket */
};

static void cut_at(struct json_cutter *c, size_t at, size_t *cut)
{
    *cut = at;
    c->offset += at;
    c->ahead -= at < c->ahead ? at : c->ahead;
    if (at)
        c->opened = 0;
}

static status cut_lines(void *self, const uint8_t *data, size_t len, size_t scanned, bool at_end, size_t *cut,
                        struct text_chunk *chunk, struct error *err)
{
    struct json_cutter *c = self;
    (void)err;
    chunk->quotes = chunk->irregular = chunk->rest = false;
    chunk->broken = REJECT_NONE;
    *cut = 0;
    if (len == 0)
        return OK;
    if (c->rest) {
        const uint8_t *feed = memchr(data, '\n', len);
        chunk->rest = true;
        c->rest = !feed;
        cut_at(c, feed ? (size_t)(feed - data) + 1 : len, cut);
        return OK;
    }
    if (at_end) {
        cut_at(c, len, cut);
        return OK;
    }
    const uint8_t *feed = scanned < len ? memrchr(data + scanned, '\n', len - scanned) : NULL;
    if (feed) {
        cut_at(c, (size_t)(feed - data) + 1, cut);
    } else if (len >= 2 && len - 2 >= c->max_record) { /* two more, for it could end in CR LF */
        chunk->broken = REJECT_ROW_TOO_LONG;
        c->rest = true;
        cut_at(c, c->max_record, cut);
    }
    return OK;
}

static status not_an_array(const struct json_cutter *c, const uint8_t *data, const uint8_t *at, struct error *err)
{
    status s = error_set(err, ERR_BAD_DATA, "byte %" PRIu64 ": a JSON array has to begin with [",
                         c->offset + (uint64_t)(at - data));
    error_hint(err, "if the input has one JSON object on each line, read it as ndjson");
    return s;
}

static status open_array(struct json_cutter *c, const uint8_t *data, size_t len, bool at_end, struct error *err)
{
    const uint8_t *p = json_skip_space(data, data + len);
    if (p == data + len)
        return at_end || len > LEADING_SPACE_MAX ? not_an_array(c, data, p, err) : OK;
    if (*p != '[')
        return not_an_array(c, data, p, err);
    c->place = PLACE_INSIDE;
    c->ahead = c->opened = (size_t)(p - data) + 1;
    return OK;
}

/* data[from] is the first byte behind the closing bracket. */
static status only_space_follows(struct json_cutter *c, const uint8_t *data, size_t len, size_t from, size_t *cut,
                                 struct error *err)
{
    const uint8_t *p = json_skip_space(data + from, data + len);
    if (p != data + len) {
        error_set(err, ERR_BAD_DATA, "byte %" PRIu64 ": more text after the end of the JSON array",
                  c->offset + (uint64_t)(p - data));
        error_hint(err, "one array is read: remove what follows it, or write one record a line (--from ndjson)");
        return ERR_BAD_DATA;
    }
    c->place = PLACE_AFTER;
    cut_at(c, len, cut);
    return OK;
}

static status cut_elements(void *self, const uint8_t *data, size_t len, size_t scanned, bool at_end, size_t *cut,
                           struct text_chunk *chunk, struct error *err)
{
    struct json_cutter *c = self;
    (void)scanned; /* `ahead` knows better: it also counts what was scanned behind the last cut */
    chunk->quotes = chunk->irregular = chunk->rest = false;
    chunk->broken = REJECT_NONE;
    *cut = 0;
    if (c->place == PLACE_BEFORE) {
        status s = open_array(c, data, len, at_end, err);
        if (s != OK || c->place == PLACE_BEFORE)
            return s;
    }
    if (c->place == PLACE_AFTER)
        return only_space_follows(c, data, len, 0, cut, err);

    size_t from = c->ahead;
    struct json_border border = json_structure_scan(&c->structure, c->scan, data + from, len - from, c->rest);
    c->ahead = len;
    chunk->rest = c->rest;
    if (border.closed)
        return only_space_follows(c, data, len, from + border.at, cut, err);
    if (border.found && c->rest)
        c->ahead = from + border.at; /* the scan stopped there */
    if (at_end && c->ahead == len) {
        error_set(err, ERR_BAD_DATA, "byte %" PRIu64 ": the input ends inside the JSON array",
                  c->offset + (uint64_t)len);
        error_hint(err, "the file is truncated: fetch it again");
        return ERR_BAD_DATA;
    }
    if (border.found) {
        c->rest = false;
        cut_at(c, from + border.at, cut);
    } else if (c->rest) {
        cut_at(c, len, cut);
    } else if (len - c->opened > c->max_record) {
        if (c->opened) { /* the bracket becomes a chunk of its own, so that the record starts one */
            cut_at(c, c->opened, cut);
        } else {
            chunk->broken = REJECT_ROW_TOO_LONG;
            c->rest = true;
            cut_at(c, c->max_record, cut);
        }
    }
    return OK;
}

static const struct text_cutter_ops line_ops = {.cut = cut_lines, .free = free};
static const struct text_cutter_ops element_ops = {.cut = cut_elements, .free = free};

status json_cutter_create(struct text_cutter *cutter, const struct json_options *options, struct error *err)
{
    if (options->max_record_bytes == 0)
        return error_set(err, ERR_INVALID, "a record must be allowed at least one byte");
    struct json_cutter *c = malloc(sizeof *c);
    if (!c)
        return error_no_memory(err, sizeof *c);
    *c = (struct json_cutter){.max_record = options->max_record_bytes, .scan = json_scan()};
    *cutter = (struct text_cutter){options->array ? &element_ops : &line_ops, c};
    return OK;
}
