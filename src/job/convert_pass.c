#include "job/convert_pass.h"

#include <stdlib.h>

#include "job/conform.h"
#include "sql/parquet_source.h"
#include "sys/clock.h"
#include "sys/ordered.h"

/* ---- claim: the next chunk of input, in order ---- */

static status open_input(struct conversion *c, struct error *err)
{
    const struct planned_input *in = &c->plan->inputs[c->input];
    struct byte_source source = {0};
    struct text_cutter cutter = {0};
    atomic_ullong *progress = c->options->progress ? &c->options->progress->bytes_read : NULL;
    status s = planned_input_open(in, c->options, progress, &source, err);
    if (s == OK)
        s = planned_input_cutter(in, c->options, &cutter, err);
    if (s == OK)
        s = chunk_reader_init(&c->reader, source, cutter, c->chunk_bytes, (struct str){0}, in->data_start, err);
    else
        byte_source_close(&source);
    c->reading = s == OK;
    return s;
}

static status claim_text(struct conversion *c, struct conversion_slot *slot, bool *end, struct error *err)
{
    for (;; c->input++) {
        status s = OK;
        if (!c->reading) {
            *end = c->input == c->plan->count;
            if (*end)
                return OK;
            s = open_input(c, err);
        }
        bool input_end = false;
        if (s == OK)
            s = chunk_reader_next(&c->reader, &slot->buffer, &slot->chunk, &input_end, err);
        if (s != OK)
            return error_prefix(err, "%s", convert_input_name(c->options, c->input));
        slot->input = c->input;
        if (!input_end)
            return OK;
        chunk_reader_release(&c->reader);
        c->reading = false;
    }
}

/* Batches of one input after another; each input's stream is open only while it is read. */
static status claim_batch(struct conversion *c, struct conversion_slot *slot, bool *end, struct error *err)
{
    for (;; c->input++) {
        *end = c->input == c->plan->count;
        if (*end)
            return OK;
        status s = OK;
        if (!c->stream.ops) {
            s = conversion_open_stream(c, c->input, 1, err);
            if (s == OK)
                schema_release(&c->stream_schemas[c->input]);
            if (s == OK)
                s = schema_copy(&c->stream_schemas[c->input], c->stream.ops->schema(c->stream.self), err);
        }
        if (s == OK)
            s = c->stream.ops->next(c->stream.self, &slot->batch, err);
        if (s != OK)
            return error_prefix(err, "%s", convert_input_name(c->options, c->input));
        slot->input = c->input;
        slot->batch.schema = &c->stream_schemas[c->input];
        if (slot->batch.rows > 0)
            return OK;
        batch_stream_release(&c->stream);
    }
}

static status claim_piece(struct conversion *c, struct conversion_slot *slot, bool *end, struct error *err)
{
    slot->input = 0;
    status s = c->stream.ops->take(c->stream.self, &slot->piece, end, err);
    if (s != OK || *end)
        return s;
    c->result->bytes_in += slot->piece.len;
    c->result->stage_bytes[STAGE_READ] += slot->piece.len;
    if (c->options->progress)
        atomic_fetch_add_explicit(&c->options->progress->bytes_read, slot->piece.len, memory_order_relaxed);
    return OK;
}

static status claim(void *self, size_t index, bool *end, struct error *err)
{
    struct conversion *c = self;
    struct conversion_slot *slot = &c->slots[index];
    double start = clock_thread_seconds();
    status s;
    if (c->stream_schemas) {
        s = claim_batch(c, slot, end, err);
    } else if (c->plan->format == FORMAT_PARQUET && c->stream.ops->take) {
        s = claim_piece(c, slot, end, err);
    } else if (c->plan->format == FORMAT_PARQUET) {
        slot->input = 0;
        s = c->stream.ops->next(c->stream.self, &slot->batch, err);
        *end = s == OK && slot->batch.rows == 0;
    } else {
        s = claim_text(c, slot, end, err);
        c->result->stage_bytes[STAGE_READ] += s == OK && !*end ? slot->chunk.len : 0;
    }
    slot->number = c->claimed++;
    c->result->stage_seconds[STAGE_READ] += clock_thread_seconds() - start;
    return s;
}

