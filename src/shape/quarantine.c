#include "shape/quarantine.h"

#include <stdlib.h>

#include "batch/batch.h"
#include "shape/base64.h"

#define GROUP_ROWS 65536
#define GROUP_BYTES ((size_t)16 << 20)

enum quarantine_column {
    COLUMN_RUN_ID,
    COLUMN_JOB_ID,
    COLUMN_SOURCE_URI,
    COLUMN_ROW_NUMBER,
    COLUMN_LINE,
    COLUMN_BYTE_OFFSET,
    COLUMN_BYTE_LENGTH,
    COLUMN_COLUMN,
    COLUMN_ERROR_CODE,
    COLUMN_ERROR_MESSAGE,
    COLUMN_RAW,
    COLUMN_RAW_ENCODING,
    COLUMN_COUNT
};

static const struct {
    const char *name;
    enum type_kind kind;
    bool not_null;
} layout[COLUMN_COUNT] = {
    [COLUMN_RUN_ID] = {"run_id", TYPE_STRING, true},
    [COLUMN_JOB_ID] = {"job_id", TYPE_STRING, true},
    [COLUMN_SOURCE_URI] = {"source_uri", TYPE_STRING, true},
    [COLUMN_ROW_NUMBER] = {"row_number", TYPE_BIGINT, true},
    [COLUMN_LINE] = {"line", TYPE_BIGINT, true},
    [COLUMN_BYTE_OFFSET] = {"byte_offset", TYPE_BIGINT, true},
    [COLUMN_BYTE_LENGTH] = {"byte_length", TYPE_BIGINT, true},
    [COLUMN_COLUMN] = {"column", TYPE_STRING, false},
    [COLUMN_ERROR_CODE] = {"error_code", TYPE_STRING, true},
    [COLUMN_ERROR_MESSAGE] = {"error_message", TYPE_STRING, true},
    [COLUMN_RAW] = {"raw", TYPE_STRING, true},
    [COLUMN_RAW_ENCODING] = {"raw_encoding", TYPE_STRING, true},
};

struct quarantine {
    struct buf run_id, job_id;
    const struct schema *columns; /* of the rejects at hand */
    struct schema schema;         /* of the file */
    struct batch batch;
    struct buf text; /* one cell that had to be rewritten */
    struct buf source_uri;
    struct parquet_encoder *encoder;
    struct parquet_writer *writer;
    struct parquet_row_group group;
};

/* Copy, with U+FFFD for bytes that are not UTF-8. */
static status append_repaired(struct str text, struct buf *to, struct error *err)
{
    if (str_is_utf8(text))
        return buf_append_str(to, text, err);
    status s = OK;
    for (size_t at = 0; s == OK && at < text.n;) {
        size_t n = 1;
        while (n <= 4 && n <= text.n - at && !str_is_utf8((struct str){text.p + at, n}))
            n++;
        bool valid = n <= 4 && n <= text.n - at;
        s = buf_append_str(to, valid ? (struct str){text.p + at, n} : STR("\xEF\xBF\xBD"), err);
        at += valid ? n : 1;
    }
    return s;
}

status quarantine_create(struct quarantine **quarantine, const struct quarantine_options *options,
                         struct byte_sink *sink, struct error *err)
{
    struct quarantine *q = calloc(1, sizeof *q);
    if (!q)
        return error_no_memory(err, sizeof *q);
    status s = append_repaired(options->run_id, &q->run_id, err);
    if (s == OK)
        s = append_repaired(options->job_id, &q->job_id, err);
    for (size_t i = 0; s == OK && i < COLUMN_COUNT; i++)
        s = schema_add(&q->schema, str_of(layout[i].name), (struct str){0}, (struct data_type){.kind = layout[i].kind},
                       layout[i].not_null, err);
    if (s == OK)
        s = batch_reset(&q->batch, &q->schema, err);
    if (s == OK)
        s = parquet_encoder_create(&q->encoder, options->parquet, err);
    if (s == OK)
        s = parquet_writer_create(&q->writer, sink, options->parquet, err);
    if (s == OK)
        *quarantine = q;
    else
        quarantine_free(q);
    return s;
}

void quarantine_free(struct quarantine *q)
{
    if (!q)
        return;
    parquet_writer_free(q->writer);
    parquet_encoder_free(q->encoder);
    parquet_row_group_release(&q->group);
    batch_release(&q->batch);
    schema_release(&q->schema);
    buf_release(&q->run_id);
    buf_release(&q->job_id);
    buf_release(&q->text);
    buf_release(&q->source_uri);
    free(q);
}

