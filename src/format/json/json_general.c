/* Any record, step by step: validate, match its keys, see what the targets say to its values; and only then write. */
#include <inttypes.h>

#include "format/json/json_work.h"

#define QUOTED_MAX 100

status json_reject_record(struct json_work *w, const struct json_extent *at, enum reject_code code, size_t column,
                          const char *message, size_t n)
{
    struct decoded *into = w->into;
    struct reject r = {
        .record = ++into->records,
        .line = at->line,
        .byte_offset = w->chunk->byte_offset + (uint64_t)(at->begin - w->chunk->data),
        .byte_length = (uint64_t)(at->end - at->begin),
        .column = column == SIZE_MAX ? REJECT_NO_COLUMN : (uint32_t)column,
        .code = code,
    };
    struct str raw = {(const char *)at->begin, (size_t)(at->end - at->begin)};
    return reject_add(&into->rejects, r, (struct str){message, n}, raw, w->err);
}

/* The message gathered in w->message. */
static status reject_gathered(struct json_work *w, const struct json_extent *at, enum reject_code code, size_t column)
{
    for (size_t i = 0; i < w->message.len; i++)
        if (w->message.data[i] < 0x20 || w->message.data[i] == 0x7F)
            w->message.data[i] = ' ';
    return json_reject_record(w, at, code, column, (const char *)w->message.data, w->message.len);
}

status json_reject_too_long(struct json_work *w, const struct json_extent *at)
{
    buf_clear(&w->message);
    status s = buf_printf(&w->message, w->err, "the record is longer than %zu bytes", w->options.max_record_bytes);
    return s == OK ? reject_gathered(w, at, REJECT_ROW_TOO_LONG, SIZE_MAX) : s;
}

static status reject_fault(struct json_work *w, const struct json_extent *at, const struct json_fault *fault)
{
    buf_clear(&w->message);
    status s = buf_printf(&w->message, w->err, "not valid JSON at byte %zu of the record: %s",
                          (size_t)(fault->at - at->begin) + 1, fault->why);
    return s == OK ? reject_gathered(w, at, REJECT_INVALID_JSON, SIZE_MAX) : s;
}

static status reject_encoding(struct json_work *w, const struct json_extent *at)
{
    static const char message[] = "the record is not valid UTF-8";
    return json_reject_record(w, at, REJECT_INVALID_ENCODING, SIZE_MAX, message, sizeof message - 1);
}

static status reject_repeated(struct json_work *w, const struct json_extent *at, struct str key)
{
    buf_clear(&w->message);
    status s = buf_printf(&w->message, w->err, "the key '%.*s' occurs twice in the record",
                          (int)str_utf8_prefix(key, QUOTED_MAX), key.p);
    return s == OK ? reject_gathered(w, at, REJECT_INVALID_JSON, SIZE_MAX) : s;
}

static status reject_cast(struct json_work *w, const struct json_extent *at, size_t target, const char *why)
{
    const struct decode_target *t = &w->targets[target];
    struct str text = w->cells[target].value.text;
    char name[TYPE_NAME_MAX];
    bool cut = text.n > QUOTED_MAX;
    buf_clear(&w->message);
    status s = buf_printf(&w->message, w->err, "column '%s': \"", w->schema->fields[target].name);
    if (s == OK)
        s = buf_append(&w->message, text.p, str_utf8_prefix(text, QUOTED_MAX), w->err);
    if (s == OK)
        s = buf_printf(&w->message, w->err, "\"%s is not %s %s: %s", cut ? "..." : "",
                       t->type.kind == TYPE_INTEGER ? "an" : "a", type_name(t->type, name), why);
    return s == OK ? reject_gathered(w, at, REJECT_CAST, target) : s;
}

static status reject_null(struct json_work *w, const struct json_extent *at, size_t target)
{
    enum reject_code code = w->targets[target].on_null;
    const char *what = code == REJECT_NULL_KEY         ? "a dedupe key"
                       : code == REJECT_NULL_WATERMARK ? "the watermark column"
                                                       : "a column that must not be null";
    buf_clear(&w->message);
    status s = buf_printf(&w->message, w->err, "column '%s': null in %s", w->schema->fields[target].name, what);
    return s == OK ? reject_gathered(w, at, code, target) : s;
}

