/* Writes Parquet files of every kind, each with a JSON file beside it that says what must be read from it, into the
 * directory FLOWFORGE_TEST_OUT (else a temporary one that is removed again). tests/format/test_parquet_readback.py lets
 * independent readers judge them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/parquet/parquet_writer.h"

enum nulls { NULLS_NONE, NULLS_SOME, NULLS_RUNS, NULLS_ALL, NULLS_RARE, NULLS_COUNT };
enum form { FORM_PLAIN, FORM_DICT, FORM_BOTH };
enum shape {
    SHAPE_FEW,
    SHAPE_RANDOM,
    SHAPE_SORTED,
    SHAPE_CONSTANT,
    SHAPE_SPECIAL,
    SHAPE_LONG,
    SHAPE_ENDS,
    SHAPE_COUNT
};

struct column_plan {
    struct data_type type;
    enum nulls nulls;
    enum form form;
    enum shape shape;
    bool not_null;
    size_t untyped_groups; /* TYPE_NULL in that many row groups first */
};

struct file_plan {
    const char *name;
    const struct column_plan *columns;
    size_t column_count;
    const size_t *group_rows;
    size_t group_count;
    struct parquet_options options;
    uint64_t seed;
};

static const char *output_directory;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void must(status s, const struct error *err)
{
    if (s != OK)
        fail_msg("%s", err->message);
}

/* Bytes of one value: as they lie in a column, or those of a string. */
struct cell {
    uint8_t bytes[16];
    const char *text;
    size_t n;
};

static __int128 power_of_ten(unsigned digits)
{
    __int128 p = 1;
    while (digits--)
        p *= 10;
    return p;
}

static int64_t number_of(enum shape shape, size_t row, uint64_t *seed, int64_t lowest, int64_t highest)
{
    uint64_t range = (uint64_t)highest - (uint64_t)lowest;
    switch (shape) {
    case SHAPE_FEW:
        return lowest / 2 + (int64_t)(next_random(seed) % 8) * 5;
    case SHAPE_SORTED:
        return lowest / 3 + (int64_t)(row / 3);
    case SHAPE_CONSTANT:
        return highest / 2;
    case SHAPE_SPECIAL:
        return (int64_t[]){lowest, highest, 0, lowest + 1, highest - 1}[next_random(seed) % 5];
    case SHAPE_RANDOM:
    case SHAPE_LONG:
    case SHAPE_ENDS:
    case SHAPE_COUNT:
        break;
    }
    return (int64_t)((uint64_t)lowest + (range == UINT64_MAX ? next_random(seed) : next_random(seed) % (range + 1)));
}

static double double_of(enum shape shape, size_t row, uint64_t *seed, double largest)
{
    static const double special[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, -1e-30};
    if (shape == SHAPE_SPECIAL) /* stretches of one value, so that there are pages of NaN and of zeros only */
        return next_random(seed) % 50 ? special[row / 120 % 7] : special[next_random(seed) % 7];
    if (shape == SHAPE_CONSTANT)
        return -0.0;
    if (shape == SHAPE_FEW)
        return (double)(next_random(seed) % 9) * 0.25 - 1;
    if (shape == SHAPE_SORTED)
        return (double)row * -0.125;
    return ((double)(next_random(seed) >> 11) / 9007199254740992.0 - 0.5) * largest;
}

#define TEXT_MOST 300000
static char text_space[TEXT_MOST];

