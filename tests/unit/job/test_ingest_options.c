/* A payload as options: what it comes to, and that nonsense is named. */
#include "job/ingest_options.h"

#include "unit/cmocka_all.h"

#define FRAME                                                                                                          \
    "\"version\":1,\"run_id\":\"01k0000000000000000abcdef\",\"run_time\":\"2026-11-25T10:00:00Z\",\"lake\":\"/l\","    \
    "\"staging\":\"/l/s\",\"memory\":1000,\"threads\":3,\"pipeline\":{\"slug\":\"shop\"},"
#define TARGET "\"target\":{\"dataset\":\"d\",\"layer\":\"bronze\",\"folder\":\"bronze/d\",\"schema\":%s,\"files\":%s},"
#define JOB "\"job\":{\"id\":\"j\",\"slug\":\"orders\",\"source_type\":\"file_local\",\"config\":{\"path\":\"/in\"}%s}"

static json_t *payload(const char *schema, const char *files, const char *more, const char *watermark)
{
    json_t *value = NULL;
    struct buf text = {0};
    struct error err = {0};
    assert_int_equal(
        buf_printf(&text, NULL, "{" FRAME TARGET "\"watermark\":%s," JOB "}", schema, files, watermark, more), OK);
    if (json_parse((const char *)text.data, text.len, "test", &value, &err) != OK)
        fail_msg("%s", err.message);
    buf_release(&text);
    return value;
}

static void defaults(void **unused)
{
    (void)unused;
    struct ingest_options o = {0};
    struct error err = {0};
    json_t *p = payload("null", "[]", "", "null");
    assert_int_equal(ingest_options_read(&o, p, &err), OK);
    assert_false(o.incremental);
    assert_true(o.convert.split_inputs && o.convert.sync);
    assert_int_equal(o.convert.threads, 3);
    assert_int_equal(o.convert.memory, 64u << 20);
    assert_int_equal(o.convert.to, FORMAT_PARQUET);
    assert_true(str_equal(o.convert.partition_date, STR("yyyy/MM/dd")));
    assert_true(str_equal(o.convert.filename_pattern, STR("{timestamp}_{filename}-abcdef")));
    assert_true(o.convert.max_rejects == UINT64_MAX && !o.convert.limit_reject_ratio);
    assert_int_equal(o.convert.dialect.header, -1);
    assert_null(o.convert.watermark.last.p);
    ingest_options_release(&o);
    json_decref(p);
}

