#include "job/ingest_landing.h"

#include <stdio.h>
#include <stdlib.h>

#include "lake/file_name.h"
#include "lake/partition.h"
#include "sys/dir.h"
#include "sys/file_copy.h"

#define EXTENSION_MOST 40

/* ".csv.gz" of "sales.2024.csv.gz": what file_name_make takes off the source's name. */
static const char *extension_of(const char *name)
{
    static const char *const codecs[] = {".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4", ".snappy"};
    const char *end = strrchr(name, '.');
    if (!end || end == name || strlen(end) > EXTENSION_MOST)
        return "";
    for (size_t i = 0; i < ARRAY_LENGTH(codecs); i++) {
        if (strcasecmp(end, codecs[i]) != 0)
            continue;
        for (const char *p = end - 1; p > name && end - p < 10; p--)
            if (*p == '.')
                return (p[1] | 32) >= 'a' && (p[1] | 32) <= 'z' ? p : end;
        return end;
    }
    return (end[1] | 32) >= 'a' && (end[1] | 32) <= 'z' ? end : "";
}

/* Extensions come from users: nothing but letters, digits and the like gets into a name of ours. */
static void copy_extension(const char *from, char into[EXTENSION_MOST + 1])
{
    size_t n = 0;
    for (; from[n] && n < EXTENSION_MOST; n++) {
        char c = from[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._-", c);
        into[n] = plain ? c : '_';
    }
    into[n] = '\0';
}

/* `sequence` tells files of one name apart: the folder holds one run's only. */
static status make_name(const struct ingest_options *o, const struct ingest_file *f, uint32_t sequence,
                        struct buf *path, struct error *err)
{
    char extension[EXTENSION_MOST + 1];
    copy_extension(extension_of(f->name), extension);
    struct file_name_parts parts = {
        .run_micros = o->convert.run_micros,
        .source = str_of(f->name),
        .run_id = o->convert.run_id,
        .job = o->convert.job,
        .sequence = sequence,
        .extension = str_of(extension),
    };
    return file_name_make(o->convert.filename_pattern, &parts, path, err);
}

static status land_at(struct ingest_file *f, struct str folder, const struct ingest_options *o, uint32_t sequence,
                      const atomic_bool *cancel, struct error *err)
{
    struct buf relative = {0}, path = {0};
    status s = buf_append_str(&relative, folder, err);
    if (s == OK)
        s = make_name(o, f, sequence, &relative, err);
    if (s == OK)
        s = buf_append(&relative, "", 1, err);
    if (s == OK)
        s = buf_printf(&path, err, "%s/" LANDING_FOLDER "/%s", o->staging, (const char *)relative.data);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s == OK) {
        struct file_copy_options copy = {
            .from = f->path,
            .to = (const char *)path.data,
            .size = f->size,
            .mtime_ns = f->mtime_ns,
            .resolved = !f->upload,
            .link = f->upload,
            .hash = f->change == INGEST_CHANGED && !f->upload && !f->hash[0],
            .cancel = cancel,
        };
        bool hashed = false;
        struct file_hash h;
        s = file_copy(&copy, &hashed, &h, err);
        if (s == OK && hashed)
            snprintf(f->hash, sizeof f->hash, "%016llx%016llx", (unsigned long long)h.high, (unsigned long long)h.low);
    }
    if (s != OK) {
        buf_release(&relative);
        buf_release(&path);
        return s;
    }
    f->landed_relative = (char *)relative.data;
    f->landed = (char *)path.data;
    f->landing_folder = strndup(folder.p, folder.n ? folder.n - 1 : 0);
    return f->landing_folder ? OK : error_no_memory(err, folder.n);
}

static status land_one(struct ingest_files *files, size_t at, struct str folder, const struct ingest_options *o,
                       const atomic_bool *cancel, struct error *err)
{
    status s = land_at(&files->items[at], folder, o, 0, cancel, err);
    for (uint32_t sequence = (uint32_t)at + (at == 0); s == ERR_EXISTS; sequence++) /* two folders, one name */
        s = land_at(&files->items[at], folder, o, sequence, cancel, err);
    return s;
}

status ingest_land(struct ingest_files *files, const struct ingest_options *options, const atomic_bool *cancel,
                   struct error *err)
{
    struct buf folder = {0}, path = {0};
    status s = partition_date_path(str_of(options->landing_partition), options->convert.run_micros, &folder, err);
    if (s == OK)
        s = buf_printf(&path, err, "%s/" LANDING_FOLDER "/%.*s", options->staging, (int)folder.len,
                       (const char *)folder.data);
    while (s == OK && path.data[path.len - 1] == '/')
        path.len--;
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s == OK)
        s = dir_make_all((const char *)path.data, NULL, err);
    for (size_t i = 0; s == OK && i < files->count; i++)
        s = cancel && atomic_load(cancel) ? error_set(err, ERR_CANCELLED, "cancelled")
                                          : land_one(files, i, buf_str(&folder), options, cancel, err);
    buf_release(&folder);
    buf_release(&path);
    return s;
}

status ingest_land_finish(const struct ingest_files *files, const atomic_bool *cancel, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < files->count; i++)
        s = cancel && atomic_load(cancel) ? error_set(err, ERR_CANCELLED, "cancelled")
                                          : file_sync(files->items[i].landed, err);
    return s;
}
