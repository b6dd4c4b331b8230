/* Directories: made with their parents, removed with their contents, made durable. */
#ifndef FF_SYS_DIR_H
#define FF_SYS_DIR_H

#include <stddef.h>

#include "base/error.h"

/* mkdir -p. *existing (may be NULL): how many bytes of `path` named directories that were there before. OK when the
 * path is a directory already; ERR_INVALID when some part of it is something else. */
status dir_make_all(const char *path, size_t *existing, struct error *err) MUST_USE;
/* mkdir of one level; ERR_EXISTS when something is there. `private`: only for this user. */
status dir_make(const char *path, bool private, struct error *err) MUST_USE;
/* Remove `path` and its parents while they are empty and longer than `keep` bytes: undoes dir_make_all. */
void dir_remove_empty(const char *path, size_t keep);
/* Call `visit` with the name of every entry, in no order. */
status dir_each(const char *path, void (*visit)(void *context, const char *name), void *context,
                struct error *err) MUST_USE;
/* The directory and everything below it, never following a symbolic link. What vanishes meanwhile is no error. Goes
 * on after an error, so that as much as possible is removed, and reports the first. */
status dir_remove_tree(const char *path, struct error *err) MUST_USE;
/* Make the names in the directory durable. */
status dir_fsync(const char *path, struct error *err) MUST_USE;
/* dir_fsync for the directory and all directories below it. */
status dir_fsync_tree(const char *path, struct error *err) MUST_USE;
/* *empty is true for a directory without entries. */
status dir_is_empty(const char *path, bool *empty, struct error *err) MUST_USE;

#endif