/* ---- work: decode, drop duplicates, encode ---- */

static enum pass_purpose purpose_now(struct conversion *c, const struct type_version **newest)
{
    pthread_mutex_lock(&c->types_lock);
    enum pass_purpose purpose = c->purpose;
    *newest = c->types.newest;
    pthread_mutex_unlock(&c->types_lock);
    return purpose;
}

/* The decoder and the targets' source columns of the input that the slot's chunk is from. */
static status prepare_decoder(struct conversion *c, struct conversion_worker *w, const struct conversion_slot *slot,
                              const struct type_version *v, struct error *err)
{
    const struct planned_input *in = &c->plan->inputs[slot->input];
    if (w->decoder_input != slot->input) {
        text_decoder_free(&w->decoder);
        w->decoder_input = SIZE_MAX;
        status s = planned_input_decoder(in, c->options, &w->decoder, err);
        if (s != OK)
            return s;
        w->decoder_input = slot->input;
    }
    size_t count = v->schema.count;
    if (count > w->target_count) {
        struct decode_target *targets = realloc(w->targets, count * sizeof *targets);
        if (!targets)
            return error_no_memory(err, count * sizeof *targets);
        w->targets = targets;
        w->target_count = count;
    }
    if (count)
        memcpy(w->targets, v->targets, count * sizeof *w->targets);
    for (size_t i = 0; i < count && in->format == FORMAT_CSV; i++)
        w->targets[i].source_index = i < in->source_of_count ? in->source_of[i] : -1;
    return OK;
}

/* Keys of JSON records that no column takes yet. */
static bool has_new_keys(const struct conversion *c, const struct decoded *d)
{
    return d->new_keys.len > 0 && (!c->options->schema || c->options->schema_open);
}

static bool observes_more(const struct type_version *v, const struct decoded *d)
{
    for (size_t i = 0; i < v->schema.count; i++)
        if (v->targets[i].infer && infer_join(v->targets[i].class_, d->observed[i]) != v->targets[i].class_)
            return true;
    return false;
}

/* Keys that JSON records show for the first time, as columns at the end; only those that nobody added meanwhile. */
static status new_columns(struct conversion *c, const struct buf *keys, struct type_column **columns, size_t *count,
                          struct error *err)
{
    const struct schema *schema = &c->types.newest->schema;
    struct type_column *added = NULL;
    size_t n = 0;
    for (size_t at = 0; at < keys->len;) {
        uint32_t length;
        memcpy(&length, keys->data + at, sizeof length);
        struct str key = {(const char *)keys->data + at + sizeof length, length};
        at += sizeof length + length;
        bool known = false;
        for (size_t i = 0; i < schema->count && !known; i++)
            known = str_equal(c->types.newest->targets[i].source, key);
        if (known)
            continue;
        struct str name = input_plan_rename(c->options, key);
        int clash = schema_find(schema, name);
        if (clash >= 0) {
            free(added);
            status s = error_set(err, ERR_INVALID, "keys '%s' and '%.*s' would both be named '%.*s'",
                                 schema->fields[clash].source_name, (int)key.n, key.p, (int)name.n, name.p);
            error_hint(err, "give one of them another name with --rename key=name");
            return s;
        }
        struct type_column *grown = realloc(added, (n + 1) * sizeof *grown);
        if (!grown) {
            free(added);
            return error_no_memory(err, (n + 1) * sizeof *grown);
        }
        added = grown;
        added[n++] = (struct type_column){.name = name,
                                          .source = key,
                                          .infer = !c->options->all_text,
                                          .type.kind = c->options->all_text ? TYPE_STRING : TYPE_NULL};
    }
    *columns = added;
    *count = n;
    return OK;
}

/* Take what a decoder observed into the types; rows already written may turn the pass into a mere look. New keys are
 * taken only from chunks that are delivered, because the order of the columns must not depend on which thread was the
 * quickest. */
