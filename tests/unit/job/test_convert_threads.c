/* A whole conversion gives the same bytes and counts however many threads and chunks it takes. Also run under the
 * thread sanitizer. */
#include "unit/job/job_files.h"

/* About `rows` rows whose types widen late, and a ragged one after each 1,000. */
static void make_csv(struct buf *text, size_t rows)
{
    assert_int_equal(buf_printf(text, NULL, "id,amount,day,note,late\n"), OK);
    for (size_t i = 0; i < rows; i++) {
        assert_int_equal(
            buf_printf(text, NULL, "%zu,%zu.%zu,2024-%02zu-%02zu,", i, i % 997, i % 10, i % 12 + 1, i % 28 + 1), OK);
        assert_int_equal(buf_printf(text, NULL, i % 3 ? "\"quoted, text\"\"s %zu\"," : "plain %zu,", i % 1000), OK);
        assert_int_equal(buf_printf(text, NULL, i + 10 == rows ? "not a number\n" : i % 5 ? "%zu\n" : "\n", i), OK);
        if (i % 1000 == 500)
            assert_int_equal(buf_printf(text, NULL, "only,three,fields\n"), OK);
    }
}

static void convert(struct convert_options *options, struct buf *out, struct convert_result *r)
{
    struct error err = {0};
    status s = convert_run(options, r, &err);
    if (s != OK)
        print_error("%s (%s)\n", err.message, err.hint);
    assert_int_equal(s, OK);
    assert_int_equal(r->rows_read, r->rows_written + r->rows_rejected + r->rows_deduped + r->rows_filtered);
    job_files_read(options->output, out);
}

static void same_bytes(bool dedupe)
{
    struct job_files f = job_files_begin();
    char in[JOB_PATH_MAX], out[JOB_PATH_MAX], quarantine[JOB_PATH_MAX];
    struct buf text = {0}, first = {0};
    make_csv(&text, 20000);
    const char *inputs[] = {job_files_write(&f, "in.csv", text.data, text.len, in)};
    struct str key = STR("note");
    struct convert_options options = job_options(inputs, 1, job_files_path(&f, "out.csv", out));
    options.dialect.header = 1;
    options.memory = 1u << 20; /* chunks as small as they get */
    options.quarantine = true;
    options.quarantine_dir = job_files_path(&f, "bad", quarantine);
    options.dedupe_keys = dedupe ? &key : NULL;
    options.dedupe_key_count = dedupe;
    static const char *const run_ids[] = {"one", "two", "three", "four"};
    uint64_t rejected = 0;
    for (size_t threads = 1; threads <= 4; threads++) {
        struct convert_result r = {0};
        struct buf got = {0};
        options.threads = threads;
        options.run_id = str_of(run_ids[threads - 1]);
        convert(&options, threads == 1 ? &first : &got, &r);
        assert_true(r.rows_read >= 20000);
        if (threads == 1) {
            rejected = r.rows_rejected;
            assert_int_equal(rejected, 20);
            assert_int_equal(r.rows_deduped > 0, dedupe);
        } else {
            assert_int_equal(r.rows_rejected, rejected);
            assert_int_equal(got.len, first.len);
            assert_memory_equal(got.data, first.data, got.len);
        }
        buf_release(&got);
        convert_result_release(&r);
    }
    buf_release(&text);
    buf_release(&first);
    job_files_remove(f.folder);
}

static void types_widen_late(void **unused)
{
    (void)unused;
    struct job_files f = job_files_begin();
    char in[JOB_PATH_MAX], out[JOB_PATH_MAX];
    struct buf text = {0}, first = {0};
    assert_int_equal(buf_printf(&text, NULL, "a,b,c\n"), OK);
    for (size_t i = 0; i < 150000; i++) /* beyond the head: the first guess has to be wrong */
        assert_int_equal(buf_printf(&text, NULL, i < 149000 ? "%zu,%zu,\n" : "%zu,%zu.5,x\n", i, i), OK);
    const char *inputs[] = {job_files_write(&f, "in.csv", text.data, text.len, in)};
    struct convert_options options = job_options(inputs, 1, job_files_path(&f, "out.csv", out));
    options.memory = 1u << 20;
    for (size_t threads = 1; threads <= 4; threads++) {
        struct convert_result r = {0};
        struct buf got = {0};
        options.threads = threads;
        convert(&options, threads == 1 ? &first : &got, &r);
        assert_int_equal(r.rows_written, 150000);
        assert_int_equal(r.schema.fields[0].type.kind, TYPE_BIGINT);
        assert_int_equal(r.schema.fields[1].type.kind, TYPE_DOUBLE);
        assert_int_equal(r.schema.fields[2].type.kind, TYPE_STRING);
        assert_true(r.passes >= 2);
        if (threads > 1) {
            assert_int_equal(got.len, first.len);
            assert_memory_equal(got.data, first.data, got.len);
        }
        buf_release(&got);
        convert_result_release(&r);
    }
    buf_release(&text);
    buf_release(&first);
    job_files_remove(f.folder);
}

static void with_bad_rows(void **unused)
{
    (void)unused;
    same_bytes(false);
}

static void with_duplicates(void **unused)
{
    (void)unused;
    same_bytes(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_widen_late),
        cmocka_unit_test(with_bad_rows),
        cmocka_unit_test(with_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
