/* Places in SQL text. */
#ifndef FF_SQL_SQL_POSITION_H
#define FF_SQL_SQL_POSITION_H

#include <stddef.h>

#include "base/str.h"

struct sql_position {
    size_t line, column; /* from 1; columns in characters. 0: unknown */
};

/* The place of a byte of the text. */
struct sql_position sql_position_of(struct str sql, size_t byte);
/* What DuckDB's message about `sql` points at: it ends with "LINE n: <part of the line>" and a caret below it. The
 * caret's place counts characters as wide as a terminal shows them; characters beyond ASCII count as one here. */
struct sql_position sql_position_in_message(struct str sql, const char *message);

#endif
