#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/local_folder.h"
#include "sys/dir.h"
#include "sys/file.h"

#define MOVE_TURNS 8

static status local_open_source(void *self, const char *name, struct byte_source *source, uint64_t *size,
                                struct error *err)
{
    struct local *l = self;
    status s = storage_check_name(name, err);
    if (s != OK)
        return s;
    struct stat st;
    int fd = local_open(l, name, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0); /* a pipe would wait for its writer */
    if (fd < 0)
        return local_error(l, errno, "open", name, err);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return file_source_take(source, fd, name, size, err);
    file_close(fd);
    return error_set(err, ERR_INVALID, "cannot read '%s/%s': it is no regular file", l->path, name);
}

/* A staged object: durable once its sink is finished, its name included. */
struct staged {
    struct byte_sink file;
    struct local *local;
    char folder[];
};

static status staged_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct staged *st = self;
    return byte_sink_write(&st->file, bytes, n, err);
}

static status staged_finish(void *self, struct error *err)
{
    struct staged *st = self;
    status s = byte_sink_finish(&st->file, err);
    return s == OK ? local_folder_sync(st->local, st->folder, err) : s;
}

static void staged_close(void *self)
{
    struct staged *st = self;
    byte_sink_close(&st->file);
    free(st);
}

static const struct byte_sink_ops staged_ops = {.write = staged_write, .finish = staged_finish, .close = staged_close};

static status local_stage(void *self, const char *name, struct byte_sink *sink, struct error *err)
{
    struct local *l = self;
    char folder[STORAGE_NAME_MOST + 1];
    struct staged *staged = NULL;
    int parent = -1, fd;
    status s = storage_check_name(name, err);
    if (s != OK)
        return s;
    if (!storage_name_is_hidden(name))
        return error_set(err, ERR_INVALID, "'%s' cannot be staged: its name is not hidden", name);
    const char *last = local_split(name, folder);
    s = local_folder_make(l, folder, &parent, err);
    if (s != OK)
        return s;
    staged = malloc(sizeof *staged + strlen(folder) + 1);
    if (!staged) {
        s = error_no_memory(err, sizeof *staged);
        goto out;
    }
    *staged = (struct staged){.local = l};
    memcpy(staged->folder, folder, strlen(folder) + 1);
    fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    s = fd < 0 ? local_error(l, errno, "create", name, err) : file_sink_take(&staged->file, fd, name, FILE_SYNC, err);
    if (s == OK) {
        *sink = (struct byte_sink){&staged_ops, staged};
        staged = NULL;
    }
out:
    free(staged);
    file_close(parent);
    return s;
}

/* For file systems without RENAME_NOREPLACE: a hard link never replaces either. */
static int link_new(int from, const char *old, int to, const char *new)
{
    return linkat(from, old, to, new, 0) == 0 ? unlinkat(from, old, 0) : -1;
}

