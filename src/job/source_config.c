#include "job/source_config.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>

#include "format/csv/csv_dialect.h"

const char *const source_types[] = {"file_upload", "file_s3", "file_local", "db_query", "api", NULL};
const char *const source_formats[] = {"csv", "json", "parquet", NULL};

static const char *const local_members[] = {"path", "recursive", "csv_options", "json_options", NULL};
static const char *const upload_members[] = {"upload_id", "csv_options", "json_options", NULL};

static const struct source_rule source_rules[] = {
    {"file_local", true, {"csv", "json", "parquet"}, "path", "a file, a folder or a glob", local_members},
    {"file_upload",
     true,
     {"csv", "json", "parquet"},
     "upload_id",
     "the id that POST /api/uploads answered",
     upload_members},
    {.name = "file_s3", .files = true, .formats = {"csv", "json", "parquet"}},
    {.name = "db_query"},
    {.name = "api"},
};

const struct source_rule *source_rule_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(source_rules); i++)
        if (strcmp(source_rules[i].name, name) == 0)
            return &source_rules[i];
    return NULL;
}

static const struct field_def csv_rows[] = {
    {.key = "delimiter",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = CSV_DELIMITER_MAX,
     .label = "Delimiter",
     .help = "What stands between two fields; null: found out."},
    {.key = "header",
     .kind = FIELD_BOOLEAN,
     .flags = FIELD_NULLABLE,
     .label = "First line holds names",
     .help = "null: found out."},
    {.key = "encoding",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = 31,
     .pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
     .label = "Encoding",
     .help = "A name that iconv knows, such as UTF-8 or WINDOWS-1252; null: found out."},
    {.key = "quote",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Quote",
     .help = "One ASCII character; an empty text: none; null: found out."},
    {.key = "escape",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Escape",
     .help = "One ASCII character; an empty text: none; null: found out."},
    {.key = "comment",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Comment sign",
     .help = "Lines that begin with it are no rows; an empty text: none; null: found out."},
    {.key = "skip_lines",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE,
     .min = 0,
     .max = 1000000,
     .label = "Lines to skip",
     .help = "Lines before the header; null: found out."},
};

static status rule_sign(const json_t *record, const char *member, const char *pointer, struct field_errors *errors,
                        struct error *err)
{
    const char *sign = json_text(record, member, "");
    unsigned char c = (unsigned char)*sign;
    if (c < 0x80 && c != '\r' && c != '\n')
        return OK;
    return field_error_add(errors, err, pointer, "format",
                           "'%s' cannot be used: write one ASCII character that is no line end, or an empty text for "
                           "none",
                           sign);
}

static bool encoding_is_known(const char *name)
{
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1)
        return errno != EINVAL; /* out of memory is no verdict */
    iconv_close(converter);
    return true;
}

static status csv_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *delimiter = json_text(record, "delimiter", NULL), *quote = json_text(record, "quote", NULL);
    const char *encoding = json_text(record, "encoding", NULL);
    status s = OK;
    if (delimiter && (strlen(delimiter) > CSV_DELIMITER_MAX || strpbrk(delimiter, "\r\n\"")))
        s = field_error_add(errors, err, "/delimiter", "format",
                            "a delimiter is 1 to %d bytes without line ends and quotes: write another one",
                            CSV_DELIMITER_MAX);
    else if (delimiter && quote && *quote && strchr(delimiter, *quote))
        s = field_error_add(errors, err, "/quote", "combination",
                            "the quote is a part of the delimiter: change one of them");
    if (s == OK)
        s = rule_sign(record, "quote", "/quote", errors, err);
    if (s == OK)
        s = rule_sign(record, "escape", "/escape", errors, err);
    if (s == OK)
        s = rule_sign(record, "comment", "/comment", errors, err);
    if (s == OK && encoding && !encoding_is_known(encoding))
        s = field_error_add(errors, err, "/encoding", "choice",
                            "there is no encoding '%s' here: write a name that `iconv --list` knows", encoding);
    return s;
}

static const struct field_table csv_fields = {.name = "csv_options",
                                              .title = "CSV options",
                                              .fields = csv_rows,
                                              .count = ARRAY_LENGTH(csv_rows),
                                              .rules = csv_rules};
static const struct field_table json_fields = {.name = "json_options", .title = "JSON options"};