static void text_of(enum shape shape, enum type_kind kind, size_t row, uint64_t *seed, struct cell *cell)
{
    static const char *const pieces[] = {"a", "\xC3\xA4", "\xE2\x82\xAC",     "\xF0\x9F\x98\x80",
                                         "Z", "\x7F",     "\xF4\x8F\xBF\xBF", " "};
    static const char *const few[] = {"",      "x",  "red", "green", "blue-green and long enough", "\xE2\x82\xAC",
                                      "\"q\"", "AIR"};
    size_t n = 0;
    cell->text = text_space;
    if (kind == TYPE_JSON) {
        cell->n =
            (size_t)snprintf(text_space, sizeof text_space, "{\"k\":%d,\"s\":\"%zu\"}", (int)(next_random(seed) % 9),
                             shape == SHAPE_FEW || shape == SHAPE_CONSTANT ? (size_t)7 : row);
        return;
    }
    if (shape == SHAPE_FEW) {
        cell->text = few[next_random(seed) % 8];
        cell->n = strlen(cell->text);
        return;
    }
    if (shape == SHAPE_ENDS) { /* first the largest, later the smallest value is too long for a bound */
        cell->n = row % 3 ? 70 : row < 300 ? 0 : 2;
        memset(text_space, row % 3 ? 'm' : 'z', cell->n);
        return;
    }
    if (shape == SHAPE_SORTED || shape == SHAPE_CONSTANT) {
        cell->n =
            (size_t)snprintf(text_space, sizeof text_space, "Customer#%012zu", shape == SHAPE_SORTED ? row / 2 : 3);
        return;
    }
    size_t wanted = next_random(seed) % 30;
    if (shape == SHAPE_LONG)
        wanted = next_random(seed) % 40 == 0 ? next_random(seed) % (TEXT_MOST - 8) : 55 + next_random(seed) % 20;
    size_t only = next_random(seed) % 8;
    bool mixed = shape == SHAPE_RANDOM || next_random(seed) % 2;
    while (n < wanted) {
        if (kind == TYPE_BINARY) {
            text_space[n++] = (char)(mixed ? next_random(seed) : 0xFF);
        } else {
            const char *piece = pieces[mixed ? next_random(seed) % 8 : only];
            memcpy(text_space + n, piece, strlen(piece));
            n += strlen(piece);
        }
    }
    cell->n = n;
}

static void make_cell(const struct column_plan *plan, size_t row, uint64_t *seed, struct cell *cell)
{
    enum shape shape = plan->shape;
    memset(cell, 0, sizeof *cell);
    cell->n = type_width(plan->type);
    int64_t i = 0;
    switch (plan->type.kind) {
    case TYPE_NULL:
        return;
    case TYPE_BOOLEAN:
        cell->bytes[0] = shape == SHAPE_CONSTANT || (shape == SHAPE_SORTED ? row > 150 : next_random(seed) & 1);
        return;
    case TYPE_INTEGER:
        i = number_of(shape, row, seed, INT32_MIN, INT32_MAX);
        break;
    case TYPE_BIGINT:
        i = number_of(shape, row, seed, INT64_MIN, INT64_MAX);
        break;
    case TYPE_DATE: /* 0001-01-01 to 9999-12-31 */
        i = number_of(shape, row, seed, -719162, 2932896);
        break;
    case TYPE_TIME:
        i = number_of(shape, row, seed, 0, 86399999999);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        i = number_of(shape, row, seed, -62135596800000000, 253402300799999999);
        break;
    case TYPE_FLOAT: {
        float f = (float)double_of(shape, row, seed, 1e38);
        memcpy(cell->bytes, &f, sizeof f);
        return;
    }
    case TYPE_DOUBLE: {
        double d = double_of(shape, row, seed, 1e300);
        memcpy(cell->bytes, &d, sizeof d);
        return;
    }
    case TYPE_DECIMAL: {
        __int128 most = power_of_ten(plan->type.precision) - 1;
        int64_t few = (int64_t)(most > 1000000 ? 1000000 : most);
        __int128 v = number_of(shape, row, seed, 0, few) % (few + 1);
        if (shape == SHAPE_SPECIAL)
            v = (__int128[]){most, -most, 0, 1, -1}[next_random(seed) % 5];
        else if (shape == SHAPE_RANDOM)
            v = (__int128)(((unsigned __int128)next_random(seed) << 63 | next_random(seed)) % (unsigned __int128)most);
        if (shape != SHAPE_SPECIAL && shape != SHAPE_SORTED && next_random(seed) & 1)
            v = -v;
        memcpy(cell->bytes, &v, sizeof v);
        return;
    }
    case TYPE_UUID:
        for (size_t k = 0; k < 16; k++)
            cell->bytes[k] = shape == SHAPE_RANDOM || shape == SHAPE_LONG ? (uint8_t)next_random(seed)
                             : shape == SHAPE_SORTED                      ? (uint8_t)(k == 15   ? row
                                                                                      : k == 14 ? row >> 8
                                                                                                : 9)
                             : shape == SHAPE_CONSTANT                    ? 0xAB
                                                       : (uint8_t)(k ? 0x80 : next_random(seed) % 5 * 60);
        return;
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_BINARY:
        text_of(shape, plan->type.kind, row, seed, cell);
        return;
    case TYPE_KIND_COUNT:
        return;
    }
    memcpy(cell->bytes, &i, 8);
}

static bool cell_is_null(enum nulls nulls, size_t row, uint64_t *seed)
{
    switch (nulls) {
    case NULLS_SOME:
        return next_random(seed) % 3 == 0;
    case NULLS_RUNS:
        return row / 130 % 2 == 0 || next_random(seed) % 100 == 0;
    case NULLS_ALL:
        return true;
    case NULLS_RARE:
        return next_random(seed) % 400 == 0;
    case NULLS_NONE:
    case NULLS_COUNT:
        break;
    }
    return false;
}

