/* The kinds of sources: what their `config` holds and which formats they bring. One row a kind. */
#ifndef FF_JOB_SOURCE_CONFIG_H
#define FF_JOB_SOURCE_CONFIG_H

#include "base/field.h"

struct source_rule {
    const char *name;               /* of source_type */
    bool files;                     /* brings bytes in a format, which go to landing; else rows */
    const char *formats[4];         /* that it may bring, ended by NULL */
    const char *needed[2];          /* members of config: exactly one of them has to be there */
    const char *needed_help;        /* what to write there */
    const char *const *members;     /* of config, ended by NULL */
    const char *const *connections; /* kinds of connections that fit, ended by NULL; NULL: it uses none */
    bool connection_required;
};

/* ended by NULL; `later`: known, but not in this version */
extern const char *const source_types[], *const source_types_later[], *const source_formats[];
extern const struct field_table source_config_fields;
/* NULL: no such kind. */
const struct source_rule *source_rule_find(const char *name);
/* source_type, format, config and connection_id against each other. */
status rule_source(const json_t *record, struct field_errors *errors, struct error *err) MUST_USE;

#endif
