/* Pipelines and jobs: slugs, who holds a name or a dataset, what an update may change. */
#include "store/store.h"
#include "store/store_jobs.h"
#include "sys/id.h"
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

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

/* A new pipeline's id. */
static const char *pipeline(const char *name)
{
    static char ids[8][ID_CAP];
    static int turn;
    char *id = ids[turn++ & 7];
    struct error err;
    json_t *record = json_pack("{s:s}", "name", name);
    assert_ok(pipeline_create(db, record, &err), err);
    snprintf(id, ID_CAP, "%s", json_text(record, "id", ""));
    json_decref(record);
    return id;
}

static json_t *ingest(const char *name, const char *dataset)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "name", name, "dataset", dataset, "source_type", "file_local", "compression",
                     "snappy");
}

static json_t *dataset_job(const char *name, const char *layer, const char *dataset)
{
    return json_pack("{s:s,s:s,s:s,s:[],s:s}", "name", name, "layer", layer, "dataset", dataset, "inputs", "sql",
                     "SELECT 1");
}

static void test_slug_make(void **state)
{
    (void)state;
    static const struct {
        const char *name, *slug;
    } cases[] = {
        {"Sales EU", "sales_eu"},
        {"  --a  b--  ", "a_b--"},
        {"", "x"},
        {"\xc3\xa9t\xc3\xa9", "t"},
        {"\xe6\x97\xa5", "x"},
        {"../../etc", "etc"},
        {"A.B/C", "a_b_c"},
        {"under_score-9", "under_score-9"},
        {"a", "a"},
    };
    char slug[SLUG_CAP];
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        slug_make(cases[i].name, slug, sizeof slug);
        assert_string_equal(slug, cases[i].slug);
    }
    char small[4];
    slug_make("a b c d e", small, sizeof small);
    assert_true(strlen(small) < sizeof small);
    assert_int_equal(small[0], 'a');
    slug_make("", small, 1);
    assert_string_equal(small, "");
}

static void test_pipelines(void **state)
{
    (void)state;
    struct error err;
    json_t *record = parsed("{\"name\":\"Sales EU\",\"tags\":[\"a\"],\"slug\":\"mine\",\"jobs\":[]}"), *found = NULL;
    assert_ok(pipeline_create(db, record, &err), err);
    const char *id = json_text(record, "id", "");
    assert_true(id_is_valid(id));
    assert_string_equal(json_text(record, "slug", ""), "sales_eu");
    assert_string_equal(json_text(record, "created_at", "a"), json_text(record, "updated_at", "b"));
    assert_ok(pipeline_find(db, id, &found, &err), err);
    assert_string_equal(json_text(found, "name", ""), "Sales EU");
    assert_string_equal(json_text(found, "orchestrator", ""), "auto");
    json_decref(found);
    assert_ok(pipeline_find(db, "sales eu", &found, &err), err);
    assert_string_equal(json_text(found, "id", ""), id);
    json_decref(found);
    found = NULL;
    assert_int_equal(pipeline_find(db, "sales", &found, &err), ERR_NOT_FOUND);
    assert_string_equal(err.message, "there is no pipeline 'sales'");

    json_t *again = parsed("{\"name\":\"SALES eu\"}");
    assert_int_equal(pipeline_create(db, again, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, "SALES eu"));
    assert_non_null(strstr(err.message, id));
    assert_non_null(strstr(err.hint, "another name"));
    json_decref(again);

    /* another name, the same slug */
    pipeline("Sales-EU!");
    pipeline("Sales/EU");
    const char *third = pipeline("sales_eu");
    assert_ok(pipeline_find(db, third, &found, &err), err);
    assert_string_equal(json_text(found, "slug", ""), "sales_eu-3");
    json_decref(found);
    json_decref(record);
}

