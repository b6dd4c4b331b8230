/* Listing below a folder in the order of full names, one open descriptor at a time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "storage/local_folder.h"
#include "sys/file.h"

struct entry {
    uint64_t size;
    int64_t mtime_ns;
    bool folder;
    char name[256]; /* ends with '/' when it is a folder, so that the order is that of the full names */
};

struct listing {
    const struct local *local;
    const char *prefix;
    bool hidden;       /* entries that begin with '.' are wanted */
    bool only_folders; /* directly in the folder */
    storage_visitor *visit;
    void *context;
};

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Are there names below `path` that the prefix wants? Either may be the longer one. */
static bool is_wanted(const struct listing *list, const char *path)
{
    size_t n = strlen(path), m = strlen(list->prefix);
    return strncmp(path, list->prefix, n < m ? n : m) == 0;
}

/* Regular files and folders; a link counts as the file that it leads to below the root, and a linked folder not at all:
 * its contents are listed where they lie. */
static bool look_at(const struct listing *list, int folder, const char *path, const char *name, struct entry *entry)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(st.st_mode)) {
        int fd = local_open(list->local, path, O_PATH, 0);
        bool known = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        if (fd >= 0)
            file_close(fd);
        if (!known)
            return false;
    }
    entry->folder = S_ISDIR(st.st_mode);
    entry->size = entry->folder ? 0 : (uint64_t)st.st_size;
    entry->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return entry->folder || S_ISREG(st.st_mode);
}

static int join(char into[STORAGE_NAME_MOST + 1], const char *folder, const char *name)
{
    int n = snprintf(into, STORAGE_NAME_MOST + 1, "%s%s%s", folder, *folder ? "/" : "", name);
    return n >= 0 && n <= STORAGE_NAME_MOST ? n : -1;
}

static status read_entries(const struct listing *list, const char *folder, struct buf *entries, struct error *err)
{
    int fd = local_open(list->local, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? OK
                                                   : local_error(list->local, errno, "open the folder", folder, err);
    DIR *dir = fdopendir(fd);
    if (!dir) {
        status s = local_error(list->local, errno, "list", folder, err);
        file_close(fd);
        return s;
    }
    status s = OK;
    struct dirent *found;
    while (s == OK && (errno = 0, found = readdir(dir))) {
        char path[STORAGE_NAME_MOST + 1];
        struct entry entry;
        const char *name = found->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.' && !list->hidden) ||
            join(path, folder, name) < 0 || !look_at(list, fd, path, name, &entry))
            continue;
        if (entry.folder ? false : list->only_folders)
            continue;
        size_t n = strlen(name); /* at most 255 */
        if (n + 1 >= sizeof entry.name)
            continue;
        memcpy(entry.name, name, n + 1);
        if (entry.folder)
            memcpy(entry.name + n, "/", 2);
        if (join(path, folder, entry.name) > 0 && (list->only_folders || is_wanted(list, path)))
            s = buf_append(entries, &entry, sizeof entry, err);
    }
    if (s == OK && errno != 0)
        s = local_error(list->local, errno, "list", folder, err);
    closedir(dir);
    return s;
}

static status walk(const struct listing *list, const char *folder, struct error *err)
{
    struct buf entries = {0};
    status s = read_entries(list, folder, &entries, err);
    struct entry *all = (struct entry *)entries.data;
    size_t count = entries.len / sizeof *all;
    if (s == OK && count > 1)
        qsort(all, count, sizeof *all, compare_entries);
    for (size_t i = 0; s == OK && i < count; i++) {
        char path[STORAGE_NAME_MOST + 1];
        int n = join(path, folder, all[i].name);
        if (n < 0)
            continue;
        if (all[i].folder)
            path[n - 1] = '\0';
        if (all[i].folder && !list->only_folders) {
            s = walk(list, path, err);
        } else {
            struct storage_object object = {.name = path, .size = all[i].size, .mtime_ns = all[i].mtime_ns};
            s = list->visit(list->context, &object, err);
        }
    }
    buf_release(&entries);
    return s;
}

status local_list(void *self, const char *prefix, storage_visitor *visit, void *context, struct error *err)
{
    char folder[STORAGE_NAME_MOST + 1];
    if (strlen(prefix) > STORAGE_NAME_MOST)
        return OK; /* no name is that long */
    (void)local_split(prefix, folder);
    if (*folder) {
        status s = storage_check_name(folder, err);
        if (s != OK)
            return s;
    }
    struct listing list = {.local = self, .prefix = prefix, .visit = visit, .context = context};
    list.hidden = storage_name_is_hidden(prefix);
    return walk(&list, folder, err);
}

status local_folders(void *self, const char *folder, storage_visitor *visit, void *context, struct error *err)
{
    if (*folder) {
        status s = storage_check_name(folder, err);
        if (s != OK)
            return s;
    }
    struct listing list = {.local = self, .prefix = "", .visit = visit, .context = context};
    list.hidden = list.only_folders = true;
    return walk(&list, folder, err);
}
