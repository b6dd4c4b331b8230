/* Objects in memory, for tests of what stands on a storage. */
#include <stdlib.h>

#include "base/buf.h"
#include "storage/storage.h"

struct object {
    char *name;
    struct buf bytes;
};

struct memory {
    struct object *objects; /* sorted by name */
    size_t count, cap;
};

static size_t find(const struct memory *m, const char *name, bool *there)
{
    size_t i = 0;
    while (i < m->count && strcmp(m->objects[i].name, name) < 0)
        i++;
    *there = i < m->count && strcmp(m->objects[i].name, name) == 0;
    return i;
}

static void drop(struct memory *m, size_t at)
{
    free(m->objects[at].name);
    buf_release(&m->objects[at].bytes);
    m->count--;
    memmove(m->objects + at, m->objects + at + 1, (m->count - at) * sizeof *m->objects);
}

/* Takes the bytes over. */
static status put(struct memory *m, const char *name, struct buf *bytes, struct error *err)
{
    bool there;
    size_t at = find(m, name, &there);
    if (there)
        return error_set(err, ERR_EXISTS, "'%s' exists", name);
    if (m->count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 16;
        struct object *objects = realloc(m->objects, cap * sizeof *objects);
        if (!objects)
            return error_no_memory(err, cap * sizeof *objects);
        m->objects = objects;
        m->cap = cap;
    }
    char *copy = strdup(name);
    if (!copy)
        return error_no_memory(err, strlen(name) + 1);
    memmove(m->objects + at + 1, m->objects + at, (m->count - at) * sizeof *m->objects);
    m->objects[at] = (struct object){copy, *bytes};
    m->count++;
    *bytes = (struct buf){0};
    return OK;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static status memory_list(void *self, const char *prefix, storage_visitor *visit, void *context, struct error *err)
{
    struct memory *m = self;
    bool hidden = storage_name_is_hidden(prefix);
    status s = OK;
    for (size_t i = 0; s == OK && i < m->count; i++) {
        const struct object *o = &m->objects[i];
        if (!begins(o->name, prefix) || (!hidden && storage_name_is_hidden(o->name)))
            continue;
        struct storage_object object = {.name = o->name, .size = o->bytes.len};
        s = visit(context, &object, err);
    }
    return s;
}

static status memory_folders(void *self, const char *folder, storage_visitor *visit, void *context, struct error *err)
{
    struct memory *m = self;
    char last[STORAGE_NAME_MOST + 1] = "";
    size_t n = strlen(folder);
    status s = OK;
    for (size_t i = 0; s == OK && i < m->count; i++) {
        const char *name = m->objects[i].name;
        if (!begins(name, folder) || (n && name[n] != '/'))
            continue;
        size_t from = n ? n + 1 : 0;
        const char *slash = strchr(name + from, '/');
        size_t length = slash ? (size_t)(slash - name) : 0;
        if (!slash || (strlen(last) == length && memcmp(last, name, length) == 0))
            continue;
        memcpy(last, name, length);
        last[length] = '\0';
        struct storage_object object = {.name = last};
        s = visit(context, &object, err);
    }
    return s;
}

struct memory_source {
    struct byte_source bytes;
    struct buf copy; /* the object may go while it is read, as a file may */
};

static status source_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct memory_source *source = self;
    return byte_source_read(&source->bytes, into, cap, got, err);
}

static void source_close(void *self)
{
    struct memory_source *source = self;
    byte_source_close(&source->bytes);
    buf_release(&source->copy);
    free(source);
}

static const struct byte_source_ops source_ops = {.read = source_read, .close = source_close};

static status memory_open(void *self, const char *name, struct byte_source *source, uint64_t *size, struct error *err)
{
    struct memory *m = self;
    bool there;
    size_t at = find(m, name, &there);
    if (!there)
        return error_set(err, ERR_NOT_FOUND, "there is no '%s'", name);
    struct memory_source *own = calloc(1, sizeof *own);
    if (!own)
        return error_no_memory(err, sizeof *own);
    const struct buf *bytes = &m->objects[at].bytes;
    status s = buf_append(&own->copy, bytes->data, bytes->len, err);
    if (s == OK)
        s = byte_source_memory(&own->bytes, own->copy.data, own->copy.len, err);
    if (s != OK) {
        source_close(own);
        return s;
    }
    *size = bytes->len;
    *source = (struct byte_source){&source_ops, own};
    return OK;
}

