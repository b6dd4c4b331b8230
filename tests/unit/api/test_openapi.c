/* The OpenAPI document of a few routes. */
#include "unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi.h"
#include "job/fields.h"

static const struct api_query_param params[] = {{"limit", "Rows.", "{\"type\":\"integer\",\"minimum\":1}"}, {0}};
static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/workflows",
     .role = ROLE_VIEWER,
     .summary = "Pipelines",
     .answer = &pipeline_fields,
     .answer_list = true,
     .success = 200,
     .params = params},
    {.method = "POST",
     .pattern = "/api/workflows",
     .role = ROLE_EDITOR,
     .summary = "Create",
     .body = &pipeline_fields,
     .answer = &pipeline_fields,
     .success = 201},
    {.method = "PATCH",
     .pattern = "/api/workflows/{id}/ingest-jobs/{jobId}",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Change",
     .body = &ingest_job_fields,
     .body_partial = true,
     .answer = &ingest_job_fields,
     .success = 200},
    {.method = "POST",
     .pattern = "/api/workflows/{id}/run",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Run",
     .success = 202},
    {.method = "DELETE", .pattern = "/api/workflows/{id}", .role = ROLE_EDITOR, .summary = "Delete", .success = 204},
    {.method = "GET", .pattern = "/healthz", .role = ROLE_NONE, .summary = "Health", .success = 200},
    {.method = "GET", .pattern = "/metrics", .role = ROLE_VIEWER, .summary = "Metrics", .success = 200},
};
static const struct route_table table = {routes, ARRAY_LENGTH(routes)};
static const struct route_table *const tables[] = {&table};

static json_t *make(bool layer_centric)
{
    struct error err = {0};
    json_t *document = NULL;
    assert_int_equal(openapi_document(tables, 1, layer_centric, &document, &err), OK);
    return document;
}

/* By the keys of a path whose parts are separated by '|'. */
static json_t *at(json_t *value, const char *path)
{
    char key[200];
    while (*path) {
        size_t n = strcspn(path, "|");
        memcpy(key, path, n);
        key[n] = '\0';
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key)) : json_object_get(value, key);
        path += n + (path[n] == '|');
    }
    return value;
}

static void assert_text(json_t *document, const char *path, const char *text)
{
    const char *found = json_string_value(at(document, path));
    if (!found)
        print_error("nothing at %s\n", path);
    assert_non_null(found);
    assert_string_equal(found, text);
}

/* Every $ref leads somewhere. */
static void assert_refs(json_t *document, json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    json_array_foreach(value, i, member) assert_refs(document, member);
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "$ref") == 0) {
            char path[200];
            snprintf(path, sizeof path, "%s", json_string_value(member) + 2);
            for (char *p = path; *p; p++)
                *p = (char)(*p == '/' ? '|' : *p);
            if (!at(document, path))
                print_error("%s leads nowhere\n", path);
            assert_non_null(at(document, path));
        }
        assert_refs(document, member);
    }
}

static void test_document(void **state)
{
    (void)state;
    json_t *d = make(true);
    assert_text(d, "openapi", "3.1.0");
    assert_text(d, "paths|/api/workflows|get|operationId", "get_workflows");
    assert_text(d, "paths|/api/workflows|get|parameters|0|name", "limit");
    assert_text(d, "paths|/api/workflows|get|responses|200|content|application/json|schema|properties|items|items|$ref",
                "#/components/schemas/pipeline");
    assert_text(d, "paths|/api/workflows|post|requestBody|content|application/json|schema|$ref",
                "#/components/schemas/pipeline_request");
    assert_text(d, "paths|/api/workflows/{id}/ingest-jobs/{jobId}|patch|parameters|0|name", "id");
    assert_text(d, "paths|/api/workflows/{id}/ingest-jobs/{jobId}|patch|parameters|1|name", "jobId");
    assert_text(d, "paths|/api/workflows/{id}/ingest-jobs/{jobId}|patch|parameters|2|name", "If-Match");
    assert_text(d, "paths|/api/workflows/{id}/run|post|parameters|1|name", "Idempotency-Key");
    assert_text(d, "paths|/api/workflows/{id}|delete|responses|204|description", "Done");
    assert_text(d, "paths|/api/workflows/{id}|delete|responses|404|$ref", "#/components/responses/problem");
    assert_int_equal(json_array_size(at(d, "paths|/healthz|get|security")), 0);
    assert_non_null(at(d, "paths|/healthz|get|security"));
    assert_non_null(at(d, "paths|/metrics|get|responses|200|content|text/plain"));
    assert_null(at(d, "paths|/metrics|get|responses|200|content|application/json"));
    assert_non_null(at(d, "paths|/api/workflows/{id}/run|post|responses|202|content|application/json"));
    assert_non_null(at(d, "paths|/api/workflows/{id}/run|post|responses|200|content|application/json"));
    assert_non_null(at(d, "components|schemas|ingest_job_patch"));
    assert_null(at(d, "components|schemas|ingest_job_patch|required"));
    assert_non_null(at(d, "components|schemas|pipeline_request|required"));
    assert_non_null(at(d, "components|securitySchemes|cookie"));
    assert_refs(d, d);
    json_decref(d);
}

static void test_feature_off(void **state)
{
    (void)state;
    json_t *d = make(false);
    assert_null(at(d, "paths|/api/workflows/{id}/run"));
    assert_null(at(d, "components|schemas|ingest_job"));
    assert_non_null(at(d, "paths|/api/workflows"));
    assert_refs(d, d);
    json_decref(d);
}

static void test_no_such_schema(void **state)
{
    (void)state;
    static const struct api_query_param bad[] = {{"x", "", "{"}, {0}};
    static const struct route one[] = {
        {.method = "GET", .pattern = "/a", .role = ROLE_NONE, .summary = "", .success = 200, .params = bad},
    };
    static const struct route_table broken = {one, 1};
    static const struct route_table *const list[] = {&broken};
    struct error err = {0};
    json_t *document = NULL;
    assert_int_equal(openapi_document(list, 1, true, &document, &err), ERR_INTERNAL);
    assert_null(document);
}

/* The program's own routes: every reference leads somewhere, no two operations share an id. */
static void test_all_routes(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *document = NULL, *ids = json_object(), *path, *operation;
    const char *name, *method;
    size_t count = 0;
    assert_int_equal(openapi_document(api_route_tables, api_route_table_count, true, &document, &err), OK);
    assert_refs(document, document);
    json_object_foreach(at(document, "paths"), name, path) json_object_foreach(path, method, operation)
    {
        const char *id = json_text(operation, "operationId", "");
        if (json_object_get(ids, id))
            print_error("%s %s: %s is there twice\n", method, name, id);
        assert_null(json_object_get(ids, id));
        json_object_set_new(ids, id, json_true());
        count++;
    }
    size_t routes_count = 0;
    for (size_t t = 0; t < api_route_table_count; t++)
        routes_count += api_route_tables[t]->count;
    assert_int_equal(count, routes_count);
    json_decref(ids);
    json_decref(document);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        struct error err = {0};
        json_t *document = NULL;
        if (openapi_document(api_route_tables, api_route_table_count, true, &document, &err) != OK)
            return 1;
        json_dumpf(document, stdout, JSON_INDENT(1));
        json_decref(document);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_feature_off),
        cmocka_unit_test(test_no_such_schema),
        cmocka_unit_test(test_all_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
