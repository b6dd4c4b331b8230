#include "sys/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* `path` is cut at each separator in turn; the whole path ends with its NUL. */
static status make_levels(char *path, size_t *existing, struct error *err)
{
    bool made = false;
    for (char *at = path;; at++) {
        if (at == path || (*at != '/' && *at != '\0'))
            continue;
        char end = *at;
        *at = '\0';
        int reason = mkdir(path, 0777) == 0 ? 0 : errno;
        if (reason == 0) {
            made = true;
        } else if (!is_directory(path)) {
            if (reason == EEXIST || reason == ENOTDIR)
                return error_set(err, ERR_INVALID, "cannot create the directory '%s': it is a file", path);
            return error_set_errno(err, reason, "cannot create the directory '%s'", path);
        } else if (!made && existing) {
            *existing = (size_t)(at - path);
        }
        *at = end;
        if (end == '\0')
            return OK;
    }
}

status dir_make_all(const char *path, size_t *existing, struct error *err)
{
    if (existing)
        *existing = 0;
    if (!*path)
        return error_set(err, ERR_INVALID, "the name of a directory is empty");
    if (is_directory(path)) {
        if (existing)
            *existing = strlen(path);
        return OK;
    }
    char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err, strlen(path) + 1);
    status s = make_levels(copy, existing, err);
    free(copy);
    return s;
}

status dir_make(const char *path, bool private, struct error *err)
{
    return mkdir(path, private ? 0700 : 0777) == 0
               ? OK
               : error_set_errno(err, errno, "cannot create the directory '%s'", path);
}

void dir_remove_empty(const char *path, size_t keep)
{
    char copy[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof copy)
        return;
    memcpy(copy, path, n + 1);
    while (n > keep && (rmdir(copy) == 0 || errno == ENOENT)) {
        while (n > keep && copy[n - 1] != '/')
            n--;
        while (n > keep && copy[n - 1] == '/')
            n--;
        copy[n] = '\0';
    }
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static status keep_first(status first, status s, struct error *err, const struct error *own)
{
    if (first != OK || s == OK)
        return first;
    if (err)
        *err = *own;
    return s;
}

/* Remove the entry of the directory unless it is a directory itself; that goes to the recursion. */
static bool removed_file(int parent, const char *name, status *s, const char *path, struct error *err)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno == EISDIR || errno == EPERM) { /* EPERM: what POSIX says for a directory */
        struct stat st;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
            return false;
        errno = EPERM;
    }
    *s = error_set_errno(err, errno, "cannot remove '%s/%s'", path, name);
    return true;
}

/* As openat, continued when a signal interrupts it. */
static int open_directory(int parent, const char *name, int flags)
{
    int fd;
    do
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static DIR *open_stream(const char *path)
{
    int fd = open_directory(AT_FDCWD, path, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0) {
        int reason = errno;
        close(fd);
        errno = reason;
    }
    return dir;
}

/* Without opendir, which allocates: cleaning up has to work when memory is what has run out. */
static status remove_below(int parent, const char *name, const char *path, struct error *err)
{
    _Alignas(struct dirent64) char entries[4096];
    int fd = open_directory(parent, name, O_NOFOLLOW);
    if (fd < 0) {
        int reason = errno; /* an empty one goes without being opened */
        if (reason == ENOENT || unlinkat(parent, name, AT_REMOVEDIR) == 0)
            return OK;
        return error_set_errno(err, reason, "cannot remove '%s'", path);
    }
    status first = OK;
    for (ssize_t n; (n = getdents64(fd, entries, sizeof entries)) > 0;)
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            struct error own;
            status s = OK;
            at += entry->d_reclen;
            if (!is_dot(entry->d_name) && !removed_file(fd, entry->d_name, &s, path, &own))
                s = remove_below(fd, entry->d_name, path, &own);
            first = keep_first(first, s, err, &own);
        }
    close(fd);
    if (first == OK && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove '%s'", path);
    return first;
}

status dir_remove_tree(const char *path, struct error *err)
{
    return remove_below(AT_FDCWD, path, path, err);
}

static status fsync_below(int parent, const char *name, const char *path, bool deep, struct error *err)
{
    int fd = open_directory(parent, name, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open the directory '%s'", path);
    DIR *dir = fdopendir(fd);
    if (!dir) {
        status s = error_set_errno(err, errno, "cannot open the directory '%s'", path);
        close(fd);
        return s;
    }
    status s = OK;
    for (struct dirent *entry; deep && s == OK && (entry = readdir(dir));) {
        struct stat st;
        bool sub = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN)
            sub = fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
        if (sub && !is_dot(entry->d_name))
            s = fsync_below(fd, entry->d_name, path, true, err);
    }
    if (s == OK)
        s = file_fsync(fd, path, err);
    closedir(dir);
    return s;
}

status dir_fsync(const char *path, struct error *err)
{
    return fsync_below(AT_FDCWD, path, path, false, err);
}

status dir_fsync_tree(const char *path, struct error *err)
{
    return fsync_below(AT_FDCWD, path, path, true, err);
}

status dir_each(const char *path, void (*visit)(void *context, const char *name), void *context, struct error *err)
{
    DIR *dir = open_stream(path);
    if (!dir)
        return error_set_errno(err, errno, "cannot open the directory '%s'", path);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (!is_dot(entry->d_name))
            visit(context, entry->d_name);
    closedir(dir);
    return OK;
}

status dir_is_empty(const char *path, bool *empty, struct error *err)
{
    DIR *dir = open_stream(path);
    if (!dir)
        return error_set_errno(err, errno, "cannot open the directory '%s'", path);
    *empty = true;
    for (struct dirent *entry; *empty && (entry = readdir(dir));)
        *empty = is_dot(entry->d_name);
    closedir(dir);
    return OK;
}
