/* The field tables of connections, one a kind (docs/sources.md section 1), and what a request makes of a connection. */
#ifndef FF_JOB_CONNECTION_FIELDS_H
#define FF_JOB_CONNECTION_FIELDS_H

#include "base/field.h"

/* Ended by NULL; `later`: known, but not in this version. */
extern const char *const connection_kinds[], *const connection_kinds_later[];
/* The record: name, kind, config, and what the server fills in. */
extern const struct field_table connection_fields;
/* Of `config`: "connection-postgres" for the kind postgres; NULL: no such kind. */
const struct field_table *connection_kind_fields(const char *kind);

/* A connection as a request wants it. A zeroed struct may be released. */
struct connection_change {
    json_t *record;  /* complete, config without secrets */
    json_t *secrets; /* {path: value} that the request brings */
    json_t *kept;    /* [paths] of stored secrets that stay */
};
/* `before`: as the store shows it, NULL for a new one. Members of config are changed one by one (what is not in the
 * request stays; an object in it is replaced whole); a secret that the request does not name stays, null removes it,
 * and so does another auth.type. Problems go to *errors and leave the change empty; none of them holds a secret. */
status connection_apply(const json_t *before, const json_t *request, struct connection_change *change,
                        struct field_errors *errors, struct error *err) MUST_USE;
void connection_change_release(struct connection_change *change);

#endif
