/* source_type, format, config and connection against each other. */
#include <stdio.h>

#include "job/source_config.h"

const char *const source_types[] = {"file_upload", "file_local", "db_query", NULL};
const char *const source_types_later[] = {"file_s3", "api", NULL};
const char *const source_formats[] = {"csv", "json", "parquet", NULL};

static const char *const local_members[] = {"path", "recursive", "csv_options", "json_options", NULL};
static const char *const upload_members[] = {"upload_id", "csv_options", "json_options", NULL};
static const char *const query_members[] = {"table", "query", "safety_lag_seconds", NULL};
static const char *const databases[] = {"postgres", "sqlite", NULL};
static const struct source_rule source_rules[] = {
    {.name = "file_local",
     .files = true,
     .formats = {"csv", "json", "parquet"},
     .needed = {"path"},
     .needed_help = "a file, a folder or a glob",
     .members = local_members},
    {.name = "file_upload",
     .files = true,
     .formats = {"csv", "json", "parquet"},
     .needed = {"upload_id"},
     .needed_help = "the id that POST /api/uploads answered",
     .members = upload_members},
    {.name = "db_query",
     .needed = {"table", "query"},
     .needed_help = "a table such as public.orders, or one SELECT",
     .members = query_members,
     .connections = databases,
     .connection_required = true},
};

const struct source_rule *source_rule_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(source_rules); i++)
        if (strcmp(source_rules[i].name, name) == 0)
            return &source_rules[i];
    return NULL;
}

static bool in_list(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* Says something: neither null nor an object of nothing but nulls. A `true` is a default here. */
static bool is_said(const json_t *value)
{
    const char *key;
    json_t *member;
    if (!json_is_object(value))
        return value && !json_is_null(value) && !json_is_true(value);
    json_object_foreach((json_t *)value, key, member) if (!json_is_null(member)) return true;
    return false;
}

/* Members that other kinds of sources use, and the one of `needed` that has to be there. */
static status rule_members(const struct source_rule *rule, const json_t *config, struct field_errors *errors,
                           struct error *err)
{
    char pointer[80];
    const char *there = NULL;
    status s = OK;
    for (size_t i = 0; s == OK && i < source_config_fields.count; i++) {
        const char *key = source_config_fields.fields[i].key;
        if (in_list(rule->members, key) || !is_said(json_object_get(config, key)))
            continue;
        snprintf(pointer, sizeof pointer, "/config/%s", key);
        s = field_error_add(errors, err, pointer, "combination", "source_type=%s does not use %s: leave it out",
                            rule->name, key);
    }
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(rule->needed) && rule->needed[i]; i++) {
        const json_t *value = json_object_get(config, rule->needed[i]);
        snprintf(pointer, sizeof pointer, "/config/%s", rule->needed[i]);
        if (value && !json_is_null(value) && there)
            s = field_error_add(errors, err, pointer, "combination",
                                "there is config.%s already: leave one of them out", there);
        else if (value && !json_is_null(value))
            there = rule->needed[i];
    }
    if (s == OK && !there) {
        snprintf(pointer, sizeof pointer, "/config/%s", rule->needed[0]);
        s = field_error_add(errors, err, pointer, "required", "source_type=%s needs config.%s%s%s: %s", rule->name,
                            rule->needed[0], rule->needed[1] ? " or config." : "",
                            rule->needed[1] ? rule->needed[1] : "", rule->needed_help);
    }
    return s;
}

static status rule_format(const struct source_rule *rule, const json_t *record, struct field_errors *errors,
                          struct error *err)
{
    const json_t *value = json_object_get(record, "format"), *config = json_object_get(record, "config");
    if (!value)
        return OK;
    const char *format = json_string_value(value);
    if (!rule->files && format)
        return field_error_add(errors, err, "/format", "combination",
                               "source_type=%s brings rows, no files: leave format out", rule->name);
    if (!rule->files && !json_flag(record, "force_to_parquet", true))
        return field_error_add(errors, err, "/force_to_parquet", "combination",
                               "source_type=%s brings rows, no files that could stay as they are: set "
                               "force_to_parquet to true, or leave it out",
                               rule->name);
    if (!rule->files)
        return OK;
    if (!format)
        return field_error_add(errors, err, "/format", "required",
                               "source_type=%s needs the files' format: csv, json or parquet", rule->name);
    if (!in_list(rule->formats, format))
        return field_error_add(errors, err, "/format", "combination",
                               "source_type=%s does not bring %s: choose another format", rule->name, format);
    if (strcmp(format, "csv") != 0 && is_said(json_object_get(config, "csv_options")))
        return field_error_add(errors, err, "/config/csv_options", "combination",
                               "the format is %s: leave csv_options out, or set format to csv", format);
    return OK;
}

static status rule_connection(const struct source_rule *rule, const json_t *record, struct field_errors *errors,
                              struct error *err)
{
    /* By its id in the API, by its name in a document. */
    bool by_name = json_object_get(record, "connection") != NULL;
    const char *pointer = by_name ? "/connection" : "/connection_id";
    const json_t *connection = json_object_get(record, pointer + 1);
    bool named = json_is_string(connection);
    if (named && !rule->connections)
        return field_error_add(errors, err, pointer, "combination", "source_type=%s uses no connection: leave %s out",
                               rule->name, pointer + 1);
    if (!named && rule->connection_required && connection)
        return field_error_add(errors, err, pointer, "required",
                               "source_type=%s needs a connection: GET /api/connections lists them, POST makes one",
                               rule->name);
    return OK;
}

status rule_source(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *type = json_text(record, "source_type", NULL);
    const struct source_rule *rule = type ? source_rule_find(type) : NULL;
    const json_t *config = json_object_get(record, "config");
    if (!rule)
        return OK;
    status s = rule_format(rule, record, errors, err);
    if (s == OK && config)
        s = rule_members(rule, config, errors, err);
    return s == OK ? rule_connection(rule, record, errors, err) : s;
}
