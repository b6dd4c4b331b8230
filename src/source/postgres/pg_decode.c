/* Rows come one after another, and columns are wanted: a block of rows is walked for where its values lie, then each
 * column of the block is decoded in one loop of its own. */
#include "source/postgres/pg_decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "source/postgres/pg_bytes.h"

#define POSITION_BYTES (64u << 10) /* of a block, to stay in the first cache */
#define BLOCK_MOST 1024u           /* rows; a multiple of 8, so that a block's validity begins with a byte */
#define BLOCK_LEAST 16u
#define COPY_SHORT 16 /* values up to so long are copied as if they had this length */

#define POSTGRES_EPOCH_DAYS 10957 /* 2000-01-01 */
#define POSTGRES_EPOCH_MICROS 946684800000000
#define DAY_MICROS 86400000000
/* Years 0001 to 9999, beyond which no reader of ours follows. */
#define DAYS_LEAST (-719162)
#define DAYS_MOST 2932896

struct place {
    uint32_t at;
    int32_t n; /* -1: null */
};

struct decoding {
    const struct schema *schema;
    const enum pg_wire *wire;
    const uint8_t *bytes; /* the piece */
    struct batch *into;
    size_t columns;
    struct place *places; /* columns x block */
    size_t block;         /* rows a block */
    struct error *err;
};

static status malformed(struct error *err, const char *what)
{
    status s = error_set(err, ERR_BAD_DATA, "the server's COPY data do not follow the format: %s", what);
    error_hint(err, "is there a proxy between FlowForge and PostgreSQL that alters what passes?");
    return s;
}

/* ---- one column of a block ---- */

static status wrong_length(struct decoding *d, size_t column, int32_t n)
{
    return error_set(d->err, ERR_BAD_DATA,
                     "the server's COPY data do not follow the format: a value of column '%.100s' "
                     "has %d bytes",
                     d->schema->fields[column].name, (int)n);
}

/* Validity is written for every block, and dropped at the end from columns without a null. */
static status begin_block(struct column *c, size_t rows, size_t width, struct error *err)
{
    status s = buf_resize(&c->data, (c->length + rows) * width, err);
    if (s == OK)
        s = buf_resize(&c->validity, (c->length + rows + 7) / 8, err);
    if (s == OK)
        memset(c->validity.data + c->length / 8, 0xFF, (rows + 7) / 8);
    return s;
}

static inline void set_null(struct column *c, size_t row)
{
    c->validity.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    c->null_count++;
}

/* A loop for each wire type of fixed length: what `value` is of `p`, else null. */
#define FIXED_COLUMN(name, bytes_on_wire, c_type, value)                                                               \
    static status name(struct decoding *d, size_t column, const struct place *places, size_t rows)                     \
    {                                                                                                                  \
        struct column *c = &d->into->columns[column];                                                                  \
        status s = begin_block(c, rows, sizeof(c_type), d->err);                                                       \
        if (s != OK)                                                                                                   \
            return s;                                                                                                  \
        c_type *out = (c_type *)c->data.data + c->length;                                                              \
        for (size_t i = 0; i < rows; i++) {                                                                            \
            const uint8_t *p = d->bytes + places[i].at;                                                                \
            if (__builtin_expect(places[i].n == (bytes_on_wire), 1)) {                                                 \
                out[i] = (value);                                                                                      \
            } else if (places[i].n == -1) {                                                                            \
                out[i] = 0;                                                                                            \
                set_null(c, c->length + i);                                                                            \
            } else {                                                                                                   \
                return wrong_length(d, column, places[i].n);                                                           \
            }                                                                                                          \
        }                                                                                                              \
        return OK;                                                                                                     \
    }

