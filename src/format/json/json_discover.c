/* Which keys the first records have, and of which classes their values are. */
#include <stdlib.h>

#include "batch/cast.h"
#include "format/json/json_decoder.h"
#include "format/json/json_structure.h"
#include "format/json/json_work.h"

/* What a pass over the head gathers. A key's `target` is its place in the result. */
struct discovery {
    const struct json_options *options;
    struct json_keys keys;
    struct json_record record;
    struct buf *names;
    enum infer_class *classes;
    size_t count, cap;
    size_t records;
};

/* Keys met once in a record; the record counts for nothing if one is met twice. */
static status match_keys(struct discovery *d, bool *repeated, struct error *err)
{
    d->records++;
    *repeated = false;
    for (size_t i = 0; i < d->record.count; i++) {
        struct str name = d->record.members[i].key;
        size_t index = json_keys_find(&d->keys, name);
        if (index == JSON_KEY_UNKNOWN) {
            status s = json_keys_add(&d->keys, name, JSON_NO_TARGET, &index, err);
            if (s != OK)
                return s;
        }
        if (d->keys.items[index].seen == d->records) {
            *repeated = true;
            return OK;
        }
        d->keys.items[index].seen = d->records;
    }
    return OK;
}

/* The key's place in the result, which it gets with its first value. */
static status place_of(struct discovery *d, struct json_key *key, struct str name, struct error *err)
{
    if (d->count == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 64;
        enum infer_class *classes = realloc(d->classes, cap * sizeof *classes);
        if (!classes)
            return error_no_memory(err, cap * sizeof *classes);
        d->classes = classes;
        d->cap = cap;
    }
    uint32_t length = (uint32_t)name.n;
    status s = buf_append(d->names, &length, sizeof length, err);
    if (s == OK)
        s = buf_append_str(d->names, name, err);
    if (s != OK)
        return s;
    d->classes[d->count] = d->options->all_text ? INFER_STRING : INFER_NULL;
    key->target = (uint32_t)d->count++;
    return OK;
}

static status look_at(struct discovery *d, const uint8_t *p, size_t n, struct error *err)
{
    struct json_fault fault;
    bool repeated;
    if (n > d->options->max_record_bytes || !str_is_utf8((struct str){(const char *)p, n}))
        return OK;
    status s = json_record_parse(&d->record, p, n, &fault, err);
    if (s != OK || fault.why)
        return s;
    s = match_keys(d, &repeated, err);
    if (s != OK || repeated)
        return s;
    for (size_t i = 0; i < d->record.count; i++) {
        struct json_member *m = &d->record.members[i];
        struct json_key *key = &d->keys.items[json_keys_find(&d->keys, m->key)];
        if (key->target == JSON_NO_TARGET) {
            s = place_of(d, key, m->key, err);
            if (s != OK)
                return s;
        }
        bool null = m->value.kind == JSON_STRING && json_is_null_text(d->options, m->value.text);
        if (!null && !d->options->all_text)
            d->classes[key->target] = infer_join(d->classes[key->target], json_value_class(&m->value));
    }
    return OK;
}

static status discover_lines(struct discovery *d, const uint8_t *p, size_t n, bool at_end, struct error *err)
{
    const uint8_t *end = p + n;
    while (p < end) {
        const uint8_t *feed = memchr(p, '\n', (size_t)(end - p)), *stop = feed ? feed : end;
        if (!feed && !at_end)
            return OK;
        status s = look_at(d, p, (size_t)(stop - p) - (stop > p && stop[-1] == '\r'), err);
        if (s != OK)
            return s;
        p = stop + 1;
    }
    return OK;
}

static status discover_elements(struct discovery *d, const uint8_t *p, size_t n, bool at_end, struct error *err)
{
    const uint8_t *end = p + n;
    struct json_border border = {0};
    p = json_skip_space(p, end);
    if (p == end && !at_end)
        return OK;
    if (p == end || *p != '[')
        return error_set(err, ERR_BAD_DATA, "a JSON array has to begin with [");
    for (p++; !border.closed; p += border.at) {
        struct json_structure structure = {0};
        border = json_structure_scan(&structure, json_scan(), p, (size_t)(end - p), true);
        if (!border.found)
            return OK;
        status s = look_at(d, p, border.at - 1, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status json_discover(const uint8_t *head, size_t n, bool at_end, const struct json_options *options, struct buf *names,
                     enum infer_class **classes, size_t *count, struct error *err)
{
    struct discovery d = {.options = options, .names = names};
    struct buf padded = {0}; /* casts and scans read a little around the text */
    uint8_t *before;
    buf_clear(names);
    status s = buf_extend_zero(&padded, CAST_PAD, &before, err);
    if (s == OK)
        s = buf_append(&padded, head, n, err);
    if (s == OK)
        s = (options->array ? discover_elements : discover_lines)(&d, padded.data + CAST_PAD, n, at_end, err);
    if (s == OK) {
        *classes = d.classes;
        *count = d.count;
        d.classes = NULL;
    }
    free(d.classes);
    buf_release(&padded);
    json_keys_release(&d.keys);
    json_record_release(&d.record);
    return s;
}
