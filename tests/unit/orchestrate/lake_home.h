/* A home with a lake on disk: what runs stage, what stands where, copies of all of it, and a lake that dies. */
#ifndef TESTS_UNIT_LAKE_HOME_H
#define TESTS_UNIT_LAKE_HOME_H

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/storage.h"
#include "unit/store/lake_books.h"

struct home {
    char path[160];
    struct store *store;
    struct db *db; /* the writing connection; NULL while lent out */
    struct storage lake;
};

static inline void home_open(struct home *h, const char *name)
{
    struct error err;
    char path[200];
    *h = (struct home){0};
    snprintf(h->path, sizeof h->path, "%s/%s", root, name);
    snprintf(path, sizeof path, "%s/lake", h->path);
    (void)mkdir(h->path, 0777);
    (void)mkdir(path, 0777);
    assert_ok(storage_local(&h->lake, path, &err), err);
    snprintf(path, sizeof path, "%s/flowforge.db", h->path);
    assert_ok(store_open(&h->store, path, &err), err);
    assert_ok(store_writer(h->store, &h->db, &err), err);
}

static inline void home_lend(struct home *h)
{
    store_give_back(h->store, h->db);
    h->db = NULL;
}

static inline void home_take_back(struct home *h)
{
    struct error err;
    assert_ok(store_writer(h->store, &h->db, &err), err);
}

static inline void home_close(struct home *h)
{
    store_give_back(h->store, h->db);
    store_close(h->store);
    storage_release(&h->lake);
}

/* A closed home. */
static inline void home_copy(const char *from, const char *to)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf %s/%s && cp -a %s/%s %s/%s", root, to, root, from, root, to);
    assert_int_equal(system(command), 0);
}

static inline void stage(struct home *h, const char *run, const char *staged)
{
    struct error err;
    struct byte_sink sink = {0};
    char name[200];
    snprintf(name, sizeof name, ".staging/%s/%s", run, staged);
    assert_ok(h->lake.ops->stage(h->lake.self, name, &sink, &err), err);
    assert_ok(byte_sink_write(&sink, name, strlen(name), &err), err);
    assert_ok(byte_sink_finish(&sink, &err), err);
    byte_sink_close(&sink);
}

static inline void stage_result(struct home *h, const char *run, const char *result_text)
{
    json_t *result = json_of(result_text), *file;
    size_t i;
    json_array_foreach(json_object_get(result, "files"), i, file) stage(h, run, json_text(file, "staged", ""));
    json_decref(result);
}

static inline status add_object(void *self, const struct storage_object *object, struct error *err)
{
    return buf_printf(self, err, "%s\n", object->name);
}

/* Names of all files of the lake, with what is staged; to be freed. */
static inline char *lake_names(struct home *h)
{
    struct error err;
    struct buf names = {0};
    assert_ok(h->lake.ops->list(h->lake.self, "", add_object, &names, &err), err);
    assert_ok(h->lake.ops->folders(h->lake.self, ".staging", add_object, &names, &err), err);
    assert_ok(h->lake.ops->list(h->lake.self, ".staging/", add_object, &names, &err), err);
    assert_ok(buf_append(&names, "", 1, &err), err);
    return (char *)names.data;
}

static inline bool lake_has(struct home *h, const char *name)
{
    struct error err;
    bool there = false;
    assert_ok(h->lake.ops->exists(h->lake.self, name, &there, &err), err);
    return there;
}

static inline void assert_text(struct db *db, const char *query, const char *expected)
{
    struct error err;
    json_t *rows = NULL;
    static const struct record_column columns[] = {{"text", COLUMN_TEXT}};
    assert_ok(record_query(db, columns, 1, query, DB_NO_BINDS, &rows, &err), err);
    const char *got = json_text(json_array_get(rows, 0), "text", "(nothing)");
    if (strcmp(got, expected) != 0)
        fail_msg("%s: '%s' instead of '%s'", query, got, expected);
    json_decref(rows);
}

/* A storage over another whose n-th changing call (from 0) fails, or ends the process. A publish is as many calls as it
 * has moves, and one after them. */
struct dying {
    struct storage_ops ops;
    struct storage inner;
    int calls_left;
    enum { DIE_ONCE, DIE_FOR_GOOD, DIE_KILLED } how;
};

static inline bool dies(struct dying *d)
{
    int left = d->calls_left--;
    if (left == 0 && d->how == DIE_KILLED)
        _exit(99);
    return left == 0 || (left < 0 && d->how == DIE_FOR_GOOD);
}

static inline status dying_error(struct error *err)
{
    return error_set(err, ERR_IO, "the disk is gone");
}

static inline status dying_list(void *self, const char *prefix, storage_visitor *visit, void *context,
                                struct error *err)
{
    struct dying *d = self;
    return d->inner.ops->list(d->inner.self, prefix, visit, context, err);
}

static inline status dying_folders(void *self, const char *folder, storage_visitor *visit, void *context,
                                   struct error *err)
{
    struct dying *d = self;
    return d->inner.ops->folders(d->inner.self, folder, visit, context, err);
}

static inline status dying_publish(void *self, const struct storage_move *moves, size_t count, struct error *err)
{
    struct dying *d = self;
    for (size_t i = 0; i < count; i++) {
        status s = dies(d) ? dying_error(err) : d->inner.ops->publish(d->inner.self, &moves[i], 1, err);
        if (s != OK)
            return s;
    }
    return dies(d) ? dying_error(err) : OK;
}

static inline status dying_remove(void *self, const char *name, struct error *err)
{
    struct dying *d = self;
    return dies(d) ? dying_error(err) : d->inner.ops->remove(d->inner.self, name, err);
}

static inline status dying_discard(void *self, const char *prefix, struct error *err)
{
    struct dying *d = self;
    return dies(d) ? dying_error(err) : d->inner.ops->discard(d->inner.self, prefix, err);
}

static inline status dying_exists(void *self, const char *name, bool *exists, struct error *err)
{
    struct dying *d = self;
    return d->inner.ops->exists(d->inner.self, name, exists, err);
}

static inline struct storage dying_lake(struct dying *d, const struct home *h, int calls, int how)
{
    *d = (struct dying){.inner = h->lake, .calls_left = calls, .how = how};
    d->ops = (struct storage_ops){.list = dying_list,
                                  .folders = dying_folders,
                                  .publish = dying_publish,
                                  .remove = dying_remove,
                                  .discard = dying_discard,
                                  .exists = dying_exists};
    return (struct storage){&d->ops, d};
}

#endif
