#include "source/postgres/pg_types.h"

#include "base/attributes.h"

/* Oids of built-in types never change (PostgreSQL: src/include/catalog/pg_type.dat). */
#define OID_NUMERIC 1700

static const struct {
    unsigned oid;
    enum type_kind kind;
    enum pg_wire wire;
    enum pg_cast cast;
} built_in[] = {
    {16, TYPE_BOOLEAN, PG_WIRE_BOOL, PG_CAST_NONE},            /* boolean */
    {17, TYPE_BINARY, PG_WIRE_BYTEA, PG_CAST_NONE},            /* bytea */
    {19, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_NONE},             /* name */
    {20, TYPE_BIGINT, PG_WIRE_INT8, PG_CAST_NONE},             /* bigint */
    {21, TYPE_INTEGER, PG_WIRE_INT2, PG_CAST_NONE},            /* smallint */
    {23, TYPE_INTEGER, PG_WIRE_INT4, PG_CAST_NONE},            /* integer */
    {25, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_NONE},             /* text */
    {26, TYPE_BIGINT, PG_WIRE_OID, PG_CAST_NONE},              /* oid */
    {114, TYPE_JSON, PG_WIRE_TEXT, PG_CAST_NONE},              /* json */
    {142, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_TEXT},            /* xml: its binary form may name another encoding */
    {700, TYPE_FLOAT, PG_WIRE_FLOAT4, PG_CAST_NONE},           /* real */
    {701, TYPE_DOUBLE, PG_WIRE_FLOAT8, PG_CAST_NONE},          /* double precision */
    {705, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_NONE},            /* a literal of no type */
    {1042, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_NONE},           /* character(n), its blanks included */
    {1043, TYPE_STRING, PG_WIRE_TEXT, PG_CAST_NONE},           /* character varying(n) */
    {1082, TYPE_DATE, PG_WIRE_DATE, PG_CAST_NONE},             /* date */
    {1083, TYPE_TIME, PG_WIRE_TIME, PG_CAST_NONE},             /* time */
    {1114, TYPE_TIMESTAMP, PG_WIRE_TIMESTAMP, PG_CAST_NONE},   /* timestamp */
    {1184, TYPE_TIMESTAMPTZ, PG_WIRE_TIMESTAMP, PG_CAST_NONE}, /* timestamp with time zone */
    {2950, TYPE_UUID, PG_WIRE_UUID, PG_CAST_NONE},             /* uuid */
    {3802, TYPE_JSON, PG_WIRE_JSONB, PG_CAST_NONE},            /* jsonb */
};

/* Precision and scale are in the modifier (numeric.c: make_numeric_typmod); the scale is signed since version 15. */
static struct pg_type numeric_type(int modifier)
{
    struct pg_type t = {.type = {.kind = TYPE_STRING}, .wire = PG_WIRE_TEXT, .cast = PG_CAST_TEXT};
    if (modifier < 4)
        return t; /* any number of digits: only text keeps them all */
    int precision = (modifier - 4) >> 16 & 0xFFFF, scale = ((modifier - 4) & 0x7FF) ^ 1024;
    scale -= 1024;
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
        return t;
    t.type = (struct data_type){.kind = TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
    t.wire = PG_WIRE_NUMERIC;
    t.cast = PG_CAST_NONE;
    return t;
}

bool pg_type_of(unsigned oid, int modifier, struct pg_type *type)
{
    if (oid == OID_NUMERIC) {
        *type = numeric_type(modifier);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(built_in); i++)
        if (built_in[i].oid == oid) {
            *type = (struct pg_type){.type.kind = built_in[i].kind, .wire = built_in[i].wire, .cast = built_in[i].cast};
            return true;
        }
    return false;
}

struct pg_type pg_type_other(char kind, char category, bool sends_text)
{
    if (category == 'A')
        return (struct pg_type){.type.kind = TYPE_JSON, .wire = PG_WIRE_TEXT, .cast = PG_CAST_JSON};
    bool as_it_is = kind == 'e' || sends_text; /* the label of an enum is its binary form too */
    return (struct pg_type){
        .type.kind = TYPE_STRING, .wire = PG_WIRE_TEXT, .cast = as_it_is ? PG_CAST_NONE : PG_CAST_TEXT};
}
