#include "job/source_config.h"

#include "job/connection_rules.h"
#include "job/source_query.h"
#include "job/source_tables.h"

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
     .of = &csv_option_fields,
     .label = "CSV options",
     .help = "How the files are written; what is null is found out."},
    {.key = "json_options",
     .kind = FIELD_OBJECT,
     .flags = FIELD_ADVANCED,
     .default_json = "{}",
     .of = &json_fields,
     .label = "JSON options",
     .help = "There are none yet."},
    {.key = "table",
     .kind = FIELD_TEXT,
     .flags = OPTIONAL,
     .min = 1,
     .max = 500,
     .label = "Table",
     .help = "Of db_query: a table or view with its schema, like public.orders, as it is written in the database."},
    {.key = "query",
     .kind = FIELD_TEXT,
     .flags = OPTIONAL,
     .min = 1,
     .max = 100000,
     .label = "Query",
     .format = "sql",
     .help = "Of db_query: one SELECT, without a ';' at its end."},
    {.key = "safety_lag_seconds",
     .kind = FIELD_INTEGER,
     .flags = OPTIONAL | FIELD_ADVANCED,
     .max = 31536000,
     .label = "Safety lag (seconds)",
     .help = "Of db_query with a watermark of times: rows younger than that wait for a later run, because older ones "
             "may still be committed; 0 when left out."},
};

static const char *const elsewhere[][2] = {
    {"delimiter", "config.csv_options.delimiter"},   {"header", "config.csv_options.header"},
    {"encoding", "config.csv_options.encoding"},     {"quote", "config.csv_options.quote"},
    {"escape", "config.csv_options.escape"},         {"comment", "config.csv_options.comment"},
    {"skip_lines", "config.csv_options.skip_lines"}, {"table_name", "config.table"},
};

/* What holds whatever the kind of source is; a path lies below a local root or not, which is known by the server only.
 */
static status config_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    status s = rule_path(record, "path", errors, err);
    return s == OK ? rule_query(record, errors, err) : s;
}

const struct field_table source_config_fields = {.name = "source_config",
                                                 .title = "Source",
                                                 .fields = config_rows,
                                                 .count = ARRAY_LENGTH(config_rows),
                                                 .elsewhere = elsewhere,
                                                 .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                                 .rules = config_rules};
