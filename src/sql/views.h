/* The inputs of a query as views. */
#ifndef FF_SQL_VIEWS_H
#define FF_SQL_VIEWS_H

#include "batch/schema.h"
#include "sql/session.h"

enum view_format { VIEW_PARQUET, VIEW_CSV, VIEW_JSON };

struct view_input {
    struct str alias;
    enum view_format format;
    const struct schema *schema; /* of the catalog: all columns that any of the files has */
    const char *const *paths;    /* exactly the files that are read, none: no rows. Aliases of parquet_paths.h */
    size_t path_count;
    const char *extension; /* "csv.gz": tells how text files are compressed. NULL: not */
};

/* CREATE VIEW "alias" over those files, in their order: Parquet files matched by name, a column that a file lacks being
 * null; CSV and JSON files with the schema's types, as our own encoders write them. What DuckDB would read otherwise
 * than it stands there is an error (parquet_check.h); so are decimals of more than 15 digits in JSON files. The one
 * exception: within json columns of JSON files a number with a fraction is written anew from a double. */
status view_create(struct sql_session *session, const struct view_input *input, struct error *err) MUST_USE;

#endif
