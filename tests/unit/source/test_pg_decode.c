/* PostgreSQL's binary COPY data, well-formed and hostile. What a real server sends is in tests/flow/test_postgres.py.
 */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "source/postgres/pg_decode.h"
#include "source/postgres/pg_types.h"

#define HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"
#define HEADER_BYTES 19

static struct schema schema;
static const enum pg_wire wires[] = {PG_WIRE_INT4, PG_WIRE_TEXT, PG_WIRE_NUMERIC, PG_WIRE_TIMESTAMP};

static int setup(void **state)
{
    static const struct data_type types[] = {
        {.kind = TYPE_INTEGER}, {.kind = TYPE_STRING}, {TYPE_DECIMAL, 5, 2}, {.kind = TYPE_TIMESTAMP}};
    static const char *const names[] = {"i", "t", "n", "at"};
    (void)state;
    schema = (struct schema){0};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        assert_int_equal(schema_add(&schema, str_of(names[i]), (struct str){0}, types[i], false, NULL), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    schema_release(&schema);
    return 0;
}

static void put(struct buf *b, const void *bytes, size_t n)
{
    assert_int_equal(buf_append(b, bytes, n, NULL), OK);
}

static void put_be(struct buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        uint8_t byte = (uint8_t)(v >> (8 * i));
        put(b, &byte, 1);
    }
}

static void put_value(struct buf *b, const void *bytes, int n)
{
    put_be(b, (uint32_t)n, 4);
    if (n > 0)
        put(b, bytes, (size_t)n);
}

/* A row (i, text, 1.50, 2000-01-01 00:00:00.000001), or of nulls. */
static void put_row(struct buf *b, int32_t i, const char *text, bool nulls)
{
    static const uint8_t one_and_a_half[] = {0, 2, 0, 0, 0, 0, 0, 2, 0, 1, 0x13, 0x88};
    put_be(b, 4, 2);
    if (nulls) {
        for (int k = 0; k < 4; k++)
            put_value(b, NULL, -1);
        return;
    }
    put_be(b, 4, 4);
    put_be(b, (uint32_t)i, 4);
    put_value(b, text, (int)strlen(text));
    put_value(b, one_and_a_half, sizeof one_and_a_half);
    put_be(b, 8, 4);
    put_be(b, 1, 8);
}

static void begin(struct buf *piece, bool first)
{
    const struct pg_piece head = {.first = first};
    buf_clear(piece);
    put(piece, &head, sizeof head);
}

static void put_message(struct buf *piece, char type, const struct buf *contents)
{
    struct pg_piece head;
    put(piece, &type, 1);
    put_be(piece, contents->len + 4, 4);
    if (contents->len)
        put(piece, contents->data, contents->len);
    memcpy(&head, piece->data, sizeof head);
    head.messages += type == 'd';
    memcpy(piece->data, &head, sizeof head);
}

static void rows_become_columns(void **state)
{
    struct buf piece = {0}, message = {0};
    struct batch batch = {0};
    struct error err;
    (void)state;
    begin(&piece, true);
    put(&message, HEADER, HEADER_BYTES);
    for (int i = 0; i < 5000; i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s%d", i % 40, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i);
        put_row(&message, i - 7, text, i % 3 == 1);
        put_message(&piece, 'd', &message);
        buf_clear(&message);
    }
    put_be(&message, 0xFFFF, 2); /* the end mark */
    put_message(&piece, 'd', &message);
    buf_clear(&message);
    put_message(&piece, 'c', &message);
    assert_int_equal(pg_decode(&schema, wires, &piece, &batch, &err), OK);
    assert_int_equal(batch.rows, 5000);
    for (int i = 0; i < 5000; i++) {
        char text[64];
        assert_int_equal(column_is_null(&batch.columns[0], (size_t)i), i % 3 == 1);
        if (i % 3 == 1)
            continue;
        snprintf(text, sizeof text, "%.*s%d", i % 40, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i);
        assert_int_equal(*(const int32_t *)column_value(&batch.columns[0], (size_t)i), i - 7);
        assert_true(str_equal(column_str(&batch.columns[1], (size_t)i), str_of(text)));
        __int128 amount;
        memcpy(&amount, column_value(&batch.columns[2], (size_t)i), sizeof amount);
        assert_true(amount == 150);
        assert_int_equal(*(const int64_t *)column_value(&batch.columns[3], (size_t)i), 946684800000001);
    }
    batch_release(&batch);
    buf_release(&piece);
    buf_release(&message);
}

