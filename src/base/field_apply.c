#include "base/field_value.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_MOST 64 /* longer names are nobody's typing error */

const struct field_def *field_find(const struct field_table *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].key, key) == 0)
            return &table->fields[i];
    return NULL;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make one of the other; '-' and '_' and case are alike. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][NAME_MOST + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > NAME_MOST || m > NAME_MOST)
        return NAME_MOST;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            char x = (char)(a[i - 1] == '-' ? '_' : a[i - 1] >= 'A' && a[i - 1] <= 'Z' ? a[i - 1] + 32 : a[i - 1]);
            now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + (x != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], older[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

static const char *nearest(const struct field_table *table, const char *key)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)strlen(key) / 3 + 1;
    for (size_t i = 0; i < table->count; i++) {
        unsigned d = distance(key, table->fields[i].key);
        if (d <= best_distance && (!best || d < best_distance)) {
            best = table->fields[i].key;
            best_distance = d;
        }
    }
    return best;
}

static status refuse_unknown(struct field_check *check, const struct field_table *table, const char *key,
                             struct error *err)
{
    char known[700];
    size_t used = 0;
    for (size_t i = 0; i < table->elsewhere_count; i++)
        if (strcmp(table->elsewhere[i][0], key) == 0)
            return field_check_refuse(check, err, "unknown_field", "does not belong here: write it as %s",
                                      table->elsewhere[i][1]);
    const char *meant = nearest(table, key);
    if (meant)
        return field_check_refuse(check, err, "unknown_field", "there is no field '%.60s': did you mean '%s'?", key,
                                  meant);
    known[0] = '\0';
    for (size_t i = 0; i < table->count; i++) {
        if (table->fields[i].flags & FIELD_READ_ONLY)
            continue;
        int n = snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", table->fields[i].key);
        used += n > 0 && (size_t)n < sizeof known - used ? (size_t)n : 0;
    }
    return field_check_refuse(check, err, "unknown_field", "there is no field '%.60s': remove it, or use one of %s",
                              key, known);
}

static status refuse_unknowns(struct field_check *check, const struct field_table *table, const json_t *request,
                              bool *right, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)request, key, value)
    {
        size_t mark = check->path.text.len;
        if (field_find(table, key))
            continue;
        *right = false;
        status s = field_path_down(&check->path, key, &mark, err);
        if (s == OK)
            s = refuse_unknown(check, table, key, err);
        field_path_up(&check->path, mark);
        if (s != OK)
            return s;
    }
    return OK;
}

/* The value of a member that the request leaves out; NULL: none. */
static status default_value(struct field_check *check, const struct field_def *field, json_t **value, struct error *err)
{
    *value = NULL;
    if (field->default_json) {
        json_t *plain = json_loads(field->default_json, JSON_DECODE_ANY, NULL);
        if (!plain)
            return error_set(err, ERR_INTERNAL, "the default of field '%s' is no JSON, or memory ran out", field->key);
        status s = field_value_check(check, field, plain, value, err);
        json_decref(plain);
        return s;
    }
    if (field->flags & FIELD_NULLABLE) {
        *value = field->flags & FIELD_OPTIONAL ? NULL : json_null();
        return OK;
    }
    if (field->flags & FIELD_REQUIRED)
        return field_check_refuse(check, err, "required", "is missing: give %s%s", field->help ? "it. " : "a value",
                                  field->help ? field->help : "");
    return OK;
}

static status read_only_value(struct field_check *check, const json_t *old, const json_t *asked, json_t **value,
                              struct error *err)
{
    if (asked && !(old ? json_equal(old, asked) : json_is_null(asked)))
        return field_check_refuse(check, err, "read_only", "is set by the server: leave it out");
    *value = json_incref((json_t *)old);
    return OK;
}

/* `*value` is NULL when the member is wrong or there is none. */
static status member_value(struct field_check *check, const struct field_def *field, const json_t *before,
                           const json_t *request, json_t **value, struct error *err)
{
    json_t *asked = json_object_get(request, field->key);
    const json_t *old = json_object_get(before, field->key);
    *value = NULL;
    if (field->flags & FIELD_READ_ONLY)
        return read_only_value(check, old, asked, value, err);
    if (asked)
        return field_value_check(check, field, asked, value, err);
    if (old) {
        *value = json_deep_copy(old);
        return *value ? OK : error_no_memory(err, 64);
    }
    return default_value(check, field, value, err);
}

/* Members of older or newer versions of FlowForge survive an update. */
static status keep_unknown(const struct field_table *table, const json_t *before, json_t *record, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)before, key, value)
    {
        status s = field_find(table, key) ? OK : json_put(record, key, json_deep_copy(value), err);
        if (s != OK)
            return s;
    }
    return OK;
}

static status fill_record(struct field_check *check, const struct field_table *table, const json_t *before,
                          const json_t *request, json_t *record, struct error *err)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        size_t mark = check->path.text.len;
        json_t *value = NULL;
        status s = field_path_down(&check->path, field->key, &mark, err);
        if (s == OK)
            s = member_value(check, field, before, request, &value, err);
        field_path_up(&check->path, mark);
        if (s == OK && value && !(json_is_null(value) && field->flags & FIELD_OPTIONAL))
            s = json_put(record, field->key, value, err);
        if (s != OK)
            return s;
    }
    return keep_unknown(table, before, record, err);
}

/* A nested table's rules point below the object. */
static status run_rules(struct field_check *check, const struct field_table *table, const json_t *record,
                        struct error *err)
{
    struct field_errors below = {0};
    status s = table->rules(record, &below, err);
    for (size_t i = 0; s == OK && i < field_errors_count(&below); i++) {
        const json_t *item = json_array_get(below.list, i);
        size_t mark = check->path.text.len;
        const char *pointer = json_text(item, "pointer", "");
        s = buf_append(&check->path.text, pointer, strlen(pointer), err);
        if (s == OK)
            s = field_check_refuse(check, err, json_text(item, "code", ""), "%s", json_text(item, "message", ""));
        field_path_up(&check->path, mark);
    }
    field_errors_release(&below);
    return s;
}

status field_object_check(struct field_check *check, const struct field_table *table, const json_t *before,
                          const json_t *request, json_t **record, struct error *err)
{
    size_t before_count = field_errors_count(check->errors);
    bool known = true;
    *record = NULL;
    if (!json_is_object(request))
        return field_check_refuse(check, err, "type", "write an object, with the fields of %s", table->title);
    json_t *made = json_object();
    if (!made)
        return error_no_memory(err, 64);
    status s = refuse_unknowns(check, table, request, &known, err);
    if (s == OK)
        s = fill_record(check, table, before, request, made, err);
    if (s == OK && table->complete)
        s = table->complete(made, before, request, err);
    if (s == OK && table->rules)
        s = run_rules(check, table, made, err);
    if (s == OK && field_errors_count(check->errors) == before_count)
        *record = made;
    else
        json_decref(made);
    return s;
}

status field_table_apply(const struct field_table *table, const json_t *before, const json_t *request, json_t **record,
                         struct field_errors *errors, struct error *err)
{
    struct field_check check = {.errors = errors};
    json_t *made = NULL;
    size_t before_count = field_errors_count(errors);
    status s = field_object_check(&check, table, before, request, &made, err);
    buf_release(&check.path.text);
    if (s == OK && field_errors_count(errors) == before_count)
        *record = made;
    else
        json_decref(made);
    if (s == OK && field_errors_count(errors) != before_count)
        *record = NULL;
    return s;
}
