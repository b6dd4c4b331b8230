#include "job/connection_fields.h"

#include "job/connection_rules.h"
#include "job/field_rules.h"

#define PATH_PATTERN "^/[^\x01-\x1f\x7f]*$"

const char *const connection_kinds[] = {"postgres", "sqlite", NULL};
const char *const connection_kinds_later[] = {"mysql", "odbc", "s3", "http", NULL};

/* Rows that several kinds have. */
#define ONE_LINE(member, most, name, sentence, more)                                                                   \
    {                                                                                                                  \
        .key = member, .kind = FIELD_TEXT, .flags = (more), .min = 1, .max = (most), .pattern = ONE_LINE_PATTERN,      \
        .label = name, .help = sentence                                                                                \
    }
#define SECRET(member, name, sentence)                                                                                 \
    {                                                                                                                  \
        .key = member, .kind = FIELD_TEXT, .flags = FIELD_NULLABLE | FIELD_SECRET, .min = 1, .label = name,            \
        .help = sentence                                                                                               \
    }
#define FILE_PATH(member, name, sentence)                                                                              \
    {                                                                                                                  \
        .key = member, .kind = FIELD_TEXT, .flags = FIELD_NULLABLE | FIELD_ADVANCED, .min = 1,                         \
        .pattern = PATH_PATTERN, .format = "path", .label = name, .help = sentence                                     \
    }
#define SECONDS(member, usual, most, name, sentence)                                                                   \
    {                                                                                                                  \
        .key = member, .kind = FIELD_INTEGER, .flags = FIELD_ADVANCED, .default_json = usual, .min = 1, .max = (most), \
        .label = name, .help = sentence                                                                                \
    }
#define PORT(usual)                                                                                                    \
    {                                                                                                                  \
        .key = "port", .kind = FIELD_INTEGER, .default_json = usual, .min = 1, .max = 65535, .label = "Port",          \
        .help = "The port that the server listens on."                                                                 \
    }

static const char *const sslmodes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full", NULL};

static const struct field_def postgres_rows[] = {
    ONE_LINE("host", 255, "Host", "Name or address of the server, or the folder of its socket.", FIELD_REQUIRED),
    PORT("5432"),
    ONE_LINE("database", 255, "Database", "The name of the database.", FIELD_REQUIRED),
    ONE_LINE("user", 255, "User", "The role to sign in as; it only needs to read.", FIELD_REQUIRED),
    SECRET("password", "Password", "Of the user."),
    {.key = "sslmode",
     .kind = FIELD_ENUM,
     .choices = sslmodes,
     .default_json = "\"prefer\"",
     .label = "TLS",
     .help = "As libpq takes it: verify-full is the one that checks whom it talks to."},
    FILE_PATH("sslrootcert", "CA certificates", "A PEM file on the server that signs the database's certificate."),
    SECONDS("connect_timeout_seconds", "10", 600, "Connect within (seconds)", "How long a connection may take."),
    {.key = "statement_timeout_seconds",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 1,
     .max = 604800,
     .label = "Statement limit (seconds)",
     .help = "The server ends a statement that takes longer; null: no limit of ours."},
    ONE_LINE("options", 1000, "Options", "Of the session, such as -c search_path=sales.",
             FIELD_NULLABLE | FIELD_ADVANCED),
};

static const struct field_def sqlite_rows[] = {
    {.key = "path",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .label = "Path",
     .format = "path",
     .help = "The database file, below one of the server's local roots; a relative path lies below the first."},
};

#define KIND(kind, words, rule)                                                                                        \
    {                                                                                                                  \
        .name = "connection-" #kind, .title = words, .fields = kind##_rows, .count = ARRAY_LENGTH(kind##_rows),        \
        .rules = rule                                                                                                  \
    }

/* In the order of connection_kinds. */
static const struct field_table kinds[] = {
    KIND(postgres, "PostgreSQL", connection_postgres_rules),
    KIND(sqlite, "SQLite", connection_sqlite_rules),
};

const struct field_table *connection_kind_fields(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(connection_kinds[i], kind) == 0)
            return &kinds[i];
    return NULL;
}

static const struct field_def secret_name = {.kind = FIELD_TEXT};

static const struct field_def rows[] = {
    {.key = "id", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY},
    ONE_LINE("name", 200, "Name", "A name for people, on one line, unique; documents refer to it.", FIELD_REQUIRED),
    {.key = "kind",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .choices = connection_kinds,
     .later = connection_kinds_later,
     .label = "Kind",
     .help = "What is at the other end."},
    {.key = "config",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     .label = "Settings",
     .help = "By the kind's own field table: GET /api/schema/connection-postgres and so on."},
    {.key = "secrets_set",
     .kind = FIELD_LIST,
     .flags = FIELD_READ_ONLY,
     .item = &secret_name,
     .help = "Which secrets there are; what they are is never shown."},
    {.key = "last_test", .kind = FIELD_OBJECT, .flags = FIELD_READ_ONLY | FIELD_NULLABLE, .help = "The last test."},
    {.key = "created_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
    {.key = "updated_at", .kind = FIELD_TIME, .flags = FIELD_READ_ONLY},
};

const struct field_table connection_fields = {
    .name = "connection", .title = "Connection", .fields = rows, .count = ARRAY_LENGTH(rows)};
