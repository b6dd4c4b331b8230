/* Connections in the database: what is sealed, what needs the key, and what a lost key leaves. */
#include "store/store_connections.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "store/store_jobs.h"
#include "sys/id.h"
#include "unit/store/store_files.h"

static struct store *store;
static struct db *db;
static char key[128];

static int set_up(void **state)
{
    struct error err;
    if (make_root(state) != 0)
        return -1;
    snprintf(key, sizeof key, "%s", at("secret.key"));
    return store_open(&store, at("flowforge.db"), &err) == OK && store_writer(store, &db, &err) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    store_give_back(store, db);
    store_close(store);
    return remove_root(state);
}

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

/* The id; secrets as JSON text. */
static void create(const char *name, const char *secrets, char id[ID_CAP])
{
    struct error err;
    json_t *record = json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "name", name, "kind", "http", "config", "base_url",
                               "http://x/", "auth", "type", "basic");
    json_t *sealed = parsed(secrets);
    assert_ok(connection_create(db, key, record, sealed, &err), err);
    snprintf(id, ID_CAP, "%s", json_text(record, "id", ""));
    json_decref(sealed);
    json_decref(record);
}

static void update(const char *id, const char *secrets, const char *kept, status wanted)
{
    struct error err = {0};
    json_t *record = json_object(), *sealed = parsed(secrets), *names = parsed(kept);
    status s = connection_update(db, key, id, record, sealed, names, &err);
    if (s != wanted)
        fail_msg("%s gave %d: %s", secrets, s, err.message);
    json_decref(names);
    json_decref(sealed);
    json_decref(record);
}

static json_t *open_config(const char *id)
{
    struct error err;
    json_t *connection = NULL;
    assert_ok(connection_open(db, key, id, &connection, &err), err);
    json_t *config = json_incref(json_object_get(connection, "config"));
    json_decref(connection);
    return config;
}

static bool key_exists(void)
{
    return access(key, F_OK) == 0;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct error err;
    char id[ID_CAP];
    create("c", "{\"auth.password\":\"geheim\",\"secret_headers\":{\"A\":\"b\"}}", id);
    json_t *shown = NULL, *config = open_config(id);
    assert_string_equal(json_text(json_object_get(config, "auth"), "password", ""), "geheim");
    assert_string_equal(json_text(json_object_get(config, "secret_headers"), "A", ""), "b");
    json_decref(config);
    assert_ok(connection_find(db, "C", &shown, &err), err);
    char *text = json_dumps(shown, 0);
    assert_null(strstr(text, "geheim"));
    free(text);
    assert_int_equal(json_array_size(json_object_get(shown, "secrets_set")), 2);
    json_decref(shown);
    assert_int_equal(ask(db, "SELECT count(*) FROM connections WHERE instr(secrets, CAST('geheim' AS BLOB)) > 0"), 0);
}

static void test_no_secret_needs_no_key(void **state)
{
    (void)state;
    char id[ID_CAP];
    create("c", "{}", id);
    json_decref(open_config(id));
    update(id, "{}", "[]", OK);
    assert_false(key_exists());
    update(id, "{\"auth.password\":\"x\"}", "[]", OK);
    assert_true(key_exists());
}

static void test_update_merges_secrets(void **state)
{
    (void)state;
    char id[ID_CAP];
    create("c", "{\"auth.password\":\"one\",\"secret_headers\":{\"A\":\"b\"}}", id);
    update(id, "{\"auth.password\":\"two\"}", "[\"secret_headers\"]", OK);
    json_t *config = open_config(id);
    assert_string_equal(json_text(json_object_get(config, "auth"), "password", ""), "two");
    assert_string_equal(json_text(json_object_get(config, "secret_headers"), "A", ""), "b");
    json_decref(config);
    update(id, "{}", "[\"secret_headers\"]", OK);
    config = open_config(id);
    assert_null(json_object_get(json_object_get(config, "auth"), "password"));
    assert_non_null(json_object_get(config, "secret_headers"));
    json_decref(config);
    update(id, "{}", "[]", OK);
    assert_int_equal(ask(db, "SELECT count(*) FROM connections WHERE secrets IS NULL AND secrets_set = '[]'"), 1);
}

/* Sealed for one connection, it opens for no other. */
static void test_secrets_are_bound(void **state)
{
    (void)state;
    struct error err;
    char one[ID_CAP], two[ID_CAP];
    json_t *connection = NULL;
    create("one", "{\"auth.password\":\"a\"}", one);
    create("two", "{\"auth.password\":\"b\"}", two);
    assert_ok(db_run(db,
                     "UPDATE connections SET secrets = (SELECT secrets FROM connections WHERE id = ?1) WHERE id = ?2",
                     DB_BINDS(db_text(one), db_text(two)), NULL, &err),
              err);
    assert_int_equal(connection_open(db, key, two, &connection, &err), ERR_BAD_DATA);
    json_decref(open_config(one));
}

