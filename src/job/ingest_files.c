#include "job/ingest_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "source/file_list.h"
#include "sys/clock.h"
#include "sys/confine.h"
#include "sys/file_copy.h"

#define WAIT_NS 50000000

/* ---- what was taken before ---- */

/* By uri, because either may be very many. */
struct taken {
    json_t *ledger;
    json_t *held; /* files of the target, those of uploads also by etag; of one uri any */
};

static status index_by(const json_t *list, const char *key, json_t *index, struct error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        const char *value = json_text(entry, key, NULL);
        if (value && json_object_set(index, value, entry) != 0)
            return error_no_memory(err, 64);
    }
    return OK;
}

static status taken_index(struct taken *taken, const struct ingest_options *options, const json_t *payload,
                          struct error *err)
{
    const json_t *files = options->incremental ? options->target_files : NULL;
    taken->ledger = json_object();
    taken->held = json_object();
    if (!taken->ledger || !taken->held)
        return error_no_memory(err, 64);
    status s = index_by(json_object_get(payload, "ledger"), "uri", taken->ledger, err);
    if (s == OK)
        s = index_by(files, "source_uri", taken->held, err);
    return s == OK ? index_by(files, "source_etag", taken->held, err) : s;
}

#define UPLOAD_URI "upload://"

/* Every upload has an id of its own, so the bytes tell whether it was taken before, under whatever name. */
static bool is_taken_upload(const struct ingest_file *f, json_t *ledger)
{
    const char *uri;
    json_t *entry;
    json_object_foreach(ledger, uri, entry)
    {
        const char *etag = json_text(entry, "etag", NULL);
        if (strncmp(uri, UPLOAD_URI, strlen(UPLOAD_URI)) == 0 && etag && f->etag && strcmp(f->etag, etag) == 0 &&
            (uint64_t)json_int(entry, "size", -1) == f->size)
            return true;
    }
    return false;
}

/* Was exactly this taken before? A file that was only touched is told by its hash. */
static status is_same(struct ingest_file *f, const json_t *entry, const atomic_bool *cancel, bool *same,
                      struct error *err)
{
    const char *hash = json_text(entry, "hash", NULL), *etag = json_text(entry, "etag", NULL);
    *same = false;
    if (!entry || (uint64_t)json_int(entry, "size", -1) != f->size)
        return OK;
    if (f->upload) {
        *same = !f->etag || !etag || strcmp(f->etag, etag) == 0;
        return OK;
    }
    if (json_int(entry, "mtime_ns", -1) == f->mtime_ns) {
        *same = true;
        return OK;
    }
    if (!hash || !hash[0])
        return OK;
    struct file_hash h;
    status s = file_hash_of(f->path, cancel, &h, err);
    if (s != OK)
        return s;
    snprintf(f->hash, sizeof f->hash, "%016llx%016llx", (unsigned long long)h.high, (unsigned long long)h.low);
    *same = strcmp(f->hash, hash) == 0;
    return OK;
}

/* ---- the list ---- */

static void file_release(struct ingest_file *f)
{
    free(f->uri);
    free(f->path);
    free(f->name);
    free(f->landed);
    free(f->landed_relative);
    free(f->landing_folder);
}

/* Takes *f over. */
static status consider(struct ingest_files *files, const struct ingest_options *options, struct ingest_file *f,
                       const struct taken *taken, const atomic_bool *cancel, struct error *err)
{
    const json_t *entry = json_object_get(taken->ledger, f->uri);
    bool same = false;
    status s = options->incremental ? is_same(f, entry, cancel, &same, err) : OK;
    if (s != OK || same) {
        files->skipped += same;
        file_release(f);
        return s;
    }
    /* A ledger that was reset does not know what the dataset holds: those rows are replaced, not doubled. */
    bool held = json_object_get(taken->held, f->uri) || (f->etag && json_object_get(taken->held, f->etag));
    f->change = entry || held ? INGEST_CHANGED : INGEST_NEW;
    if ((files->count & (files->count - 1)) == 0) {
        size_t room = files->count ? files->count * 2 : 1;
        struct ingest_file *items = realloc(files->items, room * sizeof *items);
        if (!items) {
            file_release(f);
            return error_no_memory(err, room * sizeof *items);
        }
        files->items = items;
    }
    files->items[files->count++] = *f;
    files->bytes += f->size;
    return OK;
}

