/* One file an input (and partition), whatever threads and chunks: names, rows, what the watermark filters. */
#include "unit/job/job_files.h"

#define ROWS 3000

static void make_csv(struct buf *text, size_t first, const char *land)
{
    assert_int_equal(buf_printf(text, NULL, "id,n,land\n"), OK);
    for (size_t i = first; i < first + ROWS; i++)
        assert_int_equal(buf_printf(text, NULL, "%zu,%zu,%s\n", i, i % 1000, i % 2 ? land : "xx"), OK);
}

struct inputs {
    struct job_files f;
    char paths[3][JOB_PATH_MAX], out[JOB_PATH_MAX];
    const char *list[3];
};

static void inputs_make(struct inputs *in)
{
    static const char *const lands[] = {"aa", "bb", "cc"};
    in->f = job_files_begin();
    for (size_t i = 0; i < 3; i++) {
        struct buf text = {0};
        char name[16];
        make_csv(&text, i * ROWS, lands[i]);
        snprintf(name, sizeof name, "copy%zu", i);
        in->list[i] = job_files_write(&in->f, name, text.data, text.len, in->paths[i]);
        buf_release(&text);
    }
    job_files_path(&in->f, "out/", in->out);
}

static const char *const names[] = {"sales.csv", "other.csv", "sales.csv"};

static struct convert_options options_of(const struct inputs *in, size_t threads)
{
    struct convert_options o = job_options(in->list, 3, in->out);
    o.input_names = names;
    o.split_inputs = true;
    o.filename_pattern = STR("{filename}");
    o.memory = 1u << 20; /* chunks as small as they get */
    o.threads = threads;
    return o;
}

static void run(const struct convert_options *o, struct convert_result *r)
{
    struct error err = {0};
    if (convert_run(o, r, &err) != OK)
        fail_msg("%s (%s)", err.message, err.hint);
    assert_int_equal(r->rows_read, r->rows_written + r->rows_rejected + r->rows_deduped + r->rows_filtered);
}

static void a_file_for_each_input(void **unused)
{
    (void)unused;
    struct inputs in;
    inputs_make(&in);
    static const char *const expected[] = {"sales.parquet", "other.parquet", "sales-2.parquet"};
    for (size_t threads = 1; threads <= 3; threads++) {
        struct convert_options o = options_of(&in, threads);
        struct convert_result r = {0};
        run(&o, &r);
        assert_int_equal(r.file_count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_string_equal(strrchr(r.files[i].path, '/') + 1, expected[i]);
            assert_int_equal(r.files[i].input, i);
            assert_int_equal(r.files[i].rows, ROWS);
            assert_string_equal(r.files[i].partition, "");
        }
        convert_result_release(&r);
    }
    job_files_remove(in.f.folder);
}

static void a_file_for_each_input_and_partition(void **unused)
{
    (void)unused;
    struct inputs in;
    struct str column = STR("land");
    inputs_make(&in);
    struct convert_options o = options_of(&in, 2);
    struct convert_result r = {0};
    o.partition_columns = &column;
    o.partition_column_count = 1;
    run(&o, &r);
    assert_int_equal(r.file_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r.files[i].rows, ROWS / 2);
        assert_int_equal(r.files[i].input, i / 2);
        assert_int_equal(strncmp(r.files[i].partition, "land=", 5), 0);
    }
    convert_result_release(&r);
    job_files_remove(in.f.folder);
}

static void the_watermark_filters_some_inputs_only(void **unused)
{
    (void)unused;
    struct inputs in;
    static const bool applies[] = {true, false, true};
    inputs_make(&in);
    for (size_t threads = 1; threads <= 3; threads++) {
        struct convert_options o = options_of(&in, threads);
        struct convert_result r = {0};
        o.watermark = (struct convert_watermark){.column = STR("n"),
                                                 .last = STR("990"),
                                                 .last_type = {.kind = TYPE_BIGINT},
                                                 .applies = applies,
                                                 .want_ties = true};
        run(&o, &r);
        assert_int_equal(r.rows_filtered, 2 * 990 * (ROWS / 1000));
        assert_int_equal(r.files[0].rows, 10 * (ROWS / 1000));
        assert_int_equal(r.files[1].rows, ROWS);
        assert_string_equal(r.watermark, "999");
        assert_int_equal(r.watermark_tie_count, 3 * (ROWS / 1000));
        /* The same again: rows at the last value are known. */
        struct convert_result again = {0};
        o.watermark.last = str_of(r.watermark);
        o.watermark.ties = r.watermark_ties;
        o.watermark.tie_count = r.watermark_tie_count;
        o.watermark.applies = NULL;
        run(&o, &again);
        assert_int_equal(again.rows_written, 0);
        assert_null(again.watermark);
        assert_int_equal(again.file_count, 3);
        convert_result_release(&again);
        convert_result_release(&r);
    }
    job_files_remove(in.f.folder);
}

static void dedupe_and_watermark_go_together(void **unused)
{
    (void)unused;
    struct inputs in;
    struct str key = STR("n");
    inputs_make(&in);
    for (size_t threads = 1; threads <= 3; threads++) {
        struct convert_options o = options_of(&in, threads);
        struct convert_result r = {0};
        o.dedupe_keys = &key;
        o.dedupe_key_count = 1;
        o.watermark =
            (struct convert_watermark){.column = STR("n"), .last = STR("500"), .last_type = {.kind = TYPE_BIGINT}};
        run(&o, &r);
        assert_int_equal(r.rows_filtered, 500 * 3 * (ROWS / 1000));
        assert_int_equal(r.rows_written, 500);
        assert_int_equal(r.files[2].rows, 500); /* the last ones win */
        convert_result_release(&r);
    }
    job_files_remove(in.f.folder);
}

static void declared_columns_come_first_and_others_follow(void **unused)
{
    (void)unused;
    struct inputs in;
    const struct user_column declared[] = {{.name = STR("land"), .type = {.kind = TYPE_STRING}},
                                           {.name = STR("gone"), .type = {.kind = TYPE_DATE}}};
    inputs_make(&in);
    struct convert_options o = options_of(&in, 2);
    struct convert_result r = {0};
    o.schema = declared;
    o.schema_count = 2;
    o.schema_open = true;
    run(&o, &r);
    static const char *const expected[] = {"land", "gone", "id", "n"};
    assert_int_equal(r.schema.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(r.schema.fields[i].name, expected[i]);
    assert_int_equal(r.schema.fields[3].type.kind, TYPE_BIGINT);
    convert_result_release(&r);
    job_files_remove(in.f.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_for_each_input),
        cmocka_unit_test(a_file_for_each_input_and_partition),
        cmocka_unit_test(the_watermark_filters_some_inputs_only),
        cmocka_unit_test(dedupe_and_watermark_go_together),
        cmocka_unit_test(declared_columns_come_first_and_others_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
