/* Inside of the field tables: one value against one row. */
#ifndef FF_BASE_FIELD_VALUE_H
#define FF_BASE_FIELD_VALUE_H

#include "base/field.h"

#define FIELD_TEXT_MOST 4096
#define FIELD_ITEMS_MOST 1000

/* Where in the request we are, as a JSON pointer. */
struct field_path {
    struct buf text; /* without NUL */
};
/* Go down by a member or an item; *mark goes to field_path_up. */
status field_path_down(struct field_path *path, const char *key, size_t *mark, struct error *err) MUST_USE;
status field_path_item(struct field_path *path, size_t index, size_t *mark, struct error *err) MUST_USE;
void field_path_up(struct field_path *path, size_t mark);

struct field_check {
    struct field_path path;
    struct field_errors *errors;
};

/* What is wrong at the present place. */
status field_check_refuse(struct field_check *check, struct error *err, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5) MUST_USE;
/* *kept: the value as it is to be stored, NULL when it was refused. */
status field_value_check(struct field_check *check, const struct field_def *field, const json_t *value, json_t **kept,
                         struct error *err) MUST_USE;
/* A whole object; *record is NULL when anything in it was refused for its shape, else what is right of it. */
status field_object_check(struct field_check *check, const struct field_table *table, const json_t *before,
                          const json_t *request, json_t **record, struct error *err) MUST_USE;
const struct field_def *field_find(const struct field_table *table, const char *key);
/* As the table or the API says: 4096 when the table says nothing. */
double field_length_most(const struct field_def *field);

#endif
