#include "job/dataset_merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/dataset_session.h"

#define RUN_ID_LENGTH 26

static bool is_run_id(const char *text)
{
    return strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz") == RUN_ID_LENGTH &&
           strncmp(text + RUN_ID_LENGTH, ".", 1) == 0;
}

/* "dt=1/sales-<earlier run>.parquet" becomes "dt=1/sales-<this run>.parquet": no final name is ever used twice, and
 * none grows from merge to merge. */
static char *renamed(const char *relative, const char *run_id)
{
    const char *name = strrchr(relative, '/');
    name = name ? name + 1 : relative;
    const char *end = strrchr(name, '.');
    size_t n = end ? (size_t)(end - relative) : strlen(relative);
    if (n - (size_t)(name - relative) > RUN_ID_LENGTH + 1 && relative[n - RUN_ID_LENGTH - 1] == '-' &&
        is_run_id(relative + n - RUN_ID_LENGTH))
        n -= RUN_ID_LENGTH + 1;
    char *made = NULL;
    return asprintf(&made, "%.*s-%s%s", (int)n, relative, run_id, end ? end : "") < 0 ? NULL : made;
}

static status add_older(struct dataset_merge *m, const struct task *task, size_t i, const json_t *file,
                        struct error *err)
{
    const json_t *target = json_object_get(task->payload, "target");
    const char *path = json_text(file, "path", ""), *folder = json_text(target, "folder", "");
    const char *lake = json_text(task->payload, "lake", "");
    size_t n = strlen(folder);
    if (n == 0 || strncmp(path, folder, n) != 0 || path[n] != '/')
        return error_set(err, ERR_INTERNAL, "file '%s' does not lie below '%s'", path, folder);
    char *absolute = NULL;
    if (asprintf(&absolute, "%s/%s", lake, path) < 0)
        return error_no_memory(err, strlen(path));
    m->texts[2 * i] = absolute;
    m->texts[2 * i + 1] = renamed(path + n + 1, json_text(task->payload, "run_id", "run"));
    if (!m->texts[2 * i + 1])
        return error_no_memory(err, strlen(path));
    m->files[i] = (struct merge_file){absolute, m->texts[2 * i + 1], (uint64_t)json_int(file, "rows", 0)};
    m->ids[i] = json_int(file, "id", -1);
    m->partitions[i] = json_text(file, "partition", "");
    return OK;
}

static status add_newer(struct dataset_merge *m, const struct task *task, size_t i, const struct convert_file *file,
                        struct error *err)
{
    /* <staging>/data/<relative> */
    size_t n = strlen(json_text(task->payload, "staging", "")) + strlen("/data/");
    m->texts[2 * i] = strdup(file->path);
    m->texts[2 * i + 1] = strdup(file->path + n);
    if (!m->texts[2 * i] || !m->texts[2 * i + 1])
        return error_no_memory(err, strlen(file->path));
    m->files[i] = (struct merge_file){m->texts[2 * i], m->texts[2 * i + 1], file->rows};
    m->partitions[i] = file->partition;
    return OK;
}

static status list_files(struct dataset_merge *m, const struct task *task, const struct convert_result *written,
                         struct error *err)
{
    const json_t *older = json_object_get(json_object_get(task->payload, "target"), "files"), *file;
    size_t count = json_array_size(older) + written->file_count, i;
    m->older_count = json_array_size(older);
    m->newer_count = written->file_count;
    m->files = calloc(count + 1, sizeof *m->files);
    m->outcomes = calloc(count + 1, sizeof *m->outcomes);
    m->ids = calloc(count + 1, sizeof *m->ids);
    m->texts = calloc(2 * count + 1, sizeof *m->texts);
    m->partitions = calloc(count + 1, sizeof *m->partitions);
    if (!m->files || !m->outcomes || !m->ids || !m->texts || !m->partitions)
        return error_no_memory(err, count * sizeof *m->files);
    status s = OK;
    json_array_foreach(older, i, file)
    {
        s = add_older(m, task, i, file, err);
        if (s != OK)
            return s;
    }
    for (i = 0; s == OK && i < m->newer_count; i++)
        s = add_newer(m, task, m->older_count + i, &written->files[i], err);
    return s;
}

static status run(struct dataset_merge *m, const struct task *task, enum convert_compression compression,
                  struct error *err)
{
    const json_t *list = json_object_get(json_object_get(task->payload, "job"), "merge_keys");
    size_t count = json_array_size(list);
    struct str *keys = calloc(count + 1, sizeof *keys);
    char *output = NULL, *temp = NULL;
    const char *staging = json_text(task->payload, "staging", "");
    status s = OK;
    if (!keys || asprintf(&output, "%s/merged", staging) < 0 || asprintf(&temp, "%s", staging) < 0)
        s = error_no_memory(err, count * sizeof *keys);
    for (size_t i = 0; s == OK && i < count; i++)
        keys[i] = str_of(json_string_value(json_array_get(list, i)));
    if (s == OK) {
        const struct merge_options options = {
            .older = m->files,
            .older_count = m->older_count,
            .newer = m->files + m->older_count,
            .newer_count = m->newer_count,
            .keys = keys,
            .key_count = count,
            .output = output,
            .temp_dir = temp,
            .compression = compression,
            .threads = dataset_threads(task),
            .memory = dataset_memory(task),
            .cancel = task->cancel,
        };
        s = merge_files(&options, m->outcomes, m->outcomes + m->older_count, err);
    }
    free(keys);
    free(output);
    free(temp);
    return s;
}

status dataset_merge(struct dataset_merge *merge, const struct task *task, const struct convert_result *written,
                     enum convert_compression compression, struct error *err)
{
    *merge = (struct dataset_merge){0};
    status s = list_files(merge, task, written, err);
    if (s == OK)
        s = run(merge, task, compression, err);
    for (size_t i = 0; s == OK && i < merge->older_count + merge->newer_count; i++)
        *(i < merge->older_count ? &merge->replaced : &merge->deduped) += merge->outcomes[i].lost;
    if (s != OK)
        dataset_merge_release(merge);
    return s;
}

void dataset_merge_release(struct dataset_merge *m)
{
    for (size_t i = 0; m->texts && i < 2 * (m->older_count + m->newer_count); i++)
        free(m->texts[i]);
    free(m->texts);
    free(m->files);
    free(m->outcomes);
    free(m->ids);
    free(m->partitions);
    *m = (struct dataset_merge){0};
}
