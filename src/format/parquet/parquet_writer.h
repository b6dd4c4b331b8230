/* Parquet files (parquet-format 2.10: file version 2.6 logical types, data page v1).
 *
 * Two halves so that the work runs in parallel and the bytes stay in order:
 *   parquet_encoder  one per worker; turns a batch into the bytes of one row group (all pages,
 *                    compressed) with offsets relative to its start. Touches nothing shared.
 *   parquet_writer   one per file; takes encoded row groups in order, writes them to a byte sink,
 *                    and writes page indexes and the footer at the end.
 *
 * Column type at the end: a column chunk of nulls only has the same bytes whatever its type, so the
 * schema given to parquet_writer_finish may give a column that was TYPE_NULL in earlier row groups
 * any type. Every other column must keep its type. */
#ifndef FF_FORMAT_PARQUET_WRITER_H
#define FF_FORMAT_PARQUET_WRITER_H

#include "base/byte_stream.h"
#include "batch/batch.h"

enum parquet_codec { PARQUET_NONE, PARQUET_SNAPPY, PARQUET_GZIP, PARQUET_ZSTD };

struct parquet_options {
    enum parquet_codec codec;
    int level;              /* gzip 1..9, zstd 1..19; 0: the codec's default (6, 3) */
    size_t page_bytes;      /* target size of an uncompressed data page; 0: 1 MiB */
    size_t page_rows;       /* most rows in a page; 0: 20,000 */
    size_t dict_bytes;      /* largest dictionary page, uncompressed; 0: 1 MiB */
    const char *created_by; /* e.g. "flowforge version 0.1.0 (build ...)" */
};

struct parquet_encoder;
/* `bytes` is the row group exactly as it goes to the file; the rest is what the footer needs. */
struct parquet_row_group {
    struct buf bytes;
    uint64_t rows;
    uint64_t uncompressed_bytes; /* of all pages, before compression, for reports */
    void *columns;               /* internal */
    size_t column_count;
};

status parquet_encoder_create(struct parquet_encoder **encoder, const struct parquet_options *options,
                              struct error *err) MUST_USE;
/* Encode all rows of the batch (at least one) as one row group. Dictionary-form columns are written as they are
 * unless that would not pay; plain ones get a dictionary if it pays (what was learned is kept per column for the
 * next call). *group is reused: its buffers keep their memory. */
status parquet_encode(struct parquet_encoder *encoder, const struct batch *batch, struct parquet_row_group *group,
                      struct error *err) MUST_USE;
void parquet_encoder_free(struct parquet_encoder *encoder);
void parquet_row_group_release(struct parquet_row_group *group);

struct parquet_writer;
/* Writes the magic. The sink is borrowed; the writer never finishes or closes it. */
status parquet_writer_create(struct parquet_writer **writer, struct byte_sink *sink,
                             const struct parquet_options *options, struct error *err) MUST_USE;
status parquet_writer_add(struct parquet_writer *writer, const struct parquet_row_group *group,
                          struct error *err) MUST_USE;
/* Column index, offset index and footer. `schema` is the final one (TYPE_NULL columns are written as string);
 * source names go to the file's key-value metadata ("flowforge.source_names": a JSON object name -> source name). */
status parquet_writer_finish(struct parquet_writer *writer, const struct schema *schema, struct error *err) MUST_USE;
uint64_t parquet_writer_rows(const struct parquet_writer *writer);
uint64_t parquet_writer_bytes(const struct parquet_writer *writer); /* written so far */
void parquet_writer_free(struct parquet_writer *writer);

/* Number of rows that the footer of a finished file states: read back before a commit, so that the accounting is
 * checked against what was really written. `tail` is the end of the file (the last 64 KiB or the whole file are
 * tried first; *need_bytes tells how many bytes from the end are needed when OK is returned with *rows untouched). */
status parquet_footer_rows(const uint8_t *tail, size_t n, uint64_t *rows, size_t *need_bytes,
                           struct error *err) MUST_USE;

#endif
