#include "sql/parquet_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"

#define ALIAS_OF_DESCRIPTOR "/proc/self/fd/"

static status open_one(struct parquet_paths *paths, const char *name, struct error *err)
{
    size_t i = paths->count;
    int descriptor = file_open(name, O_RDONLY, 0);
    if (descriptor < 0)
        return error_set_errno(err, errno, "cannot open %s", name);
    bool pattern = strpbrk(name, "*?[") != NULL;
    struct stat st;
    status s = OK;
    char *alias = NULL;
    if (fstat(descriptor, &st) != 0)
        s = error_set_errno(err, errno, "cannot look at %s", name);
    else if (!S_ISREG(st.st_mode))
        s = error_set(err, ERR_INVALID, "%s is not a regular file, and Parquet cannot be read from anything else",
                      name);
    else if ((pattern ? asprintf(&alias, ALIAS_OF_DESCRIPTOR "%d", descriptor)
                      : asprintf(&alias, "%s%s", *name == '/' ? "" : "./", name)) < 0)
        s = error_no_memory(err, strlen(name) + 3);
    if (s != OK || !pattern) {
        close(descriptor);
        descriptor = -1;
    }
    if (s != OK)
        return s;
    paths->aliases[i] = alias;
    paths->descriptors[i] = descriptor;
    paths->names[i] = strdup(name);
    paths->count++;
    return paths->names[i] ? OK : error_no_memory(err, strlen(name) + 1);
}

status parquet_paths_open(struct parquet_paths *paths, const char *const *names, size_t count, struct error *err)
{
    struct parquet_paths opened = {
        .names = calloc(count + 1, sizeof *opened.names),
        .aliases = calloc(count + 1, sizeof *opened.aliases),
        .descriptors = calloc(count + 1, sizeof *opened.descriptors),
    };
    status s = OK;
    if (!opened.names || !opened.aliases || !opened.descriptors)
        s = error_no_memory(err, count * 3 * sizeof(char *));
    else if (count == 0)
        s = error_set(err, ERR_INVALID, "no Parquet file was named");
    for (size_t i = 0; s == OK && i < count; i++)
        s = open_one(&opened, names[i], err);
    if (s == OK)
        *paths = opened;
    else
        parquet_paths_release(&opened);
    return s;
}

void parquet_paths_explain(const struct parquet_paths *paths, struct error *err)
{
    for (size_t i = 0; err && i < paths->count; i++) {
        char joined[sizeof err->message];
        const char *at = strstr(err->message, paths->aliases[i]);
        size_t n = strlen(paths->aliases[i]);
        if (!at || (paths->descriptors[i] >= 0 && at[n] >= '0' && at[n] <= '9'))
            continue; /* /proc/self/fd/1 is not /proc/self/fd/12 */
        snprintf(joined, sizeof joined, "%.*s%s%s", (int)(at - err->message), err->message, paths->names[i], at + n);
        memcpy(err->message, joined, sizeof joined);
    }
}

void parquet_paths_release(struct parquet_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        free(paths->names[i]);
        free((void *)paths->aliases[i]);
        if (paths->descriptors[i] >= 0)
            close(paths->descriptors[i]);
    }
    free(paths->names);
    free(paths->aliases);
    free(paths->descriptors);
    *paths = (struct parquet_paths){0};
}
