#include "format/parquet/parquet_writer.h"

#include <stdlib.h>

#include "format/parquet/parquet_footer.h"
#include "format/parquet/parquet_index.h"

#define MAGIC "PAR1"
#define MAGIC_BYTES 4
/* Readers take the footer's length as a signed number. */
#define FOOTER_MOST_BYTES ((uint64_t)INT32_MAX)

struct parquet_writer {
    struct byte_sink *sink; /* borrowed */
    char *created_by;
    struct parquet_file_meta meta;
    struct buf column_indexes, offset_indexes; /* serialised; written before the footer */
    struct buf scratch;
    uint64_t bytes;
};

static status put(struct parquet_writer *w, const void *bytes, size_t n, struct error *err)
{
    if (n == 0)
        return OK;
    status s = byte_sink_write(w->sink, bytes, n, err);
    if (s == OK)
        w->bytes += n;
    return s;
}

status parquet_writer_create(struct parquet_writer **writer, struct byte_sink *sink,
                             const struct parquet_options *options, struct error *err)
{
    const char *created_by = options->created_by ? options->created_by : "flowforge";
    struct parquet_writer *w = calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, sizeof *w);
    w->sink = sink;
    w->created_by = strdup(created_by);
    w->meta.created_by = w->created_by;
    w->meta.codec = options->codec;
    status s = w->created_by ? OK : error_no_memory(err, strlen(created_by) + 1);
    if (s == OK)
        s = put(w, MAGIC, MAGIC_BYTES, err);
    if (s != OK) {
        parquet_writer_free(w);
        return s;
    }
    *writer = w;
    return OK;
}

void parquet_writer_free(struct parquet_writer *writer)
{
    if (!writer)
        return;
    buf_release(&writer->meta.groups);
    buf_release(&writer->meta.chunks);
    buf_release(&writer->meta.bounds);
    buf_release(&writer->column_indexes);
    buf_release(&writer->offset_indexes);
    buf_release(&writer->scratch);
    free(writer->created_by);
    free(writer);
}

uint64_t parquet_writer_rows(const struct parquet_writer *writer)
{
    return writer->meta.rows;
}

uint64_t parquet_writer_bytes(const struct parquet_writer *writer)
{
    return writer->bytes;
}

/* Keep what the footer says about a chunk; its page indexes are serialised now, while the pages are known. Their
 * places are counted from the beginning of all column or offset indexes until the file's length is known. */
static status remember_chunk(struct parquet_writer *w, const struct parquet_group_meta *group,
                             const struct parquet_chunk_meta *meta, struct error *err)
{
    uint64_t base = w->bytes;
    struct parquet_file_chunk c = {
        .meta = *meta,
        .column_index_at = w->column_indexes.len,
        .offset_index_at = w->offset_indexes.len,
    };
    c.meta.dictionary_at += base;
    c.meta.data_at += base;
    c.meta.bounds.at = w->meta.bounds.len;
    size_t bounds = (size_t)meta->bounds.min_bytes + meta->bounds.max_bytes;
    status s = OK;
    if (bounds)
        s = buf_append(&w->meta.bounds, group->bounds.data + meta->bounds.at, bounds, err);
    if (s == OK && meta->has_column_index)
        s = parquet_write_column_index(group, meta, &w->column_indexes, err);
    if (s == OK)
        s = parquet_write_offset_index(group, meta, base, &w->offset_indexes, err);
    if (s != OK)
        return s;
    c.column_index_bytes = (uint32_t)(w->column_indexes.len - c.column_index_at);
    c.offset_index_bytes = (uint32_t)(w->offset_indexes.len - c.offset_index_at);
    return buf_append(&w->meta.chunks, &c, sizeof c, err);
}