static void test_pipeline_update(void **state)
{
    (void)state;
    struct error err;
    const char *one = pipeline("One"), *two = pipeline("Two");
    json_t *found = NULL,
           *changes = parsed("{\"name\":\"ONE more\",\"slug\":\"no\",\"created_at\":\"2000-01-01T00:00:00Z\","
                             "\"id\":\"no\",\"description\":\"d\"}");
    assert_ok(pipeline_update(db, one, changes, &err), err);
    assert_ok(pipeline_find(db, one, &found, &err), err);
    assert_string_equal(json_text(found, "name", ""), "ONE more");
    assert_string_equal(json_text(found, "slug", ""), "one");
    assert_string_equal(json_text(found, "description", ""), "d");
    assert_string_not_equal(json_text(found, "created_at", ""), "2000-01-01T00:00:00.000000Z");
    assert_string_equal(json_text(found, "updated_at", "a"), json_text(changes, "updated_at", "b"));
    json_decref(found);
    json_decref(changes);
    /* its own name in other letters is no conflict, another's is */
    changes = parsed("{\"name\":\"one MORE\"}");
    assert_ok(pipeline_update(db, one, changes, &err), err);
    assert_int_equal(pipeline_update(db, two, changes, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, one));
    assert_int_equal(pipeline_update(db, "nobody", changes, &err), ERR_NOT_FOUND);
    json_decref(changes);
}

static void test_job_round_trip(void **state)
{
    (void)state;
    struct error err;
    const char *p = pipeline("P"), *other = pipeline("Q");
    json_t *found = NULL;
    /* every column that a person sets */
    json_t *job = parsed(
        "{\"name\":\"Orders\",\"description\":\"d\",\"enabled\":false,\"source_type\":\"file_upload\",\"format\":"
        "\"csv\","
        "\"force_to_parquet\":false,\"dataset\":\"orders\",\"partition_mode\":\"column\",\"partition_pattern\":\"c\","
        "\"filename_pattern\":\"{seq}\",\"compression\":\"gzip\",\"landing_retention_days\":3,\"schema_mode\":\"user\","
        "\"user_schema\":[{\"name\":\"a\",\"type\":\"date\"}],\"error_handling\":\"quarantine\",\"quarantine_path\":"
        "\"q\","
        "\"max_rejects\":5,\"max_reject_ratio\":0.25,\"dedupe_keys\":[\"a\"],\"incremental_mode\":\"incremental\","
        "\"watermark_column\":\"w\",\"last_watermark_value\":null,\"rename_map\":{\"a\":\"b\"},\"is_reference\":true,"
        "\"null_values\":[\"NA\"],\"retries\":2,\"retry_delay_seconds\":7,\"timeout_seconds\":60,"
        "\"config\":{\"path\":\"x\"},\"connection_id\":null}");
    assert_ok(job_create(db, JOB_INGEST, p, job, &err), err);
    assert_string_equal(json_text(job, "pipeline_id", ""), p);
    assert_string_equal(json_text(job, "slug", ""), "orders");
    assert_ok(job_get(db, JOB_INGEST, p, json_text(job, "id", ""), &found, &err), err);
    assert_int_equal(json_object_size(found), ingest_jobs_table.count);
    assert_true(json_equal(found, job));
    json_decref(found);
    found = NULL;
    assert_ok(job_get(db, JOB_INGEST, NULL, json_text(job, "id", ""), &found, &err), err);
    json_decref(found);
    found = NULL;
    assert_int_equal(job_get(db, JOB_INGEST, other, json_text(job, "id", ""), &found, &err), ERR_NOT_FOUND);
    assert_null(found);
    assert_int_equal(job_get(db, JOB_DATASET, p, json_text(job, "id", ""), &found, &err), ERR_NOT_FOUND);
    json_decref(job);

    job = parsed(
        "{\"name\":\"Clean\",\"description\":\"\",\"enabled\":true,\"layer\":\"gold\",\"dataset\":\"clean\","
        "\"inputs\":[{\"alias\":\"o\",\"dataset\":\"bronze.orders\"}],\"sql\":\"SELECT 1\","
        "\"refresh_mode\":\"merge\",\"merge_keys\":[\"a\"],\"partition_mode\":\"none\",\"partition_pattern\":null,"
        "\"filename_pattern\":\"f\",\"compression\":\"zstd\",\"output_schema\":[{\"name\":\"a\",\"type\":\"date\"}],"
        "\"retries\":0,\"retry_delay_seconds\":10,\"timeout_seconds\":null}");
    assert_ok(job_create(db, JOB_DATASET, p, job, &err), err);
    assert_ok(job_get(db, JOB_DATASET, p, json_text(job, "id", ""), &found, &err), err);
    assert_int_equal(json_object_size(found), dataset_jobs_table.count);
    assert_true(json_equal(found, job));
    json_decref(found);
    json_decref(job);
    assert_ptr_equal(job_table(JOB_INGEST), &ingest_jobs_table);
    assert_ptr_equal(job_table(JOB_DATASET), &dataset_jobs_table);
}