/* The value for the JSON file, in a form that loses nothing: integers as numbers, the bits of floats, bytes in hex. */
static void expect_cell(struct data_type type, const struct cell *cell, struct buf *to)
{
    struct error err;
    int32_t i32;
    int64_t i64;
    __int128 i128;
    char digits[48];
    size_t at = sizeof digits;
    switch (type_layout(type)) {
    case LAYOUT_BOOL:
        must(buf_printf(to, &err, "%s", cell->bytes[0] ? "true" : "false"), &err);
        return;
    case LAYOUT_I32:
        memcpy(&i32, cell->bytes, sizeof i32);
        must(buf_printf(to, &err, "%d", (int)i32), &err);
        return;
    case LAYOUT_I64:
        memcpy(&i64, cell->bytes, sizeof i64);
        must(buf_printf(to, &err, "%lld", (long long)i64), &err);
        return;
    case LAYOUT_I128:
        memcpy(&i128, cell->bytes, sizeof i128);
        for (unsigned __int128 rest = (unsigned __int128)(i128 < 0 ? -i128 : i128); rest || at == sizeof digits;
             rest /= 10)
            digits[--at] = (char)('0' + (int)(rest % 10));
        must(buf_printf(to, &err, "\"%s%.*s\"", i128 < 0 ? "-" : "", (int)(sizeof digits - at), digits + at), &err);
        return;
    case LAYOUT_F32:
    case LAYOUT_F64:
    case LAYOUT_BYTES16:
    case LAYOUT_VAR:
    case LAYOUT_NONE:
        break;
    }
    const uint8_t *bytes = cell->text ? (const uint8_t *)cell->text : cell->bytes;
    must(buf_append_str(to, STR("\""), &err), &err);
    must(buf_reserve(to, 2 * cell->n + 1, &err), &err);
    for (size_t i = 0; i < cell->n; i++) {
        to->data[to->len++] = (uint8_t) "0123456789abcdef"[bytes[i] >> 4];
        to->data[to->len++] = (uint8_t) "0123456789abcdef"[bytes[i] & 15];
    }
    must(buf_append_str(to, STR("\""), &err), &err);
}

static bool same_cell(const struct column *c, size_t slot, const void *bytes, size_t n)
{
    if (type_is_var(c->type))
        return str_equal(column_slot_str(c, slot), (struct str){bytes, n});
    return memcmp(c->data.data + slot * type_width(c->type), bytes, type_width(c->type)) == 0;
}

/* A valid value above all that occur, for an entry that no row uses: it must not get into the statistics. Readers
 * check whole dictionaries, so it has to be a value of the type. */
static size_t highest_value(enum type_kind kind, uint8_t bytes[16])
{
    static const uint8_t highest[16] = {0xF4, 0x8F, 0xBF, 0xBF, 0xF4, 0x8F, 0xBF, 0xBE, 0xBF};
    int64_t number = kind == TYPE_TIME ? 86399999998 : kind == TYPE_DATE ? 2932895 : 253402300799999998;
    memcpy(bytes, highest, sizeof highest);
    if (kind == TYPE_JSON)
        memcpy(bytes, "{\"z\":0}", 7);
    if (type_table[kind].layout == LAYOUT_VAR)
        return kind == TYPE_JSON ? 7 : 4;
    if (kind == TYPE_TIME || kind == TYPE_DATE || kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMPTZ)
        memcpy(bytes, &number, sizeof number);
    return 16;
}

/* The dictionary form of a plain column, by the simplest means; one entry more that no row uses. */
static void to_dictionary(struct column *c, struct error *err)
{
    uint8_t highest[16];
    size_t highest_bytes = highest_value(c->type.kind, highest);
    struct column values, dict;
    memset(&values, 0, sizeof values);
    memset(&dict, 0, sizeof dict);
    column_reset(&values, c->type);
    for (size_t row = 0; row < c->length; row++) {
        uint32_t code = 0;
        struct str value =
            type_is_var(c->type) ? column_str(c, row) : (struct str){column_value(c, row), type_width(c->type)};
        if (!column_is_null(c, row)) {
            while (code < values.length && !same_cell(&values, code, value.p, value.n))
                code++;
            if (code == values.length)
                must(column_append(&values, value.p, value.n, err), err);
        }
        must(buf_append(&dict.codes, &code, sizeof code, err), err);
    }
    size_t slot = 0;
    while (slot < values.length && !same_cell(&values, slot, highest, highest_bytes))
        slot++;
    if (slot == values.length && c->type.kind != TYPE_BOOLEAN && c->type.kind != TYPE_DECIMAL)
        must(column_append(&values, highest, highest_bytes, err), err);
    dict.type = c->type;
    dict.is_dict = true;
    dict.length = c->length;
    dict.null_count = c->null_count;
    dict.dict_length = values.length;
    dict.validity = c->validity;
    dict.data = values.data;
    dict.offsets = values.offsets;
    c->validity = (struct buf){0};
    column_release(c);
    *c = dict;
}

