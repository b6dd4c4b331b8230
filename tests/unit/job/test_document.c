/* Documents: YAML read as JSON, refusals with their place, texts that come back the same, export and apply as inverses.
 */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "job/document.h"
#include "job/document_yaml.h"
#include "job/fields.h"

static json_t *parse_json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void assert_same(const json_t *value, const json_t *wanted)
{
    if (json_equal(value, wanted))
        return;
    char *a = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(1)),
         *b = json_dumps(wanted, JSON_ENCODE_ANY | JSON_INDENT(1));
    print_error("found %s\nwanted %s\n", a, b);
    free(a);
    free(b);
    fail();
}

static json_t *read_text(const char *text)
{
    struct error err = {0};
    json_t *value = NULL;
    if (document_parse(text, strlen(text), "p.yaml", &value, &err) != OK)
        print_error("%s\n%s\n", text, err.message);
    assert_non_null(value);
    return value;
}

static const struct {
    const char *yaml, *json;
} readings[] = {
    {"a: 1\nb: '1'\nc: \"true\"\nd: true\ne: yes\nf: no\ng: null\nh: ~\ni:\nj: ''\n",
     "{\"a\":1,\"b\":\"1\",\"c\":\"true\",\"d\":true,\"e\":\"yes\",\"f\":\"no\",\"g\":null,\"h\":null,\"i\":null,\"j\":"
     "\"\"}"},
    {"- 0x1F\n- 0o17\n- 017\n- -5\n- +5\n- 1.5\n- 1e3\n- .5\n- 5.\n- 1_000\n- 12:30:45\n- 2026-11-25\n- 0b1\n- "
     "1.2.3\n- '-'\n- .\n- True\n- FALSE\n- tRUE\n",
     "[31,15,17,-5,5,1.5,1000.0,0.5,5.0,\"1_000\",\"12:30:45\",\"2026-11-25\",\"0b1\",\"1.2.3\",\"-\",\".\",true,false,"
     "\"tRUE\"]"},
    {"sql: |\n  SELECT *\n    FROM o -- # no comment\n\n  WHERE a > 1\nnext: >\n  folded\n  text\n",
     "{\"sql\":\"SELECT *\\n  FROM o -- # no comment\\n\\nWHERE a > 1\\n\",\"next\":\"folded text\\n\"}"},
    {"# c\n---\n{a: [1, 'x'], \"b\": {}}\n...\n", "{\"a\":[1,\"x\"],\"b\":{}}"},
    {" {\"a\": [1, 2.5, null]}", "{\"a\":[1,2.5,null]}"},
    {"1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}"},
    {"\xEF\xBB\xBF"
     "a: caf\xC3\xA9\n",
     "{\"a\":\"caf\xC3\xA9\"}"},
};

static void test_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(readings); i++) {
        json_t *value = read_text(readings[i].yaml), *wanted = parse_json(readings[i].json);
        assert_same(value, wanted);
        json_decref(value);
        json_decref(wanted);
    }
}

static const struct {
    const char *text, *place, *part;
} refusals[] = {
    {"", "line 1, column 1", "no document"},
    {"# only a comment\n", "line 2", "no document"},
    {"a: 1\nb: 2\na: 3\n", "line 3, column 1", "before"},
    {"a: &x 1\nb: *x\n", "line 1, column 4", "anchors"},
    {"a: 1\nb: *x\n", "line 2, column 4", "aliases"},
    {"a: !!str 1\n", "line 1, column 4", "tags"},
    {"a: !foo {}\n", "line 1, column 4", "tags"},
    {"&a [b]: 1\n", "line 1", "word"},
    {"a: 1\n---\nb: 2\n", "line 3, column 1", "second document"},
    {"a: [1, 2\nb: 3\n", "line 2", ""},
    {"a:\n  - b\n - c\n", "line 3", ""},
    {"a: \"x\n", "line 2", ""},
    {"a: \t- b: c: d\n", "line 1", ""},
    {"a: 99999999999999999999\n", "line 1, column 4", "64 bits"},
    {"a: .inf\n", "line 1, column 4", "infinity"},
    {"a: 1e999\n", "line 1, column 4", "infinity"},
    {"a: \xFF\xFE\n", "line 1", ""},
    {"\"a\\0b\": 1\n", "line 1, column 1", "NUL"},
    {"{\"a\": 1,\n \"a\": 2}", "line 2", "duplicate"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
        struct error err = {0};
        json_t *value = NULL;
        status s = document_parse(refusals[i].text, strlen(refusals[i].text), "p.yaml", &value, &err);
        if (s != ERR_INVALID || !strstr(err.message, refusals[i].place) || !strstr(err.message, refusals[i].part) ||
            !strstr(err.message, "p.yaml")) {
            print_error("%s gave %d %s\n", refusals[i].text, (int)s, err.message);
            fail();
        }
        assert_null(value);
    }
}

