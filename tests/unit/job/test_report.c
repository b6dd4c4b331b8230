/* Reports and previews are valid JSON and say what happened, whatever bytes the input held. */
#include "unit/job/job_files.h"

#include <jansson.h>

#include "job/convert_report.h"
#include "job/preview.h"

static json_t *parse(struct buf *text)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        print_error("line %d: %s\n", where.line, where.text);
    assert_non_null(root);
    buf_release(text);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static json_t *report(const struct convert_options *options, struct convert_result *r, const struct error *failure)
{
    struct buf json = {0};
    assert_int_equal(convert_report_write(options, r, failure, &json, NULL), OK);
    return parse(&json);
}

static const char bad_csv[] = "id,na\"me\n1,a\n2,b\xFF\"c\n3,\"d\n4,e,f\n5,\x01\\ \"\"\n";

static void completed_with_rejects(void **unused)
{
    (void)unused;
    struct job_files f = job_files_begin();
    char in[JOB_PATH_MAX], out[JOB_PATH_MAX], bad[JOB_PATH_MAX];
    const char *inputs[] = {job_files_write(&f, "in.csv", bad_csv, sizeof bad_csv - 1, in)};
    struct convert_options options = job_options(inputs, 1, job_files_path(&f, "out.csv", out));
    struct convert_result r = {0};
    options.dialect.delimiter = ",";
    options.dialect.quote = "\"";
    options.dialect.escape = "\"";
    options.dialect.header = 1;
    options.encoding = "UTF-8";
    options.from = FORMAT_CSV;
    options.quarantine = true;
    options.quarantine_dir = job_files_path(&f, "bad", bad);
    assert_int_equal(convert_run(&options, &r, NULL), OK);
    json_t *root = report(&options, &r, NULL);
    const json_t *rows = json_object_get(root, "rows"), *rejects = json_object_get(root, "rejects");
    assert_string_equal(text_of(root, "status"), "completed_with_rejects");
    assert_string_equal(text_of(root, "run_id"), "run-1");
    assert_int_equal(number_of(rows, "read"), 5);
    assert_int_equal(number_of(rows, "written"), 2);
    assert_int_equal(number_of(rows, "rejected"), 3);
    assert_int_equal(json_array_size(rejects), 3);
    const json_t *first = json_array_get(rejects, 0);
    assert_string_equal(text_of(first, "code"), "INVALID_ENCODING");
    assert_string_equal(text_of(first, "input"), in);
    assert_string_equal(text_of(first, "raw"), "2,b\xEF\xBF\xBD\"c");
    assert_int_equal(number_of(first, "record"), 2);
    assert_int_equal(number_of(first, "line"), 3);
    assert_int_equal(number_of(first, "byte_offset"), 13);
    assert_int_equal(number_of(first, "byte_length"), 6);
    assert_true(json_is_null(json_object_get(first, "column")));
    assert_string_equal(text_of(json_array_get(rejects, 1), "code"), "UNTERMINATED_QUOTE");
    assert_string_equal(text_of(json_array_get(rejects, 2), "code"), "TOO_MANY_COLUMNS");
    assert_int_equal(number_of(json_object_get(root, "rejects_by_code"), "TOO_MANY_COLUMNS"), 1);
    const json_t *columns = json_object_get(root, "schema");
    assert_int_equal(json_array_size(columns), 2);
    assert_string_equal(text_of(json_array_get(columns, 1), "name"), "na\"me");
    assert_string_equal(text_of(json_array_get(columns, 0), "type"), "bigint");
    assert_int_equal(json_array_size(json_object_get(root, "files")), 1);
    assert_string_equal(text_of(root, "quarantine"), r.quarantine_path);
    assert_true(json_array_size(json_object_get(root, "stages")) == STAGE_COUNT);
    const json_t *dialect = json_object_get(json_array_get(json_object_get(root, "inputs"), 0), "dialect");
    assert_string_equal(text_of(dialect, "delimiter"), ",");
    assert_string_equal(text_of(dialect, "quote"), "\"");
    json_decref(root);
    convert_result_release(&r);
    job_files_remove(f.folder);
}