static inline float float_of(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

FIXED_COLUMN(column_bool, 1, uint8_t, *p != 0)
FIXED_COLUMN(column_int2, 2, int32_t, (int16_t)pg_u16(p))
FIXED_COLUMN(column_int4, 4, int32_t, (int32_t)pg_u32(p))
FIXED_COLUMN(column_int8, 8, int64_t, (int64_t)pg_u64(p))
FIXED_COLUMN(column_oid, 4, int64_t, pg_u32(p))
FIXED_COLUMN(column_float4, 4, float, float_of(pg_u32(p)))
FIXED_COLUMN(column_float8, 8, double, double_of(pg_u64(p)))

static status bad(struct decoding *d, size_t column, size_t row, struct str text, const char *why)
{
    set_null(&d->into->columns[column], row);
    return batch_add_bad(d->into, row, column, text, why, d->err);
}

/* Of what is infinite or beyond the years that our types have: a few words, PostgreSQL's own where it has some. */
static status bad_time(struct decoding *d, size_t column, size_t row, bool infinite, bool negative, int64_t raw,
                       const char *unit)
{
    char text[64];
    if (infinite)
        return bad(d, column, row, negative ? STR("-infinity") : STR("infinity"), "infinite");
    int n = snprintf(text, sizeof text, "%lld %s from 2000-01-01", (long long)raw, unit);
    return bad(d, column, row, (struct str){text, (size_t)n}, "not within the years 0001 to 9999");
}

static status column_date(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    struct column *c = &d->into->columns[column];
    status s = begin_block(c, rows, sizeof(int32_t), d->err);
    if (s != OK)
        return s;
    int32_t *out = (int32_t *)c->data.data + c->length;
    for (size_t i = 0; s == OK && i < rows; i++) {
        int32_t raw = 0;
        out[i] = 0;
        if (places[i].n == 4)
            raw = (int32_t)pg_u32(d->bytes + places[i].at);
        else if (places[i].n != -1)
            return wrong_length(d, column, places[i].n);
        int64_t days = (int64_t)raw + POSTGRES_EPOCH_DAYS;
        if (places[i].n == -1)
            set_null(c, c->length + i);
        else if (days >= DAYS_LEAST && days <= DAYS_MOST)
            out[i] = (int32_t)days;
        else
            s = bad_time(d, column, c->length + i, raw == INT32_MAX || raw == INT32_MIN, raw < 0, raw, "days");
    }
    return s;
}

static status column_timestamp(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    const int64_t least = DAYS_LEAST * DAY_MICROS - POSTGRES_EPOCH_MICROS,
                  most = (DAYS_MOST + 1ll) * DAY_MICROS - 1 - POSTGRES_EPOCH_MICROS;
    struct column *c = &d->into->columns[column];
    status s = begin_block(c, rows, sizeof(int64_t), d->err);
    if (s != OK)
        return s;
    int64_t *out = (int64_t *)c->data.data + c->length;
    for (size_t i = 0; s == OK && i < rows; i++) {
        int64_t raw = 0;
        out[i] = 0;
        if (__builtin_expect(places[i].n == 8, 1))
            raw = (int64_t)pg_u64(d->bytes + places[i].at);
        else if (places[i].n != -1)
            return wrong_length(d, column, places[i].n);
        if (places[i].n == -1)
            set_null(c, c->length + i);
        else if (__builtin_expect(raw >= least && raw <= most, 1))
            out[i] = raw + POSTGRES_EPOCH_MICROS;
        else
            s = bad_time(d, column, c->length + i, raw == INT64_MAX || raw == INT64_MIN, raw < 0, raw, "microseconds");
    }
    return s;
}

static status column_time(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    struct column *c = &d->into->columns[column];
    status s = begin_block(c, rows, sizeof(int64_t), d->err);
    if (s != OK)
        return s;
    int64_t *out = (int64_t *)c->data.data + c->length;
    for (size_t i = 0; s == OK && i < rows; i++) {
        int64_t raw = 0;
        if (places[i].n == 8)
            raw = (int64_t)pg_u64(d->bytes + places[i].at);
        else if (places[i].n != -1)
            return wrong_length(d, column, places[i].n);
        out[i] = raw;
        if (places[i].n == -1) {
            set_null(c, c->length + i);
        } else if (raw < 0 || raw >= DAY_MICROS) {
            out[i] = 0;
            s = bad(d, column, c->length + i, raw == DAY_MICROS ? STR("24:00:00") : STR("?"),
                    "not before the end of the day");
        }
    }
    return s;
}

static status column_numeric(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    struct column *c = &d->into->columns[column];
    struct data_type type = c->type;
    status s = begin_block(c, rows, sizeof(__int128), d->err);
    if (s != OK)
        return s;
    uint8_t *out = c->data.data + c->length * sizeof(__int128);
    for (size_t i = 0; s == OK && i < rows; i++) {
        const uint8_t *p = d->bytes + places[i].at;
        const char *why = "";
        __int128 value = 0;
        if (places[i].n == -1) {
            set_null(c, c->length + i);
        } else if (!pg_numeric(p, (size_t)places[i].n, type.precision, type.scale, &value, &why)) {
            struct buf text = {0};
            value = 0;
            s = pg_numeric_text(p, (size_t)places[i].n, &text, d->err);
            if (s == OK)
                s = bad(d, column, c->length + i, buf_str(&text), why);
            buf_release(&text);
        }
        memcpy(out + i * sizeof value, &value, sizeof value); /* buffers are not aligned to 16 */
    }
    return s;
}

static status column_uuid(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    struct column *c = &d->into->columns[column];
    status s = begin_block(c, rows, 16, d->err);
    if (s != OK)
        return s;
    uint8_t *out = c->data.data + c->length * 16;
    for (size_t i = 0; i < rows; i++, out += 16) {
        if (places[i].n == 16) {
            memcpy(out, d->bytes + places[i].at, 16);
        } else if (places[i].n == -1) {
            memset(out, 0, 16);
            set_null(c, c->length + i);
        } else {
            return wrong_length(d, column, places[i].n);
        }
    }
    return OK;
}

/* Texts and bytes, without the first `skip` bytes of each. */
static status column_var(struct decoding *d, size_t column, const struct place *places, size_t rows, int32_t skip)
{
    struct column *c = &d->into->columns[column];
    size_t total = 0, used = c->data.len;
    for (size_t i = 0; i < rows; i++) {
        if (places[i].n != -1 && places[i].n < skip)
            return wrong_length(d, column, places[i].n);
        total += places[i].n > 0 ? (size_t)(places[i].n - skip) : 0;
    }
    if (used + total > UINT32_MAX)
        return error_set(d->err, ERR_LIMIT, "column '%.100s': more than 4 GiB of text in one batch",
                         d->schema->fields[column].name);
    status s = begin_block(c, rows, 0, d->err);
    if (s == OK) {
        c->data.len = used; /* begin_block resized it to no width */
        s = buf_reserve(&c->data, total + COPY_SHORT, d->err);
    }
    if (s == OK)
        s = buf_resize(&c->offsets, (c->length + rows + 1) * sizeof(uint32_t), d->err);
    if (s != OK)
        return s;
    uint32_t *offsets = (uint32_t *)c->offsets.data + c->length;
    uint8_t *to = c->data.data + used;
    if (c->length == 0)
        offsets[0] = 0;
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *from = d->bytes + places[i].at + skip;
        size_t n = 0;
        if (places[i].n >= 0) {
            n = (size_t)(places[i].n - skip);
            if (n <= COPY_SHORT)
                memcpy(to, from, COPY_SHORT); /* the piece is padded */
            else
                memcpy(to, from, n);
        } else {
            set_null(c, c->length + i);
        }
        to += n;
        offsets[i + 1] = offsets[i] + (uint32_t)n;
    }
    c->data.len = used + total;
    return OK;
}

