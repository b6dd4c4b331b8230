/* PostgreSQL's binary COPY format into columns (PostgreSQL manual, COPY, "Binary Format"; the send functions of the
 * types). Pure: no connection. The server may send anything: every length is checked. */
#ifndef FF_SOURCE_POSTGRES_PG_DECODE_H
#define FF_SOURCE_POSTGRES_PG_DECODE_H

#include "batch/batch.h"

/* How a value lies on the wire. */
enum pg_wire {
    PG_WIRE_BOOL,
    PG_WIRE_INT2,
    PG_WIRE_INT4,
    PG_WIRE_INT8,
    PG_WIRE_OID, /* unsigned, to bigint */
    PG_WIRE_FLOAT4,
    PG_WIRE_FLOAT8,
    PG_WIRE_NUMERIC,
    PG_WIRE_DATE,
    PG_WIRE_TIME,
    PG_WIRE_TIMESTAMP,
    PG_WIRE_TEXT,
    PG_WIRE_JSONB, /* a version byte, then text */
    PG_WIRE_BYTEA,
    PG_WIRE_UUID,
    PG_WIRE_COUNT
};

/* A piece is a struct pg_piece followed by whole messages of the protocol: a byte of type, four of length (which counts
 * itself), the contents. Those of type 'd' (CopyData) hold whole rows, in practice one each; others are skipped. */
struct pg_piece {
    uint64_t messages; /* of type 'd' */
    uint64_t first;    /* 1: the format's header stands at the beginning of the first of them */
};
#define PG_MESSAGE_HEAD 5

/* schema: of the columns, in wire's order. ERR_BAD_DATA says what does not follow the format. */
status pg_decode(const struct schema *schema, const enum pg_wire *wire, const struct buf *piece, struct batch *into,
                 struct error *err) MUST_USE;

/* One numeric, `n` bytes, as decimal(precision, scale); false when it is no such (*why says why). */
bool pg_numeric(const uint8_t *bytes, size_t n, unsigned precision, unsigned scale, __int128 *value, const char **why);
/* Its text, for messages about values that do not fit. */
status pg_numeric_text(const uint8_t *bytes, size_t n, struct buf *text, struct error *err) MUST_USE;

#endif
