#include "base/field_value.h"

#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_WHOLE 9007199254740992.0 /* 2^53: beyond, a double may be another whole number than what was written */

status field_path_down(struct field_path *path, const char *key, size_t *mark, struct error *err)
{
    size_t before = path->text.len;
    status s = buf_append(&path->text, "/", 1, err);
    for (const char *p = key; s == OK && *p; p++)
        s = *p == '~'   ? buf_append(&path->text, "~0", 2, err)
            : *p == '/' ? buf_append(&path->text, "~1", 2, err)
                        : buf_append(&path->text, p, 1, err);
    if (s == OK)
        *mark = before;
    return s;
}

status field_path_item(struct field_path *path, size_t index, size_t *mark, struct error *err)
{
    *mark = path->text.len;
    return buf_printf(&path->text, err, "/%zu", index);
}

void field_path_up(struct field_path *path, size_t mark)
{
    path->text.len = mark;
}

status field_check_refuse(struct field_check *check, struct error *err, const char *code, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    status s = buf_append(&check->path.text, "", 1, err);
    if (s != OK)
        return s;
    check->path.text.len--;
    return field_error_add(check->errors, err, (const char *)check->path.text.data, code, "%s", message);
}

double field_length_most(const struct field_def *field)
{
    bool items = field->kind == FIELD_LIST || field->kind == FIELD_MAP;
    return field->max > 0 ? field->max : items ? FIELD_ITEMS_MOST : FIELD_TEXT_MOST;
}

