/* Copies of whole files, by whatever is cheapest. */
#ifndef FF_SYS_FILE_COPY_H
#define FF_SYS_FILE_COPY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"

struct file_hash {
    uint64_t low, high; /* XXH3-128 of the contents */
};

struct file_copy_options {
    const char *from, *to; /* `to` must not exist; its folder must */
    uint64_t size;         /* what `from` is known as: ERR_CHANGED when it is something else, before or after */
    int64_t mtime_ns;
    bool resolved; /* `from` was resolved and allowed: ERR_DENIED when a link has come into it since */
    bool link;     /* a hard link will do: nobody ever writes to `from` again */
    bool hash;     /* the hash is needed, even if it costs reading the file */
    const atomic_bool *cancel;
};

/* A hard link if allowed, else a clone that shares the blocks, else a copy. *hashed tells whether *hash was made (a
 * copy always makes it). After an error `to` does not exist. The bytes are on their way to the disk, but durable only
 * after file_sync: what happens meanwhile costs no waiting. */
status file_copy(const struct file_copy_options *options, bool *hashed, struct file_hash *hash,
                 struct error *err) MUST_USE;
status file_sync(const char *path, struct error *err) MUST_USE;
status file_hash_of(const char *path, const atomic_bool *cancel, struct file_hash *hash, struct error *err) MUST_USE;

#endif