/* Hand the members to their targets' cells. *repeated: a key that occurs twice, or a NULL text. */
static status match_members(struct json_work *w, struct str *repeated)
{
    *repeated = (struct str){0};
    w->attempt++;
    for (size_t i = 0; i < w->record.count; i++) {
        struct json_member *m = &w->record.members[i];
        size_t index = json_keys_find(&w->keys, m->key);
        if (index == JSON_KEY_UNKNOWN) {
            status s = json_keys_add(&w->keys, m->key, JSON_NO_TARGET, &index, w->err);
            if (s != OK)
                return s;
        }
        struct json_key *key = &w->keys.items[index];
        if (key->seen == w->attempt) {
            *repeated = m->key;
            return OK;
        }
        key->seen = w->attempt;
        if (key->target == JSON_NO_TARGET)
            continue;
        if (m->value.kind == JSON_STRING && json_is_null_text(&w->options, m->value.text))
            m->value.kind = JSON_NULL;
        struct json_cell *cell = &w->cells[key->target];
        cell->met = m->value.kind == JSON_NULL ? 0 : w->attempt;
        cell->value = m->value;
    }
    return OK;
}

static status append_key(struct buf *to, struct str name, struct error *err)
{
    uint32_t length = (uint32_t)name.n;
    status s = buf_append(to, &length, sizeof length, err);
    return s == OK ? buf_append_str(to, name, err) : s;
}

/* The record is good: tell of its keys that no target has. */
static status report_keys(struct json_work *w)
{
    for (size_t i = 0; i < w->record.count; i++) {
        struct json_key *key;
        size_t index = json_keys_find(&w->keys, w->record.members[i].key);
        key = &w->keys.items[index];
        if (key->target != JSON_NO_TARGET || key->reported)
            continue;
        key->reported = true;
        status s = append_key(&w->into->new_keys, json_keys_name(&w->keys, index), w->err);
        if (s != OK)
            return s;
    }
    return OK;
}

static bool is_null(const struct json_work *w, size_t target)
{
    return w->cells[target].met != w->attempt;
}

/* The declared types and the nulls that are not allowed. *bad: the record was rejected. */
static status check_declared(struct json_work *w, const struct json_extent *at, bool *bad)
{
    for (size_t i = 0; i < w->field_count; i++) {
        enum infer_class ignored;
        const char *why;
        *bad = true;
        if (is_null(w, i)) {
            if (w->targets[i].on_null != REJECT_NONE)
                return reject_null(w, at, i);
        } else if (!w->targets[i].infer &&
                   !json_field_takes(&w->fields[i], &w->cells[i].value, &w->cells[i].cast, &ignored, &why)) {
            return reject_cast(w, at, i, why);
        }
    }
    *bad = false;
    return OK;
}

static void check_inferred(struct json_work *w)
{
    for (size_t i = 0; i < w->field_count; i++) {
        enum infer_class class_;
        const char *why;
        if (!w->targets[i].infer || is_null(w, i))
            continue;
        if (!json_field_takes(&w->fields[i], &w->cells[i].value, &w->cells[i].cast, &class_, &why))
            w->into->widened = true;
        w->into->observed[i] = infer_join(w->into->observed[i], class_);
    }
}

static status write_row(struct json_work *w)
{
    for (size_t i = 0; i < w->field_count; i++) {
        struct json_field *f = &w->fields[i];
        if (is_null(w, i))
            continue;
        status s = json_field_fill(f, w->row, w->err);
        if (s == OK) {
            f->rows = w->row + 1;
            s = json_field_put(f, w->row, &w->cells[i].value, &w->cells[i].cast, w->err);
        }
        if (s != OK)
            return s;
    }
    return OK;
}

status json_general_record(struct json_work *w, const struct json_extent *at)
{
    struct json_fault fault;
    struct str repeated;
    bool bad;
    if (!str_is_utf8((struct str){(const char *)at->begin, (size_t)(at->end - at->begin)}))
        return reject_encoding(w, at);
    status s = json_record_parse(&w->record, at->begin, (size_t)(at->end - at->begin), &fault, w->err);
    if (s != OK)
        return s;
    if (fault.why)
        return reject_fault(w, at, &fault);
    s = match_members(w, &repeated);
    if (s != OK)
        return s;
    if (repeated.p)
        return reject_repeated(w, at, repeated);
    s = check_declared(w, at, &bad);
    if (s != OK || bad)
        return s;
    check_inferred(w);
    if (!w->into->widened)
        s = write_row(w);
    if (s != OK)
        return s;
    w->into->records++;
    w->row++;
    return report_keys(w);
}
