#include "job/convert_staged.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* All that concerns single rows happens here: names, types, bad rows, what the watermark filters. */
static status stage(const struct convert_options *options, const char *path, struct convert_result *result,
                    struct error *err)
{
    struct convert_options o = *options;
    o.keep_duplicates = true;
    o.output = path;
    o.to = FORMAT_PARQUET;
    o.compression = COMPRESSION_SNAPPY;
    o.level = 0;
    o.partition_column_count = 0;
    o.partition_date = o.filename_pattern = (struct str){0};
    o.split_inputs = o.sync = o.dry_run = false;
    o.overwrite = true;
    return convert_run(&o, result, err);
}

static status deduplicate(const struct convert_options *options, const char *path, const struct schema *schema,
                          struct convert_result *result, struct error *err)
{
    const char *name = convert_input_name(options, 0);
    struct user_column *columns = calloc(schema->count + 1, sizeof *columns);
    if (!columns)
        return error_no_memory(err, schema->count * sizeof *columns);
    for (size_t i = 0; i < schema->count; i++)
        columns[i] = (struct user_column){
            .name = str_of(schema->fields[i].name),
            .type = schema->fields[i].type,
            .not_null = schema->fields[i].not_null,
        };
    struct convert_options o = *options;
    o.open_stream = NULL;
    o.inputs = &path;
    o.input_names = &name;
    o.input_count = 1;
    o.from = FORMAT_PARQUET;
    o.schema = columns;
    o.schema_count = schema->count;
    o.schema_open = o.all_text = o.quarantine = o.limit_reject_ratio = false;
    o.renames = NULL;
    o.rename_count = 0;
    o.watermark = (struct convert_watermark){0};
    status s = convert_run(&o, result, err);
    free(columns);
    return s;
}

#define SWAP(a, b)                                                                                                     \
    do {                                                                                                               \
        __typeof__(a) swap_ = (a);                                                                                     \
        (a) = (b);                                                                                                     \
        (b) = swap_;                                                                                                   \
    } while (0)

/* `result` tells of the source; what became of its rows is `last`'s. */
static void take_outcome(struct convert_result *result, struct convert_result *last)
{
    result->rows_written = last->rows_written;
    result->rows_deduped = last->rows_deduped;
    result->bytes_out = last->bytes_out;
    result->passes += last->passes;
    result->seconds += last->seconds;
    for (int i = 0; i < STAGE_COUNT; i++)
        result->stage_seconds[i] += last->stage_seconds[i];
    result->stage_bytes[STAGE_ENCODE] = last->stage_bytes[STAGE_ENCODE];
    result->stage_bytes[STAGE_WRITE] = last->stage_bytes[STAGE_WRITE];
    SWAP(result->files, last->files);
    SWAP(result->file_count, last->file_count);
}

status convert_staged(const struct convert_options *options, struct convert_result *result, struct error *err)
{
    struct convert_result last = {0};
    char *path = NULL;
    *result = (struct convert_result){0};
    if (asprintf(&path, "%s/rows-before-dedupe.parquet", options->temp_dir) < 0)
        return error_no_memory(err, strlen(options->temp_dir) + 32);
    status s = stage(options, path, result, err);
    uint64_t staged = result->rows_written;
    if (s == OK)
        s = deduplicate(options, path, &result->schema, &last, err);
    if (s == OK)
        take_outcome(result, &last);
    if (s == OK && last.rows_read != staged)
        s = error_set(err, ERR_ACCOUNTING, "%llu rows were staged, and %llu were read again",
                      (unsigned long long)staged, (unsigned long long)last.rows_read);
    unlink(path);
    free(path);
    convert_result_release(&last);
    return s;
}
