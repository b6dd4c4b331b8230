/* Dedupe against a model that sorts all rows: every type as key and as order, plain and dictionary form, nulls, hot
 * keys, batches of any size, and so little memory that nearly everything is spilled several times over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shape/dedupe.h"

static uint64_t random_state;

static uint64_t random_u64(void)
{
    random_state += 0x9E3779B97F4A7C15u;
    uint64_t z = random_state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t random_below(size_t n)
{
    return random_u64() % n;
}

/* One generated value: its bytes in a column, and a rank that says how it orders among values of its type. Equal rank
 * means equal value. */
struct sample {
    char bytes[24];
    size_t n;
    long rank;
    bool null;
};

static struct sample sample_of(struct data_type type, long pick)
{
    struct sample s = {.rank = pick};
    switch (type.kind) {
    case TYPE_BOOLEAN:
        s.rank = pick & 1;
        s.bytes[0] = (char)s.rank;
        s.n = 1;
        break;
    case TYPE_INTEGER:
    case TYPE_DATE: {
        int32_t v = (int32_t)(pick - 3) * 100003;
        memcpy(s.bytes, &v, s.n = sizeof v);
        break;
    }
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: {
        int64_t v = (int64_t)(pick - 3) * 1000000007LL * 1009;
        memcpy(s.bytes, &v, s.n = sizeof v);
        break;
    }
    case TYPE_FLOAT:
    case TYPE_DOUBLE: {
        /* 0, 1: two NaNs that count as one; 5, 6: -0.0 and 0.0; else around zero, with both infinities */
        double v = (double)(pick - 6) * 1.25;
        s.rank = pick <= 1 ? 0 : pick == 5 ? 6 : pick;
        if (pick <= 1)
            v = pick ? __builtin_nan("") : -__builtin_nan("0x1234");
        else if (pick == 2)
            v = -__builtin_inf();
        else if (pick == 5)
            v = -0.0;
        else if (pick == 9)
            v = 1e30;
        if (pick > 9)
            v = 1e30 + (double)(pick - 9) * 1e25;
        if (type.kind == TYPE_DOUBLE) {
            memcpy(s.bytes, &v, s.n = sizeof v);
        } else {
            float f = (float)v;
            memcpy(s.bytes, &f, s.n = sizeof f);
        }
        break;
    }
    case TYPE_DECIMAL: {
        /* neighbours differ in one byte in the middle, or in the lowest */
        __int128 v = (__int128)(pick / 2 - 3) * ((__int128)1 << 64) + (pick & 1);
        memcpy(s.bytes, &v, s.n = sizeof v);
        break;
    }
    case TYPE_UUID:
        memset(s.bytes, 0x55, 16);
        s.bytes[1] = (char)(pick >> 8);
        s.bytes[2] = (char)pick;
        s.n = 16;
        break;
    default: /* text: a prefix comes before what it begins; high bytes after low ones */
        s.n = (size_t)sprintf(s.bytes, "%06ld", pick / 2) + 0;
        if (pick & 1)
            s.n += (size_t)sprintf(s.bytes + s.n, "%c", pick & 2 ? 'z' : '\xC3');
        break;
    }
    return s;
}

#define ROWS_MAX 60000
#define KEYS_MAX 3

struct model_row {
    long keys[KEYS_MAX];
    long order;
    bool order_null;
    uint32_t row;
};

static size_t model_keys;

static int compare_keys(const struct model_row *a, const struct model_row *b)
{
    for (size_t k = 0; k < model_keys; k++)
        if (a->keys[k] != b->keys[k])
            return a->keys[k] < b->keys[k] ? -1 : 1;
    return 0;
}

