/* Connections on their way into tasks: complete, with their secrets, for a child's standard input only. */
#ifndef FF_API_CONNECTION_TASK_H
#define FF_API_CONNECTION_TASK_H

#include "api/route.h"
#include "job/connection_fields.h"

/* What the world says to a connection: sqlite's path lies below a local root. */
status connection_check_world(struct api_context *context, const json_t *record, struct field_errors *errors,
                              struct error *err) MUST_USE;
/* A saved one by id or name. */
status connection_load(struct api_context *context, const char *id_or_name, json_t **connection,
                       struct error *err) MUST_USE;
/* One that a request describes: {"id": of a saved one that is changed (optional), "kind", "config"}. *connection NULL:
 * there are problems, in *errors. */
status connection_unsaved(struct api_context *context, const json_t *request, json_t **connection,
                          struct field_errors *errors, struct error *err) MUST_USE;
/* The table of such a request. */
extern const struct field_table connection_test_fields;

/* The payload frame of tasks that are about a connection alone; steals `connection`. */
status connection_payload(struct api_context *context, json_t *connection, json_t **payload,
                          struct error *err) MUST_USE;

#endif
