#include "storage/local_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

/* Only a cache: beyond it folders are made durable again. */
#define DURABLE_MOST 4096

const char *local_split(const char *name, char *folder)
{
    const char *slash = strrchr(name, '/');
    size_t n = slash ? (size_t)(slash - name) : 0;
    memcpy(folder, name, n);
    folder[n] = '\0';
    return slash ? slash + 1 : name;
}

static bool is_link(int folder, const char *name)
{
    struct stat st;
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* For kernels before 5.6 and sandboxes that forbid openat2: segment by segment, following no link at all. */
static int open_by_segments(const struct local *l, const char *name, int flags, unsigned mode)
{
    char segment[STORAGE_NAME_MOST + 1];
    int at = l->root;
    for (;;) {
        size_t n = strcspn(name, "/");
        memcpy(segment, name, n);
        segment[n] = '\0';
        bool last = name[n] == '\0';
        int how = last ? flags : O_PATH | O_DIRECTORY;
        int fd = openat(at, segment, how | O_NOFOLLOW | O_CLOEXEC, mode);
        int reason = fd < 0 && errno == ENOTDIR && is_link(at, segment) ? ELOOP : errno;
        if (at != l->root)
            close(at);
        errno = reason;
        if (fd < 0 || last)
            return fd;
        at = fd;
        name += n + 1;
    }
}

int local_open(const struct local *l, const char *name, int flags, unsigned mode)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                           .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (!*name)
        name = ".";
    long fd;
    do
        fd = syscall(SYS_openat2, l->root, name, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN)); /* EAGAIN: a rename elsewhere got in between */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_by_segments(l, name, flags, mode);
    return (int)fd;
}

status local_error(const struct local *l, int sys_errno, const char *what, const char *name, struct error *err)
{
    if (sys_errno == EXDEV || sys_errno == ELOOP) {
        status s = error_set(err, ERR_DENIED, "cannot %s '%s/%s': a symbolic link leads out of '%s'", what, l->path,
                             name, l->path);
        error_hint(err, "put the file itself there, or make the folder it lies in one of the allowed folders");
        return s;
    }
    return error_set_errno(err, sys_errno, "cannot %s '%s/%s'", what, l->path, name);
}

static void note_broken(struct local *l, const char *folder)
{
    pthread_mutex_lock(&l->lock);
    if (name_set_add(&l->broken, *folder ? folder : ".", NULL) != OK)
        l->all_broken = true;
    pthread_mutex_unlock(&l->lock);
}

/* Is the folder, or one it lies in, among those that could not be made durable? */
static status refuse_broken(struct local *l, const char *folder, struct error *err)
{
    char outer[STORAGE_NAME_MOST + 1];
    snprintf(outer, sizeof outer, "%s", folder);
    pthread_mutex_lock(&l->lock);
    bool broken = l->all_broken || name_set_has(&l->broken, ".");
    while (!broken && *outer) {
        broken = name_set_has(&l->broken, outer);
        char *slash = strrchr(outer, '/');
        *(slash ? slash : outer) = '\0';
    }
    pthread_mutex_unlock(&l->lock);
    if (!broken)
        return OK;
    status s = error_set(err, ERR_IO, "'%s/%s' cannot be trusted to keep new files: making it durable failed before",
                         l->path, folder);
    error_hint(err, "look for disk errors in the system's log, then restart FlowForge");
    return s;
}

status local_folder_sync(struct local *l, const char *folder, struct error *err)
{
    status s = refuse_broken(l, folder, err);
    if (s != OK)
        return s;
    int fd = local_open(l, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return local_error(l, errno, "open the folder", folder, err);
    char path[STORAGE_NAME_MOST + 256];
    snprintf(path, sizeof path, "%.200s/%s", l->path, folder);
    s = file_fsync(fd, path, err);
    file_close(fd);
    if (s != OK)
        note_broken(l, folder);
    return s;
}

static bool is_durable(struct local *l, const char *folder)
{
    pthread_mutex_lock(&l->lock);
    bool durable = name_set_has(&l->durable, folder);
    pthread_mutex_unlock(&l->lock);
    return durable;
}

static status note_durable(struct local *l, const char *folder, struct error *err)
{
    pthread_mutex_lock(&l->lock);
    if (l->durable.count >= DURABLE_MOST)
        name_set_clear(&l->durable);
    status s = name_set_add(&l->durable, folder, err);
    pthread_mutex_unlock(&l->lock);
    return s;
}

/* A folder that is there already may be the work of a process that was killed before it could sync the name. */
static status make_level(struct local *l, const char *folder, struct error *err)
{
    char outer[STORAGE_NAME_MOST + 1];
    if (is_durable(l, folder))
        return OK;
    const char *name = local_split(folder, outer);
    int parent = local_open(l, outer, O_PATH | O_DIRECTORY, 0);
    if (parent < 0)
        return local_error(l, errno, "open the folder", outer, err);
    int reason = mkdirat(parent, name, 0777) == 0 ? 0 : errno;
    file_close(parent);
    if (reason != 0 && reason != EEXIST)
        return local_error(l, reason, "create the folder", folder, err);
    status s = local_folder_sync(l, outer, err);
    return s == OK ? note_durable(l, folder, err) : s;
}

static status make_levels(struct local *l, const char *folder, struct error *err)
{
    char part[STORAGE_NAME_MOST + 1];
    size_t n = strlen(folder);
    status s = refuse_broken(l, folder, err);
    memcpy(part, folder, n + 1);
    for (size_t i = 1; s == OK && i <= n; i++)
        if (part[i] == '/' || part[i] == '\0') {
            part[i] = '\0';
            s = make_level(l, part, err);
            part[i] = folder[i];
        }
    return s;
}

status local_folder_make(struct local *l, const char *folder, int *fd, struct error *err)
{
    int opened = -1, reason = 0;
    for (int turn = 0; turn < 2; turn++) {
        status s = make_levels(l, folder, err);
        if (s != OK)
            return s;
        opened = local_open(l, folder, O_RDONLY | O_DIRECTORY, 0);
        reason = errno;
        if (opened >= 0 || reason != ENOENT)
            break;
        local_folder_forget(l, ""); /* somebody else removed it: what is known is not true any more */
    }
    if (opened < 0 && reason == ENOTDIR)
        return error_set(err, ERR_INVALID, "cannot use '%s/%s' as a folder: it is a file", l->path, folder);
    if (opened < 0)
        return local_error(l, reason, "open the folder", folder, err);
    *fd = opened;
    return OK;
}

void local_folder_forget(struct local *l, const char *folder)
{
    size_t n = strlen(folder);
    pthread_mutex_lock(&l->lock);
    for (size_t i = l->durable.count; i-- > 0;) {
        const char *known = l->durable.names[i];
        if (n == 0 || (strncmp(known, folder, n) == 0 && (known[n] == '/' || known[n] == '\0')))
            name_set_drop(&l->durable, known);
    }
    pthread_mutex_unlock(&l->lock);
}
