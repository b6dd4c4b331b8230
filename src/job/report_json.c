#include "job/report_json.h"

json_t *report_text(const char *s)
{
    return json_stringn_nocheck(s, strlen(s));
}

/* Bytes that may not be UTF-8 are shown with replacement characters. */
json_t *report_safe_text(struct str s)
{
    if (str_is_utf8(s))
        return json_stringn_nocheck(s.p, s.n);
    struct buf b = {0};
    json_t *json = NULL;
    for (size_t i = 0; i < s.n; i++) {
        bool ascii = (unsigned char)s.p[i] < 0x80;
        if (buf_append(&b, ascii ? s.p + i : "\xEF\xBF\xBD", ascii ? 1 : 3, NULL) != OK)
            goto out;
    }
    json = json_stringn_nocheck((const char *)b.data, b.len);
out:
    buf_release(&b);
    return json;
}

json_t *report_number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* jansson frees a value that it cannot take over; one check of the whole document follows at the end. */
void report_put(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

json_t *report_reject(const struct reject_list *list, size_t at, const char *input, const struct schema *schema)
{
    const struct reject *one = &list->items[at];
    json_t *item = json_object();
    bool has_column = one->column != REJECT_NO_COLUMN && one->column < schema->count;
    struct str raw = reject_raw(list, one);
    raw.n = str_utf8_prefix(raw, 1000);
    report_put(item, "input", report_safe_text(str_of(input)));
    report_put(item, "record", report_number(one->record));
    report_put(item, "line", report_number(one->line));
    report_put(item, "byte_offset", report_number(one->byte_offset));
    report_put(item, "byte_length", report_number(one->byte_length));
    report_put(item, "column", has_column ? report_text(schema->fields[one->column].name) : json_null());
    report_put(item, "code", report_text(reject_code_name(one->code)));
    report_put(item, "message", report_safe_text(reject_message(list, one)));
    report_put(item, "raw", report_safe_text(raw));
    return item;
}

json_t *report_schema(const struct schema *schema)
{
    json_t *list = json_array();
    char name[TYPE_NAME_MAX];
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *f = &schema->fields[i];
        json_t *item = json_object();
        report_put(item, "name", report_text(f->name));
        report_put(item, "source_name", report_safe_text(str_of(f->source_name)));
        report_put(item, "type", report_text(type_name(f->type, name)));
        report_put(item, "nullable", json_boolean(!f->not_null));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *character(char c)
{
    return c ? report_safe_text((struct str){&c, 1}) : json_null();
}

static json_t *dialect_json(const struct sniff_text *t)
{
    static const char *const newlines[] = {
        [NEWLINE_LF] = "LF",       [NEWLINE_CRLF] = "CRLF", [NEWLINE_CR] = "CR",
        [NEWLINE_MIXED] = "mixed", [NEWLINE_NONE] = "none",
    };
    json_t *d = json_object();
    report_put(d, "delimiter", report_safe_text(str_of(t->dialect.delimiter)));
    report_put(d, "quote", character(t->dialect.quote));
    report_put(d, "escape", character(t->dialect.escape));
    report_put(d, "header", json_boolean(t->dialect.header));
    report_put(d, "header_lines", report_number(t->dialect.header ? t->dialect.header_lines : 0));
    report_put(d, "skip_lines", report_number(t->dialect.skip_lines));
    report_put(d, "comment", character(t->dialect.comment));
    report_put(d, "newline", report_text(newlines[t->newline]));
    report_put(d, "columns", report_number(t->columns));
    report_put(d, "footer_lines", report_number(t->footer_lines));
    report_put(d, "sure", json_real(t->sure));
    report_put(d, "reason", report_safe_text(str_of(t->reason)));
    return d;
}

json_t *report_input(const struct convert_input *in)
{
    static const char *const compressions[] = {[SNIFF_PLAIN] = "none", [SNIFF_GZIP] = "gzip", [SNIFF_ZSTD] = "zstd"};
    json_t *item = json_object(), *dropped = json_array();
    report_put(item, "path", report_safe_text(str_of(in->path)));
    report_put(item, "format", report_text(file_format_name(in->format)));
    report_put(item, "rows", report_number(in->records));
    for (size_t k = 0; k < in->dropped_count; k++)
        json_array_append_new(dropped, report_text(in->dropped[k]));
    report_put(item, "dropped_columns", dropped);
    if (in->format != FORMAT_PARQUET) {
        report_put(item, "compression", report_text(compressions[in->compression]));
        report_put(item, "encoding", report_text(in->encoding));
    }
    if (in->format == FORMAT_CSV)
        report_put(item, "dialect", dialect_json(&in->text));
    return item;
}

json_t *report_error(const struct error *failure)
{
    json_t *e = json_object();
    report_put(e, "code", report_text(status_slug(failure->code)));
    report_put(e, "message", report_safe_text(str_of(failure->message)));
    report_put(e, "hint", report_safe_text(str_of(failure->hint)));
    return e;
}
