#include "format/parquet/parquet_types.h"

/* parquet.thrift, ConvertedType: what readers older than LogicalType look at. */
enum converted_type {
    CONVERTED_NONE = -1,
    CONVERTED_UTF8 = 0,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIME_MICROS = 8,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_JSON = 19
};

/* parquet.thrift, field ids of the union LogicalType */
enum logical_type {
    LOGICAL_NONE = 0,
    LOGICAL_STRING = 1,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_JSON = 12,
    LOGICAL_UUID = 14
};

static const struct mapping {
    struct parquet_type type;
    enum converted_type converted;
    enum logical_type logical;
} mappings[TYPE_KIND_COUNT] = {
    [TYPE_NULL] = {{PARQUET_BYTE_ARRAY, ORDER_UNSIGNED, 0, true}, CONVERTED_UTF8, LOGICAL_STRING},
    [TYPE_BOOLEAN] = {{PARQUET_BOOLEAN, ORDER_UNSIGNED, 1, false}, CONVERTED_NONE, LOGICAL_NONE},
    [TYPE_INTEGER] = {{PARQUET_INT32, ORDER_I32, 4, false}, CONVERTED_NONE, LOGICAL_NONE},
    [TYPE_BIGINT] = {{PARQUET_INT64, ORDER_I64, 8, false}, CONVERTED_NONE, LOGICAL_NONE},
    [TYPE_FLOAT] = {{PARQUET_FLOAT, ORDER_F32, 4, false}, CONVERTED_NONE, LOGICAL_NONE},
    [TYPE_DOUBLE] = {{PARQUET_DOUBLE, ORDER_F64, 8, false}, CONVERTED_NONE, LOGICAL_NONE},
    /* the physical type follows from the precision */
    [TYPE_DECIMAL] = {{PARQUET_FIXED, ORDER_SIGNED_BYTES, 16, false}, CONVERTED_DECIMAL, LOGICAL_DECIMAL},
    [TYPE_DATE] = {{PARQUET_INT32, ORDER_I32, 4, false}, CONVERTED_DATE, LOGICAL_DATE},
    /* LogicalTypes.md asks for the old annotation on naive times too, although it once meant UTC */
    [TYPE_TIME] = {{PARQUET_INT64, ORDER_I64, 8, false}, CONVERTED_TIME_MICROS, LOGICAL_TIME},
    [TYPE_TIMESTAMP] = {{PARQUET_INT64, ORDER_I64, 8, false}, CONVERTED_TIMESTAMP_MICROS, LOGICAL_TIMESTAMP},
    [TYPE_TIMESTAMPTZ] = {{PARQUET_INT64, ORDER_I64, 8, false}, CONVERTED_TIMESTAMP_MICROS, LOGICAL_TIMESTAMP},
    [TYPE_STRING] = {{PARQUET_BYTE_ARRAY, ORDER_UNSIGNED, 0, true}, CONVERTED_UTF8, LOGICAL_STRING},
    [TYPE_JSON] = {{PARQUET_BYTE_ARRAY, ORDER_UNSIGNED, 0, true}, CONVERTED_JSON, LOGICAL_JSON},
    [TYPE_BINARY] = {{PARQUET_BYTE_ARRAY, ORDER_UNSIGNED, 0, false}, CONVERTED_NONE, LOGICAL_NONE},
    [TYPE_UUID] = {{PARQUET_FIXED, ORDER_UNSIGNED, 16, false}, CONVERTED_NONE, LOGICAL_UUID},
};

unsigned parquet_decimal_width(unsigned precision)
{
    /* The largest unscaled value is 10^precision - 1; a sign bit comes on top. */
    unsigned __int128 limit = 1;
    for (unsigned i = 0; i < precision; i++)
        limit *= 10;
    unsigned width = 1;
    while (width < 16 && ((unsigned __int128)1 << (8 * width - 1)) < limit)
        width++;
    return width;
}

struct parquet_type parquet_type_of(struct data_type type)
{
    if (type.kind == TYPE_DECIMAL && type.precision <= 9)
        return (struct parquet_type){PARQUET_INT32, ORDER_I32, 4, false};
    if (type.kind == TYPE_DECIMAL && type.precision <= 18)
        return (struct parquet_type){PARQUET_INT64, ORDER_I64, 8, false};
    struct parquet_type result = mappings[type.kind].type;
    if (type.kind == TYPE_DECIMAL)
        result.width = (uint8_t)parquet_decimal_width(type.precision);
    return result;
}

static void write_time(struct thrift_writer *w, int id, bool is_utc)
{
    thrift_struct(w, id);
    thrift_bool(w, 1, is_utc);
    thrift_struct(w, 2); /* TimeUnit */
    thrift_empty_struct(w, 2);
    thrift_struct_end(w);
    thrift_struct_end(w);
}

static void write_logical(struct thrift_writer *w, enum logical_type logical, struct data_type type)
{
    thrift_struct(w, 10);
    switch (logical) {
    case LOGICAL_DECIMAL:
        thrift_struct(w, LOGICAL_DECIMAL);
        thrift_i32(w, 1, type.scale);
        thrift_i32(w, 2, type.precision);
        thrift_struct_end(w);
        break;
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
        write_time(w, (int)logical, type.kind == TYPE_TIMESTAMPTZ);
        break;
    case LOGICAL_NONE:
    case LOGICAL_STRING:
    case LOGICAL_DATE:
    case LOGICAL_JSON:
    case LOGICAL_UUID:
        thrift_empty_struct(w, (int)logical);
        break;
    }
    thrift_struct_end(w);
}

void parquet_write_schema_element(struct thrift_writer *w, const struct field *field)
{
    const struct mapping *m = &mappings[field->type.kind];
    struct parquet_type type = parquet_type_of(field->type);
    thrift_element_struct(w);
    thrift_i32(w, 1, (int32_t)type.physical);
    if (type.physical == PARQUET_FIXED)
        thrift_i32(w, 2, type.width);
    thrift_i32(w, 3, field->not_null ? 0 : 1); /* FieldRepetitionType: REQUIRED, OPTIONAL */
    thrift_binary(w, 4, str_of(field->name));
    if (m->converted != CONVERTED_NONE)
        thrift_i32(w, 6, m->converted);
    if (field->type.kind == TYPE_DECIMAL) {
        thrift_i32(w, 7, field->type.scale);
        thrift_i32(w, 8, field->type.precision);
    }
    if (m->logical != LOGICAL_NONE)
        write_logical(w, m->logical, field->type);
    thrift_struct_end(w);
}