static void test_depth(void **state)
{
    (void)state;
    char text[20000];
    struct error err = {0};
    json_t *value = NULL;
    memset(text, '[', sizeof text);
    assert_int_equal(document_parse(text, sizeof text, "p.yaml", &value, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "too deeply"));
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    assert_int_equal(document_parse(text, 128, "p.yaml", &value, &err), OK);
    json_decref(value);
}

/* Texts that are hard to write, as value, as key and in a list. */
static const char *const texts[] = {
    "",
    " ",
    "a",
    "a b",
    " a",
    "a ",
    "yes",
    "No",
    "on",
    "null",
    "~",
    "true",
    "False",
    "1",
    "-1",
    "1.5",
    ".5",
    "0x1f",
    "1e3",
    "2026-11-25",
    "12:30",
    "a: b",
    "a:",
    "#a",
    "a #b",
    "- a",
    "-",
    "--- ",
    "---",
    "...",
    "? a",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "'a'",
    "\"a\"",
    "a\"b",
    "a'b",
    "{a}",
    "[a]",
    "{timestamp}_{filename}",
    "yyyy/MM/dd",
    "/in/*.csv",
    "a,b",
    "a\\b",
    "a\tb",
    "\t",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\n",
    "\na",
    " a\nb",
    "a\n b\n",
    "a\n\nb",
    "a\n  \nb",
    "a \nb \n",
    "a\n---\nb",
    "a\n# b\n",
    "a\r\nb",
    "a\n\tb",
    "\xC3\xA9\nb",
    "caf\xC3\xA9",
    "\xF0\x9F\x98\x80",
    "\xF0\x9F\x98\x80\nb\n",
    "\xC2\x85",
    "a\xE2\x80\xA8"
    "b",
    "a\n\xE2\x80\xA8"
    "b",
    "\xEF\xBB\xBFx",
    "\x01\x1f\x7f",
    "a\n\x01",
    "\xEF\xBF\xBE",
    "SELECT *\nFROM o\nWHERE x = 'a: b' -- c\n",
    "=",
    "<<",
    "a  b",
    "decimal(18,2)",
    ".inf",
    "-.inf",
    ".nan",
    "a\n\n\n",
    "a\n ",
    "a\n\n ",
};

static void test_texts_come_back(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *document = json_object(), *list = json_array(), *keys = json_object(), *lists = json_array();
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        json_array_append_new(list, json_string(texts[i]));
        json_object_set_new(keys, texts[i], json_string(texts[i]));
        json_array_append_new(lists, json_pack("[[s,[]],{s:s}]", texts[i], "k", texts[i]));
    }
    json_object_set_new(document, "list", list);
    json_object_set_new(document, "keys", keys);
    json_object_set_new(document, "lists", lists);
    json_object_set_new(document, "numbers",
                        json_pack("[f,f,f,I,n,b,b,{},[]]", 0.1, 1e300, 3.0, (json_int_t)INT64_MIN, 1, 0));
    for (int yaml = 0; yaml < 2; yaml++) {
        struct buf text = {0};
        status s = document_write(document, yaml, &text, &err);
        if (s != OK) {
            print_error("%s\n", err.message);
            struct buf raw = {0};
            assert_int_equal(yaml_write(document, &raw, &err), OK);
            print_error("%.*s\n", (int)raw.len, raw.data);
            buf_release(&raw);
        }
        assert_int_equal(s, OK);
        json_t *again = NULL;
        assert_int_equal(document_parse((char *)text.data, text.len, "p", &again, &err), OK);
        assert_same(again, document);
        json_decref(again);
        buf_release(&text);
    }
    json_decref(document);
}

static const char *const example = "version: 1\n"
                                   "pipeline:\n"
                                   "  name: Sales EU\n"
                                   "  tags:\n"
                                   "    - finance\n"
                                   "ingest_jobs:\n"
                                   "  - name: Orders\n"
                                   "    source_type: file_local\n"
                                   "    format: csv\n"
                                   "    config:\n"
                                   "      path: /in/orders\n"
                                   "      csv_options:\n"
                                   "        delimiter: \";\"\n"
                                   "    partition_mode: column\n"
                                   "    partition_pattern: country\n"
                                   "    schema_mode: user\n"
                                   "    user_schema:\n"
                                   "      - name: id\n"
                                   "        type: bigint\n"
                                   "        nullable: false\n"
                                   "      - name: country\n"
                                   "        type: string\n"
                                   "    dedupe_keys:\n"
                                   "      - id\n"
                                   "dataset_jobs:\n"
                                   "  - name: Mart\n"
                                   "    layer: gold\n"
                                   "    inputs:\n"
                                   "      - alias: o\n"
                                   "        dataset: bronze.orders\n"
                                   "    sql: |\n"
                                   "      SELECT country, count(*) AS n\n"
                                   "      FROM o\n"
                                   "      GROUP BY ALL\n";

