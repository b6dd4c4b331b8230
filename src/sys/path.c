#include "sys/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

status path_kind_of(const char *path, enum path_kind *kind, struct error *err)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        *kind = S_ISREG(st.st_mode) ? PATH_FILE : S_ISDIR(st.st_mode) ? PATH_DIRECTORY : PATH_OTHER;
        return OK;
    }
    if (errno != ENOENT)
        return error_set_errno(err, errno, "cannot look at '%s'", path);
    *kind = lstat(path, &st) == 0 ? PATH_OTHER : PATH_NOTHING;
    return OK;
}

status path_resolve(const char *path, char **resolved, struct error *err)
{
    struct stat st;
    char *copy = strdup(path);
    if (!copy)
        return error_no_memory(err, strlen(path) + 1);
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
        copy[n - 1] = '\0';
    if (lstat(copy, &st) == 0 && S_ISLNK(st.st_mode)) {
        char *target = realpath(copy, NULL);
        status s = target ? OK : error_set_errno(err, errno, "cannot follow the symbolic link '%s'", copy);
        free(copy);
        *resolved = target;
        return s;
    }
    *resolved = copy;
    return OK;
}

bool path_holds_current_directory(const char *path)
{
    char outer[PATH_MAX], current[PATH_MAX];
    if (!realpath(path, outer) || !getcwd(current, sizeof current))
        return false;
    size_t n = strlen(outer);
    return strncmp(current, outer, n) == 0 && (current[n] == '\0' || current[n] == '/' || n == 1);
}

double path_age(const char *path)
{
    struct stat st;
    struct timespec now;
    if (stat(path, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (double)(now.tv_sec - st.st_mtim.tv_sec);
}
