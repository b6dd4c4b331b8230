/* Tokens, audit, uploads, settings. */
#include "base/civil.h"
#include "store/store.h"
#include "store/store_access.h"
#include "unit/store/store_files.h"

static struct store *store;
static struct db *db;

static int set_up(void **state)
{
    struct error err;
    return make_root(state) == 0 && store_open(&store, at("flowforge.db"), &err) == OK &&
                   store_writer(store, &db, &err) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    store_give_back(store, db);
    store_close(store);
    return remove_root(state);
}

static void test_roles(void **state)
{
    (void)state;
    enum role role = ROLE_NONE;
    for (enum role r = ROLE_VIEWER; r <= ROLE_ADMIN; r++) {
        assert_true(role_parse(role_name(r), &role));
        assert_int_equal(role, r);
    }
    assert_true(ROLE_VIEWER < ROLE_EDITOR && ROLE_EDITOR < ROLE_ADMIN);
    assert_false(role_parse("none", &role));
    assert_false(role_parse("root", &role));
    assert_int_equal(role, ROLE_ADMIN);
}

static int64_t until;

static enum role role_of(const char *token, int64_t now, char name[32])
{
    struct error err;
    enum role role = ROLE_ADMIN;
    assert_ok(token_check(db, token, now, &role, &until, name, 32, &err), err);
    return role;
}

static void test_tokens(void **state)
{
    (void)state;
    struct error err;
    char one[TOKEN_CAP], two[TOKEN_CAP], name[32];
    json_t *record = NULL, *rows = NULL;
    int64_t now = civil_micros_now();
    assert_ok(token_create(db, "ci", ROLE_EDITOR, now + 1000, one, &record, &err), err);
    assert_int_equal(strlen(one), TOKEN_CAP - 1);
    assert_int_equal(strncmp(one, "ff_", 3), 0);
    assert_int_equal(strspn(one + 3, "0123456789abcdef"), 64);
    assert_int_equal(json_object_size(record), 5);
    assert_string_equal(json_text(record, "role", ""), "editor");
    assert_false(json_is_null(json_object_get(record, "expires_at")));
    json_decref(record);
    assert_ok(token_create(db, "me", ROLE_ADMIN, 0, two, &record, &err), err);
    assert_true(json_is_null(json_object_get(record, "expires_at")));
    assert_string_not_equal(one, two);

    assert_int_equal(role_of(one, now, name), ROLE_EDITOR);
    assert_true(until == now + 1000);
    assert_string_equal(name, "ci");
    assert_int_equal(role_of(one, now + 1000, name), ROLE_NONE);
    assert_string_equal(name, "");
    assert_int_equal(role_of(two, INT64_MAX, name), ROLE_ADMIN);
    assert_true(until == INT64_MAX);
    assert_int_equal(role_of("", now, name), ROLE_NONE);
    one[10] = one[10] == 'a' ? 'b' : 'a';
    assert_int_equal(role_of(one, now, name), ROLE_NONE);

    assert_ok(token_revoke(db, json_text(record, "id", ""), &err), err);
    assert_ok(token_revoke(db, json_text(record, "id", ""), &err), err);
    assert_int_equal(role_of(two, now, name), ROLE_NONE);
    assert_int_equal(token_revoke(db, "nobody", &err), ERR_NOT_FOUND);
    assert_ok(token_list(db, &rows, &err), err);
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_text(json_array_get(rows, 0), "name", ""), "me");
    assert_false(json_is_null(json_object_get(json_array_get(rows, 0), "revoked_at")));
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "revoked_at")));
    json_decref(rows);
    json_decref(record);
    assert_int_equal(token_create(db, "x", ROLE_NONE, 0, one, &record, &err), ERR_INVALID);
}

/* What can be read of the database does not tell a token. */
static void test_tokens_are_not_stored(void **state)
{
    (void)state;
    struct error err;
    char token[TOKEN_CAP];
    json_t *record = NULL;
    assert_ok(token_create(db, "ci", ROLE_VIEWER, 0, token, &record, &err), err);
    char *shown = json_dumps(record, 0);
    assert_null(strstr(shown, token + 3));
    free(shown);
    json_decref(record);
    static char bytes[1 << 20];
    FILE *f = fopen(at("flowforge.db-wal"), "r");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_non_null(memmem(bytes, n, "viewer", 6));
    assert_null(memmem(bytes, n, token, 40));
    assert_int_equal(ask(db, "SELECT length(hash) FROM tokens"), 32);
}

