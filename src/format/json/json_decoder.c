/* From one chunk to one batch: finds the records, tries the fast path, falls back to the general one. */
#include <inttypes.h>
#include <stdlib.h>

#include "format/json/json_structure.h"
#include "format/json/json_work.h"

/* Keys without a target that are remembered beyond the chunk that had them. */
#define UNKNOWN_KEYS_KEPT 4096
#define ROWS_MIN 256

static void forget_targets(struct json_work *w)
{
    for (size_t i = 0; i < w->field_count; i++)
        json_field_release(&w->fields[i]);
    free(w->fields);
    free(w->cells);
    free(w->required);
    json_keys_release(&w->keys);
    w->fields = NULL;
    w->cells = NULL;
    w->required = NULL;
    w->field_count = w->known_keys = 0;
    w->head.next = NULL;
}

/* The steps and keys still fit: the targets read the same keys as before, and few others were met. */
static bool same_targets(const struct json_work *w, size_t count)
{
    if (count != w->field_count || w->keys.count > w->known_keys + UNKNOWN_KEYS_KEPT)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!str_equal(w->targets[i].source, json_keys_name(&w->keys, i)))
            return false;
    return true;
}

static status learn_targets(struct json_work *w, size_t count, struct error *err)
{
    forget_targets(w);
    size_t room = count ? count : 1;
    w->fields = calloc(room, sizeof *w->fields);
    w->cells = calloc(room, sizeof *w->cells);
    w->required = calloc(room, sizeof *w->required);
    if (!w->fields || !w->cells || !w->required)
        return error_no_memory(err, room * (sizeof *w->fields + sizeof *w->cells + sizeof *w->required));
    w->field_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t index;
        struct str source = w->targets[i].source;
        if (json_keys_find(&w->keys, source) != JSON_KEY_UNKNOWN)
            return error_set(err, ERR_INVALID, "two columns read the key '%.*s'", (int)str_utf8_prefix(source, 100),
                             source.p);
        status s = json_keys_add(&w->keys, source, (uint32_t)i, &index, err);
        if (s != OK)
            return s;
    }
    w->known_keys = count;
    return OK;
}

static status begin_chunk(struct json_work *w, struct error *err)
{
    size_t count = w->schema->count;
    status s = OK;
    if (w->chunk->len > UINT32_MAX - 4096)
        return error_set(err, ERR_LIMIT, "a chunk of JSON has to be smaller than 4 GiB");
    if (!same_targets(w, count)) {
        s = learn_targets(w, count, err);
        if (s != OK)
            forget_targets(w);
    }
    if (s == OK)
        s = decoded_reset(w->into, w->schema, count, err);
    w->row = w->capacity = w->required_count = 0;
    w->failure = OK;
    for (size_t i = 0; i < w->keys.count; i++)
        w->keys.items[i].reported = false;
    for (size_t i = 0; s == OK && i < count; i++) {
        const struct decode_target *t = &w->targets[i];
        s = json_field_begin(&w->fields[i], t, &w->into->batch.columns[i], w->options.all_text, err);
        if (t->infer)
            w->into->observed[i] = t->class_;
        if (t->on_null != REJECT_NONE)
            w->required[w->required_count++] = i;
    }
    return s;
}

/* Room for another row; guesses from the part of the chunk that is done how many there will be. */
static status reserve_row(struct json_work *w, const uint8_t *at)
{
    if (w->row < w->capacity)
        return OK;
    size_t done = (size_t)(at - w->chunk->data), capacity = w->capacity * 2;
    if (w->row && done > 65536) {
        double all = (double)w->row * (double)w->chunk->len / (double)done;
        capacity = (size_t)(all * 1.02) + ROWS_MIN;
        if (capacity > w->capacity * 4) /* records may get longer: do not trust the first ones too far */
            capacity = w->capacity * 4;
    }
    if (capacity < w->row + w->row / 8 + ROWS_MIN)
        capacity = w->row + w->row / 8 + ROWS_MIN;
    for (size_t i = 0; i < w->field_count; i++) {
        status s = json_field_reserve(&w->fields[i], capacity, w->err);
        if (s != OK)
            return s;
    }
    w->capacity = capacity;
    return OK;
}

