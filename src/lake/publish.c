#include "lake/publish.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

static status staged_name(const char *run_id, const char *staged, char into[STORAGE_NAME_MOST + 1], struct error *err)
{
    int n = snprintf(into, STORAGE_NAME_MOST + 1, STAGING_FOLDER "/%s%s%s", run_id, *staged ? "/" : "", staged);
    if (n < 0 || n > STORAGE_NAME_MOST || strchr(run_id, '/') || !*run_id)
        return error_set(err, ERR_INVALID, "'%.200s' is not the name of a staged file of the run '%.60s'", staged,
                         run_id);
    return OK;
}

status publish_files(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                     struct error *err)
{
    struct storage_move *moves = calloc(count ? count : 1, sizeof *moves);
    char **staged = calloc(count ? count : 1, sizeof *staged);
    status s = moves && staged ? OK : error_no_memory(err, count * sizeof *moves);
    for (size_t i = 0; s == OK && i < count; i++) {
        char name[STORAGE_NAME_MOST + 1];
        s = staged_name(run_id, files[i].staged, name, err);
        if (s == OK && !(staged[i] = strdup(name)))
            s = error_no_memory(err, strlen(name) + 1);
        moves[i] = (struct storage_move){staged[i], files[i].path};
    }
    if (s == OK)
        s = lake->ops->publish(lake->self, moves, count, err);
    for (size_t i = 0; staged && i < count; i++)
        free(staged[i]);
    free(staged);
    free(moves);
    return s;
}

static status unpublish_file(struct storage *lake, const char *run_id, const struct publish_file *file,
                             struct error *err)
{
    char name[STORAGE_NAME_MOST + 1];
    bool is_staged;
    status s = staged_name(run_id, file->staged, name, err);
    if (s == OK)
        s = lake->ops->exists(lake->self, name, &is_staged, err);
    return s == OK && !is_staged ? lake->ops->remove(lake->self, file->path, err) : s;
}

status unpublish_files(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                       struct error *err)
{
    status first = OK;
    for (size_t i = 0; i < count; i++) {
        struct error own;
        status s = unpublish_file(lake, run_id, &files[i], &own);
        if (s != OK && first == OK) {
            first = s;
            if (err)
                *err = own;
        }
    }
    return first;
}

status publish_discard(struct storage *lake, const char *run_id, struct error *err)
{
    char name[STORAGE_NAME_MOST + 1];
    status s = staged_name(run_id, "", name, err);
    return s == OK ? lake->ops->discard(lake->self, name, err) : s;
}

static status add_name(void *self, const struct storage_object *folder, struct error *err)
{
    return buf_append(self, folder->name, strlen(folder->name) + 1, err);
}

/* The names first: a storage need not bear being changed while it is listed. */
status publish_sweep(struct storage *lake, bool (*keep)(void *self, const char *run_id), void *self, struct error *err)
{
    struct buf names = {0};
    status s = lake->ops->folders(lake->self, STAGING_FOLDER, add_name, &names, err);
    for (size_t at = 0; s == OK && at < names.len;) {
        const char *name = (const char *)names.data + at;
        const char *run_id = name + strlen(STAGING_FOLDER "/");
        at += strlen(name) + 1;
        if (!keep || !keep(self, run_id))
            s = publish_discard(lake, run_id, err);
    }
    buf_release(&names);
    return s;
}
