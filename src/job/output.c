#include "job/output.h"

#include <stdlib.h>

#include "job/output_file.h"
#include "job/output_names.h"
#include "job/output_partitions.h"
#include "lake/file_name.h"
#include "lake/staging.h"

struct output {
    struct output_plan plan;
    const struct convert_options *options;
    struct parquet_options parquet;
    struct staging *staging;
    struct output_names names;            /* of files in a folder */
    struct output_file *files;            /* unless partitioned by column: one, or one an input */
    size_t file_count, current;           /* the file that may be open */
    char *folder;                         /* of all of them: the date's partition path, or "" */
    struct output_partitions *partitions; /* when partitioned by column */
    uint64_t bytes_raw;
};

static bool by_column(const struct output *o)
{
    return o->options->partition_column_count > 0;
}

/* The files' folder below a directory destination: the partition path by date. */
static status name_folder(struct output *o, struct error *err)
{
    const struct convert_options *options = o->options;
    struct buf path = {0};
    status s = OK;
    if (o->plan.directory && options->partition_date.n)
        s = partition_date_path(options->partition_date, options->run_micros, &path, err);
    while (path.len > 0 && path.data[path.len - 1] == '/')
        path.len--;
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s != OK) {
        buf_release(&path);
        return s;
    }
    o->folder = (char *)path.data;
    return OK;
}

static status name_file(struct output *o, size_t at, struct error *err)
{
    struct buf path = {0};
    status s = OK;
    if (o->folder[0])
        s = buf_printf(&path, err, "%s/", o->folder);
    if (s == OK && o->plan.directory)
        s = buf_append_str(&path, str_of(output_names_of(&o->names, at)), err);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s != OK) {
        buf_release(&path);
        return s;
    }
    o->files[at] = (struct output_file){.plan = &o->plan, .staging = o->staging, .relative = (char *)path.data};
    return OK;
}

static status name_files(struct output *o, struct error *err)
{
    size_t count = o->options->split_inputs ? o->options->input_count : 1;
    o->files = calloc(count, sizeof *o->files);
    if (!o->files)
        return error_no_memory(err, count * sizeof *o->files);
    o->file_count = count;
    status s = name_folder(o, err);
    for (size_t i = 0; s == OK && i < count; i++)
        s = name_file(o, i, err);
    return s;
}

static status check_patterns(const struct convert_options *options, struct error *err)
{
    status s = OK;
    if (options->partition_date.n)
        s = partition_date_check(options->partition_date, err);
    if (s == OK && options->filename_pattern.n)
        s = file_name_check(options->filename_pattern, err);
    return s;
}

status output_create(struct output **output, const struct output_plan *plan, const struct convert_options *options,
                     struct error *err)
{
    status s = check_patterns(options, err);
    if (s != OK)
        return s;
    struct output *o = calloc(1, sizeof *o);
    if (!o)
        return error_no_memory(err, sizeof *o);
    *o = (struct output){.plan = *plan, .options = options};
    o->parquet = output_parquet_options(plan, options);
    struct staging_options staging = {
        .destination = options->output,
        .directory = plan->directory,
        .overwrite = options->overwrite,
        .run_id = options->run_id.p,
        .sync = options->sync,
    };
    s = staging_create(&o->staging, &staging, err);
    if (s == OK && plan->directory)
        s = output_names_make(&o->names, options, plan, err);
    if (s == OK && by_column(o))
        s = output_partitions_create(&o->partitions, &o->plan, options, o->staging, &o->names, err);
    else if (s == OK)
        s = name_files(o, err);
    if (s != OK) {
        output_free(o);
        return s;
    }
    *output = o;
    return OK;
}

status output_worker_init(const struct output *o, struct output_worker *worker, struct error *err)
{
    *worker = (struct output_worker){0};
    return o->plan.format == FORMAT_PARQUET ? parquet_encoder_create(&worker->encoder, &o->parquet, err) : OK;
}

status output_encode(const struct output *o, struct output_worker *worker, const struct batch *batch,
                     struct output_item *item, struct error *err)
{
    if (by_column(o))
        return output_partitions_split(o->partitions, batch, &item->split, err);
    if (batch->rows == 0)
        return OK;
    if (o->plan.format == FORMAT_PARQUET)
        return parquet_encode(worker->encoder, batch, &item->group, err);
    buf_clear(&item->bytes);
    return output_text_encode(&o->plan, o->options->level, batch, &worker->text, &item->bytes, err);
}

