/* /api/workflows: create, list with filters and pages, change, delete. */
#include "unit/api/route_fixture.h"

static void test_create_and_get(void **state)
{
    (void)state;
    char id[40], path[128];
    ask("POST", "/api/workflows", "{\"name\": \"Sales EU\", \"tags\": [\"a\", \"b\"], \"owner\": \"ann\"}", 201);
    made_id(id);
    assert_string_equal(json_text(world.last.body, "slug", ""), "sales_eu");
    assert_string_equal(json_text(world.last.body, "environment", ""), "development");
    snprintf(path, sizeof path, "/api/workflows/%s", id);
    assert_string_equal(world.last.location, path);
    assert_true(world.last.etag[0] == '"');
    const json_t *shown = ask("GET", path, NULL, 200);
    assert_string_equal(json_text(shown, "name", ""), "Sales EU");
    assert_int_equal(json_int(json_object_get(shown, "counts"), "ingest_jobs", -1), 0);
    assert_int_equal(json_array_size(json_object_get(shown, "recent_runs")), 0);
    assert_int_equal(json_object_size(json_object_get(shown, "last_job_runs")), 0);
    ask("GET", "/api/workflows/sales eu", NULL, 200); /* by name, whatever its case */
    assert_int_equal(sql_number("SELECT count(*) FROM audit_log WHERE action = 'pipeline.create' AND actor = 'me'"), 1);
    ask("POST", "/api/workflows", "{\"name\": \"sales EU\"}", 409);
    ask("GET", "/api/workflows/nothing", NULL, 404);
}

