/* The paths by which DuckDB is told to read exactly the files that were named. */
#ifndef FF_SQL_PARQUET_PATHS_H
#define FF_SQL_PARQUET_PATHS_H

#include <stddef.h>

#include "base/error.h"

struct parquet_paths {
    char **names;         /* as they were given */
    const char **aliases; /* what DuckDB is told */
    int *descriptors;     /* open files, or -1 */
    size_t count;
};

/* DuckDB takes *, ? and [ in a path for a pattern, ~ for the home folder, and s3: or http: for other places. A path
 * with pattern characters is opened here and told as /proc/self/fd/<n>; any other relative one is told as ./<path>.
 * A file that cannot be opened for reading, or that is no regular file, is an error here. */
status parquet_paths_open(struct parquet_paths *paths, const char *const *names, size_t count,
                          struct error *err) MUST_USE;
/* Put the given names back into an error's message where it has an alias. */
void parquet_paths_explain(const struct parquet_paths *paths, struct error *err);
void parquet_paths_release(struct parquet_paths *paths);

#endif