static status flush(struct quarantine *q, struct error *err)
{
    if (q->batch.rows == 0)
        return OK;
    status s = parquet_encode(q->encoder, &q->batch, &q->group, err);
    if (s == OK)
        s = parquet_writer_add(q->writer, &q->group, err);
    return s == OK ? batch_reset(&q->batch, &q->schema, err) : s;
}

static size_t buffered_bytes(const struct batch *batch)
{
    size_t bytes = 0;
    for (size_t i = 0; i < batch->column_count; i++)
        bytes += batch->columns[i].data.len + batch->columns[i].offsets.len;
    return bytes;
}

static status put_text(struct quarantine *q, enum quarantine_column column, struct str text, struct error *err)
{
    return column_append(&q->batch.columns[column], text.p, text.n, err);
}

static status put_number(struct quarantine *q, enum quarantine_column column, uint64_t number, struct error *err)
{
    return column_append(&q->batch.columns[column], &number, sizeof number, err);
}

static status put_column_name(struct quarantine *q, uint32_t column, struct error *err)
{
    if (column < q->columns->count)
        return put_text(q, COLUMN_COLUMN, str_of(q->columns->fields[column].name), err);
    return column_append_null(&q->batch.columns[COLUMN_COLUMN], err);
}

static status put_message(struct quarantine *q, struct str message, struct error *err)
{
    buf_clear(&q->text);
    status s = append_repaired(message, &q->text, err);
    return s == OK ? put_text(q, COLUMN_ERROR_MESSAGE, buf_str(&q->text), err) : s;
}

/* Raw bytes that were cut at REJECT_RAW_MAX may end within a character; that alone does not make them binary. */
static struct str whole_characters(struct str raw)
{
    size_t n = raw.n;
    if (n == REJECT_RAW_MAX)
        for (size_t back = 1; back <= 3; back++)
            if (((unsigned char)raw.p[n - back] & 0xC0) == 0xC0)
                return str_is_utf8((struct str){raw.p + n - back, back}) ? raw : (struct str){raw.p, n - back};
    return raw;
}

static status put_raw(struct quarantine *q, struct str raw, struct error *err)
{
    struct str text = whole_characters(raw);
    if (str_is_utf8(text)) {
        status s = put_text(q, COLUMN_RAW, text, err);
        return s == OK ? put_text(q, COLUMN_RAW_ENCODING, STR("utf-8"), err) : s;
    }
    buf_clear(&q->text);
    status s = base64_append(raw, &q->text, err);
    if (s == OK)
        s = put_text(q, COLUMN_RAW, buf_str(&q->text), err);
    return s == OK ? put_text(q, COLUMN_RAW_ENCODING, STR("base64"), err) : s;
}

static status add_row(struct quarantine *q, const struct reject_list *rejects, const struct reject *r,
                      struct error *err)
{
    const struct {
        enum quarantine_column column;
        uint64_t number;
    } numbers[] = {{COLUMN_ROW_NUMBER, r->record},
                   {COLUMN_LINE, r->line},
                   {COLUMN_BYTE_OFFSET, r->byte_offset},
                   {COLUMN_BYTE_LENGTH, r->byte_length}};
    status s = put_text(q, COLUMN_RUN_ID, buf_str(&q->run_id), err);
    if (s == OK)
        s = put_text(q, COLUMN_JOB_ID, buf_str(&q->job_id), err);
    if (s == OK)
        s = put_text(q, COLUMN_SOURCE_URI, buf_str(&q->source_uri), err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(numbers); i++)
        s = put_number(q, numbers[i].column, numbers[i].number, err);
    if (s == OK)
        s = put_column_name(q, r->column, err);
    if (s == OK)
        s = put_text(q, COLUMN_ERROR_CODE, str_of(reject_code_name(r->code)), err);
    if (s == OK)
        s = put_message(q, reject_message(rejects, r), err);
    if (s == OK)
        s = put_raw(q, reject_raw(rejects, r), err);
    if (s == OK)
        q->batch.rows++;
    return s;
}

status quarantine_add(struct quarantine *q, const struct reject_list *rejects, struct str source_uri,
                      const struct schema *columns, struct error *err)
{
    q->columns = columns;
    buf_clear(&q->source_uri);
    status s = append_repaired(source_uri, &q->source_uri, err);
    for (size_t i = 0; s == OK && i < rejects->count; i++) {
        s = add_row(q, rejects, &rejects->items[i], err);
        if (s == OK && (q->batch.rows >= GROUP_ROWS || buffered_bytes(&q->batch) >= GROUP_BYTES))
            s = flush(q, err);
    }
    return s;
}

status quarantine_finish(struct quarantine *q, uint64_t *rows, struct error *err)
{
    status s = flush(q, err);
    if (s == OK)
        s = parquet_writer_finish(q->writer, &q->schema, err);
    if (s == OK)
        *rows = parquet_writer_rows(q->writer);
    return s;
}
