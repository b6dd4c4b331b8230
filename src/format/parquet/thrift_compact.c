#include "format/parquet/thrift_compact.h"

#define VARINT_MAX 10

void thrift_writer_init(struct thrift_writer *w, struct buf *to, struct error *err)
{
    *w = (struct thrift_writer){.to = to, .err = err, .failed = OK};
}

/* True when `n` bytes may be written. */
static bool have_room(struct thrift_writer *w, size_t n)
{
    if (w->failed == OK && w->to->cap - w->to->len < n)
        w->failed = buf_reserve(w->to, n, w->err);
    return w->failed == OK;
}

static void put_byte(struct thrift_writer *w, uint8_t byte)
{
    if (have_room(w, 1))
        w->to->data[w->to->len++] = byte;
}

static void put_varint(struct thrift_writer *w, uint64_t v)
{
    if (!have_room(w, VARINT_MAX))
        return;
    uint8_t *at = w->to->data + w->to->len;
    for (; v >= 0x80; v >>= 7)
        *at++ = (uint8_t)(v | 0x80);
    *at++ = (uint8_t)v;
    w->to->len = (size_t)(at - w->to->data);
}

static void put_zigzag(struct thrift_writer *w, int64_t v)
{
    put_varint(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void put_bytes(struct thrift_writer *w, struct str s)
{
    put_varint(w, s.n);
    if (have_room(w, s.n))
        buf_append_unsafe(w->to, s.p, s.n);
}

static void put_field(struct thrift_writer *w, int id, enum thrift_type type)
{
    int delta = id - w->last_id[w->depth];
    w->last_id[w->depth] = id;
    if (delta > 0 && delta <= 15) {
        put_byte(w, (uint8_t)(delta << 4 | (int)type));
    } else {
        put_byte(w, (uint8_t)type);
        put_zigzag(w, id);
    }
}

/* Nesting is fixed by Parquet's metadata, far below THRIFT_DEPTH. */
static void enter(struct thrift_writer *w)
{
    if (w->depth + 1 == THRIFT_DEPTH)
        w->failed = error_set(w->err, ERR_INTERNAL, "Parquet metadata is nested too deep");
    else
        w->last_id[++w->depth] = 0;
}

void thrift_bool(struct thrift_writer *w, int id, bool value)
{
    put_field(w, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_i8(struct thrift_writer *w, int id, int8_t value)
{
    put_field(w, id, THRIFT_I8);
    put_byte(w, (uint8_t)value);
}

void thrift_i16(struct thrift_writer *w, int id, int16_t value)
{
    put_field(w, id, THRIFT_I16);
    put_zigzag(w, value);
}

void thrift_i32(struct thrift_writer *w, int id, int32_t value)
{
    put_field(w, id, THRIFT_I32);
    put_zigzag(w, value);
}

void thrift_i64(struct thrift_writer *w, int id, int64_t value)
{
    put_field(w, id, THRIFT_I64);
    put_zigzag(w, value);
}

void thrift_binary(struct thrift_writer *w, int id, struct str value)
{
    put_field(w, id, THRIFT_BINARY);
    put_bytes(w, value);
}

void thrift_list(struct thrift_writer *w, int id, enum thrift_type element, size_t count)
{
    put_field(w, id, THRIFT_LIST);
    if (count < 15) {
        put_byte(w, (uint8_t)(count << 4 | (size_t)element));
    } else {
        put_byte(w, (uint8_t)(0xF0 | (int)element));
        put_varint(w, count);
    }
}

void thrift_struct(struct thrift_writer *w, int id)
{
    put_field(w, id, THRIFT_STRUCT);
    enter(w);
}

void thrift_empty_struct(struct thrift_writer *w, int id)
{
    thrift_struct(w, id);
    thrift_struct_end(w);
}

void thrift_struct_end(struct thrift_writer *w)
{
    put_byte(w, THRIFT_STOP);
    if (w->depth)
        w->depth--;
}

void thrift_element_struct(struct thrift_writer *w)
{
    enter(w);
}

void thrift_element_bool(struct thrift_writer *w, bool value)
{
    put_byte(w, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_element_i32(struct thrift_writer *w, int32_t value)
{
    put_zigzag(w, value);
}

void thrift_element_i64(struct thrift_writer *w, int64_t value)
{
    put_zigzag(w, value);
}

void thrift_element_binary(struct thrift_writer *w, struct str value)
{
    put_bytes(w, value);
}

void thrift_reader_init(struct thrift_reader *r, const uint8_t *bytes, size_t n)
{
    *r = (struct thrift_reader){.at = bytes, .end = bytes + n};
}

static uint8_t take_byte(struct thrift_reader *r)
{
    if (r->bad || r->at == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->at++;
}

static uint64_t take_varint(struct thrift_reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = take_byte(r);
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

int64_t thrift_read_int(struct thrift_reader *r)
{
    uint64_t v = take_varint(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool thrift_next_field(struct thrift_reader *r, int *id, enum thrift_type *type)
{
    uint8_t head = take_byte(r);
    if (r->bad || head == THRIFT_STOP)
        return false;
    int64_t number = head >> 4 ? r->last_id[r->depth] + (head >> 4) : thrift_read_int(r);
    if (r->bad || number < INT16_MIN || number > INT16_MAX || (head & 15) > THRIFT_STRUCT) {
        r->bad = true;
        return false;
    }
    r->last_id[r->depth] = (int)number;
    *id = (int)number;
    *type = (enum thrift_type)(head & 15);
    return true;
}

size_t thrift_read_list(struct thrift_reader *r, enum thrift_type *element)
{
    uint8_t head = take_byte(r);
    uint64_t count = head >> 4 == 15 ? take_varint(r) : head >> 4;
    if (r->bad || count > (uint64_t)(r->end - r->at) || (head & 15) > THRIFT_STRUCT) {
        r->bad = true; /* every element takes at least one byte */
        return 0;
    }
    *element = (enum thrift_type)(head & 15);
    return (size_t)count;
}

void thrift_enter_struct(struct thrift_reader *r)
{
    if (r->depth + 1 == THRIFT_DEPTH)
        r->bad = true;
    else
        r->last_id[++r->depth] = 0;
}

void thrift_leave_struct(struct thrift_reader *r)
{
    if (r->depth)
        r->depth--;
}

static void skip_bytes(struct thrift_reader *r, uint64_t n)
{
    if (r->bad || n > (uint64_t)(r->end - r->at))
        r->bad = true;
    else
        r->at += n;
}

static void skip_struct(struct thrift_reader *r)
{
    int id;
    enum thrift_type type;
    thrift_enter_struct(r);
    while (!r->bad && thrift_next_field(r, &id, &type))
        thrift_skip(r, type);
    thrift_leave_struct(r);
}

/* In a list each boolean takes a byte; as a field it is in the header. Lists nest only as deep as THRIFT_DEPTH. */
static void skip_list(struct thrift_reader *r)
{
    enum thrift_type element = THRIFT_STOP;
    size_t count = thrift_read_list(r, &element);
    thrift_enter_struct(r);
    for (size_t i = 0; i < count && !r->bad; i++) {
        if (element == THRIFT_TRUE || element == THRIFT_FALSE)
            take_byte(r);
        else
            thrift_skip(r, element);
    }
    thrift_leave_struct(r);
}

void thrift_skip(struct thrift_reader *r, enum thrift_type type)
{
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_I8:
        take_byte(r);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        take_varint(r);
        break;
    case THRIFT_DOUBLE:
        skip_bytes(r, 8);
        break;
    case THRIFT_BINARY:
        skip_bytes(r, take_varint(r));
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_list(r);
        break;
    case THRIFT_STRUCT:
        skip_struct(r);
        break;
    case THRIFT_STOP:
    case THRIFT_MAP: /* Parquet's metadata has no map */
        r->bad = true;
        break;
    }
}
