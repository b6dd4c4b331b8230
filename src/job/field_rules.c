#include "job/field_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/slug.h"
#include "batch/type.h"
#include "lake/file_name.h"
#include "lake/partition.h"

#define POINTER_CAP 700 /* a member's name of 255 characters, escaped, fits or is cut */

static const struct field_def column_rows[] = {
    {.key = "name",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = COLUMN_NAME_MOST,
     .label = "Column",
     .help = "The column's name, after renaming."},
    {.key = "type",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 40,
     .label = "Type",
     .help = "boolean, integer, bigint, float, double, decimal(p,s), date, time, timestamp, timestamptz, string, json, "
             "binary or uuid."},
    {.key = "nullable",
     .kind = FIELD_BOOLEAN,
     .default_json = "true",
     .label = "May be null",
     .help = "When false, a row without a value is a bad row."},
};
const struct field_table column_fields = {
    .name = "column", .title = "Column", .fields = column_rows, .count = ARRAY_LENGTH(column_rows)};
const struct field_def column_item = {.kind = FIELD_OBJECT, .of = &column_fields};
const struct field_def name_item = {.kind = FIELD_TEXT, .min = 1, .max = COLUMN_NAME_MOST, .format = "column"};
const char *const partition_modes[] = {"date", "column", "none", NULL};
const char *const compressions[] = {"none", "gzip", "snappy", "zstd", NULL};

static struct str text_of(const json_t *value)
{
    return (struct str){json_string_value(value), json_string_length(value)};
}

static const char *column_name(const json_t *columns, size_t i)
{
    return json_text(json_array_get(columns, i), "name", "");
}

static status rule_column(const json_t *columns, const char *member, size_t i, struct field_errors *errors,
                          struct error *err)
{
    char pointer[POINTER_CAP];
    struct data_type type;
    struct error why = {0};
    if (json_is_null(json_array_get(columns, i)))
        return OK;
    const char *name = column_name(columns, i), *type_text = json_text(json_array_get(columns, i), "type", "");
    status s = OK;
    if (type_parse(str_of(type_text), &type, &why) != OK) {
        snprintf(pointer, sizeof pointer, "/%s/%zu/type", member, i);
        s = field_error_add(errors, err, pointer, "unknown_type", "%s%s%s", why.message, *why.hint ? ": " : "",
                            why.hint);
    }
    for (size_t k = 0; s == OK && k < i; k++)
        if (str_equal_nocase(str_of(name), str_of(column_name(columns, k)))) {
            snprintf(pointer, sizeof pointer, "/%s/%zu/name", member, i);
            return field_error_add(errors, err, pointer, "duplicate",
                                   "'%s' is the name of column %zu already (upper and lower case are alike): rename "
                                   "one of them",
                                   name, k);
        }
    return s;
}

status rule_columns(const json_t *record, const char *member, struct field_errors *errors, struct error *err)
{
    const json_t *columns = json_object_get(record, member);
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(columns); i++)
        s = rule_column(columns, member, i, errors, err);
    return s;
}

static bool is_known(const struct known_columns *known, struct str name)
{
    if (!known->columns)
        return true;
    for (size_t i = 0; i < json_array_size(known->columns); i++)
        if (json_is_null(json_array_get(known->columns, i)) ||
            str_equal_nocase(name, str_of(column_name(known->columns, i))))
            return true; /* one that is wrong might have that name */
    return false;
}

static status rule_known_str(struct str name, const char *pointer, const struct known_columns *known,
                             struct field_errors *errors, struct error *err)
{
    if (is_known(known, name))
        return OK;
    return field_error_add(errors, err, pointer, "not_found",
                           "'%.*s' is no column of %s: add it there, or name one of its columns", (int)name.n, name.p,
                           known->where);
}

status rule_known(const char *name, const char *pointer, const struct known_columns *known, struct field_errors *errors,
                  struct error *err)
{
    return rule_known_str(str_of(name), pointer, known, errors, err);
}

status rule_names(const json_t *record, const char *member, const struct known_columns *known,
                  struct field_errors *errors, struct error *err)
{
    const json_t *names = json_object_get(record, member);
    char pointer[POINTER_CAP];
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(names); i++) {
        struct str name = text_of(json_array_get(names, i));
        if (!name.p)
            continue;
        snprintf(pointer, sizeof pointer, "/%s/%zu", member, i);
        size_t k = 0;
        while (k < i &&
               (json_is_null(json_array_get(names, k)) || !str_equal_nocase(name, text_of(json_array_get(names, k)))))
            k++;
        s = k < i ? field_error_add(errors, err, pointer, "duplicate", "'%s' is in the list already: remove it", name.p)
                  : rule_known_str(name, pointer, known, errors, err);
    }
    return s;
}

bool partition_next_column(const char **rest, struct str *name)
{
    if (!*rest)
        return false;
    const char *comma = strchr(*rest, ',');
    struct str one = {*rest, comma ? (size_t)(comma - *rest) : strlen(*rest)};
    *rest = comma ? comma + 1 : NULL;
    while (one.n && (*one.p == ' ' || *one.p == '\t'))
        one = (struct str){one.p + 1, one.n - 1};
    while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
        one.n--;
    *name = one;
    return true;
}

