#include "batch/value_text.h"
#include "job/preview.h"
#include "job/report_json.h"

static json_t *cell_json(const struct column *c, size_t row)
{
    struct buf text = {0};
    json_t *json = NULL;
    if (column_is_null(c, row))
        return json_null();
    if (value_text_append(c, row, &text, NULL) == OK)
        json = report_safe_text(buf_str(&text));
    buf_release(&text);
    return json;
}

status preview_json(const struct preview *p, struct buf *json, struct error *err)
{
    json_t *root = json_object(), *rows = json_array(), *rejects = json_array(), *warnings = json_array();
    json_t *input = report_input(&p->input);
    if (p->input.format != FORMAT_PARQUET)
        report_put(input, "encoding_sure", json_real(p->encoding_sure));
    report_put(root, "input", input);
    report_put(root, "schema", report_schema(&p->schema));
    for (size_t row = 0; row < p->rows.rows; row++) {
        json_t *cells = json_array();
        for (size_t i = 0; i < p->rows.column_count; i++)
            json_array_append_new(cells, cell_json(&p->rows.columns[i], row));
        json_array_append_new(rows, cells);
    }
    report_put(root, "rows", rows);
    for (size_t i = 0; i < p->rejects.count && i < 100; i++)
        json_array_append_new(rejects, report_reject(&p->rejects, i, p->input.path, &p->schema));
    report_put(root, "rejects", rejects);
    report_put(root, "rejected", report_number(p->rejects.count));
    report_put(root, "records", report_number(p->records));
    report_put(root, "whole", json_boolean(p->whole));
    for (size_t i = 0; i < p->warning_count; i++)
        json_array_append_new(warnings, report_safe_text(str_of(p->warnings[i])));
    report_put(root, "warnings", warnings);
    char *dump = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(4)) : NULL;
    json_decref(root);
    if (!dump)
        return error_no_memory(err, 0);
    status s = buf_append_str(json, str_of(dump), err);
    if (s == OK)
        s = buf_append(json, "\n", 1, err);
    free(dump);
    return s;
}
