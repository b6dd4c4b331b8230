#include "job/output_file.h"

#include <errno.h>
#include <stdlib.h>

#include "format/compress/stream.h"
#include "format/csv/csv_encoder.h"
#include "format/json/json_encoder.h"
#include "sys/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

struct parquet_options output_parquet_options(const struct output_plan *plan, const struct convert_options *options)
{
    static const enum parquet_codec codecs[] = {
        [COMPRESSION_NONE] = PARQUET_NONE,
        [COMPRESSION_GZIP] = PARQUET_GZIP,
        [COMPRESSION_SNAPPY] = PARQUET_SNAPPY,
        [COMPRESSION_ZSTD] = PARQUET_ZSTD,
    };
    return (struct parquet_options){
        .codec = codecs[plan->compression],
        .level = options->level,
        .created_by = "flowforge version " FLOWFORGE_VERSION,
    };
}

static status compress_text(const struct output_plan *plan, int level, const struct buf *text, struct buf *bytes,
                            struct error *err)
{
    switch (plan->compression) {
    case COMPRESSION_GZIP:
        return gzip_block(text->data, text->len, level ? level : 6, bytes, err);
    case COMPRESSION_ZSTD:
        return zstd_block(text->data, text->len, level ? level : 3, bytes, err);
    default:
        return buf_append(bytes, text->data, text->len, err);
    }
}

status output_text_encode(const struct output_plan *plan, int level, const struct batch *batch, struct buf *scratch,
                          struct buf *bytes, struct error *err)
{
    buf_clear(scratch);
    status s = plan->format == FORMAT_CSV ? csv_encode(batch, scratch, err) : ndjson_encode(batch, scratch, err);
    return s == OK && scratch->len > 0 ? compress_text(plan, level, scratch, bytes, err) : s;
}

status output_text_header(const struct output_plan *plan, int level, const struct schema *schema,
                          struct output_file *file, struct error *err)
{
    struct buf text = {0}, bytes = {0};
    status s = csv_encode_header(schema, &text, err);
    if (s == OK)
        s = compress_text(plan, level, &text, &bytes, err);
    if (s == OK)
        s = output_file_add_text(file, &bytes, 0, err);
    buf_release(&text);
    buf_release(&bytes);
    return s;
}

status output_file_begin(struct output_file *f, const struct parquet_options *parquet, struct error *err)
{
    if (f->sink.ops)
        return OK;
    status s = f->created ? staging_append(f->staging, f->relative, &f->sink, err)
                          : staging_open(f->staging, f->relative, &f->sink, err);
    if (s != OK || f->created)
        return s;
    f->created = true;
    if (f->plan->format == FORMAT_PARQUET)
        s = parquet_writer_create(&f->parquet, &f->sink, parquet, err);
    return s;
}

status output_file_add_group(struct output_file *f, const struct parquet_row_group *group, struct error *err)
{
    status s = parquet_writer_add(f->parquet, group, err);
    f->bytes = parquet_writer_bytes(f->parquet);
    f->rows += s == OK ? group->rows : 0;
    return s;
}

status output_file_add_text(struct output_file *f, const struct buf *bytes, uint64_t rows, struct error *err)
{
    status s = byte_sink_write(&f->sink, bytes->data, bytes->len, err);
    f->bytes += bytes->len;
    f->rows += rows;
    return s;
}

status output_file_pause(struct output_file *f, struct error *err)
{
    status s = byte_sink_finish(&f->sink, err);
    byte_sink_close(&f->sink);
    return s;
}

status output_file_stated_rows(const char *path, uint64_t *rows, struct error *err)
{
    struct buf tail = {0};
    struct stat st;
    uint64_t stated = UINT64_MAX;
    size_t need = 65536;
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0 || fstat(fd, &st) != 0) {
        status s = error_set_errno(err, errno, "cannot read back %s", path);
        if (fd >= 0)
            close(fd);
        return s;
    }
    uint64_t size = (uint64_t)st.st_size;
    status s = OK;
    while (s == OK && stated == UINT64_MAX && need > 0) {
        size_t n = need < size ? need : size;
        need = 0;
        s = buf_resize(&tail, n, err);
        if (s == OK)
            s = file_pread_all(fd, tail.data, n, size - n, path, err);
        if (s == OK)
            s = parquet_footer_rows(tail.data, n, &stated, &need, err);
    }
    if (s == OK && stated == UINT64_MAX)
        s = error_set(err, ERR_ACCOUNTING, "the footer of %s does not tell its rows", path);
    close(fd);
    buf_release(&tail);
    if (s == OK)
        *rows = stated;
    return s;
}

status output_file_end(struct output_file *f, const struct schema *schema, int level, struct error *err)
{
    status s = OK;
    if (f->plan->format == FORMAT_PARQUET) {
        s = parquet_writer_finish(f->parquet, schema, err);
        f->bytes = parquet_writer_bytes(f->parquet);
    } else if (f->plan->format == FORMAT_CSV && f->rows == 0) {
        s = output_text_header(f->plan, level, schema, f, err);
    }
    if (s == OK)
        s = output_file_pause(f, err);
    if (s != OK || f->plan->format != FORMAT_PARQUET)
        return s;
    char path[PATH_MAX];
    uint64_t rows = 0;
    s = staging_path(f->staging, f->relative, path, sizeof path, err);
    if (s == OK)
        s = output_file_stated_rows(path, &rows, err);
    if (s == OK && rows != f->rows)
        s = error_set(err, ERR_ACCOUNTING, "%s states %llu rows, but %llu were written to it", path,
                      (unsigned long long)rows, (unsigned long long)f->rows);
    return s;
}

void output_file_release(struct output_file *f)
{
    byte_sink_close(&f->sink);
    parquet_writer_free(f->parquet);
    free(f->relative);
    *f = (struct output_file){0};
}