static status rule_partition_columns(const char *pattern, const struct known_columns *known,
                                     struct field_errors *errors, struct error *err)
{
    static const char at[] = "/partition_pattern";
    struct str name, earlier;
    status s = OK;
    size_t index = 0;
    for (const char *rest = pattern; s == OK && partition_next_column(&rest, &name); index++) {
        if (name.n == 0)
            return field_error_add(errors, err, at, "format",
                                   "a column's name is missing: write column names separated by commas, like "
                                   "\"country,year\"");
        const char *again = pattern;
        for (size_t i = 0; i < index && partition_next_column(&again, &earlier); i++)
            if (str_equal_nocase(name, earlier))
                return field_error_add(errors, err, at, "duplicate", "'%.*s' is named twice: remove one", (int)name.n,
                                       name.p);
        s = rule_known_str(name, at, known, errors, err);
    }
    return s;
}

static status add_reason(struct field_errors *errors, const char *pointer, const struct error *why, struct error *err)
{
    return field_error_add(errors, err, pointer, "format", "%s%s%s", why->message, *why->hint ? ": " : "", why->hint);
}

static status rule_partition_pattern(const json_t *record, const struct known_columns *known,
                                     struct field_errors *errors, struct error *err)
{
    static const char at[] = "/partition_pattern";
    struct error why = {0};
    const char *mode = json_text(record, "partition_mode", NULL);
    const char *pattern = json_text(record, "partition_pattern", NULL);
    if (!mode || !json_object_get(record, "partition_pattern"))
        return OK;
    if (strcmp(mode, "none") == 0) {
        if (!pattern)
            return OK;
        return field_error_add(errors, err, at, "combination",
                               "partition_mode=none makes no folders: leave partition_pattern out, or set "
                               "partition_mode to date or column");
    }
    if (strcmp(mode, "date") == 0) {
        if (pattern && partition_date_check(str_of(pattern), &why) != OK)
            return add_reason(errors, at, &why, err);
        return OK;
    }
    if (!pattern || !*pattern)
        return field_error_add(errors, err, at, "required",
                               "partition_mode=column needs the names of the columns here, separated by commas");
    return rule_partition_columns(pattern, known, errors, err);
}

status rule_partition(const json_t *record, const struct known_columns *known, struct field_errors *errors,
                      struct error *err)
{
    struct error why = {0};
    const char *file_name = json_text(record, "filename_pattern", NULL);
    status s = rule_partition_pattern(record, known, errors, err);
    if (s == OK && file_name && file_name_check(str_of(file_name), &why) != OK)
        s = add_reason(errors, "/filename_pattern", &why, err);
    return s;
}

static status find_prefect_kind(const json_t *value, char *pointer, size_t used, struct field_errors *errors,
                                struct error *err)
{
    const char *key;
    json_t *member;
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(value); i++) {
        int n = snprintf(pointer + used, POINTER_CAP - used, "/%zu", i);
        size_t most = POINTER_CAP - 1;
        s = find_prefect_kind(json_array_get(value, i), pointer, used + (size_t)n < most ? used + (size_t)n : most,
                              errors, err);
    }
    if (!json_is_object(value))
        return s;
    json_object_foreach((json_t *)value, key, member)
    {
        int n = snprintf(pointer + used, POINTER_CAP - used, "/%s", key);
        size_t most = POINTER_CAP - 1;
        if (strcmp(key, "__prefect_kind") == 0)
            s = field_error_add(errors, err, pointer, "format",
                                "a member must not be named __prefect_kind, which Prefect's server would evaluate: "
                                "name it otherwise");
        else
            s = find_prefect_kind(member, pointer, used + (size_t)n < most ? used + (size_t)n : most, errors, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status rule_no_prefect_kind(const json_t *record, struct field_errors *errors, struct error *err)
{
    char pointer[POINTER_CAP] = "";
    return find_prefect_kind(record, pointer, 0, errors, err);
}

status complete_dataset(json_t *record, struct error *err)
{
    char slug[101];
    const char *name = json_text(record, "name", NULL);
    if (!name || json_object_get(record, "dataset"))
        return OK;
    slug_of(name, slug, sizeof slug);
    return json_put_text(record, "dataset", slug, err);
}

status complete_partition(json_t *record, const json_t *before, const json_t *request, struct error *err)
{
    const char *mode = json_text(record, "partition_mode", "");
    /* A pattern of one mode means nothing in another. */
    if (before && !json_object_get(request, "partition_pattern") &&
        strcmp(mode, json_text(before, "partition_mode", mode)) != 0) {
        status s = json_put(record, "partition_pattern", json_null(), err);
        if (s != OK)
            return s;
    }
    if (strcmp(mode, "date") == 0 && json_is_null(json_object_get(record, "partition_pattern")))
        return json_put_text(record, "partition_pattern", DATE_PATTERN_DEFAULT, err);
    return OK;
}

status complete_columns(json_t *record, const char *member, struct error *err)
{
    json_t *columns = json_object_get(record, member);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        json_t *column = json_array_get(columns, i);
        struct data_type type;
        char name[TYPE_NAME_MAX];
        if (type_parse(str_of(json_text(column, "type", "")), &type, NULL) != OK)
            continue;
        status s = json_put_text(column, "type", type_name(type, name), err);
        if (s != OK)
            return s;
    }
    return OK;
}