static char *text_of(const char *format, const char *a, const char *b)
{
    char *text = NULL;
    return asprintf(&text, format, a, b) < 0 ? NULL : text;
}

static status add_local(struct ingest_files *files, const struct ingest_options *options, const struct file_entry *e,
                        const struct taken *taken, const atomic_bool *cancel, struct error *err)
{
    const char *slash = strrchr(e->path, '/');
    if (!str_is_utf8(str_of(e->path))) {
        status s = error_set(err, ERR_UNSUPPORTED, "the name of %s is not valid UTF-8", e->path);
        error_hint(err, "rename the file");
        return s;
    }
    struct ingest_file f = {.size = e->size, .mtime_ns = e->mtime_ns};
    f.uri = text_of("file://%s%s", e->path, "");
    f.path = strdup(e->resolved);
    f.name = strdup(slash ? slash + 1 : e->path);
    if (f.uri && f.path && f.name)
        return consider(files, options, &f, taken, cancel, err);
    file_release(&f);
    return error_no_memory(err, strlen(e->path));
}

static status add_upload(struct ingest_files *files, const struct ingest_options *options, const json_t *upload,
                         const struct taken *taken, const atomic_bool *cancel, struct error *err)
{
    const char *path = json_text(upload, "path", ""), *id = json_text(upload, "id", "");
    const char *name = json_text(upload, "filename", id);
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        status s = error_set(err, ERR_NOT_FOUND, "the upload '%.60s' (%.200s) is not there any more", id, name);
        error_hint(err, "upload the file again and name the new upload in config.upload_id");
        return s;
    }
    struct ingest_file f = {
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .upload = true,
        .etag = json_text(upload, "sha256", NULL),
    };
    if (json_int(upload, "size", (int64_t)f.size) != (int64_t)f.size)
        return error_set(err, ERR_CHANGED, "the upload '%.60s' has %llu bytes instead of %lld", id,
                         (unsigned long long)f.size, (long long)json_int(upload, "size", 0));
    f.uri = text_of(UPLOAD_URI "%s/%s", id, name);
    f.path = strdup(path);
    f.name = strdup(name[0] ? name : id);
    if (!f.uri || !f.path || !f.name) {
        file_release(&f);
        return error_no_memory(err, strlen(path));
    }
    if (options->incremental && is_taken_upload(&f, taken->ledger)) {
        files->skipped++;
        file_release(&f);
        return OK;
    }
    return consider(files, options, &f, taken, cancel, err);
}

static status read_roots(const json_t *list, const char ***roots, size_t *count, struct error *err)
{
    size_t n = json_array_size(list);
    *roots = calloc(n + 1, sizeof **roots);
    if (!*roots)
        return error_no_memory(err, n * sizeof **roots);
    for (size_t i = 0; i < n; i++) {
        (*roots)[i] = json_string_value(json_array_get(list, i));
        if (!(*roots)[i])
            return error_set(err, ERR_INVALID, "payload: local_roots holds something that is no text");
    }
    *count = n;
    return OK;
}

