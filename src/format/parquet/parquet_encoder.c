#include <stdlib.h>

#include "format/parquet/parquet_choice.h"
#include "format/parquet/parquet_metadata.h"
#include "format/parquet/parquet_plain.h"
#include "format/parquet/parquet_stats.h"
#include "format/parquet/rle.h"

#define PAGE_BYTES ((size_t)1 << 20)
#define PAGE_ROWS 20000
#define DICT_BYTES ((size_t)1 << 20)

struct parquet_encoder {
    size_t page_bytes, page_rows;
    struct parquet_compressor compressor;
    struct parquet_chooser chooser;
    struct parquet_values_scratch scratch;
    struct parquet_slot_order order;
    struct buf payload;
    struct parquet_verdict *verdicts; /* one for each column of the last batch */
    size_t verdict_count;
};

/* A column on its way into a row group. */
struct chunk {
    struct parquet_encoder *encoder;
    const struct column *column;
    struct parquet_group_meta *group;
    struct parquet_chunk_meta meta;
    struct buf *to;
    struct parquet_values written; /* as they are written */
    struct parquet_values judged;  /* as statistics see them: the same values, perhaps without codes */
    struct parquet_range range;
    bool dictionary;
};

/* Zero stands for the default; beyond what a page may hold nothing is gained. */
static size_t size_option(size_t given, size_t standard, size_t most)
{
    size_t size = given ? given : standard;
    return size < most ? size : most;
}

status parquet_encoder_create(struct parquet_encoder **encoder, const struct parquet_options *options,
                              struct error *err)
{
    struct parquet_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return error_no_memory(err, sizeof *e);
    e->page_bytes = size_option(options->page_bytes, PAGE_BYTES, PARQUET_PAGE_MOST_BYTES);
    e->page_rows = size_option(options->page_rows, PAGE_ROWS, INT32_MAX);
    e->chooser.max_dict_bytes = size_option(options->dict_bytes, DICT_BYTES, PARQUET_PAGE_MOST_BYTES);
    status s = parquet_compressor_init(&e->compressor, options->codec, options->level, err);
    if (s != OK) {
        parquet_encoder_free(e);
        return s;
    }
    e->chooser.compressor = &e->compressor;
    *encoder = e;
    return OK;
}

void parquet_encoder_free(struct parquet_encoder *encoder)
{
    if (!encoder)
        return;
    parquet_compressor_release(&encoder->compressor);
    parquet_chooser_release(&encoder->chooser);
    parquet_values_scratch_release(&encoder->scratch);
    parquet_slot_order_release(&encoder->order);
    buf_release(&encoder->payload);
    free(encoder->verdicts);
    free(encoder);
}

/* Definition levels of rows [begin, end) behind their length: 1 where a value is present. */
static status append_levels(const struct chunk *c, size_t begin, size_t end, size_t present, struct buf *to,
                            struct error *err)
{
    size_t at = to->len, rows = end - begin;
    uint32_t length = 0;
    status s = buf_append(to, &length, sizeof length, err);
    if (s != OK)
        return s;
    if (present == rows || present == 0)
        s = rle_encode_run(present != 0, rows, to, err);
    else
        s = rle_encode_bits(c->column->validity.data, begin, rows, to, err);
    if (s != OK)
        return s;
    length = (uint32_t)(to->len - at - sizeof length);
    memcpy(to->data + at, &length, sizeof length);
    return OK;
}

static status append_values(const struct chunk *c, size_t begin, size_t end, struct buf *to, struct error *err)
{
    if (!c->dictionary)
        return parquet_plain_encode(&c->written, begin, end, to, err);
    uint8_t width = (uint8_t)rle_width(c->written.slots);
    status s = buf_append(to, &width, sizeof width, err);
    if (s == OK)
        s = rle_encode_codes(c->written.codes + begin, end - begin, width, to, err);
    return s;
}

static status append_page(struct chunk *c, enum parquet_page_type type, size_t values, size_t *bytes, struct error *err)
{
    struct parquet_page page = {
        .type = type,
        .encoding = type == PAGE_DATA && c->dictionary ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN,
        .values = values,
        .payload = buf_str(&c->encoder->payload),
    };
    size_t at = c->to->len, header = 0;
    status s = parquet_page_append(&c->encoder->compressor, &page, c->to, &header, err);
    if (s != OK)
        return s;
    *bytes = c->to->len - at;
    if (*bytes > INT32_MAX)
        return error_set(err, ERR_LIMIT, "a Parquet page of %zu bytes is more than the format allows", *bytes);
    c->meta.compressed_bytes += *bytes;
    c->meta.uncompressed_bytes += header + page.payload.n;
    return OK;
}

