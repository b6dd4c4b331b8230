/* Thrift's compact protocol (thrift/doc/specs/thrift-compact-protocol.md), as far as Parquet's metadata needs it.
 *
 * The writer keeps the first failure to itself (growth is fallible): calls after it do nothing and
 * thrift_writer_status() tells at the end. Field ids must rise within a struct. */
#ifndef FF_FORMAT_PARQUET_THRIFT_COMPACT_H
#define FF_FORMAT_PARQUET_THRIFT_COMPACT_H

#include "base/buf.h"

enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1, /* also the element type of a list of booleans */
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12
};

#define THRIFT_DEPTH 16

struct thrift_writer {
    struct buf *to; /* borrowed; written at its end */
    struct error *err;
    status failed;
    unsigned depth;
    int last_id[THRIFT_DEPTH];
};

/* Ready to write the fields of one top-level struct; end it with thrift_struct_end. */
void thrift_writer_init(struct thrift_writer *w, struct buf *to, struct error *err);
static inline MUST_USE status thrift_writer_status(const struct thrift_writer *w)
{
    return w->failed;
}

void thrift_bool(struct thrift_writer *w, int id, bool value);
void thrift_i8(struct thrift_writer *w, int id, int8_t value);
void thrift_i16(struct thrift_writer *w, int id, int16_t value);
void thrift_i32(struct thrift_writer *w, int id, int32_t value);
void thrift_i64(struct thrift_writer *w, int id, int64_t value);
void thrift_binary(struct thrift_writer *w, int id, struct str value);
void thrift_list(struct thrift_writer *w, int id, enum thrift_type element, size_t count);
/* A field that is a struct: its fields follow, then thrift_struct_end. */
void thrift_struct(struct thrift_writer *w, int id);
void thrift_empty_struct(struct thrift_writer *w, int id);
void thrift_struct_end(struct thrift_writer *w);

/* Elements of a list whose header was written. */
void thrift_element_struct(struct thrift_writer *w); /* ends with thrift_struct_end */
void thrift_element_bool(struct thrift_writer *w, bool value);
void thrift_element_i32(struct thrift_writer *w, int32_t value);
void thrift_element_i64(struct thrift_writer *w, int64_t value);
void thrift_element_binary(struct thrift_writer *w, struct str value);

/* The reader never reads outside its bytes; `bad` stays set once something did not parse, and everything
 * read from then on is zero or the end. */
struct thrift_reader {
    const uint8_t *at, *end;
    bool bad;
    unsigned depth;
    int last_id[THRIFT_DEPTH];
};

void thrift_reader_init(struct thrift_reader *r, const uint8_t *bytes, size_t n);
/* Next field of the current struct; false at its end. */
bool thrift_next_field(struct thrift_reader *r, int *id, enum thrift_type *type);
void thrift_skip(struct thrift_reader *r, enum thrift_type type);
int64_t thrift_read_int(struct thrift_reader *r); /* i16, i32 or i64 */
/* Returns the number of elements, which is never more than the bytes that are left. */
size_t thrift_read_list(struct thrift_reader *r, enum thrift_type *element);
/* Around the fields of a struct that is an element or a field's value. */
void thrift_enter_struct(struct thrift_reader *r);
void thrift_leave_struct(struct thrift_reader *r);

#endif
