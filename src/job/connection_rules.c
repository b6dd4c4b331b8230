#include "job/connection_rules.h"

#include <stdio.h>

status connection_postgres_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    const char *mode = json_text(config, "sslmode", "");
    if (strncmp(mode, "verify-", 7) == 0 && json_is_null(json_object_get(config, "sslrootcert")))
        return field_error_add(errors, err, "/sslrootcert", "required",
                               "sslmode=%s needs the CA certificates to check against: write the path of a PEM file, "
                               "such as /etc/ssl/certs/ca-certificates.crt",
                               mode);
    return OK;
}

status rule_path(const json_t *record, const char *member, struct field_errors *errors, struct error *err)
{
    const char *path = json_text(record, member, NULL);
    char pointer[40];
    if (!path)
        return OK;
    snprintf(pointer, sizeof pointer, "/%s", member);
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t n = strcspn(part, "/");
        if (n == 2 && strncmp(part, "..", 2) == 0)
            return field_error_add(errors, err, pointer, "format", "'%.200s' holds '..': write the path without it",
                                   path);
        part += n;
    }
    return OK;
}

status connection_sqlite_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    return rule_path(config, "path", errors, err);
}