static status append_bounds(struct chunk *c, const struct parquet_range *range, struct parquet_bounds *bounds,
                            struct error *err)
{
    struct buf *to = &c->group->bounds;
    *bounds = (struct parquet_bounds){.at = to->len};
    if (!range->present)
        return OK;
    struct parquet_type type = c->judged.type;
    status s = parquet_bound_below(type, parquet_range_min(range, type), to, &bounds->min_exact, err);
    if (s != OK)
        return s;
    bounds->has_min = true;
    bounds->min_bytes = (uint32_t)(to->len - bounds->at);
    s = parquet_bound_above(type, parquet_range_max(range, type), to, &bounds->max_exact, &bounds->has_max, err);
    bounds->max_bytes = (uint32_t)(to->len - bounds->at - bounds->min_bytes);
    return s;
}

/* Rows [begin, end), which hold values [first, last). */
static status encode_page(struct chunk *c, size_t begin, size_t end, size_t first, size_t last, struct error *err)
{
    struct buf *payload = &c->encoder->payload;
    struct parquet_page_meta page = {
        .at = c->to->len,
        .first_row = begin,
        .null_count = (uint32_t)(end - begin - (last - first)),
        .is_null = first == last,
    };
    struct parquet_range range;
    size_t bytes = 0;
    buf_clear(payload);
    parquet_range_of(&c->judged, &c->encoder->order, first, last, &range);
    status s = append_bounds(c, &range, &page.bounds, err);
    if (s == OK && c->meta.is_optional)
        s = append_levels(c, begin, end, last - first, payload, err);
    if (s == OK)
        s = append_values(c, first, last, payload, err);
    if (s == OK)
        s = append_page(c, PAGE_DATA, end - begin, &bytes, err);
    if (s != OK)
        return s;
    page.bytes = (uint32_t)bytes;
    if (!page.is_null && !(page.bounds.has_min && page.bounds.has_max))
        c->meta.has_column_index = false;
    parquet_range_join(c->judged.type, &c->range, &range);
    c->meta.page_count++;
    return buf_append(&c->group->pages, &page, sizeof page, err);
}

/* Rows that a page takes where every value takes the same; pages of a chunk are made about equally long, and begin at
 * whole bytes of the validity bitmap. */
static size_t rows_per_page(const struct chunk *c)
{
    const struct parquet_encoder *e = c->encoder;
    size_t rows = c->column->length, most = e->page_rows;
    size_t width = c->dictionary ? 4 : c->written.type.width;
    if (width && e->page_bytes / width < most)
        most = e->page_bytes / width ? e->page_bytes / width : 1;
    size_t pages = (rows + most - 1) / most;
    size_t even = ((rows + pages - 1) / pages + 7) & ~(size_t)7;
    return even < most ? even : most;
}

/* End of the page that begins at row `begin` with value `first`: at most `rows` rows, and fewer where long strings
 * fill it. *last is the value behind it. */
static size_t page_end(const struct chunk *c, size_t begin, size_t first, size_t rows, size_t *last)
{
    size_t length = c->column->length, end = length - begin < rows ? length : begin + rows;
    *last = first + parquet_count_present(c->column, begin, end);
    bool is_fixed = c->dictionary || c->written.type.width;
    if (is_fixed || parquet_plain_bytes(&c->written, first, *last) <= c->encoder->page_bytes)
        return end;
    size_t low = begin + 1, high = end; /* a page has at least a row */
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        size_t value = first + parquet_count_present(c->column, begin, middle);
        if (parquet_plain_bytes(&c->written, first, value) <= c->encoder->page_bytes)
            low = middle;
        else
            high = middle - 1;
    }
    *last = first + parquet_count_present(c->column, begin, low);
    return low;
}

static status encode_dictionary(struct chunk *c, struct error *err)
{
    struct parquet_values slots = parquet_slots_of(&c->written);
    size_t bytes;
    c->meta.has_dictionary = true;
    c->meta.dictionary_at = c->to->len;
    buf_clear(&c->encoder->payload);
    status s = parquet_plain_encode(&slots, 0, slots.count, &c->encoder->payload, err);
    if (s == OK)
        s = append_page(c, PAGE_DICTIONARY, slots.count, &bytes, err);
    return s;
}