static void undo_row(struct json_work *w)
{
    for (size_t i = 0; i < w->field_count; i++)
        json_field_undo(&w->fields[i], w->row);
}

/* The record's end as the fast path finds it, or NULL: take the general path. */
static const uint8_t *try_fast(struct json_work *w, const uint8_t *p, const uint8_t *end)
{
    if (w->into->widened)
        return NULL;
    const uint8_t *after = json_fast_record(w, p, end);
    if (!after)
        undo_row(w);
    return after;
}

static status decode_lines(struct json_work *w)
{
    const uint8_t *p = w->chunk->data, *end = p + w->chunk->len;
    size_t longest = w->options.max_record_bytes;
    while (p < end) {
        status s = reserve_row(w, p);
        if (s != OK)
            return s;
        const uint8_t *after = try_fast(w, p, end);
        if (after) {
            const uint8_t *stop = after;
            while (stop < end && (*stop == ' ' || *stop == '\t' || *stop == '\r'))
                stop++;
            if (LIKELY(stop == end || *stop == '\n') && (size_t)(stop - p) <= longest) {
                w->row++;
                w->into->records++;
                w->into->lines += stop < end;
                p = stop + 1;
                continue;
            }
            undo_row(w);
        }
        if (w->failure != OK)
            return w->failure;
        const uint8_t *feed = memchr(p, '\n', (size_t)(end - p)), *stop = feed ? feed : end;
        struct json_extent at = {p, stop > p && stop[-1] == '\r' ? stop - 1 : stop, w->into->lines + 1};
        if ((size_t)(at.end - at.begin) > longest) {
            at.end = at.begin + longest;
            s = json_reject_too_long(w, &at);
        } else if (json_skip_space(at.begin, at.end) != at.end) {
            s = json_general_record(w, &at);
        }
        if (s != OK)
            return s;
        w->into->lines += feed != NULL;
        p = stop + 1;
    }
    return OK;
}

/* Line ends are only counted where a line number is asked for. */
struct line_counter {
    const uint8_t *counted; /* up to here */
    uint64_t lines;
};

static uint64_t line_at(const struct json_work *w, struct line_counter *c, const uint8_t *p)
{
    c->lines += w->scan->count_line_feeds(c->counted, (size_t)(p - c->counted));
    c->counted = p;
    return c->lines + 1;
}

static status bad_array(struct json_work *w, const uint8_t *at, const char *why)
{
    return error_set(w->err, ERR_BAD_DATA, "byte %" PRIu64 ": %s",
                     w->chunk->byte_offset + (uint64_t)(at - w->chunk->data), why);
}

/* The part of the input between two commas of the top-level array. */
static status decode_element(struct json_work *w, const uint8_t *slot, const uint8_t *slot_end,
                             struct line_counter *lines)
{
    struct json_extent at = {json_skip_space(slot, slot_end), slot_end, 0};
    at.line = line_at(w, lines, at.begin);
    if ((size_t)(slot_end - slot) > w->options.max_record_bytes) {
        at.end = slot + w->options.max_record_bytes;
        if (at.begin > at.end)
            at.begin = at.end;
        return json_reject_too_long(w, &at);
    }
    static const char missing[] = "an element of the array is missing";
    if (at.begin == at.end)
        return json_reject_record(w, &at, REJECT_INVALID_JSON, SIZE_MAX, missing, sizeof missing - 1);
    while (at.end[-1] == ' ' || at.end[-1] == '\t' || at.end[-1] == '\r' || at.end[-1] == '\n')
        at.end--;
    return json_general_record(w, &at);
}

