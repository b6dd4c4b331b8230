/* What stands at a path. */
#ifndef FF_SYS_PATH_H
#define FF_SYS_PATH_H

#include "base/error.h"

enum path_kind { PATH_NOTHING, PATH_FILE, PATH_DIRECTORY, PATH_OTHER };

/* Follows symbolic links; a link to nothing is PATH_OTHER. */
status path_kind_of(const char *path, enum path_kind *kind, struct error *err) MUST_USE;
/* A copy without trailing '/', and what it points to if it is a symbolic link. To be freed. */
status path_resolve(const char *path, char **resolved, struct error *err) MUST_USE;
/* Does the directory hold the current one, or is it that? */
bool path_holds_current_directory(const char *path);
/* Seconds since the file or directory was last modified; 0 when that cannot be told. */
double path_age(const char *path);

#endif
