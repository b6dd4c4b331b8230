#include "job/dataset_write.h"

#include <stdlib.h>

#include "job/dataset_schema.h"
#include "sys/clock.h"
#include "sys/ordered.h"

#define TELL_SECONDS 0.5

struct write_slot {
    struct batch batch;
    struct output_item item;
    uint64_t first_row;
};

struct write {
    struct query_stream *query;
    const struct convert_options *options;
    const struct dataset_observer *observer;
    struct output *output;
    struct output_worker *workers;
    struct write_slot *slots;
    size_t worker_count, slot_count;
    uint64_t rows;
    double told;
};

static status claim(void *self, size_t index, bool *end, struct error *err)
{
    struct write *w = self;
    struct write_slot *slot = &w->slots[index];
    slot->first_row = w->query->rows_given;
    status s = query_stream_next(w->query, &slot->batch, err);
    *end = s == OK && slot->batch.rows == 0;
    return s;
}

static status work(void *self, size_t worker, size_t index, struct error *err)
{
    struct write *w = self;
    struct write_slot *slot = &w->slots[index];
    status s = dataset_schema_check_rows(&w->query->schema, &slot->batch, slot->first_row, err);
    return s == OK ? output_encode(w->output, &w->workers[worker], &slot->batch, &slot->item, err) : s;
}

static status deliver(void *self, size_t worker, size_t index, struct error *err)
{
    struct write *w = self;
    struct write_slot *slot = &w->slots[index];
    status s = output_deliver(w->output, &w->workers[worker], &slot->batch, &slot->item, err);
    w->rows += slot->batch.rows;
    double now = clock_seconds();
    if (s != OK || !w->observer->rows || now - w->told < TELL_SECONDS)
        return s;
    w->told = now;
    return w->observer->rows(w->observer->self, w->rows, err);
}

static status init(struct write *w, const struct output_plan *plan, struct error *err)
{
    w->workers = calloc(w->worker_count, sizeof *w->workers);
    w->slots = calloc(w->slot_count, sizeof *w->slots);
    if (!w->workers || !w->slots)
        return error_no_memory(err, w->slot_count * sizeof *w->slots);
    status s = output_create(&w->output, plan, w->options, err);
    for (size_t i = 0; s == OK && i < w->worker_count; i++)
        s = output_worker_init(w->output, &w->workers[i], err);
    return s;
}

static void release(struct write *w)
{
    for (size_t i = 0; w->workers && i < w->worker_count; i++)
        output_worker_release(&w->workers[i]);
    for (size_t i = 0; w->slots && i < w->slot_count; i++) {
        batch_release(&w->slots[i].batch);
        output_item_release(&w->slots[i].item);
    }
    free(w->workers);
    free(w->slots);
    output_free(w->output);
}

static status check_partition_columns(const struct schema *schema, const struct convert_options *options,
                                      struct error *err)
{
    for (size_t i = 0; i < options->partition_column_count; i++) {
        struct str name = options->partition_columns[i];
        if (schema_find(schema, name) >= 0)
            continue;
        error_set(err, ERR_INVALID, "the result has no column '%.*s' to partition by", (int)name.n, name.p);
        error_hint(err, "select the column, or change partition_pattern");
        return ERR_INVALID;
    }
    return OK;
}

status dataset_write(struct query_stream *query, struct str from, const struct convert_options *options,
                     const struct dataset_observer *observer, struct convert_result *result, struct error *err)
{
    static const struct ordered_steps steps = {.claim = claim, .work = work, .deliver = deliver};
    struct write w = {
        .query = query,
        .options = options,
        .observer = observer,
        .worker_count = options->threads,
        .slot_count = options->threads + 1,
        .told = clock_seconds(),
    };
    struct output_plan plan = {0};
    *result = (struct convert_result){0};
    size_t share = options->memory / 12 / w.slot_count, least = (size_t)1 << 20;
    query->batch_bytes = share < least ? least : share > QUERY_BATCH_BYTES ? QUERY_BATCH_BYTES : share;
    status s = check_partition_columns(&query->schema, options, err);
    if (s == OK)
        s = output_plan_make(&plan, options, err);
    if (s == OK)
        s = init(&w, &plan, err);
    if (s == OK)
        s = query_stream_start(query, from, err);
    if (s == OK)
        s = ordered_run(&steps, &w, w.worker_count, w.slot_count, options->cancel, err);
    if (s == OK)
        s = schema_copy(&result->schema, &query->schema, err);
    if (s == OK)
        s = output_finish(w.output, &w.workers[0], &result->schema, result, err);
    result->rows_read = w.rows;
    if (s == OK && result->rows_written != w.rows)
        s = error_set(err, ERR_ACCOUNTING, "the query gave %llu rows, and the files hold %llu",
                      (unsigned long long)w.rows, (unsigned long long)result->rows_written);
    if (s == OK)
        s = output_publish(w.output, err);
    release(&w);
    return s;
}
