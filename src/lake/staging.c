#include "lake/staging.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lake/staging_sweep.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/owner_mark.h"
#include "sys/path.h"

#define NAME_SHARE 100 /* bytes of the destination's name in the staging directory's */

struct staging {
    bool directory, overwrite, sync;
    char *destination;
    char *parent;           /* of the destination, "." when it has none */
    bool parent_made;       /* as far as it was missing */
    size_t parent_existing; /* bytes of `parent` that named directories before this run */
    char *path;             /* of the staging directory */
    char *data;             /* what is to be published */
    int mark;
    bool made; /* the staging directory is ours to remove */
    bool published;
    atomic_bool damaged; /* some file did not get all its bytes */
};

static status refuse_destination(const char *destination, const char *why, struct error *err)
{
    return error_set(err, ERR_INVALID, "cannot write to '%s': %s", destination, why);
}

static status check_run_id(const char *run_id, struct error *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t n = strlen(run_id);
    if (n > 0 && n <= 100 && strspn(run_id, allowed) == n)
        return OK;
    return error_set(err, ERR_INVALID, "the run id '%.100s' is not made of 1 to 100 letters, digits, '-', '_' and '.'",
                     run_id);
}

static char *format_path(const char *format, const char *a, const char *b, const char *c)
{
    char *path;
    return asprintf(&path, format, a, b, c) < 0 ? NULL : path;
}

/* The destination, its parent and the names below it. */
static status set_paths(struct staging *st, const struct staging_options *options, char *prefix, size_t prefix_cap,
                        struct error *err)
{
    status s = check_run_id(options->run_id, err);
    if (s == OK && !options->destination[0])
        s = refuse_destination("", "the name is empty", err);
    if (s == OK)
        s = path_resolve(options->destination, &st->destination, err);
    if (s != OK)
        return s;
    const char *slash = strrchr(st->destination, '/');
    const char *name = slash ? slash + 1 : st->destination;
    size_t given = strlen(options->destination);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return refuse_destination(options->destination, "that is no name for something new", err);
    if (!st->directory && options->destination[given - 1] == '/')
        return refuse_destination(options->destination, "one file is to be written and this names a directory", err);
    snprintf(prefix, prefix_cap, ".%.*s.staging-", (int)str_utf8_prefix(str_of(name), NAME_SHARE), name);
    st->parent = !slash ? strdup(".")
                        : strndup(st->destination, slash > st->destination ? (size_t)(slash - st->destination) : 1);
    if (st->parent)
        st->path = format_path("%s/%s%s", st->parent, prefix, options->run_id);
    if (st->path)
        st->data = format_path("%s/%s%s", st->path, "data", "");
    return st->data ? OK : error_no_memory(err, strlen(st->destination));
}

static status exists_already(const struct staging *st, struct error *err)
{
    status s = error_set(err, ERR_EXISTS, "'%s' exists already", st->destination);
    error_hint(err, "choose another destination, or allow it to be overwritten");
    return s;
}

/* May the destination be written? *replace: a directory with contents stands there and is to be replaced. */
static status check_destination(const struct staging *st, bool *replace, struct error *err)
{
    enum path_kind kind;
    bool empty;
    *replace = false;
    status s = path_kind_of(st->destination, &kind, err);
    if (s != OK || kind == PATH_NOTHING)
        return s;
    if (kind == PATH_OTHER)
        return refuse_destination(st->destination, "it is neither a file nor a directory", err);
    if ((kind == PATH_DIRECTORY) != st->directory)
        return error_set(err, ERR_EXISTS, "'%s' exists already and is a %s, where a %s is to be written",
                         st->destination, kind == PATH_DIRECTORY ? "directory" : "file",
                         st->directory ? "directory" : "file");
    if (kind == PATH_FILE)
        return st->overwrite ? OK : exists_already(st, err);
    s = dir_is_empty(st->destination, &empty, err);
    if (s != OK || empty)
        return s;
    if (!st->overwrite)
        return exists_already(st, err);
    if (path_holds_current_directory(st->destination))
        return refuse_destination(st->destination, "the current directory is in it and would be replaced", err);
    *replace = true;
    return OK;
}