struct memory_sink {
    struct memory *memory;
    struct buf bytes;
    char name[];
};

static status sink_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct memory_sink *sink = self;
    return buf_append(&sink->bytes, bytes, n, err);
}

static status sink_finish(void *self, struct error *err)
{
    struct memory_sink *sink = self;
    return put(sink->memory, sink->name, &sink->bytes, err);
}

static void sink_close(void *self)
{
    struct memory_sink *sink = self;
    buf_release(&sink->bytes);
    free(sink);
}

static const struct byte_sink_ops sink_ops = {.write = sink_write, .finish = sink_finish, .close = sink_close};

static status memory_stage(void *self, const char *name, struct byte_sink *sink, struct error *err)
{
    struct memory *m = self;
    bool there;
    status s = storage_check_name(name, err);
    if (s != OK)
        return s;
    if (!storage_name_is_hidden(name))
        return error_set(err, ERR_INVALID, "'%s' cannot be staged: its name is not hidden", name);
    (void)find(m, name, &there);
    if (there)
        return error_set(err, ERR_EXISTS, "'%s' exists", name);
    struct memory_sink *own = calloc(1, sizeof *own + strlen(name) + 1);
    if (!own)
        return error_no_memory(err, sizeof *own);
    own->memory = m;
    memcpy(own->name, name, strlen(name) + 1);
    *sink = (struct byte_sink){&sink_ops, own};
    return OK;
}

static status memory_publish(void *self, const struct storage_move *moves, size_t count, struct error *err)
{
    struct memory *m = self;
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++) {
        bool staged, named;
        s = storage_check_name(moves[i].name, err);
        if (s == OK)
            s = storage_check_name(moves[i].staged, err);
        size_t from = find(m, moves[i].staged, &staged);
        (void)find(m, moves[i].name, &named);
        if (s != OK || (named && !staged))
            continue;
        if (named)
            s = error_set(err, ERR_EXISTS, "'%s' exists", moves[i].name);
        else if (!staged)
            s = error_set(err, ERR_NOT_FOUND, "'%s' is lost: it is neither there nor staged as '%s'", moves[i].name,
                          moves[i].staged);
        else
            s = put(m, moves[i].name, &m->objects[from].bytes, err);
        if (s == OK)
            drop(m, find(m, moves[i].staged, &staged));
    }
    return s;
}

static status memory_remove(void *self, const char *name, struct error *err)
{
    struct memory *m = self;
    bool there;
    status s = storage_check_name(name, err);
    size_t at = find(m, name, &there);
    if (s == OK && there)
        drop(m, at);
    return s;
}

static status memory_discard(void *self, const char *prefix, struct error *err)
{
    struct memory *m = self;
    size_t n = strlen(prefix);
    status s = storage_check_name(prefix, err);
    if (s == OK && !storage_name_is_hidden(prefix))
        s = error_set(err, ERR_INVALID, "'%s' is not discarded: its name is not hidden", prefix);
    for (size_t i = m->count; s == OK && i-- > 0;)
        if (begins(m->objects[i].name, prefix) && (m->objects[i].name[n] == '/' || m->objects[i].name[n] == '\0'))
            drop(m, i);
    return s;
}

static status memory_exists(void *self, const char *name, bool *exists, struct error *err)
{
    status s = storage_check_name(name, err);
    if (s == OK)
        (void)find(self, name, exists);
    return s;
}

static void memory_release(void *self)
{
    struct memory *m = self;
    while (m->count)
        drop(m, m->count - 1);
    free(m->objects);
    free(m);
}

static const struct storage_ops memory_ops = {.list = memory_list,
                                              .folders = memory_folders,
                                              .open = memory_open,
                                              .stage = memory_stage,
                                              .publish = memory_publish,
                                              .remove = memory_remove,
                                              .discard = memory_discard,
                                              .exists = memory_exists,
                                              .release = memory_release};

status storage_memory(struct storage *storage, struct error *err)
{
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return error_no_memory(err, sizeof *m);
    *storage = (struct storage){&memory_ops, m};
    return OK;
}
