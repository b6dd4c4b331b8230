#include "format/json/json_record.h"

#include <stdlib.h>

static unsigned hex_digit(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

static unsigned hex4(const uint8_t *p)
{
    return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

static uint8_t *put_utf8(uint8_t *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xC0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xE0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    } else {
        *to++ = (uint8_t)(0xF0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    }
    return to;
}

static uint8_t short_escape(uint8_t c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

size_t json_unescape(const uint8_t *p, size_t n, uint8_t *to)
{
    const uint8_t *end = p + n, *begin = to;
    while (p < end) {
        const uint8_t *backslash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((backslash ? backslash : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (p == end)
            break;
        if (p[1] != 'u') {
            *to++ = short_escape(p[1]);
            p += 2;
            continue;
        }
        unsigned c = hex4(p + 2);
        p += 6;
        if (c >= 0xD800 && c <= 0xDBFF) { /* checked: the other half follows */
            c = 0x10000 + ((c - 0xD800) << 10) + (hex4(p + 2) - 0xDC00);
            p += 6;
        }
        to = put_utf8(to, c);
    }
    return (size_t)(to - begin);
}

status json_unescape_append(struct buf *scratch, const uint8_t *p, size_t n, struct str *text, struct error *err)
{
    /* CAST_PAD bytes before the first text too. */
    status s = buf_reserve(scratch, n + CAST_PAD, err);
    if (s != OK)
        return s;
    if (scratch->len < CAST_PAD) {
        memset(scratch->data, 0, CAST_PAD);
        scratch->len = CAST_PAD;
    }
    uint8_t *to = scratch->data + scratch->len;
    *text = (struct str){(const char *)to, json_unescape(p, n, to)};
    scratch->len += text->n;
    return OK;
}

static status new_member(struct json_record *r, struct json_member **member, struct error *err)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct json_member *members = realloc(r->members, cap * sizeof *members);
        if (!members)
            return error_no_memory(err, cap * sizeof *members);
        r->members = members;
        r->cap = cap;
    }
    *member = &r->members[r->count++];
    return OK;
}

/* The string that starts at *p; scratch has room for it. */
static status take_string(struct json_record *r, const uint8_t **p, const uint8_t *end, struct str *text,
                          struct json_fault *fault, struct error *err)
{
    bool escaped;
    const uint8_t *begin = *p, *after = json_check_string(begin, end, &escaped, fault);
    if (!after)
        return OK;
    *p = after;
    size_t n = (size_t)(after - begin) - 2;
    if (escaped)
        return json_unescape_append(&r->scratch, begin + 1, n, text, err);
    *text = (struct str){(const char *)begin + 1, n};
    return OK;
}

static status take_value(struct json_record *r, const uint8_t **p, const uint8_t *end, struct json_value *v,
                         struct json_fault *fault, struct error *err)
{
    const uint8_t *begin = *p, *after;
    bool integer;
    if (begin < end && *begin == '"') {
        v->kind = JSON_STRING;
        status s = take_string(r, p, end, &v->text, fault, err);
        v->raw = (struct str){(const char *)begin, (size_t)(*p - begin)};
        return s;
    }
    if (begin < end && (*begin == '{' || *begin == '[')) {
        v->kind = JSON_NESTED;
        after = json_check_value(begin, end, 1, fault);
    } else if (begin < end && (*begin == '-' || (unsigned)*begin - '0' <= 9)) {
        after = json_check_number(begin, end, &integer, fault);
        v->kind = integer ? JSON_INTEGER : JSON_REAL;
    } else {
        after = json_check_word(begin, end, fault);
        v->kind = after && *begin == 'n' ? JSON_NULL : JSON_BOOLEAN;
    }
    if (after) {
        *p = after;
        v->raw = v->text = (struct str){(const char *)begin, (size_t)(after - begin)};
    }
    return OK;
}

static void set_fault(struct json_fault *fault, const uint8_t *at, const char *why)
{
    *fault = (struct json_fault){at, why};
}

/* "key" : value */
static status take_member(struct json_record *r, const uint8_t **at, const uint8_t *end, struct json_fault *fault,
                          struct error *err)
{
    struct json_member *member = NULL;
    const uint8_t *p = *at;
    if (p == end || *p != '"') {
        set_fault(fault, p, "a key in quotes was expected");
        return OK;
    }
    status s = new_member(r, &member, err);
    if (s == OK)
        s = take_string(r, &p, end, &member->key, fault, err);
    if (s != OK || fault->why)
        return s;
    p = json_skip_space(p, end);
    if (p == end || *p != ':') {
        set_fault(fault, p, "a colon was expected");
        return OK;
    }
    p = json_skip_space(p + 1, end);
    s = take_value(r, &p, end, &member->value, fault, err);
    *at = p;
    return s;
}

status json_record_parse(struct json_record *r, const uint8_t *p, size_t n, struct json_fault *fault, struct error *err)
{
    const uint8_t *end = p + n;
    *fault = (struct json_fault){0};
    r->count = 0;
    buf_clear(&r->scratch);
    /* All texts together have at most n bytes, and each asks for CAST_PAD more than it takes. */
    status s = buf_reserve(&r->scratch, n + 2 * CAST_PAD, err);
    if (s != OK)
        return s;
    p = json_skip_space(p, end);
    if (p == end || *p != '{') {
        bool mark = end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0;
        set_fault(fault, p, mark ? "a byte order mark inside the text" : "a record has to be an object");
        return OK;
    }
    p = json_skip_space(p + 1, end);
    if (p < end && *p == '}') {
        p++;
    } else {
        for (;;) {
            s = take_member(r, &p, end, fault, err);
            if (s != OK || fault->why)
                return s;
            p = json_skip_space(p, end);
            if (p < end && *p == ',') {
                p = json_skip_space(p + 1, end);
            } else if (p < end && *p == '}') {
                p++;
                break;
            } else {
                set_fault(fault, p, "a comma or } was expected");
                return OK;
            }
        }
    }
    p = json_skip_space(p, end);
    if (p != end)
        set_fault(fault, p, "more text after the record's end");
    return OK;
}

void json_record_release(struct json_record *r)
{
    free(r->members);
    buf_release(&r->scratch);
    *r = (struct json_record){0};
}
