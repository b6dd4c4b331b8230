/* What the sniffer says about files: one line of JSON each. A test program, built by test_sniff_vs_duckdb.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "format/sniff/sniff.h"
#include "format/text/transcode.h"

#define HEAD_BYTES (256u << 10)

static void print_text(const char *name, const char *text, size_t n)
{
    printf("\"%s\": \"", name);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
            printf("\\u%04x", (unsigned char)text[i]);
        else
            putchar(text[i]);
    printf("\", ");
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The head as UTF-8; what follows a broken character is left out. */
static status decode(const uint8_t *head, size_t n, struct sniff_encoding encoding, struct buf *text, struct error *err)
{
    if (strcmp(encoding.name, "UTF-8") == 0)
        return buf_append(text, head + encoding.bom_bytes, n - encoding.bom_bytes, err);
    struct byte_source from = {0}, source = {0};
    status s = byte_source_memory(&from, head + encoding.bom_bytes, n - encoding.bom_bytes, err);
    if (s != OK)
        return s;
    s = byte_source_transcode(&source, &from, encoding.name, encoding.bom_bytes, err);
    while (s == OK) {
        size_t got = 0;
        s = buf_reserve(text, 4096, err);
        if (s == OK && byte_source_read(&source, text->data + text->len, 4096, &got, err) != OK)
            got = 0;
        text->len += got;
        if (got == 0)
            break;
    }
    byte_source_close(&source);
    return s;
}

static int sniff_file(const char *path)
{
    static uint8_t head[HEAD_BYTES + 1];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 1;
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    bool at_end = n <= HEAD_BYTES;
    if (!at_end)
        n = HEAD_BYTES;

    struct error err;
    struct buf text = {0};
    double begin = milliseconds();
    struct sniff_encoding encoding = sniff_encoding(head, n, at_end);
    double encoding_ms = milliseconds() - begin;
    if (decode(head, n, encoding, &text, &err) != OK)
        return 1;
    struct sniff_given given = {.header = -1, .skip_lines = -1};
    struct sniff_text r;
    begin = milliseconds();
    if (sniff_text(text.data, text.len, at_end, &given, &r, &err) != OK)
        return 1;
    double text_ms = milliseconds() - begin;

    static const char *const formats[] = {"csv", "ndjson", "json", "parquet"};
    static const char *const newlines[] = {"lf", "crlf", "cr", "mixed", "none"};
    printf("{");
    print_text("encoding", encoding.name, strlen(encoding.name));
    print_text("format", formats[r.format], strlen(formats[r.format]));
    print_text("delimiter", r.dialect.delimiter, strlen(r.dialect.delimiter));
    print_text("quote", &r.dialect.quote, r.dialect.quote != 0);
    print_text("escape", &r.dialect.escape, r.dialect.escape != 0);
    print_text("comment", &r.dialect.comment, r.dialect.comment != 0);
    print_text("newline", newlines[r.newline], strlen(newlines[r.newline]));
    print_text("reason", r.reason, strlen(r.reason));
    printf("\"bom\": %zu, \"encoding_sure\": %.4f, \"header\": %s, \"header_lines\": %u, \"skip_lines\": %llu, "
           "\"columns\": %u, \"footer_lines\": %llu, \"sure\": %.4f, \"encoding_ms\": %.3f, \"text_ms\": %.3f}\n",
           encoding.bom_bytes, encoding.sure, r.dialect.header ? "true" : "false", r.dialect.header_lines,
           (unsigned long long)r.dialect.skip_lines, r.columns, (unsigned long long)r.footer_lines, r.sure, encoding_ms,
           text_ms);
    buf_release(&text);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (sniff_file(argv[i]) != 0)
            return 1;
    return 0;
}