static size_t count_characters(const char *text, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* `unit` in the plural, by an s. */
static status check_length(struct field_check *check, const struct field_def *field, size_t length, const char *unit,
                           bool *right, struct error *err)
{
    double most = field_length_most(field);
    *right = false;
    if ((double)length < field->min) {
        if (field->min == 1)
            return field_check_refuse(check, err, "length", "must not be empty: give at least one %.*s",
                                      (int)strlen(unit) - 1, unit);
        return field_check_refuse(check, err, "length", "%zu %s are too few: give at least %.0f", length, unit,
                                  field->min);
    }
    if ((double)length > most)
        return field_check_refuse(check, err, "length", "%zu %s are too many: at most %.0f are taken", length, unit,
                                  most);
    *right = true;
    return OK;
}

static status matches(const char *pattern, const char *text, bool *yes, struct error *err)
{
    regex_t compiled;
    int code = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (code == REG_ESPACE)
        return error_no_memory(err, sizeof compiled);
    if (code != 0)
        return error_set(err, ERR_INTERNAL, "the pattern '%s' of a field table is no regular expression", pattern);
    code = regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    if (code == REG_ESPACE)
        return error_no_memory(err, strlen(text));
    *yes = code == 0;
    return OK;
}

static status refuse_type(struct field_check *check, const json_t *value, const char *wanted, struct error *err)
{
    static const char *const names[] = {[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
                                        [JSON_STRING] = "a text",    [JSON_INTEGER] = "a whole number",
                                        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
                                        [JSON_FALSE] = "false",      [JSON_NULL] = "null"};
    return field_check_refuse(check, err, "type", "%s stands here: write %s", names[json_typeof(value)], wanted);
}

static status take(const json_t *value, json_t **kept, struct error *err)
{
    *kept = json_deep_copy(value);
    return *kept ? OK : error_no_memory(err, 64);
}

static status check_text(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                         struct error *err)
{
    bool right;
    if (!json_is_string(value))
        return refuse_type(check, value, "a text", err);
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    if (strlen(text) != n)
        return field_check_refuse(check, err, "format", "holds a NUL character: remove it");
    status s = check_length(check, field, count_characters(text, n), "characters", &right, err);
    if (s != OK || !right)
        return s;
    if (field->pattern) {
        s = matches(field->pattern, text, &right, err);
        if (s == OK && !right)
            return field_check_refuse(check, err, "format", "'%.100s' does not fit%s%s", text, field->help ? ": " : "",
                                      field->help ? field->help : "");
    }
    return s == OK ? take(value, kept, err) : s;
}

static status refuse_range(struct field_check *check, const struct field_def *field, struct error *err)
{
    return field_check_refuse(check, err, "range", "is out of bounds: give a number from %.15g to %.15g", field->min,
                              field->max);
}

static bool in_bounds(const struct field_def *field, double x)
{
    return (field->min == 0 && field->max == 0) || (x >= field->min && x <= field->max);
}

static status check_integer(struct field_check *check, const struct field_def *field, const json_t *value,
                            json_t **kept, struct error *err)
{
    double x = json_number_value(value);
    if (json_is_real(value) && x == floor(x) && fabs(x) <= EXACT_WHOLE) {
        if (!in_bounds(field, x))
            return refuse_range(check, field, err);
        *kept = json_integer((json_int_t)x);
        return *kept ? OK : error_no_memory(err, 64);
    }
    if (!json_is_integer(value))
        return refuse_type(check, value, "a whole number", err);
    return in_bounds(field, x) ? take(value, kept, err) : refuse_range(check, field, err);
}

static status check_number(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                           struct error *err)
{
    if (!json_is_number(value))
        return refuse_type(check, value, "a number", err);
    return in_bounds(field, json_number_value(value)) ? take(value, kept, err) : refuse_range(check, field, err);
}

static status check_choice(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                           struct error *err)
{
    char all[512];
    size_t used = 0;
    if (!json_is_string(value))
        return refuse_type(check, value, "a text", err);
    all[0] = '\0';
    for (const char *const *choice = field->choices; *choice; choice++) {
        if (strcmp(*choice, json_string_value(value)) == 0)
            return take(value, kept, err);
        int n = snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", *choice);
        used += n > 0 && (size_t)n < sizeof all - used ? (size_t)n : 0;
    }
    for (const char *const *later = field->later; later && *later; later++)
        if (strcmp(*later, json_string_value(value)) == 0)
            return field_check_refuse(check, err, "choice", "'%s' is not in this version of FlowForge: write one of %s",
                                      *later, all);
    return field_check_refuse(check, err, "choice", "'%.60s' is none of the choices: write one of %s",
                              json_string_value(value), all);
}

static status check_time(struct field_check *check, const json_t *value, json_t **kept, struct error *err)
{
    int64_t micros;
    char text[TIME_TEXT_CAP];
    if (!json_is_string(value))
        return refuse_type(check, value, "a text", err);
    if (!time_parse(json_string_value(value), &micros))
        return field_check_refuse(check, err, "format",
                                  "'%.60s' is no time of RFC 3339: write it like 2026-11-25T10:00:00Z",
                                  json_string_value(value));
    time_text(micros, text);
    *kept = json_string(text);
    return *kept ? OK : error_no_memory(err, 64);
}

/* null stands for an item that is wrong, so that the table's rules can say what else is; the record goes in the end. */
static status check_list(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                         struct error *err)
{
    bool right;
    size_t mark = 0;
    if (!json_is_array(value))
        return refuse_type(check, value, "a list", err);
    status s = check_length(check, field, json_array_size(value), "items", &right, err);
    if (s != OK || !right)
        return s;
    json_t *list = json_array();
    if (!list)
        return error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < json_array_size(value); i++) {
        json_t *item = NULL;
        s = field_path_item(&check->path, i, &mark, err);
        if (s == OK)
            s = field_value_check(check, field->item, json_array_get(value, i), &item, err);
        if (s == OK)
            s = json_add(list, item ? item : json_null(), err);
        field_path_up(&check->path, mark);
    }
    if (s == OK)
        *kept = list;
    else
        json_decref(list);
    return s;
}

static status check_map(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                        struct error *err)
{
    static const struct field_def any_text = {.kind = FIELD_TEXT};
    bool right;
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return refuse_type(check, value, "an object", err);
    status s = check_length(check, field, json_object_size(value), "members", &right, err);
    if (s != OK || !right)
        return s;
    json_t *map = json_object();
    if (!map)
        return error_no_memory(err, 64);
    json_object_foreach((json_t *)value, key, member)
    {
        size_t mark = check->path.text.len;
        json_t *text = NULL;
        s = field_path_down(&check->path, key, &mark, err);
        if (s == OK)
            s = field_value_check(check, field->item ? field->item : &any_text, member, &text, err);
        if (s == OK && !text)
            right = false;
        else if (s == OK)
            s = json_put(map, key, text, err);
        field_path_up(&check->path, mark);
        if (s != OK)
            break;
    }
    if (s == OK && right)
        *kept = map;
    else
        json_decref(map);
    return s;
}

static status check_object(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                           struct error *err)
{
    if (!json_is_object(value))
        return refuse_type(check, value, "an object", err);
    return field->of ? field_object_check(check, field->of, NULL, value, kept, err) : take(value, kept, err);
}

status field_value_check(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                         struct error *err)
{
    *kept = NULL;
    if (json_is_null(value)) {
        if (field->flags & FIELD_NULLABLE)
            return take(value, kept, err);
        return field_check_refuse(check, err, "null", "must not be null: give a value%s",
                                  field->default_json ? ", or leave it out for its default" : "");
    }
    switch (field->kind) {
    case FIELD_TEXT:
        return check_text(check, field, value, kept, err);
    case FIELD_INTEGER:
        return check_integer(check, field, value, kept, err);
    case FIELD_NUMBER:
        return check_number(check, field, value, kept, err);
    case FIELD_BOOLEAN:
        return json_is_boolean(value) ? take(value, kept, err) : refuse_type(check, value, "true or false", err);
    case FIELD_ENUM:
        return check_choice(check, field, value, kept, err);
    case FIELD_OBJECT:
        return check_object(check, field, value, kept, err);
    case FIELD_LIST:
        return check_list(check, field, value, kept, err);
    case FIELD_MAP:
        return check_map(check, field, value, kept, err);
    case FIELD_TIME:
        return check_time(check, value, kept, err);
    }
    return error_set(err, ERR_INTERNAL, "a field table holds a kind that does not exist");
}
