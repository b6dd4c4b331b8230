#include "orchestrate/housekeeping.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "store/store_lake.h"
#include "sys/id.h"
#include "sys/path.h"

#define BATCH 256 /* files between two transactions */
#define DAY_SECONDS 86400.0

struct housekeeping {
    struct store *store;
    struct storage *lake;
    const struct housekeeping_options *options;
    struct housekeeping_report report;
};

static bool is_stopped(const struct housekeeping *h)
{
    return h->options->stop && atomic_load(h->options->stop);
}

static status expire_landing(struct housekeeping *h, struct error *err)
{
    struct db *db = NULL;
    int64_t count = 0;
    status s = store_writer(h->store, &db, err);
    if (s == OK)
        s = landing_expire(db, h->options->now, &count, err);
    store_give_back(h->store, db);
    h->report.landing_expired = (size_t)count;
    return s;
}

static status list_garbage(struct housekeeping *h, int64_t after, json_t **rows, struct error *err)
{
    struct db *db = NULL;
    int64_t until = h->options->now - (int64_t)(h->options->grace_seconds * 1e6);
    status s = store_reader(h->store, &db, err);
    if (s == OK)
        s = garbage_list(db, until, after, BATCH, rows, err);
    store_give_back(h->store, db);
    return s;
}

static status forget(struct housekeeping *h, const int64_t *ids, size_t count, struct error *err)
{
    struct db *db = NULL;
    if (count == 0)
        return OK;
    status s = store_writer(h->store, &db, err);
    if (s == OK)
        s = db_begin(db, err);
    for (size_t i = 0; s == OK && i < count; i++)
        s = garbage_forget(db, ids[i], err);
    if (s == OK)
        s = db_commit(db, err);
    store_give_back(h->store, db);
    return s;
}

/* Files first, their rows then: a kill in between leaves rows whose files are gone, which the next time forgets. */
static status collect_batch(struct housekeeping *h, int64_t *after, bool *more, struct error *err)
{
    json_t *rows = NULL, *row;
    int64_t gone[BATCH];
    size_t count = 0, i;
    status first = list_garbage(h, *after, &rows, err);
    if (first != OK)
        return first;
    *more = json_array_size(rows) == BATCH;
    json_array_foreach(rows, i, row)
    {
        struct error own = {0};
        if (is_stopped(h))
            break;
        *after = json_int(row, "id", 0);
        status s = h->lake->ops->remove(h->lake->self, json_text(row, "path", ""), &own);
        if (s == OK)
            gone[count++] = *after;
        else if (first == OK && err)
            *err = own;
        if (first == OK)
            first = s;
    }
    json_decref(rows);
    struct error own;
    status s = forget(h, gone, count, &own);
    if (s == OK)
        h->report.files_removed += count;
    else if (first == OK && err)
        *err = own;
    return first != OK ? first : s;
}

static status collect_garbage(struct housekeeping *h, struct error *err)
{
    int64_t after = 0;
    bool more = true;
    status first = OK;
    while (more && !is_stopped(h)) {
        struct error own;
        more = false;
        status s = collect_batch(h, &after, &more, &own);
        if (s != OK && first == OK) {
            first = s;
            if (err)
                *err = own;
        }
    }
    return first;
}

/* Bytes still come in: a large file over a slow line may take longer than a day. */
static bool is_alive(const struct housekeeping *h, const char *id, double seconds)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s.part", h->options->uploads, id);
    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0 && path_age(path) < seconds;
}

static status remove_upload(struct housekeeping *h, struct db *db, const char *id, struct error *err)
{
    static const char *const suffixes[] = {".part", ""};
    if (!id_is_valid(id))
        return error_set(err, ERR_INTERNAL, "the upload '%.100s' has an id that is none", id);
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s%s", h->options->uploads, id, suffixes[i]);
        if (n < 0 || (size_t)n >= sizeof path)
            return error_set(err, ERR_LIMIT, "the path '%.200s...' is too long", path);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_set_errno(err, errno, "cannot remove '%s'", path);
    }
    return db_run(db, "DELETE FROM uploads WHERE id = ?1 AND state = 'receiving'", DB_BINDS(db_text(id)), NULL, err);
}

