/* What requests make of connections: defaults, rules, and the way of secrets. */
#include "job/connection_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_connections.h"
#include "unit/cmocka_all.h"

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!value)
        fail_msg("no JSON: %s", text);
    return value;
}

/* The errors, NULL: none. */
static json_t *apply(const json_t *before, const char *request, struct connection_change *change)
{
    struct field_errors errors = {0};
    struct error err = {0};
    json_t *body = parsed(request);
    *change = (struct connection_change){0};
    assert_int_equal(connection_apply(before, body, change, &errors, &err), OK);
    json_decref(body);
    assert_int_equal(change->record == NULL, field_errors_count(&errors) > 0);
    return errors.list;
}

static void assert_json(const json_t *value, const char *wanted)
{
    json_t *other = parsed(wanted);
    if (!json_equal(value, other)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        print_error("%s instead of %s\n", text, wanted);
        free(text);
        fail();
    }
    json_decref(other);
}

/* A connection as the store would show it. */
static json_t *stored(const char *kind, const char *config, const char *secrets_set)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", "c1", "name", "c", "kind", kind, "config",
                               parsed(config), "secrets_set", parsed(secrets_set));
    assert_non_null(record);
    return record;
}

static void test_secrets_are_taken_out(void **state)
{
    (void)state;
    struct connection_change change;
    assert_null(apply(NULL,
                      "{\"name\":\"c\",\"kind\":\"postgres\",\"config\":{\"host\":\"h\",\"database\":\"d\",\"user\":"
                      "\"u\",\"password\":\"p1\"}}",
                      &change));
    assert_json(change.secrets, "{\"password\":\"p1\"}");
    assert_json(change.kept, "[]");
    json_t *config = json_object_get(change.record, "config");
    assert_null(json_object_get(config, "password"));
    assert_int_equal(json_int(config, "connect_timeout_seconds", 0), 10);
    /* and put back for a task */
    struct error err;
    assert_int_equal(connection_put_secrets(config, change.secrets, &err), OK);
    assert_string_equal(json_text(config, "password", ""), "p1");
    connection_change_release(&change);
}

#define PG "{\"host\":\"h\",\"port\":5432,\"database\":\"d\",\"user\":\"u\",\"sslmode\":\"prefer\"}"

static const struct {
    const char *kind, *config, *set, *request, *secrets, *kept;
} changes[] = {
    {"postgres", PG, "[\"password\"]", "{\"config\":{\"port\":1}}", "{}", "[\"password\"]"},
    {"postgres", PG, "[\"password\"]", "{\"name\":\"d\"}", "{}", "[\"password\"]"},
    {"postgres", PG, "[\"password\"]", "{\"config\":{\"password\":null}}", "{}", "[]"},
    {"postgres", PG, "[\"password\"]", "{\"config\":{\"password\":\"n\"}}", "{\"password\":\"n\"}", "[]"},
    {"postgres", PG, "[]", "{\"config\":{}}", "{}", "[]"},
};

static void test_changes_keep_what_they_do_not_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        struct connection_change change;
        json_t *before = stored(changes[i].kind, changes[i].config, changes[i].set);
        json_t *errors = apply(before, changes[i].request, &change);
        if (errors) {
            char *text = json_dumps(errors, 0);
            fail_msg("%zu: %s", i, text);
        }
        assert_json(change.secrets, changes[i].secrets);
        assert_json(change.kept, changes[i].kept);
        char *text = json_dumps(json_object_get(change.record, "config"), 0);
        assert_null(strstr(text, "password"));
        free(text);
        connection_change_release(&change);
        json_decref(before);
    }
}

static void assert_refused(const json_t *before, const char *request, const char *pointer, const char *code)
{
    struct connection_change change;
    json_t *errors = apply(before, request, &change);
    const json_t *first = json_array_get(errors, 0);
    if (strcmp(json_text(first, "pointer", "?"), pointer) != 0 || strcmp(json_text(first, "code", "?"), code) != 0) {
        char *text = errors ? json_dumps(errors, 0) : NULL;
        fail_msg("%s: %s instead of %s %s", request, text ? text : "nothing", pointer, code);
    }
    char *text = json_dumps(errors, 0);
    assert_null(strstr(text, "geheim"));
    free(text);
    json_decref(errors);
    connection_change_release(&change);
}

static void test_refusals(void **state)
{
    (void)state;
    json_t *before = stored("postgres", PG, "[\"password\"]");
    assert_refused(NULL, "{\"name\":\"c\",\"kind\":\"ftp\",\"config\":{}}", "/kind", "choice");
    assert_refused(NULL, "{\"name\":\"c\",\"kind\":\"sqlite\",\"config\":5}", "/config", "type");
    assert_refused(NULL, "{\"name\":\"c\",\"kind\":\"sqlite\"}", "/config", "required");
    assert_refused(NULL, "{\"name\":\"c\",\"kind\":\"sqlite\",\"config\":{\"path\":\"a\"},\"secrets_set\":[\"x\"]}",
                   "/secrets_set", "read_only");
    for (size_t i = 0; connection_kinds_later[i]; i++) {
        char request[80];
        snprintf(request, sizeof request, "{\"name\":\"c\",\"kind\":\"%s\",\"config\":{}}", connection_kinds_later[i]);
        assert_refused(NULL, request, "/kind", "choice");
        assert_null(connection_kind_fields(connection_kinds_later[i]));
    }
    assert_refused(before, "{\"kind\":\"sqlite\"}", "/kind", "read_only");
    assert_refused(before, "{\"config\":{\"password\":{\"geheim\":1}}}", "/config/password", "type");
    json_decref(before);
}

static void test_every_kind_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; connection_kinds[i]; i++) {
        struct error err;
        json_t *description = NULL;
        const struct field_table *table = connection_kind_fields(connection_kinds[i]);
        assert_non_null(table);
        assert_string_equal(table->name + strlen("connection-"), connection_kinds[i]);
        assert_int_equal(field_table_describe(table, &description, &err), OK);
        json_decref(description);
    }
    assert_null(connection_kind_fields("ftp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_are_taken_out),
        cmocka_unit_test(test_changes_keep_what_they_do_not_name),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_kind_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
