#include <stdio.h>
#include <stdlib.h>

#include "job/ingest.h"

/* ".r" and the run's mark before the extension; what an earlier merge put there goes, so that names do not grow. */
static status rewritten_name(const struct ingest_options *o, const char *path, const char *partition, char **relative,
                             struct error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t stem = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    const char *mark = NULL;
    for (const char *p = name; p + 2 < name + stem; p++)
        if (p[0] == '.' && p[1] == 'r' && p[2] == '-')
            mark = p;
    if (mark && (size_t)(name + stem - mark) <= sizeof o->name_suffix + 2)
        stem = (size_t)(mark - name);
    while (partition[0] && partition[strlen(partition) - 1] == '/')
        return error_set(err, ERR_INVALID, "payload: the partition '%.100s' ends in '/'", partition);
    if (asprintf(relative, "%s%s%.*s.r%s.parquet", partition, partition[0] ? "/" : "", (int)stem, name,
                 o->name_suffix) >= 0)
        return OK;
    *relative = NULL;
    return error_no_memory(err, stem);
}

struct merge_lists {
    struct merge_file *older, *newer;
    struct merge_outcome *outcomes; /* of older, as merge_files gives them */
    size_t *at;                     /* parallel to older: which of ingest->older */
    char **paths;
    size_t count;
};

static status list_older(struct ingest *g, struct merge_lists *l, struct error *err)
{
    for (size_t i = 0; i < g->older_count; i++) {
        const char *path = json_text(g->older[i], "path", ""), *format = json_text(g->older[i], "format", "parquet");
        if (g->replaced[i])
            continue;
        if (strcmp(format, "parquet") != 0) {
            status s = error_set(err, ERR_UNSUPPORTED, "%.300s is %.20s: rows are merged by key in Parquet only", path,
                                 format);
            error_hint(err, "run the job once in full mode to make the dataset anew as Parquet");
            return s;
        }
        status s =
            rewritten_name(&g->options, path, json_text(g->older[i], "partition", ""), &g->rewritten_relative[i], err);
        if (s != OK)
            return s;
        if (asprintf(&l->paths[l->count], "%s/%s", g->options.lake, path) < 0) {
            l->paths[l->count] = NULL;
            return error_no_memory(err, strlen(path));
        }
        l->older[l->count] = (struct merge_file){
            .path = l->paths[l->count],
            .relative = g->rewritten_relative[i],
            .rows = (uint64_t)json_int(g->older[i], "rows", 0),
        };
        l->at[l->count++] = i;
    }
    return OK;
}

static status lists_make(struct ingest *g, struct merge_lists *l, struct error *err)
{
    size_t older = g->older_count + 1, newer = g->result.file_count + 1;
    l->older = calloc(older, sizeof *l->older);
    l->outcomes = calloc(older, sizeof *l->outcomes);
    l->at = calloc(older, sizeof *l->at);
    l->paths = calloc(older, sizeof *l->paths);
    l->newer = calloc(newer, sizeof *l->newer);
    g->rewritten = calloc(older, sizeof *g->rewritten);
    g->rewritten_relative = calloc(older, sizeof *g->rewritten_relative);
    g->lost = calloc(newer, sizeof *g->lost);
    if (!l->older || !l->outcomes || !l->at || !l->paths || !l->newer || !g->rewritten || !g->rewritten_relative ||
        !g->lost)
        return error_no_memory(err, (older + newer) * sizeof *l->older);
    for (size_t i = 0; i < g->result.file_count; i++)
        l->newer[i] = (struct merge_file){
            .path = g->result.files[i].path, .relative = ingest_relative(g, i), .rows = g->result.files[i].rows};
    return list_older(g, l, err);
}

status ingest_merge(struct ingest *g, struct error *err)
{
    struct merge_lists l = {0};
    char *output = NULL;
    status s = lists_make(g, &l, err);
    if (s == OK && asprintf(&output, "%s/" INGEST_MERGED, g->options.staging) < 0) {
        output = NULL;
        s = error_no_memory(err, strlen(g->options.staging));
    }
    if (s == OK && l.count > 0) {
        struct merge_options how = {
            .older = l.older,
            .older_count = l.count,
            .newer = l.newer,
            .newer_count = g->result.file_count,
            .keys = g->convert.dedupe_keys,
            .key_count = g->convert.dedupe_key_count,
            .order_by = g->convert.order_by,
            .output = output,
            .temp_dir = g->convert.temp_dir,
            .compression = g->convert.compression,
            .threads = g->convert.threads,
            .memory = g->convert.memory,
            .cancel = g->convert.cancel,
        };
        s = merge_files(&how, l.outcomes, g->lost, err);
        g->merged = s == OK;
    }
    for (size_t i = 0; s == OK && i < l.count; i++)
        g->rewritten[l.at[i]] = l.outcomes[i];
    for (size_t i = 0; i < l.count; i++)
        free(l.paths[i]);
    free(l.older);
    free(l.outcomes);
    free(l.at);
    free(l.paths);
    free(l.newer);
    free(output);
    return s;
}
