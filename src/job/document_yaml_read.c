#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <yaml.h>

#include "job/document_yaml.h"

struct reader {
    yaml_parser_t parser;
    const char *name;
    unsigned depth;
};

static status refuse(const struct reader *r, const yaml_mark_t *mark, struct error *err, const char *what,
                     const char *hint)
{
    status s =
        error_set(err, ERR_INVALID, "%s: line %zu, column %zu: %s", r->name, mark->line + 1, mark->column + 1, what);
    error_hint(err, "%s", hint);
    return s;
}

static bool one_of(struct str text, const char *const *words)
{
    for (; *words; words++)
        if (str_equal(text, str_of(*words)))
            return true;
    return false;
}

static size_t count_digits(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && isdigit((unsigned char)p[i]))
        i++;
    return i;
}

static bool is_real(const char *p, size_t n)
{
    size_t before = count_digits(p, n), after = 0;
    p += before;
    n -= before;
    if (n && *p == '.') {
        after = count_digits(p + 1, n - 1);
        p += after + 1;
        n -= after + 1;
    }
    if (before + after == 0)
        return false;
    if (n && (*p == 'e' || *p == 'E')) {
        size_t sign = n > 1 && (p[1] == '+' || p[1] == '-');
        size_t digits = count_digits(p + 1 + sign, n - 1 - sign);
        if (digits == 0)
            return false;
        p += 1 + sign + digits;
        n -= 1 + sign + digits;
    }
    return n == 0;
}

static bool is_based(struct str text, char base, const char *digits)
{
    if (text.n < 3 || text.p[0] != '0' || text.p[1] != base)
        return false;
    for (size_t i = 2; i < text.n; i++)
        if (!text.p[i] || !strchr(digits, text.p[i]))
            return false;
    return true;
}

