#include "job/convert_report.h"

#include <jansson.h>

static json_t *text(const char *s)
{
    return json_stringn_nocheck(s, strlen(s));
}

/* Bytes that may not be UTF-8 are shown with replacement characters. */
static json_t *safe_text(struct str s)
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

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* jansson frees a value that it cannot take over; one check of the whole document follows at the end. */
static void put(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static json_t *rows_json(const struct convert_result *r)
{
    json_t *rows = json_object();
    put(rows, "read", number(r->rows_read));
    put(rows, "written", number(r->rows_written));
    put(rows, "rejected", number(r->rows_rejected));
    put(rows, "deduped", number(r->rows_deduped));
    put(rows, "filtered", number(r->rows_filtered));
    return rows;
}

static json_t *rejects_json(const struct convert_options *options, const struct convert_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->first_rejects.count; i++) {
        const struct reject *one = &r->first_rejects.items[i];
        json_t *item = json_object();
        put(item, "input", text(options->inputs[r->reject_inputs[i]]));
        put(item, "record", number(one->record));
        put(item, "line", number(one->line));
        put(item, "byte_offset", number(one->byte_offset));
        put(item, "byte_length", number(one->byte_length));
        bool has_column = one->column != REJECT_NO_COLUMN && one->column < r->schema.count;
        put(item, "column", has_column ? text(r->schema.fields[one->column].name) : json_null());
        put(item, "code", text(reject_code_name(one->code)));
        put(item, "message", safe_text(reject_message(&r->first_rejects, one)));
        struct str raw = reject_raw(&r->first_rejects, one);
        raw.n = str_utf8_prefix(raw, 1000);
        put(item, "raw", safe_text(raw));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *codes_json(const struct convert_result *r)
{
    json_t *codes = json_object();
    for (int code = 1; code < REJECT_CODE_COUNT; code++)
        if (r->rejects_by_code[code])
            put(codes, reject_code_name((enum reject_code)code), number(r->rejects_by_code[code]));
    return codes;
}

static json_t *schema_json(const struct schema *schema)
{
    json_t *list = json_array();
    char name[TYPE_NAME_MAX];
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *f = &schema->fields[i];
        json_t *item = json_object();
        put(item, "name", text(f->name));
        put(item, "source_name", safe_text(str_of(f->source_name)));
        put(item, "type", text(type_name(f->type, name)));
        put(item, "nullable", json_boolean(!f->not_null));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *character(char c)
{
    return c ? json_stringn_nocheck(&c, 1) : json_null();
}

static json_t *dialect_json(const struct sniff_text *t)
{
    static const char *const newlines[] = {
        [NEWLINE_LF] = "LF", [NEWLINE_CRLF] = "CRLF", [NEWLINE_CR] = "CR",
        [NEWLINE_MIXED] = "mixed", [NEWLINE_NONE] = "none",
    };
    json_t *d = json_object();
    put(d, "delimiter", text(t->dialect.delimiter));
    put(d, "quote", character(t->dialect.quote));
    put(d, "escape", character(t->dialect.escape));
    put(d, "header", json_boolean(t->dialect.header));
    put(d, "header_lines", number(t->dialect.header ? t->dialect.header_lines : 0));
    put(d, "skip_lines", number(t->dialect.skip_lines));
    put(d, "comment", character(t->dialect.comment));
    put(d, "newline", text(newlines[t->newline]));
    put(d, "columns", number(t->columns));
    put(d, "footer_lines", number(t->footer_lines));
    put(d, "sure", json_real(t->sure));
    put(d, "reason", safe_text(str_of(t->reason)));
    return d;
}

static json_t *inputs_json(const struct convert_result *r)
{
    static const char *const compressions[] = {[SNIFF_PLAIN] = "none", [SNIFF_GZIP] = "gzip", [SNIFF_ZSTD] = "zstd"};
    json_t *list = json_array();
    for (size_t i = 0; i < r->input_count; i++) {
        const struct convert_input *in = &r->inputs[i];
        json_t *item = json_object(), *dropped = json_array();
        put(item, "path", safe_text(str_of(in->path)));
        put(item, "format", text(file_format_name(in->format)));
        put(item, "rows", number(in->records));
        for (size_t k = 0; k < in->dropped_count; k++)
            json_array_append_new(dropped, text(in->dropped[k]));
        put(item, "dropped_columns", dropped);
        if (in->format != FORMAT_PARQUET) {
            put(item, "compression", text(compressions[in->compression]));
            put(item, "encoding", text(in->encoding));
        }
        if (in->format == FORMAT_CSV)
            put(item, "dialect", dialect_json(&in->text));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *files_json(const struct convert_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->file_count; i++) {
        json_t *item = json_object();
        put(item, "path", safe_text(str_of(r->files[i].path)));
        put(item, "rows", number(r->files[i].rows));
        put(item, "bytes", number(r->files[i].bytes));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *stages_json(const struct convert_result *r)
{
    json_t *list = json_array();
    for (int i = 0; i < STAGE_COUNT; i++) {
        json_t *item = json_object();
        put(item, "name", text(convert_stage_names[i]));
        put(item, "seconds", json_real(r->stage_seconds[i]));
        put(item, "bytes", number(r->stage_bytes[i]));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *error_json(const struct error *failure)
{
    json_t *e = json_object();
    put(e, "code", text(status_slug(failure->code)));
    put(e, "message", safe_text(str_of(failure->message)));
    put(e, "hint", safe_text(str_of(failure->hint)));
    return e;
}

status convert_report_write(const struct convert_options *options, const struct convert_result *r,
                            const struct error *failure, struct buf *json, struct error *err)
{
    json_t *root = json_object(), *warnings = json_array();
    put(root, "status", text(failure ? "failed" : r->rows_rejected ? "completed_with_rejects" : "completed"));
    if (failure)
        put(root, "error", error_json(failure));
    put(root, "run_id", json_stringn_nocheck(options->run_id.p, options->run_id.n));
    put(root, "dry_run", json_boolean(options->dry_run));
    put(root, "seconds", json_real(r->seconds));
    put(root, "passes", number(r->passes));
    put(root, "bytes_in", number(r->bytes_in));
    put(root, "bytes_out", number(r->bytes_out));
    put(root, "rows", rows_json(r));
    put(root, "rejects_by_code", codes_json(r));
    put(root, "rejects", rejects_json(options, r));
    put(root, "schema", schema_json(&r->schema));
    put(root, "inputs", inputs_json(r));
    put(root, "files", failure ? json_array() : files_json(r));
    put(root, "quarantine", r->quarantine_path ? safe_text(str_of(r->quarantine_path)) : json_null());
    for (size_t i = 0; i < r->warning_count; i++)
        json_array_append_new(warnings, safe_text(str_of(r->warnings[i])));
    put(root, "warnings", warnings);
    put(root, "stages", stages_json(r));
    char *dump = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!dump)
        return error_no_memory(err, 0);
    status s = buf_append_str(json, str_of(dump), err);
    if (s == OK)
        s = buf_append(json, "\n", 1, err);
    free(dump);
    return s;
}
