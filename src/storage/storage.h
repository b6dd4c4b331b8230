/* Named objects below one root: the lake, and places where sources lie. Backends: local (a folder), memory (for tests);
 * S3 comes with its own issue. Names are relative, '/'-separated, plain (storage_name_is_plain). */
#ifndef FF_STORAGE_STORAGE_H
#define FF_STORAGE_STORAGE_H

#include "base/byte_stream.h"
#include "base/str.h"

struct storage_object {
    const char *name; /* valid during the visit */
    uint64_t size;
    int64_t mtime_ns; /* 0: unknown */
    const char *etag; /* NULL: none */
};
typedef status storage_visitor(void *self, const struct storage_object *object, struct error *err);

/* One step of a publish: a staged object gets its final name. */
struct storage_move {
    const char *staged, *name;
};

struct storage_ops {
    /* Every object whose name begins with `prefix`, sorted by name; hidden ones (a segment that begins with '.') only
     * when the prefix is in one. A visitor's error ends the walk and is returned. */
    status (*list)(void *self, const char *prefix, storage_visitor *visit, void *context, struct error *err);
    /* The folders directly in `folder` ("": the root), hidden ones too, sorted; object->name is the full name, size 0.
     * A folder that is not there has none. */
    status (*folders)(void *self, const char *folder, storage_visitor *visit, void *context, struct error *err);
    status (*open)(void *self, const char *name, struct byte_source *source, uint64_t *size, struct error *err);
    /* A new object under a name that readers do not see yet (a segment begins with '.'); complete and durable after the
     * sink's finish. ERR_EXISTS when it is there. */
    status (*stage)(void *self, const char *name, struct byte_sink *sink, struct error *err);
    /* Give staged objects their final names and make the names durable, each once: an object that has its final name
     * and is not staged any more is done; one that is nowhere is ERR_NOT_FOUND; a name is never replaced (ERR_EXISTS).
     * After an error any number of them may have their final names. A folder that could not be made durable is
     * remembered: publishing below it is refused (ERR_IO) as long as this storage is open, because asking the system a
     * second time would report success without the names being on disk. */
    status (*publish)(void *self, const struct storage_move *moves, size_t count, struct error *err);
    /* No error when it is not there. Folders that hold nothing any more go, up to the first segment. */
    status (*remove)(void *self, const char *name, struct error *err);
    /* Everything below a staging prefix (ERR_INVALID when no segment of it begins with '.'). */
    status (*discard)(void *self, const char *prefix, struct error *err);
    status (*exists)(void *self, const char *name, bool *exists, struct error *err);
    void (*release)(void *self);
};

struct storage {
    const struct storage_ops *ops;
    void *self;
};

/* The folder must exist. Symbolic links that lead out of it are refused (openat2 RESOLVE_BENEATH; where the kernel has
 * not got it, every symbolic link is). One thread at a time publishes; the rest may be used by several. */
status storage_local(struct storage *storage, const char *root, struct error *err) MUST_USE;
/* One thread at a time. */
status storage_memory(struct storage *storage, struct error *err) MUST_USE;
void storage_release(struct storage *storage);

/* Relative, no empty, "." or ".." segment, no control byte, no backslash, at most 1024 bytes. */
#define STORAGE_NAME_MOST 1024
bool storage_name_is_plain(const char *name);
/* ERR_INVALID with the name when it is not plain. */
status storage_check_name(const char *name, struct error *err) MUST_USE;
/* Has it a segment that begins with '.'? */
bool storage_name_is_hidden(const char *name);

#endif