/* Better to know before hours of work that the last step cannot be done. */
static status try_exchange(const struct staging *st, struct error *err)
{
    char *a = format_path("%s/%s%s", st->path, "try-", "a");
    char *b = format_path("%s/%s%s", st->path, "try-", "b");
    status s = a && b ? OK : error_no_memory(err, strlen(st->path));
    if (s == OK)
        s = dir_make(a, true, err);
    if (s == OK)
        s = dir_make(b, true, err);
    if (s == OK)
        s = file_rename(a, b, FILE_RENAME_EXCHANGE, err);
    if (s == ERR_UNSUPPORTED)
        error_hint(err, "write to a new directory, or remove '%.200s' first", st->destination);
    if (a && b) {
        dir_remove_empty(a, strlen(st->path));
        dir_remove_empty(b, strlen(st->path));
    }
    free(a);
    free(b);
    return s;
}

static status make_staging(struct staging *st, bool replace, struct error *err)
{
    status s = dir_make(st->path, true, err);
    if (s == ERR_EXISTS)
        return error_set(err, ERR_EXISTS, "another run of the same id is writing to '%s', or was: '%s' exists",
                         st->destination, st->path);
    if (s != OK)
        return error_prefix(err, "cannot write to '%s'", st->destination);
    st->made = true;
    char *mark = format_path("%s/%s%s", st->path, STAGING_MARK, "");
    s = mark ? owner_mark_create(mark, &st->mark, err) : error_no_memory(err, strlen(st->path));
    free(mark);
    if (s == OK && st->directory)
        s = dir_make(st->data, false, err);
    if (s == OK && replace)
        s = try_exchange(st, err);
    return s;
}

status staging_create(struct staging **staging, const struct staging_options *options, struct error *err)
{
    char prefix[NAME_SHARE + 32];
    bool replace = false;
    struct staging *st = calloc(1, sizeof *st);
    if (!st)
        return error_no_memory(err, sizeof *st);
    st->directory = options->directory;
    st->overwrite = options->overwrite;
    st->sync = options->sync;
    st->mark = -1;
    status s = set_paths(st, options, prefix, sizeof prefix, err);
    if (s == OK)
        s = check_destination(st, &replace, err);
    if (s == OK) {
        st->parent_made = true;
        s = dir_make_all(st->parent, &st->parent_existing, err);
    }
    if (s == OK) {
        staging_sweep(st->parent, prefix);
        s = make_staging(st, replace, err);
    }
    if (s == OK)
        *staging = st;
    else
        staging_free(st);
    return s;
}

void staging_free(struct staging *st)
{
    struct error ignored;
    if (!st)
        return;
    /* Once more: what was in the way, such as no free descriptor, may be gone. */
    if (st->made && dir_remove_tree(st->path, &ignored) != OK)
        (void)!dir_remove_tree(st->path, &ignored);
    if (st->parent_made && !st->published)
        dir_remove_empty(st->parent, st->parent_existing);
    if (st->mark >= 0)
        file_close(st->mark); /* after the removal: until then nobody else sweeps here */
    free(st->destination);
    free(st->parent);
    free(st->path);
    free(st->data);
    free(st);
}

static bool is_plain_relative(const char *relative)
{
    for (const char *at = relative;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += n;
        if (!*at)
            return true;
    }
}

status staging_path(const struct staging *st, const char *relative, char *into, size_t cap, struct error *err)
{
    if (st->directory ? !is_plain_relative(relative) : relative[0] != '\0')
        return error_set(err, ERR_INTERNAL, "'%s' is no path within '%s'", relative, st->destination);
    int n = snprintf(into, cap, st->directory ? "%s/%s" : "%s%s", st->data, relative);
    return n >= 0 && (size_t)n < cap ? OK : error_set(err, ERR_LIMIT, "the path '%.200s...' is too long", into);
}

