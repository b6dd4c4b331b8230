#include <string.h>

#include "sql/vector_column.h"

/* decimal(p,0) by which integers beyond bigint are held. */
#define DIGITS_U64 20
#define DIGITS_MAX 38

static const struct {
    duckdb_type from;
    struct vector_type to;
} vector_types[] = {
    {DUCKDB_TYPE_BOOLEAN, {{TYPE_BOOLEAN, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_TINYINT, {{TYPE_INTEGER, 0, 0}, VECTOR_I8, SELECT_AS_IS}},
    {DUCKDB_TYPE_SMALLINT, {{TYPE_INTEGER, 0, 0}, VECTOR_I16, SELECT_AS_IS}},
    {DUCKDB_TYPE_INTEGER, {{TYPE_INTEGER, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_BIGINT, {{TYPE_BIGINT, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_UTINYINT, {{TYPE_INTEGER, 0, 0}, VECTOR_U8, SELECT_AS_IS}},
    {DUCKDB_TYPE_USMALLINT, {{TYPE_INTEGER, 0, 0}, VECTOR_U16, SELECT_AS_IS}},
    {DUCKDB_TYPE_UINTEGER, {{TYPE_BIGINT, 0, 0}, VECTOR_U32, SELECT_AS_IS}},
    {DUCKDB_TYPE_UBIGINT, {{TYPE_DECIMAL, DIGITS_U64, 0}, VECTOR_U64, SELECT_AS_IS}},
    {DUCKDB_TYPE_HUGEINT, {{TYPE_DECIMAL, DIGITS_MAX, 0}, VECTOR_HUGEINT, SELECT_AS_IS}},
    {DUCKDB_TYPE_UHUGEINT, {{TYPE_DECIMAL, DIGITS_MAX, 0}, VECTOR_UHUGEINT, SELECT_AS_IS}},
    {DUCKDB_TYPE_FLOAT, {{TYPE_FLOAT, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_DOUBLE, {{TYPE_DOUBLE, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_DATE, {{TYPE_DATE, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIME, {{TYPE_TIME, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIME_NS, {{TYPE_TIME, 0, 0}, VECTOR_NANOS, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIMESTAMP_S, {{TYPE_TIMESTAMP, 0, 0}, VECTOR_SECONDS, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIMESTAMP_MS, {{TYPE_TIMESTAMP, 0, 0}, VECTOR_MILLIS, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIMESTAMP, {{TYPE_TIMESTAMP, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIMESTAMP_NS, {{TYPE_TIMESTAMP, 0, 0}, VECTOR_NANOS, SELECT_AS_IS}},
    {DUCKDB_TYPE_TIMESTAMP_TZ, {{TYPE_TIMESTAMPTZ, 0, 0}, VECTOR_SAME, SELECT_AS_IS}},
    {DUCKDB_TYPE_VARCHAR, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_AS_IS}},
    {DUCKDB_TYPE_BLOB, {{TYPE_BINARY, 0, 0}, VECTOR_TEXT, SELECT_AS_IS}},
    {DUCKDB_TYPE_UUID, {{TYPE_UUID, 0, 0}, VECTOR_UUID, SELECT_AS_IS}},
    {DUCKDB_TYPE_LIST, {{TYPE_JSON, 0, 0}, VECTOR_TEXT, SELECT_TO_JSON}},
    {DUCKDB_TYPE_ARRAY, {{TYPE_JSON, 0, 0}, VECTOR_TEXT, SELECT_TO_JSON}},
    {DUCKDB_TYPE_STRUCT, {{TYPE_JSON, 0, 0}, VECTOR_TEXT, SELECT_TO_JSON}},
    {DUCKDB_TYPE_MAP, {{TYPE_JSON, 0, 0}, VECTOR_TEXT, SELECT_TO_JSON}},
    {DUCKDB_TYPE_UNION, {{TYPE_JSON, 0, 0}, VECTOR_TEXT, SELECT_TO_JSON}},
    {DUCKDB_TYPE_ENUM, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
    {DUCKDB_TYPE_INTERVAL, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
    {DUCKDB_TYPE_TIME_TZ, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
    {DUCKDB_TYPE_BIT, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
    {DUCKDB_TYPE_BIGNUM, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
    {DUCKDB_TYPE_SQLNULL, {{TYPE_STRING, 0, 0}, VECTOR_TEXT, SELECT_TO_TEXT}},
};

static struct vector_type decimal_type(const struct duckdb_api *api, duckdb_logical_type logical)
{
    struct vector_type t = {
        .type = {TYPE_DECIMAL, api->decimal_width(logical), api->decimal_scale(logical)},
    };
    switch (api->decimal_internal_type(logical)) {
    case DUCKDB_TYPE_SMALLINT:
        t.form = VECTOR_I16;
        break;
    case DUCKDB_TYPE_INTEGER:
        t.form = VECTOR_I32;
        break;
    case DUCKDB_TYPE_BIGINT:
        t.form = VECTOR_I64;
        break;
    default:
        t.form = VECTOR_SAME;
    }
    return t;
}

static bool is_json(const struct duckdb_api *api, duckdb_logical_type logical)
{
    char *alias = api->logical_type_get_alias(logical);
    bool json = alias && strcmp(alias, "JSON") == 0;
    api->free(alias);
    return json;
}

status vector_type_of(const struct duckdb_api *api, duckdb_logical_type logical, struct vector_type *type,
                      struct error *err)
{
    duckdb_type id = api->get_type_id(logical);
    if (id == DUCKDB_TYPE_DECIMAL) {
        *type = decimal_type(api, logical);
        return OK;
    }
    if (id == DUCKDB_TYPE_VARCHAR && is_json(api, logical)) {
        *type = (struct vector_type){{TYPE_JSON, 0, 0}, VECTOR_JSON, SELECT_AS_IS};
        return OK;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(vector_types); i++)
        if (vector_types[i].from == id) {
            *type = vector_types[i].to;
            return OK;
        }
    return error_set(err, ERR_UNSUPPORTED, "DuckDB's type number %d has no counterpart in FlowForge", (int)id);
}
