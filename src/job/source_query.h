/* The SQL of db_query: one statement that only reads, as far as that shows without the database. */
#ifndef FF_JOB_SOURCE_QUERY_H
#define FF_JOB_SOURCE_QUERY_H

#include "base/field.h"

/* table and query of a db_query's config. What a database makes of it is its own to say; it runs in a
 * read-only transaction anyhow. */
status rule_query(const json_t *config, struct field_errors *errors, struct error *err) MUST_USE;

#endif
