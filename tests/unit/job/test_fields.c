/* The tables of pipelines and jobs: defaults, every rule with its pointer and code, updates that apply whole or not at
 * all. */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "job/fields.h"

#define LOCAL "\"name\":\"Sales EU\",\"source_type\":\"file_local\",\"format\":\"csv\",\"config\":{\"path\":\"/in\"}"
#define PARQUET "\"name\":\"n\",\"source_type\":\"file_local\",\"format\":\"parquet\",\"config\":{\"path\":\"/in\"}"
#define UPLOADED                                                                                                       \
    "\"name\":\"u\",\"source_type\":\"file_upload\",\"format\":\"json\",\"config\":{\"upload_id\":"                    \
    "\"01hzzzzzzzzzzzzzzzzzzzzzzz\"}"
#define USER                                                                                                           \
    "\"schema_mode\":\"user\",\"user_schema\":[{\"name\":\"a\",\"type\":\"bigint\"},{\"name\":\"b\",\"type\":"         \
    "\"string\"}]"
#define MART                                                                                                           \
    "\"name\":\"Mart\",\"layer\":\"gold\",\"inputs\":[{\"alias\":\"o\",\"dataset\":\"silver.orders\"}],"               \
    "\"sql\":\"SELECT * FROM o\""

static json_t *parse(const char *text)
{
    json_error_t where;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &where);
    if (!value)
        print_error("%s: %s\n", text, where.text);
    assert_non_null(value);
    return value;
}

static json_t *apply(const struct field_table *table, const json_t *before, const char *text, json_t **errors_list)
{
    struct field_errors errors = {0};
    struct error err = {0};
    json_t *request = parse(text), *record = NULL;
    assert_int_equal(field_table_apply(table, before, request, &record, &errors, &err), OK);
    json_decref(request);
    *errors_list = errors.list;
    assert_true((record != NULL) == (field_errors_count(&errors) == 0));
    return record;
}

static json_t *accepted(const struct field_table *table, const json_t *before, const char *text)
{
    json_t *errors, *record = apply(table, before, text, &errors);
    if (errors) {
        char *found = json_dumps(errors, JSON_COMPACT);
        print_error("%s gave %s\n", text, found);
        free(found);
        fail();
    }
    return record;
}

/* pointer "": nothing is wrong. */
struct refusal {
    const struct field_table *table;
    const char *request, *pointer, *code, *part;
};

static void assert_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *errors, *record = apply(refusals[i].table, NULL, refusals[i].request, &errors);
        const json_t *first = json_array_get(errors, 0);
        if (!refusals[i].pointer[0] && json_array_size(errors) == 0) {
            assert_non_null(record);
            json_decref(record);
            continue;
        }
        if (json_array_size(errors) != 1 || strcmp(json_text(first, "pointer", "?"), refusals[i].pointer) != 0 ||
            strcmp(json_text(first, "code", "?"), refusals[i].code) != 0 ||
            !strstr(json_text(first, "message", ""), refusals[i].part)) {
            char *found = errors ? json_dumps(errors, JSON_COMPACT) : NULL;
            print_error("%s gave %s\n", refusals[i].request, found ? found : "nothing");
            free(found);
            fail();
        }
        json_decref(errors);
        json_decref(record);
    }
}

static const struct refusal pipeline_refusals[] = {
    {&pipeline_fields, "{}", "/name", "required", "unique"},
    {&pipeline_fields, "{\"name\":\" a\"}", "/name", "format", "on one line"},
    {&pipeline_fields, "{\"name\":\"a\\nb\"}", "/name", "format", "on one line"},
    {&pipeline_fields, "{\"name\":\"a\",\"tags\":[\"x\",\"X\"]}", "/tags/1", "duplicate", "remove"},
    {&pipeline_fields, "{\"name\":\"a\",\"orchestrator\":\"prefect\"}", "/orchestrator", "combination", "inline"},
    {&pipeline_fields, "{\"name\":\"a\",\"max_parallel_jobs\":0}", "/max_parallel_jobs", "range", "1 to 64"},
    {&pipeline_fields, "{\"name\":\"a\",\"slug\":\"a\"}", "/slug", "read_only", "leave it out"},
};

#define DB "\"name\":\"n\",\"source_type\":\"db_query\",\"connection_id\":\"c\""
#define QUERY(sql) "{" DB ",\"config\":{\"query\":\"" sql "\"}}"

