#include "job/connection_fields.h"

#include "job/connection_rules.h"
#include "job/field_rules.h"

#define PATH_PATTERN "^/[^\x01-\x1f\x7f]*$"
#define URL_PATTERN "^https?://[^\x01-\x20\x7f]+$"

const char *const connection_kinds[] = {"postgres", "mysql", "sqlite", "odbc", "s3", "http", NULL};

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

static const char *const tls_choices[] = {"off", "preferred", "required", "verify", NULL};

static const struct field_def mysql_rows[] = {
    ONE_LINE("host", 255, "Host", "Name or address of the server; or give a socket.", FIELD_NULLABLE),
    PORT("3306"),
    FILE_PATH("socket", "Socket", "The server's socket on this machine, instead of a host."),
    ONE_LINE("database", 255, "Database", "The name of the database.", FIELD_REQUIRED),
    ONE_LINE("user", 255, "User", "The user to sign in as; it only needs to read.", FIELD_REQUIRED),
    SECRET("password", "Password", "Of the user."),
    {.key = "tls",
     .kind = FIELD_ENUM,
     .choices = tls_choices,
     .default_json = "\"preferred\"",
     .label = "TLS",
     .help = "verify is the one that checks whom it talks to."},
    FILE_PATH("tls_ca", "CA certificates", "A PEM file on the server that signs the database's certificate."),
    SECONDS("connect_timeout_seconds", "10", 600, "Connect within (seconds)", "How long a connection may take."),
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

static const struct field_def odbc_rows[] = {
    SECRET("connection_string", "Connection string",
           "As the driver takes it: Driver=FreeTDS;Server=db;Database=sales. It may hold a password, so it is secret."),
    ONE_LINE("dsn", 255, "Data source", "The name of a data source of odbc.ini, instead of a connection string.",
             FIELD_NULLABLE),
    ONE_LINE("user", 255, "User", "The user to sign in as; it only needs to read.", FIELD_NULLABLE),
    SECRET("password", "Password", "Of the user."),
    SECONDS("login_timeout_seconds", "15", 600, "Connect within (seconds)", "How long a connection may take."),
};

static const struct field_def s3_rows[] = {
    {.key = "endpoint",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = 500,
     .pattern = URL_PATTERN,
     .format = "uri",
     .label = "Endpoint",
     .help = "The http or https URL of a compatible server; null: AWS."},
    {.key = "region",
     .kind = FIELD_TEXT,
     .default_json = "\"us-east-1\"",
     .min = 1,
     .max = 64,
     .pattern = "^[A-Za-z0-9-]+$",
     .label = "Region",
     .help = "Such as eu-central-1; it is a part of every signature."},
    {.key = "path_style",
     .kind = FIELD_BOOLEAN,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .label = "Bucket in the path",
     .help = "Instead of in the host's name; null: with an endpoint."},
    ONE_LINE("access_key_id", 255, "Access key", "Without it the server's AWS_* environment counts.", FIELD_NULLABLE),
    SECRET("secret_access_key", "Secret key", "That belongs to the access key."),
    SECRET("session_token", "Session token", "Of temporary credentials."),
    {.key = "bucket",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 3,
     .max = 255,
     .pattern = BUCKET_PATTERN,
     .label = "Bucket",
     .help = "Of jobs that name none: 3 letters or more, digits, '.', '_' and '-'."},
    FILE_PATH("ca_file", "CA certificates", "A PEM file on the server that signs the endpoint's certificate."),
};

static const char *const auth_types[] = {"none", "basic", "bearer", "api_key", "oauth2", NULL};
static const char *const key_places[] = {"header", "query", NULL};

static const struct field_def auth_rows[] = {
    {.key = "type",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .choices = auth_types,
     .label = "Type",
     .help = "How the API knows its caller."},
    ONE_LINE("user", 255, "User", "Of basic.", FIELD_NULLABLE | FIELD_OPTIONAL),
    SECRET("password", "Password", "Of basic."),
    SECRET("token", "Token", "Of bearer."),
    ONE_LINE("name", 255, "Name of the key", "Of api_key: the header or the query parameter.",
             FIELD_NULLABLE | FIELD_OPTIONAL),
    {.key = "in",
     .kind = FIELD_ENUM,
     .flags = FIELD_NULLABLE | FIELD_OPTIONAL,
     .choices = key_places,
     .label = "Where the key goes",
     .help = "Of api_key: header (the usual place) or query."},
    SECRET("key", "Key", "Of api_key."),
    {.key = "token_url",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE | FIELD_OPTIONAL,
     .min = 1,
     .max = 2000,
     .pattern = URL_PATTERN,
     .format = "uri",
     .label = "Token URL",
     .help = "Of oauth2: where client credentials become a token."},
    ONE_LINE("client_id", 500, "Client", "Of oauth2.", FIELD_NULLABLE | FIELD_OPTIONAL),
    SECRET("client_secret", "Client secret", "Of oauth2."),
    ONE_LINE("scope", 1000, "Scope", "Of oauth2: what the token is for; many APIs need none.",
             FIELD_NULLABLE | FIELD_OPTIONAL),
};
static const struct field_table auth_fields = {.name = "auth",
                                               .title = "Authentication",
                                               .fields = auth_rows,
                                               .count = ARRAY_LENGTH(auth_rows),
                                               .rules = connection_auth_rules};

static const struct field_def header_item = {.kind = FIELD_TEXT, .max = 8000};

static const struct field_def http_rows[] = {
    {.key = "base_url",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 2000,
     .pattern = URL_PATTERN,
     .format = "uri",
     .label = "Base URL",
     .help = "The http or https URL that the paths of jobs lie below."},
    {.key = "headers",
     .kind = FIELD_MAP,
     .item = &header_item,
     .default_json = "{}",
     .max = 50,
     .label = "Headers",
     .help = "Sent with every request; what is secret belongs into secret_headers."},
    {.key = "secret_headers",
     .kind = FIELD_MAP,
     .flags = FIELD_NULLABLE | FIELD_SECRET,
     .item = &header_item,
     .max = 50,
     .label = "Secret headers",
     .help = "Sent likewise, sealed and never shown."},
    {.key = "auth",
     .kind = FIELD_OBJECT,
     .default_json = "{\"type\": \"none\"}",
     .of = &auth_fields,
     .label = "Authentication",
     .help = "How the API knows its caller."},
    {.key = "rate_per_second",
     .kind = FIELD_NUMBER,
     .flags = FIELD_NULLABLE | FIELD_ADVANCED,
     .min = 0.001,
     .max = 10000,
     .label = "Requests a second",
     .help = "At most; null: no limit of ours."},
    SECONDS("timeout_seconds", "60", 3600, "Answer within (seconds)", "How long one request may take."),
    {.key = "allow_private",
     .kind = FIELD_BOOLEAN,
     .flags = FIELD_ADVANCED,
     .default_json = "false",
     .label = "Private addresses",
     .help = "Loopback and private networks too; the server has to be started with --allow-private-addresses."},
    FILE_PATH("ca_file", "CA certificates", "A PEM file on the server that signs the API's certificate."),
};

#define KIND(kind, words, rule)                                                                                        \
    {                                                                                                                  \
        .name = "connection-" #kind, .title = words, .fields = kind##_rows, .count = ARRAY_LENGTH(kind##_rows),        \
        .rules = rule                                                                                                  \
    }

/* In the order of connection_kinds. */
static const struct field_table kinds[] = {
    KIND(postgres, "PostgreSQL", connection_postgres_rules),
    KIND(mysql, "MySQL or MariaDB", connection_mysql_rules),
    KIND(sqlite, "SQLite", connection_sqlite_rules),
    KIND(odbc, "ODBC", connection_odbc_rules),
    KIND(s3, "S3", connection_s3_rules),
    KIND(http, "HTTP API", connection_http_rules),
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
