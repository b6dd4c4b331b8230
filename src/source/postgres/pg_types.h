/* Which type of PostgreSQL becomes which of ours, and how it comes over the wire (docs/formats.md). */
#ifndef FF_SOURCE_POSTGRES_PG_TYPES_H
#define FF_SOURCE_POSTGRES_PG_TYPES_H

#include "source/postgres/pg_decode.h"

enum pg_cast { PG_CAST_NONE, PG_CAST_TEXT, PG_CAST_JSON /* to_json(), for arrays */ };

struct pg_type {
    struct data_type type;
    enum pg_wire wire;
    enum pg_cast cast;
};

/* A built-in type by its oid; `modifier` is the column's (of numeric: precision and scale). False: it is none that
 * has a form of its own. */
bool pg_type_of(unsigned oid, int modifier, struct pg_type *type);
/* Any other, by pg_type's typtype and typcategory and whether its send function gives text as it is (citext). */
struct pg_type pg_type_other(char kind, char category, bool sends_text);

#endif
