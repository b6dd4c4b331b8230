#include "app/input_options.h"

#include <stdlib.h>

#include "format/csv/csv_dialect.h"

const char *const input_format_names[] = {"auto", "csv", "ndjson", "json", "parquet", NULL};

static status one_byte_or_none(const char *name, const char *value, const char **out, struct error *err)
{
    if (!value || strlen(value) <= 1) {
        *out = value;
        return OK;
    }
    if (strcmp(value, "none") == 0) {
        *out = "";
        return OK;
    }
    return error_set(err, ERR_USAGE, "--%s %s: one character of one byte is wanted, or none", name, value);
}

/* Shells make real control characters awkward to type. */
static status unescape_delimiter(const char *value, char *out, size_t cap, struct error *err)
{
    size_t n = 0;
    for (const char *p = value; *p && n + 1 < cap; p++) {
        char c = *p;
        if (c == '\\' && p[1] == 't') {
            c = '\t';
            p++;
        } else if (c == '\\' && p[1] == '\\') {
            p++;
        } else if (c == '\\' && p[1] == 'x' && p[2] && p[3]) {
            char hex[3] = {p[2], p[3], 0};
            c = (char)strtoul(hex, NULL, 16);
            p += 3;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    if (n == 0 || n > CSV_DELIMITER_MAX || strpbrk(out, "\r\n\""))
        return error_set(err, ERR_USAGE, "--delimiter: 1 to %d bytes without line ends and quotes are wanted",
                         CSV_DELIMITER_MAX);
    return OK;
}

static status parse_renames(const struct text_list *list, struct input_work *work, struct convert_options *options,
                            struct error *err)
{
    work->renames = calloc(list->count + 1, sizeof *work->renames);
    if (!work->renames)
        return error_no_memory(err, list->count * sizeof *work->renames);
    for (size_t i = 0; i < list->count; i++) {
        struct str pair = list->items[i];
        const char *equals = memchr(pair.p, '=', pair.n);
        if (!equals || equals == pair.p || equals + 1 == pair.p + pair.n)
            return error_set(err, ERR_USAGE, "--rename %.*s: FROM=TO is wanted, both not empty", (int)pair.n, pair.p);
        work->renames[i] = (struct rename_pair){
            .from = {pair.p, (size_t)(equals - pair.p)},
            .to = {equals + 1, (size_t)(pair.p + pair.n - equals - 1)},
        };
    }
    options->renames = work->renames;
    options->rename_count = list->count;
    return OK;
}

status input_settings_apply(const struct input_settings *in, struct input_work *work, struct convert_options *options,
                            struct error *err)
{
    struct sniff_given *given = &options->dialect;
    *given = (struct sniff_given){.header = -1, .skip_lines = -1};
    status s = one_byte_or_none("quote", in->quote, &given->quote, err);
    if (s == OK)
        s = one_byte_or_none("escape", in->escape, &given->escape, err);
    if (s == OK)
        s = one_byte_or_none("comment", in->comment, &given->comment, err);
    if (s == OK && in->delimiter) {
        s = unescape_delimiter(in->delimiter, work->delimiter, sizeof work->delimiter, err);
        given->delimiter = work->delimiter;
    }
    if (s == OK && in->header && in->no_header)
        s = error_set(err, ERR_USAGE, "--header and --no-header contradict each other");
    if (s != OK)
        return s;
    given->header = in->header ? 1 : in->no_header ? 0 : -1;
    uint64_t lines;
    if (in->header && !in->skip_lines)
        given->skip_lines = 0; /* the header was said to be there: nothing before it is guessed away */
    if (in->skip_lines) {
        if (!str_parse_u64(str_of(in->skip_lines), 1000000, &lines))
            return error_set(err, ERR_USAGE, "--skip-lines %s: not a whole number from 0 to 1,000,000", in->skip_lines);
        given->skip_lines = (int64_t)lines;
    }
    if (in->max_record < 1024 || in->max_record > (1u << 30))
        return error_set(err, ERR_USAGE, "--max-record: 1K to 1G are possible");
    if (in->schema_path && in->all_text)
        return error_set(err, ERR_USAGE, "--schema and --all-text contradict each other");
    options->from = (enum file_format)in->from;
    options->encoding = in->encoding;
    options->all_text = in->all_text;
    options->null_values = in->null_values.items;
    options->null_value_count = in->null_values.count;
    options->max_record = in->max_record;
    options->max_ratio = (uint32_t)(in->max_ratio > UINT32_MAX ? UINT32_MAX : in->max_ratio);
    s = parse_renames(&in->renames, work, options, err);
    if (s == OK && in->schema_path) {
        s = user_schema_load(&work->schema, in->schema_path, err);
        options->schema = work->schema.columns;
        options->schema_count = work->schema.count;
    }
    return s;
}

void input_settings_release(struct input_settings *settings, struct input_work *work)
{
    text_list_release(&settings->renames);
    text_list_release(&settings->null_values);
    free(work->renames);
    user_schema_release(&work->schema);
}