/* Both names are the same file: link_new was interrupted between its steps. */
static bool is_same_file(int from, const char *old, int to, const char *new)
{
    struct stat a, b;
    return fstatat(from, old, &a, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(to, new, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int rename_new(int from, const char *old, int to, const char *new)
{
    int done = renameat2(from, old, to, new, RENAME_NOREPLACE);
    if (done != 0 && (errno == EINVAL || errno == ENOSYS))
        done = link_new(from, old, to, new);
    if (done != 0 && errno == EEXIST && is_same_file(from, old, to, new))
        done = unlinkat(from, old, 0);
    return done;
}

/* An object that has its final name already (a process was killed in here): the name is given anew, so that there is
 * something to sync. Otherwise a sync that failed then would be a success now, without the name being on disk. */
static status renew_name(struct local *l, const struct storage_move *move, int to, const char *last, struct error *err)
{
    char folder[STORAGE_NAME_MOST + 1];
    int from;
    struct stat st;
    if (fstatat(to, last, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return local_error(l, errno, "look at", move->name, err);
        return error_set(err, ERR_NOT_FOUND, "'%s/%s' is lost: it is neither there nor staged as '%s'", l->path,
                         move->name, move->staged);
    }
    const char *staged = local_split(move->staged, folder);
    status s = local_folder_make(l, folder, &from, err);
    if (s != OK)
        return s;
    if (rename_new(to, last, from, staged) != 0 || rename_new(from, staged, to, last) != 0)
        s = local_error(l, errno, "give its final name to", move->staged, err);
    file_close(from);
    return s;
}

/* *vanished: the folder was removed before the file came into it, as housekeeping does with an empty one. */
static status try_move(struct local *l, const struct storage_move *move, const char *folder, const char *last,
                       bool *vanished, struct error *err)
{
    char from_folder[STORAGE_NAME_MOST + 1];
    struct stat st;
    int to, reason = ENOENT;
    status s = local_folder_make(l, folder, &to, err);
    if (s != OK)
        return s;
    const char *staged = local_split(move->staged, from_folder);
    int from = local_open(l, from_folder, O_PATH | O_DIRECTORY, 0);
    if (from >= 0)
        reason = rename_new(from, staged, to, last) == 0 ? 0 : errno;
    else
        reason = errno;
    *vanished = reason == ENOENT && from >= 0 && fstatat(from, staged, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (*vanished)
        s = error_set(err, ERR_IO, "the folder '%s/%s' is removed again and again", l->path, folder);
    else if (reason == ENOENT)
        s = renew_name(l, move, to, last, err);
    else if (reason != 0)
        s = local_error(l, reason, "give its final name to", move->name, err);
    if (from >= 0)
        file_close(from);
    file_close(to);
    return s;
}

static status move_one(struct local *l, const struct storage_move *move, const char *folder, const char *last,
                       struct error *err)
{
    bool vanished = false;
    status s = try_move(l, move, folder, last, &vanished, err);
    for (int turn = 1; vanished && turn < MOVE_TURNS; turn++) {
        local_folder_forget(l, ""); /* it is to be made durable anew */
        s = try_move(l, move, folder, last, &vanished, err);
    }
    return s;
}

static status local_publish(void *self, const struct storage_move *moves, size_t count, struct error *err)
{
    struct local *l = self;
    struct name_set folders = {0};
    char folder[STORAGE_NAME_MOST + 1];
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        s = storage_check_name(moves[i].name, err);
        if (s == OK)
            s = storage_check_name(moves[i].staged, err);
    }
    for (size_t i = 0; s == OK && i < count; i++) {
        const char *last = local_split(moves[i].name, folder);
        s = name_set_add(&folders, folder, err);
        if (s == OK)
            s = move_one(l, &moves[i], folder, last, err);
    }
    for (size_t i = 0; s == OK && i < folders.count; i++)
        s = local_folder_sync(l, folders.names[i], err);
    name_set_release(&folders);
    return s;
}

/* Folders that have become empty, but not the first segment. */
static void remove_empty(struct local *l, char *folder)
{
    char outer[STORAGE_NAME_MOST + 1];
    while (strchr(folder, '/')) {
        const char *last = local_split(folder, outer);
        int parent = local_open(l, outer, O_PATH | O_DIRECTORY, 0);
        bool gone = parent >= 0 && unlinkat(parent, last, AT_REMOVEDIR) == 0;
        if (parent >= 0)
            file_close(parent);
        if (!gone)
            return;
        local_folder_forget(l, folder);
        memcpy(folder, outer, strlen(outer) + 1);
    }
}

static status local_remove(void *self, const char *name, struct error *err)
{
    struct local *l = self;
    char folder[STORAGE_NAME_MOST + 1];
    status s = storage_check_name(name, err);
    if (s != OK)
        return s;
    const char *last = local_split(name, folder);
    int parent = local_open(l, folder, O_PATH | O_DIRECTORY, 0);
    if (parent < 0)
        return errno == ENOENT ? OK : local_error(l, errno, "remove", name, err);
    if (unlinkat(parent, last, 0) != 0 && errno != ENOENT)
        s = local_error(l, errno, "remove", name, err);
    file_close(parent);
    if (s == OK)
        remove_empty(l, folder);
    return s;
}

static status local_discard(void *self, const char *prefix, struct error *err)
{
    struct local *l = self;
    char path[2 * STORAGE_NAME_MOST];
    status s = storage_check_name(prefix, err);
    if (s == OK && !storage_name_is_hidden(prefix))
        s = error_set(err, ERR_INVALID, "'%s' is not discarded: its name is not hidden", prefix);
    int n = snprintf(path, sizeof path, "%s/%s", l->path, prefix);
    if (s == OK && (n < 0 || (size_t)n >= sizeof path))
        s = error_set(err, ERR_LIMIT, "the path '%.200s...' is too long", path);
    if (s != OK)
        return s;
    local_folder_forget(l, prefix);
    return dir_remove_tree(path, err);
}

static status local_exists(void *self, const char *name, bool *exists, struct error *err)
{
    struct local *l = self;
    struct stat st;
    status s = storage_check_name(name, err);
    if (s != OK)
        return s;
    int fd = local_open(l, name, O_PATH, 0);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return local_error(l, errno, "look at", name, err);
    *exists = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (fd >= 0)
        file_close(fd);
    return OK;
}

static void local_release(void *self)
{
    struct local *l = self;
    name_set_release(&l->durable);
    name_set_release(&l->broken);
    pthread_mutex_destroy(&l->lock);
    if (l->root >= 0)
        file_close(l->root);
    free(l->path);
    free(l);
}

static const struct storage_ops local_ops = {.list = local_list,
                                             .folders = local_folders,
                                             .open = local_open_source,
                                             .stage = local_stage,
                                             .publish = local_publish,
                                             .remove = local_remove,
                                             .discard = local_discard,
                                             .exists = local_exists,
                                             .release = local_release};

status storage_local(struct storage *storage, const char *root, struct error *err)
{
    struct local *l = calloc(1, sizeof *l);
    if (!l)
        return error_no_memory(err, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    l->root = file_open(root, O_RDONLY | O_DIRECTORY, 0);
    l->path = strdup(root);
    status s = OK;
    if (l->root < 0)
        s = error_set_errno(err, errno, "cannot open the folder '%s'", root);
    else if (!l->path)
        s = error_no_memory(err, strlen(root) + 1);
    if (s == OK)
        *storage = (struct storage){&local_ops, l};
    else
        local_release(l);
    return s;
}
