/* What the output's name and the options come to. */
#include "unit/cmocka_all.h"

#include <string.h>

#include "job/output.h"

static status plan(struct output_plan *p, const char *output, enum file_format to, enum convert_compression compression,
                   struct error *err)
{
    struct convert_options options = {.output = output, .to = to, .compression = compression};
    return output_plan_make(p, &options, err);
}

static void assert_plan(const char *output, enum file_format to, enum convert_compression compression,
                        enum file_format format, enum convert_compression codec, const char *extension)
{
    struct output_plan p;
    struct error err = {0};
    assert_int_equal(plan(&p, output, to, compression, &err), OK);
    assert_int_equal(p.format, format);
    assert_int_equal(p.compression, codec);
    assert_string_equal(p.extension, extension);
    assert_int_equal(p.directory, output[strlen(output) - 1] == '/');
}

#define AUTO FORMAT_AUTO, COMPRESSION_AUTO

static void by_the_name(void **unused)
{
    (void)unused;
    assert_plan("a.parquet", AUTO, FORMAT_PARQUET, COMPRESSION_SNAPPY, ".parquet");
    assert_plan("a.PARQUET", AUTO, FORMAT_PARQUET, COMPRESSION_SNAPPY, ".parquet");
    assert_plan("a", AUTO, FORMAT_PARQUET, COMPRESSION_SNAPPY, ".parquet");
    assert_plan("a.csv", AUTO, FORMAT_CSV, COMPRESSION_NONE, ".csv");
    assert_plan("a.csv.gz", AUTO, FORMAT_CSV, COMPRESSION_GZIP, ".csv.gz");
    assert_plan("a.csv.zst", AUTO, FORMAT_CSV, COMPRESSION_ZSTD, ".csv.zst");
    assert_plan("a.ndjson", AUTO, FORMAT_NDJSON, COMPRESSION_NONE, ".ndjson");
    assert_plan("a.jsonl.gz", AUTO, FORMAT_NDJSON, COMPRESSION_GZIP, ".ndjson.gz");
    assert_plan("a.ndjson.zst", AUTO, FORMAT_NDJSON, COMPRESSION_ZSTD, ".ndjson.zst");
    assert_plan("a.json", AUTO, FORMAT_NDJSON, COMPRESSION_NONE, ".ndjson");
    assert_plan("a.json.gz", AUTO, FORMAT_NDJSON, COMPRESSION_GZIP, ".ndjson.gz");
    assert_plan("folder/", AUTO, FORMAT_PARQUET, COMPRESSION_SNAPPY, ".parquet");
}

static void by_options(void **unused)
{
    (void)unused;
    assert_plan("a", FORMAT_CSV, COMPRESSION_GZIP, FORMAT_CSV, COMPRESSION_GZIP, ".csv.gz");
    assert_plan("a", FORMAT_JSON, COMPRESSION_AUTO, FORMAT_NDJSON, COMPRESSION_NONE, ".ndjson");
    assert_plan("a.parquet", FORMAT_AUTO, COMPRESSION_ZSTD, FORMAT_PARQUET, COMPRESSION_ZSTD, ".parquet");
    assert_plan("a.parquet", FORMAT_AUTO, COMPRESSION_NONE, FORMAT_PARQUET, COMPRESSION_NONE, ".parquet");
    assert_plan("a.csv", FORMAT_AUTO, COMPRESSION_ZSTD, FORMAT_CSV, COMPRESSION_ZSTD, ".csv.zst");
    assert_plan("a.csv.gz", FORMAT_AUTO, COMPRESSION_GZIP, FORMAT_CSV, COMPRESSION_GZIP, ".csv.gz");
    assert_plan("folder/", FORMAT_CSV, COMPRESSION_ZSTD, FORMAT_CSV, COMPRESSION_ZSTD, ".csv.zst");
}

static void contradictions(void **unused)
{
    (void)unused;
    static const struct {
        const char *output;
        enum file_format to;
        enum convert_compression compression;
        const char *part;
    } cases[] = {
        {"a.csv.gz", FORMAT_AUTO, COMPRESSION_ZSTD, "gzip"},   {"a.csv.gz", FORMAT_AUTO, COMPRESSION_NONE, "gzip"},
        {"a.csv", FORMAT_AUTO, COMPRESSION_SNAPPY, "snappy"},  {"a.ndjson", FORMAT_AUTO, COMPRESSION_SNAPPY, "snappy"},
        {"folder/", FORMAT_CSV, COMPRESSION_SNAPPY, "snappy"}, {"folder/", FORMAT_JSON, COMPRESSION_SNAPPY, "snappy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct output_plan p = {.extension = "untouched"};
        struct error err = {0};
        assert_int_equal(plan(&p, cases[i].output, cases[i].to, cases[i].compression, &err), ERR_INVALID);
        assert_non_null(strstr(err.message, cases[i].part));
        assert_true(err.hint[0] != '\0');
        assert_string_equal(p.extension, "untouched");
    }
}

static void partitions_make_a_folder(void **unused)
{
    (void)unused;
    struct str column = STR("day");
    struct convert_options options = {
        .output = "lake.csv", .to = FORMAT_CSV, .partition_columns = &column, .partition_column_count = 1};
    struct output_plan p;
    struct error err = {0};
    assert_int_equal(output_plan_make(&p, &options, &err), OK);
    assert_true(p.directory);
    assert_int_equal(p.format, FORMAT_CSV);
    options.to = FORMAT_AUTO;
    assert_int_equal(output_plan_make(&p, &options, &err), OK);
    assert_int_equal(p.format, FORMAT_PARQUET); /* a folder's name tells no format */
    options.partition_date = STR("yyyy/MM");
    assert_int_equal(output_plan_make(&p, &options, &err), ERR_INVALID);
    options.partition_column_count = 0;
    assert_int_equal(output_plan_make(&p, &options, &err), OK);
    assert_true(p.directory);
    options.partition_date = (struct str){0};
    options.output = "."; /* a folder that is there */
    assert_int_equal(output_plan_make(&p, &options, &err), OK);
    assert_true(p.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_name),
        cmocka_unit_test(by_options),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(partitions_make_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
