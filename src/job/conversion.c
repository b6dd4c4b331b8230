/* Setting a conversion up and taking it down; the passes themselves are in convert_pass.c. */
#include <stdlib.h>

#include "job/convert_pass.h"
#include "sql/parquet_source.h"

/* One chunk of text becomes one row group: not beyond what makes a good one. */
#define CHUNK_MOST (16u << 20)
#define CHUNK_LEAST (64u << 10)

#define CELL_BYTES 6 /* with its delimiter: of cells that are shorter, the columns outgrow the text */

/* Bytes of a cell on average, as the head shows it; CELL_BYTES when it does not. */
static size_t cell_bytes(const struct input_plan *plan)
{
    size_t least = CELL_BYTES;
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_input *in = &plan->inputs[i];
        size_t lines = 1;
        for (size_t k = 0; k < in->head.len; k++)
            lines += in->head.data[k] == '\n';
        size_t average = in->format == FORMAT_CSV ? in->head.len / (lines * (in->name_count ? in->name_count : 1)) : 0;
        if (lines > 100 && average < least && in->format == FORMAT_CSV)
            least = average ? average : 1;
    }
    return least;
}

/* A chunk's text, its columns, its encoded pages and the encoder's scratch take about 5 times the text. */
static size_t chunk_bytes(size_t memory, size_t slots, const struct input_plan *plan)
{
    size_t bytes = memory * 3 / 16 / slots;
    if (bytes > CHUNK_MOST)
        bytes = CHUNK_MOST;
    bytes = bytes * cell_bytes(plan) / CELL_BYTES;
    return bytes > CHUNK_MOST ? CHUNK_MOST : bytes < CHUNK_LEAST ? CHUNK_LEAST : bytes;
}

bool conversion_tells_inputs(const struct conversion *c)
{
    return c->options->split_inputs || c->filter;
}

status conversion_open_stream(struct conversion *c, size_t first, size_t count, struct error *err)
{
    if (c->options->open_stream) {
        if (c->stream_opened)
            return error_set(err, ERR_INTERNAL, "a source that can be read once was to be read again");
        c->stream_opened = true;
        return c->options->open_stream(c->options->stream_self, &c->stream, err);
    }
    const char **paths = calloc(count, sizeof *paths);
    if (!paths)
        return error_no_memory(err, count * sizeof *paths);
    for (size_t i = 0; i < count; i++)
        paths[i] = c->plan->inputs[first + i].path;
    struct parquet_source_options options = {
        .paths = paths,
        .path_count = count,
        .memory = c->options->memory / 2,
        .threads = (unsigned)c->options->threads,
    };
    uint64_t rows;
    status s = parquet_source_open(&c->stream, &options, &rows, err);
    free(paths);
    if (err && (s == ERR_BAD_DATA || s == ERR_IO) && !err->hint[0])
        error_hint(err, "the file is truncated or damaged, or no Parquet: fetch it again");
    return s;
}

status conversion_reset_dedupe(struct conversion *c, struct error *err)
{
    const struct convert_options *o = c->options;
    const struct schema *schema = &c->types.newest->schema;
    for (size_t i = 0; i < o->dedupe_key_count; i++)
        c->key_columns[i] = schema_find(schema, o->dedupe_keys[i]);
    struct dedupe_options options = {
        .keys = c->key_columns,
        .key_count = o->dedupe_key_count,
        .order_by = o->order_by.n ? schema_find(schema, o->order_by) : -1,
        .memory = o->memory / 4,
        .temp_dir = o->temp_dir,
    };
    dedupe_free(c->dedupe);
    c->dedupe = NULL;
    return dedupe_create(&c->dedupe, &options, err);
}

/* The columns of typed input are those of its schema. */
static status plan_stream(struct conversion *c, struct error *err)
{
    status s = conversion_open_stream(c, 0, c->plan->count, err);
    if (s == OK)
        s = input_plan_from_schema(c->plan, c->stream.ops->schema(c->stream.self), c->options, c->result, err);
    return s;
}

static status prepare_watermark(struct conversion *c, struct error *err)
{
    const struct convert_watermark *w = &c->options->watermark;
    status s = OK;
    c->watermark_column = w->column.n ? schema_find(&c->types.newest->schema, w->column) : -1;
    if (c->watermark_column >= 0 && w->last.p)
        s = watermark_filter_create(&c->filter, w->column, c->types.newest->schema.fields[c->watermark_column].type,
                                    w->last, w->ties, w->tie_count, err);
    if (s == OK && c->plan->format == FORMAT_PARQUET && !c->options->open_stream && conversion_tells_inputs(c)) {
        batch_stream_release(&c->stream); /* it was for the common schema */
        c->stream_schemas = calloc(c->plan->count, sizeof *c->stream_schemas);
        if (!c->stream_schemas)
            s = error_no_memory(err, c->plan->count * sizeof *c->stream_schemas);
    }
    return s;
}

status conversion_init(struct conversion *c, const struct convert_options *options, struct input_plan *plan,
                       const struct output_plan *output_plan, struct convert_result *result, struct error *err)
{
    *c = (struct conversion){.options = options, .plan = plan, .output_plan = output_plan, .result = result};
    pthread_mutex_init(&c->types_lock, NULL);
    c->slot_count = options->threads + 1;
    c->chunk_bytes = chunk_bytes(options->memory, c->slot_count, plan);
    c->slots = calloc(c->slot_count, sizeof *c->slots);
    c->workers = calloc(options->threads, sizeof *c->workers);
    c->key_columns = calloc(options->dedupe_key_count + 1, sizeof *c->key_columns);
    if (!c->slots || !c->workers || !c->key_columns)
        return error_no_memory(err, c->slot_count * sizeof *c->slots);
    c->worker_count = options->threads;
    for (size_t i = 0; i < c->worker_count; i++)
        c->workers[i].decoder_input = SIZE_MAX;
    status s = plan->format == FORMAT_PARQUET ? plan_stream(c, err) : OK;
    if (s == OK)
        s = column_types_init(&c->types, plan->columns, plan->column_count, err);
    if (s == OK)
        s = rejects_create(&c->rejects, options, result, err);
    if (s == OK)
        s = prepare_watermark(c, err);
    if (s == OK && options->dedupe_key_count && !options->keep_duplicates)
        s = conversion_reset_dedupe(c, err);
    return s;
}

void conversion_release(struct conversion *c)
{
    for (size_t i = 0; i < c->worker_count; i++) {
        struct conversion_worker *w = &c->workers[i];
        text_decoder_free(&w->decoder);
        output_worker_release(&w->output);
        buf_release(&w->keep);
        free(w->targets);
    }
    for (size_t i = 0; c->slots && i < c->slot_count; i++) {
        struct conversion_slot *slot = &c->slots[i];
        chunk_buffer_release(&slot->buffer);
        buf_release(&slot->piece);
        batch_release(&slot->batch);
        decoded_release(&slot->decoded);
        dedupe_rows_release(&slot->keys);
        output_item_release(&slot->item);
        watermark_top_release(&slot->top);
    }
    for (size_t i = 0; c->stream_schemas && i < c->plan->count; i++)
        schema_release(&c->stream_schemas[i]);
    free(c->stream_schemas);
    watermark_filter_free(c->filter);
    watermark_top_release(&c->top);
    free(c->workers);
    free(c->slots);
    free(c->key_columns);
    output_free(c->output);
    rejects_free(c->rejects);
    dedupe_free(c->dedupe);
    buf_release(&c->chunk_rows);
    batch_stream_release(&c->stream);
    column_types_release(&c->types);
    if (c->options)
        pthread_mutex_destroy(&c->types_lock);
}