static status widen(struct conversion *c, const struct type_version *from, const struct decoded *d, bool delivered,
                    struct error *err)
{
    struct type_column *added = NULL;
    size_t added_count = 0;
    bool changed;
    pthread_mutex_lock(&c->types_lock);
    status s = delivered && has_new_keys(c, d) ? new_columns(c, &d->new_keys, &added, &added_count, err) : OK;
    if (s == OK)
        s = column_types_join(&c->types, from, d->observed, added, added_count, &changed, err);
    if (s == OK && c->written && !type_version_extends(c->written, c->types.newest))
        c->purpose = PASS_LOOK;
    pthread_mutex_unlock(&c->types_lock);
    free(added);
    return s;
}

static status decode(struct conversion *c, struct conversion_worker *w, struct conversion_slot *slot,
                     enum pass_purpose *purpose, struct error *err)
{
    for (;;) {
        const struct type_version *v;
        *purpose = purpose_now(c, &v);
        slot->version = v;
        status s = OK;
        if (c->plan->format == FORMAT_PARQUET) {
            if (c->stream.ops && c->stream.ops->take)
                s = c->stream.ops->decode(c->stream.self, &slot->piece, &slot->batch, err);
            if (s == OK)
                s = conform_batch(&slot->batch, v, &slot->decoded, err);
            return s;
        }
        s = prepare_decoder(c, w, slot, v, err);
        if (s == OK)
            s = w->decoder.ops->decode(w->decoder.self, &slot->chunk, w->targets, &v->schema, &slot->decoded, err);
        if (s != OK)
            return error_prefix(err, "%s", convert_input_name(c->options, slot->input));
        if (observes_more(v, &slot->decoded)) {
            s = widen(c, v, &slot->decoded, false, err);
            if (s != OK)
                return s;
        }
        if (!slot->decoded.widened || has_new_keys(c, &slot->decoded))
            return OK;
        *purpose = purpose_now(c, &v);
        if (*purpose == PASS_LOOK)
            return OK; /* there will be another pass, with these types */
    }
}

static status drop_duplicates(struct conversion *c, struct conversion_worker *w, struct conversion_slot *slot,
                              struct error *err)
{
    struct batch *b = &slot->decoded.batch;
    const uint64_t *before = (const uint64_t *)c->chunk_rows.data;
    size_t chunks = c->chunk_rows.len / sizeof *before, at = slot->number, kept;
    if (at + 1 >= chunks || before[at] + b->rows != before[at + 1]) {
        error_set(err, ERR_CHANGED, "%s was changed while it was read", convert_input_name(c->options, slot->input));
        error_hint(err, "run again when nothing writes to it any more");
        return ERR_CHANGED;
    }
    if (b->rows == 0)
        return OK;
    status s = buf_resize(&w->keep, (b->rows + 7) / 8, err);
    if (s == OK)
        s = dedupe_keep(c->dedupe, before[at], b->rows, w->keep.data, &kept, err);
    if (s != OK)
        return s;
    slot->deduped = b->rows - kept;
    if (slot->deduped)
        batch_filter(b, w->keep.data, kept);
    return OK;
}

static status drop_old(struct conversion *c, struct conversion_slot *slot, struct error *err)
{
    const bool *applies = c->options->watermark.applies;
    size_t dropped = 0;
    if (!c->filter || (applies && !applies[slot->input]))
        return OK;
    status s = watermark_filter_apply(c->filter, &slot->decoded.batch, c->watermark_column, &dropped, err);
    slot->filtered = dropped;
    return s;
}

static status process(struct conversion *c, struct conversion_worker *w, struct conversion_slot *slot,
                      struct error *err)
{
    double start = clock_thread_seconds(), now;
    enum pass_purpose purpose;
    slot->encoded = false;
    slot->filtered = slot->deduped = 0;
    slot->item.input = slot->input;
    status s = decode(c, w, slot, &purpose, err);
    now = clock_thread_seconds();
    w->seconds[STAGE_DECODE] += now - start;
    start = now;
    if (s != OK || slot->decoded.widened || has_new_keys(c, &slot->decoded) || purpose == PASS_LOOK)
        return s;
    s = drop_old(c, slot, err);
    if (s != OK)
        return s;
    if (purpose == PASS_COLLECT) {
        s = dedupe_rows_of(c->dedupe, &slot->decoded.batch, &slot->keys, err);
    } else if (c->dedupe) {
        s = drop_duplicates(c, w, slot, err);
    }
    now = clock_thread_seconds();
    w->seconds[STAGE_DEDUPE] += now - start;
    start = now;
    if (s == OK && purpose == PASS_WRITE && c->watermark_column >= 0)
        s = watermark_top_of(&slot->decoded.batch, c->watermark_column, c->options->watermark.want_ties, &slot->top,
                             err);
    if (s != OK || purpose != PASS_WRITE)
        return s;
    slot->encoded = true;
    if (!c->options->dry_run && !rejects_are_fatal(c->rejects))
        s = output_encode(c->output, &w->output, &slot->decoded.batch, &slot->item, err);
    w->seconds[STAGE_ENCODE] += clock_thread_seconds() - start;
    return s;
}

