/* The files that a path means: one file, everything below a folder, or what a pattern matches. Confined to the folders
 * that the operator allows, after resolving links. */
#ifndef FF_SOURCE_FILE_LIST_H
#define FF_SOURCE_FILE_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct file_entry {
    char *path;     /* as the user's path and the names below it spell it: what the file is known by */
    char *resolved; /* links followed: what to open */
    uint64_t size;
    int64_t mtime_ns;
    bool growing; /* written to within the settle time: it is not to be read yet */
};

struct file_list {
    struct file_entry *entries; /* sorted by path, bytewise */
    size_t count, cap;
    size_t hidden;      /* names that begin with '.' or '_', left out */
    size_t growing;     /* how many of the entries are growing */
    bool folder_exists; /* what was named is a folder, or one file */
};

struct file_list_options {
    const char *path; /* absolute; * ? [ ] match within a segment, ** any number of folders */
    const char *const *roots;
    size_t root_count;
    bool flat;             /* a folder means its own files, not those of folders below it */
    double settle_seconds; /* a file modified less than this ago is growing; 0: none is */
};

/* No match is no error. ERR_INVALID: not absolute. ERR_DENIED: outside the roots, or a link below it leads out.
 * ERR_LIMIT beyond a million files. Linked folders are not entered. */
status file_list_make(struct file_list *list, const struct file_list_options *options, struct error *err) MUST_USE;
void file_list_release(struct file_list *list);

#endif
