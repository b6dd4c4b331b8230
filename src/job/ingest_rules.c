#include "job/ingest_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "job/field_rules.h"
#include "job/source_config.h"

static bool is(const json_t *record, const char *key, const char *value)
{
    return strcmp(json_text(record, key, ""), value) == 0;
}

/* Parquet comes out: when forced, and from Parquet. */
static bool makes_parquet(const json_t *record)
{
    return json_flag(record, "force_to_parquet", true) || is(record, "format", "parquet");
}

status ingest_complete(json_t *record, const json_t *before, const json_t *request, struct error *err)
{
    status s = complete_dataset(record, err);
    if (s == OK)
        s = complete_partition(record, before, request, err);
    if (s == OK)
        s = complete_columns(record, "user_schema", err);
    if (s == OK && !json_object_get(record, "compression"))
        s = json_put_text(record, "compression", makes_parquet(record) ? "snappy" : "none", err);
    return s;
}

static status rule_output(const json_t *record, struct field_errors *errors, struct error *err)
{
    bool forced = json_flag(record, "force_to_parquet", true);
    if (is(record, "format", "parquet")) {
        if (forced)
            return OK;
        return field_error_add(errors, err, "/force_to_parquet", "combination",
                               "parquet stays parquet: set force_to_parquet to true, or leave it out");
    }
    if (forced)
        return OK;
    status s = OK;
    if (is(record, "compression", "snappy"))
        s = field_error_add(errors, err, "/compression", "combination",
                            "snappy is a codec of Parquet: with force_to_parquet=false set compression to none, gzip "
                            "or zstd");
    if (s == OK && is(record, "incremental_mode", "incremental") &&
        json_array_size(json_object_get(record, "dedupe_keys")) > 0)
        s = field_error_add(errors, err, "/force_to_parquet", "combination",
                            "incremental with dedupe_keys merges, and only Parquet can be merged: set "
                            "force_to_parquet to true, or leave out dedupe_keys");
    return s;
}

static status rule_schema(const json_t *record, const json_t *columns, struct field_errors *errors, struct error *err)
{
    if (is(record, "schema_mode", "user") && json_object_get(record, "user_schema") && json_array_size(columns) == 0)
        return field_error_add(errors, err, "/user_schema", "required",
                               "schema_mode=user needs at least one column here, as "
                               "[{\"name\": \"id\", \"type\": \"bigint\"}]");
    return rule_columns(record, "user_schema", errors, err);
}

static bool is_reserved(const char *part, size_t n)
{
    static const char *const reserved[] = {"landing", "bronze", "silver", "gold"};
    for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
        if (strlen(reserved[i]) == n && strncasecmp(reserved[i], part, n) == 0)
            return true;
    return false;
}

/* NULL: the path is plain. */
static const char *quarantine_fault(const char *path)
{
    size_t first = strcspn(path, "/");
    if (path[0] == '/')
        return "is absolute: write it relative to the lake, like \"quarantine\"";
    if (is_reserved(path, first))
        return "lies in a folder that holds data: choose another one, like \"quarantine\"";
    for (const char *part = path;; part++) {
        size_t n = strcspn(part, "/");
        if (n == 0)
            return "has an empty part: remove the doubled or last '/'";
        if (part[0] == '.')
            return "has a part that begins with '.': choose another name";
        if (n > 255)
            return "has a part of more than 255 bytes: shorten it";
        for (size_t i = 0; i < n; i++)
            if (iscntrl((unsigned char)part[i]) || part[i] == '\\')
                return "holds a control character or a backslash: remove it";
        part += n;
        if (!*part)
            return NULL;
    }
}

