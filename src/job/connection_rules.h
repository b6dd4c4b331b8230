/* What the members of a connection's config mean together, one function a kind: see struct field_table. */
#ifndef FF_JOB_CONNECTION_RULES_H
#define FF_JOB_CONNECTION_RULES_H

#include "base/field.h"

#define BUCKET_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]+$"

#define CONNECTION_RULES(name)                                                                                         \
    status name(const json_t *config, struct field_errors *errors, struct error *err) MUST_USE
CONNECTION_RULES(connection_postgres_rules);
CONNECTION_RULES(connection_mysql_rules);
CONNECTION_RULES(connection_sqlite_rules);
CONNECTION_RULES(connection_odbc_rules);
CONNECTION_RULES(connection_s3_rules);
CONNECTION_RULES(connection_http_rules);
CONNECTION_RULES(connection_auth_rules);

/* Header names and values of a request, at the member of that name; values are never told. */
status rule_headers(const json_t *record, const char *member, bool secret, struct field_errors *errors,
                    struct error *err) MUST_USE;
/* No "user:password@" in a URL. */
status rule_url(const json_t *record, const char *member, struct field_errors *errors, struct error *err) MUST_USE;
/* No '..' in a path. */
status rule_path(const json_t *record, const char *member, struct field_errors *errors, struct error *err) MUST_USE;

#endif