static void assert_conflict(enum job_kind kind, const char *pipeline_id, json_t *job, const char *first,
                            const char *second)
{
    struct error err;
    assert_int_equal(job_create(db, kind, pipeline_id, job, &err), ERR_CONFLICT);
    if (!strstr(err.message, first) || !strstr(err.message, second))
        fail_msg("'%s' does not name '%s' and '%s'", err.message, first, second);
    assert_int_not_equal(err.hint[0], '\0');
    json_decref(job);
}

static void create(enum job_kind kind, const char *pipeline_id, json_t *job, char id[ID_CAP])
{
    struct error err;
    assert_ok(job_create(db, kind, pipeline_id, job, &err), err);
    snprintf(id, ID_CAP, "%s", json_text(job, "id", ""));
    json_decref(job);
}

static void test_one_producer(void **state)
{
    (void)state;
    struct error err;
    char first[ID_CAP], second[ID_CAP], silver[ID_CAP], gold[ID_CAP];
    const char *p = pipeline("Sales"), *q = pipeline("Stock");
    create(JOB_INGEST, p, ingest("Load", "orders"), first);
    assert_conflict(JOB_INGEST, p, ingest("LOAD", "other"), "'LOAD'", first);
    assert_conflict(JOB_INGEST, q, ingest("Load", "Orders"), "'bronze.Orders'",
                    "ingest job 'Load' of the pipeline 'Sales'");
    create(JOB_INGEST, q, ingest("Load", "stock"), second);
    create(JOB_DATASET, p, dataset_job("Clean", "silver", "orders"), silver);
    create(JOB_DATASET, p, dataset_job("Sum", "gold", "orders"), gold);
    assert_conflict(JOB_DATASET, q, dataset_job("Clean", "gold", "orders"), "'gold.orders'",
                    "dataset job 'Sum' of the pipeline 'Sales'");
    /* updates, too; what the changes do not name is taken from the job */
    json_t *changes = parsed("{\"dataset\":\"ORDERS\"}");
    assert_ok(job_update(db, JOB_INGEST, first, changes, &err), err);
    assert_int_equal(job_update(db, JOB_INGEST, second, changes, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, "'Load' of the pipeline 'Sales'"));
    json_decref(changes);
    changes = parsed("{\"layer\":\"gold\"}");
    assert_int_equal(job_update(db, JOB_DATASET, silver, changes, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, "'gold.orders' is made by the dataset job 'Sum'"));
    json_decref(changes);
    changes = parsed("{\"name\":\"sum\"}");
    assert_int_equal(job_update(db, JOB_DATASET, silver, changes, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.message, gold));
    assert_int_equal(job_update(db, JOB_DATASET, "nobody", changes, &err), ERR_NOT_FOUND);
    json_decref(changes);
    /* a deleted job's dataset is free */
    assert_ok(record_delete(db, &ingest_jobs_table, first, &err), err);
    create(JOB_INGEST, q, ingest("Load 2", "orders"), first);
    json_t *job = ingest("X", "x");
    assert_int_equal(job_create(db, JOB_INGEST, "nobody", job, &err), ERR_NOT_FOUND);
    assert_string_equal(err.message, "there is no pipeline 'nobody'");
    json_decref(job);
}