static void fill_column(const struct column_plan *plan, size_t first_row, size_t rows, bool untyped, bool dict,
                        uint64_t *seed, struct column *c, struct buf *expected, struct error *err)
{
    column_reset(c, untyped ? (struct data_type){.kind = TYPE_NULL} : plan->type);
    for (size_t row = first_row; row < first_row + rows; row++) {
        if (expected->len > 0)
            must(buf_append_str(expected, STR(","), err), err);
        if (c->type.kind == TYPE_NULL || (!plan->not_null && cell_is_null(plan->nulls, row, seed))) {
            must(column_append_null(c, err), err);
            must(buf_append_str(expected, STR("null"), err), err);
            continue;
        }
        struct cell cell;
        make_cell(plan, row, seed, &cell);
        must(column_append(c, cell.text ? (const void *)cell.text : cell.bytes, cell.n, err), err);
        expect_cell(plan->type, &cell, expected);
    }
    if (dict && c->type.kind != TYPE_NULL)
        to_dictionary(c, err);
}

static status file_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    return fwrite(bytes, 1, n, self) == n ? OK : error_set(err, ERR_IO, "short write");
}

static const struct byte_sink_ops file_ops = {.write = file_write};

static void path_of(char *path, size_t cap, const char *name, const char *extension)
{
    int n = snprintf(path, cap, "%s/%s.%s", output_directory, name, extension);
    assert_true(n > 0 && (size_t)n < cap);
}

static void write_expected(const struct file_plan *plan, const struct schema *schema, const struct buf *expected)
{
    static const char *const codecs[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"};
    char path[4096];
    path_of(path, sizeof path, plan->name, "json");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "{\"codec\":\"%s\",\"page_rows\":%zu,\"groups\":[", codecs[plan->options.codec],
            plan->options.page_rows ? plan->options.page_rows : 20000);
    for (size_t g = 0; g < plan->group_count; g++)
        fprintf(f, "%s%zu", g ? "," : "", plan->group_rows[g]);
    fputs("],\"columns\":[", f);
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct field *field = &schema->fields[i];
        fprintf(f, "%s\n{\"name\":\"%s\",\"type\":\"%s\",\"precision\":%u,\"scale\":%u,\"not_null\":%s,\"values\":[",
                i ? "," : "", field->name, type_table[field->type.kind].name, field->type.precision, field->type.scale,
                field->not_null ? "true" : "false");
        if (expected[i].len)
            fwrite(expected[i].data, 1, expected[i].len, f);
        fputs("]}", f);
    }
    fputs("]}\n", f);
    assert_int_equal(fclose(f), 0);
}

/* The finished file's own footer must state the rows that were written. */
static void check_footer(const char *path, uint64_t rows, uint64_t bytes)
{
    struct error err;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    uint8_t *all = malloc(bytes + 1);
    assert_int_equal(fread(all, 1, bytes + 1, f), bytes);
    fclose(f);
    uint64_t stated = 12345;
    size_t need = 99;
    must(parquet_footer_rows(all + bytes - 8, 8, &stated, &need, &err), &err);
    assert_true(need > 8 && need < bytes);
    assert_int_equal(stated, 12345);
    size_t tail = need;
    must(parquet_footer_rows(all + bytes - tail, tail, &stated, &need, &err), &err);
    assert_int_equal(need, 0);
    assert_int_equal(stated, rows);
    stated = 12345;
    must(parquet_footer_rows(all, bytes, &stated, &need, &err), &err);
    assert_int_equal(stated, rows);
    free(all);
}