static void test_a_lost_key(void **state)
{
    (void)state;
    struct error err;
    char one[ID_CAP], two[ID_CAP], three[ID_CAP];
    json_t *connection = NULL;
    create("one", "{\"auth.password\":\"a\"}", one);
    create("two", "{\"auth.password\":\"b\"}", two);
    unlink(key);
    assert_int_equal(connection_open(db, key, one, &connection, &err), ERR_BAD_DATA);
    assert_non_null(strstr(err.hint, "backup"));
    update(one, "{}", "[\"auth.password\"]", OK);
    update(one, "{\"auth.password\":\"n\"}", "[]", ERR_BAD_DATA);
    json_t *record = parsed("{\"name\":\"three\",\"kind\":\"s3\",\"config\":{}}"),
           *secrets = parsed("{\"secret_access_key\":\"x\"}");
    assert_ok(db_begin(db, &err), err);
    assert_int_equal(connection_create(db, key, record, secrets, &err), ERR_BAD_DATA);
    db_rollback(db);
    json_decref(record);
    json_decref(secrets);
    assert_false(key_exists());
    update(two, "{}", "[]", OK);
    /* The last one that is sealed with the old key is replaced whole: nothing is lost by a new one. */
    record = parsed("{\"name\":\"m\"}");
    secrets = parsed("{\"auth.password\":\"n\"}");
    json_t *none = json_array();
    assert_ok(connection_update(db, key, one, record, secrets, none, &err), err);
    json_decref(none);
    json_decref(record);
    json_decref(secrets);
    assert_true(key_exists());
    create("three", "{\"auth.password\":\"c\"}", three);
    json_decref(open_config(one));
    json_decref(open_config(three));
}

static void test_used_connections_stay(void **state)
{
    (void)state;
    struct error err;
    char id[ID_CAP];
    create("c", "{}", id);
    json_t *pipeline = parsed("{\"name\":\"P\"}");
    assert_ok(pipeline_create(db, pipeline, &err), err);
    const char *pipeline_id = json_text(pipeline, "id", "");
    json_t *job = json_pack("{s:s, s:s, s:s, s:s, s:{}, s:s}", "name", "Orders", "source_type", "api", "dataset", "o",
                            "compression", "snappy", "config", "connection_id", "nobody");
    assert_int_equal(job_create(db, JOB_INGEST, pipeline_id, job, &err), ERR_INVALID);
    json_object_set_new(job, "connection_id", json_string(id));
    assert_ok(job_create(db, JOB_INGEST, pipeline_id, job, &err), err);
    assert_int_equal(connection_delete(db, id, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, "'Orders' of the pipeline 'P'"));
    json_t *change = parsed("{\"connection_id\":\"nobody\"}");
    assert_int_equal(job_update(db, JOB_INGEST, json_text(job, "id", ""), change, &err), ERR_INVALID);
    json_object_set_new(change, "connection_id", json_null());
    assert_ok(job_update(db, JOB_INGEST, json_text(job, "id", ""), change, &err), err);
    assert_ok(connection_delete(db, id, &err), err);
    assert_int_equal(connection_delete(db, id, &err), ERR_NOT_FOUND);
    json_decref(change);
    json_decref(job);
    json_decref(pipeline);
}

static void test_names_and_tests(void **state)
{
    (void)state;
    struct error err;
    char one[ID_CAP], two[ID_CAP];
    create("one", "{}", one);
    create("two", "{}", two);
    json_t *record = parsed("{\"name\":\"ONE\",\"kind\":\"s3\",\"config\":{}}"), *none = json_object(), *shown = NULL;
    assert_int_equal(connection_create(db, key, record, none, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, "taken"));
    json_decref(record);
    record = parsed("{\"ok\":true,\"steps\":[]}");
    assert_ok(connection_tested(db, one, record, &err), err);
    assert_ok(connection_tested(db, "gone", record, &err), err);
    assert_ok(connection_find(db, one, &shown, &err), err);
    assert_true(json_flag(json_object_get(shown, "last_test"), "ok", false));
    assert_string_equal(json_text(shown, "created_at", "a"), json_text(shown, "updated_at", "b"));
    assert_int_equal(connection_find(db, "nobody", &shown, &err), ERR_NOT_FOUND);
    json_decref(shown);
    json_decref(record);
    json_decref(none);
}

#define in_home(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_home(test_round_trip),
        in_home(test_no_secret_needs_no_key),
        in_home(test_update_merges_secrets),
        in_home(test_secrets_are_bound),
        in_home(test_a_lost_key),
        in_home(test_used_connections_stay),
        in_home(test_names_and_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