static void test_all_errors_at_once(void **state)
{
    (void)state;
    ask("POST", "/api/workflows", "{\"name\": \"\", \"tags\": 3, \"colour\": \"red\"}", 400);
    problem_at("/name");
    problem_at("/tags");
    problem_at("/colour");
    ask("POST", "/api/workflows", NULL, 400);
    ask("POST", "/api/workflows", "[]", 400);
    assert_int_equal(sql_number("SELECT count(*) FROM pipelines"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM audit_log"), 0);
}

static void test_list(void **state)
{
    (void)state;
    ask("POST", "/api/workflows", "{\"name\": \"one\", \"environment\": \"production\", \"tags\": [\"x\"]}", 201);
    ask("POST", "/api/workflows", "{\"name\": \"two\", \"description\": \"the ONE of two\"}", 201);
    ask("POST", "/api/workflows", "{\"name\": \"three\", \"owner\": \"bob\"}", 201);
    const json_t *page = ask("GET", "/api/workflows?limit=2", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
    assert_string_equal(json_text(json_array_get(json_object_get(page, "items"), 0), "name", ""), "three");
    char next[128];
    snprintf(next, sizeof next, "/api/workflows?limit=2&cursor=%s", json_text(page, "next_cursor", ""));
    page = ask("GET", next, NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_true(json_is_null(json_object_get(page, "next_cursor")));
    const struct {
        const char *filter;
        size_t count;
    } filters[] = {{"search=one", 2}, {"environment=production", 1}, {"owner=bob", 1}, {"tag=x", 1}, {"tag=y", 0},
                   {"search=%25", 0}};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        snprintf(next, sizeof next, "/api/workflows?%s", filters[i].filter);
        assert_int_equal(json_array_size(json_object_get(ask("GET", next, NULL, 200), "items")), filters[i].count);
    }
    ask("GET", "/api/workflows?limit=0", NULL, 400);
    ask("GET", "/api/workflows?limit=x", NULL, 400);
}

static void test_change(void **state)
{
    (void)state;
    char path[256], etag[64];
    ask("POST", "/api/workflows", "{\"name\": \"p\"}", 201);
    snprintf(path, sizeof path, "%s", world.last.location);
    snprintf(etag, sizeof etag, "%s", world.last.etag);
    ask_with("PATCH", path, "{\"owner\": \"eve\"}", etag, NULL, 200);
    assert_string_equal(json_text(world.last.body, "owner", ""), "eve");
    assert_string_equal(json_text(world.last.body, "name", ""), "p");
    assert_string_not_equal(world.last.etag, etag);
    ask_with("PATCH", path, "{\"owner\": \"mallory\"}", etag, NULL, 412);
    ask_with("PATCH", path, "{\"owner\": \"kim\"}", "*", NULL, 200);
    /* Nothing of it when one member is wrong. */
    ask("PATCH", path, "{\"owner\": \"x\", \"tags\": \"y\"}", 400);
    assert_string_equal(json_text(ask("GET", path, NULL, 200), "owner", ""), "kim");
    ask("PATCH", path, "{\"slug\": \"other\"}", 400);
    problem_at("/slug");
}

static void test_delete(void **state)
{
    (void)state;
    char id[40], path[128], text[512];
    ask("POST", "/api/workflows", "{\"name\": \"gone\"}", 201);
    made_id(id);
    snprintf(path, sizeof path, "/api/workflows/%s", id);
    snprintf(text, sizeof text,
             "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, created_at)"
             " VALUES ('r1', '%s', 'pipeline', 'RUNNING', 'Running', 1)",
             id);
    sql(text);
    ask("DELETE", path, NULL, 409);
    ask("GET", path, NULL, 200);
    sql("UPDATE pipeline_runs SET state_type = 'FAILED', state_name = 'Failed'");
    ask_with("DELETE", path, NULL, "\"another\"", NULL, 412);
    ask("DELETE", path, NULL, 204);
    ask("GET", path, NULL, 404);
    ask("DELETE", path, NULL, 404);
    assert_int_equal(sql_number("SELECT count(*) FROM pipeline_runs"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM audit_log WHERE action = 'pipeline.delete'"), 1);
}

/* Data stays without a producer, or goes when that is asked for. */
static void test_delete_data(void **state)
{
    (void)state;
    char id[40], job[40], path[256], text[1024];
    for (int with_data = 0; with_data <= 1; with_data++) {
        ask("POST", "/api/workflows", "{\"name\": \"d\"}", 201);
        made_id(id);
        snprintf(path, sizeof path, "/api/workflows/%s/ingest-jobs", id);
        snprintf(text, sizeof text,
                 "{\"name\": \"j%d\", \"source_type\": \"file_local\", \"format\": \"csv\", \"config\": {\"path\": "
                 "\"%s/x.csv\"}}",
                 with_data, world.data);
        ask("POST", path, text, 201);
        made_id(job);
        snprintf(text, sizeof text,
                 "INSERT INTO metadata_catalog (id, layer, name, path, format, pipeline_id, job_id, current_snapshot,"
                 " next_snapshot, row_count, file_count, created_at, updated_at)"
                 " VALUES ('c%d', 'bronze', 'j%d', 'bronze/j%d', 'parquet', '%s', '%s', 1, 2, 7, 1, 1, 1)",
                 with_data, with_data, with_data, id, job);
        sql(text);
        snprintf(text, sizeof text,
                 "INSERT INTO manifest_files (dataset_id, layer, job_id, run_id, path, staged, rows, bytes, format,"
                 " added_snapshot, created_at) VALUES ('c%d', 'bronze', '%s', 'r', 'bronze/j%d/a', 'a', 7, 70,"
                 " 'parquet', 1, 1), (NULL, 'landing', '%s', 'r', 'landing/%d', 'b', 7, 70, 'csv', NULL, 1)",
                 with_data, job, with_data, job, with_data);
        sql(text);
        snprintf(path, sizeof path, "/api/workflows/%s%s", id, with_data ? "?delete_data=true" : "");
        ask("DELETE", path, NULL, 204);
        snprintf(text, sizeof text,
                 "SELECT count(*) FROM metadata_catalog WHERE id = 'c%d' AND job_id IS NULL"
                 " AND pipeline_id IS NULL AND row_count = %d AND current_snapshot = %d",
                 with_data, with_data ? 0 : 7, with_data ? 2 : 1);
        assert_int_equal(sql_number(text), 1);
        snprintf(text, sizeof text,
                 "SELECT count(*) FROM manifest_files WHERE job_id = '%s' AND removed_at IS NOT NULL", job);
        assert_int_equal(sql_number(text), with_data ? 2 : 0);
    }
    ask("DELETE", "/api/workflows/x?delete_data=perhaps", NULL, 400);
}

static void test_roles_and_feature(void **state)
{
    (void)state;
    struct api_request request = {.method = "POST", .path = "/api/workflows", .role = ROLE_VIEWER};
    api_response_release(&world.last);
    api_dispatch(&world.context, &request, &world.last);
    assert_int_equal(world.last.status, 403);
    ask("POST", "/api/workflows", "{\"name\": \"p\"}", 201);
    world.context.layer_centric = false;
    ask("GET", "/api/workflows/p/ingest-jobs", NULL, 403);
    ask("POST", "/api/workflows/p/run", NULL, 403);
    ask("GET", "/api/workflows/p", NULL, 403);
    assert_string_equal(json_text(world.last.body, "code", ""), "feature_off");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_get), TEST(test_all_errors_at_once), TEST(test_list), TEST(test_change), TEST(test_delete),
        TEST(test_delete_data),    TEST(test_roles_and_feature),
    };
    return cmocka_run_group_tests_name("api/routes_pipelines", tests, NULL, NULL);
}
