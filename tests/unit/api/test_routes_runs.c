/* Runs and their logs; the catalog. Rows are put into the tables as the engine would. */
#include "unit/api/route_fixture.h"

static char pipeline[40];

static int set_up(void **state)
{
    char text[1024];
    if (world_set_up(state) != 0)
        return -1;
    ask("POST", "/api/workflows", "{\"name\": \"p\"}", 201);
    made_id(pipeline);
    for (int i = 1; i <= 3; i++) {
        snprintf(text, sizeof text,
                 "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, created_at)"
                 " VALUES ('r%d', '%s', 'pipeline', '%s', 'Name', %d)",
                 i, pipeline, i == 2 ? "FAILED" : "COMPLETED", i);
        sql(text);
    }
    ask("POST", "/api/workflows/p/dataset-jobs",
        "{\"name\": \"d\", \"layer\": \"silver\", \"inputs\": [{\"alias\": \"o\", \"dataset\": \"bronze.orders\"}],"
        " \"sql\": \"SELECT * FROM o\"}",
        201);
    snprintf(text, sizeof text,
             "INSERT INTO dataset_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, state_type, state_name,"
             " config, report, created_at) VALUES ('d1', 'r1', '%s', '%s', 'd', 'COMPLETED', 'Completed', '{\"a\": 1}',"
             " '{\"warnings\": [\"w\"]}', 1)",
             pipeline, json_text(world.last.body, "id", ""));
    sql(text);
    return 0;
}

static const json_t *items(const char *target)
{
    return json_object_get(ask("GET", target, NULL, 200), "items");
}

static void test_lists(void **state)
{
    (void)state;
    char target[256];
    const json_t *all = items("/api/runs");
    assert_int_equal(json_array_size(all), 3);
    assert_string_equal(json_text(json_array_get(all, 0), "id", ""), "r3");
    assert_string_equal(json_text(json_array_get(all, 0), "pipeline_name", ""), "p");
    assert_int_equal(json_array_size(items("/api/runs?state=FAILED")), 1);
    assert_int_equal(json_array_size(items("/api/runs?pipeline=p&state=COMPLETED")), 2);
    assert_int_equal(json_array_size(items("/api/runs?cursor=r3&limit=1")), 1);
    assert_string_equal(json_text(json_array_get(json_object_get(world.last.body, "items"), 0), "id", ""), "r2");
    ask("GET", "/api/runs?pipeline=unknown", NULL, 404);
    ask("GET", "/api/runs?state=failed", NULL, 400);
    snprintf(target, sizeof target, "/api/workflows/%s/runs?state=FAILED", pipeline);
    assert_int_equal(json_array_size(items(target)), 1);
    assert_int_equal(json_array_size(json_object_get(ask("GET", "/api/workflows/p", NULL, 200), "recent_runs")), 3);
    assert_int_equal(json_object_size(json_object_get(world.last.body, "last_job_runs")), 1);
    const json_t *row = json_array_get(items("/api/workflows"), 0), *states = json_object_get(row, "recent_states");
    assert_string_equal(json_text(json_object_get(row, "last_run"), "id", ""), "r3");
    assert_int_equal(json_array_size(states), 3);
    assert_string_equal(json_string_value(json_array_get(states, 1)), "FAILED");
}

static void test_details(void **state)
{
    (void)state;
    const json_t *run = ask("GET", "/api/pipeline-runs/r1", NULL, 200);
    const json_t *jobs = json_object_get(run, "job_runs");
    assert_int_equal(json_array_size(jobs), 1);
    assert_string_equal(json_text(json_array_get(jobs, 0), "kind", ""), "dataset");
    assert_null(json_object_get(json_array_get(jobs, 0), "report"));
    run = ask("GET", "/api/dataset-runs/d1", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(json_object_get(run, "report"), "warnings")), 1);
    ask("GET", "/api/ingest-runs/d1", NULL, 404);
    ask("GET", "/api/ingest-runs/d1/rejects", NULL, 404);
    ask("GET", "/api/pipeline-runs/unknown", NULL, 404);
    ask("POST", "/api/pipeline-runs/unknown/cancel", NULL, 404);
    ask("POST", "/api/pipeline-runs/unknown/retry", NULL, 404);
    ask("POST", "/api/dataset-runs/unknown/cancel", NULL, 404);
}