status output_deliver(struct output *o, struct output_worker *worker, const struct batch *batch,
                      struct output_item *item, struct error *err)
{
    if (batch->rows == 0)
        return OK;
    if (by_column(o))
        return output_partitions_add(o->partitions, worker, batch, item->input, &item->split, err);
    size_t at = o->file_count > 1 ? item->input : 0;
    struct output_file *file = &o->files[at];
    status s = OK;
    if (at != o->current) {
        if (o->files[o->current].sink.ops)
            s = output_file_pause(&o->files[o->current], err);
        o->current = at;
    }
    if (s == OK)
        s = output_file_begin(file, &o->parquet, err);
    if (s != OK)
        return s;
    if (o->plan.format == FORMAT_PARQUET) {
        o->bytes_raw += item->group.uncompressed_bytes;
        return output_file_add_group(file, &item->group, err);
    }
    if (o->plan.format == FORMAT_CSV && file->rows == 0)
        s = output_text_header(&o->plan, o->options->level, batch->schema, file, err);
    return s == OK ? output_file_add_text(file, &item->bytes, batch->rows, err) : s;
}

status output_list_file(struct convert_result *result, const char *destination, const struct output_file *file,
                        size_t input, struct str folder, struct error *err)
{
    const char *relative = file->relative;
    struct convert_file *files = realloc(result->files, (result->file_count + 1) * sizeof *files);
    if (!files)
        return error_no_memory(err, (result->file_count + 1) * sizeof *files);
    result->files = files;
    struct buf path = {0};
    size_t n = strlen(destination);
    while (relative[0] && n > 1 && destination[n - 1] == '/')
        n--;
    status s = buf_append(&path, destination, n, err);
    if (s == OK && relative[0])
        s = buf_printf(&path, err, "/%s", relative);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    while (folder.n && folder.p[folder.n - 1] == '/')
        folder.n--;
    char *partition = s == OK ? strndup(folder.n ? folder.p : "", folder.n) : NULL;
    if (s == OK && !partition)
        s = error_no_memory(err, folder.n + 1);
    if (s != OK) {
        buf_release(&path);
        return s;
    }
    files[result->file_count++] = (struct convert_file){
        .path = (char *)path.data, .rows = file->rows, .bytes = file->bytes, .input = input, .partition = partition};
    result->rows_written += file->rows;
    result->bytes_out += file->bytes;
    return OK;
}

status output_finish(struct output *o, struct output_worker *worker, const struct schema *schema,
                     struct convert_result *result, struct error *err)
{
    if (by_column(o))
        return output_partitions_finish(o->partitions, worker, schema, result, err);
    status s = OK;
    for (size_t i = 0; s == OK && i < o->file_count; i++) {
        s = output_file_begin(&o->files[i], &o->parquet, err); /* no row came: a file with no rows */
        if (s == OK)
            s = output_file_end(&o->files[i], schema, o->options->level, err);
        if (s == OK)
            s = output_list_file(result, o->options->output, &o->files[i], i, str_of(o->folder), err);
    }
    return s;
}

status output_publish(struct output *o, struct error *err)
{
    return staging_publish(o->staging, err);
}

bool output_is_published(const struct output *o)
{
    return o && staging_is_published(o->staging);
}

uint64_t output_bytes_raw(const struct output *o)
{
    return o->partitions ? output_partitions_bytes_raw(o->partitions) : o->bytes_raw;
}

uint64_t output_bytes_written(const struct output *o)
{
    if (o->partitions)
        return output_partitions_bytes_written(o->partitions);
    uint64_t total = 0;
    for (size_t i = 0; i < o->file_count; i++)
        total += o->files[i].bytes;
    return total;
}

void output_worker_release(struct output_worker *worker)
{
    parquet_encoder_free(worker->encoder);
    buf_release(&worker->text);
    *worker = (struct output_worker){0};
}

void output_item_release(struct output_item *item)
{
    parquet_row_group_release(&item->group);
    buf_release(&item->bytes);
    partition_split_release(&item->split);
}

void output_free(struct output *o)
{
    if (!o)
        return;
    output_partitions_free(o->partitions);
    for (size_t i = 0; i < o->file_count; i++)
        output_file_release(&o->files[i]);
    free(o->files);
    free(o->folder);
    output_names_release(&o->names);
    staging_free(o->staging);
    free(o);
}
