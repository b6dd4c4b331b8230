#include "job/preview.h"

#include <stdlib.h>

#include "job/conform.h"
#include "job/input_plan.h"
#include "sql/parquet_source.h"

/* Keep the first `rows` rows, in plain form. */
static status keep_rows(struct preview *p, const struct batch *from, size_t rows, struct error *err)
{
    for (size_t i = 0; i < p->schema.count; i++)
        p->schema.fields[i].type =
            from->columns[i].type.kind == TYPE_NULL ? (struct data_type){.kind = TYPE_STRING} : from->columns[i].type;
    status s = batch_reset(&p->rows, &p->schema, err);
    if (s == OK)
        s = batch_gather(&p->rows, from, NULL, from->rows < rows ? from->rows : rows, err);
    return s;
}

/* The head's records, decoded under the types that they showed. */
static status decode_head(struct preview *p, struct input_plan *plan, const struct convert_options *options,
                          size_t rows, struct error *err)
{
    struct planned_input *in = &plan->inputs[0];
    struct column_types types = {0};
    struct decoded decoded = {0};
    status s = column_types_init(&types, plan->columns, plan->column_count, err);
    if (s == OK)
        s = planned_input_decode_head(in, options, &types, &decoded, err);
    if (s == OK)
        s = schema_copy(&p->schema, &types.newest->schema, err);
    if (s == OK)
        s = keep_rows(p, &decoded.batch, rows, err);
    if (s == OK)
        s = reject_append_rebased(&p->rejects, &decoded.rejects, 0, in->data_line, err);
    for (size_t i = 0; s == OK && i < p->rejects.count; i++)
        p->rejects.items[i].byte_offset += in->data_start;
    p->records = decoded.records;
    decoded_release(&decoded);
    column_types_release(&types);
    return s;
}

static status read_stream(struct preview *p, struct input_plan *plan, const struct convert_options *options,
                          struct convert_result *result, size_t rows, struct error *err)
{
    struct batch_stream stream = {0};
    struct batch batch = {0};
    struct column_types types = {0};
    struct decoded decoded = {0};
    const char *path = plan->inputs[0].path;
    struct parquet_source_options source = {
        .paths = &path, .path_count = 1, .memory = options->memory, .threads = 1, .batch_rows = rows ? rows : 1};
    uint64_t total = UINT64_MAX;
    status s = options->open_stream ? options->open_stream(options->stream_self, &stream, err)
                                    : parquet_source_open(&stream, &source, &total, err);
    if (s == OK)
        s = input_plan_from_schema(plan, stream.ops->schema(stream.self), options, result, err);
    if (s == OK)
        s = column_types_init(&types, plan->columns, plan->column_count, err);
    if (s == OK)
        s = stream.ops->next(stream.self, &batch, err);
    if (s == OK && batch.rows > 0)
        s = conform_batch(&batch, types.newest, &decoded, err);
    else if (s == OK)
        s = decoded_reset(&decoded, &types.newest->schema, plan->column_count, err);
    if (s == OK)
        s = schema_copy(&p->schema, &types.newest->schema, err);
    if (s == OK)
        s = keep_rows(p, &decoded.batch, rows, err);
    if (s == OK)
        s = reject_append_rebased(&p->rejects, &decoded.rejects, 0, 0, err);
    p->records = decoded.records;
    p->whole = s == OK && (total == p->records || (options->open_stream && p->records < rows));
    decoded_release(&decoded);
    column_types_release(&types);
    batch_release(&batch);
    batch_stream_release(&stream);
    return s;
}

status preview_make(struct preview *preview, const struct convert_options *options, size_t rows, struct error *err)
{
    struct preview p = {0};
    struct input_plan plan = {0};
    struct convert_result result = {0};
    status s = input_plan_make(&plan, options, &result, err);
    if (s == OK && plan.format == FORMAT_PARQUET)
        s = read_stream(&p, &plan, options, &result, rows, err);
    else if (s == OK)
        s = decode_head(&p, &plan, options, rows, err);
    if (s == OK) {
        const struct planned_input *in = &plan.inputs[0];
        p.input = (struct convert_input){.format = in->format, .compression = in->facts.compression, .text = in->text};
        memcpy(p.input.encoding, in->facts.encoding, sizeof p.input.encoding);
        p.encoding_sure = in->facts.encoding_sure;
        p.whole |= in->whole && plan.format != FORMAT_PARQUET;
        p.input.path = strdup(convert_input_name(options, 0));
        if (!p.input.path)
            s = error_no_memory(err, strlen(options->inputs[0]));
    }
    p.warnings = result.warnings;
    p.warning_count = result.warning_count;
    result.warnings = NULL;
    result.warning_count = 0;
    convert_result_release(&result);
    input_plan_release(&plan);
    p.rows.schema = &preview->schema; /* where the schema comes to lie */
    *preview = p;
    if (s != OK)
        preview_release(preview);
    return s;
}

void preview_release(struct preview *p)
{
    free(p->input.path);
    batch_release(&p->rows);
    schema_release(&p->schema);
    reject_release(&p->rejects);
    for (size_t i = 0; i < p->warning_count; i++)
        free(p->warnings[i]);
    free(p->warnings);
    *p = (struct preview){0};
}
