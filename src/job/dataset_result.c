#include "job/dataset_result.h"

#include "job/report_json.h"

static status add_file(const struct dataset_outcome *d, json_t *files, const char *folder, const char *relative,
                       const char *partition, uint64_t rows, uint64_t bytes, int64_t rewrites, struct error *err)
{
    struct buf path = {0}, staged = {0};
    json_t *file = json_object();
    status s = buf_printf(&path, err, "%s/%s", json_text(d->target, "folder", ""), relative);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s == OK)
        s = buf_printf(&staged, err, "%s/%s", folder, relative);
    if (s == OK)
        s = buf_append(&staged, "", 1, err);
    if (s == OK)
        s = json_put_text(file, "layer", json_text(d->target, "layer", "silver"), err);
    if (s == OK)
        s = json_put_text(file, "path", (const char *)path.data, err);
    if (s == OK)
        s = json_put_text(file, "staged", (const char *)staged.data, err);
    if (s == OK)
        s = json_put_text(file, "partition", partition ? partition : "", err);
    if (s == OK)
        s = json_put_int(file, "rows", (int64_t)rows, err);
    if (s == OK)
        s = json_put_int(file, "bytes", (int64_t)bytes, err);
    if (s == OK)
        s = json_put_text(file, "format", "parquet", err);
    if (s == OK)
        s = json_put_text(file, "source_uri", NULL, err);
    if (s == OK && rewrites >= 0)
        s = json_put_int(file, "rewrites", rewrites, err);
    buf_release(&path);
    buf_release(&staged);
    if (s == OK)
        return json_add(files, file, err);
    json_decref(file);
    return s;
}

/* No file for no rows, unless it is all that the dataset will be. */
static bool is_wanted(const struct dataset_outcome *d, uint64_t rows)
{
    return rows > 0 || (d->full && d->written->rows_written == 0);
}

static status add_new_files(const struct dataset_outcome *d, json_t *files, uint64_t *bytes, struct error *err)
{
    size_t prefix = d->prefix;
    status s = OK;
    for (size_t i = 0; s == OK && i < d->written->file_count; i++) {
        const struct convert_file *file = &d->written->files[i];
        const struct merge_outcome *outcome = d->merge ? &d->merge->outcomes[d->merge->older_count + i] : NULL;
        bool rewritten = outcome && outcome->rewritten;
        uint64_t rows = rewritten ? outcome->rows : file->rows, size = rewritten ? outcome->bytes : file->bytes;
        if (!is_wanted(d, rows))
            continue;
        *bytes += size;
        s = add_file(d, files, rewritten ? "merged" : "data", file->path + prefix, file->partition, rows, size, -1,
                     err);
    }
    return s;
}

static status add_rewritten_files(const struct dataset_outcome *d, json_t *files, json_t *removes, uint64_t *bytes,
                                  struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && d->merge && i < d->merge->older_count; i++) {
        const struct merge_outcome *outcome = &d->merge->outcomes[i];
        if (!outcome->rewritten)
            continue;
        s = json_add(removes, json_integer(d->merge->ids[i]), err);
        *bytes += outcome->bytes;
        if (s == OK && outcome->rows > 0)
            s = add_file(d, files, "merged", d->merge->files[i].relative, d->merge->partitions[i], outcome->rows,
                         outcome->bytes, d->merge->ids[i], err);
    }
    return s;
}

static status put_rows(const struct dataset_outcome *d, json_t *result, struct error *err)
{
    uint64_t deduped = d->merge ? d->merge->deduped : 0;
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {
        {"read", d->written->rows_read},
        {"written", d->written->rows_written - deduped},
        {"rejected", 0},
        {"deduped", deduped},
        {"filtered", 0},
        {"replaced", d->merge ? d->merge->replaced : 0},
    };
    json_t *rows = json_object();
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(counts); i++)
        s = json_put_int(rows, counts[i].key, (int64_t)counts[i].n, err);
    if (s == OK)
        return json_put(result, "rows", rows, err);
    json_decref(rows);
    return s;
}

/* A list of the result that is filled in later. */
static status put_list(json_t *result, const char *key, json_t **list, struct error *err)
{
    *list = json_array();
    return json_put(result, key, *list, err);
}

static status fill(const struct dataset_outcome *d, json_t *result, struct error *err)
{
    json_t *files = NULL, *removes = NULL, *unused = NULL;
    uint64_t bytes = 0;
    status s = put_rows(d, result, err);
    if (s == OK)
        s = put_list(result, "files", &files, err);
    if (s == OK)
        s = put_list(result, "removes", &removes, err);
    if (s == OK)
        s = add_new_files(d, files, &bytes, err);
    if (s == OK)
        s = add_rewritten_files(d, files, removes, &bytes, err);
    if (s == OK)
        s = json_put_int(result, "bytes_in", (int64_t)d->bytes_in, err);
    if (s == OK)
        s = json_put_int(result, "bytes_out", (int64_t)bytes, err);
    if (s == OK)
        s = json_put(result, "schema", report_schema(d->united), err);
    if (s == OK)
        s = json_put_bool(result, "replace_all", d->full, err);
    if (s == OK)
        s = json_put(result, "watermark", json_null(), err);
    if (s == OK)
        s = put_list(result, "ledger", &unused, err);
    if (s == OK)
        s = put_list(result, "warnings", &unused, err);
    if (s == OK)
        s = json_put(result, "rejects_by_code", json_object(), err);
    if (s == OK)
        s = json_put_int(result, "skipped_files", 0, err);
    return s;
}

status dataset_result(const struct dataset_outcome *outcome, json_t **result, struct error *err)
{
    json_t *made = json_object();
    status s = made ? fill(outcome, made, err) : error_no_memory(err, 64);
    if (s == OK)
        *result = made;
    else
        json_decref(made);
    return s;
}
