#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "job/document_yaml.h"

#define STEP 2 /* spaces a level */

static status spaces(struct buf *text, size_t n, struct error *err)
{
    uint8_t *at;
    status s = buf_extend_zero(text, n, &at, err);
    if (s == OK)
        memset(at, ' ', n);
    return s;
}

/* The code point at p of valid UTF-8, and its length. */
static uint32_t code_point(const unsigned char *p, size_t *length)
{
    *length = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t c = *length == 1 ? p[0] : p[0] & (0x7Fu >> *length);
    for (size_t i = 1; i < *length; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

/* May stand as it is: section 5.1, without what older readers take for a line end, and without byte order marks. */
static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF && c != 0x2028 && c != 0x2029) ||
           (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF) || c >= 0x10000;
}

static status write_quoted(struct str s, struct buf *text, struct error *err)
{
    status st = buf_append(text, "\"", 1, err);
    for (size_t i = 0, n; st == OK && i < s.n; i += n) {
        uint32_t c = code_point((const unsigned char *)s.p + i, &n);
        if (c == '"' || c == '\\')
            st = buf_printf(text, err, "\\%c", (char)c);
        else if (c == '\n' || c == '\t' || c == '\r')
            st = buf_printf(text, err, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (is_printable(c))
            st = buf_append(text, s.p + i, n, err);
        else
            st = buf_printf(text, err, c < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)c);
    }
    return st == OK ? buf_append(text, "\"", 1, err) : st;
}

/* Words that other readers (YAML 1.1) take for booleans. */
static bool is_old_boolean(struct str s)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_equal_nocase(s, str_of(words[i])))
            return true;
    return false;
}

/* Plain only where nobody can doubt it. */
static bool is_plain(struct str s)
{
    if (s.n == 0 || s.n > 200 || !(isalpha((unsigned char)s.p[0]) || s.p[0] == '_' || s.p[0] == '/'))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr("_/.+*?=,()- ", s.p[i]))
            return false;
    return s.p[s.n - 1] != ' ' && yaml_plain_kind(s) == YAML_IS_TEXT && !is_old_boolean(s);
}

/* Several lines that a literal block keeps exactly. */
static bool is_literal(struct str s)
{
    if (!memchr(s.p, '\n', s.n) || isspace((unsigned char)s.p[0]))
        return false;
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = code_point((const unsigned char *)s.p + i, &n);
        if (!is_printable(c) && c != '\n' && c != '\t')
            return false;
    }
    return true;
}

/* Ends without a line end. */
static status write_literal(struct str s, size_t indent, struct buf *text, struct error *err)
{
    bool ended = s.p[s.n - 1] == '\n', more = s.n > 1 && ended && s.p[s.n - 2] == '\n';
    status st = buf_append_str(text, !ended ? STR("|-") : more ? STR("|+") : STR("|"), err);
    size_t end = ended ? s.n - 1 : s.n;
    for (size_t at = 0; st == OK && at <= end;) {
        const char *line_end = at < end ? memchr(s.p + at, '\n', end - at) : NULL;
        size_t n = line_end ? (size_t)(line_end - (s.p + at)) : end - at;
        st = buf_append(text, "\n", 1, err);
        if (st == OK && n > 0)
            st = spaces(text, indent, err);
        if (st == OK)
            st = buf_append(text, s.p + at, n, err);
        at += n + 1;
    }
    return st;
}

static status write_real(double x, struct buf *text, struct error *err)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        if (strtod(digits, NULL) == x)
            break;
    }
    return buf_printf(text, err, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

static status write_scalar(const json_t *value, size_t indent, struct buf *text, struct error *err)
{
    struct str s;
    switch (json_typeof(value)) {
    case JSON_INTEGER:
        return buf_printf(text, err, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return write_real(json_real_value(value), text, err);
    case JSON_TRUE:
        return buf_append_str(text, STR("true"), err);
    case JSON_FALSE:
        return buf_append_str(text, STR("false"), err);
    case JSON_NULL:
        return buf_append_str(text, STR("null"), err);
    case JSON_ARRAY:
        return buf_append_str(text, STR("[]"), err);
    case JSON_OBJECT:
        return buf_append_str(text, STR("{}"), err);
    case JSON_STRING:
        break;
    }
    s = (struct str){json_string_value(value), json_string_length(value)};
    if (is_plain(s))
        return buf_append_str(text, s, err);
    return is_literal(s) ? write_literal(s, indent, text, err) : write_quoted(s, text, err);
}

static status write_block(const json_t *value, size_t indent, bool on_line, struct buf *text, struct error *err);

static bool is_block(const json_t *value)
{
    return json_array_size(value) > 0 || json_object_size(value) > 0;
}

static status write_entry(const char *key, const json_t *value, size_t indent, struct buf *text, struct error *err)
{
    struct str name = str_of(key);
    status s = is_plain(name) ? buf_append_str(text, name, err) : write_quoted(name, text, err);
    if (s == OK)
        s = buf_append_str(text, is_block(value) ? STR(":\n") : STR(": "), err);
    if (s == OK && is_block(value))
        return write_block(value, indent + STEP, false, text, err);
    if (s == OK)
        s = write_scalar(value, indent + STEP, text, err);
    return s == OK ? buf_append(text, "\n", 1, err) : s;
}

/* Each item or entry on lines of its own; on_line: the first one's indentation is there already. */
static status write_block(const json_t *value, size_t indent, bool on_line, struct buf *text, struct error *err)
{
    const char *key;
    json_t *member;
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(value); i++) {
        member = json_array_get(value, i);
        s = on_line ? OK : spaces(text, indent, err);
        on_line = false;
        if (s == OK)
            s = buf_append(text, "- ", 2, err);
        if (s == OK && is_block(member)) {
            s = write_block(member, indent + STEP, true, text, err);
            continue;
        }
        if (s == OK)
            s = write_scalar(member, indent + STEP, text, err);
        if (s == OK)
            s = buf_append(text, "\n", 1, err);
    }
    if (!json_is_object(value))
        return s;
    json_object_foreach((json_t *)value, key, member)
    {
        s = on_line ? OK : spaces(text, indent, err);
        on_line = false;
        if (s == OK)
            s = write_entry(key, member, indent, text, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status yaml_write(const json_t *value, struct buf *text, struct error *err)
{
    if (is_block(value))
        return write_block(value, 0, false, text, err);
    status s = write_scalar(value, STEP, text, err);
    return s == OK ? buf_append(text, "\n", 1, err) : s;
}
