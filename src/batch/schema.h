/* Names and types of the columns of a batch, in order. Owns its strings. */
#ifndef FF_BATCH_SCHEMA_H
#define FF_BATCH_SCHEMA_H

#include "base/error.h"
#include "batch/type.h"

struct field {
    char *name;        /* NUL-terminated UTF-8, unique in the schema (ASCII case-insensitively) */
    char *source_name; /* as it stood in the source, before rename and clean-up; kept in Parquet field metadata */
    struct data_type type;
    bool not_null; /* a null here is a bad row; written REQUIRED */
};

struct schema {
    struct field *fields;
    size_t count;
    size_t cap;
};

/* Append a field; copies both names (source_name NULL: same as name). */
status schema_add(struct schema *s, struct str name, struct str source_name, struct data_type type, bool not_null,
                  struct error *err) MUST_USE;
status schema_copy(struct schema *to, const struct schema *from, struct error *err) MUST_USE;
/* Index of the column of that name (exact, else ASCII case-insensitive), or -1. */
int schema_find(const struct schema *s, struct str name);
void schema_release(struct schema *s);

#endif