static const struct refusal source_refusals[] = {
    {&ingest_job_fields, "{" DB "}", "/config/table", "required", "config.query"},
    {&ingest_job_fields, "{" DB ",\"config\":{\"table\":\"t\",\"query\":\"select 1\"}}", "/config/query", "combination",
     "one of them"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"db_query\",\"config\":{\"table\":\"t\"}}", "/connection_id",
     "required", "connection"},
    {&ingest_job_fields, "{" DB ",\"format\":\"csv\",\"config\":{\"table\":\"t\"}}", "/format", "combination", "leave"},
    {&ingest_job_fields, "{" DB ",\"force_to_parquet\":false,\"compression\":\"none\",\"config\":{\"table\":\"t\"}}",
     "/force_to_parquet", "combination", "rows"},
    {&ingest_job_fields, "{" DB ",\"config\":{\"table\":\"t\",\"path\":\"a\"}}", "/config/path", "combination",
     "db_query"},
    {&ingest_job_fields, "{" DB ",\"incremental_mode\":\"incremental\",\"config\":{\"table\":\"t\"}}",
     "/watermark_column", "required", "full"},
    {&ingest_job_fields, QUERY("select 1;"), "/config/query", "sql", "';'"},
    {&ingest_job_fields, QUERY("select 1; drop table x"), "/config/query", "sql", "';'"},
    {&ingest_job_fields, QUERY("delete from x"), "/config/query", "sql", "SELECT"},
    {&ingest_job_fields, QUERY("selection"), "/config/query", "sql", "SELECT"},
    {&ingest_job_fields, QUERY("-- select"), "/config/query", "sql", "SELECT"},
    {&ingest_job_fields, QUERY("select 'a"), "/config/query", "sql", "close"},
    {&ingest_job_fields, QUERY("select 1 /* "), "/config/query", "sql", "close"},
    {&ingest_job_fields, QUERY("select $a$ x $b$"), "/config/query", "sql", "close"},
    {&ingest_job_fields, QUERY("select ';', \\\";\\\" -- ;"), "", "", ""},
    {&ingest_job_fields, QUERY("/* ; */ with a as (select 'it''s;') select $1, $q$;$q$ from a"), "", "", ""},
    {&ingest_job_fields, "{" DB ",\"config\":{\"table\":\"t\",\"parallel\":{\"column\":\"a\",\"parts\":2}}}",
     "/config/parallel", "unknown_field", "remove"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"api\",\"config\":{}}", "/source_type", "choice",
     "not in this version"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"file_s3\",\"format\":\"csv\"}", "/source_type", "choice",
     "file_upload, file_local, db_query"},
};