static status work(void *self, size_t worker, size_t slot, struct error *err)
{
    struct conversion *c = self;
    return process(c, &c->workers[worker], &c->slots[slot], err);
}

/* ---- deliver: in input order ---- */

/* Whether the slot's rows may be written now; from then on they count for what later types must extend. */
static bool settle(struct conversion *c, const struct conversion_slot *slot, enum pass_purpose *purpose)
{
    pthread_mutex_lock(&c->types_lock);
    *purpose = c->purpose;
    bool fits =
        *purpose == PASS_LOOK || (!slot->decoded.widened && type_version_extends(slot->version, c->types.newest));
    if (fits && *purpose != PASS_LOOK && (!c->written || slot->version->number > c->written->number))
        c->written = slot->version;
    pthread_mutex_unlock(&c->types_lock);
    return fits;
}

static status count_rows(struct conversion *c, const struct conversion_slot *slot, struct error *err)
{
    const struct decoded *d = &slot->decoded;
    if (slot->input != c->base_input) {
        c->base_input = slot->input;
        c->record_base = c->line_base = 0;
    }
    uint64_t lines_before = c->plan->inputs[slot->input].data_line;
    status s = rejects_add(c->rejects, &d->rejects, slot->input, c->record_base, lines_before + c->line_base,
                           d->batch.schema, err);
    c->record_base += d->records;
    c->line_base += d->lines;
    c->result->rows_read += d->records;
    c->result->rows_rejected += d->rejects.count;
    c->result->rows_deduped += slot->deduped;
    c->result->rows_filtered += slot->filtered;
    c->result->inputs[slot->input].records += d->records;
    return s;
}

static status collect_keys(struct conversion *c, const struct conversion_slot *slot, struct error *err)
{
    status s = dedupe_add(c->dedupe, &slot->keys, err);
    c->delivered_rows += slot->decoded.batch.rows;
    if (s == OK)
        s = buf_append(&c->chunk_rows, &c->delivered_rows, sizeof c->delivered_rows, err);
    return s;
}

static status deliver(void *self, size_t worker, size_t index, struct error *err)
{
    struct conversion *c = self;
    struct conversion_worker *w = &c->workers[worker];
    struct conversion_slot *slot = &c->slots[index];
    enum pass_purpose purpose;
    status s = OK;
    if (has_new_keys(c, &slot->decoded)) {
        s = widen(c, slot->version, &slot->decoded, true, err);
        if (s == OK)
            s = process(c, w, slot, err);
        if (s != OK)
            return s;
    }
    while (!settle(c, slot, &purpose)) {
        s = process(c, w, slot, err);
        if (s != OK)
            return s;
    }
    s = count_rows(c, slot, err);
    if (s != OK)
        return s;
    if (rejects_are_enough(c->rejects))
        return rejects_check(c->rejects, err);
    double start = clock_thread_seconds();
    if (purpose == PASS_COLLECT)
        s = collect_keys(c, slot, err);
    else if (purpose == PASS_WRITE && c->watermark_column >= 0)
        s = watermark_top_join(&c->top, &slot->top, err);
    w->seconds[STAGE_DEDUPE] += clock_thread_seconds() - start;
    start = clock_thread_seconds();
    if (s == OK && purpose == PASS_WRITE && !c->options->dry_run && !rejects_are_fatal(c->rejects))
        s = output_deliver(c->output, &w->output, &slot->decoded.batch, &slot->item, err);
    w->seconds[STAGE_WRITE] += clock_thread_seconds() - start;
    if (c->options->progress)
        atomic_store_explicit(&c->options->progress->rows, c->result->rows_read, memory_order_relaxed);
    return s;
}