static status decode_elements(struct json_work *w)
{
    const uint8_t *p = w->chunk->data, *end = p + w->chunk->len;
    struct line_counter lines = {p, 0};
    bool first = false, closed = false;
    if (w->chunk->sequence == 0) {
        p = json_skip_space(p, end);
        if (p == end || *p != '[')
            return bad_array(w, p, "a JSON array has to begin with [");
        p++;
        first = true;
    }
    while (!closed) {
        const uint8_t *slot = p;
        p = json_skip_space(p, end);
        if (p == end)
            break;
        status s = reserve_row(w, p);
        if (s != OK)
            return s;
        const uint8_t *after = *p == '{' ? try_fast(w, p, end) : NULL;
        if (after) {
            after = json_skip_space(after, end);
            if (after < end && (*after == ',' || *after == ']') &&
                (size_t)(after - slot) <= w->options.max_record_bytes) {
                w->row++;
                w->into->records++;
                closed = *after == ']';
                first = false;
                p = after + 1;
                continue;
            }
            undo_row(w);
        }
        if (w->failure != OK)
            return w->failure;
        struct json_structure structure = {0};
        struct json_border border = json_structure_scan(&structure, w->scan, slot, (size_t)(end - slot), true);
        if (!border.found)
            return bad_array(w, end, "the input ends inside the JSON array");
        closed = border.closed;
        const uint8_t *slot_end = slot + border.at - 1;
        if (!(first && closed && p == slot_end)) /* else an empty array */
            s = decode_element(w, slot, slot_end, &lines);
        if (s != OK)
            return s;
        first = false;
        p = slot + border.at;
    }
    if (closed) {
        p = json_skip_space(p, end);
        if (p != end)
            return bad_array(w, p, "more text after the end of the JSON array");
    }
    w->into->lines = line_at(w, &lines, end) - 1;
    return OK;
}

/* The start of a record that is too long, or its rest. */
static status decode_broken(struct json_work *w)
{
    const uint8_t *data = w->chunk->data, *end = data + w->chunk->len;
    status s = OK;
    if (!w->chunk->rest) {
        struct json_extent at = {data, end, 1};
        if (w->options.array)
            at.begin = json_skip_space(data, end);
        at.line += w->scan->count_line_feeds(data, (size_t)(at.begin - data));
        s = json_reject_too_long(w, &at);
    }
    w->into->lines = w->scan->count_line_feeds(data, w->chunk->len);
    return s;
}

static status finish_chunk(struct json_work *w, struct error *err)
{
    if (w->into->widened) /* the batch is of no use */
        return batch_reset(&w->into->batch, w->schema, err);
    status s = OK;
    if (w->capacity < w->row || w->capacity == 0)
        s = reserve_row(w, w->chunk->data);
    for (size_t i = 0; s == OK && i < w->field_count; i++)
        s = json_field_finish(&w->fields[i], w->row, err);
    w->into->batch.rows = w->row;
    return s;
}

static status decode(void *self, const struct text_chunk *chunk, const struct decode_target *targets,
                     const struct schema *schema, struct decoded *into, struct error *err)
{
    struct json_work *w = self;
    w->chunk = chunk;
    w->targets = targets;
    w->schema = schema;
    w->into = into;
    w->err = err;
    status s = begin_chunk(w, err);
    if (s != OK)
        return s;
    if (chunk->rest || chunk->broken != REJECT_NONE)
        s = decode_broken(w);
    else
        s = w->options.array ? decode_elements(w) : decode_lines(w);
    return s == OK ? finish_chunk(w, err) : s;
}

static void decoder_free(void *self)
{
    struct json_work *w = self;
    forget_targets(w);
    json_record_release(&w->record);
    buf_release(&w->scratch);
    buf_release(&w->message);
    free(w);
}

static const struct text_decoder_ops ops = {.decode = decode, .free = decoder_free};

status json_decoder_create(struct text_decoder *decoder, const struct json_options *options, struct error *err)
{
    if (options->max_record_bytes == 0)
        return error_set(err, ERR_INVALID, "a record must be allowed at least one byte");
    struct json_work *w = calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, sizeof *w);
    w->options = *options;
    w->scan = json_scan();
    w->skip_field.op = OP_SKIP;
    w->end_field.op = OP_END;
    w->closing.field = &w->end_field;
    *decoder = (struct text_decoder){&ops, w};
    return OK;
}
