/* Rules and rows that the tables of ingest and dataset jobs share. */
#ifndef FF_JOB_FIELD_RULES_H
#define FF_JOB_FIELD_RULES_H

#include "base/field.h"

#define COLUMN_NAME_MOST 255
#define DATE_PATTERN_DEFAULT "yyyy/MM/dd"
/* One line without blanks at its ends. */
#define ONE_LINE_PATTERN "^[^\x01-\x20\x7f]([^\x01-\x1f\x7f]*[^\x01-\x20\x7f])?$"
#define SLUG_PATTERN "^[a-z0-9_][a-z0-9_-]*$"

extern const struct field_table column_fields;        /* {name, type, nullable} */
extern const struct field_def column_item, name_item; /* of lists: a column; a column's name */
extern const char *const partition_modes[], *const compressions[];

/* Known column names that others refer to; NULL columns: nothing is known, everything may be there. */
struct known_columns {
    const json_t *columns;
    const char *where; /* "user_schema" */
};

/* Valid types, unique names. */
status rule_columns(const json_t *record, const char *member, struct field_errors *errors, struct error *err) MUST_USE;
/* A list of names: unique, and known. */
status rule_names(const json_t *record, const char *member, const struct known_columns *known,
                  struct field_errors *errors, struct error *err) MUST_USE;
/* One name, at `pointer`. */
status rule_known(const char *name, const char *pointer, const struct known_columns *known, struct field_errors *errors,
                  struct error *err) MUST_USE;
/* partition_mode with partition_pattern, and filename_pattern. */
status rule_partition(const json_t *record, const struct known_columns *known, struct field_errors *errors,
                      struct error *err) MUST_USE;
/* No member is named as what Prefect's server would evaluate. */
status rule_no_prefect_kind(const json_t *record, struct field_errors *errors, struct error *err) MUST_USE;

/* Defaults: the dataset from the name, partition_pattern from partition_mode, types by their plain names. */
status complete_dataset(json_t *record, struct error *err) MUST_USE;
status complete_partition(json_t *record, const json_t *before, const json_t *request, struct error *err) MUST_USE;
status complete_columns(json_t *record, const char *member, struct error *err) MUST_USE;

/* The names in a partition_pattern of mode `column`: the next one, trimmed, or false at the end. */
bool partition_next_column(const char **rest, struct str *name);

#endif