static void test_log(void **state)
{
    (void)state;
    char target[128];
    sql("INSERT INTO run_logs (pipeline_run_id, job_run_id, time, level, message) VALUES"
        " ('r1', NULL, 1, 'info', 'begins'), ('r1', 'd1', 2, 'debug', 'reads'), ('r1', 'd1', 3, 'error', 'Broken "
        "pipe'),"
        " ('r2', NULL, 4, 'info', 'another run')");
    const json_t *page = ask("GET", "/api/pipeline-runs/r1/log?limit=2", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
    assert_string_equal(json_text(page, "next_cursor", ""), "2");
    assert_int_equal(json_int(page, "last_id", 0), 2);
    page = ask("GET", "/api/pipeline-runs/r1/log?after=2", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_true(json_is_null(json_object_get(page, "next_cursor")));
    assert_int_equal(json_int(page, "last_id", 0), 3);
    page = ask("GET", "/api/pipeline-runs/r1/log?after=3", NULL, 200);
    assert_int_equal(json_int(page, "last_id", 0), 3);
    const char *filters[] = {"level=warning", "contains=pipe", "cursor=2"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        snprintf(target, sizeof target, "/api/pipeline-runs/r1/log?%s", filters[i]);
        const json_t *found = items(target);
        assert_int_equal(json_array_size(found), 1);
        assert_string_equal(json_text(json_array_get(found, 0), "message", ""), "Broken pipe");
    }
    assert_int_equal(json_array_size(items("/api/pipeline-runs/r1/log?job_run_id=d1")), 2);
    ask("GET", "/api/pipeline-runs/r1/log?format=text", NULL, 200);
    assert_null(world.last.body);
    assert_string_equal(world.last.content_type, "text/plain; charset=utf-8");
    assert_non_null(strstr(world.last.text, "1970-01-01T00:00:00.000003Z error   d1 Broken pipe\n"));
    assert_int_equal(world.last.text_length, strlen(world.last.text));
    ask("GET", "/api/pipeline-runs/r3/log?format=text", NULL, 200);
    assert_int_equal(world.last.text_length, 0);
    ask("GET", "/api/pipeline-runs/r1/log?level=loud", NULL, 400);
    ask("GET", "/api/pipeline-runs/r1/log?after=-1", NULL, 400);
    ask("GET", "/api/pipeline-runs/r1/log?limit=1001", NULL, 400);
    ask("GET", "/api/pipeline-runs/unknown/log", NULL, 404);
}

static void test_catalog(void **state)
{
    (void)state;
    char text[1024];
    snprintf(
        text, sizeof text,
        "INSERT INTO metadata_catalog (id, layer, name, path, format, schema, parent_tables, pipeline_id,"
        " current_snapshot, row_count, created_at, updated_at) VALUES"
        " ('c1', 'bronze', 'orders', 'bronze/orders', 'parquet', '[{\"name\": \"id\", \"type\": \"bigint\","
        " \"nullable\": false}]', '[]', '%s', 2, 3, 1, 1),"
        " ('c2', 'silver', 'orders', 'silver/orders', 'parquet', '[]', '[\"bronze.orders\"]', '%s', NULL, 0, 1, 1)",
        pipeline, pipeline);
    sql(text);
    sql("INSERT INTO manifest_files (dataset_id, layer, job_id, run_id, path, staged, rows, bytes, format,"
        " added_snapshot, removed_snapshot, created_at) VALUES"
        " ('c1', 'bronze', 'j', 'r', 'bronze/orders/a', 'a', 1, 10, 'parquet', 1, 2, 1),"
        " ('c1', 'bronze', 'j', 'r', 'bronze/orders/b', 'b', 1, 10, 'parquet', 1, NULL, 1),"
        " ('c1', 'bronze', 'j', 'r', 'bronze/orders/c', 'c', 1, 10, 'parquet', 2, 3, 1),"
        " ('c1', 'bronze', 'j', 'r', 'bronze/orders/d', 'd', 1, 10, 'parquet', 3, NULL, 1)");
    assert_int_equal(json_array_size(items("/api/catalog")), 2);
    assert_int_equal(json_array_size(items("/api/catalog?layer=silver")), 1);
    assert_int_equal(json_array_size(items("/api/catalog?search=bronze.or&pipeline=p")), 1);
    ask("GET", "/api/catalog?layer=landing", NULL, 400);
    const json_t *dataset = ask("GET", "/api/catalog/bronze.orders", NULL, 200);
    assert_string_equal(json_text(dataset, "id", ""), "c1");
    assert_int_equal(json_array_size(json_object_get(dataset, "schema")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(dataset, "child_tables"), 0)),
                        "silver.orders");
    /* What the current snapshot shows: neither what was removed by it nor what is not published yet. */
    const json_t *files = items("/api/catalog/c1/files?limit=1");
    assert_string_equal(json_text(json_array_get(files, 0), "path", ""), "bronze/orders/b");
    snprintf(text, sizeof text, "/api/catalog/c1/files?cursor=%s", json_text(world.last.body, "next_cursor", ""));
    files = items(text);
    assert_int_equal(json_array_size(files), 1);
    assert_string_equal(json_text(json_array_get(files, 0), "path", ""), "bronze/orders/c");
    assert_int_equal(json_array_size(items("/api/catalog/c2/files")), 0);
    const json_t *sample = ask("GET", "/api/catalog/c2/sample", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(sample, "rows")), 0);
    ask("GET", "/api/catalog/gold.orders", NULL, 404);
    ask("GET", "/api/catalog/nothing/sample", NULL, 404);
    ask("GET", "/api/catalog/c1/files?cursor=x", NULL, 400);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {TEST(test_lists), TEST(test_details), TEST(test_log), TEST(test_catalog)};
    return cmocka_run_group_tests_name("api/routes_runs", tests, NULL, NULL);
}