static void add_fields(const struct file_plan *plan, size_t group, struct schema *schema, struct error *err)
{
    for (size_t i = 0; i < plan->column_count; i++) {
        char name[48], source[48];
        struct data_type type = plan->columns[i].type;
        if (group < plan->columns[i].untyped_groups)
            type = (struct data_type){.kind = TYPE_NULL};
        snprintf(name, sizeof name, "c%zu", i);
        snprintf(source, sizeof source, "Column \"%zu\"\n\xC3\xA4", i);
        must(schema_add(schema, str_of(name), str_of(source), type, plan->columns[i].not_null, err), err);
    }
}

static void write_file(const struct file_plan *plan)
{
    struct error err;
    char path[4096];
    uint64_t seed = plan->seed;
    size_t rows = 0;
    path_of(path, sizeof path, plan->name, "parquet");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    struct byte_sink sink = {&file_ops, f};
    struct buf *expected = calloc(plan->column_count, sizeof *expected);
    struct parquet_encoder *encoder;
    struct parquet_writer *writer;
    struct parquet_row_group encoded = {0};
    struct batch batch = {0};
    must(parquet_encoder_create(&encoder, &plan->options, &err), &err);
    must(parquet_writer_create(&writer, &sink, &plan->options, &err), &err);
    for (size_t g = 0; g < plan->group_count; g++) {
        struct schema schema = {0};
        add_fields(plan, g, &schema, &err);
        must(batch_reset(&batch, &schema, &err), &err);
        for (size_t i = 0; i < plan->column_count; i++) {
            const struct column_plan *c = &plan->columns[i];
            bool dict = c->form == FORM_DICT || (c->form == FORM_BOTH && g % 2);
            fill_column(c, rows, plan->group_rows[g], g < c->untyped_groups, dict, &seed, &batch.columns[i],
                        &expected[i], &err);
        }
        batch.rows = plan->group_rows[g];
        must(parquet_encode(encoder, &batch, &encoded, &err), &err);
        assert_int_equal(encoded.rows, batch.rows);
        assert_int_equal(encoded.column_count, plan->column_count);
        must(parquet_writer_add(writer, &encoded, &err), &err);
        rows += batch.rows;
        schema_release(&schema);
    }
    struct schema last = {0};
    add_fields(plan, SIZE_MAX, &last, &err);
    must(parquet_writer_finish(writer, &last, &err), &err);
    assert_int_equal(parquet_writer_rows(writer), rows);
    assert_int_equal(ftell(f), parquet_writer_bytes(writer));
    assert_int_equal(fclose(f), 0);
    check_footer(path, rows, parquet_writer_bytes(writer));
    write_expected(plan, &last, expected);
    for (size_t i = 0; i < plan->column_count; i++)
        buf_release(&expected[i]);
    free(expected);
    schema_release(&last);
    batch_release(&batch);
    parquet_row_group_release(&encoded);
    parquet_writer_free(writer);
    parquet_encoder_free(encoder);
    if (!getenv("FLOWFORGE_TEST_OUT")) {
        unlink(path);
        path_of(path, sizeof path, plan->name, "json");
        unlink(path);
    }
}

static const struct data_type all_types[] = {
    {.kind = TYPE_BOOLEAN}, {.kind = TYPE_INTEGER}, {.kind = TYPE_BIGINT},    {.kind = TYPE_FLOAT},
    {.kind = TYPE_DOUBLE},  {TYPE_DECIMAL, 5, 2},   {TYPE_DECIMAL, 18, 6},    {TYPE_DECIMAL, 38, 9},
    {.kind = TYPE_DATE},    {.kind = TYPE_TIME},    {.kind = TYPE_TIMESTAMP}, {.kind = TYPE_TIMESTAMPTZ},
    {.kind = TYPE_STRING},  {.kind = TYPE_JSON},    {.kind = TYPE_BINARY},    {.kind = TYPE_UUID},
};
#define TYPES (sizeof all_types / sizeof *all_types)

/* Every type with every pattern of nulls in either form; the shape of values goes round. */
static size_t plan_everything(struct column_plan *plans, bool not_null)
{
    size_t n = 0;
    for (size_t t = 0; t < TYPES; t++)
        for (int nulls = 0; nulls < NULLS_COUNT; nulls++)
            for (int form = FORM_PLAIN; form <= FORM_BOTH; form++) {
                plans[n] = (struct column_plan){
                    .type = all_types[t],
                    .nulls = (enum nulls)nulls,
                    .form = (enum form)form,
                    .shape = (enum shape)((n + n / 5) % SHAPE_LONG),
                    .not_null = not_null,
                };
                n++;
            }
    return n;
}

#define EVERYTHING (TYPES * NULLS_COUNT * 3)

