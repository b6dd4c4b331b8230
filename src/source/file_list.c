#include "source/file_list.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sys/confine.h"
#include "sys/dir.h"

#define FILES_MOST 1000000
#define DEPTH_MOST 64

struct names {
    char **items;
    size_t count;
    bool failed; /* out of memory */
};

static void add_name(void *context, const char *name)
{
    struct names *n = context;
    if ((n->count & (n->count - 1)) == 0) {
        char **items = realloc(n->items, (n->count ? n->count * 2 : 1) * sizeof *items);
        if (!items) {
            n->failed = true;
            return;
        }
        n->items = items;
    }
    n->items[n->count] = strdup(name);
    n->failed |= !n->items[n->count];
    n->count += n->items[n->count] != NULL;
}

static void names_release(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i]);
    free(n->items);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static status add_file(struct file_list *list, const struct file_list_options *options, const char *path,
                       struct error *err)
{
    char *resolved = NULL;
    struct stat st;
    status s = confine_path(path, options->roots, options->root_count, &resolved, err);
    if (s != OK)
        return s;
    if (stat(resolved, &st) != 0) {
        if (errno != ENOENT) /* gone since the folder was read */
            s = error_set_errno(err, errno, "cannot look at %s", path);
        free(resolved);
        return s;
    }
    if (!S_ISREG(st.st_mode)) {
        free(resolved);
        return OK;
    }
    if (list->count == FILES_MOST) {
        free(resolved);
        s = error_set(err, ERR_LIMIT, "%s means more than %d files", options->path, FILES_MOST);
        error_hint(err, "split them over several jobs by patterns");
        return s;
    }
    if (list->count == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        struct file_entry *entries = realloc(list->entries, cap * sizeof *entries);
        if (!entries) {
            free(resolved);
            return error_no_memory(err, cap * sizeof *entries);
        }
        list->entries = entries;
        list->cap = cap;
    }
    struct file_entry *e = &list->entries[list->count];
    *e = (struct file_entry){
        .path = strdup(path),
        .resolved = resolved,
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
    };
    if (!e->path) {
        free(resolved);
        return error_no_memory(err, strlen(path));
    }
    int64_t age = now_ns() - e->mtime_ns; /* a time ahead of the clock says nothing */
    e->growing = options->settle_seconds > 0 && age >= 0 && (double)age < options->settle_seconds * 1e9;
    list->growing += e->growing;
    list->count++;
    return OK;
}

static bool is_hidden(const char *name)
{
    return name[0] == '.' || name[0] == '_';
}

static bool is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Walk `folder` by the pattern's segments; NULL: everything below it. */
static status walk(struct file_list *list, const struct file_list_options *options, const char *folder,
                   const char *pattern, int depth, struct error *err)
{
    struct names names = {0};
    char segment[NAME_MAX + 1];
    bool any_depth = !pattern, last = !pattern;
    const char *rest = pattern;
    if (depth > DEPTH_MOST)
        return error_set(err, ERR_LIMIT, "%s: folders more than %d deep", folder, DEPTH_MOST);
    if (pattern) {
        size_t n = strcspn(pattern, "/");
        if (n > NAME_MAX)
            return error_set(err, ERR_INVALID, "%s: a part of the path is longer than a name can be", options->path);
        memcpy(segment, pattern, n);
        segment[n] = '\0';
        rest = pattern + n + strspn(pattern + n, "/");
        last = rest[0] == '\0';
        any_depth = strcmp(segment, "**") == 0;
    }
    status s = OK;
    if (any_depth && pattern && !last) /* "**" may stand for no folder at all */
        s = walk(list, options, folder, rest, depth + 1, err);
    if (s == OK)
        s = dir_each(folder, add_name, &names, err);
    if (s == ERR_NOT_FOUND)
        s = OK;
    if (s == OK && names.failed)
        s = error_no_memory(err, names.count);
    for (size_t i = 0; s == OK && i < names.count; i++) {
        char path[PATH_MAX];
        const char *name = names.items[i];
        bool matches = any_depth || fnmatch(segment, name, FNM_PERIOD | FNM_NOESCAPE) == 0;
        if (!matches)
            continue;
        if (is_hidden(name) && (any_depth || segment[0] != name[0])) {
            list->hidden++;
            continue;
        }
        int n = snprintf(path, sizeof path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
        if (n < 0 || (size_t)n >= sizeof path)
            s = error_set(err, ERR_LIMIT, "%s/%s: the path is too long", folder, name);
        else if (is_folder(path))
            s = any_depth ? (options->flat && !pattern) ? OK : walk(list, options, path, pattern, depth + 1, err)
                : last ? OK
                          : walk(list, options, path, rest, depth + 1, err);
        else if (last)
            s = add_file(list, options, path, err);
    }
    names_release(&names);
    return s;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file_entry *)a)->path, ((const struct file_entry *)b)->path);
}

/* "a" + "**" + "b" may meet one file by two ways. */
static void drop_repeated(struct file_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct file_entry *e = &list->entries[i];
        if (kept && strcmp(list->entries[kept - 1].path, e->path) == 0) {
            list->growing -= e->growing;
            free(e->path);
            free(e->resolved);
        } else {
            list->entries[kept++] = *e;
        }
    }
    list->count = kept;
}

static status list_pattern(struct file_list *list, const struct file_list_options *options, struct error *err)
{
    char *resolved = NULL, *base = strdup(options->path);
    if (!base)
        return error_no_memory(err, strlen(options->path));
    status s = confine_pattern(options->path, options->roots, options->root_count, &resolved, err);
    free(resolved);
    /* The part before the first segment that holds a pattern. */
    char *glob = base + strcspn(base, "*?[");
    while (glob > base && glob[-1] != '/')
        glob--;
    const char *pattern = options->path + (glob - base);
    while (glob > base + 1 && glob[-1] == '/')
        glob--;
    *glob = '\0';
    list->folder_exists = is_folder(base);
    if (s == OK)
        s = walk(list, options, base[0] ? base : "/", pattern, 0, err);
    free(base);
    return s;
}

status file_list_make(struct file_list *list, const struct file_list_options *options, struct error *err)
{
    struct file_list l = {0};
    struct stat st;
    status s;
    char *resolved = NULL;
    if (options->path[0] != '/') {
        s = error_set(err, ERR_INVALID, "the path '%s' is not absolute", options->path);
        error_hint(err, "write it from the root: /data/in/*.csv");
        return s;
    }
    bool literal = stat(options->path, &st) == 0;
    if (!literal && path_has_glob(options->path)) {
        s = list_pattern(&l, options, err);
    } else {
        s = confine_path(options->path, options->roots, options->root_count, &resolved, err);
        size_t n = strlen(options->path);
        char *trimmed = s == OK ? strdup(options->path) : NULL;
        if (s == OK && !trimmed)
            s = error_no_memory(err, n);
        while (trimmed && n > 1 && trimmed[n - 1] == '/')
            trimmed[--n] = '\0';
        l.folder_exists = literal;
        if (s == OK && literal)
            s = S_ISDIR(st.st_mode) ? walk(&l, options, trimmed, NULL, 0, err) : add_file(&l, options, trimmed, err);
        free(trimmed);
        free(resolved);
    }
    if (s != OK) {
        file_list_release(&l);
        return s;
    }
    if (l.count)
        qsort(l.entries, l.count, sizeof *l.entries, by_path);
    drop_repeated(&l);
    *list = l;
    return OK;
}

void file_list_release(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].path);
        free(list->entries[i].resolved);
    }
    free(list->entries);
    *list = (struct file_list){0};
}