enum yaml_kind yaml_plain_kind(struct str text)
{
    static const char *const nulls[] = {"null", "Null", "NULL", "~", "", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const specials[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    if (one_of(text, nulls))
        return YAML_IS_NULL;
    if (one_of(text, trues))
        return YAML_IS_TRUE;
    if (one_of(text, falses))
        return YAML_IS_FALSE;
    if (is_based(text, 'x', "0123456789abcdefABCDEF") || is_based(text, 'o', "01234567"))
        return YAML_IS_INTEGER;
    bool sign = text.p[0] == '-' || text.p[0] == '+';
    struct str rest = {text.p + sign, text.n - sign};
    if (rest.n > 0 && count_digits(rest.p, rest.n) == rest.n)
        return YAML_IS_INTEGER;
    return is_real(rest.p, rest.n) || one_of(rest, specials) ? YAML_IS_REAL : YAML_IS_TEXT;
}

static status read_number(const struct reader *r, const yaml_event_t *event, enum yaml_kind kind, json_t **value,
                          struct error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    errno = 0;
    if (kind == YAML_IS_INTEGER) {
        int base = text[0] == '0' && text[1] == 'x' ? 16 : text[0] == '0' && text[1] == 'o' ? 8 : 10;
        long long n = strtoll(base == 10 ? text : text + 2, NULL, base);
        if (errno == ERANGE)
            return refuse(r, &event->start_mark, err, "the number has more than 64 bits",
                          "put it into quotes if it is a text");
        *value = json_integer(n);
    } else {
        double x = strtod(text, NULL);
        if (!isfinite(x) || strpbrk(text, "iInN"))
            return refuse(r, &event->start_mark, err, "infinity and not-a-number are no values here",
                          "put it into quotes if it is a text");
        *value = json_real(x);
    }
    return *value ? OK : error_no_memory(err, 64);
}

static status read_scalar(const struct reader *r, const yaml_event_t *event, json_t **value, struct error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    struct str s = {text, event->data.scalar.length};
    enum yaml_kind kind = YAML_IS_TEXT;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        kind = yaml_plain_kind(s);
    switch (kind) {
    case YAML_IS_NULL:
        *value = json_null();
        return OK;
    case YAML_IS_TRUE:
    case YAML_IS_FALSE:
        *value = json_boolean(kind == YAML_IS_TRUE);
        return OK;
    case YAML_IS_INTEGER:
    case YAML_IS_REAL:
        return read_number(r, event, kind, value, err);
    case YAML_IS_TEXT:
        break;
    }
    if (!str_is_utf8(s))
        return refuse(r, &event->start_mark, err, "the text is not valid UTF-8", "save the file as UTF-8");
    *value = json_stringn(s.p, s.n);
    return *value ? OK : error_no_memory(err, s.n);
}

static status next_event(struct reader *r, yaml_event_t *event, struct error *err)
{
    if (yaml_parser_parse(&r->parser, event))
        return OK;
    if (r->parser.error == YAML_MEMORY_ERROR)
        return error_no_memory(err, 4096);
    if (r->parser.error == YAML_READER_ERROR)
        return error_set(err, ERR_INVALID, "%s: line %zu, column %zu: %s at byte %zu", r->name, r->parser.mark.line + 1,
                         r->parser.mark.column + 1, r->parser.problem ? r->parser.problem : "not readable",
                         r->parser.problem_offset);
    return refuse(r, &r->parser.problem_mark, err, r->parser.problem ? r->parser.problem : "not YAML",
                  "indentation and quotes are the usual suspects");
}

static status refuse_extras(const struct reader *r, const yaml_event_t *event, struct error *err)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(r, &event->start_mark, err, "aliases (*name) are not taken", "write the value again");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return refuse(r, &event->start_mark, err, "anchors (&name) are not taken", "write the value where it is used");
    if (tag)
        return refuse(r, &event->start_mark, err, "tags (!name) are not taken",
                      "leave it out; quotes make a text of a number");
    return OK;
}

static status read_node(struct reader *r, yaml_event_t *event, json_t **value, struct error *err);

static status read_sequence(struct reader *r, json_t *list, struct error *err)
{
    for (;;) {
        yaml_event_t event;
        json_t *item = NULL;
        status s = next_event(r, &event, err);
        if (s != OK)
            return s;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            s = read_node(r, &event, &item, err);
        yaml_event_delete(&event);
        if (s == OK && !end)
            s = json_add(list, item, err);
        if (s != OK || end)
            return s;
    }
}

static status check_key(const struct reader *r, const yaml_event_t *key, const json_t *map, struct error *err)
{
    if (key->type != YAML_SCALAR_EVENT)
        return refuse(r, &key->start_mark, err, "a key has to be a word", "write `key: value`");
    status s = refuse_extras(r, key, err);
    struct str text = {(const char *)key->data.scalar.value, key->data.scalar.length};
    if (s == OK && (strlen(text.p) != text.n || !str_is_utf8(text)))
        return refuse(r, &key->start_mark, err, "the key holds a NUL or is not valid UTF-8", "write another key");
    if (s == OK && json_object_get(map, text.p))
        return refuse(r, &key->start_mark, err, "this key was there before in the same mapping", "remove one of them");
    return s;
}

static status read_mapping(struct reader *r, json_t *map, struct error *err)
{
    for (;;) {
        yaml_event_t key, event;
        json_t *value = NULL;
        status s = next_event(r, &key, err);
        if (s != OK)
            return s;
        bool end = key.type == YAML_MAPPING_END_EVENT;
        if (!end)
            s = check_key(r, &key, map, err);
        if (s == OK && !end) {
            s = next_event(r, &event, err);
            if (s == OK) {
                s = read_node(r, &event, &value, err);
                yaml_event_delete(&event);
            }
            if (s == OK)
                s = json_put(map, (const char *)key.data.scalar.value, value, err);
        }
        yaml_event_delete(&key);
        if (s != OK || end)
            return s;
    }
}

static status read_node(struct reader *r, yaml_event_t *event, json_t **value, struct error *err)
{
    status s = refuse_extras(r, event, err);
    if (s != OK)
        return s;
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(r, event, value, err);
    if (r->depth >= JSON_DEPTH_MOST)
        return refuse(r, &event->start_mark, err, "nested too deeply", "at most 64 levels are taken");
    bool map = event->type == YAML_MAPPING_START_EVENT;
    json_t *made = map ? json_object() : json_array();
    if (!made)
        return error_no_memory(err, 64);
    r->depth++;
    s = map ? read_mapping(r, made, err) : read_sequence(r, made, err);
    r->depth--;
    if (s == OK)
        *value = made;
    else
        json_decref(made);
    return s;
}

static status read_document(struct reader *r, json_t **value, struct error *err)
{
    bool have = false;
    for (;;) {
        yaml_event_t event;
        status s = next_event(r, &event, err);
        if (s != OK)
            return s;
        bool end = event.type == YAML_STREAM_END_EVENT;
        bool node = event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
                    event.type != YAML_DOCUMENT_END_EVENT && !end;
        if (node && have)
            s = refuse(r, &event.start_mark, err, "a second document begins here", "write each into a file of its own");
        else if (node)
            s = read_node(r, &event, value, err);
        if (end && !have)
            s = refuse(r, &event.start_mark, err, "there is no document", "begin with `pipeline:`");
        have = have || (node && s == OK);
        yaml_event_delete(&event);
        if (s != OK || end)
            return s;
    }
}

status yaml_read(const char *text, size_t n, const char *name, json_t **value, struct error *err)
{
    struct reader r = {.name = name};
    json_t *read = NULL;
    if (!yaml_parser_initialize(&r.parser))
        return error_no_memory(err, sizeof r.parser);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    status s = read_document(&r, &read, err);
    yaml_parser_delete(&r.parser);
    if (s == OK)
        *value = read;
    else
        json_decref(read);
    return s;
}
