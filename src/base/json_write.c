/* jansson's own writer hands out a byte or two at a time and looks each character up; control-plane answers are mostly
 * short plain strings, which are copied as they are. */
#include "base/json.h"

static int append_chunk(const char *chunk, size_t n, void *to)
{
    return buf_append(to, chunk, n, NULL) == OK ? 0 : -1;
}

/* Bytes that need no escape. */
static size_t plain_run(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

static status write_escape(uint8_t c, struct buf *text, struct error *err)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    if (!at)
        return buf_printf(text, err, "\\u%04X", c);
    const char escape[2] = {'\\', to[at - from]};
    return buf_append(text, escape, sizeof escape, err);
}

/* jansson takes nothing that is not UTF-8 into a value. */
static status write_string(const char *p, size_t n, struct buf *text, struct error *err)
{
    status s = buf_reserve(text, n + 2, err);
    if (s == OK)
        s = buf_append(text, "\"", 1, err);
    for (size_t at = 0; s == OK && at < n;) {
        size_t run = plain_run((const uint8_t *)p + at, n - at);
        s = buf_append(text, p + at, run, err);
        at += run;
        if (s == OK && at < n)
            s = write_escape((uint8_t)p[at++], text, err);
    }
    return s == OK ? buf_append(text, "\"", 1, err) : s;
}

static status write_integer(json_int_t n, struct buf *text, struct error *err)
{
    char digits[24], *at = digits + sizeof digits;
    unsigned long long rest = n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        *--at = '-';
    return buf_append(text, at, (size_t)(digits + sizeof digits - at), err);
}

static status write_value(const json_t *value, size_t depth, struct buf *text, struct error *err);

static status write_array(const json_t *array, size_t depth, struct buf *text, struct error *err)
{
    status s = buf_append(text, "[", 1, err);
    for (size_t i = 0; s == OK && i < json_array_size(array); i++) {
        if (i)
            s = buf_append(text, ",", 1, err);
        if (s == OK)
            s = write_value(json_array_get(array, i), depth, text, err);
    }
    return s == OK ? buf_append(text, "]", 1, err) : s;
}

static status write_object(json_t *object, size_t depth, struct buf *text, struct error *err)
{
    void *first = json_object_iter(object);
    status s = buf_append(text, "{", 1, err);
    for (void *at = first; s == OK && at; at = json_object_iter_next(object, at)) {
        if (at != first)
            s = buf_append(text, ",", 1, err);
        if (s == OK)
            s = write_string(json_object_iter_key(at), json_object_iter_key_len(at), text, err);
        if (s == OK)
            s = buf_append(text, ":", 1, err);
        if (s == OK)
            s = write_value(json_object_iter_value(at), depth, text, err);
    }
    return s == OK ? buf_append(text, "}", 1, err) : s;
}

static status write_value(const json_t *value, size_t depth, struct buf *text, struct error *err)
{
    if (!value || depth > 2 * JSON_DEPTH_MOST) /* or it contains itself */
        return error_set(err, ERR_INTERNAL, "a JSON value cannot be written");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return write_object((json_t *)(uintptr_t)value, depth + 1, text, err);
    case JSON_ARRAY:
        return write_array(value, depth + 1, text, err);
    case JSON_STRING:
        return write_string(json_string_value(value), json_string_length(value), text, err);
    case JSON_INTEGER:
        return write_integer(json_integer_value(value), text, err);
    case JSON_REAL:
        return json_dump_callback(value, append_chunk, text, JSON_COMPACT | JSON_ENCODE_ANY) == 0
                   ? OK
                   : error_no_memory(err, text->len);
    case JSON_TRUE:
        return buf_append(text, "true", 4, err);
    case JSON_FALSE:
        return buf_append(text, "false", 5, err);
    case JSON_NULL:
        return buf_append(text, "null", 4, err);
    }
    return error_set(err, ERR_INTERNAL, "a JSON value has no type");
}

status json_write(const json_t *value, struct buf *text, struct error *err)
{
    size_t before = text->len;
    status s = write_value(value, 0, text, err);
    if (s != OK)
        text->len = before;
    return s;
}
