/* Is a task's result one that may be committed? */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/commit_parts.h"

status commit_refuse(struct error *err, status code, const char *format, ...)
{
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(err, code, "the task's result cannot be committed: %s", text);
}

/* A count: whole and not negative. */
static status count_of(const json_t *object, const char *key, int64_t *count, struct error *err)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0)
        return commit_refuse(err, ERR_INTERNAL, "'%s' is not a count", key);
    *count = json_integer_value(member);
    return OK;
}

/* The same rule as storage_name_is_plain; this room knows no storage. */
static bool is_plain(const char *path)
{
    if (!path || strlen(path) > 1024)
        return false;
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || at[0] == '.') /* hidden names are what nobody sees yet: never a final one */
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f || at[i] == '\\')
                return false;
        at += n;
        if (!*at)
            return true;
    }
}

static bool begins(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

struct places {
    char *data, *landing, *quarantine; /* prefixes that end with '/'; NULL: none of that kind may come */
};

static void places_release(struct places *places)
{
    free(places->data);
    free(places->landing);
    free(places->quarantine);
}

static status keep_slug(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    char **slug = self;
    (void)columns;
    *slug = strndup(row[0].bytes ? row[0].bytes : "", row[0].length);
    return *slug ? OK : error_no_memory(err, row[0].length);
}

static status make_prefix(char **into, struct error *err, const char *format, ...) PRINTF_LIKE(3, 4);
static status make_prefix(char **into, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vasprintf(into, format, args);
    va_end(args);
    if (n >= 0)
        return OK;
    *into = NULL;
    return error_no_memory(err, 256);
}

static status make_places(const struct commit *c, struct places *places, struct error *err)
{
    char *pipeline = NULL;
    const char *quarantine = json_text(c->job, "quarantine_path", NULL);
    status s = make_prefix(&places->data, err, "%s/%s/", c->layer, c->dataset);
    if (s == OK && c->kind == JOB_INGEST)
        s = db_each(c->db, "SELECT slug FROM pipelines WHERE id = ?1", DB_BINDS(db_text(c->pipeline_id)), keep_slug,
                    &pipeline, err);
    if (s == OK && pipeline)
        s = make_prefix(&places->landing, err, "landing/%s/%s/", pipeline, json_text(c->job, "slug", ""));
    if (s == OK && c->kind == JOB_INGEST && quarantine) {
        while (*quarantine == '/')
            quarantine++;
        size_t n = strlen(quarantine);
        while (n && quarantine[n - 1] == '/')
            n--;
        s = make_prefix(&places->quarantine, err, "%.*s%sjob=", (int)n, quarantine, n ? "/" : "");
    }
    free(pipeline);
    return s;
}

static const char *prefix_of(const struct places *places, const struct commit *c, const char *layer)
{
    if (strcmp(layer, c->layer) == 0)
        return places->data;
    if (strcmp(layer, "landing") == 0)
        return places->landing;
    return strcmp(layer, "quarantine") == 0 ? places->quarantine : NULL;
}

/* Remember a name; a second time is an error. */
static status once(json_t *names, const char *name, struct error *err)
{
    if (json_object_get(names, name))
        return commit_refuse(err, ERR_INTERNAL, "'%s' is in it twice", name);
    return json_put(names, name, json_true(), err);
}

static status check_file(const struct places *places, const struct commit *c, const json_t *file, struct error *err)
{
    const char *path = json_text(file, "path", NULL), *staged = json_text(file, "staged", NULL);
    const char *layer = json_text(file, "layer", NULL);
    int64_t ignored;
    if (!path || !is_plain(path) || !staged || !is_plain(staged) || !layer || !json_text(file, "format", NULL))
        return commit_refuse(err, ERR_INTERNAL,
                             "a file of it has no plain path, staged path, layer or format (path '%s')",
                             path ? path : "");
    const char *prefix = prefix_of(places, c, layer);
    if (!prefix || !begins(path, prefix))
        return commit_refuse(err, ERR_INTERNAL, "the %s file '%s' does not lie below '%s'", layer, path,
                             prefix ? prefix : "any folder of this job");
    const json_t *rewrites = json_object_get(file, "rewrites");
    if (rewrites && !json_is_null(rewrites) && (!json_is_integer(rewrites) || strcmp(layer, c->layer) != 0))
        return commit_refuse(err, ERR_INTERNAL, "'%s' rewrites what is no file of the dataset", path);
    status s = count_of(file, "rows", &ignored, err);
    return s == OK ? count_of(file, "bytes", &ignored, err) : s;
}

struct sums {
    int64_t fresh, rewritten, quarantined;
};

static void add_rows(const struct commit *c, const json_t *file, struct sums *sums)
{
    const char *layer = json_text(file, "layer", "");
    int64_t rows = json_int(file, "rows", 0);
    if (strcmp(layer, "quarantine") == 0)
        sums->quarantined += rows;
    else if (strcmp(layer, c->layer) == 0)
        *(json_is_integer(json_object_get(file, "rewrites")) ? &sums->rewritten : &sums->fresh) += rows;
}

static status check_files(struct commit *c, struct sums *sums, struct error *err)
{
    const json_t *files = json_object_get(c->result, "files");
    struct places places = {0};
    json_t *paths = json_object(), *staged = json_object();
    size_t i;
    const json_t *file;
    status s = paths && staged ? make_places(c, &places, err) : error_no_memory(err, sizeof *paths);
    if (s == OK && !json_is_array(files))
        s = commit_refuse(err, ERR_INTERNAL, "it has no list of files");
    json_array_foreach(files, i, file)
    {
        if (s == OK)
            s = check_file(&places, c, file, err);
        if (s == OK)
            s = once(paths, json_text(file, "path", ""), err);
        if (s == OK)
            s = once(staged, json_text(file, "staged", ""), err);
        if (s != OK)
            break;
        add_rows(c, file, sums);
    }
    json_decref(paths);
    json_decref(staged);
    places_release(&places);
    return s;
}

static status unequal(struct error *err, const char *one, int64_t n, const char *other, int64_t m)
{
    status s = commit_refuse(err, ERR_ACCOUNTING, "%s is %lld, but %s is %lld", one, (long long)n, other, (long long)m);
    error_hint(err, "nothing was published; this is a defect of FlowForge: please report it with the run's log");
    return s;
}

/* A backfill takes what was before the watermark, which stays: the ledger stays too, and not all may be replaced. */
static status check_range(const struct commit *c, struct error *err)
{
    if (!json_is_object(json_object_get(c->job, "range")))
        return OK;
    if (json_array_size(json_object_get(c->result, "ledger")) > 0)
        return commit_refuse(err, ERR_INTERNAL, "a run of a range would change the ledger");
    if (json_flag(c->result, "replace_all", false))
        return commit_refuse(err, ERR_INTERNAL, "a run of a range would replace all of the dataset");
    return OK;
}

status commit_check(struct commit *c, struct error *err)
{
    const json_t *rows = json_object_get(c->result, "rows");
    struct sums sums = {0};
    const struct {
        const char *key;
        int64_t *count;
    } counts[] = {{"read", &c->rows.read},       {"written", &c->rows.written},   {"rejected", &c->rows.rejected},
                  {"deduped", &c->rows.deduped}, {"filtered", &c->rows.filtered}, {"replaced", &c->rows.replaced}};
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(counts); i++)
        s = count_of(rows, counts[i].key, counts[i].count, err);
    if (s == OK)
        s = check_files(c, &sums, err);
    if (s == OK)
        s = check_range(c, err);
    if (s != OK)
        return s;
    int64_t accounted = c->rows.written + c->rows.rejected + c->rows.deduped + c->rows.filtered;
    if (c->rows.read != accounted)
        return unequal(err, "the number of rows read", c->rows.read, "written + rejected + deduped + filtered",
                       accounted);
    if (sums.fresh != c->rows.written)
        return unequal(err, "the number of rows written", c->rows.written, "the sum of the new files' rows",
                       sums.fresh);
    if (sums.quarantined != c->rows.rejected)
        return unequal(err, "the number of rejected rows", c->rows.rejected, "the sum of the quarantine files' rows",
                       sums.quarantined);
    c->rows_rewritten = sums.rewritten;
    return OK;
}