/* ---- the pass ---- */

static status begin_pass(struct conversion *c, struct error *err)
{
    struct convert_result *r = c->result;
    r->rows_read = r->rows_rejected = r->rows_deduped = r->rows_filtered = 0;
    watermark_top_clear(&c->top);
    for (size_t i = 0; i < r->input_count; i++)
        r->inputs[i].records = 0;
    r->passes++;
    c->purpose = c->dedupe && !c->duplicates_known ? PASS_COLLECT : PASS_WRITE;
    c->written = NULL;
    c->input = c->base_input = c->claimed = 0;
    c->reading = false;
    c->delivered_rows = c->record_base = c->line_base = 0;
    status s = rejects_restart(c->rejects, err);
    if (s == OK && c->purpose == PASS_COLLECT) {
        const uint64_t none = 0;
        buf_clear(&c->chunk_rows);
        s = buf_append(&c->chunk_rows, &none, sizeof none, err);
        if (s == OK)
            s = conversion_reset_dedupe(c, err);
    }
    if (s == OK && c->purpose == PASS_WRITE && !c->options->dry_run) {
        output_free(c->output); /* what an earlier pass staged */
        c->output = NULL;
        s = output_create(&c->output, c->output_plan, c->options, err);
        for (size_t i = 0; s == OK && i < c->worker_count; i++) {
            output_worker_release(&c->workers[i].output);
            s = output_worker_init(c->output, &c->workers[i].output, err);
        }
    }
    if (s == OK && c->plan->format == FORMAT_PARQUET && !c->stream.ops && !c->stream_schemas)
        s = conversion_open_stream(c, 0, c->plan->count, err);
    if (s == OK && c->options->progress) {
        struct convert_progress *p = c->options->progress;
        atomic_store(&p->pass, (int)r->passes);
        if (r->passes > 1 || c->purpose == PASS_COLLECT)
            atomic_store(&p->bytes_total, r->bytes_in * (r->passes + (c->purpose == PASS_COLLECT)));
        else
            atomic_store(&p->bytes_total, r->bytes_in);
    }
    return s;
}

static void end_reading(struct conversion *c)
{
    if (c->reading)
        chunk_reader_release(&c->reader);
    c->reading = false;
    batch_stream_release(&c->stream);
}

status conversion_pass(struct conversion *c, enum pass_end *end, struct error *err)
{
    static const struct ordered_steps steps = {.claim = claim, .work = work, .deliver = deliver};
    status s = begin_pass(c, err);
    if (s == OK)
        s = ordered_run(&steps, c, c->worker_count, c->slot_count, c->options->cancel, err);
    end_reading(c);
    for (size_t i = 0; i < c->worker_count; i++)
        for (int stage = 0; stage < STAGE_COUNT; stage++) {
            c->result->stage_seconds[stage] += c->workers[i].seconds[stage];
            c->workers[i].seconds[stage] = 0;
        }
    if (c->output) {
        c->result->stage_bytes[STAGE_ENCODE] = output_bytes_raw(c->output);
        c->result->stage_bytes[STAGE_WRITE] = output_bytes_written(c->output);
    }
    if (s != OK)
        return s;
    if (rejects_are_fatal(c->rejects))
        return rejects_check(c->rejects, err);
    *end = c->purpose == PASS_WRITE ? PASS_COMPLETE : PASS_AGAIN;
    if (c->purpose == PASS_COLLECT) {
        uint64_t losers;
        s = dedupe_resolve(c->dedupe, &losers, err);
        c->duplicates_known = s == OK;
    }
    return s;
}

status conversion_final_schema(const struct conversion *c, struct schema *schema, struct error *err)
{
    status s = schema_copy(schema, &c->types.newest->schema, err);
    for (size_t i = 0; s == OK && i < schema->count; i++)
        if (schema->fields[i].type.kind == TYPE_NULL)
            schema->fields[i].type.kind = TYPE_STRING;
    return s;
}
