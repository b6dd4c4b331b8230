/* A user schema (DESIGN 3.3) from JSON: an array of {"name", "type", "nullable"} in output order, or an object with
 * such an array as "columns" (or "user_schema"). `nullable` defaults to true. */
#ifndef FF_JOB_USER_SCHEMA_H
#define FF_JOB_USER_SCHEMA_H

#include "job/convert.h"

struct user_schema {
    struct user_column *columns;
    size_t count;
};

/* ERR_INVALID with the position or the JSON pointer of what is wrong: malformed JSON, unknown member, missing name,
 * unknown type, two columns of one name, no column. `from` is for the message. */
status user_schema_parse(struct user_schema *schema, const char *json, size_t n, const char *from,
                         struct error *err) MUST_USE;
status user_schema_load(struct user_schema *schema, const char *path, struct error *err) MUST_USE;
void user_schema_release(struct user_schema *schema);

#endif