static status encode_chunk(struct chunk *c, struct error *err)
{
    size_t rows = rows_per_page(c), first = 0, last;
    status s = c->dictionary ? encode_dictionary(c, err) : OK;
    if (s == OK && c->judged.codes && c->judged.type.physical != PARQUET_BOOLEAN)
        s = parquet_slot_order_prepare(&c->encoder->order, &c->judged, err);
    c->meta.data_at = c->to->len;
    c->meta.first_page = c->group->pages.len / sizeof(struct parquet_page_meta);
    c->meta.has_column_index = true;
    for (size_t begin = 0; s == OK && begin < c->column->length;) {
        size_t end = page_end(c, begin, first, rows, &last);
        s = encode_page(c, begin, end, first, last, err);
        begin = end;
        first = last;
    }
    if (s == OK)
        s = append_bounds(c, &c->range, &c->meta.bounds, err);
    return s;
}

static status encode_column(struct parquet_encoder *e, struct parquet_verdict *verdict, const struct column *column,
                            const struct field *field, struct parquet_row_group *group, struct error *err)
{
    struct parquet_group_meta *meta = group->columns;
    struct chunk c = {
        .encoder = e,
        .column = column,
        .group = meta,
        .to = &group->bytes,
        .meta = {.type = column->type, .is_optional = !field->not_null, .null_count = column->null_count},
    };
    if (field->not_null && column->null_count)
        return error_set(err, ERR_INTERNAL, "column '%.200s' may not be null but has nulls", field->name);
    struct parquet_values values;
    status s = parquet_values_of(column, &e->scratch, &values, err);
    if (s == OK)
        s = parquet_choose(&e->chooser, verdict, &values, &c.written, &c.dictionary, err);
    if (s != OK)
        return s;
    /* A run over numbers is faster than one over codes and what they stand for. */
    c.judged = values.codes == NULL && values.type.width ? values : c.written;
    s = encode_chunk(&c, err);
    if (s != OK)
        return s;
    group->uncompressed_bytes += c.meta.uncompressed_bytes;
    return buf_append(&meta->chunks, &c.meta, sizeof c.meta, err);
}

static status reset_group(struct parquet_row_group *group, const struct batch *batch, enum parquet_codec codec,
                          struct error *err)
{
    if (!group->columns) {
        group->columns = calloc(1, sizeof(struct parquet_group_meta));
        if (!group->columns)
            return error_no_memory(err, sizeof(struct parquet_group_meta));
    }
    struct parquet_group_meta *meta = group->columns;
    meta->codec = codec;
    buf_clear(&meta->chunks);
    buf_clear(&meta->pages);
    buf_clear(&meta->bounds);
    buf_clear(&group->bytes);
    group->rows = batch->rows;
    group->uncompressed_bytes = 0;
    group->column_count = batch->column_count;
    return OK;
}

static status reset_verdicts(struct parquet_encoder *e, const struct batch *batch, struct error *err)
{
    if (e->verdict_count != batch->column_count) {
        struct parquet_verdict *verdicts = calloc(batch->column_count + 1, sizeof *verdicts);
        if (!verdicts)
            return error_no_memory(err, (batch->column_count + 1) * sizeof *verdicts);
        free(e->verdicts);
        e->verdicts = verdicts;
        e->verdict_count = batch->column_count;
    }
    for (size_t i = 0; i < batch->column_count; i++)
        if (!type_equal(e->verdicts[i].type, batch->columns[i].type))
            e->verdicts[i] = (struct parquet_verdict){.type = batch->columns[i].type};
    return OK;
}

status parquet_encode(struct parquet_encoder *encoder, const struct batch *batch, struct parquet_row_group *group,
                      struct error *err)
{
    if (batch->rows == 0)
        return error_set(err, ERR_INTERNAL, "a Parquet row group needs a row");
    status s = reset_group(group, batch, encoder->compressor.codec, err);
    if (s == OK)
        s = reset_verdicts(encoder, batch, err);
    for (size_t i = 0; s == OK && i < batch->column_count; i++) {
        const struct field *field = &batch->schema->fields[i];
        if (batch->columns[i].length != batch->rows)
            s = error_set(err, ERR_INTERNAL, "column '%.200s' has %zu values in a batch of %zu rows", field->name,
                          batch->columns[i].length, batch->rows);
        else
            s = encode_column(encoder, &encoder->verdicts[i], &batch->columns[i], field, group, err);
    }
    return s;
}

void parquet_row_group_release(struct parquet_row_group *group)
{
    struct parquet_group_meta *meta = group->columns;
    buf_release(&group->bytes);
    if (meta) {
        buf_release(&meta->chunks);
        buf_release(&meta->pages);
        buf_release(&meta->bounds);
        free(meta);
    }
    *group = (struct parquet_row_group){0};
}
