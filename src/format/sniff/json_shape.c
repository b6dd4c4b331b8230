/* Structure only (RFC 8259): brackets, strings, separators and the first letters of literals. */
#include "format/sniff/json_shape.h"

#include <string.h>

#define DEPTH_MAX 256
#define LINES_LOOKED_AT 200

enum value_state { VALUE_COMPLETE, VALUE_CUT, VALUE_INVALID };

static size_t skip_blanks(const char *text, size_t n, size_t at)
{
    while (at < n && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at;
}

static bool ends_scalar(char c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The string at text[*at] (a quote); *at moves behind it. */
static enum value_state string_end(const char *text, size_t n, size_t *at)
{
    size_t i = *at + 1;
    while (i < n && text[i] != '"') {
        if ((uint8_t)text[i] < 0x20)
            return VALUE_INVALID;
        i += text[i] == '\\' ? 2 : 1;
    }
    *at = i + 1;
    return i < n ? VALUE_COMPLETE : VALUE_CUT;
}

/* The value that begins at text[*at]; *at moves behind it. */
static enum value_state value_end(const char *text, size_t n, size_t *at)
{
    char closers[DEPTH_MAX];
    size_t depth = 0, i = *at;
    bool want_key = false, want_value = true, may_close = false;
    for (;;) {
        i = skip_blanks(text, n, i);
        if (i >= n)
            return VALUE_CUT;
        char c = text[i];
        if (may_close && depth && c == closers[depth - 1]) {
            depth--;
            i++;
            want_key = want_value = false;
        } else if (want_key) {
            enum value_state s = c == '"' ? string_end(text, n, &i) : VALUE_INVALID;
            if (s != VALUE_COMPLETE)
                return s;
            i = skip_blanks(text, n, i);
            if (i >= n)
                return VALUE_CUT;
            if (text[i++] != ':')
                return VALUE_INVALID;
            want_key = may_close = false;
            want_value = true;
            continue;
        } else if (want_value && (c == '{' || c == '[')) {
            if (depth == DEPTH_MAX)
                return VALUE_INVALID;
            closers[depth++] = c == '{' ? '}' : ']';
            want_key = c == '{';
            want_value = c == '[';
            may_close = true;
            i++;
            continue;
        } else if (want_value) {
            if (c == '"') {
                enum value_state s = string_end(text, n, &i);
                if (s != VALUE_COMPLETE)
                    return s;
            } else {
                if (!strchr("-0123456789tfn", c) || !c)
                    return VALUE_INVALID;
                while (i < n && !ends_scalar(text[i])) {
                    if (!strchr("+-.0123456789aeflnrstuE", text[i]) || !text[i])
                        return VALUE_INVALID;
                    i++;
                }
            }
            want_value = false;
        } else if (c == ',' && depth) {
            want_key = closers[depth - 1] == '}';
            want_value = !want_key;
            may_close = false;
            i++;
            continue;
        } else {
            return VALUE_INVALID;
        }
        may_close = true;
        *at = i;
        if (depth == 0)
            return VALUE_COMPLETE;
    }
}

/* Share of the lines that look like an object each. */
static double object_lines(const char *text, size_t n)
{
    size_t lines = 0, objects = 0;
    for (size_t at = 0; at < n && lines < LINES_LOOKED_AT;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t stop = end ? (size_t)(end - text) : n, last = stop, first = skip_blanks(text, stop, at);
        while (last > first && strchr(" \t\r", text[last - 1]) && text[last - 1])
            last--;
        if (last > first) {
            lines++;
            /* The last line may be cut. */
            objects += text[first] == '{' && (text[last - 1] == '}' || stop == n);
        }
        at = stop + 1;
    }
    return lines ? (double)objects / (double)lines : 0;
}

bool sniff_json(const char *text, size_t n, enum sniff_format *format, double *sure)
{
    size_t start = skip_blanks(text, n, 0);
    if (start >= n || (text[start] != '{' && text[start] != '['))
        return false;
    size_t inside = skip_blanks(text, n, start + 1);
    if (text[start] == '{' && inside < n && text[inside] != '"' && text[inside] != '}')
        return false;
    size_t end = start;
    enum value_state state = value_end(text, n, &end);
    if (text[start] == '[') {
        /* Names in brackets are a header of some CSV files: unless of objects, an array must stand alone. */
        bool objects = inside < n && text[inside] == '{';
        if (state == VALUE_INVALID || (!objects && state == VALUE_COMPLETE && skip_blanks(text, n, end) < n))
            return false;
        *format = SNIFF_JSON_ARRAY;
        *sure = state == VALUE_CUT ? 0.98 : 0.99;
        return true;
    }
    double share = object_lines(text, n);
    size_t next = skip_blanks(text, n, end);
    bool one_line = state == VALUE_COMPLETE && !memchr(text + start, '\n', end - start);
    if (share >= 0.8 || (one_line && (next == n || text[next] == '{'))) {
        *format = SNIFF_NDJSON;
        *sure = 0.5 + 0.49 * (share > 0.5 ? share : 0.5);
        return true;
    }
    if (state == VALUE_INVALID)
        return false;
    *format = SNIFF_JSON_ARRAY;
    *sure = next < n && state == VALUE_COMPLETE ? 0.5 : 0.95;
    return true;
}
