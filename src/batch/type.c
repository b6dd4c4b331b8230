#include "batch/type.h"

#include <stdio.h>

#include "base/attributes.h"

const struct type_row type_table[TYPE_KIND_COUNT] = {
    [TYPE_NULL] = {"null", "\"NULL\"", LAYOUT_NONE, 0, false},
    [TYPE_BOOLEAN] = {"boolean", "BOOLEAN", LAYOUT_BOOL, 1, false},
    [TYPE_INTEGER] = {"integer", "INTEGER", LAYOUT_I32, 4, false},
    [TYPE_BIGINT] = {"bigint", "BIGINT", LAYOUT_I64, 8, false},
    [TYPE_FLOAT] = {"float", "FLOAT", LAYOUT_F32, 4, false},
    [TYPE_DOUBLE] = {"double", "DOUBLE", LAYOUT_F64, 8, false},
    [TYPE_DECIMAL] = {"decimal", "DECIMAL", LAYOUT_I128, 16, false},
    [TYPE_DATE] = {"date", "DATE", LAYOUT_I32, 4, false},
    [TYPE_TIME] = {"time", "TIME", LAYOUT_I64, 8, false},
    [TYPE_TIMESTAMP] = {"timestamp", "TIMESTAMP", LAYOUT_I64, 8, false},
    [TYPE_TIMESTAMPTZ] = {"timestamptz", "TIMESTAMPTZ", LAYOUT_I64, 8, false},
    [TYPE_STRING] = {"string", "VARCHAR", LAYOUT_VAR, 0, true},
    [TYPE_JSON] = {"json", "JSON", LAYOUT_VAR, 0, true},
    [TYPE_BINARY] = {"binary", "BLOB", LAYOUT_VAR, 0, false},
    [TYPE_UUID] = {"uuid", "UUID", LAYOUT_BYTES16, 16, false},
};

const char *type_name(struct data_type t, char into[TYPE_NAME_MAX])
{
    if (t.kind == TYPE_DECIMAL)
        snprintf(into, TYPE_NAME_MAX, "decimal(%u,%u)", t.precision, t.scale);
    else
        snprintf(into, TYPE_NAME_MAX, "%s", type_table[t.kind].name);
    return into;
}

static status unknown_type(struct str name, struct error *err)
{
    status s = error_set(err, ERR_INVALID, "'%.*s' is not a type", (int)(name.n < 64 ? name.n : 64), name.p);
    error_hint(err, "types: boolean, integer, bigint, float, double, decimal(p,s) with 1 <= p <= 38 and "
                    "s <= p, date, time, timestamp, timestamptz, string, json, binary, uuid");
    return s;
}

static status parse_decimal(struct str name, struct data_type *type, struct error *err)
{
    struct str args = {name.p + 7, name.n - 7};
    if (args.n == 0) {
        *type = (struct data_type){TYPE_DECIMAL, 38, 9};
        return OK;
    }
    if (args.n < 3 || args.p[0] != '(' || args.p[args.n - 1] != ')')
        return unknown_type(name, err);
    const char *at = args.p + 1, *end = args.p + args.n - 1;
    const char *comma = memchr(at, ',', (size_t)(end - at));
    struct str p = {at, (size_t)((comma ? comma : end) - at)};
    struct str s = {"0", 1};
    if (comma) {
        for (comma++; comma < end && *comma == ' '; comma++) {
        }
        s = (struct str){comma, (size_t)(end - comma)};
    }
    uint64_t precision, scale;
    if (!str_parse_u64(p, 38, &precision) || precision == 0 || !str_parse_u64(s, precision, &scale))
        return unknown_type(name, err);
    *type = (struct data_type){TYPE_DECIMAL, (uint8_t)precision, (uint8_t)scale};
    return OK;
}

status type_parse(struct str name, struct data_type *type, struct error *err)
{
    for (int kind = TYPE_BOOLEAN; kind < TYPE_KIND_COUNT; kind++)
        if (kind != TYPE_DECIMAL && str_equal_nocase(name, str_of(type_table[kind].name))) {
            *type = (struct data_type){.kind = (enum type_kind)kind};
            return OK;
        }
    if (name.n >= 7 && str_equal_nocase((struct str){name.p, 7}, STR("decimal")))
        return parse_decimal(name, type, err);
    return unknown_type(name, err);
}
