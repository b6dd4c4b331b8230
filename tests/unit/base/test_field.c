/* Field tables: what a request becomes, every refusal with its pointer and code, forms and JSON Schema. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/field.h"

static const struct field_def part_rows[] = {
    {.key = "size", .kind = FIELD_INTEGER, .flags = FIELD_REQUIRED, .min = 1, .max = 9},
    {.key = "note", .kind = FIELD_TEXT, .flags = FIELD_NULLABLE},
};

static status part_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    if (json_int(record, "size", 0) == 5)
        return field_error_add(errors, err, "/size", "combination", "5 is unlucky: take 4");
    return OK;
}

static const struct field_table part_table = {"part", "Part", part_rows, ARRAY_LENGTH(part_rows), .rules = part_rules};
static const char *const colours[] = {"red", "green", NULL};
static const struct field_def part_item = {.kind = FIELD_OBJECT, .of = &part_table};
static const struct field_def word_item = {.kind = FIELD_TEXT, .min = 1, .max = 5};
static const struct field_def rows[] = {
    {.key = "id", .kind = FIELD_TEXT, .flags = FIELD_READ_ONLY},
    {.key = "name",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 8,
     .label = "Name",
     .help = "A name."},
    {.key = "colour", .kind = FIELD_ENUM, .choices = colours, .default_json = "\"red\""},
    {.key = "count", .kind = FIELD_INTEGER, .flags = FIELD_NULLABLE, .min = 0, .max = 100},
    {.key = "ratio", .kind = FIELD_NUMBER, .default_json = "0.5", .min = 0, .max = 1},
    {.key = "on", .kind = FIELD_BOOLEAN, .default_json = "true"},
    {.key = "code", .kind = FIELD_TEXT, .flags = FIELD_NULLABLE, .pattern = "^[a-z]+$"},
    {.key = "key", .kind = FIELD_TEXT, .flags = FIELD_SECRET | FIELD_NULLABLE},
    {.key = "at", .kind = FIELD_TIME, .flags = FIELD_NULLABLE},
    {.key = "words", .kind = FIELD_LIST, .item = &word_item, .default_json = "[]", .max = 3},
    {.key = "map", .kind = FIELD_MAP, .default_json = "{}"},
    {.key = "part", .kind = FIELD_OBJECT, .flags = FIELD_NULLABLE, .of = &part_table},
    {.key = "parts", .kind = FIELD_LIST, .item = &part_item, .default_json = "[]"},
};
static const char *const elsewhere[][2] = {{"size", "part.size"}};

static status complete(json_t *record, const json_t *before, const json_t *request, struct error *err)
{
    (void)before;
    if (json_object_get(request, "code") || !json_is_null(json_object_get(record, "code")))
        return OK;
    return json_put_text(record, "code", "made", err);
}

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    if (strcmp(json_text(record, "colour", ""), "green") == 0 && !json_flag(record, "on", true))
        return field_error_add(errors, err, "/on", "combination", "green is always on: set on to true");
    return OK;
}

static const struct field_table table = {.name = "thing",
                                         .title = "Thing",
                                         .fields = rows,
                                         .count = ARRAY_LENGTH(rows),
                                         .elsewhere = elsewhere,
                                         .elsewhere_count = ARRAY_LENGTH(elsewhere),
                                         .complete = complete,
                                         .rules = rules};

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void assert_json(json_t *value, const char *text)
{
    json_t *wanted = parse(text);
    if (!json_equal(value, wanted)) {
        char *found = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        print_error("found %s\n", found);
        free(found);
        fail();
    }
    json_decref(wanted);
}

static json_t *apply(const char *before_text, const char *request_text)
{
    struct field_errors errors = {0};
    struct error err = {0};
    json_t *before = before_text ? parse(before_text) : NULL, *request = parse(request_text), *record = NULL;
    assert_int_equal(field_table_apply(&table, before, request, &record, &errors, &err), OK);
    if (errors.list)
        print_error("%s\n", json_dumps(errors.list, 0));
    assert_null(errors.list);
    assert_non_null(record);
    json_decref(before);
    json_decref(request);
    return record;
}

static void test_defaults(void **state)
{
    (void)state;
    json_t *record = apply(NULL, "{\"name\": \"n\"}");
    assert_json(record, "{\"name\":\"n\",\"colour\":\"red\",\"count\":null,\"ratio\":0.5,\"on\":true,\"code\":\"made\","
                        "\"key\":null,\"at\":null,\"words\":[],\"map\":{},\"part\":null,\"parts\":[]}");
    json_decref(record);
    record = apply(NULL, "{\"name\": \"n\", \"count\": 3.0, \"at\": \"2026-11-25T11:00:00+01:00\", \"code\": null,"
                         "\"part\": {\"size\": 2}}");
    assert_json(json_object_get(record, "count"), "3");
    assert_json(json_object_get(record, "code"), "null");
    assert_json(json_object_get(record, "part"), "{\"size\": 2, \"note\": null}");
    assert_int_equal(strncmp(json_text(record, "at", ""), "2026-11-25T10:00:00", 19), 0);
    json_decref(record);
}

static void test_update(void **state)
{
    (void)state;
    const char *before = "{\"id\":\"1\",\"name\":\"n\",\"colour\":\"green\",\"count\":7,\"ratio\":1,\"on\":true,"
                         "\"code\":\"x\",\"key\":\"s\",\"at\":null,\"words\":[\"a\"],\"map\":{\"a\":\"b\"},"
                         "\"part\":{\"size\":2,\"note\":\"n\"},\"parts\":[],\"later\":[1]}";
    json_t *record = apply(before, "{}");
    assert_json(record, before);
    json_decref(record);
    record = apply(before, "{\"id\":\"1\",\"count\":null,\"part\":{\"size\":3},\"map\":{}}");
    assert_json(record, "{\"id\":\"1\",\"name\":\"n\",\"colour\":\"green\",\"count\":null,\"ratio\":1,\"on\":true,"
                        "\"code\":\"x\",\"key\":\"s\",\"at\":null,\"words\":[\"a\"],\"map\":{},"
                        "\"part\":{\"size\":3,\"note\":null},\"parts\":[],\"later\":[1]}");
    json_decref(record);
}

static const struct {
    const char *request, *pointer, *code, *part;
} refused[] = {
    {"{}", "/name", "required", "A name."},
    {"[]", "", "type", "Thing"},
    {"{\"name\":null}", "/name", "null", "give a value"},
    {"{\"name\":1}", "/name", "type", "a whole number stands here"},
    {"{\"name\":\"\"}", "/name", "length", "empty"},
    {"{\"name\":\"123456789\"}", "/name", "length", "at most 8"},
    {"{\"name\":\"n\",\"colour\":\"blue\"}", "/colour", "choice", "red, green"},
    {"{\"name\":\"n\",\"colour\":3}", "/colour", "type", "a text"},
    {"{\"name\":\"n\",\"count\":101}", "/count", "range", "0 to 100"},
    {"{\"name\":\"n\",\"count\":1.5}", "/count", "type", "whole"},
    {"{\"name\":\"n\",\"ratio\":2}", "/ratio", "range", "0 to 1"},
    {"{\"name\":\"n\",\"ratio\":\"1\"}", "/ratio", "type", "a number"},
    {"{\"name\":\"n\",\"on\":1}", "/on", "type", "true or false"},
    {"{\"name\":\"n\",\"on\":null}", "/on", "null", "default"},
    {"{\"name\":\"n\",\"code\":\"A1\"}", "/code", "format", "'A1'"},
    {"{\"name\":\"n\",\"at\":\"yesterday\"}", "/at", "format", "RFC 3339"},
    {"{\"name\":\"n\",\"words\":{}}", "/words", "type", "a list"},
    {"{\"name\":\"n\",\"words\":[\"a\",\"\",\"b\"]}", "/words/1", "length", "empty"},
    {"{\"name\":\"n\",\"words\":[\"a\",\"a\",\"b\",\"c\"]}", "/words", "length", "at most 3"},
    {"{\"name\":\"n\",\"map\":{\"a/b~\":1}}", "/map/a~1b~0", "type", "a text"},
    {"{\"name\":\"n\",\"part\":{}}", "/part/size", "required", "missing"},
    {"{\"name\":\"n\",\"part\":{\"size\":5}}", "/part/size", "combination", "take 4"},
    {"{\"name\":\"n\",\"parts\":[{\"size\":1},{\"size\":1,\"x\":1}]}", "/parts/1/x", "unknown_field", "size, note"},
    {"{\"name\":\"n\",\"color\":\"red\"}", "/color", "unknown_field", "did you mean 'colour'"},
    {"{\"name\":\"n\",\"Cuont\":1}", "/Cuont", "unknown_field", "did you mean 'count'"},
    {"{\"name\":\"n\",\"size\":1}", "/size", "unknown_field", "part.size"},
    {"{\"name\":\"n\",\"whatever\":1}", "/whatever", "unknown_field", "name, colour"},
    {"{\"name\":\"n\",\"id\":\"1\"}", "/id", "read_only", "leave it out"},
    {"{\"name\":\"n\",\"colour\":\"green\",\"on\":false}", "/on", "combination", "set on to true"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct field_errors errors = {0};
        struct error err = {0};
        json_t *request = parse(refused[i].request), *record = NULL;
        assert_int_equal(field_table_apply(&table, NULL, request, &record, &errors, &err), OK);
        const json_t *first = json_array_get(errors.list, 0);
        if (field_errors_count(&errors) != 1 || strcmp(json_text(first, "pointer", "?"), refused[i].pointer) != 0 ||
            strcmp(json_text(first, "code", "?"), refused[i].code) != 0 ||
            !strstr(json_text(first, "message", ""), refused[i].part)) {
            char *found = errors.list ? json_dumps(errors.list, JSON_COMPACT) : NULL;
            print_error("%s gave %s\n", refused[i].request, found ? found : "nothing");
            free(found);
            fail();
        }
        assert_null(record);
        assert_int_equal(field_errors_status(&errors, &err), ERR_INVALID);
        assert_non_null(strstr(err.message, refused[i].pointer));
        field_errors_release(&errors);
        json_decref(request);
    }
}

static void test_all_at_once(void **state)
{
    (void)state;
    struct field_errors errors = {0};
    struct error err = {0};
    json_t *record = NULL;
    json_t *request = parse("{\"colour\":\"x\",\"count\":-1,\"on\":2,\"ratio\":9,\"code\":\"\\u00e9\",\"nope\":1}");
    assert_int_equal(field_table_apply(&table, NULL, request, &record, &errors, &err), OK);
    assert_int_equal(field_errors_count(&errors), 7);
    assert_null(record);
    assert_int_equal(field_errors_status(&errors, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "and 2 more"));
    field_errors_release(&errors);
    json_decref(request);
}

static void test_long_text_in_message(void **state)
{
    (void)state;
    struct field_errors errors = {0};
    struct error err = {0};
    char text[3000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    assert_int_equal(field_error_add(&errors, &err, "/a", "format", "x%s", text), OK);
    assert_int_equal(field_errors_count(&errors), 1);
    field_errors_release(&errors);
}

static void test_redact(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *record = parse("{\"name\":\"n\",\"key\":\"hidden\"}"), *shown = NULL;
    assert_int_equal(field_table_redact(&table, record, &shown, &err), OK);
    assert_json(shown, "{\"name\":\"n\"}");
    assert_non_null(json_object_get(record, "key"));
    json_decref(record);
    json_decref(shown);
}

static void test_describe(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *form = NULL;
    assert_int_equal(field_table_describe(&table, &form, &err), OK);
    json_t *fields = json_object_get(form, "fields");
    assert_int_equal(json_array_size(fields), ARRAY_LENGTH(rows));
    assert_json(
        json_array_get(fields, 1),
        "{\"key\":\"name\",\"kind\":\"text\",\"label\":\"Name\",\"help\":\"A name.\",\"default\":null,\"min\":1,"
        "\"max\":8,\"required\":true,\"nullable\":false,\"secret\":false,\"read_only\":false,"
        "\"advanced\":false}");
    assert_json(json_object_get(json_array_get(fields, 2), "choices"), "[\"red\",\"green\"]");
    json_t *item = json_object_get(json_array_get(fields, 12), "item");
    assert_int_equal(json_array_size(json_object_get(item, "fields")), 2);
    json_decref(form);
}

static void test_json_schema(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *schema = NULL;
    assert_int_equal(field_table_json_schema(&table, true, &schema, &err), OK);
    json_t *properties = json_object_get(schema, "properties");
    assert_null(json_object_get(properties, "id"));
    assert_json(json_object_get(schema, "required"), "[\"name\"]");
    assert_json(json_object_get(properties, "name"), "{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,"
                                                     "\"title\":\"Name\",\"description\":\"A name.\"}");
    assert_json(json_object_get(properties, "count"),
                "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":100}");
    assert_json(json_object_get(properties, "key"),
                "{\"type\":[\"string\",\"null\"],\"maxLength\":4096,\"writeOnly\":true}");
    assert_json(json_object_get(properties, "words"),
                "{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5},"
                "\"default\":[]}");
    json_decref(schema);
    assert_int_equal(field_table_json_schema(&table, false, &schema, &err), OK);
    assert_int_equal(json_array_size(json_object_get(schema, "required")), ARRAY_LENGTH(rows) - 1);
    assert_null(json_object_get(json_object_get(schema, "properties"), "key"));
    assert_json(json_object_get(json_object_get(schema, "properties"), "id"),
                "{\"type\":\"string\",\"maxLength\":4096,\"readOnly\":true}");
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_update),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_redact),   cmocka_unit_test(test_long_text_in_message),
        cmocka_unit_test(test_describe), cmocka_unit_test(test_json_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