static status sweep_uploads(struct housekeeping *h, struct error *err)
{
    static const struct record_column columns[] = {{"id", COLUMN_TEXT}};
    double seconds = h->options->upload_seconds > 0 ? h->options->upload_seconds : DAY_SECONDS;
    struct db *db = NULL;
    json_t *rows = NULL, *row;
    size_t i;
    if (!h->options->uploads)
        return OK;
    status s = store_writer(h->store, &db, err);
    if (s == OK)
        s = record_query(db, columns, ARRAY_LENGTH(columns),
                         "SELECT id FROM uploads WHERE state = 'receiving' AND created_at < ?1 ORDER BY id",
                         DB_BINDS(db_int(h->options->now - (int64_t)(seconds * 1e6))), &rows, err);
    json_array_foreach(rows, i, row)
    {
        const char *id = json_text(row, "id", "");
        if (s != OK || is_alive(h, id, seconds))
            continue;
        s = remove_upload(h, db, id, err);
        h->report.uploads_removed += s == OK;
    }
    json_decref(rows);
    store_give_back(h->store, db);
    return s;
}

struct orphan_walk {
    struct housekeeping *h;
    struct db *db;
};

static status look_up(void *self, const struct storage_object *object, struct error *err)
{
    struct orphan_walk *walk = self;
    const struct housekeeping_options *o = walk->h->options;
    bool known = true;
    if (is_stopped(walk->h))
        return error_set(err, ERR_CANCELLED, "the server stops");
    status s = manifest_knows(walk->db, object->name, &known, err);
    if (s == OK && !known) {
        walk->h->report.orphans++;
        o->orphan(o->self, object->name);
    }
    return s;
}

static status find_orphans(struct housekeeping *h, struct error *err)
{
    struct orphan_walk walk = {.h = h};
    if (!h->options->orphan)
        return OK;
    status s = store_reader(h->store, &walk.db, err);
    if (s == OK)
        s = h->lake->ops->list(h->lake->self, "", look_up, &walk, err);
    store_give_back(h->store, walk.db);
    return s == ERR_CANCELLED && is_stopped(h) ? OK : s;
}

/* Between listing and looking it may have been replaced and removed. */
static status look_for(struct housekeeping *h, struct db *db, const json_t *row, struct error *err)
{
    const char *path = json_text(row, "path", "");
    bool exists = true, wanted = false;
    status s = h->lake->ops->exists(h->lake->self, path, &exists, err);
    if (s == OK && !exists)
        s = manifest_is_present(db, json_int(row, "id", 0), &wanted, err);
    if (s == OK && wanted) {
        h->report.lost++;
        h->options->lost(h->options->self, path);
    }
    return s;
}

static status find_lost(struct housekeeping *h, struct error *err)
{
    int64_t after = 0;
    status s = OK;
    for (bool more = h->options->lost != NULL; more && s == OK && !is_stopped(h);) {
        struct db *db = NULL;
        json_t *rows = NULL, *row;
        size_t i;
        s = store_reader(h->store, &db, err);
        if (s == OK)
            s = manifest_present(db, after, BATCH, &rows, err);
        more = json_array_size(rows) == BATCH;
        json_array_foreach(rows, i, row)
        {
            after = json_int(row, "id", 0);
            if (s == OK)
                s = look_for(h, db, row, err);
        }
        json_decref(rows);
        store_give_back(h->store, db);
    }
    return s;
}

status housekeeping_run(struct store *store, struct storage *lake, const struct housekeeping_options *options,
                        struct housekeeping_report *report, struct error *err)
{
    static status (*const parts[])(struct housekeeping *, struct error *) = {expire_landing, collect_garbage,
                                                                             sweep_uploads, find_orphans, find_lost};
    struct housekeeping h = {.store = store, .lake = lake, .options = options};
    status first = OK;
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        struct error own;
        status s = parts[i](&h, &own);
        if (s != OK && first == OK) {
            first = s;
            if (err)
                *err = own;
        }
    }
    if (report)
        *report = h.report;
    return first;
}
