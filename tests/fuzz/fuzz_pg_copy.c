/* libFuzzer target: what claims to be PostgreSQL's binary COPY data. The first byte chooses the columns.
 *
 * Nothing crashes or reads beyond the piece, and what is decoded keeps the columns' contract. */
#include <stdlib.h>

#include "base/utf8.h"
#include "source/postgres/pg_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    struct data_type type;
    enum pg_wire wire;
} choices[] = {
    {{.kind = TYPE_BOOLEAN}, PG_WIRE_BOOL},    {{.kind = TYPE_INTEGER}, PG_WIRE_INT2},
    {{.kind = TYPE_STRING}, PG_WIRE_TEXT},     {{TYPE_DECIMAL, 20, 4}, PG_WIRE_NUMERIC},
    {{.kind = TYPE_BIGINT}, PG_WIRE_INT8},     {{.kind = TYPE_DATE}, PG_WIRE_DATE},
    {{.kind = TYPE_JSON}, PG_WIRE_JSONB},      {{.kind = TYPE_TIMESTAMP}, PG_WIRE_TIMESTAMP},
    {{.kind = TYPE_BINARY}, PG_WIRE_BYTEA},    {{.kind = TYPE_UUID}, PG_WIRE_UUID},
    {{.kind = TYPE_TIME}, PG_WIRE_TIME},       {{.kind = TYPE_DOUBLE}, PG_WIRE_FLOAT8},
    {{TYPE_DECIMAL, 38, 38}, PG_WIRE_NUMERIC}, {{.kind = TYPE_BIGINT}, PG_WIRE_OID},
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct batch *b)
{
    for (size_t i = 0; i < b->column_count; i++) {
        const struct column *c = &b->columns[i];
        must(c->length == b->rows && c->null_count <= b->rows);
        must(!c->null_count || c->validity.len >= (b->rows + 7) / 8);
        for (size_t row = 0; row < b->rows; row++) {
            if (column_is_null(c, row))
                continue;
            if (type_is_var(c->type)) {
                struct str text = column_str(c, row);
                must(!type_table[c->type.kind].is_text || utf8_is_valid((const uint8_t *)text.p, text.n));
            } else {
                must((row + 1) * type_width(c->type) <= c->data.len);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum pg_wire wires[3];
    struct schema schema = {0};
    struct buf piece = {0};
    struct batch batch = {0};
    struct pg_piece head = {0};
    if (size < 2)
        return 0;
    size_t columns = 1 + data[1] % 3;
    char name[2] = "a";
    for (size_t i = 0; i < columns; i++, name[0]++) {
        size_t choice = (data[0] + i * (1 + data[1] / 16)) % ARRAY_LENGTH(choices);
        wires[i] = choices[choice].wire;
        must(schema_add(&schema, str_of(name), (struct str){0}, choices[choice].type, false, NULL) == OK);
    }
    head.first = data[1] >> 7;
    head.messages = (size - 2) / PG_MESSAGE_HEAD;
    must(buf_append(&piece, &head, sizeof head, NULL) == OK);
    must(buf_append(&piece, data + 2, size - 2, NULL) == OK);
    if (pg_decode(&schema, wires, &piece, &batch, NULL) == OK)
        check(&batch);
    batch_release(&batch);
    buf_release(&piece);
    schema_release(&schema);
    return 0;
}
