#include "format/parquet/parquet_footer.h"

#include "format/parquet/parquet_page.h"
#include "format/parquet/parquet_types.h"
#include "format/parquet/source_names.h"
#include "format/parquet/thrift_compact.h"

#define FORMAT_VERSION 2
#define SOURCE_NAMES_KEY "flowforge.source_names"
/* Metadata of files with many columns and row groups leaves in pieces of about this size. */
#define PIECE ((size_t)1 << 20)

/* parquet.thrift, CompressionCodec */
static const int32_t codec_numbers[] = {
    [PARQUET_NONE] = 0,
    [PARQUET_SNAPPY] = 1,
    [PARQUET_GZIP] = 2,
    [PARQUET_ZSTD] = 6,
};

struct footer {
    const struct parquet_file_meta *file;
    const struct schema *schema;
    struct byte_sink *sink;
    struct thrift_writer w;
    uint64_t written;
};

static status flush(struct footer *f, size_t at_least, struct error *err)
{
    status s = thrift_writer_status(&f->w);
    struct buf *piece = f->w.to;
    if (s != OK || piece->len < at_least || piece->len == 0)
        return s;
    s = byte_sink_write(f->sink, piece->data, piece->len, err);
    if (s == OK) {
        f->written += piece->len;
        buf_clear(piece);
    }
    return s;
}

static status write_schema(struct footer *f, struct error *err)
{
    status s = OK;
    thrift_list(&f->w, 2, THRIFT_STRUCT, f->schema->count + 1);
    thrift_element_struct(&f->w);
    thrift_binary(&f->w, 4, STR("schema"));
    thrift_i32(&f->w, 5, (int32_t)f->schema->count);
    thrift_struct_end(&f->w);
    for (size_t i = 0; s == OK && i < f->schema->count; i++) {
        parquet_write_schema_element(&f->w, &f->schema->fields[i]);
        s = flush(f, PIECE, err);
    }
    return s;
}

static void write_statistics(struct footer *f, const struct parquet_chunk_meta *chunk)
{
    const struct parquet_bounds *b = &chunk->bounds;
    const char *bytes = (const char *)f->file->bounds.data + b->at;
    thrift_struct(&f->w, 12);
    thrift_i64(&f->w, 3, (int64_t)chunk->null_count);
    if (b->has_max)
        thrift_binary(&f->w, 5, (struct str){bytes + b->min_bytes, b->max_bytes});
    if (b->has_min)
        thrift_binary(&f->w, 6, (struct str){bytes, b->min_bytes});
    if (b->has_max)
        thrift_bool(&f->w, 7, b->max_exact);
    if (b->has_min)
        thrift_bool(&f->w, 8, b->min_exact);
    thrift_struct_end(&f->w);
}

static void write_page_counts(struct thrift_writer *w, enum parquet_page_type type, enum parquet_encoding encoding,
                              size_t count)
{
    thrift_element_struct(w); /* PageEncodingStats */
    thrift_i32(w, 1, type);
    thrift_i32(w, 2, encoding);
    thrift_i32(w, 3, (int32_t)count);
    thrift_struct_end(w);
}

static void write_encodings(struct thrift_writer *w, const struct parquet_chunk_meta *chunk)
{
    thrift_list(w, 2, THRIFT_I32, (size_t)1 + chunk->is_optional + chunk->has_dictionary);
    thrift_element_i32(w, ENCODING_PLAIN);
    if (chunk->is_optional)
        thrift_element_i32(w, ENCODING_RLE);
    if (chunk->has_dictionary)
        thrift_element_i32(w, ENCODING_RLE_DICTIONARY);
}

