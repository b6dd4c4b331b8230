#include "job/output.h"

#include <stdlib.h>

#include "job/output_file.h"
#include "job/output_partitions.h"
#include "lake/file_name.h"
#include "lake/staging.h"

struct output {
    struct output_plan plan;
    const struct convert_options *options;
    struct parquet_options parquet;
    struct staging *staging;
    struct output_file file;              /* unless partitioned by column */
    struct output_partitions *partitions; /* when it is */
    uint64_t bytes_raw;
    bool header_written;
};

static bool by_column(const struct output *o)
{
    return o->options->partition_column_count > 0;
}

/* The one file's place below a directory destination: partition path by date, and the name from the pattern. */
static status name_single_file(struct output *o, struct error *err)
{
    const struct convert_options *options = o->options;
    struct buf path = {0};
    status s = OK;
    if (o->plan.directory && options->partition_date.n)
        s = partition_date_path(options->partition_date, options->run_micros, &path, err);
    if (s == OK && path.len > 0 && path.data[path.len - 1] != '/')
        s = buf_append(&path, "/", 1, err);
    if (s == OK && o->plan.directory)
        s = output_file_name(options, &o->plan, 0, &path, err);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    if (s != OK) {
        buf_release(&path);
        return s;
    }
    o->file = (struct output_file){.plan = &o->plan, .staging = o->staging, .relative = (char *)path.data};
    return OK;
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
    if (s == OK && by_column(o))
        s = output_partitions_create(&o->partitions, &o->plan, options, o->staging, err);
    else if (s == OK)
        s = name_single_file(o, err);
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
        return output_partitions_add(o->partitions, worker, batch, &item->split, err);
    status s = output_file_begin(&o->file, &o->parquet, err);
    if (s != OK)
        return s;
    if (o->plan.format == FORMAT_PARQUET) {
        o->bytes_raw += item->group.uncompressed_bytes;
        return output_file_add_group(&o->file, &item->group, err);
    }
    if (o->plan.format == FORMAT_CSV && !o->header_written) {
        s = output_text_header(&o->plan, o->options->level, batch->schema, &o->file, err);
        o->header_written = true;
    }
    return s == OK ? output_file_add_text(&o->file, &item->bytes, batch->rows, err) : s;
}

status output_list_file(struct convert_result *result, const char *destination, const char *relative, uint64_t rows,
                        uint64_t bytes, struct error *err)
{
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
    if (s != OK) {
        buf_release(&path);
        return s;
    }
    files[result->file_count++] = (struct convert_file){.path = (char *)path.data, .rows = rows, .bytes = bytes};
    result->rows_written += rows;
    result->bytes_out += bytes;
    return OK;
}

status output_finish(struct output *o, struct output_worker *worker, const struct schema *schema,
                     struct convert_result *result, struct error *err)
{
    if (by_column(o))
        return output_partitions_finish(o->partitions, worker, schema, result, err);
    status s = output_file_begin(&o->file, &o->parquet, err); /* no row came: a file with no rows */
    if (s == OK)
        s = output_file_end(&o->file, schema, o->options->level, err);
    if (s == OK)
        s = output_list_file(result, o->options->output, o->file.relative, o->file.rows, o->file.bytes, err);
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
    return o->partitions ? output_partitions_bytes_written(o->partitions) : o->file.bytes;
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
    output_file_release(&o->file);
    staging_free(o->staging);
    free(o);
}
