#include "sys/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "sys/file.h"

#define COPY_BYTES (1u << 20)

static status read_some(int fd, void *into, const char *path, ssize_t *got, struct error *err)
{
    do
        *got = read(fd, into, COPY_BYTES);
    while (*got < 0 && errno == EINTR);
    return *got < 0 ? error_set_errno(err, errno, "cannot read %s", path) : OK;
}

/* From fd to its end; `to` < 0: only to hash it. */
static status stream(int fd, const char *from, int to, const char *to_path, const atomic_bool *cancel,
                     struct file_hash *hash, struct error *err)
{
    uint8_t *bytes = malloc(COPY_BYTES);
    XXH3_state_t *state = XXH3_createState();
    status s = bytes && state ? OK : error_no_memory(err, COPY_BYTES);
    if (s == OK)
        XXH3_128bits_reset(state);
    while (s == OK) {
        ssize_t got = 0;
        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) {
            s = error_set(err, ERR_CANCELLED, "cancelled");
            break;
        }
        s = read_some(fd, bytes, from, &got, err);
        if (s != OK || got == 0)
            break;
        XXH3_128bits_update(state, bytes, (size_t)got);
        if (to >= 0)
            s = file_write_all(to, bytes, (size_t)got, to_path, err);
    }
    if (s == OK) {
        XXH128_hash_t h = XXH3_128bits_digest(state);
        *hash = (struct file_hash){h.low64, h.high64};
    }
    XXH3_freeState(state);
    free(bytes);
    return s;
}

static status check_same(int fd, const struct file_copy_options *o, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set_errno(err, errno, "cannot look at %s", o->from);
    int64_t mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == o->size && mtime == o->mtime_ns)
        return OK;
    status s = error_set(err, ERR_CHANGED, "%s was changed while it was read", o->from);
    error_hint(err, "run again when nothing writes to it any more");
    return s;
}

/* What was opened has to lie where the path says: between the check of the path and its opening, a folder of it may
 * have become a link. */
static status check_path(int fd, const char *path, struct error *err)
{
    char link[40], real[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, real, sizeof real);
    if (n > 0 && (size_t)n < sizeof real && strlen(path) == (size_t)n && memcmp(real, path, (size_t)n) == 0)
        return OK;
    status s = error_set(err, ERR_DENIED, "%s has become a link to another place", path);
    error_hint(err, "links that lead out of the local roots are not followed");
    return s;
}

/* errno values by which a file system says that it cannot share blocks. */
static bool is_no_clone(int e)
{
    return e == EOPNOTSUPP || e == ENOTTY || e == EXDEV || e == EINVAL || e == ENOSYS || e == EPERM;
}

static status fill(int from, int to, const struct file_copy_options *o, bool *hashed, struct file_hash *hash,
                   struct error *err)
{
    *hashed = false;
    if (ioctl(to, FICLONE, from) != 0) {
        if (!is_no_clone(errno))
            return error_set_errno(err, errno, "cannot copy %s to %s", o->from, o->to);
        status s = stream(from, o->from, to, o->to, o->cancel, hash, err);
        *hashed = s == OK;
        return s;
    }
    return OK;
}

static status copy(int from, const struct file_copy_options *o, bool *hashed, struct file_hash *hash, struct error *err)
{
    int to = file_open(o->to, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (to < 0)
        return error_set_errno(err, errno, "cannot create %s", o->to);
    status s = fill(from, to, o, hashed, hash, err);
    if (s == OK)
        s = check_same(from, o, err);
    if (s == OK)
        (void)sync_file_range(to, 0, 0, SYNC_FILE_RANGE_WRITE); /* a start only: file_sync tells what came of it */
    file_close(to);
    if (s != OK)
        unlink(o->to);
    return s;
}

status file_copy(const struct file_copy_options *o, bool *hashed, struct file_hash *hash, struct error *err)
{
    int from = file_open(o->from, O_RDONLY | O_NONBLOCK, 0); /* a pipe in its place is not waited for */
    if (from < 0)
        return error_set_errno(err, errno, "cannot open %s", o->from);
    *hashed = false;
    status s = o->resolved ? check_path(from, o->from, err) : OK;
    if (s == OK)
        s = check_same(from, o, err);
    if (s == OK && (!o->link || link(o->from, o->to) != 0))
        s = o->link && errno == EEXIST ? error_set_errno(err, errno, "cannot create %s", o->to)
                                       : copy(from, o, hashed, hash, err);
    file_close(from);
    if (s == OK && o->hash && !*hashed) {
        s = file_hash_of(o->to, o->cancel, hash, err);
        *hashed = s == OK;
        if (s != OK)
            unlink(o->to);
    }
    return s;
}

status file_sync(const char *path, struct error *err)
{
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    status s = file_fsync(fd, path, err);
    file_close(fd);
    return s;
}

status file_hash_of(const char *path, const atomic_bool *cancel, struct file_hash *hash, struct error *err)
{
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    status s = stream(fd, path, -1, NULL, cancel, hash, err);
    file_close(fd);
    return s;
}
