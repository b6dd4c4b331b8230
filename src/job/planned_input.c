/* One input of a conversion: its head, names, cutter and decoder. */
#include <stdlib.h>

#include "format/csv/csv_cutter.h"
#include "format/csv/csv_decoder.h"
#include "format/json/json_decoder.h"
#include "job/header.h"
#include "job/input_plan.h"
#include "sys/file.h"

#define HEAD_LEAST (16u << 10) /* bytes of a head that tell enough */

static const enum file_format format_of_sniff[] = {
    [SNIFF_CSV] = FORMAT_CSV,
    [SNIFF_NDJSON] = FORMAT_NDJSON,
    [SNIFF_JSON_ARRAY] = FORMAT_JSON,
    [SNIFF_PARQUET] = FORMAT_PARQUET,
};

static struct text_input_options input_options(const struct convert_options *options)
{
    return (struct text_input_options){.encoding = options->encoding, .limits = {.max_ratio = options->max_ratio}};
}

status planned_input_trim(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    size_t share = options->memory / 8 / options->input_count;
    size_t most = share < HEAD_LEAST ? HEAD_LEAST : share;
    if (in->head.len <= most || in->data_start > most / 2)
        return OK;
    struct buf kept = {0};
    status s = buf_append(&kept, in->head.data, most, err);
    if (s != OK)
        return s;
    buf_release(&in->head);
    in->head = kept;
    in->whole = false;
    return OK;
}

status planned_input_look(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    struct text_input_options how = input_options(options);
    status s = text_input_look(in->path, &how, HEAD_BYTES, &in->facts, &in->head, &in->whole, err);
    if (s != OK)
        return s;
    size_t name = strlen(in->path);
    if (in->whole && in->head.len == 0 && name > 8 && strcasecmp(in->path + name - 8, ".parquet") == 0) {
        error_set(err, ERR_BAD_DATA, "%s is empty, which no Parquet file is", in->name);
        error_hint(err, "fetch it again");
        return ERR_BAD_DATA;
    }
    bool parquet = in->head.len >= 4 && memcmp(in->head.data, "PAR1", 4) == 0;
    if (options->from == FORMAT_PARQUET || (options->from == FORMAT_AUTO && parquet)) {
        in->format = FORMAT_PARQUET;
        return OK;
    }
    s = sniff_text(in->head.data, in->head.len, in->whole, &options->dialect, &in->text, err);
    if (s != OK)
        return s;
    in->format = options->from == FORMAT_AUTO ? format_of_sniff[in->text.format] : options->from;
    if (in->format == FORMAT_JSON && options->from == FORMAT_JSON && in->text.format == SNIFF_NDJSON)
        in->format = FORMAT_NDJSON; /* "json" by name, one record a line by content */
    return in->format == FORMAT_CSV ? header_read(in, err) : OK;
}

status planned_input_keys(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    struct json_options how = {.array = in->format == FORMAT_JSON,
                               .all_text = options->all_text,
                               .null_values = options->null_values,
                               .null_value_count = options->null_value_count,
                               .max_record_bytes = options->max_record};
    struct buf keys = {0};
    enum infer_class *classes = NULL;
    size_t count = 0;
    status s = json_discover(in->head.data, in->head.len, in->whole, &how, &keys, &classes, &count, err);
    if (s == OK) {
        in->names = calloc(count + 1, sizeof *in->names);
        in->source_names = calloc(count + 1, sizeof *in->source_names);
        if (!in->names || !in->source_names)
            s = error_no_memory(err, count * sizeof *in->names);
    }
    const uint8_t *at = keys.data;
    for (size_t i = 0; s == OK && i < count; i++) {
        uint32_t n;
        memcpy(&n, at, sizeof n);
        char *copy = malloc((size_t)n + 1);
        if (!copy) {
            s = error_no_memory(err, n);
            break;
        }
        memcpy(copy, at + sizeof n, n);
        copy[n] = '\0';
        at += sizeof n + n;
        in->names[i] = copy;
        in->name_count = i + 1;
    }
    free(classes);
    buf_release(&keys);
    return s;
}

/* A copy of the head's whole records, padded, as one chunk; chunk->len 0: there is none. */
static status cut_head(const struct planned_input *in, const struct convert_options *options, struct buf *text,
                       struct text_chunk *chunk, struct error *err)
{
    struct text_cutter cutter = {0};
    size_t n = in->head.len - in->data_start, cut = 0;
    *chunk = (struct text_chunk){.last = in->whole};
    if (n == 0)
        return OK;
    status s = buf_resize(text, n + 2 * TEXT_PAD, err);
    if (s == OK)
        s = planned_input_cutter(in, options, &cutter, err);
    if (s == OK) {
        memset(text->data, 0, text->len);
        chunk->data = text->data + TEXT_PAD;
        memcpy(chunk->data, in->head.data + in->data_start, n);
        s = cutter.ops->cut(cutter.self, chunk->data, n, 0, in->whole, &cut, chunk, err);
    }
    text_cutter_free(&cutter);
    if (s != OK)
        return s;
    chunk->len = cut;
    chunk->last = in->whole && cut == n;
    if (chunk->last && chunk->data[cut - 1] != '\r') /* a CR must stay alone: CR LF would be one line end */
        chunk->data[cut] = '\n';
    return OK;
}

