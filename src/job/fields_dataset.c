#include <stdio.h>

#include "job/field_rules.h"
#include "job/fields.h"

#define SQL_MOST (1u << 20)

static const char *const layers[] = {"silver", "gold", NULL};
static const char *const refresh_modes[] = {"full", "append", "merge", NULL};

static const struct field_def input_rows[] = {
    {.key = "alias",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 63,
     .pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
     .label = "Alias",
     .help = "The name in the SQL: letters, digits and '_', not beginning with a digit."},
    {.key = "dataset",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 107,
     .pattern = "^(bronze|silver|gold)[.][a-z0-9_][a-z0-9_-]*$",
     .label = "Dataset",
     .help = "Layer and name, like bronze.orders."},
};
static const struct field_table input_fields = {
    .name = "dataset_input", .title = "Input", .fields = input_rows, .count = ARRAY_LENGTH(input_rows)};
static const struct field_def input_item = {.kind = FIELD_OBJECT, .of = &input_fields};

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
    {.key = "layer",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .choices = layers,
     .label = "Layer",
     .help = "Where the dataset lies: silver or gold."},
    {.key = "dataset",
     .kind = FIELD_TEXT,
     .min = 1,
     .max = 100,
     .pattern = SLUG_PATTERN,
     .label = "Dataset",
     .help = "The name in the layer: lower-case letters, digits, '_' and '-', not beginning with '-'. Made from the "
             "job's name when left out."},
    {.key = "inputs",
     .kind = FIELD_LIST,
     .flags = FIELD_REQUIRED,
     .item = &input_item,
     .min = 1,
     .max = 100,
     .label = "Inputs",
     .help = "The datasets that the SQL reads, each under its alias."},
    {.key = "sql",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = SQL_MOST,
     .label = "SQL",
     .help = "One SELECT over the aliases.",
     .format = "sql"},
    {.key = "refresh_mode",
     .kind = FIELD_ENUM,
     .choices = refresh_modes,
     .default_json = "\"full\"",
     .label = "Refresh",
     .help = "Replace the dataset, append to it, or merge into it by keys."},
    {.key = "merge_keys",
     .kind = FIELD_LIST,
     .item = &name_item,
     .default_json = "[]",
     .max = 100,
     .label = "Merge keys",
     .required_when = "refresh_mode=merge",
     .help = "Columns that tell rows apart: new rows replace those with the same values."},
    {.key = "partition_mode",
     .kind = FIELD_ENUM,
     .choices = partition_modes,
     .default_json = "\"none\"",
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
     .default_json = "\"snappy\"",
     .label = "Compression",
     .help = "Of the Parquet files."},
    {.key = "output_schema",
     .kind = FIELD_LIST,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .item = &column_item,
     .min = 1,
     .label = "Declared columns",
     .help = "What the SELECT has to return; a run that returns something else fails. null: whatever it returns."},
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
    {"incremental_mode", "refresh_mode"},
    {"dedupe_keys", "merge_keys"},
    {"query", "sql"},
    {"user_schema", "output_schema"},
};

static status complete(json_t *record, const json_t *before, const json_t *request, struct error *err)
{
    status s = complete_dataset(record, err);
    if (s == OK)
        s = complete_partition(record, before, request, err);
    return s == OK ? complete_columns(record, "output_schema", err) : s;
}

static status rule_input(const json_t *record, const json_t *inputs, size_t i, struct field_errors *errors,
                         struct error *err)
{
    char pointer[60];
    const json_t *input = json_array_get(inputs, i);
    const char *alias = json_text(input, "alias", ""), *dataset = json_text(input, "dataset", "");
    const char *layer = json_text(record, "layer", ""), *own = json_text(record, "dataset", "");
    size_t n = strlen(layer);
    status s = OK;
    if (json_is_null(input))
        return OK;
    for (size_t k = 0; k < i; k++)
        if (str_equal_nocase(str_of(alias), str_of(json_text(json_array_get(inputs, k), "alias", "")))) {
            snprintf(pointer, sizeof pointer, "/inputs/%zu/alias", i);
            s = field_error_add(errors, err, pointer, "duplicate",
                                "'%s' is the alias of input %zu already (upper and lower case are alike): choose "
                                "another one",
                                alias, k);
            break;
        }
    if (s == OK && strncmp(dataset, layer, n) == 0 && dataset[n] == '.' && strcmp(dataset + n + 1, own) == 0) {
        snprintf(pointer, sizeof pointer, "/inputs/%zu/dataset", i);
        s = field_error_add(errors, err, pointer, "combination",
                            "'%s' is what this job makes: name another dataset, or give the job another dataset name",
                            dataset);
    }
    return s;
}

static status rule_merge(const json_t *record, const struct known_columns *known, struct field_errors *errors,
                         struct error *err)
{
    const json_t *keys = json_object_get(record, "merge_keys");
    const char *mode = json_text(record, "refresh_mode", NULL);
    if (!keys || !mode)
        return OK;
    bool merge = strcmp(mode, "merge") == 0;
    if (merge && json_array_size(keys) == 0)
        return field_error_add(errors, err, "/merge_keys", "required",
                               "refresh_mode=merge needs the columns that tell rows apart");
    if (!merge && json_array_size(keys) > 0)
        return field_error_add(errors, err, "/merge_keys", "combination",
                               "refresh_mode=%s does not merge: leave merge_keys out, or set refresh_mode to merge",
                               mode);
    return rule_names(record, "merge_keys", known, errors, err);
}

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const json_t *inputs = json_object_get(record, "inputs"), *columns = json_object_get(record, "output_schema");
    struct known_columns known = {.columns = json_is_array(columns) ? columns : NULL, .where = "output_schema"};
    const char *sql = json_text(record, "sql", NULL);
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(inputs); i++)
        s = rule_input(record, inputs, i, errors, err);
    if (s == OK && sql && sql[strspn(sql, " \t\r\n;")] == '\0')
        s = field_error_add(errors, err, "/sql", "required", "there is no statement: write one SELECT over the inputs");
    if (s == OK && sql && strlen(sql) > SQL_MOST)
        s = field_error_add(errors, err, "/sql", "length", "the SQL is longer than %u bytes: shorten it", SQL_MOST);
    if (s == OK)
        s = rule_merge(record, &known, errors, err);
    if (s == OK)
        s = rule_columns(record, "output_schema", errors, err);
    if (s == OK)
        s = rule_partition(record, &known, errors, err);
    return s == OK ? rule_no_prefect_kind(record, errors, err) : s;
}

const struct field_table dataset_job_fields = {.name = "dataset_job",
                                               .title = "Dataset job",
                                               .fields = rows,
                                               .count = ARRAY_LENGTH(rows),
                                               .elsewhere = elsewhere,
                                               .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                               .complete = complete,
                                               .rules = rules};