status parquet_writer_add(struct parquet_writer *writer, const struct parquet_row_group *group, struct error *err)
{
    const struct parquet_group_meta *meta = group->columns;
    struct parquet_file_meta *file = &writer->meta;
    if (file->groups.len == 0)
        file->column_count = group->column_count;
    if (file->column_count != group->column_count || meta->codec != file->codec)
        return error_set(err, ERR_INTERNAL, "a row group of %zu columns does not belong to a file of %zu columns",
                         group->column_count, file->column_count);
    struct parquet_file_group g = {
        .at = writer->bytes,
        .rows = group->rows,
        .compressed_bytes = group->bytes.len,
        .uncompressed_bytes = group->uncompressed_bytes,
    };
    status s = OK;
    for (size_t i = 0; s == OK && i < group->column_count; i++)
        s = remember_chunk(writer, meta, &parquet_chunks(meta)[i], err);
    if (s == OK)
        s = buf_append(&file->groups, &g, sizeof g, err);
    if (s == OK)
        s = put(writer, group->bytes.data, group->bytes.len, err);
    if (s == OK)
        file->rows += group->rows;
    return s;
}

/* What was written must be what the schema says; a chunk of nulls may have any type. */
static status check_column(const struct parquet_file_chunk *c, const struct field *field, struct error *err)
{
    char written[TYPE_NAME_MAX], final[TYPE_NAME_MAX];
    bool fits = c->meta.type.kind == TYPE_NULL || type_equal(c->meta.type, field->type);
    if (fits && c->meta.is_optional == !field->not_null)
        return OK;
    return error_set(err, ERR_INTERNAL, "column '%.200s' was written as %s%s and ends as %s%s", field->name,
                     type_name(c->meta.type, written), c->meta.is_optional ? "" : " not null",
                     type_name(field->type, final), field->not_null ? " not null" : "");
}

static status check_schema(const struct parquet_writer *w, const struct schema *schema, struct error *err)
{
    const struct parquet_file_chunk *chunks = (const struct parquet_file_chunk *)w->meta.chunks.data;
    size_t count = w->meta.chunks.len / sizeof *chunks;
    if (count && schema->count != w->meta.column_count)
        return error_set(err, ERR_INTERNAL, "a Parquet file of %zu columns ends with a schema of %zu",
                         w->meta.column_count, schema->count);
    status s = OK;
    for (size_t i = 0; s == OK && i < count; i++)
        s = check_column(&chunks[i], &schema->fields[i % schema->count], err);
    return s;
}

static status write_indexes(struct parquet_writer *w, struct error *err)
{
    struct parquet_file_chunk *chunks = (struct parquet_file_chunk *)w->meta.chunks.data;
    uint64_t columns_at = w->bytes, offsets_at = w->bytes + w->column_indexes.len;
    for (size_t i = 0; i < w->meta.chunks.len / sizeof *chunks; i++) {
        chunks[i].column_index_at += columns_at;
        chunks[i].offset_index_at += offsets_at;
    }
    status s = put(w, w->column_indexes.data, w->column_indexes.len, err);
    if (s == OK)
        s = put(w, w->offset_indexes.data, w->offset_indexes.len, err);
    return s;
}

status parquet_writer_finish(struct parquet_writer *writer, const struct schema *schema, struct error *err)
{
    uint64_t footer = 0;
    status s = check_schema(writer, schema, err);
    if (s == OK)
        s = write_indexes(writer, err);
    if (s == OK)
        s = parquet_footer_write(&writer->meta, schema, writer->sink, &writer->scratch, &footer, err);
    if (s != OK)
        return s;
    writer->bytes += footer;
    if (footer > FOOTER_MOST_BYTES) {
        s = error_set(err, ERR_LIMIT, "the Parquet footer takes %llu bytes, more than readers accept",
                      (unsigned long long)footer);
        error_hint(err, "write fewer columns or larger row groups");
        return s;
    }
    uint32_t length = (uint32_t)footer;
    uint8_t tail[4 + MAGIC_BYTES] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
                                     (uint8_t)(length >> 24)};
    memcpy(tail + 4, MAGIC, MAGIC_BYTES);
    return put(writer, tail, sizeof tail, err);
}
