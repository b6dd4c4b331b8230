#include "format/parquet/parquet_writer.h"
#include "format/parquet/thrift_compact.h"

#define TAIL_BYTES 8 /* length of the footer, magic */
#define MOST_BYTES ((size_t)INT32_MAX)

static status broken(struct error *err, const char *what)
{
    return error_set(err, ERR_BAD_DATA, "this is not a finished Parquet file: %s", what);
}

static int64_t group_rows(struct thrift_reader *r)
{
    int id;
    enum thrift_type type;
    int64_t rows = 0;
    thrift_enter_struct(r);
    while (thrift_next_field(r, &id, &type)) {
        if (id == 3 && type == THRIFT_I64)
            rows = thrift_read_int(r);
        else
            thrift_skip(r, type);
    }
    thrift_leave_struct(r);
    return rows;
}

/* Sum over the row groups, so that the total is held against its parts. */
static int64_t all_group_rows(struct thrift_reader *r)
{
    enum thrift_type element = THRIFT_STOP;
    size_t count = thrift_read_list(r, &element);
    int64_t rows = 0;
    if (count && element != THRIFT_STRUCT)
        r->bad = true;
    for (size_t i = 0; i < count && !r->bad; i++)
        if (__builtin_add_overflow(rows, group_rows(r), &rows))
            r->bad = true;
    return rows;
}

status parquet_footer_rows(const uint8_t *tail, size_t n, uint64_t *rows, size_t *need_bytes, struct error *err)
{
    if (n < TAIL_BYTES || memcmp(tail + n - 4, "PAR1", 4) != 0)
        return broken(err, "it does not end with PAR1");
    const uint8_t *p = tail + n - TAIL_BYTES;
    size_t length = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (length > MOST_BYTES)
        return broken(err, "its footer has an impossible length");
    if (n < length + TAIL_BYTES) {
        *need_bytes = length + TAIL_BYTES;
        return OK;
    }
    struct thrift_reader r;
    int id;
    enum thrift_type type;
    int64_t total = -1, sum = -1;
    thrift_reader_init(&r, p - length, length);
    while (thrift_next_field(&r, &id, &type)) {
        if (id == 3 && type == THRIFT_I64)
            total = thrift_read_int(&r);
        else if (id == 4 && type == THRIFT_LIST)
            sum = all_group_rows(&r);
        else
            thrift_skip(&r, type);
    }
    if (r.bad || r.at != r.end || total < 0 || sum < 0)
        return broken(err, "its footer cannot be read");
    if (total != sum)
        return broken(err, "its footer and its row groups state different numbers of rows");
    *rows = (uint64_t)total;
    *need_bytes = 0;
    return OK;
}