static void test_token_touch(void **state)
{
    (void)state;
    struct error err;
    char token[TOKEN_CAP];
    json_t *record = NULL;
    int64_t minute = 60000000;
    assert_ok(token_create(db, "ci", ROLE_VIEWER, 0, token, &record, &err), err);
    json_decref(record);
    assert_ok(token_touch(db, token, 10 * minute, &err), err);
    assert_int_equal(ask(db, "SELECT last_used_at FROM tokens"), 10 * minute);
    assert_ok(token_touch(db, token, 10 * minute + 5, &err), err);
    assert_int_equal(ask(db, "SELECT last_used_at FROM tokens"), 10 * minute);
    assert_ok(token_touch(db, token, 12 * minute, &err), err);
    assert_int_equal(ask(db, "SELECT last_used_at FROM tokens"), 12 * minute);
    assert_ok(token_touch(db, "ff_unknown", 12 * minute, &err), err);
}

static void test_audit(void **state)
{
    (void)state;
    struct error err;
    json_t *rows = NULL, *details = json_pack("{s:i}", "n", 1);
    assert_ok(audit_add(db, "ci", "create", "pipeline", "p1", details, &err), err);
    assert_ok(audit_add(db, "ci", "delete", "pipeline", "p2", NULL, &err), err);
    assert_ok(audit_add(db, "me", "reset", "watermark", "p3", NULL, &err), err);
    assert_ok(audit_list(db, 0, 2, &rows, &err), err);
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_text(json_array_get(rows, 0), "object_id", ""), "p3");
    int64_t before = json_int(json_array_get(rows, 1), "id", 0);
    json_decref(rows);
    assert_ok(audit_list(db, before, 2, &rows, &err), err);
    assert_int_equal(json_array_size(rows), 1);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(json_text(row, "actor", ""), "ci");
    assert_string_equal(json_text(row, "action", ""), "create");
    assert_string_equal(json_text(row, "object_type", ""), "pipeline");
    assert_true(json_equal(json_object_get(row, "details"), details));
    assert_non_null(json_text(row, "time", NULL));
    json_decref(rows);
    json_decref(details);
}

static void test_uploads(void **state)
{
    (void)state;
    struct error err;
    json_t *found = NULL;
    json_t *upload =
        json_pack("{s:s,s:s,s:s,s:I,s:n,s:n,s:s,s:s,s:s,s:n}", "id", "u1", "filename", "a.csv", "state", "receiving",
                  "size", (json_int_t)5000000000, "expected_size", "sha256", "content_type", "text/csv", "created_by",
                  "ci", "created_at", "2026-11-25T10:00:00.000000Z", "completed_at");
    assert_non_null(upload);
    assert_ok(record_insert(db, &uploads_table, upload, &err), err);
    assert_ok(record_get(db, &uploads_table, "u1", &found, &err), err);
    assert_true(json_equal(found, upload));
    json_decref(found);
    json_decref(upload);
}

static void test_settings(void **state)
{
    (void)state;
    struct error err;
    json_t *value = NULL, *put = json_pack("{s:[i,b]}", "a", 1, 1);
    assert_ok(setting_get(db, "k", &value, &err), err);
    assert_null(value);
    assert_ok(setting_put(db, "k", put, &err), err);
    assert_ok(setting_get(db, "k", &value, &err), err);
    assert_true(json_equal(value, put));
    json_decref(value);
    assert_ok(setting_put(db, "k", json_false(), &err), err);
    assert_ok(setting_get(db, "k", &value, &err), err);
    assert_true(json_is_false(value));
    json_decref(put);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles), TEST(test_tokens), TEST(test_tokens_are_not_stored),
        TEST(test_token_touch),       TEST(test_audit),  TEST(test_uploads),
        TEST(test_settings),
    };
    return cmocka_run_group_tests_name("store/store_access", tests, NULL, NULL);
}