static const struct refusal ingest_refusals[] = {
    {&ingest_job_fields, "{" LOCAL ",\"name\":null}", "/name", "null", "give"},
    {&ingest_job_fields, "{" LOCAL ",\"nmae\":\"x\"}", "/nmae", "unknown_field", "did you mean 'name'"},
    {&ingest_job_fields, "{" LOCAL ",\"csv_options\":{}}", "/csv_options", "unknown_field", "config.csv_options"},
    {&ingest_job_fields, "{" LOCAL ",\"path\":\"/in\"}", "/path", "unknown_field", "config.path"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"ftp\"}", "/source_type", "choice", "file_upload"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"file_local\",\"config\":{\"path\":\"/a\"}}", "/format",
     "required", "csv, json or parquet"},
    {&ingest_job_fields, "{" LOCAL ",\"format\":\"xml\"}", "/format", "choice", "parquet"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"file_local\",\"format\":\"csv\"}", "/config/path",
     "required", "glob"},
    {&ingest_job_fields, "{\"name\":\"n\",\"source_type\":\"file_upload\",\"format\":\"csv\"}", "/config/upload_id",
     "required", "/api/uploads"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"upload_id\":\"01234567890123456789012345\"}}",
     "/config/upload_id", "combination", "leave it out"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"table\":\"x\"}}", "/config/table", "combination",
     "leave it out"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"ftp\":\"x\"}}", "/config/ftp", "unknown_field",
     "path"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"../a\"}}", "/config/path", "format", ".."},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/in/../a\"}}", "/config/path", "format", ".."},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/in/..\"}}", "/config/path", "format", ".."},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"delimiter\":\";\"}}", "/config/delimiter",
     "unknown_field", "config.csv_options.delimiter"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"delimiter\":\"\\n\"}}}",
     "/config/csv_options/delimiter", "format", "line ends"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"quote\":\"\\u00e9\"}}}",
     "/config/csv_options/quote", "format", "ASCII"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"quote\":\"''\"}}}",
     "/config/csv_options/quote", "length", "at most 1"},
    {&ingest_job_fields,
     "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"quote\":\";\",\"delimiter\":\";\"}}}",
     "/config/csv_options/quote", "combination", "change one"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"encoding\":\"utf-99\"}}}",
     "/config/csv_options/encoding", "choice", "iconv"},
    {&ingest_job_fields, "{" LOCAL ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"header\":1}}}",
     "/config/csv_options/header", "type", "true or false"},
    {&ingest_job_fields, "{" PARQUET ",\"config\":{\"path\":\"/a\",\"csv_options\":{\"delimiter\":\";\"}}}",
     "/config/csv_options", "combination", "set format to csv"},
    {&ingest_job_fields, "{" LOCAL ",\"connection_id\":\"c\"}", "/connection_id", "combination", "leave"},
    {&ingest_job_fields, "{" PARQUET ",\"force_to_parquet\":false}", "/force_to_parquet", "combination",
     "parquet stays parquet"},
    {&ingest_job_fields, "{" LOCAL ",\"force_to_parquet\":false,\"compression\":\"snappy\"}", "/compression",
     "combination", "gzip"},
    {&ingest_job_fields,
     "{" LOCAL ",\"force_to_parquet\":false,\"incremental_mode\":\"incremental\",\"watermark_column\":\"t\","
     "\"dedupe_keys\":[\"id\"]}",
     "/force_to_parquet", "combination", "merges"},
    {&ingest_job_fields, "{" LOCAL ",\"incremental_mode\":\"incremental\"}", "/watermark_column", "required", "full"},
    {&ingest_job_fields, "{" LOCAL ",\"error_handling\":\"quarantine\"}", "/quarantine_path", "required", "quarantine"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"/q\"}", "/quarantine_path", "format", "relative"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"a/../b\"}", "/quarantine_path", "format", "'.'"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\".staging/x\"}", "/quarantine_path", "format", "'.'"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"Bronze/x\"}", "/quarantine_path", "format", "another"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"landing\"}", "/quarantine_path", "format", "another"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"q/\"}", "/quarantine_path", "format", "empty part"},
    {&ingest_job_fields, "{" LOCAL ",\"quarantine_path\":\"q\\\\a\"}", "/quarantine_path", "format", "backslash"},
    {&ingest_job_fields, "{" LOCAL ",\"max_rejects\":3}", "/max_rejects", "combination", "quarantine"},
    {&ingest_job_fields, "{" LOCAL ",\"max_reject_ratio\":0}", "/max_reject_ratio", "combination", "quarantine"},
    {&ingest_job_fields, "{" LOCAL ",\"schema_mode\":\"user\"}", "/user_schema", "required", "bigint"},
    {&ingest_job_fields, "{" LOCAL ",\"schema_mode\":\"user\",\"user_schema\":[]}", "/user_schema", "required", "one"},
    {&ingest_job_fields, "{" LOCAL ",\"user_schema\":[{\"name\":\"a\",\"type\":\"int8\"}]}", "/user_schema/0/type",
     "unknown_type", "int8"},
    {&ingest_job_fields, "{" LOCAL ",\"user_schema\":[{\"name\":\"a\",\"type\":\"decimal(99,1)\"}]}",
     "/user_schema/0/type", "unknown_type", "decimal"},
    {&ingest_job_fields,
     "{" LOCAL ",\"user_schema\":[{\"name\":\"a\",\"type\":\"date\"},{\"name\":\"A\",\"type\":\"date\"}]}",
     "/user_schema/1/name", "duplicate", "column 0"},
    {&ingest_job_fields, "{" LOCAL ",\"user_schema\":[{\"name\":\"a\"}]}", "/user_schema/0/type", "required",
     "decimal(p,s)"},
    {&ingest_job_fields, "{" LOCAL ",\"partition_pattern\":\"yyyy/mm\"}", "/partition_pattern", "format", "mm"},
    {&ingest_job_fields, "{" LOCAL ",\"partition_mode\":\"column\"}", "/partition_pattern", "required", "commas"},
    {&ingest_job_fields, "{" LOCAL ",\"partition_mode\":\"column\",\"partition_pattern\":\"a,,b\"}",
     "/partition_pattern", "format", "missing"},
    {&ingest_job_fields, "{" LOCAL ",\"partition_mode\":\"column\",\"partition_pattern\":\"a, A\"}",
     "/partition_pattern", "duplicate", "twice"},
    {&ingest_job_fields, "{" LOCAL "," USER ",\"partition_mode\":\"column\",\"partition_pattern\":\"a,c\"}",
     "/partition_pattern", "not_found", "'c'"},
    {&ingest_job_fields, "{" LOCAL ",\"partition_mode\":\"none\",\"partition_pattern\":\"yyyy\"}", "/partition_pattern",
     "combination", "leave"},
    {&ingest_job_fields, "{" LOCAL ",\"filename_pattern\":\"{name}\"}", "/filename_pattern", "format", "token"},
    {&ingest_job_fields, "{" LOCAL ",\"dedupe_keys\":[\"\"]}", "/dedupe_keys/0", "length", "empty"},
    {&ingest_job_fields, "{" LOCAL ",\"dedupe_keys\":[\"a\",\"b\",\"A\"]}", "/dedupe_keys/2", "duplicate", "remove"},
    {&ingest_job_fields, "{" LOCAL "," USER ",\"dedupe_keys\":[\"a\",\"x\"]}", "/dedupe_keys/1", "not_found", "'x'"},
    {&ingest_job_fields, "{" LOCAL "," USER ",\"watermark_column\":\"x\"}", "/watermark_column", "not_found", "'x'"},
    {&ingest_job_fields, "{" LOCAL ",\"rename_map\":{\"a\":\"x\",\"b/c\":\"X\"}}", "/rename_map/b~1c", "duplicate",
     "'a' and 'b/c'"},
    {&ingest_job_fields, "{" LOCAL ",\"rename_map\":{\"a\":\"\"}}", "/rename_map/a", "length", "empty"},
    {&ingest_job_fields, "{" LOCAL ",\"rename_map\":{\"\":\"x\"}}", "/rename_map/", "length", "1 to 255"},
    {&ingest_job_fields, "{" LOCAL ",\"rename_map\":{\"__prefect_kind\":\"x\"}}", "/rename_map/__prefect_kind",
     "format", "Prefect"},
    {&ingest_job_fields, "{" LOCAL ",\"dataset\":\"Sales\"}", "/dataset", "format", "lower-case"},
    {&ingest_job_fields, "{" LOCAL ",\"dataset\":\"-a\"}", "/dataset", "format", "lower-case"},
    {&ingest_job_fields, "{" LOCAL ",\"is_reference\":\"yes\"}", "/is_reference", "type", "true or false"},
    {&ingest_job_fields, "{" LOCAL ",\"landing_retention_days\":-1}", "/landing_retention_days", "range", "0"},
    {&ingest_job_fields, "{" LOCAL ",\"retries\":11}", "/retries", "range", "10"},
    {&ingest_job_fields, "{" LOCAL ",\"retry_delay_seconds\":3601}", "/retry_delay_seconds", "range", "3600"},
    {&ingest_job_fields, "{" LOCAL ",\"timeout_seconds\":0}", "/timeout_seconds", "range", "604800"},
    {&ingest_job_fields, "{" LOCAL ",\"compression\":\"lz4\"}", "/compression", "choice", "zstd"},
    {&ingest_job_fields, "{" LOCAL ",\"last_watermark_value\":\"9\"}", "/last_watermark_value", "read_only", "server"},
};

