#include <stdio.h>
#include <stdlib.h>

#include "app/command.h"
#include "app/input_options.h"
#include "batch/value_text.h"
#include "job/preview.h"
#include "sys/file.h"

#define CELL_WIDTH 28 /* most characters of a cell that are shown */
#define COLUMNS_SHOWN 12

struct preview_settings {
    struct input_settings input;
    uint64_t rows;
    bool json, help;
};

#define AT(field) offsetof(struct preview_settings, field)

static const struct option table[] = {
    INPUT_OPTIONS(struct preview_settings, input),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Showing:"},
    {"rows", 'n', OPTION_COUNT, AT(rows), "N", NULL, "rows to show (default 10)"},
    {"json", 0, OPTION_FLAG, AT(json), NULL, NULL, "print everything as JSON"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, NULL, "show this text"},
};

static void print_help(void)
{
    puts("Usage: flowforge preview [OPTION]... INPUT\n\n"
         "Show how a file would be read: compression, encoding, dialect with how sure the guess is, schema, first rows,\n"
         "and bad rows with their code. Only the head is looked at, so it answers at once on a file of any size; types\n"
         "are those of the head and may widen in a whole run.\n\n"
         "Examples:\n"
         "  flowforge preview export.csv\n"
         "  flowforge preview --delimiter ';' --skip-lines 3 --json export.csv.gz");
    options_print(table, ARRAY_LENGTH(table));
}

/* Characters that a text takes on the terminal, roughly: code points. */
static int text_width(struct str s)
{
    int width = 0;
    for (size_t i = 0; i < s.n; i++)
        width += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return width;
}

static void print_cell(struct str s, int width)
{
    int shown = 0, total = text_width(s), most = total > width ? width - 3 : width;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c & 0xC0) != 0x80 && ++shown > most)
            break;
        putchar(c < 0x20 || c == 0x7F ? ' ' : c);
    }
    if (total > width) {
        fputs("...", stdout);
        return;
    }
    printf("%*s", width - total, "");
}

static const char *shown_char(char c, char text[2])
{
    text[0] = c;
    text[1] = 0;
    return c ? text : "none";
}

static void print_text_facts(const struct preview *p)
{
    static const char *const newlines[] = {
        [NEWLINE_LF] = "LF", [NEWLINE_CRLF] = "CR LF", [NEWLINE_CR] = "CR",
        [NEWLINE_MIXED] = "mixed", [NEWLINE_NONE] = "none",
    };
    static const char *const compressions[] = {[SNIFF_PLAIN] = "none", [SNIFF_GZIP] = "gzip", [SNIFF_ZSTD] = "zstd"};
    const struct sniff_text *t = &p->input.text;
    char one[2];
    printf("compression  %s\n", compressions[p->input.compression]);
    printf("encoding     %s (%.0f%% sure)\n", p->input.encoding, p->encoding_sure * 100);
    if (p->input.format != FORMAT_CSV)
        return;
    printf("delimiter    ");
    for (const char *c = t->dialect.delimiter; *c; c++)
        printf(*c == '\t' ? "tab" : (unsigned char)*c < 0x20 ? "\\x%02x" : "%c", (unsigned char)*c);
    printf("%s\n", t->dialect.delimiter[0] == ' ' ? " (space)" : "");
    printf("quote        %s\n", shown_char(t->dialect.quote, one));
    printf("escape       %s\n", t->dialect.escape && t->dialect.escape == t->dialect.quote ? "doubled quote"
                                                                                       : shown_char(t->dialect.escape, one));
    printf("line end     %s\n", newlines[t->newline]);
    if (t->dialect.header)
        printf("header       %u line%s\n", t->dialect.header_lines, t->dialect.header_lines == 1 ? "" : "s");
    else
        printf("header       none\n");
    printf("skipped      %llu preamble lines\n", (unsigned long long)t->dialect.skip_lines);
    if (t->footer_lines)
        printf("footer       %llu lines look like no records\n", (unsigned long long)t->footer_lines);
    if (t->dialect.comment)
        printf("comments     lines that start with %c\n", t->dialect.comment);
    printf("sure         %.0f%%: %s\n", t->sure * 100, t->reason);
}