/* A file of the staging: passes everything on, and tells the staging when it did not work. */
struct staged_file {
    struct byte_sink file;
    struct staging *staging;
    bool finished;
};

static status staged_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    struct staged_file *f = self;
    return byte_sink_write(&f->file, bytes, n, err);
}

static status staged_finish(void *self, struct error *err)
{
    struct staged_file *f = self;
    status s = byte_sink_finish(&f->file, err);
    f->finished = s == OK;
    return s;
}

static void staged_close(void *self)
{
    struct staged_file *f = self;
    byte_sink_close(&f->file);
    if (!f->finished)
        atomic_store(&f->staging->damaged, true);
    free(f);
}

static const struct byte_sink_ops staged_ops = {.write = staged_write, .finish = staged_finish, .close = staged_close};

static status open_file(struct staging *st, const char *path, unsigned flags, struct byte_sink *sink, struct error *err)
{
    struct staged_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, sizeof *f);
    f->staging = st;
    status s = file_sink_create(&f->file, path, flags | (st->sync ? FILE_SYNC : 0), err);
    if (s != OK) {
        free(f);
        return s;
    }
    *sink = (struct byte_sink){&staged_ops, f};
    return OK;
}

status staging_open(struct staging *st, const char *relative, struct byte_sink *sink, struct error *err)
{
    char path[PATH_MAX];
    status s = staging_path(st, relative, path, sizeof path, err);
    if (s != OK)
        return s;
    char *slash = strrchr(path, '/');
    if (st->directory && slash > path + strlen(st->data)) {
        *slash = '\0';
        s = dir_make_all(path, NULL, err);
        *slash = '/';
    }
    return s == OK ? open_file(st, path, FILE_NEW, sink, err) : s;
}

status staging_append(struct staging *st, const char *relative, struct byte_sink *sink, struct error *err)
{
    char path[PATH_MAX];
    status s = staging_path(st, relative, path, sizeof path, err);
    return s == OK ? open_file(st, path, FILE_APPEND, sink, err) : s;
}

static status rename_into_place(const struct staging *st, struct error *err)
{
    if (!st->directory)
        return file_rename(st->data, st->destination, st->overwrite ? FILE_RENAME_OVER : FILE_RENAME_NEW, err);
    /* Fails when a directory with contents is there, and only then. */
    status s = file_rename(st->data, st->destination, FILE_RENAME_OVER, err);
    return s == ERR_EXISTS && st->overwrite ? file_rename(st->data, st->destination, FILE_RENAME_EXCHANGE, err) : s;
}

/* The names on the way to the destination, as far up as they are new. */
static status sync_names(const struct staging *st, struct error *err)
{
    status s = dir_fsync(st->parent, err);
    char *path = s == OK ? strdup(st->parent) : NULL;
    if (s == OK && !path)
        return error_no_memory(err, strlen(st->parent));
    while (s == OK && strlen(path) > st->parent_existing) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
        s = dir_fsync(!slash ? "." : slash == path ? "/" : path, err);
        if (!slash)
            break;
    }
    free(path);
    return s;
}

bool staging_is_published(const struct staging *st)
{
    return st->published;
}

status staging_publish(struct staging *st, struct error *err)
{
    if (st->published)
        return error_set(err, ERR_INTERNAL, "'%s' was published before", st->destination);
    if (atomic_load(&st->damaged))
        return error_set(err, ERR_IO, "'%s' is not published: a file of it was not written to its end",
                         st->destination);
    status s = st->sync && st->directory ? dir_fsync_tree(st->data, err) : OK;
    if (s == OK) {
        s = rename_into_place(st, err);
        if (s == ERR_EXISTS)
            s = exists_already(st, err);
    }
    if (s != OK)
        return s;
    st->published = true;
    if (st->sync && sync_names(st, err) != OK)
        return error_prefix(err, "'%s' is published, but a power failure might still undo that", st->destination);
    struct error ignored;
    st->made = dir_remove_tree(st->path, &ignored) != OK;
    return OK;
}
