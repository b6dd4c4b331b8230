/* A declared schema: what is taken, and that an error says where. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "job/user_schema.h"

static status parse(struct user_schema *schema, const char *json, struct error *err)
{
    return user_schema_parse(schema, json, strlen(json), "s.json", err);
}

static void assert_refused(const char *json, const char *part)
{
    struct user_schema schema;
    struct error err = {0};
    assert_int_equal(parse(&schema, json, &err), ERR_INVALID);
    if (!strstr(err.message, part))
        print_error("'%s' is not in: %s\n", part, err.message);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, "s.json"));
    assert_int_equal(schema.count, 0);
    assert_null(schema.columns);
}

static void assert_columns(const char *json)
{
    struct user_schema schema;
    struct error err = {0};
    assert_int_equal(parse(&schema, json, &err), OK);
    assert_int_equal(schema.count, 3);
    assert_true(str_equal(schema.columns[0].name, STR("id")));
    assert_int_equal(schema.columns[0].type.kind, TYPE_BIGINT);
    assert_true(schema.columns[0].not_null);
    assert_true(str_equal(schema.columns[1].name, STR("prix \xE2\x82\xAC")));
    assert_int_equal(schema.columns[1].type.kind, TYPE_DECIMAL);
    assert_int_equal(schema.columns[1].type.precision, 18);
    assert_int_equal(schema.columns[1].type.scale, 3);
    assert_false(schema.columns[1].not_null);
    assert_int_equal(schema.columns[2].type.kind, TYPE_STRING);
    user_schema_release(&schema);
    assert_int_equal(schema.count, 0);
}

#define COLUMNS                                                                                                        \
    "[{\"name\":\"id\",\"type\":\"BigInt\",\"nullable\":false},{\"type\":\"decimal(18,3)\",\"name\":\"prix "           \
    "\\u20ac\",\"nullable\":true},{\"name\":\"t\",\"type\":\"string\"}]"

static void three_forms(void **unused)
{
    (void)unused;
    assert_columns(COLUMNS);
    assert_columns("{\"columns\":" COLUMNS "}");
    assert_columns(" {\"user_schema\" : " COLUMNS "}\n");
}

static void every_type(void **unused)
{
    (void)unused;
    static const char *const names[] = {"boolean",        "integer", "bigint", "float",     "double",
                                        "decimal(38,38)", "date",    "time",   "timestamp", "timestamptz",
                                        "string",         "json",    "binary", "uuid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char json[200], name[TYPE_NAME_MAX];
        struct user_schema schema;
        snprintf(json, sizeof json, "[{\"name\":\"x\",\"type\":\"%s\"}]", names[i]);
        assert_int_equal(parse(&schema, json, NULL), OK);
        assert_string_equal(type_name(schema.columns[0].type, name), names[i]);
        user_schema_release(&schema);
    }
}

static void refused(void **unused)
{
    (void)unused;
    assert_refused("", "line 1");
    assert_refused("[\n{\"name\":\"a\" \"type\":\"date\"}]", "line 2");
    assert_refused("[]", "at least one column");
    assert_refused("{}", "at least one column");
    assert_refused("{\"columns\":{}}", "at least one column");
    assert_refused("[7]", "/0:");
    assert_refused("[{\"type\":\"date\"}]", "/0/name");
    assert_refused("[{\"name\":\"\",\"type\":\"date\"}]", "/0/name");
    assert_refused("[{\"name\":\"a\"}]", "/0/type");
    assert_refused("[{\"name\":\"a\",\"type\":\"date\"},{\"name\":\"b\",\"type\":\"money\"}]", "/1/type");
    assert_refused("[{\"name\":\"a\",\"type\":\"decimal(39,2)\"}]", "/0/type");
    assert_refused("[{\"name\":\"a\",\"type\":\"decimal(3,4)\"}]", "/0/type");
    assert_refused("[{\"name\":\"a\",\"type\":5}]", "/0/type");
    assert_refused("[{\"name\":5,\"type\":\"date\"}]", "/0/name");
    assert_refused("[{\"name\":\"a\",\"type\":\"date\",\"nullable\":\"no\"}]", "/0/nullable");
    assert_refused("[{\"name\":\"a\",\"type\":\"date\",\"nulable\":true}]", "/0/nulable");
    assert_refused("[{\"name\":\"a\",\"name\":\"b\",\"type\":\"date\"}]", "uplicate");
    assert_refused("[{\"name\":\"a\",\"type\":\"date\"},{\"name\":\"b\",\"type\":\"date\"},"
                   "{\"name\":\"A\",\"type\":\"date\"}]",
                   "/2/name");
    assert_refused("[{\"name\":\"a\xFF\",\"type\":\"date\"}]", "unable to decode");
}

static void no_file(void **unused)
{
    (void)unused;
    struct user_schema schema = {0};
    struct error err = {0};
    assert_int_equal(user_schema_load(&schema, "/nowhere/schema.json", &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/schema.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_forms),
        cmocka_unit_test(every_type),
        cmocka_unit_test(refused),
        cmocka_unit_test(no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