static void write_chunk(struct footer *f, const struct parquet_file_chunk *c, const struct field *field, uint64_t rows)
{
    struct thrift_writer *w = &f->w;
    const struct parquet_chunk_meta *m = &c->meta;
    thrift_element_struct(w); /* ColumnChunk */
    thrift_i64(w, 2, 0);      /* file_offset: deprecated, 0 where the metadata stands in the footer only */
    thrift_struct(w, 3);      /* ColumnMetaData */
    thrift_i32(w, 1, (int32_t)parquet_type_of(field->type).physical);
    write_encodings(w, m);
    thrift_list(w, 3, THRIFT_BINARY, 1);
    thrift_element_binary(w, str_of(field->name));
    thrift_i32(w, 4, codec_numbers[f->file->codec]);
    thrift_i64(w, 5, (int64_t)rows);
    thrift_i64(w, 6, (int64_t)m->uncompressed_bytes);
    thrift_i64(w, 7, (int64_t)m->compressed_bytes);
    thrift_i64(w, 9, (int64_t)m->data_at);
    if (m->has_dictionary)
        thrift_i64(w, 11, (int64_t)m->dictionary_at);
    write_statistics(f, m);
    thrift_list(w, 13, THRIFT_STRUCT, (size_t)1 + m->has_dictionary);
    if (m->has_dictionary)
        write_page_counts(w, PAGE_DICTIONARY, ENCODING_PLAIN, 1);
    write_page_counts(w, PAGE_DATA, m->has_dictionary ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN, m->page_count);
    thrift_struct_end(w);
    thrift_i64(w, 4, (int64_t)c->offset_index_at);
    thrift_i32(w, 5, (int32_t)c->offset_index_bytes);
    if (m->has_column_index) {
        thrift_i64(w, 6, (int64_t)c->column_index_at);
        thrift_i32(w, 7, (int32_t)c->column_index_bytes);
    }
    thrift_struct_end(w);
}

static status write_group(struct footer *f, size_t index, struct error *err)
{
    const struct parquet_file_meta *file = f->file;
    const struct parquet_file_group *g = (const struct parquet_file_group *)file->groups.data + index;
    const struct parquet_file_chunk *chunks =
        (const struct parquet_file_chunk *)file->chunks.data + index * file->column_count;
    status s = OK;
    thrift_element_struct(&f->w);
    thrift_list(&f->w, 1, THRIFT_STRUCT, file->column_count);
    for (size_t i = 0; s == OK && i < file->column_count; i++) {
        write_chunk(f, &chunks[i], &f->schema->fields[i], g->rows);
        s = flush(f, PIECE, err);
    }
    thrift_i64(&f->w, 2, (int64_t)g->uncompressed_bytes);
    thrift_i64(&f->w, 3, (int64_t)g->rows);
    thrift_i64(&f->w, 5, (int64_t)g->at);
    thrift_i64(&f->w, 6, (int64_t)g->compressed_bytes);
    if (index <= INT16_MAX)
        thrift_i16(&f->w, 7, (int16_t)index);
    thrift_struct_end(&f->w);
    return s;
}

static status write_key_values(struct footer *f, struct error *err)
{
    struct buf names = {0};
    status s = source_names_json(f->schema, &names, err);
    if (s == OK) {
        thrift_list(&f->w, 5, THRIFT_STRUCT, 1);
        thrift_element_struct(&f->w);
        thrift_binary(&f->w, 1, STR(SOURCE_NAMES_KEY));
        thrift_binary(&f->w, 2, buf_str(&names));
        thrift_struct_end(&f->w);
        s = flush(f, PIECE, err);
    }
    buf_release(&names);
    return s;
}

status parquet_footer_write(const struct parquet_file_meta *file, const struct schema *schema, struct byte_sink *sink,
                            struct buf *scratch, uint64_t *bytes, struct error *err)
{
    size_t groups = file->groups.len / sizeof(struct parquet_file_group);
    struct footer f = {.file = file, .schema = schema, .sink = sink};
    buf_clear(scratch);
    thrift_writer_init(&f.w, scratch, err);
    thrift_i32(&f.w, 1, FORMAT_VERSION);
    status s = write_schema(&f, err);
    thrift_i64(&f.w, 3, (int64_t)file->rows);
    thrift_list(&f.w, 4, THRIFT_STRUCT, groups);
    for (size_t i = 0; s == OK && i < groups; i++)
        s = write_group(&f, i, err);
    if (s == OK)
        s = write_key_values(&f, err);
    if (s != OK)
        return s;
    thrift_binary(&f.w, 6, str_of(file->created_by));
    thrift_list(&f.w, 7, THRIFT_STRUCT, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        thrift_element_struct(&f.w); /* ColumnOrder: TYPE_ORDER */
        thrift_empty_struct(&f.w, 1);
        thrift_struct_end(&f.w);
    }
    thrift_struct_end(&f.w);
    s = flush(&f, 0, err);
    if (s == OK)
        *bytes = f.written;
    return s;
}