static status print_table(const struct preview *p, struct error *err)
{
    size_t columns = p->rows.column_count < COLUMNS_SHOWN ? p->rows.column_count : COLUMNS_SHOWN;
    int widths[COLUMNS_SHOWN];
    struct buf text = {0};
    status s = OK;
    for (size_t i = 0; i < columns; i++) {
        widths[i] = text_width(str_of(p->schema.fields[i].name));
        for (size_t row = 0; s == OK && row < p->rows.rows; row++) {
            buf_clear(&text);
            if (!column_is_null(&p->rows.columns[i], row))
                s = value_text_append(&p->rows.columns[i], row, &text, err);
            int w = text_width(buf_str(&text));
            widths[i] = w > widths[i] ? w : widths[i];
        }
        widths[i] = widths[i] > CELL_WIDTH ? CELL_WIDTH : widths[i] < 4 ? 4 : widths[i];
    }
    for (size_t i = 0; i < columns; i++) {
        print_cell(str_of(p->schema.fields[i].name), widths[i]);
        fputs(i + 1 < columns ? " | " : "\n", stdout);
    }
    for (size_t row = 0; s == OK && row < p->rows.rows; row++)
        for (size_t i = 0; s == OK && i < columns; i++) {
            buf_clear(&text);
            if (column_is_null(&p->rows.columns[i], row))
                s = buf_append_str(&text, STR("-"), err);
            else
                s = value_text_append(&p->rows.columns[i], row, &text, err);
            print_cell(buf_str(&text), widths[i]);
            fputs(i + 1 < columns ? " | " : "\n", stdout);
        }
    if (columns < p->rows.column_count)
        printf("(and %zu more columns)\n", p->rows.column_count - columns);
    buf_release(&text);
    return s;
}

static status print_preview(const struct preview *p, struct error *err)
{
    char name[TYPE_NAME_MAX];
    printf("%s\n\nformat       %s\n", p->input.path, file_format_name(p->input.format));
    if (p->input.format != FORMAT_PARQUET)
        print_text_facts(p);
    printf("\n%zu columns (types of the %s)\n", p->schema.count, p->whole ? "whole input" : "head; a run may widen them");
    for (size_t i = 0; i < p->schema.count; i++) {
        const struct field *f = &p->schema.fields[i];
        printf("  %-14s %s", type_name(f->type, name), f->name);
        printf(strcmp(f->name, f->source_name) ? "  (from %s)\n" : "\n", f->source_name);
    }
    printf("\n");
    status s = print_table(p, err);
    if (p->rejects.count)
        printf("\n%zu bad rows among the first %llu:\n", p->rejects.count, (unsigned long long)p->records);
    for (size_t i = 0; i < p->rejects.count && i < 20; i++) {
        const struct reject *r = &p->rejects.items[i];
        struct str message = reject_message(&p->rejects, r);
        printf("  line %llu, record %llu, byte %llu: %s: ", (unsigned long long)r->line, (unsigned long long)r->record,
               (unsigned long long)r->byte_offset, reject_code_name(r->code));
        print_cell(message, text_width(message));
        printf("\n");
    }
    for (size_t i = 0; i < p->warning_count; i++)
        printf("warning: %s\n", p->warnings[i]);
    return s;
}

static status preview(const struct preview_settings *settings, const char *path, struct input_work *work,
                      struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    struct convert_options options = {
        .inputs = &path, .input_count = 1, .threads = 1, .memory = 256u << 20, .temp_dir = tmp && tmp[0] ? tmp : "/tmp"};
    struct preview p = {0};
    status s = input_settings_apply(&settings->input, work, &options, err);
    if (s == OK)
        s = preview_make(&p, &options, settings->rows, err);
    if (s == OK && settings->json) {
        struct buf json = {0};
        s = preview_json(&p, &json, err);
        if (s == OK)
            s = file_write_all(1, json.data, json.len, "standard output", err);
        buf_release(&json);
    } else if (s == OK) {
        s = print_preview(&p, err);
    }
    preview_release(&p);
    return s;
}

int command_preview(const struct app *app, int argc, char **argv)
{
    struct error err = {0};
    struct text_list operands = {0};
    struct input_work work = {0};
    struct preview_settings settings = {.input = INPUT_DEFAULTS, .rows = 10};
    (void)app;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    int code = 0;
    if (s == OK && settings.help) {
        print_help();
    } else {
        if (s == OK && operands.count != 1)
            s = error_set(&err, ERR_USAGE, "one input is needed: flowforge preview INPUT");
        if (s == OK)
            s = preview(&settings, operands.items[0].p, &work, &err);
        if (s != OK)
            code = command_failed(&err);
    }
    input_settings_release(&settings.input, &work);
    text_list_release(&operands);
    return code;
}