/* Lists until nothing is growing, for as long as a file that was written only once needs to come to rest. */
static status list_settled(const struct file_list_options *how, const atomic_bool *cancel, struct file_list *list,
                           struct error *err)
{
    double deadline = clock_seconds() + how->settle_seconds + 0.1;
    for (;;) {
        status s = file_list_make(list, how, err);
        if (s != OK || list->growing == 0 || clock_seconds() >= deadline)
            return s;
        if (cancel && atomic_load(cancel)) {
            file_list_release(list);
            return error_set(err, ERR_CANCELLED, "cancelled");
        }
        file_list_release(list);
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
}

static status nothing_matches(const struct ingest_options *o, const struct file_list *list, struct error *err)
{
    status s = error_set(err, ERR_NOT_FOUND, "nothing matches %.300s%s", o->path,
                         list->folder_exists ? "" : ": there is no such file or folder");
    error_hint(err,
               list->hidden ? "names that begin with '.' or '_' are left out (%zu here); the dataset stays as it is"
                            : "correct config.path or put the files there; the dataset stays as it is",
               list->hidden);
    return s;
}

static status still_written(const struct ingest_options *o, const struct file_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].growing) {
            status s = error_set(err, ERR_CHANGED, "%.300s is still being written to", list->entries[i].path);
            error_hint(err, "run again when nothing has written to it for %g seconds", o->settle_seconds);
            return s;
        }
    return OK;
}

static status find_local(struct ingest_files *files, const struct ingest_options *options, const json_t *payload,
                         const struct taken *taken, const atomic_bool *cancel, struct error *err)
{
    struct file_list list = {0};
    struct file_list_options how = {.flat = options->flat, .settle_seconds = options->settle_seconds};
    const char **roots = NULL;
    char *path = NULL;
    status s = read_roots(json_object_get(payload, "local_roots"), &roots, &how.root_count, err);
    if (s == OK)
        s = confine_anchor(options->path, roots, how.root_count, &path, err);
    how.roots = roots;
    how.path = path;
    if (s == OK)
        s = list_settled(&how, cancel, &list, err);
    if (s == OK && list.count == 0 && !options->incremental)
        s = nothing_matches(options, &list, err);
    if (s == OK && list.growing && !options->incremental)
        s = still_written(options, &list, err);
    for (size_t i = 0; s == OK && i < list.count; i++)
        s = list.entries[i].growing ? OK : add_local(files, options, &list.entries[i], taken, cancel, err);
    files->waiting = list.growing;
    files->hidden = list.hidden;
    file_list_release(&list);
    free(path);
    free(roots);
    return s;
}

status ingest_files_find(struct ingest_files *files, const struct ingest_options *options, const json_t *payload,
                         const atomic_bool *cancel, struct error *err)
{
    struct ingest_files found = {0};
    struct taken taken = {0};
    const json_t *uploads = json_object_get(payload, "uploads");
    status s = taken_index(&taken, options, payload, err);
    if (s == OK && !options->upload)
        s = find_local(&found, options, payload, &taken, cancel, err);
    for (size_t i = 0; s == OK && options->upload && i < json_array_size(uploads); i++)
        s = add_upload(&found, options, json_array_get(uploads, i), &taken, cancel, err);
    if (s == OK && options->upload && json_array_size(uploads) == 0) {
        s = error_set(err, ERR_NOT_FOUND, "the upload of this job does not exist");
        error_hint(err, "upload a file and name it in config.upload_id");
    }
    json_decref(taken.ledger);
    json_decref(taken.held);
    if (s == OK)
        *files = found;
    else
        ingest_files_release(&found);
    return s;
}

status ingest_files_of_query(struct ingest_files *files, const char *uri, const char *name, struct error *err)
{
    struct ingest_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, sizeof *f);
    *files = (struct ingest_files){.items = f, .count = 1};
    f->uri = strdup(uri);
    f->name = strdup(name);
    f->landed = strdup(uri); /* what the engine calls its input; nothing is opened by it */
    return f->uri && f->name && f->landed ? OK : error_no_memory(err, strlen(uri));
}

void ingest_files_release(struct ingest_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        file_release(&files->items[i]);
    free(files->items);
    *files = (struct ingest_files){0};
}
