/* What SQLite reports, in our words. */
#ifndef FF_STORE_DB_ERROR_H
#define FF_STORE_DB_ERROR_H

#include <sqlite3.h>

#include "base/error.h"

/* The error that `handle` had last while it did `sql` (NULL: while it was opened) on the file `path`. */
status db_error(sqlite3 *handle, int code, const char *path, const char *sql, struct error *err);

#endif