static status rule_errors(const json_t *record, struct field_errors *errors, struct error *err)
{
    static const char *const limits[] = {"max_rejects", "max_reject_ratio"};
    char pointer[32];
    bool quarantine = is(record, "error_handling", "quarantine");
    const char *path = json_text(record, "quarantine_path", NULL);
    const char *fault = path ? quarantine_fault(path) : NULL;
    status s = OK;
    if (fault)
        s = field_error_add(errors, err, "/quarantine_path", "format", "'%.200s' %s", path, fault);
    else if (quarantine && json_is_null(json_object_get(record, "quarantine_path")))
        s = field_error_add(errors, err, "/quarantine_path", "required",
                            "error_handling=quarantine needs a folder of the lake for bad rows, like \"quarantine\"");
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(limits); i++) {
        if (!is(record, "error_handling", "fail") || !json_is_number(json_object_get(record, limits[i])))
            continue;
        snprintf(pointer, sizeof pointer, "/%s", limits[i]);
        s = field_error_add(errors, err, pointer, "combination",
                            "with error_handling=fail the first bad row fails the run: leave %s out, or set "
                            "error_handling to quarantine",
                            limits[i]);
    }
    return s;
}

static status rule_watermark(const json_t *record, const struct known_columns *known, struct field_errors *errors,
                             struct error *err)
{
    const json_t *column = json_object_get(record, "watermark_column");
    if (json_is_string(column))
        return rule_known(json_string_value(column), "/watermark_column", known, errors, err);
    if (column && is(record, "incremental_mode", "incremental"))
        return field_error_add(errors, err, "/watermark_column", "required",
                               "incremental_mode=incremental needs the column that grows from row to row, such as a "
                               "time of change or a number; or set incremental_mode to full");
    return OK;
}

static status add_at_rename(struct field_errors *errors, struct error *err, const char *from, const char *code,
                            const char *message)
{
    char pointer[800] = "/rename_map/";
    size_t used = strlen(pointer);
    for (; *from && used < sizeof pointer - 3; from++) {
        if (*from == '~' || *from == '/') {
            pointer[used++] = '~';
            pointer[used++] = *from == '~' ? '0' : '1';
        } else {
            pointer[used++] = *from;
        }
    }
    pointer[used] = '\0';
    return field_error_add(errors, err, pointer, code, "%s", message);
}

static status rule_rename(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *from, *other;
    json_t *to, *other_to, *map = json_object_get(record, "rename_map");
    char message[700];
    json_object_foreach(map, from, to)
    {
        status s = OK;
        if (!*from || strlen(from) > COLUMN_NAME_MOST * 4)
            s = add_at_rename(errors, err, from, "length",
                              "the name in the source must be 1 to 255 characters: write the column's name");
        json_object_foreach(map, other, other_to)
        {
            if (other == from)
                break;
            if (s != OK || strcasecmp(json_string_value(to), json_string_value(other_to)) != 0)
                continue;
            snprintf(message, sizeof message,
                     "'%.200s' and '%.200s' would both be named '%.200s' (upper and lower case are alike): give one of "
                     "them another name",
                     other, from, json_string_value(to));
            s = add_at_rename(errors, err, from, "duplicate", message);
            break;
        }
        if (s != OK)
            return s;
    }
    return OK;
}

status ingest_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const json_t *columns = json_object_get(record, "user_schema");
    struct known_columns known = {.where = "user_schema"};
    if (is(record, "schema_mode", "user") && json_array_size(columns) > 0)
        known.columns = columns;
    status s = rule_source(record, errors, err);
    if (s == OK)
        s = rule_output(record, errors, err);
    if (s == OK)
        s = rule_schema(record, columns, errors, err);
    if (s == OK)
        s = rule_errors(record, errors, err);
    if (s == OK)
        s = rule_partition(record, &known, errors, err);
    if (s == OK)
        s = rule_names(record, "dedupe_keys", &known, errors, err);
    if (s == OK)
        s = rule_watermark(record, &known, errors, err);
    if (s == OK)
        s = rule_rename(record, errors, err);
    return s == OK ? rule_no_prefect_kind(record, errors, err) : s;
}