static void everything_in_every_codec(void **state)
{
    (void)state;
    static const char *const names[] = {"types_none", "types_snappy", "types_gzip", "types_zstd"};
    static const size_t rows[] = {600, 333};
    struct column_plan plans[EVERYTHING];
    size_t n = plan_everything(plans, false);
    for (int codec = PARQUET_NONE; codec <= PARQUET_ZSTD; codec++)
        write_file(
            &(struct file_plan){names[codec],
                                plans,
                                n,
                                rows,
                                2,
                                {.codec = (enum parquet_codec)codec, .page_rows = 100, .created_by = "flowforge test"},
                                1000 + (uint64_t)codec});
}

static void every_shape_of_every_type(void **state)
{
    (void)state;
    static const size_t rows[] = {1500};
    struct column_plan plans[TYPES * SHAPE_LONG];
    size_t n = 0;
    for (size_t t = 0; t < TYPES; t++)
        for (int shape = 0; shape < SHAPE_LONG; shape++, n++)
            plans[n] = (struct column_plan){.type = all_types[t],
                                            .nulls = n % 3 ? NULLS_RARE : NULLS_NONE,
                                            .form = n % 2 ? FORM_PLAIN : FORM_DICT,
                                            .shape = (enum shape)shape};
    write_file(&(struct file_plan){
        "shapes", plans, n, rows, 1, {.codec = PARQUET_SNAPPY, .page_rows = 110, .created_by = "flowforge test"}, 5});
}

static void many_row_groups(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 777, 3000, 8, 20, 64, 1};
    struct column_plan plans[TYPES];
    for (size_t t = 0; t < TYPES; t++)
        plans[t] =
            (struct column_plan){all_types[t], NULLS_SOME, FORM_BOTH, t % 2 ? SHAPE_FEW : SHAPE_RANDOM, false, 0};
    write_file(
        &(struct file_plan){"groups", plans, TYPES, rows, 7, {.codec = PARQUET_ZSTD, .level = 1, .page_rows = 500}, 6});
}

static void types_that_come_later(void **state)
{
    (void)state;
    static const size_t rows[] = {250, 250, 250};
    struct column_plan plans[2 * TYPES + 1];
    size_t n = 0;
    for (size_t t = 0; t < TYPES; t++)
        for (size_t untyped = 1; untyped <= 2; untyped++)
            plans[n++] = (struct column_plan){all_types[t], NULLS_SOME, FORM_BOTH, SHAPE_FEW, false, untyped};
    plans[n++] = (struct column_plan){{.kind = TYPE_STRING}, NULLS_ALL, FORM_PLAIN, SHAPE_FEW, false, 3};
    write_file(&(struct file_plan){"untyped", plans, n, rows, 3, {.codec = PARQUET_SNAPPY, .page_rows = 100}, 8});
}

/* A column without any value at all is TYPE_NULL to the end, and read as string. */
static void never_typed(void **state)
{
    (void)state;
    static const size_t rows[] = {30, 5};
    static const struct column_plan plans[] = {{{.kind = TYPE_NULL}, NULLS_ALL, FORM_PLAIN, SHAPE_FEW, false, 0},
                                               {{.kind = TYPE_INTEGER}, NULLS_NONE, FORM_PLAIN, SHAPE_FEW, false, 0}};
    write_file(&(struct file_plan){"never_typed", plans, 2, rows, 2, {.codec = PARQUET_GZIP}, 8});
}

static void columns_without_nulls(void **state)
{
    (void)state;
    static const size_t rows[] = {410, 90};
    struct column_plan plans[EVERYTHING];
    size_t n = plan_everything(plans, true);
    write_file(&(struct file_plan){"required", plans, n, rows, 2, {.codec = PARQUET_SNAPPY, .page_rows = 100}, 9});
}

static void one_row_and_none(void **state)
{
    (void)state;
    static const size_t rows[] = {1};
    struct column_plan plans[EVERYTHING];
    size_t n = plan_everything(plans, false);
    write_file(&(struct file_plan){"one_row", plans, n, rows, 1, {.codec = PARQUET_SNAPPY}, 10});
    write_file(&(struct file_plan){"no_row", plans, n, rows, 0, {.codec = PARQUET_SNAPPY}, 10});
}

