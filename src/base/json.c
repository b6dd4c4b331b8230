#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"

/* jansson's own limit on nesting is far beyond ours, and its parser recurses: count first. Brackets in strings do not
 * count. */
static bool too_deep(const char *text, size_t n)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MOST)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

status json_parse(const char *text, size_t n, const char *what, json_t **value, struct error *err)
{
    json_error_t problem;
    if (too_deep(text, n))
        return error_set(err, ERR_INVALID, "%s: nested deeper than %d levels", what, JSON_DEPTH_MOST);
    json_t *parsed = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!parsed && json_error_code(&problem) == json_error_out_of_memory)
        return error_no_memory(err, n);
    if (!parsed) {
        status s =
            error_set(err, ERR_INVALID, "%s: line %d, column %d: %s", what, problem.line, problem.column, problem.text);
        error_hint(err, "it has to be one JSON document in UTF-8");
        return s;
    }
    *value = parsed;
    return OK;
}

status json_put(json_t *object, const char *key, json_t *value, struct error *err)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        return error_no_memory(err, strlen(key));
    return OK;
}

status json_put_text(json_t *object, const char *key, const char *text, struct error *err)
{
    return json_put(object, key, text ? json_string(text) : json_null(), err);
}

status json_put_int(json_t *object, const char *key, int64_t n, struct error *err)
{
    return json_put(object, key, json_integer(n), err);
}

status json_put_bool(json_t *object, const char *key, bool yes, struct error *err)
{
    return json_put(object, key, json_boolean(yes), err);
}

status json_add(json_t *array, json_t *value, struct error *err)
{
    if (!value || json_array_append_new(array, value) != 0)
        return error_no_memory(err, json_array_size(array));
    return OK;
}

const char *json_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : fallback;
}

int64_t json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_flag(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

void time_text(int64_t micros, char into[TIME_TEXT_CAP])
{
    struct civil t = civil_of_micros(micros);
    snprintf(into, TIME_TEXT_CAP, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", t.year, t.month, t.day, t.hour, t.minute,
             t.second, t.micro);
}

static bool take_digits(const char **at, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* Up to six digits count, further ones are cut. */
static int take_fraction(const char **at)
{
    int micro = 0, digits = 0;
    for (; isdigit((unsigned char)**at); (*at)++, digits++)
        if (digits < 6)
            micro = micro * 10 + (**at - '0');
    for (; digits < 6; digits++)
        micro *= 10;
    return micro;
}

bool time_parse(const char *text, int64_t *micros)
{
    struct civil t = {0};
    const char *at = text;
    int offset_hour = 0, offset_minute = 0, sign = 1;
    if (!take_digits(&at, 4, &t.year) || !take(&at, '-') || !take_digits(&at, 2, &t.month) || !take(&at, '-') ||
        !take_digits(&at, 2, &t.day) || !(take(&at, 'T') || take(&at, 't') || take(&at, ' ')))
        return false;
    if (!take_digits(&at, 2, &t.hour) || !take(&at, ':') || !take_digits(&at, 2, &t.minute) || !take(&at, ':') ||
        !take_digits(&at, 2, &t.second))
        return false;
    if (*at == '.' && isdigit((unsigned char)at[1])) {
        at++;
        t.micro = take_fraction(&at);
    }
    if (*at == '+' || *at == '-') {
        sign = *at++ == '-' ? -1 : 1;
        if (!take_digits(&at, 2, &offset_hour) || !take(&at, ':') || !take_digits(&at, 2, &offset_minute))
            return false;
    } else if (!take(&at, 'Z') && !take(&at, 'z')) {
        return false;
    }
    if (*at || !civil_date_exists(t.year, t.month, t.day) || t.hour > 23 || t.minute > 59 || t.second > 59 ||
        offset_hour > 23 || offset_minute > 59)
        return false;
    int64_t seconds = civil_days(t.year, t.month, t.day) * 86400 + t.hour * 3600 + t.minute * 60 + t.second -
                      sign * (offset_hour * 3600 + offset_minute * 60);
    *micros = seconds * 1000000 + t.micro;
    return true;
}