static int compare_rows(const void *pa, const void *pb)
{
    const struct model_row *a = pa, *b = pb;
    int order = compare_keys(a, b);
    if (order)
        return order;
    if (a->order_null != b->order_null)
        return a->order_null ? -1 : 1;
    if (!a->order_null && a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

/* A column of the batch, perhaps in dictionary form. */
static void build_column(struct column *c, struct data_type type, const struct sample *samples, size_t n, bool dict)
{
    struct error err;
    column_reset(c, type);
    if (!dict) {
        for (size_t i = 0; i < n; i++)
            assert_int_equal(samples[i].null ? column_append_null(c, &err)
                                             : column_append(c, samples[i].bytes, samples[i].n, &err),
                             OK);
        return;
    }
    struct sample *entries = calloc(n + 1, sizeof *entries);
    struct column values = {.type = type};
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t code = 0;
        if (!samples[i].null) {
            while (code < count && (entries[code].n != samples[i].n ||
                                    memcmp(entries[code].bytes, samples[i].bytes, samples[i].n) != 0))
                code++;
            if (code == count) {
                entries[count++] = samples[i];
                assert_int_equal(column_append(&values, samples[i].bytes, samples[i].n, &err), OK);
            }
        } else {
            if (!c->null_count) {
                assert_int_equal(buf_resize(&c->validity, (n + 7) / 8, &err), OK);
                memset(c->validity.data, 0xFF, (n + 7) / 8);
            }
            c->validity.data[i >> 3] &= (uint8_t) ~(1u << (i & 7));
            c->null_count++;
        }
        assert_int_equal(buf_append(&c->codes, &code, sizeof code, &err), OK);
    }
    buf_release(&c->data);
    buf_release(&c->offsets);
    c->is_dict = true;
    c->dict_length = count;
    c->length = n;
    /* Entries that no row uses, as they are left when rows were dropped. */
    for (size_t i = 0; type_is_var(type) && c->codes.len % 8 == 0 && i < n + 3; i++) {
        char text[32];
        int length = sprintf(text, "unused %zu", i);
        assert_int_equal(column_append(&values, text, (size_t)length, &err), OK);
        c->dict_length++;
    }
    c->data = values.data;
    c->offsets = values.offsets;
    free(entries);
}

struct trial {
    struct data_type keys[KEYS_MAX];
    size_t key_count;
    struct data_type order; /* TYPE_NULL: none */
    size_t rows;
    size_t distinct; /* how many values each key may take */
    unsigned hot;    /* percent of rows with one and the same key */
    size_t memory;
    bool null_keys;   /* some */
    size_t null_rows; /* rows at the start whose batches give the order column as TYPE_NULL */
};

static void run_trial(const struct trial *t)
{
    static struct model_row model[ROWS_MAX];
    static uint8_t expected[ROWS_MAX / 8 + 8], got[ROWS_MAX / 8 + 8];
    static struct sample samples[KEYS_MAX + 1][ROWS_MAX];
    const int key_columns[KEYS_MAX] = {2, 0, 3};
    struct error err = {0};
    bool ordered = t->order.kind != TYPE_NULL;
    assert_true(t->rows <= ROWS_MAX);

    struct dedupe_index *index;
    struct dedupe_options options = {key_columns, t->key_count, ordered ? 1 : -1, t->memory, "/tmp"};
    assert_int_equal(dedupe_create(&index, &options, &err), OK);
    struct dedupe_rows facts = {0};

    for (size_t at = 0; at < t->rows;) {
        size_t n = 1 + random_below(t->rows / 5 + 1);
        if (n > t->rows - at)
            n = t->rows - at;
        if (at < t->null_rows && at + n > t->null_rows)
            n = t->null_rows - at;
        bool untyped = at < t->null_rows;
        for (size_t i = 0; i < n; i++) {
            struct model_row *m = &model[at + i];
            *m = (struct model_row){.row = (uint32_t)(at + i)};
            bool hot = random_below(100) < t->hot;
            for (size_t k = 0; k < t->key_count; k++) {
                samples[k][i] = sample_of(t->keys[k], hot ? 4 : (long)random_below(t->distinct));
                m->keys[k] = samples[k][i].rank;
                if (t->null_keys && random_below(8) == 0) {
                    samples[k][i].null = true;
                    m->keys[k] = -1;
                }
            }
            if (ordered) {
                struct sample o = sample_of(t->order, (long)random_below(12));
                o.null = untyped || random_below(6) == 0;
                m->order = o.rank;
                m->order_null = o.null;
                samples[KEYS_MAX][i] = o;
            }
        }
        struct column columns[4] = {0};
        for (size_t k = 0; k < t->key_count; k++)
            build_column(&columns[key_columns[k]], t->keys[k], samples[k], n, t->distinct <= 64 && random_below(2));
        if (ordered && untyped)
            assert_int_equal(column_fill_null(&columns[1], (struct data_type){.kind = TYPE_NULL}, n, &err), OK);
        else if (ordered)
            build_column(&columns[1], t->order, samples[KEYS_MAX], n, random_below(2));
        struct batch batch = {.columns = columns, .column_count = 4, .rows = n};
        assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
        assert_int_equal(dedupe_add(index, &facts, &err), OK);
        for (size_t c = 0; c < 4; c++)
            column_release(&columns[c]);
        at += n;
    }

    model_keys = t->key_count;
    qsort(model, t->rows, sizeof *model, compare_rows);
    memset(expected, 0, sizeof expected);
    size_t winners = 0;
    for (size_t i = 0; i < t->rows; i++)
        if (i + 1 == t->rows || compare_keys(&model[i], &model[i + 1]) != 0) {
            expected[model[i].row / 8] |= (uint8_t)(1u << model[i].row % 8);
            winners++;
        }

    uint64_t losers = 0;
    assert_int_equal(dedupe_resolve(index, &losers, &err), OK);
    assert_int_equal(losers, t->rows - winners);
    size_t kept = 0;
    memset(got, 0, sizeof got);
    assert_int_equal(dedupe_keep(index, 0, t->rows, got, &kept, &err), OK);
    assert_int_equal(kept, winners);
    assert_memory_equal(got, expected, (t->rows + 7) / 8);
    for (int i = 0; i < 20; i++) { /* any window of rows */
        size_t first = random_below(t->rows), n = random_below(t->rows - first + 1), count = 0;
        assert_int_equal(dedupe_keep(index, first, n, got, &kept, &err), OK);
        for (size_t r = 0; r < n; r++) {
            bool want = expected[(first + r) / 8] >> ((first + r) % 8) & 1;
            assert_int_equal(got[r / 8] >> (r % 8) & 1, want);
            count += want;
        }
        assert_int_equal(kept, count);
        if (n % 8)
            assert_int_equal(got[n / 8] >> (n % 8), 0);
    }
    assert_int_equal(dedupe_keep(index, t->rows, 1, got, &kept, &err), ERR_INTERNAL);
    dedupe_rows_release(&facts);
    dedupe_free(index);
}

static struct data_type type_of(enum type_kind kind)
{
    return (struct data_type){kind, kind == TYPE_DECIMAL ? 38 : 0, kind == TYPE_DECIMAL ? 4 : 0};
}

static void test_every_type(void **state)
{
    (void)state;
    random_state = 1;
    for (int key = TYPE_BOOLEAN; key < TYPE_KIND_COUNT; key++)
        for (int order = TYPE_NULL; order < TYPE_KIND_COUNT; order++) {
            struct trial t = {
                .keys = {type_of(key)},
                .key_count = 1,
                .order = type_of(order),
                .rows = 300,
                .distinct = 40,
                .memory = 1 << 20,
            };
            run_trial(&t);
        }
}

static void test_many_keys(void **state)
{
    (void)state;
    random_state = 2;
    struct trial t = {
        .keys = {type_of(TYPE_STRING), type_of(TYPE_BIGINT), type_of(TYPE_STRING)},
        .key_count = 3,
        .order = type_of(TYPE_DOUBLE),
        .rows = 4000,
        .distinct = 9,
        .memory = 1 << 20,
    };
    run_trial(&t);
    t.memory = 64 << 10;
    run_trial(&t);
}

/* The decoders reject a null key; if one came it would be a value of its own. */
static void test_null_keys(void **state)
{
    (void)state;
    random_state = 6;
    for (int i = 0; i < 30; i++) {
        struct trial t = {
            .keys = {type_of(TYPE_STRING), type_of(TYPE_DOUBLE)},
            .key_count = 1 + (size_t)i % 2,
            .rows = 500,
            .distinct = 12,
            .memory = 1 << 20,
            .null_keys = true,
        };
        run_trial(&t);
    }
}

/* Order values far larger than a block of the spill file. Of strings of one letter the longest wins. */
static void test_long_orders(void **state)
{
    (void)state;
    random_state = 7;
    enum { ROWS = 4000, KEYS = 60, LONGEST = 3000 };
    static char text[LONGEST];
    static uint8_t keep[ROWS / 8];
    struct {
        size_t length, row;
    } best[KEYS] = {0};
    struct column columns[2] = {{.type = type_of(TYPE_BIGINT)}, {.type = type_of(TYPE_STRING)}};
    struct dedupe_options options = {(const int[]){0}, 1, 1, 32 << 10, "/tmp"};
    struct dedupe_index *index;
    struct dedupe_rows facts = {0};
    struct error err;
    uint64_t losers;
    size_t kept;
    memset(text, 'x', sizeof text);
    assert_int_equal(dedupe_create(&index, &options, &err), OK);
    for (size_t row = 0; row < ROWS;) {
        column_reset(&columns[0], columns[0].type);
        column_reset(&columns[1], columns[1].type);
        for (int i = 0; i < 500; i++, row++) {
            int64_t key = (int64_t)random_below(KEYS);
            size_t length = random_below(10) ? random_below(20) : random_below(LONGEST);
            assert_int_equal(column_append(&columns[0], &key, sizeof key, &err), OK);
            assert_int_equal(column_append(&columns[1], text, length, &err), OK);
            if (length + 1 >= best[key].length) {
                best[key].length = length + 1;
                best[key].row = row;
            }
        }
        struct batch batch = {.columns = columns, .column_count = 2, .rows = 500};
        assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
        assert_int_equal(dedupe_add(index, &facts, &err), OK);
    }
    assert_int_equal(dedupe_resolve(index, &losers, &err), OK);
    assert_int_equal(losers, ROWS - KEYS);
    assert_int_equal(dedupe_add(index, &facts, &err), ERR_INTERNAL);
    assert_int_equal(dedupe_keep(index, 0, ROWS, keep, &kept, &err), OK);
    assert_int_equal(kept, KEYS);
    for (size_t k = 0; k < KEYS; k++)
        assert_true(keep[best[k].row / 8] >> best[k].row % 8 & 1);
    dedupe_rows_release(&facts);
    dedupe_free(index);
    column_release(&columns[0]);
    column_release(&columns[1]);
}

static void test_spilled(void **state)
{
    (void)state;
    random_state = 3;
    static const enum type_kind orders[] = {TYPE_NULL, TYPE_BIGINT, TYPE_STRING, TYPE_DECIMAL};
    for (size_t o = 0; o < ARRAY_LENGTH(orders); o++) {
        for (size_t memory = 16 << 10; memory <= 256 << 10; memory *= 4) {
            struct trial t = {
                .keys = {type_of(TYPE_BIGINT)},
                .key_count = 1,
                .order = type_of(orders[o]),
                .rows = 50000,
                .distinct = 30000,
                .memory = memory,
            };
            run_trial(&t);
            t.keys[0] = type_of(TYPE_STRING);
            t.distinct = 5000;
            t.hot = 50;
            t.rows = 20000;
            run_trial(&t);
        }
    }
}

static void test_hot_key(void **state)
{
    (void)state;
    random_state = 4;
    struct trial t = {
        .keys = {type_of(TYPE_INTEGER)},
        .key_count = 1,
        .order = type_of(TYPE_TIMESTAMP),
        .rows = 50000,
        .distinct = 20000,
        .hot = 95,
        .memory = 64 << 10,
    };
    run_trial(&t);
    t.hot = 100;
    t.memory = 8 << 10;
    run_trial(&t);
    t.order = type_of(TYPE_NULL);
    run_trial(&t);
}

static void test_order_without_values_at_first(void **state)
{
    (void)state;
    random_state = 5;
    static const enum type_kind orders[] = {TYPE_BIGINT, TYPE_STRING, TYPE_BOOLEAN};
    for (size_t o = 0; o < ARRAY_LENGTH(orders); o++) {
        struct trial t = {
            .keys = {type_of(TYPE_INTEGER)},
            .key_count = 1,
            .order = type_of(orders[o]),
            .rows = 3000,
            .distinct = 700,
            .memory = 64 << 10,
            .null_rows = 1500,
        };
        run_trial(&t);
    }
}

static void test_text_boundaries(void **state)
{
    (void)state;
    struct error err;
    struct column columns[2] = {{.type = type_of(TYPE_STRING)}, {.type = type_of(TYPE_STRING)}};
    static const char *const cells[][2] = {{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}, {"a", "bc"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++)
        for (size_t c = 0; c < 2; c++)
            assert_int_equal(column_append(&columns[c], cells[i][c], strlen(cells[i][c]), &err), OK);
    struct batch batch = {.columns = columns, .column_count = 2, .rows = ARRAY_LENGTH(cells)};
    const int keys[] = {0, 1};
    struct dedupe_options options = {keys, 2, -1, 1 << 20, "/tmp"};
    struct dedupe_index *index;
    struct dedupe_rows facts = {0};
    uint64_t losers;
    uint8_t keep;
    size_t kept;
    assert_int_equal(dedupe_create(&index, &options, &err), OK);
    assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
    assert_int_equal(dedupe_add(index, &facts, &err), OK);
    assert_int_equal(dedupe_resolve(index, &losers, &err), OK);
    assert_int_equal(losers, 1);
    assert_int_equal(dedupe_keep(index, 0, 5, &keep, &kept, &err), OK);
    assert_int_equal(keep, 0x1E);
    assert_int_equal(kept, 4);
    dedupe_free(index);
    dedupe_rows_release(&facts);
    column_release(&columns[0]);
    column_release(&columns[1]);
}

static void test_refusals(void **state)
{
    (void)state;
    struct error err;
    struct column columns[1] = {{.type = type_of(TYPE_BIGINT)}};
    struct batch batch = {.columns = columns, .column_count = 1};
    const int keys[] = {0};
    struct dedupe_options options = {keys, 0, -1, 16 << 10, "/nonexistent-directory"};
    struct dedupe_index *index;
    struct dedupe_rows facts = {0};
    uint64_t losers = 7;
    assert_int_equal(dedupe_create(&index, &options, &err), ERR_INVALID);
    options.key_count = 1;

    /* nothing at all */
    assert_int_equal(dedupe_create(&index, &options, &err), OK);
    assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
    assert_int_equal(dedupe_add(index, &facts, &err), OK);
    assert_int_equal(dedupe_resolve(index, &losers, &err), OK);
    assert_int_equal(losers, 0);
    dedupe_free(index);

    /* a key that changes its type */
    int64_t value = 5;
    assert_int_equal(column_append(&columns[0], &value, 8, &err), OK);
    batch.rows = 1;
    assert_int_equal(dedupe_create(&index, &options, &err), OK);
    assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
    assert_int_equal(dedupe_add(index, &facts, &err), OK);
    columns[0].type.kind = TYPE_TIMESTAMP;
    assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
    assert_int_equal(dedupe_add(index, &facts, &err), ERR_INTERNAL);
    columns[0].type.kind = TYPE_BIGINT;

    /* a temporary directory that is not there shows only when it is needed, and is named */
    status s = OK;
    for (int64_t i = 0; s == OK && i < 100000; i++) {
        memcpy(columns[0].data.data, &i, 8);
        assert_int_equal(dedupe_rows_of(index, &batch, &facts, &err), OK);
        s = dedupe_add(index, &facts, &err);
    }
    assert_int_equal(s, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent-directory"));
    dedupe_free(index);
    dedupe_rows_release(&facts);
    column_release(&columns[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_null_keys),
        cmocka_unit_test(test_long_orders),
        cmocka_unit_test(test_spilled),
        cmocka_unit_test(test_hot_key),
        cmocka_unit_test(test_order_without_values_at_first),
        cmocka_unit_test(test_text_boundaries),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