static const struct refusal dataset_refusals[] = {
    {&dataset_job_fields, "{" MART ",\"layer\":\"bronze\"}", "/layer", "choice", "silver"},
    {&dataset_job_fields, "{" MART ",\"inputs\":[]}", "/inputs", "length", "at least one"},
    {&dataset_job_fields, "{" MART ",\"inputs\":[{\"alias\":\"1a\",\"dataset\":\"bronze.x\"}]}", "/inputs/0/alias",
     "format", "digit"},
    {&dataset_job_fields,
     "{" MART ",\"inputs\":[{\"alias\":\"a\",\"dataset\":\"bronze.x\"},{\"alias\":\"A\",\"dataset\":\"bronze.y\"}]}",
     "/inputs/1/alias", "duplicate", "input 0"},
    {&dataset_job_fields, "{" MART ",\"inputs\":[{\"alias\":\"a\",\"dataset\":\"x\"}]}", "/inputs/0/dataset", "format",
     "bronze.orders"},
    {&dataset_job_fields, "{" MART ",\"inputs\":[{\"alias\":\"a\",\"dataset\":\"gold.mart\"}]}", "/inputs/0/dataset",
     "combination", "another"},
    {&dataset_job_fields, "{" MART ",\"sql\":\"\"}", "/sql", "length", "empty"},
    {&dataset_job_fields, "{" MART ",\"sql\":\" ;\\n\"}", "/sql", "required", "SELECT"},
    {&dataset_job_fields, "{" MART ",\"refresh_mode\":\"merge\"}", "/merge_keys", "required", "tell rows apart"},
    {&dataset_job_fields, "{" MART ",\"merge_keys\":[\"id\"]}", "/merge_keys", "combination", "merge"},
    {&dataset_job_fields, "{" MART ",\"refresh_mode\":\"merge\",\"merge_keys\":[\"a\",\"a\"]}", "/merge_keys/1",
     "duplicate", "remove"},
    {&dataset_job_fields,
     "{" MART
     ",\"refresh_mode\":\"merge\",\"merge_keys\":[\"a\"],\"output_schema\":[{\"name\":\"b\",\"type\":\"date\"}]}",
     "/merge_keys/0", "not_found", "output_schema"},
    {&dataset_job_fields, "{" MART ",\"output_schema\":[]}", "/output_schema", "length", "at least one"},
    {&dataset_job_fields, "{" MART ",\"output_schema\":[{\"name\":\"b\",\"type\":\"text\"}]}", "/output_schema/0/type",
     "unknown_type", "text"},
    {&dataset_job_fields, "{" MART ",\"partition_mode\":\"date\",\"partition_pattern\":\"\"}", "/partition_pattern",
     "format", ""},
    {&dataset_job_fields, "{" MART ",\"dedupe_keys\":[]}", "/dedupe_keys", "unknown_field", "merge_keys"},
};