static status column_text(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    return column_var(d, column, places, rows, 0);
}

static status column_jsonb(struct decoding *d, size_t column, const struct place *places, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        if (places[i].n > 0 && d->bytes[places[i].at] != 1)
            return malformed(d->err, "jsonb of an unknown version");
    return column_var(d, column, places, rows, 1);
}

typedef status decode_column(struct decoding *d, size_t column, const struct place *places, size_t rows);

static decode_column *const decoders[PG_WIRE_COUNT] = {
    [PG_WIRE_BOOL] = column_bool,
    [PG_WIRE_INT2] = column_int2,
    [PG_WIRE_INT4] = column_int4,
    [PG_WIRE_INT8] = column_int8,
    [PG_WIRE_OID] = column_oid,
    [PG_WIRE_FLOAT4] = column_float4,
    [PG_WIRE_FLOAT8] = column_float8,
    [PG_WIRE_NUMERIC] = column_numeric,
    [PG_WIRE_DATE] = column_date,
    [PG_WIRE_TIME] = column_time,
    [PG_WIRE_TIMESTAMP] = column_timestamp,
    [PG_WIRE_TEXT] = column_text,
    [PG_WIRE_JSONB] = column_jsonb,
    [PG_WIRE_BYTEA] = column_text,
    [PG_WIRE_UUID] = column_uuid,
};