static json_t *apply(const json_t *document)
{
    struct field_errors errors = {0};
    struct error err = {0};
    json_t *record = NULL;
    assert_int_equal(field_table_apply(&document_fields, NULL, document, &record, &errors, &err), OK);
    if (errors.list)
        print_error("%s\n", json_dumps(errors.list, 0));
    assert_non_null(record);
    return record;
}

static json_t *export(const json_t *record)
{
    struct error err = {0};
    json_t *document = NULL;
    assert_int_equal(document_export(json_object_get(record, "pipeline"), json_object_get(record, "ingest_jobs"),
                                     json_object_get(record, "dataset_jobs"), &document, &err),
                     OK);
    return document;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct error err = {0};
    struct buf text = {0};
    json_t *document = read_text(example), *record = apply(document);
    assert_string_equal(json_text(json_array_get(json_object_get(record, "ingest_jobs"), 0), "dataset", ""), "orders");
    json_t *exported = export(record);
    assert_same(exported, document);
    assert_int_equal(document_write(exported, true, &text, &err), OK);
    if (text.len != strlen(example) || memcmp(text.data, example, text.len) != 0)
        print_error("%.*s", (int)text.len, text.data);
    assert_int_equal(text.len, strlen(example));
    assert_memory_equal(text.data, example, text.len);
    json_t *again = apply(exported);
    assert_same(again, record);
    json_decref(again);
    /* As the store gives it, with what the server fills in. */
    json_object_set_new(json_object_get(record, "pipeline"), "id", json_string("x"));
    json_object_set_new(json_object_get(record, "pipeline"), "created_at", json_string("2026-11-25T10:00:00Z"));
    json_object_set_new(json_array_get(json_object_get(record, "ingest_jobs"), 0), "last_watermark_value",
                        json_string("9"));
    again = export(record);
    assert_same(again, document);
    json_decref(again);
    buf_release(&text);
    json_decref(exported);
    json_decref(record);
    json_decref(document);
}

static void test_defaults_that_were_changed_stay(void **state)
{
    (void)state;
    json_t *document =
        read_text("version: 1\npipeline:\n  name: P\n  max_parallel_jobs: 2\ningest_jobs:\n  - name: A b\n"
                  "    source_type: file_local\n    format: json\n    config:\n      path: /a\n"
                  "      recursive: false\n    force_to_parquet: false\n    dataset: other\n"
                  "    partition_mode: none\n    compression: gzip\n    retry_delay_seconds: 0\n");
    json_t *record = apply(document), *exported = export(record);
    assert_same(exported, document);
    json_decref(exported);
    json_decref(record);
    json_decref(document);
}

static const struct {
    const char *yaml, *pointer, *code;
} wrong[] = {
    {"{}", "/pipeline", "required"},
    {"pipeline: {name: a}\njobs: []\n", "/jobs", "unknown_field"},
    {"version: 2\npipeline: {name: a}\n", "/version", "range"},
    {"pipeline: {nmae: a, name: b}\n", "/pipeline/nmae", "unknown_field"},
    {"pipeline: {name: a}\ningest_jobs: [{name: a, source_type: file_local, format: csv}]\n",
     "/ingest_jobs/0/config/path", "required"},
    {"pipeline: {name: 1}\n", "/pipeline/name", "type"},
    {"pipeline: {name: a}\ningest_jobs:\n- {name: a, source_type: file_local, format: csv, config: {path: /a}}\n"
     "- {name: A, dataset: b, source_type: file_local, format: csv, config: {path: /a}}\n",
     "/ingest_jobs/1/name", "duplicate"},
    {"pipeline: {name: a}\ningest_jobs:\n- {name: a, source_type: file_local, format: csv, config: {path: /a}}\n"
     "- {name: b, dataset: a, source_type: file_local, format: csv, config: {path: /a}}\n",
     "/ingest_jobs/1/dataset", "duplicate"},
};

static void test_wrong_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct field_errors errors = {0};
        struct error err = {0};
        json_t *document = read_text(wrong[i].yaml), *record = NULL;
        assert_int_equal(field_table_apply(&document_fields, NULL, document, &record, &errors, &err), OK);
        assert_null(record);
        const json_t *first = json_array_get(errors.list, 0);
        if (field_errors_count(&errors) != 1)
            print_error("%s: %zu errors\n", wrong[i].yaml, field_errors_count(&errors));
        assert_int_equal(field_errors_count(&errors), 1);
        assert_string_equal(json_text(first, "pointer", ""), wrong[i].pointer);
        assert_string_equal(json_text(first, "code", ""), wrong[i].code);
        field_errors_release(&errors);
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),         cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_depth),           cmocka_unit_test(test_texts_come_back),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_defaults_that_were_changed_stay),
        cmocka_unit_test(test_wrong_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
