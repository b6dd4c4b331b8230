/* Ingest jobs: saving with checks of the world around, changes with history, watermark, validation without saving. */
#include "unit/api/route_fixture.h"

static char pipeline[40];

static int set_up(void **state)
{
    if (world_set_up(state) != 0)
        return -1;
    ask("POST", "/api/workflows", "{\"name\": \"p\"}", 201);
    made_id(pipeline);
    return 0;
}

static const char *at(const char *rest)
{
    static char path[4][1024];
    static unsigned turn;
    char *into = path[turn++ & 3];
    snprintf(into, sizeof path[0], "/api/workflows/%s/ingest-jobs%s%s", pipeline, *rest ? "/" : "", rest);
    return into;
}

static const char *local(const char *name, const char *file, const char *more)
{
    static char text[1024];
    snprintf(
        text, sizeof text,
        "{\"name\": \"%s\", \"source_type\": \"file_local\", \"format\": \"csv\", \"config\": {\"path\": \"%s\"}%s%s}",
        name, file, *more ? ", " : "", more);
    return text;
}

static const char *in_data(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", world.data, name);
    return path;
}

static void test_create(void **state)
{
    (void)state;
    char id[40];
    ask("POST", at(""), local("Orders EU", in_data("*.csv"), ""), 201);
    made_id(id);
    assert_string_equal(world.last.location, at(id));
    const json_t *job = ask("GET", at(id), NULL, 200);
    assert_string_equal(json_text(job, "dataset", ""), "orders_eu");
    assert_string_equal(json_text(job, "partition_mode", ""), "date");
    assert_string_equal(json_text(job, "partition_pattern", ""), "yyyy/MM/dd");
    assert_string_equal(json_text(job, "error_handling", ""), "fail");
    assert_string_equal(json_text(job, "filename_pattern", ""), "{timestamp}_{filename}");
    assert_true(json_is_true(json_object_get(job, "force_to_parquet")));
    assert_string_equal(json_text(job, "pipeline_id", ""), pipeline);
    assert_string_equal(json_text(job, "incremental_mode", ""), "full");
    const json_t *page = ask("GET", at(""), NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    ask("POST", at(""), local("orders eu", in_data("x"), ""), 409);
    ask("GET", at("nothing"), NULL, 404);
    ask("GET", "/api/workflows/nothing/ingest-jobs", NULL, 404);
    /* A job is found in its own pipeline only. */
    char path[128];
    ask("POST", "/api/workflows", "{\"name\": \"q\"}", 201);
    snprintf(path, sizeof path, "/api/workflows/q/ingest-jobs/%s", id);
    ask("GET", path, NULL, 404);
    ask("DELETE", path, NULL, 404);
    assert_int_equal(sql_number("SELECT count(*) FROM audit_log WHERE action = 'ingest_job.create'"), 1);
}

static void test_rules(void **state)
{
    (void)state;
    ask("POST", at(""),
        local("j", in_data("x.csv"),
              "\"incremental_mode\": \"incremental\", \"error_handling\": \"quarantine\", \"schema_mode\": \"user\", "
              "\"colour\": 1"),
        400);
    problem_at("/watermark_column");
    problem_at("/quarantine_path");
    problem_at("/user_schema");
    problem_at("/colour");
    assert_int_equal(sql_number("SELECT count(*) FROM layer_centric_ingest_jobs"), 0);
}

static void test_paths_are_confined(void **state)
{
    (void)state;
    char link[256];
    snprintf(link, sizeof link, "%s/link", world.data);
    assert_int_equal(symlink("/etc", link), 0);
    const char *paths[] = {"/etc/passwd", "/etc/*", in_data("../flowforge.db"), "../flowforge.db"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ask("POST", at(""), local("j", paths[i], ""), 400);
        problem_at("/config/path");
    }
    ask("POST", at(""), local("j", in_data("link/passwd"), ""), 400);
    assert_string_equal(json_text(problem_at("/config/path"), "code", ""), "denied");
    ask("POST", at(""), local("j", in_data("link/*"), ""), 400);
    problem_at("/config/path");
    assert_int_equal(sql_number("SELECT count(*) FROM layer_centric_ingest_jobs"), 0);
    ask("POST", at(""), local("j", "relative.csv", ""), 201); /* below the first root */
}

static void test_uploads(void **state)
{
    (void)state;
    static const char body[] = "{\"name\": \"u\", \"source_type\": \"file_upload\", \"format\": \"csv\", "
                               "\"config\": {\"upload_id\": \"01kaxt5p0qxvdk4k1vb8rq9x7z\"}}";
    ask("POST", at(""), body, 400);
    assert_string_equal(json_text(problem_at("/config/upload_id"), "code", ""), "not_found");
    sql("INSERT INTO uploads (id, filename, state, created_at) VALUES ('01kaxt5p0qxvdk4k1vb8rq9x7z', 'a.csv', "
        "'receiving', 1)");
    ask("POST", at(""), body, 400);
    assert_string_equal(json_text(problem_at("/config/upload_id"), "code", ""), "incomplete");
    sql("UPDATE uploads SET state = 'complete'");
    ask("POST", at(""), body, 201);
}

static void test_patch(void **state)
{
    (void)state;
    char id[40], etag[64];
    ask("POST", at(""), local("j", in_data("x.csv"), ""), 201);
    made_id(id);
    snprintf(etag, sizeof etag, "%s", world.last.etag);
    ask_with("PATCH", at(id), "{\"dedupe_keys\": [\"id\"], \"description\": \"d\"}", etag, NULL, 200);
    assert_int_equal(json_array_size(json_object_get(world.last.body, "dedupe_keys")), 1);
    assert_string_equal(json_text(world.last.body, "name", ""), "j");
    ask_with("PATCH", at(id), "{\"description\": \"e\"}", etag, NULL, 412);
    ask_with("DELETE", at(id), NULL, etag, NULL, 412);
    ask("PATCH", at(id), "{\"description\": \"e\", \"config\": {\"path\": \"/etc/passwd\"}}", 400);
    problem_at("/config/path");
    ask("PATCH", at(id), "{\"description\": \"e\", \"incremental_mode\": \"incremental\"}", 400);
    problem_at("/watermark_column");
    const json_t *job = ask("GET", at(id), NULL, 200);
    assert_string_equal(json_text(job, "description", ""), "d");
    assert_string_equal(json_text(job, "incremental_mode", ""), "full");
    ask("PATCH", at("nothing"), "{}", 404);
}

/* A job that took rows by one watermark does not go on with another one unasked. */
static void test_history(void **state)
{
    (void)state;
    char id[40], text[512];
    ask("POST", at(""),
        local("j", in_data("x.csv"), "\"incremental_mode\": \"incremental\", \"watermark_column\": \"a\""), 201);
    made_id(id);
    ask("PATCH", at(id), "{\"watermark_column\": \"b\"}", 200); /* no rows yet */
    snprintf(text, sizeof text,
             "INSERT INTO metadata_catalog (id, layer, name, path, format, pipeline_id, job_id, current_snapshot,"
             " row_count, created_at, updated_at)"
             " VALUES ('c', 'bronze', 'j', 'bronze/j', 'parquet', '%s', '%s', 1, 7, 1, 1)",
             pipeline, id);
    sql(text);
    snprintf(text, sizeof text,
             "INSERT INTO watermarks (job_id, column_name, type, value, run_id, updated_at)"
             " VALUES ('%s', 'b', 'bigint', '7', 'r', 1)",
             id);
    sql(text);
    ask("PATCH", at(id), "{\"watermark_column\": \"c\"}", 409);
    const char *hint = json_text(world.last.body, "hint", "");
    assert_non_null(strstr(hint, "reset the watermark"));
    assert_non_null(strstr(hint, "incremental_mode=full"));
    assert_non_null(strstr(hint, "new dataset"));
    ask("PATCH", at(id), "{\"dedupe_keys\": [\"k\"]}", 409);
    ask("PATCH", at(id), "{\"description\": \"fine\"}", 200);
    /* One way: full. Back again only over a watermark of the same column. */
    ask("PATCH", at(id), "{\"incremental_mode\": \"full\", \"watermark_column\": \"c\"}", 200);
    ask("PATCH", at(id), "{\"incremental_mode\": \"incremental\"}", 409);
    ask("PATCH", at(id), "{\"incremental_mode\": \"incremental\", \"watermark_column\": \"b\"}", 200);
    /* Another way: a reset, which is audited. */
    snprintf(text, sizeof text, "%s/watermark", id);
    const json_t *shown = ask("GET", at(text), NULL, 200);
    assert_string_equal(json_text(json_object_get(shown, "watermark"), "value", ""), "7");
    ask("DELETE", at(text), "{}", 400);
    problem_at("/reason");
    ask("DELETE", at(text), "{\"reason\": \"source was rebuilt\"}", 204);
    assert_true(json_is_null(json_object_get(ask("GET", at(text), NULL, 200), "watermark")));
    assert_int_equal(sql_number("SELECT count(*) FROM audit_log WHERE action = 'ingest_job.watermark_reset'"
                                " AND details LIKE '%source was rebuilt%' AND details LIKE '%7%'"),
                     1);
    ask("PATCH", at(id), "{\"watermark_column\": \"c\"}", 200);
    /* The third: a new dataset, which begins without watermark. */
    snprintf(text, sizeof text,
             "INSERT INTO watermarks (job_id, column_name, type, value, run_id, updated_at)"
             " VALUES ('%s', 'c', 'bigint', '7', 'r', 1)",
             id);
    sql(text);
    ask("PATCH", at(id), "{\"watermark_column\": \"d\", \"dataset\": \"j2\"}", 200);
    assert_int_equal(sql_number("SELECT count(*) FROM watermarks"), 0);
}

static void test_delete(void **state)
{
    (void)state;
    char id[40], text[700];
    ask("POST", at(""), local("j", in_data("x.csv"), ""), 201);
    made_id(id);
    snprintf(text, sizeof text,
             "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, created_at)"
             " VALUES ('r1', '%s', 'job', 'RUNNING', 'Running', 1)",
             pipeline);
    sql(text);
    snprintf(text, sizeof text,
             "INSERT INTO layer_centric_ingest_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, state_type,"
             " state_name, config, created_at) VALUES ('i1', 'r1', '%s', '%s', 'j', 'RUNNING', 'Running', '{}', 1)",
             pipeline, id);
    sql(text);
    ask("DELETE", at(id), NULL, 409);
    snprintf(text, sizeof text, "%s/watermark", id);
    ask("DELETE", at(text), "{\"reason\": \"r\"}", 409);
    sql("UPDATE layer_centric_ingest_runs SET state_type = 'COMPLETED'");
    snprintf(text, sizeof text, "%s/runs?state=COMPLETED", id);
    const json_t *page = ask("GET", at(text), NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    snprintf(text, sizeof text, "%s/runs?state=FAILED", id);
    assert_int_equal(json_array_size(json_object_get(ask("GET", at(text), NULL, 200), "items")), 0);
    snprintf(text, sizeof text, "%s/runs?state=DONE", id);
    ask("GET", at(text), NULL, 400);
    ask("DELETE", at(id), NULL, 204);
    ask("GET", at(id), NULL, 404);
}

static void test_validate(void **state)
{
    (void)state;
    char id[40], text[128];
    const json_t *answer = ask("POST", "/api/validate/ingest-job", local("j", in_data("x.csv"), ""), 200);
    assert_int_equal(json_array_size(json_object_get(answer, "errors")), 0);
    assert_non_null(json_object_get(answer, "errors"));
    ask("POST", "/api/validate/ingest-job", local("j", "/etc/passwd", ""), 200);
    problem_at("/config/path");
    ask("POST", "/api/validate/ingest-job", "{\"name\": \"\"}", 200);
    problem_at("/name");
    problem_at("/source_type");
    assert_int_equal(sql_number("SELECT count(*) FROM layer_centric_ingest_jobs"), 0);
    ask("POST", at(""), local("j", in_data("x.csv"), ""), 201);
    made_id(id);
    snprintf(text, sizeof text, "/api/validate/ingest-job?job_id=%s", id);
    ask("POST", text, "{\"incremental_mode\": \"incremental\"}", 200);
    problem_at("/watermark_column");
    ask("POST", "/api/validate/ingest-job?job_id=nothing", "{}", 404);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_create),  TEST(test_rules),  TEST(test_paths_are_confined), TEST(test_uploads), TEST(test_patch),
        TEST(test_history), TEST(test_delete), TEST(test_validate),
    };
    return cmocka_run_group_tests_name("api/routes_ingest_jobs", tests, NULL, NULL);
}
