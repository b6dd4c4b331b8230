#include "batch/json_check.h"

#include <string.h>

#include "base/str.h"
#include "batch/cast.h"

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static const uint8_t *fault_at(struct json_fault *fault, const uint8_t *at, const char *why)
{
    *fault = (struct json_fault){at, why};
    return NULL;
}

/* A byte's top bit is set where it is a quote, a backslash or a control byte. Bytes above the first such one may be
 * marked wrongly: only the lowest mark counts. */
static uint64_t string_stops(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    uint64_t quote = x ^ EACH_BYTE('"'), backslash = x ^ EACH_BYTE('\\');
    uint64_t stops = (quote - EACH_BYTE(1)) & ~quote;
    stops |= (backslash - EACH_BYTE(1)) & ~backslash;
    stops |= (x - EACH_BYTE(0x20)) & ~x;
    return stops & EACH_BYTE(0x80);
}

static bool hex4(const uint8_t *p, const uint8_t *end, unsigned *unit)
{
    if (end - p < 4)
        return false;
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = p[i], lower = c | 0x20;
        if (c - '0' <= 9)
            v = v << 4 | (c - '0');
        else if (lower - 'a' <= 5)
            v = v << 4 | (lower - 'a' + 10);
        else
            return false;
    }
    *unit = v;
    return true;
}

/* p is at the backslash. */
static const uint8_t *check_escape(const uint8_t *p, const uint8_t *end, struct json_fault *fault)
{
    if (end - p < 2)
        return fault_at(fault, p, "the string is not closed");
    if (p[1] != 'u')
        return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : fault_at(fault, p, "no such escape");
    unsigned unit, low;
    if (!hex4(p + 2, end, &unit))
        return fault_at(fault, p, "\\u needs four hexadecimal digits");
    if (unit < 0xD800 || unit > 0xDFFF)
        return p + 6;
    if (unit > 0xDBFF || end - p < 12 || p[6] != '\\' || p[7] != 'u' || !hex4(p + 8, end, &low) || low < 0xDC00 ||
        low > 0xDFFF)
        return fault_at(fault, p, "half a surrogate pair");
    return p + 12;
}

const uint8_t *json_check_string(const uint8_t *p, const uint8_t *end, bool *escaped, struct json_fault *fault)
{
    const uint8_t *quote = p++;
    *escaped = false;
    for (;;) {
        uint64_t stops = 0;
        while (end - p >= 8 && !(stops = string_stops(p)))
            p += 8;
        if (stops)
            p += __builtin_ctzll(stops) >> 3;
        else
            while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
                p++;
        if (p == end)
            return fault_at(fault, quote, "the string is not closed");
        if (*p == '"')
            return p + 1;
        if (*p != '\\')
            return fault_at(fault, p, "a control byte in a string");
        *escaped = true;
        p = check_escape(p, end, fault);
        if (!p)
            return NULL;
    }
}

static const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (unsigned)*p - '0' <= 9)
        p++;
    return p;
}

const uint8_t *json_check_number(const uint8_t *p, const uint8_t *end, bool *integer, struct json_fault *fault)
{
    *integer = true;
    if (p < end && *p == '-')
        p++;
    const uint8_t *digits = p;
    p = skip_digits(p, end);
    if (p == digits)
        return fault_at(fault, p, "a value was expected");
    if (*digits == '0' && p - digits > 1)
        return fault_at(fault, digits, "a number with a leading zero");
    if (p < end && *p == '.') {
        *integer = false;
        digits = ++p;
        p = skip_digits(p, end);
        if (p == digits)
            return fault_at(fault, p, "digits must follow the decimal point");
    }
    if (p < end && (*p | 0x20) == 'e') {
        *integer = false;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        digits = p;
        p = skip_digits(p, end);
        if (p == digits)
            return fault_at(fault, p, "digits must follow the exponent's e");
    }
    return p;
}

const uint8_t *json_check_word(const uint8_t *p, const uint8_t *end, struct json_fault *fault)
{
    static const struct str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if ((size_t)(end - p) >= words[i].n && memcmp(p, words[i].p, words[i].n) == 0)
            return p + words[i].n;
    return fault_at(fault, p, "a value was expected");
}

static const uint8_t *check_scalar(const uint8_t *p, const uint8_t *end, struct json_fault *fault)
{
    bool ignored;
    if (*p == '"')
        return json_check_string(p, end, &ignored, fault);
    if (*p == '-' || (unsigned)*p - '0' <= 9)
        return json_check_number(p, end, &ignored, fault);
    return json_check_word(p, end, fault);
}

/* A member's key, the colon and the white space around it. */
static const uint8_t *check_key(const uint8_t *p, const uint8_t *end, struct json_fault *fault)
{
    bool ignored;
    if (p == end || *p != '"')
        return fault_at(fault, p, "a key in quotes was expected");
    p = json_check_string(p, end, &ignored, fault);
    if (!p)
        return NULL;
    p = json_skip_space(p, end);
    if (p == end || *p != ':')
        return fault_at(fault, p, "a colon was expected");
    return json_skip_space(p + 1, end);
}

/* An explicit stack of one bit a level (object or array) instead of recursion: input cannot exhaust the C stack. */
const uint8_t *json_check_value(const uint8_t *p, const uint8_t *end, unsigned depth, struct json_fault *fault)
{
    bool object[JSON_DEPTH_MAX];
    unsigned level = depth;
    for (;;) {
        if (p == end)
            return fault_at(fault, p, "a value was expected");
        bool closed = false; /* at the end of a value, else at the start of one */
        if (*p == '{' || *p == '[') {
            if (level >= JSON_DEPTH_MAX)
                return fault_at(fault, p, "nested deeper than 256 levels");
            bool is_object = *p == '{';
            object[level++] = is_object;
            p = json_skip_space(p + 1, end);
            if (p < end && *p == (is_object ? '}' : ']')) {
                p++;
                level--;
                closed = true;
            } else if (is_object) {
                p = check_key(p, end, fault);
            }
        } else {
            p = check_scalar(p, end, fault);
            closed = true;
        }
        while (p && closed) {
            if (level == depth)
                return p;
            p = json_skip_space(p, end);
            bool in_object = object[level - 1];
            if (p < end && *p == ',') {
                p = json_skip_space(p + 1, end);
                if (in_object)
                    p = check_key(p, end, fault);
                closed = false;
            } else if (p < end && *p == (in_object ? '}' : ']')) {
                p++;
                level--;
            } else {
                return fault_at(fault, p, in_object ? "a comma or } was expected" : "a comma or ] was expected");
            }
        }
        if (!p)
            return NULL;
    }
}

bool cast_json_valid(const char *text, size_t n)
{
    const uint8_t *end = (const uint8_t *)text + n, *p = json_skip_space((const uint8_t *)text, end);
    struct json_fault fault;
    p = json_check_value(p, end, 0, &fault);
    return p && json_skip_space(p, end) == end && str_is_utf8((struct str){text, n});
}
