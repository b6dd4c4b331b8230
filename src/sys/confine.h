/* Paths that users name, confined to folders that the operator allows. Links are followed before the comparison, so
 * neither `..` nor a symbolic link leads out. Whether something outside exists is never told. */
#ifndef FF_SYS_CONFINE_H
#define FF_SYS_CONFINE_H

#include <stddef.h>

#include "base/error.h"

/* Does `path` hold one of the glob characters * ? [ ? */
bool path_has_glob(const char *path);

/* A relative path is meant below the first root: *anchored is that, or a copy of an absolute path; to be freed.
 * ERR_DENIED for a relative path when there are no roots. */
status confine_anchor(const char *path, const char *const *roots, size_t root_count, char **anchored,
                      struct error *err) MUST_USE;
/* The file or folder at `path` (absolute, taken literally), links resolved; what does not exist yet is resolved as far
 * as it exists. `roots` are absolute and resolved (realpath). *resolved is to be freed. ERR_INVALID: not absolute, or
 * ".." behind a part that does not exist. ERR_DENIED: below none of the roots, or no roots at all. */
status confine_path(const char *path, const char *const *roots, size_t root_count, char **resolved,
                    struct error *err) MUST_USE;
/* The same for a glob pattern: everything before the first segment with a glob character is resolved and compared, the
 * rest is kept and must not hold "..". A path that exists is itself, even when it holds glob characters. Each match
 * has to go through confine_path when it is used: below the roots there may be links that lead out. */
status confine_pattern(const char *pattern, const char *const *roots, size_t root_count, char **resolved,
                       struct error *err) MUST_USE;

#endif