static void test_refusals(void **state)
{
    (void)state;
    assert_refusals(pipeline_refusals, ARRAY_LENGTH(pipeline_refusals));
    assert_refusals(ingest_refusals, ARRAY_LENGTH(ingest_refusals));
    assert_refusals(source_refusals, ARRAY_LENGTH(source_refusals));
    assert_refusals(dataset_refusals, ARRAY_LENGTH(dataset_refusals));
}

static void assert_member(const json_t *record, const char *key, const char *text)
{
    json_t *wanted = parse(text);
    if (!json_equal(json_object_get(record, key), wanted)) {
        char *found = json_dumps(record, JSON_COMPACT);
        print_error("%s is not %s in %s\n", key, text, found);
        free(found);
        fail();
    }
    json_decref(wanted);
}

static void test_defaults(void **state)
{
    (void)state;
    json_t *record = accepted(&ingest_job_fields, NULL, "{" LOCAL "}");
    assert_member(record, "force_to_parquet", "true");
    assert_member(record, "partition_mode", "\"date\"");
    assert_member(record, "partition_pattern", "\"yyyy/MM/dd\"");
    assert_member(record, "filename_pattern", "\"{timestamp}_{filename}\"");
    assert_member(record, "error_handling", "\"fail\"");
    assert_member(record, "compression", "\"snappy\"");
    assert_member(record, "dataset", "\"sales_eu\"");
    assert_member(record, "incremental_mode", "\"full\"");
    assert_member(record, "schema_mode", "\"infer\"");
    assert_member(record, "user_schema", "null");
    assert_member(record, "landing_retention_days", "null");
    assert_member(record, "enabled", "true");
    assert_member(record, "config",
                  "{\"path\":\"/in\",\"recursive\":true,\"upload_id\":null,\"json_options\":{},\"csv_options\":{"
                  "\"delimiter\":null,\"header\":null,\"encoding\":null,\"quote\":null,\"escape\":null,"
                  "\"comment\":null,\"skip_lines\":null}}");
    json_decref(record);
    record = accepted(&ingest_job_fields, NULL, "{" LOCAL ",\"force_to_parquet\":false}");
    assert_member(record, "compression", "\"none\"");
    json_decref(record);
    record = accepted(&ingest_job_fields, NULL, "{" PARQUET ",\"partition_mode\":\"none\"}");
    assert_member(record, "partition_pattern", "null");
    json_decref(record);
    record = accepted(&dataset_job_fields, NULL, "{" MART "}");
    assert_member(record, "dataset", "\"mart\"");
    assert_member(record, "refresh_mode", "\"full\"");
    assert_member(record, "partition_mode", "\"none\"");
    assert_member(record, "compression", "\"snappy\"");
    json_decref(record);
    record = accepted(&pipeline_fields, NULL, "{\"name\":\"P\"}");
    assert_member(record, "orchestrator", "\"auto\"");
    assert_member(record, "environment", "\"development\"");
    json_decref(record);
}