static void failed(void **unused)
{
    (void)unused;
    struct job_files f = job_files_begin();
    char in[JOB_PATH_MAX], out[JOB_PATH_MAX];
    const char *inputs[] = {job_files_write(&f, "in.csv", "a,b\n1,2\n3\n", 10, in)};
    struct convert_options options = job_options(inputs, 1, job_files_path(&f, "out.csv", out));
    struct convert_result r = {0};
    struct error err = {0};
    options.dialect.delimiter = ",";
    options.dialect.header = 1;
    assert_int_equal(convert_run(&options, &r, &err), ERR_BAD_ROWS);
    json_t *root = report(&options, &r, &err);
    assert_string_equal(text_of(root, "status"), "failed");
    assert_string_equal(text_of(json_object_get(root, "error"), "code"), "bad_rows");
    assert_string_equal(text_of(json_object_get(root, "error"), "message"), err.message);
    assert_int_equal(json_array_size(json_object_get(root, "files")), 0);
    assert_int_equal(json_array_size(json_object_get(root, "rejects")), 1);
    assert_int_equal(access(out, F_OK), -1);
    json_decref(root);
    convert_result_release(&r);
    job_files_remove(f.folder);
}

/* Nothing is known yet: what fails before the first byte is read still has a report. */
static void failed_at_once(void **unused)
{
    (void)unused;
    const char *inputs[] = {"/nowhere/\xFFin.csv"};
    struct convert_options options = job_options(inputs, 1, "out.csv");
    struct convert_result r = {0};
    struct error err = {0};
    assert_int_equal(convert_run(&options, &r, &err), ERR_NOT_FOUND);
    json_t *root = report(&options, &r, &err);
    assert_string_equal(text_of(json_object_get(root, "error"), "code"), "not_found");
    assert_int_equal(number_of(json_object_get(root, "rows"), "read"), 0);
    assert_true(json_is_null(json_object_get(root, "quarantine")));
    json_decref(root);
    convert_result_release(&r);
}

static void previewed(void **unused)
{
    (void)unused;
    struct job_files f = job_files_begin();
    char in[JOB_PATH_MAX];
    static const char text[] = "id;day;note\n1;2024-01-02;\"x\ny\"\n2;;\xC3\xA9\n3\n4;2024-01-03;\"\"\n";
    const char *inputs[] = {job_files_write(&f, "in.csv", text, sizeof text - 1, in)};
    struct convert_options options = job_options(inputs, 1, NULL);
    options.dialect.delimiter = ";";
    options.dialect.header = 1;
    options.dialect.quote = "\"";
    struct preview p;
    struct buf json = {0};
    assert_int_equal(preview_make(&p, &options, 2, NULL), OK);
    assert_int_equal(preview_json(&p, &json, NULL), OK);
    json_t *root = parse(&json);
    const json_t *rows = json_object_get(root, "rows"), *rejects = json_object_get(root, "rejects");
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 0)), "1");
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 2)), "x\ny");
    assert_true(json_is_null(json_array_get(json_array_get(rows, 1), 1)));
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 1), 2)), "\xC3\xA9");
    assert_int_equal(number_of(root, "records"), 4);
    assert_int_equal(number_of(root, "rejected"), 1);
    assert_int_equal(number_of(json_array_get(rejects, 0), "line"), 5);
    assert_int_equal(number_of(json_array_get(rejects, 0), "byte_offset"), 37);
    assert_string_equal(text_of(json_array_get(rejects, 0), "code"), "MISSING_COLUMNS");
    assert_true(json_is_true(json_object_get(root, "whole")));
    assert_string_equal(text_of(json_array_get(json_object_get(root, "schema"), 1), "type"), "date");
    assert_string_equal(text_of(json_object_get(root, "input"), "path"), in);
    json_decref(root);
    preview_release(&p);
    job_files_remove(f.folder);
}

/* A delimiter or quote that is no UTF-8 by itself must not spoil the document. */
static void odd_dialect(void **unused)
{
    (void)unused;
    struct convert_input input = {.path = (char *)"x", .format = FORMAT_CSV, .encoding = "UTF-8"};
    input.text.dialect = (struct csv_dialect){.delimiter = "\xA7", .quote = '\xAB', .comment = 1};
    struct convert_options options = job_options(NULL, 0, "out");
    struct convert_result r = {.inputs = &input, .input_count = 1};
    json_t *root = report(&options, &r, NULL);
    const json_t *dialect = json_object_get(json_array_get(json_object_get(root, "inputs"), 0), "dialect");
    assert_string_equal(text_of(dialect, "delimiter"), "\xEF\xBF\xBD");
    assert_string_equal(text_of(dialect, "quote"), "\xEF\xBF\xBD");
    assert_string_equal(text_of(dialect, "comment"), "\x01");
    assert_true(json_is_null(json_object_get(dialect, "escape")));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completed_with_rejects),
        cmocka_unit_test(failed),
        cmocka_unit_test(failed_at_once),
        cmocka_unit_test(previewed),
        cmocka_unit_test(odd_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
