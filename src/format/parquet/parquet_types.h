/* How our types lie in Parquet: physical type, annotation (LogicalTypes.md) and sort order (parquet.thrift,
 * ColumnOrder: TypeDefinedOrder). */
#ifndef FF_FORMAT_PARQUET_TYPES_H
#define FF_FORMAT_PARQUET_TYPES_H

#include "batch/schema.h"
#include "format/parquet/thrift_compact.h"

/* parquet.thrift, Type */
enum parquet_physical {
    PARQUET_BOOLEAN = 0,
    PARQUET_INT32 = 1,
    PARQUET_INT64 = 2,
    PARQUET_FLOAT = 4,
    PARQUET_DOUBLE = 5,
    PARQUET_BYTE_ARRAY = 6,
    PARQUET_FIXED = 7 /* FIXED_LEN_BYTE_ARRAY */
};

enum parquet_order {
    ORDER_UNSIGNED, /* byte by byte: strings, json, binary, uuid, and booleans as one byte */
    ORDER_I32,
    ORDER_I64,
    ORDER_F32,
    ORDER_F64,
    ORDER_SIGNED_BYTES /* decimals of more than 18 digits: big-endian two's complement */
};

struct parquet_type {
    enum parquet_physical physical;
    enum parquet_order order;
    uint8_t width; /* bytes of a value in memory and in statistics (boolean: 1); 0 for PARQUET_BYTE_ARRAY */
    bool is_text;  /* bounds must stay valid UTF-8 when they are shortened */
};

/* TYPE_NULL is written as string. */
struct parquet_type parquet_type_of(struct data_type type);
/* Bytes that the unscaled value of a decimal of `precision` digits needs, 1..16. */
unsigned parquet_decimal_width(unsigned precision);
/* The SchemaElement of a column, as a list element. */
void parquet_write_schema_element(struct thrift_writer *w, const struct field *field);

#endif