/* ---- text that has to be UTF-8 ---- */

/* Whether all values are: their bytes in a row are, and none begins within a character. */
static bool is_utf8(const struct column *c)
{
    const uint32_t *offsets = (const uint32_t *)c->offsets.data;
    bool cut = false;
    for (size_t i = 0; i < c->length; i++)
        cut |= offsets[i] < offsets[i + 1] && (c->data.data[offsets[i]] & 0xC0) == 0x80;
    return !cut && (c->data.len == 0 || utf8_is_valid(c->data.data, c->data.len));
}

/* A database of encoding SQL_ASCII may hold anything: such values leave the column as bad ones. */
static status drop_not_utf8(struct decoding *d, size_t column)
{
    struct column *from = &d->into->columns[column], to = {0};
    status s = OK;
    column_reset(&to, from->type);
    for (size_t row = 0; s == OK && row < from->length; row++) {
        struct str text = column_str(from, row);
        if (column_is_null(from, row)) {
            s = column_append_null(&to, d->err);
        } else if (str_is_utf8(text)) {
            s = column_append(&to, text.p, text.n, d->err);
        } else {
            s = column_append_null(&to, d->err);
            if (s == OK)
                s = batch_add_bad(d->into, row, column, STR("(bytes)"), "not valid UTF-8", d->err);
        }
    }
    if (s == OK) {
        column_release(from);
        *from = to;
    } else {
        column_release(&to);
    }
    return s;
}

/* ---- rows ---- */

/* Where the values of the row at *at lie; *at moves behind it. *trailer: the row was the format's end mark. */
static inline status walk_row(struct decoding *d, uint32_t *at, uint32_t end, size_t row, bool *trailer)
{
    uint32_t p = *at;
    if (end - p < 2)
        return malformed(d->err, "a row ends within its number of columns");
    int16_t count = (int16_t)pg_u16(d->bytes + p);
    p += 2;
    if (count == -1) {
        *trailer = true;
        *at = p;
        return p == end ? OK : malformed(d->err, "something follows the end mark");
    }
    if (count < 0 || (size_t)count != d->columns)
        return malformed(d->err, "a row has another number of columns");
    struct place *place = d->places + row;
    for (size_t i = 0; i < d->columns; i++, place += d->block) {
        if (end - p < 4)
            return malformed(d->err, "a row ends within a value's length");
        int32_t n = (int32_t)pg_u32(d->bytes + p);
        p += 4;
        *place = (struct place){p, n};
        if (n > 0) {
            if ((uint32_t)n > end - p)
                return malformed(d->err, "a value reaches beyond its row");
            p += (uint32_t)n;
        } else if (n < -1) {
            return malformed(d->err, "a value has a negative length");
        }
    }
    *at = p;
    return OK;
}

static status flush_block(struct decoding *d, size_t rows)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < d->columns; i++) {
        s = decoders[d->wire[i]](d, i, d->places + i * d->block, rows);
        d->into->columns[i].length += rows;
    }
    d->into->rows += rows;
    return s;
}

/* "PGCOPY", a signature that shows altered bytes; flags; the length of an extension. */
static status skip_header(struct decoding *d, uint32_t *at, uint32_t end)
{
    static const char signature[] = "PGCOPY\n\377\r\n";
    const uint8_t *p = d->bytes + *at;
    if (end - *at < 19 || memcmp(p, signature, 11) != 0)
        return malformed(d->err, "the header is missing");
    uint32_t flags = pg_u32(p + 11), extension = pg_u32(p + 15);
    if (flags & 0xFFFF0000u)
        return malformed(d->err, "the header has flags that FlowForge does not know");
    if (extension > end - *at - 19)
        return malformed(d->err, "the header reaches beyond its message");
    *at += 19 + extension;
    return OK;
}