static void test_job_update(void **state)
{
    (void)state;
    struct error err;
    char id[ID_CAP], other[ID_CAP];
    const char *p = pipeline("P"), *q = pipeline("Q");
    json_t *found = NULL, *changes = NULL;
    create(JOB_INGEST, p, ingest("Load", "a"), id);
    create(JOB_INGEST, p, ingest("lo@d", "b"), other);
    assert_ok(db_run(db, "UPDATE layer_centric_ingest_jobs SET last_watermark_value = '9'", DB_NO_BINDS, NULL, &err),
              err);
    changes = json_pack("{s:s,s:s,s:s,s:s,s:i}", "pipeline_id", q, "slug", "no", "last_watermark_value", "1", "name",
                        "New", "retries", 3);
    assert_ok(job_update(db, JOB_INGEST, id, changes, &err), err);
    json_decref(changes);
    assert_ok(job_get(db, JOB_INGEST, p, id, &found, &err), err);
    assert_string_equal(json_text(found, "slug", ""), "load");
    assert_string_equal(json_text(found, "name", ""), "New");
    assert_string_equal(json_text(found, "last_watermark_value", ""), "9");
    assert_int_equal(json_int(found, "retries", 0), 3);
    json_decref(found);
    /* a CHECK between columns: nothing is changed */
    changes = parsed("{\"error_handling\":\"quarantine\",\"retries\":4}");
    assert_int_equal(job_update(db, JOB_INGEST, id, changes, &err), ERR_INVALID);
    json_decref(changes);
    assert_int_equal(ask(db, "SELECT max(retries) FROM layer_centric_ingest_jobs"), 3);
}

static void test_job_slugs_and_lists(void **state)
{
    (void)state;
    static const struct {
        const char *name, *dataset, *slug;
    } jobs[] = {{"Load", "a", "load"}, {"load!", "b", "load-2"}, {"(load)", "c", "load-3"}};
    struct error err;
    char id[ID_CAP];
    const char *p = pipeline("P"), *q = pipeline("Q");
    json_t *rows = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(jobs); i++)
        create(JOB_INGEST, p, ingest(jobs[i].name, jobs[i].dataset), id);
    create(JOB_INGEST, q, ingest("Load", "d"), id);
    assert_ok(job_list(db, JOB_INGEST, p, &rows, &err), err);
    assert_int_equal(json_array_size(rows), ARRAY_LENGTH(jobs));
    for (size_t i = 0; i < ARRAY_LENGTH(jobs); i++) {
        assert_string_equal(json_text(json_array_get(rows, i), "name", ""), jobs[i].name);
        assert_string_equal(json_text(json_array_get(rows, i), "slug", ""), jobs[i].slug);
    }
    json_decref(rows);
    assert_ok(job_list(db, JOB_INGEST, q, &rows, &err), err);
    assert_string_equal(json_text(json_array_get(rows, 0), "slug", ""), "load");
    json_decref(rows);
    assert_ok(job_list(db, JOB_DATASET, p, &rows, &err), err);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    /* a pipeline's jobs go with it */
    assert_ok(record_delete(db, &pipelines_table, p, &err), err);
    assert_int_equal(ask(db, "SELECT count(*) FROM layer_centric_ingest_jobs"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slug_make), TEST(test_pipelines),    TEST(test_pipeline_update),
        TEST(test_job_round_trip),        TEST(test_one_producer), TEST(test_job_update),
        TEST(test_job_slugs_and_lists),
    };
    return cmocka_run_group_tests_name("store/store_jobs", tests, NULL, NULL);
}
