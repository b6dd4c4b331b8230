/* Names in statements, for every kind of database: quoted, never pasted. */
#ifndef FF_SOURCE_DB_NAMES_H
#define FF_SOURCE_DB_NAMES_H

#include "base/buf.h"
#include "batch/schema.h"

/* The name between `quote`s, those within it doubled. */
status db_append_quoted(struct buf *sql, struct str name, char quote, struct error *err) MUST_USE;
/* "schema.table" or "table", each part quoted; a part that itself stands in double quotes may hold anything.
 * ERR_INVALID for what is no such name. */
status db_append_table(struct buf *sql, const char *table, char quote, struct error *err) MUST_USE;
/* "(query\n)", without the query's last semicolons: it may end in a comment. */
status db_append_query(struct buf *sql, const char *query, struct error *err) MUST_USE;
/* Append a column that a database calls `name`: a blank one becomes column_<n>, one that is there already gets a number
 * (DESIGN 3.4). */
status db_add_column(struct schema *schema, const char *name, struct data_type type, struct error *err) MUST_USE;
/* The watermark column; ERR_INVALID when there is none of that name or its type has no use as a watermark. */
status db_find_watermark(const struct schema *schema, const char *name, int *column, struct error *err) MUST_USE;

#endif
