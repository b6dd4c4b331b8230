/* libFuzzer target: any bytes through cutter and decoder, at buffer sizes that the first byte chooses.
 *
 *   clang -std=c17 -D_GNU_SOURCE -Isrc -fsanitize=fuzzer,address,undefined tests/fuzz/fuzz_json.c <library> ...
 *
 * Nothing crashes, no record is lost (records are rows and rejects), columns agree in length, and the rows do not
 * depend on where the input was cut. */
#include <stdlib.h>

#include "format/json/json_decoder.h"
#include "format/json/json_encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one pass over the input gave. */
struct outcome {
    status result;
    bool widened;
    uint64_t rows, rejects, lines;
    struct buf text; /* the rows as NDJSON */
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void collect(struct outcome *o, const struct decoded *d)
{
    struct error err;
    o->widened |= d->widened;
    o->lines += d->lines;
    o->rejects += d->rejects.count;
    if (d->widened)
        return;
    must(d->records == d->batch.rows + d->rejects.count);
    for (size_t i = 0; i < d->batch.column_count; i++) {
        const struct column *c = &d->batch.columns[i];
        must(c->length == d->batch.rows);
        for (size_t row = 0; c->is_dict && row < c->length; row++)
            must(column_is_null(c, row) || column_slot(c, row) < c->dict_length);
    }
    o->rows += d->batch.rows;
    must(ndjson_encode(&d->batch, &o->text, &err) == OK);
}

static void run(struct outcome *o, const struct json_options *options, const struct decode_target *targets,
                const struct schema *schema, const uint8_t *data, size_t size, size_t step)
{
    struct text_cutter cutter;
    struct text_decoder decoder;
    struct decoded into = {0};
    struct error err;
    must(json_cutter_create(&cutter, options, &err) == OK);
    must(json_decoder_create(&decoder, options, &err) == OK);
    size_t begin = 0, shown = 0, scanned = 0;
    uint64_t sequence = 0;
    *o = (struct outcome){0};
    for (bool done = false; !done && o->result == OK;) {
        shown = size - shown < step ? size : shown + step;
        size_t len = shown - begin, cut = 0;
        bool at_end = shown == size;
        uint8_t *memory = malloc(len + 2 * TEXT_PAD);
        must(memory != NULL);
        memset(memory, '"', len + 2 * TEXT_PAD);
        if (len)
            memcpy(memory + TEXT_PAD, data + begin, len);
        struct text_chunk chunk = {.data = memory + TEXT_PAD, .byte_offset = begin, .sequence = sequence};
        o->result = cutter.ops->cut(cutter.self, chunk.data, len, scanned, at_end, &cut, &chunk, &err);
        must(cut <= len);
        must(o->result != OK || !at_end || cut > 0 || len == 0);
        if (o->result == OK && cut) {
            chunk.len = cut;
            chunk.last = at_end && cut == len;
            sequence++;
            begin += cut;
            o->result = decoder.ops->decode(decoder.self, &chunk, targets, schema, &into, &err);
            if (o->result == OK)
                collect(o, &into);
        }
        scanned = cut ? 0 : len;
        done = at_end && begin == size;
        free(memory);
    }
    decoded_release(&into);
    text_cutter_free(&cutter);
    text_decoder_free(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str nulls[] = {STR("NULL")};
    static const enum infer_class classes[] = {INFER_INT53, INFER_DOUBLE, INFER_STRING, INFER_DATE, INFER_JSON};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    struct json_options options = {.null_values = nulls, .null_value_count = 1};
    struct decode_target targets[6];
    struct schema schema = {0};
    struct error err;
    if (size < 2)
        return 0;
    options.array = data[0] & 1;
    options.all_text = (data[0] & 6) == 6;
    options.max_record_bytes = data[0] & 8 ? 24 : 1 << 20;
    for (size_t i = 0; i < 6; i++) {
        struct data_type type = {.kind = data[0] & 16 ? TYPE_JSON : TYPE_BIGINT};
        struct str name = str_of(names[i]);
        targets[i] = (struct decode_target){.source = name, .type = type};
        if (i < 5) {
            targets[i].infer = !options.all_text;
            targets[i].class_ = data[0] & 16 ? INFER_JSON : classes[i];
            targets[i].type =
                options.all_text ? (struct data_type){.kind = TYPE_STRING} : infer_type(targets[i].class_);
        }
        must(schema_add(&schema, name, name, targets[i].type, false, &err) == OK);
    }
    targets[5].on_null = data[0] & 32 ? REJECT_NULL_KEY : REJECT_NONE;
    struct outcome whole, pieces;
    run(&whole, &options, targets, &schema, data + 2, size - 2, size);
    run(&pieces, &options, targets, &schema, data + 2, size - 2, (size_t)data[1] + 1);
    must((whole.result == OK) == (pieces.result == OK));
    if (whole.result == OK && !whole.widened && !pieces.widened) {
        must(whole.rows == pieces.rows && whole.rejects == pieces.rejects && whole.lines == pieces.lines);
        must(whole.text.len == pieces.text.len &&
             (whole.text.len == 0 || memcmp(whole.text.data, pieces.text.data, whole.text.len) == 0));
    }
    if (whole.result == OK)
        must(whole.widened == pieces.widened);
    buf_release(&whole.text);
    buf_release(&pieces.text);
    schema_release(&schema);
    return 0;
}
