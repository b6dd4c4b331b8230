#include "format/reject.h"

#include <stdlib.h>

static const char *const code_names[REJECT_CODE_COUNT] = {
    [REJECT_NONE] = "NONE",
    [REJECT_CAST] = "CAST",
    [REJECT_MISSING_COLUMNS] = "MISSING_COLUMNS",
    [REJECT_TOO_MANY_COLUMNS] = "TOO_MANY_COLUMNS",
    [REJECT_UNTERMINATED_QUOTE] = "UNTERMINATED_QUOTE",
    [REJECT_INVALID_ENCODING] = "INVALID_ENCODING",
    [REJECT_ROW_TOO_LONG] = "ROW_TOO_LONG",
    [REJECT_NULL_KEY] = "NULL_KEY",
    [REJECT_NULL_WATERMARK] = "NULL_WATERMARK",
    [REJECT_NULL_VALUE] = "NULL_VALUE",
    [REJECT_INVALID_JSON] = "INVALID_JSON",
};

const char *reject_code_name(enum reject_code code)
{
    return code_names[code];
}

status reject_add(struct reject_list *list, struct reject at, struct str message, struct str raw, struct error *err)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        struct reject *items = realloc(list->items, cap * sizeof *items);
        if (!items)
            return error_no_memory(err, cap * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    if (raw.n > REJECT_RAW_MAX)
        raw.n = REJECT_RAW_MAX;
    if (message.n + raw.n > UINT32_MAX - list->text.len)
        return error_set(err, ERR_LIMIT, "the rejected rows of one chunk exceed 4 GiB");
    status s = buf_reserve(&list->text, message.n + raw.n, err);
    if (s != OK)
        return s;
    at.message_at = (uint32_t)list->text.len;
    at.message_length = (uint32_t)message.n;
    buf_append_unsafe(&list->text, message.p, message.n);
    at.raw_at = (uint32_t)list->text.len;
    at.raw_length = (uint32_t)raw.n;
    buf_append_unsafe(&list->text, raw.p, raw.n);
    list->items[list->count++] = at;
    return OK;
}

struct str reject_message(const struct reject_list *list, const struct reject *r)
{
    return (struct str){(const char *)list->text.data + r->message_at, r->message_length};
}

struct str reject_raw(const struct reject_list *list, const struct reject *r)
{
    return (struct str){(const char *)list->text.data + r->raw_at, r->raw_length};
}

status reject_append_rebased(struct reject_list *to, const struct reject_list *from, uint64_t record_base,
                             uint64_t line_base, struct error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        struct reject r = from->items[i];
        r.record += record_base;
        r.line += line_base;
        status s = reject_add(to, r, reject_message(from, &r), reject_raw(from, &r), err);
        if (s != OK)
            return s;
    }
    return OK;
}

void reject_clear(struct reject_list *list)
{
    list->count = 0;
    buf_clear(&list->text);
}

void reject_release(struct reject_list *list)
{
    free(list->items);
    buf_release(&list->text);
    *list = (struct reject_list){0};
}