static void long_strings(void **state)
{
    (void)state;
    static const size_t rows[] = {300, 200};
    struct column_plan plans[14];
    size_t n = 0;
    for (int form = FORM_PLAIN; form <= FORM_BOTH; form++)
        for (int nulls = 0; nulls < 2; nulls++) {
            plans[n++] =
                (struct column_plan){{.kind = TYPE_STRING}, (enum nulls)nulls, (enum form)form, SHAPE_LONG, false, 0};
            plans[n++] =
                (struct column_plan){{.kind = TYPE_BINARY}, (enum nulls)nulls, (enum form)form, SHAPE_LONG, false, 0};
        }
    for (int form = FORM_PLAIN; form <= FORM_DICT; form++)
        plans[n++] = (struct column_plan){{.kind = TYPE_STRING}, NULLS_NONE, (enum form)form, SHAPE_ENDS, false, 0};
    write_file(
        &(struct file_plan){"long_strings", plans, n, rows, 2, {.codec = PARQUET_SNAPPY, .page_bytes = 4096}, 11});
    write_file(&(struct file_plan){
        "long_strings_large_pages", plans, n, rows, 2, {.codec = PARQUET_ZSTD, .dict_bytes = 64 << 20}, 12});
}

static void decimals_of_every_precision(void **state)
{
    (void)state;
    static const size_t rows[] = {200, 300};
    struct column_plan plans[76];
    for (size_t i = 0; i < 76; i++) {
        uint8_t precision = (uint8_t)(i / 2 + 1);
        plans[i] = (struct column_plan){{TYPE_DECIMAL, precision, (uint8_t)(precision / 3)},
                                        i % 2 ? NULLS_SOME : NULLS_NONE,
                                        FORM_BOTH,
                                        i % 2 ? SHAPE_RANDOM : SHAPE_SPECIAL,
                                        false,
                                        0};
    }
    write_file(&(struct file_plan){"decimals", plans, 76, rows, 2, {.codec = PARQUET_SNAPPY, .page_rows = 64}, 13});
}

static void thousands_of_columns(void **state)
{
    (void)state;
    static const size_t rows[] = {3, 4};
    struct column_plan *plans = calloc(3000, sizeof *plans);
    assert_non_null(plans);
    for (size_t i = 0; i < 3000; i++)
        plans[i] = (struct column_plan){
            all_types[i % TYPES], (enum nulls)(i % NULLS_COUNT), (enum form)(i % 3), SHAPE_RANDOM, false, i % 7 == 0};
    write_file(&(struct file_plan){"wide", plans, 3000, rows, 2, {.codec = PARQUET_SNAPPY}, 14});
    free(plans);
}

/* Default pages and dictionaries made by the encoder, over more row groups than a verdict lasts. */
static void default_options(void **state)
{
    (void)state;
    static const size_t rows[] = {50000, 30000, 100, 100, 100, 100, 100, 100, 100, 100,
                                  100,   100,   100, 100, 100, 100, 100, 100, 5000};
    static const struct column_plan plans[] = {
        {{.kind = TYPE_BIGINT}, NULLS_NONE, FORM_PLAIN, SHAPE_SORTED, true, 0},
        {{.kind = TYPE_BIGINT}, NULLS_RUNS, FORM_PLAIN, SHAPE_FEW, false, 0},
        {{.kind = TYPE_DOUBLE}, NULLS_RARE, FORM_PLAIN, SHAPE_FEW, false, 0},
        {{.kind = TYPE_DOUBLE}, NULLS_NONE, FORM_PLAIN, SHAPE_RANDOM, false, 0},
        {{.kind = TYPE_STRING}, NULLS_SOME, FORM_PLAIN, SHAPE_FEW, false, 0},
        {{.kind = TYPE_STRING}, NULLS_NONE, FORM_PLAIN, SHAPE_SORTED, false, 0},
        {{.kind = TYPE_STRING}, NULLS_RARE, FORM_PLAIN, SHAPE_RANDOM, false, 0},
        {{.kind = TYPE_DATE}, NULLS_SOME, FORM_PLAIN, SHAPE_SORTED, false, 0},
        {{.kind = TYPE_BOOLEAN}, NULLS_SOME, FORM_PLAIN, SHAPE_RANDOM, false, 0},
    };
    write_file(&(struct file_plan){"defaults",
                                   plans,
                                   9,
                                   rows,
                                   sizeof rows / sizeof *rows,
                                   {.codec = PARQUET_SNAPPY, .created_by = "flowforge version 0.1.0 (build test)"},
                                   15});
}