static const struct field_def config_rows[] = {
    {.key = "path",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .label = "Path",
     .required_when = "source_type=file_local",
     .help = "A file, a folder or a glob below one of the server's local roots; a relative path lies below the first.",
     .format = "path"},
    {.key = "recursive",
     .kind = FIELD_BOOLEAN,
     .default_json = "true",
     .label = "With folders below",
     .help = "Take the files of the folders below a folder too."},
    {.key = "upload_id",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .pattern = "^[0-9a-z]{26}$",
     .label = "Upload",
     .required_when = "source_type=file_upload",
     .help = "The id that POST /api/uploads answered."},
    {.key = "csv_options",
     .kind = FIELD_OBJECT,
     .default_json = "{}",
     .of = &csv_fields,
     .label = "CSV options",
     .help = "How the files are written; what is null is found out."},
    {.key = "json_options",
     .kind = FIELD_OBJECT,
     .flags = FIELD_ADVANCED,
     .default_json = "{}",
     .of = &json_fields,
     .label = "JSON options",
     .help = "There are none yet."},
};

static const char *const elsewhere[][2] = {
    {"delimiter", "config.csv_options.delimiter"},   {"header", "config.csv_options.header"},
    {"encoding", "config.csv_options.encoding"},     {"quote", "config.csv_options.quote"},
    {"escape", "config.csv_options.escape"},         {"comment", "config.csv_options.comment"},
    {"skip_lines", "config.csv_options.skip_lines"},
};

/* A path in the lake's server; whether it lies below a local root is known there only. */
static status config_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *path = json_text(record, "path", NULL);
    if (!path)
        return OK;
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t n = strcspn(part, "/");
        if (n == 2 && strncmp(part, "..", 2) == 0)
            return field_error_add(errors, err, "/path", "format", "'%.200s' holds '..': write the path without it",
                                   path);
        part += n;
    }
    return OK;
}

const struct field_table source_config_fields = {.name = "source_config",
                                                 .title = "Source",
                                                 .fields = config_rows,
                                                 .count = ARRAY_LENGTH(config_rows),
                                                 .elsewhere = elsewhere,
                                                 .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                                 .rules = config_rules};

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

static status rule_members(const struct source_rule *rule, const json_t *config, struct field_errors *errors,
                           struct error *err)
{
    char pointer[80];
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(config_rows); i++) {
        const char *key = config_rows[i].key;
        if (in_list(rule->members, key) || !is_said(json_object_get(config, key)))
            continue;
        snprintf(pointer, sizeof pointer, "/config/%s", key);
        s = field_error_add(errors, err, pointer, "combination", "source_type=%s does not use %s: leave it out",
                            rule->name, key);
    }
    if (s == OK && rule->needed && json_is_null(json_object_get(config, rule->needed))) {
        snprintf(pointer, sizeof pointer, "/config/%s", rule->needed);
        s = field_error_add(errors, err, pointer, "required", "source_type=%s needs config.%s: %s", rule->name,
                            rule->needed, rule->needed_help);
    }
    return s;
}

static status rule_format(const struct source_rule *rule, const json_t *record, struct field_errors *errors,
                          struct error *err)
{
    const json_t *value = json_object_get(record, "format"), *config = json_object_get(record, "config");
    if (!value)
        return OK;
    if (json_is_null(value))
        return field_error_add(errors, err, "/format", "required",
                               "source_type=%s needs the files' format: csv, json or parquet", rule->name);
    const char *format = json_string_value(value);
    if (!in_list(rule->formats, format))
        return field_error_add(errors, err, "/format", "combination",
                               "source_type=%s does not bring %s: choose another format", rule->name, format);
    if (strcmp(format, "csv") != 0 && is_said(json_object_get(config, "csv_options")))
        return field_error_add(errors, err, "/config/csv_options", "combination",
                               "the format is %s: leave csv_options out, or set format to csv", format);
    return OK;
}

status rule_source(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *type = json_text(record, "source_type", NULL);
    const struct source_rule *rule = type ? source_rule_find(type) : NULL;
    const json_t *config = json_object_get(record, "config");
    if (!rule)
        return OK;
    if (!rule->members)
        return field_error_add(errors, err, "/source_type", "combination",
                               "this version of FlowForge has no source '%s' yet: use file_local or file_upload", type);
    status s = rule->files ? rule_format(rule, record, errors, err) : OK;
    if (s == OK && config)
        s = rule_members(rule, config, errors, err);
    if (s == OK && json_is_string(json_object_get(record, "connection_id")))
        s = field_error_add(errors, err, "/connection_id", "combination",
                            "source_type=%s uses no connection: leave connection_id out", type);
    return s;
}