/* However it is cut or altered, the answer is rows or an error, never a read beyond it (the sanitizers look). */
static void damaged_data_are_errors(void **state)
{
    struct buf piece = {0}, message = {0};
    struct batch batch = {0};
    struct error err;
    (void)state;
    begin(&piece, true);
    put(&message, HEADER, HEADER_BYTES);
    put_row(&message, 1, "text", false);
    put_row(&message, 2, "", true);
    put_message(&piece, 'd', &message);
    for (size_t n = sizeof(struct pg_piece); n < piece.len; n++) {
        struct buf cut = {0};
        put(&cut, piece.data, n);
        status s = pg_decode(&schema, wires, &cut, &batch, &err);
        assert_true(n == sizeof(struct pg_piece) ? s != ERR_NO_MEMORY : s == ERR_BAD_DATA || s == ERR_INTERNAL);
        buf_release(&cut);
    }
    srand(1);
    for (int round = 0; round < 20000; round++) {
        struct buf altered = {0};
        put(&altered, piece.data, piece.len);
        for (int k = 0; k < 1 + round % 3; k++)
            altered.data[sizeof(struct pg_piece) + (size_t)rand() % (piece.len - sizeof(struct pg_piece))] =
                (uint8_t)(rand() % 4 ? rand() : 0xFF);
        (void)!pg_decode(&schema, wires, &altered, &batch, &err);
        buf_release(&altered);
    }
    batch_release(&batch);
    buf_release(&piece);
    buf_release(&message);
}

static void text_that_is_not_utf8_is_a_bad_value(void **state)
{
    struct buf piece = {0}, message = {0};
    struct batch batch = {0};
    (void)state;
    begin(&piece, false);
    /* Together the first two are well-formed: no value may be judged by its neighbour. */
    static const char *const texts[] = {"\xc3", "\xbc", "good", "\xff"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buf_clear(&message);
        put_row(&message, (int)i, texts[i], false);
        put_message(&piece, 'd', &message);
    }
    assert_int_equal(pg_decode(&schema, wires, &piece, &batch, NULL), OK);
    assert_int_equal(batch.bad.len / sizeof(struct bad_value), 3);
    assert_int_equal(batch.columns[1].null_count, 3);
    assert_true(str_equal(column_str(&batch.columns[1], 2), STR("good")));
    batch_release(&batch);
    buf_release(&piece);
    buf_release(&message);
}

static bool numeric(const uint16_t *digits, unsigned n, int weight, unsigned sign, unsigned p, unsigned s, __int128 *v)
{
    struct buf b = {0};
    const char *why = NULL;
    put_be(&b, n, 2);
    put_be(&b, (uint16_t)weight, 2);
    put_be(&b, sign, 2);
    put_be(&b, s, 2);
    for (unsigned i = 0; i < n; i++)
        put_be(&b, digits[i], 2);
    bool fits = pg_numeric(b.data, b.len, p, s, v, &why);
    assert_true(fits || why);
    buf_release(&b);
    return fits;
}

static void numerics_are_exact(void **state)
{
    __int128 v, nines = 0;
    (void)state;
    for (int i = 0; i < 38; i++)
        nines = nines * 10 + 9;
    static const uint16_t all[] = {99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999};
    assert_true(numeric(all, 10, 9, 0, 38, 0, &v) && v == nines);
    assert_true(numeric(all, 10, 9, 0x4000, 38, 0, &v) && v == -nines);
    assert_true(numeric(all + 1, 9, -1, 0, 38, 36, &v) && v == nines / 100);
    static const uint16_t tail[] = {9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900};
    assert_true(numeric(tail, 10, -1, 0, 38, 38, &v) && v == nines);
    assert_false(numeric(all, 10, 9, 0, 37, 0, &v));
    assert_false(numeric(all + 1, 9, 9, 0, 38, 0, &v)); /* 40 digits */
    static const uint16_t small[] = {12, 3450};
    assert_true(numeric(small, 2, 0, 0, 10, 3, &v) && v == 12345);
    assert_true(numeric(small, 2, 0, 0, 10, 6, &v) && v == 12345000);
    assert_false(numeric(small, 2, 0, 0, 10, 2, &v));
    assert_false(numeric(small, 2, 0, 0xC000, 10, 2, &v));
    static const uint16_t hostile[] = {10000, 65535};
    assert_false(numeric(hostile, 2, 0, 0, 38, 4, &v));
    assert_false(numeric(small, 1, 32767, 0, 38, 4, &v));
    assert_false(numeric(small, 1, -32768, 0, 38, 4, &v));
    static const uint16_t zeros[] = {0, 0, 0};
    assert_true(numeric(zeros, 3, 32767, 0, 38, 4, &v) && v == 0);
    assert_true(numeric(zeros, 0, 0, 0, 1, 0, &v) && v == 0);
}

static void modifiers_give_precision_and_scale(void **state)
{
    struct pg_type t;
    (void)state;
    assert_true(pg_type_of(1700, (15 << 16 | 2) + 4, &t));
    assert_true(t.type.kind == TYPE_DECIMAL && t.type.precision == 15 && t.type.scale == 2);
    assert_true(pg_type_of(1700, (3 << 16 | (-2 & 0x7FF)) + 4, &t) && t.type.kind == TYPE_STRING);
    assert_true(pg_type_of(1700, (3 << 16 | 5) + 4, &t) && t.type.kind == TYPE_STRING);
    assert_true(pg_type_of(1700, -1, &t) && t.type.kind == TYPE_STRING);
    assert_false(pg_type_of(4000000, -1, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_columns),
        cmocka_unit_test(damaged_data_are_errors),
        cmocka_unit_test(text_that_is_not_utf8_is_a_bad_value),
        cmocka_unit_test(numerics_are_exact),
        cmocka_unit_test(modifiers_give_precision_and_scale),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
