/* parquet_dump [--memory BYTES] [--threads N] [--batch-rows N] [--count] FILE...
 *
 * Reads Parquet files as FlowForge does and prints what it got, without any of FlowForge's own text conversion: a JSON
 * line {"columns": [[name, type]...], "rows": N}, then a JSON array a row, then {"batches": [rows...]}. Integers of up
 * to 64 bits as numbers, wider ones as decimal strings, floats as C99 hexadecimal strings, all else as hex digits.
 * --count prints no rows. Errors: {"error": slug, "message": ..., "hint": ...} and exit code 1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/parquet_source.h"

static void print_hex(const void *bytes, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
    putchar('"');
}

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    putchar('"');
}

static void print_i128(__int128 value)
{
    char digits[48], *at = digits + sizeof digits;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    *--at = '\0';
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    printf("\"%s%s\"", value < 0 ? "-" : "", at);
}

static void print_cell(const struct column *c, size_t row)
{
    union {
        uint8_t b;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        __int128 i128;
        uint8_t bytes[16];
    } v = {0};
    if (column_is_null(c, row)) {
        printf("null");
        return;
    }
    if (!type_is_var(c->type))
        memcpy(&v, column_value(c, row), type_width(c->type));
    switch (type_layout(c->type)) {
    case LAYOUT_BOOL:
        printf("%s", v.b == 1 ? "true" : v.b == 0 ? "false" : "\"neither 0 nor 1\"");
        break;
    case LAYOUT_I32:
        printf("%" PRId32, v.i32);
        break;
    case LAYOUT_I64:
        printf("%" PRId64, v.i64);
        break;
    case LAYOUT_F32:
        printf("\"%a\"", (double)v.f32);
        break;
    case LAYOUT_F64:
        printf("\"%a\"", v.f64);
        break;
    case LAYOUT_I128:
        print_i128(v.i128);
        break;
    case LAYOUT_BYTES16:
        print_hex(v.bytes, sizeof v.bytes);
        break;
    case LAYOUT_VAR: {
        struct str text = column_str(c, row);
        print_hex(text.p, text.n);
        break;
    }
    case LAYOUT_NONE:
        printf("null");
    }
}

/* The contract of column.h that readers of columns rely on. */
static const char *column_fault(const struct column *c, size_t rows)
{
    static const uint8_t zeros[16];
    size_t nulls = 0;
    if (c->length != rows)
        return "length";
    if (type_is_var(c->type) && c->offsets.len != (rows + 1) * sizeof(uint32_t))
        return "offsets";
    if (!type_is_var(c->type) && c->data.len != rows * type_width(c->type))
        return "data";
    if (c->null_count && c->validity.len < (rows + 7) / 8)
        return "validity";
    for (size_t row = 0; row < rows; row++) {
        if (!column_is_null(c, row))
            continue;
        nulls++;
        if (type_is_var(c->type) ? column_str(c, row).n != 0
                                 : memcmp(column_value(c, row), zeros, type_width(c->type)) != 0)
            return "slot of a null";
    }
    return nulls == c->null_count ? NULL : "null_count";
}

static void print_rows(const struct batch *b)
{
    for (size_t row = 0; row < b->rows; row++) {
        for (size_t i = 0; i < b->column_count; i++) {
            putchar(i == 0 ? '[' : ',');
            print_cell(&b->columns[i], row);
        }
        printf("]\n");
    }
}

static void print_head(const struct schema *schema, uint64_t rows)
{
    char name[TYPE_NAME_MAX];
    printf("{\"columns\": [");
    for (size_t i = 0; i < schema->count; i++) {
        printf(i == 0 ? "[" : ", [");
        print_text(schema->fields[i].name);
        printf(", \"%s\"]", type_name(schema->fields[i].type, name));
    }
    printf("], \"rows\": %" PRIu64 "}\n", rows);
}

static status dump(const struct parquet_source_options *options, bool count_only, struct error *err)
{
    struct batch_stream stream = {0};
    struct batch batch = {0};
    struct buf sizes = {0};
    uint64_t rows = 0;
    status s = parquet_source_open(&stream, options, &rows, err);
    if (s == OK)
        print_head(stream.ops->schema(stream.self), rows);
    while (s == OK) {
        s = stream.ops->next(stream.self, &batch, err);
        if (s != OK || batch.rows == 0)
            break;
        for (size_t i = 0; s == OK && i < batch.column_count; i++) {
            const char *fault = column_fault(&batch.columns[i], batch.rows);
            if (fault)
                s = error_set(err, ERR_INTERNAL, "column %zu breaks the contract: %s", i, fault);
        }
        if (s == OK && !count_only)
            print_rows(&batch);
        if (s == OK)
            s = buf_printf(&sizes, err, "%s%zu", sizes.len ? ", " : "", batch.rows);
    }
    if (s == OK)
        printf("{\"batches\": [%.*s]}\n", (int)sizes.len, sizes.len ? (const char *)sizes.data : "");
    buf_release(&sizes);
    batch_release(&batch);
    batch_stream_release(&stream);
    return s;
}

int main(int argc, char **argv)
{
    struct parquet_source_options options = {.memory = (size_t)256 << 20, .threads = 2};
    bool count_only = false;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--count") == 0) {
            count_only = true;
            continue;
        }
        if (at + 1 >= argc)
            return 2;
        size_t number = (size_t)strtoull(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--memory") == 0)
            options.memory = number;
        else if (strcmp(argv[at], "--threads") == 0)
            options.threads = (unsigned)number;
        else if (strcmp(argv[at], "--batch-rows") == 0)
            options.batch_rows = number;
        else
            return 2;
        at++;
    }
    options.paths = (const char *const *)argv + at;
    options.path_count = (size_t)(argc - at);
    struct error err = {0};
    status s = dump(&options, count_only, &err);
    if (s != OK) {
        printf("{\"error\": \"%s\", \"message\": ", status_slug(s));
        print_text(err.message);
        printf(", \"hint\": ");
        print_text(err.hint);
        printf("}\n");
    }
    return s == OK ? 0 : 1;
}
