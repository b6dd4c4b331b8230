#include "job/field_rules.h"
#include "job/fields.h"
#include "job/ingest_rules.h"
#include "job/source_config.h"

static const char *const schema_modes[] = {"infer", "user", NULL};
static const char *const error_handlings[] = {"fail", "quarantine", NULL};
static const char *const incremental_modes[] = {"full", "incremental", NULL};
static const struct field_def null_item = {.kind = FIELD_TEXT, .max = 100};

static const struct field_def rows[] = {
#define CONNECTION_ROW                                                                                                 \
    {                                                                                                                  \
        .key = "connection_id", .kind = FIELD_TEXT, .flags = FIELD_NULLABLE, .max = 64, .label = "Connection",         \
        .required_when = "source_type=db_query", .help = "How the source is reached; files on this machine need none." \
    }
#include "job/ingest_rows.def"
#undef CONNECTION_ROW
};

/* Ids mean nothing in another home: documents name connections. */
static const struct field_def document_rows[] = {
#define CONNECTION_ROW                                                                                                 \
    {                                                                                                                  \
        .key = "connection", .kind = FIELD_TEXT, .flags = FIELD_NULLABLE, .min = 1, .max = 200, .label = "Connection", \
        .required_when = "source_type=db_query", .help = "The name of the connection."                                 \
    }
#include "job/ingest_rows.def"
#undef CONNECTION_ROW
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
    {"table", "config.table"},
    {"table_name", "config.table"},
    {"query", "config.query"},
    {"safety_lag_seconds", "config.safety_lag_seconds"},
};

const struct field_table ingest_job_fields = {.name = "ingest_job",
                                              .title = "Ingest job",
                                              .fields = rows,
                                              .count = ARRAY_LENGTH(rows),
                                              .elsewhere = elsewhere,
                                              .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                              .complete = ingest_complete,
                                              .rules = ingest_rules};

const struct field_table ingest_document_fields = {.name = "ingest_job_document",
                                                   .title = "Ingest job in a document",
                                                   .fields = document_rows,
                                                   .count = ARRAY_LENGTH(document_rows),
                                                   .elsewhere = elsewhere,
                                                   .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                                   .complete = ingest_complete,
                                                   .rules = ingest_rules};
