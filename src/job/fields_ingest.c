#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "job/field_rules.h"
#include "job/fields.h"
#include "job/source_config.h"

static const char *const schema_modes[] = {"infer", "user", NULL};
static const char *const error_handlings[] = {"fail", "quarantine", NULL};
static const char *const incremental_modes[] = {"full", "incremental", NULL};
static const struct field_def null_item = {.kind = FIELD_TEXT, .max = 100};

static const struct field_def rows[] = {
    {.key = "id", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY},
    {.key = "pipeline_id", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY},
    {.key = "name",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 200,
     .pattern = ONE_LINE_PATTERN,
     .label = "Name",
     .help = "A name for people, on one line, unique in the pipeline."},
    {.key = "slug", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY, .help = "The name in paths of the lake."},
    {.key = "description", .kind = FIELD_TEXT, .default_json = "\"\"", .label = "Description"},
    {.key = "enabled",
     .kind = FIELD_BOOLEAN,
     .default_json = "true",
     .label = "Enabled",
     .help = "Runs of the pipeline pass over a job that is not."},
    {.key = "source_type",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .choices = source_types,
     .label = "Source type",
     .help = "Where the data comes from: file_local or file_upload."},
    {.key = "format",
     .kind = FIELD_ENUM,
     .flags = FIELD_NULLABLE,
     .choices = source_formats,
     .label = "Format",
     .required_when = "source_type=file_local|file_upload|file_s3",
     .help = "What the files hold."},
    {.key = "config",
     .kind = FIELD_OBJECT,
     .default_json = "{}",
     .of = &source_config_fields,
     .label = "Source",
     .help = "Options of this kind of source."},
    {.key = "connection_id",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .max = 64,
     .label = "Connection",
     .help = "For sources that need one; files do not."},
    {.key = "force_to_parquet",
     .kind = FIELD_BOOLEAN,
     .default_json = "true",
     .label = "Convert to Parquet",
     .help = "When false, csv and json stay what they are in bronze."},
    {.key = "dataset",
     .kind = FIELD_TEXT,
     .min = 1,
     .max = 100,
     .pattern = SLUG_PATTERN,
     .label = "Dataset",
     .help = "The name in bronze: lower-case letters, digits, '_' and '-', not beginning with '-'. Made from the job's "
             "name when left out."},
    {.key = "partition_mode",
     .kind = FIELD_ENUM,
     .choices = partition_modes,
     .default_json = "\"date\"",
     .label = "Partitioning",
     .help = "Folders by the run's date, by columns, or none."},
    {.key = "partition_pattern",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 500,
     .label = "Partition pattern",
     .required_when = "partition_mode=column",
     .help = "For date: yyyy, MM, dd, HH and plain words, like yyyy/MM/dd, which is the default. For column: names of "
             "columns, separated by commas."},
    {.key = "filename_pattern",
     .kind = FIELD_TEXT,
     .flags = FIELD_ADVANCED,
     .default_json = "\"{timestamp}_{filename}\"",
     .min = 1,
     .max = 200,
     .label = "File name pattern",
     .help = "Tokens: {timestamp} {filename} {run_id} {job} {date} {seq}."},
    {.key = "compression",
     .kind = FIELD_ENUM,
     .choices = compressions,
     .label = "Compression",
     .help = "Of the files in bronze. When left out: snappy for Parquet, none for csv and json."},
    {.key = "landing_retention_days",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE,
     .min = 0,
     .max = 36500,
     .label = "Keep landing copies (days)",
     .help = "Older copies of the untouched input are deleted; null: kept for ever."},
    {.key = "schema_mode",
     .kind = FIELD_ENUM,
     .choices = schema_modes,
     .default_json = "\"infer\"",
     .label = "Schema",
     .help = "Types found from every value, or declared in user_schema."},
    {.key = "user_schema",
     .kind = FIELD_LIST,
     .flags = FIELD_NULLABLE,
     .item = &column_item,
     .max = 5000,
     .label = "Columns",
     .required_when = "schema_mode=user",
     .help = "The columns in their order."},
    {.key = "error_handling",
     .kind = FIELD_ENUM,
     .choices = error_handlings,
     .default_json = "\"fail\"",
     .label = "Bad rows",
     .help = "Fail the run, or set bad rows aside and go on."},
    {.key = "quarantine_path",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = 200,
     .label = "Quarantine path",
     .required_when = "error_handling=quarantine",
     .help = "A folder of the lake for bad rows, usually quarantine.",
     .format = "path"},
    {.key = "max_rejects",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 0,
     .max = 9007199254740991,
     .label = "Most bad rows",
     .help = "A run with more of them fails; null: any number."},
    {.key = "max_reject_ratio",
     .kind = FIELD_NUMBER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 0,
     .max = 1,
     .label = "Largest share of bad rows",
     .help = "A run with a larger share fails; 0.01 is one in a hundred; null: any share."},
    {.key = "dedupe_keys",
     .kind = FIELD_LIST,
     .item = &name_item,
     .default_json = "[]",
     .max = 100,
     .label = "Dedupe keys",
     .help = "Columns that tell rows apart: of rows with the same values one stays."},
    {.key = "incremental_mode",
     .kind = FIELD_ENUM,
     .choices = incremental_modes,
     .default_json = "\"full\"",
     .label = "Mode",
     .help = "Replace the dataset in each run, or take only what is new."},
    {.key = "watermark_column",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = COLUMN_NAME_MOST,
     .label = "Watermark column",
     .required_when = "incremental_mode=incremental",
     .help = "The column that grows from row to row, after renaming.",
     .format = "column"},
    {.key = "last_watermark_value",
     .kind = FIELD_TEXT,
     .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
     .label = "Last watermark",
     .help = "The highest value that was taken."},
    {.key = "rename_map",
     .kind = FIELD_MAP,
     .item = &name_item,
     .default_json = "{}",
     .label = "New names",
     .help = "Name in the source to name in the dataset."},
    {.key = "is_reference",
     .kind = FIELD_BOOLEAN,
     .default_json = "false",
     .label = "Reference data",
     .help = "Runs before the other ingest jobs."},
    {.key = "null_values",
     .kind = FIELD_LIST,
     .flags = FIELD_ADVANCED,
     .item = &null_item,
     .default_json = "[]",
     .max = 100,
     .label = "Texts that mean null",
     .help = "Such as NULL or n/a; an unquoted empty field is null anyhow."},
    {.key = "retries",
     .kind = FIELD_INTEGER,
     .flags = FIELD_ADVANCED,
     .default_json = "0",
     .min = 0,
     .max = 10,
     .label = "Retries",
     .help = "How often a failed attempt is tried again when that may help."},
    {.key = "retry_delay_seconds",
     .kind = FIELD_INTEGER,
     .flags = FIELD_ADVANCED,
     .default_json = "10",
     .min = 0,
     .max = 3600,
     .label = "First pause (seconds)",
     .help = "Before the first retry; it doubles with each one."},
    {.key = "timeout_seconds",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 1,
     .max = 604800,
     .label = "Time limit (seconds)",
     .help = "An attempt that takes longer fails; null: no limit."},
    {.key = "created_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
    {.key = "updated_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
};

static const char *const elsewhere[][2] = {
    {"csv_options", "config.csv_options"},
    {"json_options", "config.json_options"},
    {"path", "config.path"},
    {"recursive", "config.recursive"},
    {"upload_id", "config.upload_id"},
    {"delimiter", "config.csv_options.delimiter"},
    {"header", "config.csv_options.header"},
    {"encoding", "config.csv_options.encoding"},
    {"quote", "config.csv_options.quote"},
};

static bool is(const json_t *record, const char *key, const char *value)
{
    return strcmp(json_text(record, key, ""), value) == 0;
}

/* Parquet comes out: when forced, and from Parquet. */
static bool makes_parquet(const json_t *record)
{
    return json_flag(record, "force_to_parquet", true) || is(record, "format", "parquet");
}

static status complete(json_t *record, const json_t *before, const json_t *request, struct error *err)
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

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
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

const struct field_table ingest_job_fields = {.name = "ingest_job",
                                              .title = "Ingest job",
                                              .fields = rows,
                                              .count = ARRAY_LENGTH(rows),
                                              .elsewhere = elsewhere,
                                              .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                              .complete = complete,
                                              .rules = rules};