static void names_are_unique_per_attempt(void **unused)
{
    (void)unused;
    static const struct {
        const char *pattern;
        int attempt;
        const char *expected;
    } cases[] = {
        {"{filename}", 1, "{filename}-abcdef"},
        {"{filename}", 2, "{filename}-abcdefa2"},
        {"{run_id}_{filename}", 1, "{run_id}_{filename}"},
        {"{run_id}_{filename}", 3, "{run_id}_{filename}a3"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ingest_options o = {0};
        struct error err = {0};
        struct buf more = {0};
        assert_int_equal(buf_printf(&more, NULL, ",\"filename_pattern\":\"%s\"", cases[i].pattern), OK);
        assert_int_equal(buf_append(&more, "", 1, NULL), OK);
        json_t *p = payload("null", "[]", (const char *)more.data, "null");
        json_object_set_new(p, "attempt", json_integer(cases[i].attempt));
        assert_int_equal(ingest_options_read(&o, p, &err), OK);
        assert_true(str_equal(o.convert.filename_pattern, str_of(cases[i].expected)));
        ingest_options_release(&o);
        buf_release(&more);
        json_decref(p);
    }
}

static void a_dataset_declares_its_columns_in_incremental_mode(void **unused)
{
    (void)unused;
    static const char schema[] = "[{\"name\":\"id\",\"type\":\"bigint\",\"nullable\":false,\"source_name\":\"ID\"},"
                                 "{\"name\":\"v\",\"type\":\"decimal(10,2)\"}]";
    for (size_t i = 0; i < 2; i++) {
        struct ingest_options o = {0};
        struct error err = {0};
        json_t *p = payload(schema, "[]", i ? ",\"incremental_mode\":\"incremental\"" : "", "null");
        assert_int_equal(ingest_options_read(&o, p, &err), OK);
        assert_int_equal(o.convert.schema != NULL, i);
        assert_int_equal(o.convert.schema_open, i);
        if (i) {
            assert_int_equal(o.convert.schema_count, 2);
            assert_true(o.convert.schema[0].not_null && !o.convert.schema[1].not_null);
            assert_int_equal(o.convert.schema[1].type.scale, 2);
        }
        ingest_options_release(&o);
        json_decref(p);
    }
}

static void watermarks(void **unused)
{
    (void)unused;
    static const char job[] = ",\"incremental_mode\":\"incremental\",\"watermark_column\":\"at\"";
    static const char mark[] = "{\"column\":\"AT\",\"type\":\"date\",\"value\":\"2024-01-01\",\"ties\":"
                               "[\"000000000000000000000000000000ff\"]}";
    static const char files[] = "[{\"id\":1,\"path\":\"x\",\"rows\":1}]",
                      empty[] = "[{\"id\":1,\"path\":\"x\",\"rows\":0}]";
    static const struct {
        const char *files, *mark;
        status expected;
    } cases[] = {
        {"[]", "null", OK},
        {empty, "null", OK},
        {files, "null", ERR_INVALID},
        {files, mark, OK},
        {files, "{\"column\":\"other\",\"type\":\"date\",\"value\":\"2024-01-01\"}", ERR_INVALID},
        {files, "{\"column\":\"at\",\"type\":\"date\",\"value\":\"2024-01-01\",\"ties\":[\"zz\"]}", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ingest_options o = {0};
        struct error err = {0};
        json_t *p = payload("null", cases[i].files, job, cases[i].mark);
        assert_int_equal(ingest_options_read(&o, p, &err), cases[i].expected);
        if (i == 3) {
            assert_true(str_equal(o.convert.watermark.last, STR("2024-01-01")));
            assert_int_equal(o.convert.watermark.tie_count, 1);
            assert_int_equal(o.convert.watermark.ties[0].a, 0xff);
        }
        ingest_options_release(&o);
        json_decref(p);
    }
}

static void nonsense_is_named(void **unused)
{
    (void)unused;
    static const struct {
        const char *more, *part;
    } cases[] = {
        {",\"format\":\"xml\"", "job/format"},
        {",\"compression\":\"lz4\"", "job/compression"},
        {",\"partition_mode\":\"moon\"", "job/partition_mode"},
        {",\"partition_mode\":\"column\"", "job/partition_pattern"},
        {",\"partition_mode\":\"column\",\"partition_pattern\":\"a,,b\"", "job/partition_pattern"},
        {",\"rename_map\":{\"a\":1}", "job/rename_map/a"},
        {",\"error_handling\":\"quarantine\",\"quarantine_path\":\"../x\"", "job/quarantine_path"},
        {",\"error_handling\":\"quarantine\",\"quarantine_path\":\"a//b\"", "job/quarantine_path"},
        {",\"schema_mode\":\"user\",\"user_schema\":[{\"name\":\"a\",\"type\":\"wood\"}]", "wood"},
        {",\"source_type\":\"api\"", "job/source_type"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ingest_options o = {0};
        struct error err = {0};
        json_t *p = payload("null", "[]", "", "null"), *job = json_object_get(p, "job"), *more = NULL;
        struct buf text = {0};
        assert_int_equal(buf_printf(&text, NULL, "{%s}", cases[i].more + 1), OK);
        assert_int_equal(json_parse((const char *)text.data, text.len, "test", &more, &err), OK);
        assert_int_equal(json_object_update(job, more), 0);
        assert_int_not_equal(ingest_options_read(&o, p, &err), OK);
        if (!strstr(err.message, cases[i].part))
            fail_msg("%s: %s", cases[i].more, err.message);
        ingest_options_release(&o);
        buf_release(&text);
        json_decref(more);
        json_decref(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(names_are_unique_per_attempt),
        cmocka_unit_test(a_dataset_declares_its_columns_in_incremental_mode),
        cmocka_unit_test(watermarks),
        cmocka_unit_test(nonsense_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
