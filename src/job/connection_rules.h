/* What the members of a connection's config mean together, one function a kind: see struct field_table. */
#ifndef FF_JOB_CONNECTION_RULES_H
#define FF_JOB_CONNECTION_RULES_H

#include "base/field.h"

#define CONNECTION_RULES(name)                                                                                         \
    status name(const json_t *config, struct field_errors *errors, struct error *err) MUST_USE
CONNECTION_RULES(connection_postgres_rules);
CONNECTION_RULES(connection_sqlite_rules);

/* No '..' in a path. */
status rule_path(const json_t *record, const char *member, struct field_errors *errors, struct error *err) MUST_USE;

#endif
