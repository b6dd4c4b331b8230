#include "format/json/json_encoder.h"

#include <math.h>

#include "batch/value_text.h"

/* What a byte becomes inside a string: itself (0), a letter behind a backslash, or \u00xx ('u'). */
static uint8_t escape_of(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 ? 'u' : 0;
    }
}

static void append_byte(struct buf *to, char c)
{
    to->data[to->len++] = (uint8_t)c;
}

status json_append_string(struct buf *to, struct str text, struct error *err)
{
    static const char hex[] = "0123456789abcdef";
    status s = buf_reserve(to, text.n + 2, err);
    if (s != OK)
        return s;
    append_byte(to, '"');
    size_t from = 0; /* bytes from here on are still to be written as they are */
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = (uint8_t)text.p[i], escape = escape_of(c);
        if (!escape)
            continue;
        s = buf_reserve(to, text.n - from + 8, err); /* the rest, an escape and the closing quote */
        if (s != OK)
            return s;
        buf_append_unsafe(to, text.p + from, i - from);
        append_byte(to, '\\');
        append_byte(to, (char)escape);
        if (escape == 'u') {
            buf_append_unsafe(to, "00", 2);
            append_byte(to, hex[c >> 4]);
            append_byte(to, hex[c & 15]);
        }
        from = i + 1;
    }
    s = buf_reserve(to, text.n - from + 1, err);
    if (s != OK)
        return s;
    buf_append_unsafe(to, text.p + from, text.n - from);
    append_byte(to, '"');
    return OK;
}

/* RFC 4648 section 4, with padding. */
static status append_base64(struct buf *to, struct str bytes, struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)bytes.p;
    status s = buf_reserve(to, (bytes.n + 2) / 3 * 4 + 2, err);
    if (s != OK)
        return s;
    append_byte(to, '"');
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t word = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0u);
        append_byte(to, digits[word >> 18]);
        append_byte(to, digits[word >> 12 & 63]);
        append_byte(to, left > 1 ? digits[word >> 6 & 63] : '=');
        append_byte(to, left > 2 ? digits[word & 63] : '=');
    }
    append_byte(to, '"');
    return OK;
}

/* JSON as it is, on one line: outside of strings a line end is white space, inside it cannot occur. */
static status append_json(struct buf *to, struct str text, struct error *err)
{
    size_t at = to->len;
    status s = buf_append_str(to, text, err);
    for (; s == OK && at < to->len; at++)
        if (to->data[at] == '\n' || to->data[at] == '\r')
            to->data[at] = ' ';
    return s;
}

static bool is_bare(struct data_type type, const void *value)
{
    switch (type.kind) {
    case TYPE_BOOLEAN:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_DECIMAL:
        return true;
    case TYPE_FLOAT:
        return isfinite(*(const float *)value);
    case TYPE_DOUBLE:
        return isfinite(*(const double *)value);
    default:
        return false;
    }
}

static status append_value(struct buf *to, const struct column *c, size_t row, struct error *err)
{
    if (c->type.kind == TYPE_NULL || column_is_null(c, row))
        return buf_append(to, "null", 4, err);
    switch (c->type.kind) {
    case TYPE_STRING:
        return json_append_string(to, column_str(c, row), err);
    case TYPE_JSON:
        return append_json(to, column_str(c, row), err);
    case TYPE_BINARY:
        return append_base64(to, column_str(c, row), err);
    default:
        break;
    }
    const void *value = column_value(c, row);
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(c->type, value, text);
    status s = buf_reserve(to, n + 2, err);
    if (s != OK)
        return s;
    bool bare = is_bare(c->type, value);
    if (!bare)
        append_byte(to, '"');
    buf_append_unsafe(to, text, n);
    if (!bare)
        append_byte(to, '"');
    return OK;
}

/* What stands before each column's value: bracket or comma, key, colon; and where each begins in `keys`. */
static status write_keys(const struct schema *schema, struct buf *keys, struct buf *begins, struct error *err)
{
    for (size_t i = 0; i <= schema->count; i++) {
        uint32_t at = (uint32_t)keys->len;
        status s = buf_append(begins, &at, sizeof at, err);
        if (s != OK || i == schema->count)
            return s;
        s = buf_append(keys, i ? "," : "{", 1, err);
        if (s == OK)
            s = json_append_string(keys, str_of(schema->fields[i].name), err);
        if (s == OK)
            s = buf_append(keys, ":", 1, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status ndjson_encode(const struct batch *batch, struct buf *to, struct error *err)
{
    struct buf keys = {0}, begins = {0};
    status s = write_keys(batch->schema, &keys, &begins, err);
    for (size_t row = 0; s == OK && row < batch->rows; row++) {
        const uint32_t *begin = (const uint32_t *)begins.data;
        if (batch->column_count == 0)
            s = buf_append(to, "{", 1, err);
        for (size_t i = 0; s == OK && i < batch->column_count; i++) {
            s = buf_append(to, keys.data + begin[i], begin[i + 1] - begin[i], err);
            if (s == OK)
                s = append_value(to, &batch->columns[i], row, err);
        }
        if (s == OK)
            s = buf_append(to, "}\n", 2, err);
    }
    buf_release(&keys);
    buf_release(&begins);
    return s;
}
