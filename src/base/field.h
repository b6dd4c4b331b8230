/* Field tables: what a JSON object may hold. One table per kind of record validates requests, fills in defaults,
 * redacts secrets, and is served to the UI's forms (/api/schema/...) and to the OpenAPI document. */
#ifndef FF_BASE_FIELD_H
#define FF_BASE_FIELD_H

#include "base/json.h"

enum field_kind {
    FIELD_TEXT,    /* string */
    FIELD_INTEGER, /* whole number within [min, max] */
    FIELD_NUMBER,  /* any number within [min, max] */
    FIELD_BOOLEAN,
    FIELD_ENUM,   /* one of choices */
    FIELD_OBJECT, /* members by `of` */
    FIELD_LIST,   /* items by `item` */
    FIELD_MAP,    /* object of texts under any keys; `item`, when there, says more about the texts */
    FIELD_TIME    /* RFC 3339 text */
};

enum field_flags {
    FIELD_REQUIRED = 1,  /* must be there on create, and never null */
    FIELD_NULLABLE = 2,  /* null is allowed, and is the value when there is no default */
    FIELD_SECRET = 4,    /* write-only: never shown, never logged */
    FIELD_READ_ONLY = 8, /* the server's; in a request it is ignored when unchanged, else an error */
    FIELD_ADVANCED = 16, /* the form hides it behind "advanced" */
    FIELD_OPTIONAL = 32  /* with FIELD_NULLABLE: null, and what is left out, is absent from the record */
};

struct field_table;

struct field_def {
    const char *key;
    enum field_kind kind;
    unsigned flags;
    const char *default_json; /* JSON text; NULL: none (null when FIELD_NULLABLE) */
    const char *const *choices;
    const char *const *later; /* refused as "not in this version", and not described; may be NULL */
    /* Of numbers: bounds; both 0: none. Of texts: least and most length in characters (max 0: 4096). Of lists and
     * maps: least and most number of items (max 0: 1000). */
    double min, max;
    const char *pattern; /* of texts: a regular expression that POSIX (extended) and JSON Schema read alike */
    const char *format;  /* a word for OpenAPI and forms: "uri", "regex", "sql", "column", "path"; may be NULL */
    const struct field_table *of;
    const struct field_def *item;
    const char *label;         /* for forms: "Source type" */
    const char *required_when; /* for people and forms: "incremental_mode=incremental"; may be NULL */
    const char *help;          /* one sentence */
};

/* What is wrong with a request, all of it at once. A zeroed struct is ready. */
struct field_errors {
    json_t *list; /* [{"pointer": "/user_schema/0/type", "code": "unknown_type", "message": ...}]; NULL: none yet */
};
/* Add one. Codes: required, null, type, choice, range, length, unknown_field, read_only, combination, format,
 * duplicate, not_found, in_use, unknown_type. The message says what to change. */
status field_error_add(struct field_errors *errors, struct error *err, const char *pointer, const char *code,
                       const char *format, ...) PRINTF_LIKE(5, 6) MUST_USE;
size_t field_errors_count(const struct field_errors *errors);
void field_errors_release(struct field_errors *errors);

struct field_table {
    const char *name;  /* "ingest_job" */
    const char *title; /* "Ingest job" */
    const struct field_def *fields;
    size_t count;
    /* Where people look for members that lie elsewhere: pairs {"csv_options", "config.csv_options"}; may be NULL. */
    const char *const (*elsewhere)[2];
    size_t elsewhere_count;
    /* Fill in defaults that depend on other members, before the rules; may be NULL. A member that is wrong by itself is
     * absent. */
    status (*complete)(json_t *record, const json_t *before, const json_t *request, struct error *err);
    /* Rules between fields, on the complete record with defaults; may be NULL. Not called for a member that is wrong
     * already: it is absent then, and a rule passes over absent members. An item of a list that is wrong is null. */
    status (*rules)(const json_t *record, struct field_errors *errors, struct error *err);
};

/* The complete record that a request makes: `before` NULL is a create (defaults are filled in), else an update that
 * changes the members that are there (JSON merge patch, RFC 7396, one level deep: objects are replaced whole). Problems
 * go to *errors and leave *record NULL; the status is not OK only when memory runs out. Record members that the table
 * does not know are kept from `before` and refused from `request`, naming the nearest known field. Read-only members
 * are never filled in. */
status field_table_apply(const struct field_table *table, const json_t *before, const json_t *request, json_t **record,
                         struct field_errors *errors, struct error *err) MUST_USE;
/* ERR_INVALID that sums the errors up, for where there is no list to show (command line). */
status field_errors_status(const struct field_errors *errors, struct error *err) MUST_USE;
/* A copy of the record without secrets. */
status field_table_redact(const struct field_table *table, const json_t *record, json_t **shown,
                          struct error *err) MUST_USE;
/* For forms: {"name", "title", "fields": [{key, kind, label, help, default, choices, min, max, required, nullable,
 * secret, read_only, advanced, required_when, format, fields | item}]}. */
status field_table_describe(const struct field_table *table, json_t **description, struct error *err) MUST_USE;
/* JSON Schema (2020-12, as OpenAPI 3.1 takes it) of the record (`request` false) or of what create takes. Every member
 * of a record is required in it; additionalProperties is false. */
status field_table_json_schema(const struct field_table *table, bool request, json_t **schema,
                               struct error *err) MUST_USE;

#endif