static status decode_rows(struct decoding *d, const struct buf *piece)
{
    struct pg_piece head;
    size_t rows = 0;
    bool trailer = false;
    status s = OK;
    memcpy(&head, piece->data, sizeof head);
    for (size_t next = sizeof head; s == OK && next < piece->len;) {
        uint32_t length = piece->len - next >= PG_MESSAGE_HEAD ? pg_u32(d->bytes + next + 1) : 0;
        if (length < 4 || length > piece->len - next - 1)
            return malformed(d->err, "a message reaches beyond what was received");
        uint32_t at = (uint32_t)next + PG_MESSAGE_HEAD, end = (uint32_t)next + 1 + length;
        bool is_data = d->bytes[next] == 'd';
        next = end;
        if (!is_data)
            continue;
        if (head.first)
            s = skip_header(d, &at, end);
        head.first = 0;
        while (s == OK && at < end) {
            if (trailer)
                return malformed(d->err, "something follows the end mark");
            s = walk_row(d, &at, end, rows, &trailer);
            rows += s == OK && !trailer;
            if (rows == d->block) {
                s = flush_block(d, rows);
                rows = 0;
            }
        }
    }
    return s == OK && rows ? flush_block(d, rows) : s;
}

static status reserve(struct decoding *d, uint64_t rows, size_t bytes)
{
    size_t most = bytes / (PG_MESSAGE_HEAD + 2 + 4 * d->columns); /* that many have room there at all */
    status s = OK;
    if (rows > most)
        rows = most;
    for (size_t i = 0; s == OK && i < d->columns; i++) {
        struct column *c = &d->into->columns[i];
        size_t width = type_width(c->type);
        s = width ? buf_reserve(&c->data, rows * width, d->err)
                  : buf_reserve(&c->offsets, (rows + 1) * sizeof(uint32_t), d->err);
        if (s == OK)
            s = buf_reserve(&c->validity, (rows + 7) / 8, d->err);
    }
    return s;
}

static status finish_columns(struct decoding *d)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < d->columns; i++) {
        struct column *c = &d->into->columns[i];
        if (d->into->rows == 0 && type_is_var(c->type)) {
            uint8_t *zero;
            s = buf_extend_zero(&c->offsets, sizeof(uint32_t), &zero, d->err);
        }
        if (c->null_count == 0)
            buf_clear(&c->validity);
        if (s == OK && type_table[c->type.kind].is_text && !is_utf8(c))
            s = drop_not_utf8(d, i);
    }
    return s;
}

status pg_decode(const struct schema *schema, const enum pg_wire *wire, const struct buf *piece, struct batch *into,
                 struct error *err)
{
    struct decoding d = {
        .schema = schema, .wire = wire, .bytes = piece->data, .into = into, .columns = schema->count, .err = err};
    struct pg_piece head;
    if (piece->len < sizeof head || piece->len > UINT32_MAX)
        return error_set(err, ERR_INTERNAL, "a piece of COPY data of %zu bytes", piece->len);
    memcpy(&head, piece->data, sizeof head);
    if (head.messages > piece->len / PG_MESSAGE_HEAD)
        return error_set(err, ERR_INTERNAL, "a piece of COPY data that miscounts its messages");
    size_t block = POSITION_BYTES / sizeof *d.places / (d.columns ? d.columns : 1) / 8 * 8;
    d.block = block > BLOCK_MOST ? BLOCK_MOST : block < BLOCK_LEAST ? BLOCK_LEAST : block;
    d.places = malloc((d.columns ? d.columns : 1) * d.block * sizeof *d.places);
    if (!d.places)
        return error_no_memory(err, d.columns * d.block * sizeof *d.places);
    status s = batch_reset(into, schema, err);
    if (s == OK)
        s = reserve(&d, head.messages, piece->len);
    if (s == OK)
        s = decode_rows(&d, piece);
    if (s == OK)
        s = finish_columns(&d);
    free(d.places);
    return s;
}
