#include "sys/confine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool path_has_glob(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static bool below(const char *path, const char *root)
{
    size_t n = strlen(root);
    while (n > 1 && root[n - 1] == '/')
        n--;
    if (n == 1 && root[0] == '/')
        return true;
    return n > 0 && strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Is one of the segments ".."? */
static bool climbs(const char *rest)
{
    for (const char *p = rest; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
        p += n;
        p += strspn(p, "/");
    }
    return false;
}

static status denied(struct error *err, const char *path, const char *const *roots, size_t root_count)
{
    if (root_count == 0) {
        status s = error_set(err, ERR_DENIED, "'%s' cannot be read: no folder of this machine is open to jobs", path);
        error_hint(err, "Start the server with --local-root and the folder, or upload the file.");
        return s;
    }
    status s =
        error_set(err, ERR_DENIED, "'%s' is not below a folder that jobs may read (links are followed first)", path);
    char list[256] = "";
    for (size_t i = 0; i < root_count; i++) {
        size_t used = strlen(list);
        int n = snprintf(list + used, sizeof list - used, "%s'%s'", i ? ", " : "", roots[i]);
        if (n < 0 || (size_t)n >= sizeof list - used) {
            list[used] = '\0';
            break;
        }
    }
    error_hint(err, "Use a path below %s, start the server with --local-root, or upload the file.",
               list[0] ? list : "a local root");
    return s;
}

status confine_anchor(const char *path, const char *const *roots, size_t root_count, char **anchored, struct error *err)
{
    if (path[0] != '/' && root_count == 0)
        return denied(err, path, roots, root_count);
    const char *root = path[0] == '/' ? "" : roots[0];
    size_t size = strlen(root) + strlen(path) + 2;
    char *whole = malloc(size);
    if (!whole)
        return error_no_memory(err, size);
    snprintf(whole, size, "%s%s%s", root, path[0] == '/' ? "" : "/", path);
    *anchored = whole;
    return OK;
}

/* realpath of the longest part that exists, and `rest`: what follows it ("" or "a/b"). */
static status resolve_existing(const char *path, char **resolved, struct error *err)
{
    size_t n = strlen(path);
    char *head = strdup(path), *real = NULL;
    status s = OK;
    if (!head)
        return error_no_memory(err, n + 1);
    while (!(real = realpath(head, NULL))) {
        struct stat st;
        if (errno == ENOMEM) {
            s = error_no_memory(err, PATH_MAX);
            goto out;
        }
        /* A link to nothing could come to point anywhere; what may not be looked at is not ours either. */
        if (errno != ENOENT || (lstat(head, &st) == 0 && S_ISLNK(st.st_mode))) {
            s = error_set(err, ERR_DENIED, "'%s' cannot be resolved", path);
            goto out;
        }
        size_t end = strlen(head);
        while (end > 1 && head[end - 1] == '/')
            end--;
        while (end > 0 && head[end - 1] != '/')
            end--;
        while (end > 1 && head[end - 1] == '/')
            end--;
        head[end > 0 ? end : 1] = '\0';
    }
    size_t at = strlen(head);
    const char *rest = path + at;
    rest += strspn(rest, "/");
    if (climbs(rest)) {
        s = error_set(err, ERR_INVALID, "'%s' holds '..' behind a folder that does not exist", path);
        error_hint(err, "Write the path without '..'.");
        goto out;
    }
    size_t size = strlen(real) + strlen(rest) + 2;
    char *whole = malloc(size);
    if (!whole) {
        s = error_no_memory(err, size);
        goto out;
    }
    snprintf(whole, size, "%s%s%s", real, *rest && strcmp(real, "/") != 0 ? "/" : "", rest);
    *resolved = whole;
out:
    free(real);
    free(head);
    return s;
}

status confine_path(const char *path, const char *const *roots, size_t root_count, char **resolved, struct error *err)
{
    if (path[0] != '/') {
        status s = error_set(err, ERR_INVALID, "'%s' is not an absolute path", path);
        error_hint(err, "Write the whole path, beginning with '/'.");
        return s;
    }
    if (strlen(path) >= PATH_MAX)
        return error_set(err, ERR_INVALID, "the path is longer than %d bytes", PATH_MAX - 1);
    char *whole = NULL;
    status s = root_count ? resolve_existing(path, &whole, err) : OK;
    if (s == ERR_DENIED) /* in the same words as what lies outside, so that nothing is told about it */
        return denied(err, path, roots, root_count);
    if (s != OK)
        return s;
    for (size_t i = 0; i < root_count; i++)
        if (below(whole, roots[i])) {
            *resolved = whole;
            return OK;
        }
    free(whole);
    return denied(err, path, roots, root_count);
}

status confine_pattern(const char *pattern, const char *const *roots, size_t root_count, char **resolved,
                       struct error *err)
{
    struct stat st;
    size_t fixed = strcspn(pattern, "*?[");
    if (pattern[0] != '/' || pattern[fixed] == '\0' || lstat(pattern, &st) == 0)
        return confine_path(pattern, roots, root_count, resolved, err);
    while (fixed > 0 && pattern[fixed - 1] != '/')
        fixed--;
    const char *rest = pattern + fixed;
    if (climbs(rest)) {
        status s = error_set(err, ERR_INVALID, "the pattern '%s' holds '..'", pattern);
        error_hint(err, "Write the pattern without '..'.");
        return s;
    }
    char *head = strndup(pattern, fixed), *folder = NULL, *whole = NULL;
    if (!head)
        return error_no_memory(err, fixed + 1);
    status s = confine_path(head, roots, root_count, &folder, err);
    free(head);
    if (s != OK)
        return s;
    size_t size = strlen(folder) + strlen(rest) + 2;
    whole = malloc(size);
    if (whole) {
        size_t n = strlen(folder);
        snprintf(whole, size, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", rest);
        *resolved = whole;
    } else {
        s = error_no_memory(err, size);
    }
    free(folder);
    return s;
}