static void test_accepted(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "{" LOCAL "," USER ",\"dedupe_keys\":[\"A\"],\"watermark_column\":\"B\",\"incremental_mode\":\"incremental\"}",
        "{" LOCAL ",\"error_handling\":\"quarantine\",\"quarantine_path\":\"quarantine/eu\",\"max_rejects\":0}",
        "{" LOCAL ",\"partition_mode\":\"column\",\"partition_pattern\":\"country, year\"}",
        "{" LOCAL ",\"partition_pattern\":\"dt=yyyy-MM-dd\"}",
        "{" LOCAL ",\"force_to_parquet\":false,\"compression\":\"gzip\"}",
        "{" UPLOADED ",\"rename_map\":{\"a\":\"b\",\"b\":\"a\"},\"null_values\":[\"\",\"NULL\"]}",
    };
    static const char *const names[] = {"{\"name\":\"\xC3\x89t\xC3\xA9 \xE6\x97\xA5\"}", "{\"name\":\"a\"}",
                                        "{\"name\":\"\xF0\x9F\x98\x80\"}"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        json_decref(accepted(&pipeline_fields, NULL, names[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        json_decref(accepted(&ingest_job_fields, NULL, requests[i]));
}

static void test_types_get_plain_names(void **state)
{
    (void)state;
    json_t *record = accepted(&ingest_job_fields, NULL,
                              "{" LOCAL ",\"user_schema\":[{\"name\":\"a\",\"type\":\"BIGINT\",\"nullable\":false},"
                              "{\"name\":\"b\",\"type\":\"Decimal(18, 2)\"}]}");
    assert_member(record, "user_schema",
                  "[{\"name\":\"a\",\"type\":\"bigint\",\"nullable\":false},"
                  "{\"name\":\"b\",\"type\":\"decimal(18,2)\",\"nullable\":true}]");
    json_decref(record);
}

static void test_update(void **state)
{
    (void)state;
    json_t *before = accepted(&ingest_job_fields, NULL, "{" LOCAL ",\"dedupe_keys\":[\"id\"],\"retries\":2}");
    json_t *copy = json_deep_copy(before), *errors;
    /* One bad member: nothing changes. */
    assert_null(apply(&ingest_job_fields, before, "{\"retries\":3,\"compression\":\"lz4\"}", &errors));
    assert_int_equal(json_array_size(errors), 1);
    json_decref(errors);
    assert_true(json_equal(before, copy));
    /* The rules see the whole record. */
    assert_null(apply(&ingest_job_fields, before, "{\"incremental_mode\":\"incremental\"}", &errors));
    assert_string_equal(json_text(json_array_get(errors, 0), "pointer", ""), "/watermark_column");
    json_decref(errors);
    json_t *after = accepted(&ingest_job_fields, before,
                             "{\"incremental_mode\":\"incremental\",\"watermark_column\":\"t\",\"name\":\"Other\"}");
    assert_member(after, "dataset", "\"sales_eu\"");
    assert_member(after, "dedupe_keys", "[\"id\"]");
    assert_member(after, "retries", "2");
    json_decref(after);
    /* A pattern does not outlive its mode. */
    after = accepted(&ingest_job_fields, before, "{\"partition_mode\":\"none\"}");
    assert_member(after, "partition_pattern", "null");
    json_t *again = accepted(&ingest_job_fields, after, "{\"partition_mode\":\"date\"}");
    assert_member(again, "partition_pattern", "\"yyyy/MM/dd\"");
    json_decref(again);
    json_decref(after);
    assert_null(apply(&ingest_job_fields, before, "{\"partition_mode\":\"column\"}", &errors));
    assert_string_equal(json_text(json_array_get(errors, 0), "code", ""), "required");
    json_decref(errors);
    /* An empty update is the identity. */
    after = accepted(&ingest_job_fields, before, "{}");
    assert_true(json_equal(before, after));
    json_decref(after);
    json_decref(before);
    json_decref(copy);
}

static void test_all_at_once(void **state)
{
    (void)state;
    json_t *errors;
    assert_null(
        apply(&ingest_job_fields, NULL,
              "{\"source_type\":\"file_local\",\"incremental_mode\":\"incremental\",\"error_handling\":"
              "\"quarantine\",\"schema_mode\":\"user\",\"partition_pattern\":\"x/\",\"retries\":-1,\"bogus\":1}",
              &errors));
    /* name, format, config.path, watermark_column, quarantine_path, user_schema, partition_pattern, retries, bogus */
    assert_int_equal(json_array_size(errors), 9);
    json_decref(errors);
}

static bool has(const json_t *errors, const char *pointer, const char *code)
{
    size_t i;
    const json_t *item;
    json_array_foreach(errors, i, item)
    {
        if (strcmp(json_text(item, "pointer", ""), pointer) == 0 && strcmp(json_text(item, "code", ""), code) == 0)
            return true;
    }
    return false;
}

/* An item of a list that is wrong by itself hides nothing of the others, and makes up no fault of theirs. */
static void test_items_beside_a_wrong_one(void **state)
{
    (void)state;
    json_t *errors;
    assert_null(apply(&ingest_job_fields, NULL,
                      "{\"name\":\"j\",\"source_type\":\"file_local\",\"format\":\"csv\",\"config\":{\"path\":\"a\"},"
                      "\"schema_mode\":\"user\",\"user_schema\":[{\"type\":1},{\"name\":\"a\",\"type\":\"texty\"},"
                      "{\"name\":\"A\",\"type\":\"date\"},7],\"dedupe_keys\":[1,\"k\",\"K\",2]}",
                      &errors));
    assert_true(has(errors, "/user_schema/0/name", "required"));
    assert_true(has(errors, "/user_schema/0/type", "type"));
    assert_true(has(errors, "/user_schema/1/type", "unknown_type"));
    assert_true(has(errors, "/user_schema/2/name", "duplicate"));
    assert_true(has(errors, "/user_schema/3", "type"));
    assert_true(has(errors, "/dedupe_keys/0", "type"));
    assert_true(has(errors, "/dedupe_keys/2", "duplicate"));
    assert_true(has(errors, "/dedupe_keys/3", "type"));
    assert_int_equal(json_array_size(errors), 8);
    json_decref(errors);
    assert_null(apply(&dataset_job_fields, NULL,
                      "{\"name\":\"j\",\"layer\":\"gold\",\"sql\":\"SELECT 1\",\"inputs\":[3,{\"alias\":\"a\","
                      "\"dataset\":\"gold.j\"},{\"alias\":\"\"}]}",
                      &errors));
    assert_true(has(errors, "/inputs/0", "type"));
    assert_true(has(errors, "/inputs/1/dataset", "combination"));
    assert_true(has(errors, "/inputs/2/alias", "length"));
    assert_true(has(errors, "/inputs/2/dataset", "required"));
    assert_int_equal(json_array_size(errors), 4);
    json_decref(errors);
    assert_null(apply(&pipeline_fields, NULL, "{\"name\":\"p\",\"tags\":[1,\"x\",2,\"X\"]}", &errors));
    assert_int_equal(json_array_size(errors), 3);
    json_decref(errors);
}

static void test_forms(void **state)
{
    (void)state;
    static const struct field_table *const tables[] = {&pipeline_fields, &ingest_job_fields, &dataset_job_fields};
    struct error err = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        json_t *form = NULL, *schema = NULL;
        assert_int_equal(field_table_describe(tables[i], &form, &err), OK);
        assert_int_equal(json_array_size(json_object_get(form, "fields")), tables[i]->count);
        assert_int_equal(field_table_json_schema(tables[i], false, &schema, &err), OK);
        assert_int_equal(json_object_size(json_object_get(schema, "properties")), tables[i]->count);
        json_decref(schema);
        assert_int_equal(field_table_json_schema(tables[i], true, &schema, &err), OK);
        json_decref(schema);
        json_decref(form);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_types_get_plain_names),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_items_beside_a_wrong_one),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
