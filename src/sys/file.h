/* Files as bytes: the edge to the operating system. Interrupted and short calls are continued; every error names the
 * path and the reason. Descriptors are close-on-exec. */
#ifndef FF_SYS_FILE_H
#define FF_SYS_FILE_H

#include <sys/types.h>

#include "base/byte_stream.h"

#define FILE_SIZE_UNKNOWN UINT64_MAX

/* A regular file, pipe or device for reading once from its start; "-" is standard input (from where it stands, never
 * closed). *size: bytes to come as known now, FILE_SIZE_UNKNOWN for a pipe or device. ERR_INVALID for a directory. */
status file_source_open(struct byte_source *source, const char *path, uint64_t *size, struct error *err) MUST_USE;
/* The same for a descriptor that is open for reading; it is the source's from now on, also after an error. */
status file_source_take(struct byte_source *source, int fd, const char *path, uint64_t *size,
                        struct error *err) MUST_USE;

enum file_sink_flags {
    FILE_NEW = 1,    /* ERR_EXISTS when the path exists; without it an existing file is emptied */
    FILE_APPEND = 2, /* go on at the end of an existing file; ERR_NOT_FOUND when there is none */
    FILE_SYNC = 4    /* finish makes the contents durable (fsync) */
};

/* Small writes are collected, large ones go straight to the file. finish writes what is left, syncs if asked and closes
 * the file, so that an error that shows only then is still seen. The first failure is remembered: after it every
 * write and finish fails with it (a second fsync after a failed one would succeed without the data being there).
 * close without finish leaves the file as it is. */
status file_sink_create(struct byte_sink *sink, const char *path, unsigned flags, struct error *err) MUST_USE;
/* The same for a descriptor that is open for writing; it is the sink's from now on, also after an error. Of the flags
 * only FILE_SYNC has a meaning. */
status file_sink_take(struct byte_sink *sink, int fd, const char *path, unsigned flags, struct error *err) MUST_USE;

/* Loops over the system calls; `path` is for the message only. */
status file_write_all(int fd, const void *bytes, size_t n, const char *path, struct error *err) MUST_USE;
status file_pwrite_all(int fd, const void *bytes, size_t n, uint64_t at, const char *path, struct error *err) MUST_USE;
/* Exactly n bytes; ERR_IO when the file ends before. */
status file_pread_all(int fd, void *into, size_t n, uint64_t at, const char *path, struct error *err) MUST_USE;
status file_fsync(int fd, const char *path, struct error *err) MUST_USE;

/* open(2), close-on-exec, continued when a signal interrupts it; -1 and errno on failure. */
int file_open(const char *path, int flags, unsigned mode) MUST_USE;
void file_close(int fd);

/* A file in `dir` that has no name and goes away with its descriptor. */
status file_open_anonymous(const char *dir, int *fd, struct error *err) MUST_USE;
/* Give the blocks of a range back to the file system where it can do that; the range reads as zeros afterwards. */
void file_punch_hole(int fd, uint64_t at, uint64_t n);

enum file_rename_how {
    FILE_RENAME_OVER,    /* rename(2): replaces a file or an empty directory */
    FILE_RENAME_NEW,     /* atomically ERR_EXISTS when `to` exists; never replaces */
    FILE_RENAME_EXCHANGE /* both exist and trade places in one step; ERR_UNSUPPORTED where the file system cannot */
};
status file_rename(const char *from, const char *to, enum file_rename_how how, struct error *err) MUST_USE;

#endif
