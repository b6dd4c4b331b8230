#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

/* Beyond this a call is split, so that a signal or an error is not held back by gigabytes. */
#define WRITE_PIECE ((size_t)8 << 20)

/* A non-blocking descriptor (an inherited pipe may be one) has nothing for us now: wait instead of spinning. */
static void wait_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    (void)poll(&p, 1, -1);
}

status file_write_all(int fd, const void *bytes, size_t n, const char *path, struct error *err)
{
    const uint8_t *at = bytes;
    while (n) {
        ssize_t done = write(fd, at, n < WRITE_PIECE ? n : WRITE_PIECE);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) {
            wait_ready(fd, POLLOUT);
            continue;
        }
        if (done < 0)
            return error_set_errno(err, errno, "cannot write '%s'", path);
        at += done;
        n -= (size_t)done;
    }
    return OK;
}

status file_pwrite_all(int fd, const void *bytes, size_t n, uint64_t at, const char *path, struct error *err)
{
    const uint8_t *from = bytes;
    while (n) {
        ssize_t done = pwrite(fd, from, n < WRITE_PIECE ? n : WRITE_PIECE, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(err, errno, "cannot write '%s'", path);
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return OK;
}

status file_pread_all(int fd, void *into, size_t n, uint64_t at, const char *path, struct error *err)
{
    uint8_t *to = into;
    while (n) {
        ssize_t done = pread(fd, to, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set_errno(err, errno, "cannot read '%s'", path);
        if (done == 0)
            return error_set(err, ERR_IO, "cannot read '%s': it ends %zu bytes too early", path, n);
        to += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return OK;
}

status file_fsync(int fd, const char *path, struct error *err)
{
    while (fsync(fd) != 0)
        if (errno != EINTR)
            return error_set_errno(err, errno, "cannot make '%s' durable", path);
    return OK;
}

void file_close(int fd)
{
    close(fd);
}

struct file_source {
    int fd;
    bool owned; /* standard input is not */
    char path[];
};

static status source_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct file_source *f = self;
    for (;;) {
        ssize_t n = read(f->fd, into, cap);
        if (n >= 0) {
            *got = (size_t)n;
            return OK;
        }
        if (errno == EAGAIN)
            wait_ready(f->fd, POLLIN);
        else if (errno != EINTR)
            return error_set_errno(err, errno, "cannot read '%s'", f->path);
    }
}

static void source_close(void *self)
{
    struct file_source *f = self;
    if (f->owned)
        close(f->fd);
    free(f);
}

static const struct byte_source_ops source_ops = {.read = source_read, .close = source_close};

int file_open(const char *path, int flags, unsigned mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static uint64_t bytes_to_come(int fd, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return FILE_SIZE_UNKNOWN;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at > 0 && at <= st->st_size ? (uint64_t)(st->st_size - at) : (uint64_t)st->st_size;
}

static status source_start(struct byte_source *source, int fd, bool owned, const char *name, uint64_t *size,
                           struct error *err)
{
    struct stat st;
    status s = OK;
    if (fstat(fd, &st) != 0)
        s = error_set_errno(err, errno, "cannot open '%s'", name);
    else if (S_ISDIR(st.st_mode))
        s = error_set(err, ERR_INVALID, "cannot read '%s': it is a directory", name);
    struct file_source *f = NULL;
    if (s == OK) {
        size_t bytes = sizeof *f + strlen(name) + 1;
        f = malloc(bytes);
        if (!f)
            s = error_no_memory(err, bytes);
    }
    if (s != OK) {
        if (owned)
            close(fd);
        return s;
    }
    f->fd = fd;
    f->owned = owned;
    memcpy(f->path, name, strlen(name) + 1);
    *size = bytes_to_come(fd, &st);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice: a pipe refuses it */
    *source = (struct byte_source){&source_ops, f};
    return OK;
}

status file_source_open(struct byte_source *source, const char *path, uint64_t *size, struct error *err)
{
    if (strcmp(path, "-") == 0)
        return source_start(source, STDIN_FILENO, false, "standard input", size, err);
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open '%s'", path);
    return source_start(source, fd, true, path, size, err);
}

status file_source_take(struct byte_source *source, int fd, const char *path, uint64_t *size, struct error *err)
{
    return source_start(source, fd, true, path, size, err);
}

#define SINK_BUFFER ((size_t)256 << 10)

struct file_sink {
    int fd; /* -1 once finished */
    bool sync;
    struct buf pending;
    struct error failure; /* the first one */
    char path[];
};

static status sink_remember(struct file_sink *f, status s, struct error *err)
{
    if (s != OK && f->failure.code == OK)
        f->failure = *err;
    return s;
}

static status sink_flush(struct file_sink *f, struct error *err)
{
    status s = file_write_all(f->fd, f->pending.data, f->pending.len, f->path, err);
    buf_clear(&f->pending);
    return s;
}

static status sink_put(struct file_sink *f, const uint8_t *bytes, size_t n, struct error *err)
{
    status s = OK;
    if (f->pending.len && n > SINK_BUFFER - f->pending.len)
        s = sink_flush(f, err);
    if (s == OK && n >= SINK_BUFFER)
        return file_write_all(f->fd, bytes, n, f->path, err);
    if (s == OK && !f->pending.cap)
        s = buf_reserve(&f->pending, SINK_BUFFER, err);
    return s == OK ? buf_append(&f->pending, bytes, n, err) : s;
}

static status sink_refuse(const struct file_sink *f, struct error *err)
{
    if (err)
        *err = f->failure;
    return f->failure.code;
}

static status sink_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct file_sink *f = self;
    struct error own;
    if (f->failure.code != OK)
        return sink_refuse(f, err);
    if (f->fd < 0)
        return error_set(err, ERR_INTERNAL, "'%s' was written to after it was finished", f->path);
    if (!err)
        err = &own;
    return sink_remember(f, sink_put(f, bytes, n, err), err);
}

static status sink_finish(void *self, struct error *err)
{
    struct file_sink *f = self;
    struct error own;
    if (f->failure.code != OK)
        return sink_refuse(f, err);
    if (f->fd < 0)
        return OK;
    if (!err)
        err = &own;
    status s = sink_flush(f, err);
    if (s == OK && f->sync)
        s = file_fsync(f->fd, f->path, err);
    /* Linux releases the descriptor even when close reports EINTR or a write error of a network file system. */
    int closed = close(f->fd);
    f->fd = -1;
    if (s == OK && closed != 0 && errno != EINTR)
        s = error_set_errno(err, errno, "cannot finish '%s'", f->path);
    return sink_remember(f, s, err);
}

static void sink_close(void *self)
{
    struct file_sink *f = self;
    if (f->fd >= 0)
        close(f->fd);
    buf_release(&f->pending);
    free(f);
}

static const struct byte_sink_ops sink_ops = {.write = sink_write, .finish = sink_finish, .close = sink_close};

status file_sink_take(struct byte_sink *sink, int fd, const char *path, unsigned flags, struct error *err)
{
    size_t bytes = sizeof(struct file_sink) + strlen(path) + 1;
    struct file_sink *f = calloc(1, bytes);
    if (!f) {
        close(fd);
        return error_no_memory(err, bytes);
    }
    memcpy(f->path, path, strlen(path) + 1);
    f->sync = flags & FILE_SYNC;
    f->fd = fd;
    *sink = (struct byte_sink){&sink_ops, f};
    return OK;
}

status file_sink_create(struct byte_sink *sink, const char *path, unsigned flags, struct error *err)
{
    int how = O_WRONLY;
    if (flags & FILE_APPEND)
        how |= O_APPEND;
    else
        how |= O_CREAT | (flags & FILE_NEW ? O_EXCL : O_TRUNC);
    int fd = file_open(path, how, 0666);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot %s '%s'", flags & FILE_APPEND ? "open" : "create", path);
    return file_sink_take(sink, fd, path, flags, err);
}

status file_open_anonymous(const char *dir, int *fd, struct error *err)
{
    *fd = file_open(dir, O_TMPFILE | O_RDWR, 0600);
    if (*fd >= 0)
        return OK;
    /* File systems without O_TMPFILE say EOPNOTSUPP, old kernels EISDIR: a name that is removed at once will do. */
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/.flowforge-XXXXXX", dir);
        if (n < 0 || (size_t)n >= sizeof path)
            return error_set_errno(err, ENAMETOOLONG, "cannot create a temporary file in '%s'", dir);
        *fd = mkostemp(path, O_CLOEXEC);
        if (*fd >= 0) {
            (void)unlink(path);
            return OK;
        }
    }
    return error_set_errno(err, errno, "cannot create a temporary file in '%s'", dir);
}

void file_punch_hole(int fd, uint64_t at, uint64_t n)
{
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n);
}

/* For file systems without RENAME_NOREPLACE: a hard link never replaces either. */
static int link_new(const char *from, const char *to)
{
    return link(from, to) == 0 ? unlink(from) : -1;
}

status file_rename(const char *from, const char *to, enum file_rename_how how, struct error *err)
{
    int done = -1;
    switch (how) {
    case FILE_RENAME_OVER:
        done = rename(from, to);
        break;
    case FILE_RENAME_NEW:
        done = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
        if (done != 0 && (errno == EINVAL || errno == ENOSYS))
            done = link_new(from, to);
        break;
    case FILE_RENAME_EXCHANGE:
        done = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
        if (done != 0 && (errno == EINVAL || errno == ENOSYS))
            return error_set(err, ERR_UNSUPPORTED,
                             "cannot replace '%s' in one step: its file system does not exchange names", to);
        break;
    }
    if (done == 0)
        return OK;
    if (errno == ENOTEMPTY)
        errno = EEXIST;
    return error_set_errno(err, errno, "cannot rename '%s' to '%s'", from, to);
}
