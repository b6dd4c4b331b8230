#include "job/merge_rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "format/parquet/parquet_writer.h"
#include "job/output_file.h"
#include "sql/parquet_source.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/ordered.h"

#define BATCH_BYTES_LEAST ((size_t)1 << 20)
#define BATCH_BYTES_MOST ((size_t)32 << 20)

struct rewrite_slot {
    struct batch batch;
    struct buf keep;
    struct parquet_row_group group;
    uint64_t first_row;
};

struct rewrite {
    const struct dedupe_index *dedupe;
    struct batch_stream stream;
    uint64_t next_row;
    struct parquet_options parquet;
    struct parquet_encoder **encoders; /* one a worker */
    struct rewrite_slot *slots;
    size_t worker_count, slot_count;
    struct buf path;
    struct byte_sink sink;
    struct parquet_writer *writer;
};

size_t merge_slots(const struct merge_options *options)
{
    return options->threads + 1;
}

size_t merge_batch_bytes(const struct merge_options *options)
{
    size_t bytes = options->memory / 12 / merge_slots(options);
    return bytes < BATCH_BYTES_LEAST ? BATCH_BYTES_LEAST : bytes > BATCH_BYTES_MOST ? BATCH_BYTES_MOST : bytes;
}

static status claim(void *self, size_t index, bool *end, struct error *err)
{
    struct rewrite *r = self;
    struct rewrite_slot *slot = &r->slots[index];
    status s = r->stream.ops->next(r->stream.self, &slot->batch, err);
    if (s != OK)
        return s;
    *end = slot->batch.rows == 0;
    slot->first_row = r->next_row;
    r->next_row += slot->batch.rows;
    return OK;
}

static status work(void *self, size_t worker, size_t index, struct error *err)
{
    struct rewrite *r = self;
    struct rewrite_slot *slot = &r->slots[index];
    struct batch *batch = &slot->batch;
    size_t kept = 0;
    status s = buf_resize(&slot->keep, (batch->rows + 7) / 8, err);
    if (s == OK)
        s = dedupe_keep(r->dedupe, slot->first_row, batch->rows, slot->keep.data, &kept, err);
    if (s != OK)
        return s;
    if (kept < batch->rows)
        batch_filter(batch, slot->keep.data, kept);
    return kept ? parquet_encode(r->encoders[worker], batch, &slot->group, err) : OK;
}

static status deliver(void *self, size_t worker, size_t index, struct error *err)
{
    struct rewrite *r = self;
    (void)worker;
    return r->slots[index].batch.rows ? parquet_writer_add(r->writer, &r->slots[index].group, err) : OK;
}

/* The file to write, with its folders. */
static status open_output(struct rewrite *r, const struct merge_options *options, const struct merge_file *file,
                          struct error *err)
{
    status s = buf_printf(&r->path, err, "%s/%s", options->output, file->relative);
    if (s == OK)
        s = buf_append(&r->path, "", 1, err);
    if (s != OK)
        return s;
    char *path = (char *)r->path.data, *name = strrchr(path, '/');
    *name = '\0';
    s = dir_make_all(path, NULL, err);
    *name = '/';
    if (s == OK)
        s = file_sink_create(&r->sink, path, FILE_NEW | FILE_SYNC, err);
    if (s == OK)
        s = parquet_writer_create(&r->writer, &r->sink, &r->parquet, err);
    return s;
}

static status init(struct rewrite *r, const struct merge_options *options, const struct merge_file *file,
                   struct error *err)
{
    r->slots = calloc(r->slot_count, sizeof *r->slots);
    r->encoders = calloc(r->worker_count, sizeof(struct parquet_encoder *));
    if (!r->slots || !r->encoders)
        return error_no_memory(err, r->slot_count * sizeof *r->slots);
    const struct output_plan plan = {
        .compression = options->compression == COMPRESSION_AUTO ? COMPRESSION_SNAPPY : options->compression,
    };
    r->parquet = output_parquet_options(&plan, &(struct convert_options){0});
    status s = OK;
    for (size_t i = 0; s == OK && i < r->worker_count; i++)
        s = parquet_encoder_create(&r->encoders[i], &r->parquet, err);
    const struct parquet_source_options source = {
        .paths = &file->path,
        .path_count = 1,
        .memory = options->memory / 2,
        .threads = (unsigned)options->threads,
        .batch_bytes = merge_batch_bytes(options),
        .keep_fields = true,
    };
    uint64_t rows = 0;
    if (s == OK)
        s = parquet_source_open(&r->stream, &source, &rows, err);
    if (s == OK && rows != file->rows) {
        s = error_set(err, ERR_CHANGED, "%s was changed while it was merged", file->path);
        error_hint(err, "files of a dataset must not be written by anything else");
    }
    return s == OK ? open_output(r, options, file, err) : s;
}

static void release(struct rewrite *r)
{
    for (size_t i = 0; r->slots && i < r->slot_count; i++) {
        batch_release(&r->slots[i].batch);
        buf_release(&r->slots[i].keep);
        parquet_row_group_release(&r->slots[i].group);
    }
    for (size_t i = 0; r->encoders && i < r->worker_count; i++)
        parquet_encoder_free(r->encoders[i]);
    free(r->slots);
    free(r->encoders);
    byte_sink_close(&r->sink);
    parquet_writer_free(r->writer);
    batch_stream_release(&r->stream);
    buf_release(&r->path);
}

/* What the finished file says of itself has to be what was meant to be in it. */
static status check_rows(const char *path, uint64_t expected, struct error *err)
{
    uint64_t stated = 0;
    status s = output_file_stated_rows(path, &stated, err);
    if (s == OK && stated != expected)
        s = error_set(err, ERR_ACCOUNTING, "%s states %llu rows, but %llu rows were to be kept in it", path,
                      (unsigned long long)stated, (unsigned long long)expected);
    return s;
}

status merge_rewrite(const struct merge_options *options, const struct merge_file *file,
                     const struct dedupe_index *dedupe, uint64_t first_row, struct merge_outcome *outcome,
                     struct error *err)
{
    static const struct ordered_steps steps = {.claim = claim, .work = work, .deliver = deliver};
    uint64_t expected = file->rows - outcome->lost;
    if (expected == 0)
        return OK;
    struct rewrite r = {
        .dedupe = dedupe,
        .next_row = first_row,
        .worker_count = options->threads,
        .slot_count = merge_slots(options),
    };
    status s = init(&r, options, file, err);
    if (s == OK)
        s = ordered_run(&steps, &r, r.worker_count, r.slot_count, options->cancel, err);
    if (s == OK)
        s = parquet_writer_finish(r.writer, r.stream.ops->schema(r.stream.self), err);
    if (s == OK)
        s = byte_sink_finish(&r.sink, err);
    if (s == OK)
        s = check_rows((const char *)r.path.data, expected, err);
    if (s == OK) {
        outcome->rows = expected;
        outcome->bytes = parquet_writer_bytes(r.writer);
    }
    release(&r);
    return s;
}
