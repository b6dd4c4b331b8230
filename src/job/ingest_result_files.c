/* The files of an ingest run's result: new, rewritten, landed, quarantined, and those that go. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "job/ingest.h"
#include "job/ingest_landing.h"

struct listed_file {
    const char *layer, *folder, *relative; /* final path: folder/relative */
    const char *staged_folder, *staged;
    const char *partition, *format, *source_uri;
    uint64_t rows, bytes;
    const json_t *rewrites; /* id of the older file whose rows these are; NULL: new */
};

static status put_path(json_t *item, const char *key, const char *folder, const char *relative, struct error *err)
{
    struct buf path = {0};
    status s = buf_printf(&path, err, "%s/%s", folder, relative);
    if (s == OK)
        s = json_put(item, key, json_stringn((const char *)path.data, path.len), err);
    buf_release(&path);
    return s;
}

static status list_file(json_t *files, const struct listed_file *f, struct error *err)
{
    json_t *item = json_object();
    if (!item)
        return error_no_memory(err, sizeof *f);
    status s = json_put_text(item, "layer", f->layer, err);
    if (s == OK)
        s = put_path(item, "path", f->folder, f->relative, err);
    if (s == OK)
        s = put_path(item, "staged", f->staged_folder, f->staged, err);
    if (s == OK)
        s = json_put_text(item, "partition", f->partition, err);
    if (s == OK)
        s = json_put_int(item, "rows", (int64_t)f->rows, err);
    if (s == OK)
        s = json_put_int(item, "bytes", (int64_t)f->bytes, err);
    if (s == OK)
        s = json_put_text(item, "format", f->format, err);
    if (s == OK)
        s = json_put_text(item, "source_uri", f->source_uri, err);
    if (s == OK && f->rewrites)
        s = json_put(item, "rewrites", json_deep_copy(f->rewrites), err);
    if (s == OK)
        return json_add(files, item, err);
    json_decref(item);
    return s;
}

static const char *format_of(enum file_format format)
{
    return format == FORMAT_PARQUET ? "parquet" : format == FORMAT_CSV ? "csv" : "json";
}

/* Files without a row say nothing, unless there is no other one to show the columns. */
static bool is_needed(const struct ingest *g, uint64_t rows, bool last_and_alone)
{
    return rows > 0 || (last_and_alone && (!g->options.incremental || g->older_count == 0));
}

static status list_new(const struct ingest *g, json_t *files, struct error *err)
{
    const struct convert_result *r = &g->result;
    status s = OK;
    size_t listed = 0;
    for (size_t i = 0; s == OK && i < r->file_count; i++) {
        const struct merge_outcome *lost = g->merged ? &g->lost[i] : NULL;
        bool again = lost && lost->rewritten;
        uint64_t rows = again ? lost->rows : r->files[i].rows;
        if (!is_needed(g, rows, listed == 0 && i + 1 == r->file_count) || (again && rows == 0))
            continue;
        struct listed_file f = {
            .layer = g->options.layer,
            .folder = g->options.folder,
            .relative = ingest_relative(g, i),
            .staged_folder = again ? INGEST_MERGED : INGEST_DATA,
            .staged = ingest_relative(g, i),
            .partition = r->files[i].partition,
            .format = format_of(g->convert.to),
            .source_uri = g->files.items[r->files[i].input].uri,
            .rows = rows,
            .bytes = again ? lost->bytes : r->files[i].bytes,
        };
        s = list_file(files, &f, err);
        listed++;
    }
    return s;
}

static status list_rewritten(const struct ingest *g, json_t *files, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && g->merged && i < g->older_count; i++) {
        const struct merge_outcome *o = &g->rewritten[i];
        if (!o->rewritten || o->rows == 0)
            continue;
        struct listed_file f = {
            .layer = g->options.layer,
            .folder = g->options.folder,
            .relative = g->rewritten_relative[i],
            .staged_folder = INGEST_MERGED,
            .staged = g->rewritten_relative[i],
            .partition = json_text(g->older[i], "partition", ""),
            .format = "parquet",
            .source_uri = json_text(g->older[i], "source_uri", NULL),
            .rows = o->rows,
            .bytes = o->bytes,
            .rewrites = json_object_get(g->older[i], "id"),
        };
        s = list_file(files, &f, err);
    }
    return s;
}

static status list_landing(const struct ingest *g, json_t *files, struct error *err)
{
    struct buf folder = {0};
    if (g->options.database)
        return OK; /* there is nothing to keep */
    status s = buf_printf(&folder, err, LANDING_FOLDER "/%s/%s", g->options.pipeline_slug, g->options.job_slug);
    if (s == OK)
        s = buf_append(&folder, "", 1, err);
    for (size_t i = 0; s == OK && i < g->files.count; i++) {
        const struct ingest_file *from = &g->files.items[i];
        struct listed_file f = {
            .layer = "landing",
            .folder = (const char *)folder.data,
            .relative = from->landed_relative,
            .staged_folder = LANDING_FOLDER,
            .staged = from->landed_relative,
            .partition = from->landing_folder,
            .format = format_of(g->result.inputs[i].format),
            .source_uri = from->uri,
            .rows = g->result.inputs[i].records,
            .bytes = from->size,
        };
        s = list_file(files, &f, err);
    }
    buf_release(&folder);
    return s;
}

static status list_quarantine(const struct ingest *g, json_t *files, struct error *err)
{
    const char *path = g->result.quarantine_path;
    struct stat st;
    if (!path)
        return OK;
    if (stat(path, &st) != 0)
        return error_set(err, ERR_IO, "the rejects file %s is not there", path);
    const char *relative = path + strlen(g->quarantine) + 1;
    const char *slash = strrchr(relative, '/');
    char *partition = strndup(relative, slash ? (size_t)(slash - relative) : 0);
    if (!partition)
        return error_no_memory(err, strlen(relative));
    struct listed_file f = {
        .layer = "quarantine",
        .folder = g->options.quarantine_path,
        .relative = relative,
        .staged_folder = INGEST_QUARANTINE,
        .staged = relative,
        .partition = partition,
        .format = "parquet",
        .rows = g->result.rows_rejected,
        .bytes = (uint64_t)st.st_size,
    };
    status s = list_file(files, &f, err);
    free(partition);
    return s;
}

status ingest_put_files(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *files = json_array();
    status s = json_put(result, "files", files, err);
    if (s == OK)
        s = list_new(g, files, err);
    if (s == OK)
        s = list_rewritten(g, files, err);
    if (s == OK)
        s = list_landing(g, files, err);
    return s == OK ? list_quarantine(g, files, err) : s;
}

status ingest_put_removes(const struct ingest *g, json_t *result, struct error *err)
{
    json_t *removes = json_array();
    status s = json_put(result, "removes", removes, err);
    for (size_t i = 0; s == OK && i < g->older_count; i++)
        if (g->replaced[i] || (g->merged && g->rewritten[i].rewritten))
            s = json_add(removes, json_deep_copy(json_object_get(g->older[i], "id")), err);
    return s == OK ? json_put_bool(result, "replace_all", !g->options.incremental, err) : s;
}