static void broken_footers_are_refused(void **state)
{
    (void)state;
    struct error err;
    uint64_t rows = 7;
    size_t need = 0;
    /* FileMetaData { 3: num_rows = 1, 4: row_groups = [] } */
    uint8_t file[] = {0x36, 0x02, 0x19, 0x0C, 0x00, 5, 0, 0, 0, 'P', 'A', 'R', '1'};
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), ERR_BAD_DATA); /* 1 is not 0 */
    file[1] = 0;
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), OK);
    assert_int_equal(rows, 0);
    file[5] = 4;
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), ERR_BAD_DATA);
    file[5] = 6;
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), OK);
    assert_int_equal(need, 14);
    file[8] = 0xFF;
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), ERR_BAD_DATA);
    assert_int_equal(parquet_footer_rows(file, 3, &rows, &need, &err), ERR_BAD_DATA);
    file[12] = '2';
    assert_int_equal(parquet_footer_rows(file, sizeof file, &rows, &need, &err), ERR_BAD_DATA);
}

static int no_write_left;

static status failing_write(void *self, const uint8_t *bytes, size_t n, struct error *err)
{
    (void)self;
    (void)bytes;
    (void)n;
    return no_write_left-- ? OK : error_set(err, ERR_NO_SPACE, "full");
}

static const struct byte_sink_ops failing_ops = {.write = failing_write};

/* A schema that does not fit what was written is refused, and a sink's error comes through wherever it happens. */
static void misuse_and_full_disks_are_errors(void **state)
{
    (void)state;
    struct error err;
    struct parquet_options options = {.codec = PARQUET_NONE};
    struct schema schema = {0}, other = {0}, strict = {0};
    must(schema_add(&schema, STR("a"), (struct str){0}, (struct data_type){.kind = TYPE_INTEGER}, false, &err), &err);
    must(schema_add(&other, STR("a"), (struct str){0}, (struct data_type){.kind = TYPE_BIGINT}, false, &err), &err);
    must(schema_add(&strict, STR("a"), (struct str){0}, (struct data_type){.kind = TYPE_INTEGER}, true, &err), &err);
    struct batch batch = {0};
    must(batch_reset(&batch, &schema, &err), &err);
    struct parquet_encoder *encoder;
    struct parquet_row_group group = {0};
    must(parquet_encoder_create(&encoder, &options, &err), &err);
    assert_int_equal(parquet_encode(encoder, &batch, &group, &err), ERR_INTERNAL);
    must(column_append_null(&batch.columns[0], &err), &err);
    batch.rows = 1;
    batch.schema = &strict;
    assert_int_equal(parquet_encode(encoder, &batch, &group, &err), ERR_INTERNAL);
    batch.schema = &schema;
    must(parquet_encode(encoder, &batch, &group, &err), &err);
    for (no_write_left = 0;;) {
        int budget = no_write_left;
        struct byte_sink sink = {&failing_ops, NULL};
        struct parquet_writer *writer = NULL;
        status s = parquet_writer_create(&writer, &sink, &options, &err);
        if (s == OK)
            s = parquet_writer_add(writer, &group, &err);
        if (s == OK && budget == 100) {
            assert_int_equal(parquet_writer_finish(writer, &other, &err), ERR_INTERNAL);
            assert_int_equal(parquet_writer_finish(writer, &strict, &err), ERR_INTERNAL);
        }
        if (s == OK)
            s = parquet_writer_finish(writer, &schema, &err);
        parquet_writer_free(writer);
        assert_int_equal(s, budget < 6 ? ERR_NO_SPACE : OK); /* magic, row group, two indexes, footer, its length */
        if (budget == 100)
            break;
        no_write_left = budget < 8 ? budget + 1 : 100;
    }
    parquet_row_group_release(&group);
    parquet_encoder_free(encoder);
    batch_release(&batch);
    schema_release(&schema);
    schema_release(&other);
    schema_release(&strict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_every_codec),
        cmocka_unit_test(every_shape_of_every_type),
        cmocka_unit_test(many_row_groups),
        cmocka_unit_test(types_that_come_later),
        cmocka_unit_test(never_typed),
        cmocka_unit_test(columns_without_nulls),
        cmocka_unit_test(one_row_and_none),
        cmocka_unit_test(long_strings),
        cmocka_unit_test(decimals_of_every_precision),
        cmocka_unit_test(thousands_of_columns),
        cmocka_unit_test(default_options),
        cmocka_unit_test(broken_footers_are_refused),
        cmocka_unit_test(misuse_and_full_disks_are_errors),
    };
    char temporary[] = P_tmpdir "/parquet-files-XXXXXX";
    output_directory = getenv("FLOWFORGE_TEST_OUT");
    bool own = output_directory == NULL;
    if (own && !mkdtemp(temporary))
        return 1;
    if (own)
        output_directory = temporary;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (own)
        rmdir(temporary);
    return failed;
}