status planned_input_decode_head(const struct planned_input *in, const struct convert_options *options,
                                 struct column_types *types, struct decoded *decoded, struct error *err)
{
    struct text_decoder decoder = {0};
    struct buf text = {0};
    struct text_chunk chunk;
    struct decode_target *targets = NULL;
    bool changed = true;
    status s = cut_head(in, options, &text, &chunk, err);
    if (s == OK)
        s = planned_input_decoder(in, options, &decoder, err);
    while (s == OK && changed) {
        const struct type_version *v = types->newest;
        size_t count = v->schema.count;
        free(targets);
        targets = malloc((count ? count : 1) * sizeof *targets);
        if (!targets) {
            s = error_no_memory(err, count * sizeof *targets);
            break;
        }
        if (count)
            memcpy(targets, v->targets, count * sizeof *targets);
        for (size_t i = 0; i < count && in->format == FORMAT_CSV; i++)
            targets[i].source_index = i < in->source_of_count ? in->source_of[i] : -1;
        if (chunk.len == 0) {
            s = decoded_reset(decoded, &v->schema, count, err);
            break;
        }
        s = decoder.ops->decode(decoder.self, &chunk, targets, &v->schema, decoded, err);
        bool widened = decoded->widened;
        if (s == OK)
            s = column_types_join(types, v, decoded->observed, NULL, 0, &changed, err);
        changed &= widened;
    }
    free(targets);
    text_decoder_free(&decoder);
    buf_release(&text);
    return s;
}

status planned_input_cutter(const struct planned_input *in, const struct convert_options *options,
                            struct text_cutter *cutter, struct error *err)
{
    if (in->format == FORMAT_CSV) {
        struct csv_cutter_options how = {in->text.dialect, in->name_count == 1, options->max_record};
        return csv_cutter_create(cutter, &how, err);
    }
    struct json_options how = {.array = in->format == FORMAT_JSON, .max_record_bytes = options->max_record};
    return json_cutter_create(cutter, &how, err);
}

status planned_input_decoder(const struct planned_input *in, const struct convert_options *options,
                             struct text_decoder *decoder, struct error *err)
{
    if (in->format == FORMAT_CSV) {
        struct csv_decoder_options how = {
            .dialect = in->text.dialect,
            .source_columns = in->name_count,
            .null_values = options->null_values,
            .null_value_count = options->null_value_count,
            .max_record_bytes = options->max_record,
        };
        return csv_decoder_create(decoder, &how, err);
    }
    struct json_options how = {
        .array = in->format == FORMAT_JSON,
        .all_text = options->all_text,
        .null_values = options->null_values,
        .null_value_count = options->null_value_count,
        .max_record_bytes = options->max_record,
    };
    return json_decoder_create(decoder, &how, err);
}

status planned_input_open(const struct planned_input *in, const struct convert_options *options,
                          atomic_ullong *progress, struct byte_source *source, struct error *err)
{
    struct text_input_options how = input_options(options);
    status s = text_input_open(in->path, &how, &in->facts, progress, source, err);
    uint8_t *bytes = s == OK ? malloc(65536) : NULL;
    if (s == OK && !bytes)
        s = error_no_memory(err, 65536);
    for (size_t left = in->data_start; s == OK && left > 0;) {
        size_t got;
        s = byte_source_read(source, bytes, left < 65536 ? left : 65536, &got, err);
        if (s == OK && got == 0) {
            s = error_set(err, ERR_CHANGED, "%s became shorter while it was read", in->name);
            error_hint(err, "run again when nothing writes to it any more");
        }
        left -= s == OK ? got : 0;
    }
    free(bytes);
    if (s != OK)
        byte_source_close(source);
    return s;
}

void planned_input_release(struct planned_input *in)
{
    for (size_t k = 0; k < in->name_count; k++) {
        if (in->names)
            free(in->names[k]);
        if (in->source_names)
            free(in->source_names[k]);
    }
    free(in->names);
    free(in->source_names);
    free(in->source_of);
    free(in->used);
    buf_release(&in->head);
    if (in->spool >= 0)
        file_close(in->spool);
    *in = (struct planned_input){.spool = -1};
}
