#include "job/convert_report.h"

#include "job/report_json.h"

static json_t *rows_json(const struct convert_result *r)
{
    json_t *rows = json_object();
    report_put(rows, "read", report_number(r->rows_read));
    report_put(rows, "written", report_number(r->rows_written));
    report_put(rows, "rejected", report_number(r->rows_rejected));
    report_put(rows, "deduped", report_number(r->rows_deduped));
    report_put(rows, "filtered", report_number(r->rows_filtered));
    return rows;
}

static json_t *rejects_json(const struct convert_options *options, const struct convert_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->first_rejects.count; i++)
        json_array_append_new(
            list, report_reject(&r->first_rejects, i, convert_input_name(options, r->reject_inputs[i]), &r->schema));
    return list;
}

static json_t *codes_json(const struct convert_result *r)
{
    json_t *codes = json_object();
    for (int code = 1; code < REJECT_CODE_COUNT; code++)
        if (r->rejects_by_code[code])
            report_put(codes, reject_code_name((enum reject_code)code), report_number(r->rejects_by_code[code]));
    return codes;
}

static json_t *inputs_json(const struct convert_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->input_count; i++)
        json_array_append_new(list, report_input(&r->inputs[i]));
    return list;
}

static json_t *files_json(const struct convert_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->file_count; i++) {
        json_t *item = json_object();
        report_put(item, "path", report_safe_text(str_of(r->files[i].path)));
        report_put(item, "rows", report_number(r->files[i].rows));
        report_put(item, "bytes", report_number(r->files[i].bytes));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *stages_json(const struct convert_result *r)
{
    json_t *list = json_array();
    for (int i = 0; i < STAGE_COUNT; i++) {
        json_t *item = json_object();
        report_put(item, "name", report_text(convert_stage_names[i]));
        report_put(item, "seconds", json_real(r->stage_seconds[i]));
        report_put(item, "bytes", report_number(r->stage_bytes[i]));
        json_array_append_new(list, item);
    }
    return list;
}

status convert_report_write(const struct convert_options *options, const struct convert_result *r,
                            const struct error *failure, struct buf *json, struct error *err)
{
    json_t *root = json_object(), *warnings = json_array();
    report_put(root, "status",
               report_text(failure            ? "failed"
                           : r->rows_rejected ? "completed_with_rejects"
                                              : "completed"));
    if (failure)
        report_put(root, "error", report_error(failure));
    report_put(root, "run_id", json_stringn_nocheck(options->run_id.p, options->run_id.n));
    report_put(root, "dry_run", json_boolean(options->dry_run));
    report_put(root, "seconds", json_real(r->seconds));
    report_put(root, "passes", report_number(r->passes));
    report_put(root, "bytes_in", report_number(r->bytes_in));
    report_put(root, "bytes_out", report_number(r->bytes_out));
    report_put(root, "rows", rows_json(r));
    report_put(root, "rejects_by_code", codes_json(r));
    report_put(root, "rejects", rejects_json(options, r));
    report_put(root, "schema", report_schema(&r->schema));
    report_put(root, "inputs", inputs_json(r));
    report_put(root, "files", failure ? json_array() : files_json(r));
    report_put(root, "quarantine", r->quarantine_path ? report_safe_text(str_of(r->quarantine_path)) : json_null());
    for (size_t i = 0; i < r->warning_count; i++)
        json_array_append_new(warnings, report_safe_text(str_of(r->warnings[i])));
    report_put(root, "warnings", warnings);
    report_put(root, "stages", stages_json(r));
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
