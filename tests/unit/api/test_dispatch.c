/* What api_dispatch does around the handlers. */
#include "api/problem.h"

#include "unit/api/route_fixture.h"

static const json_t *ask_as(enum role as, const char *method, const char *target, int wanted)
{
    struct api_request request = {.method = method, .path = target, .role = as, .actor = "me"};
    api_response_release(&world.last);
    request.query = json_object();
    api_dispatch(&world.context, &request, &world.last);
    json_decref(request.query);
    assert_int_equal(world.last.status, wanted);
    return world.last.body;
}

static void test_unknown_path_and_method(void **state)
{
    (void)state;
    const json_t *problem = ask("GET", "/api/nothing", NULL, 404);
    assert_string_equal(json_text(problem, "code", ""), "not_found");
    assert_string_equal(world.last.content_type, "application/problem+json");
    assert_int_equal(json_int(problem, "status", 0), 404);
    problem = ask("PATCH", "/api/features", NULL, 405);
    assert_string_equal(json_text(problem, "code", ""), "method_not_allowed");
    assert_string_equal(world.last.allow, "GET, HEAD, OPTIONS");
    ask("GET", "/api/features/", NULL, 404);
    ask("GET", "/api/workflows//ingest-jobs", NULL, 404);
}

static void test_options_and_head(void **state)
{
    (void)state;
    ask("OPTIONS", "/api/uploads", NULL, 204);
    assert_string_equal(world.last.allow, "GET, HEAD, POST, OPTIONS");
    ask("HEAD", "/api/features", NULL, 200);
}

static void test_roles(void **state)
{
    (void)state;
    ask_as(ROLE_NONE, "GET", "/healthz", 200);
    const json_t *problem = ask_as(ROLE_NONE, "GET", "/api/workflows", 401);
    assert_string_equal(json_text(problem, "code", ""), "unauthenticated");
    ask_as(ROLE_VIEWER, "GET", "/api/workflows", 200);
    problem = ask_as(ROLE_VIEWER, "POST", "/api/workflows", 403);
    assert_string_equal(json_text(problem, "code", ""), "denied");
    ask_as(ROLE_EDITOR, "GET", "/api/tokens", 403);
    ask_as(ROLE_ADMIN, "GET", "/api/tokens", 200);
}

static void test_feature_off(void **state)
{
    (void)state;
    world.context.layer_centric = false;
    const json_t *problem = ask("GET", "/api/workflows/x/ingest-jobs", NULL, 403);
    assert_string_equal(json_text(problem, "code", ""), "feature_off");
    assert_false(json_flag(ask("GET", "/api/features", NULL, 200), "layer_centric", true));
    world.context.layer_centric = true;
}

/* The flag hangs on a route by its path: all but what the server itself is and who may use it. */
static void test_what_the_feature_covers(void **state)
{
    (void)state;
    static const char *const always[] = {
        "/",           "/healthz",           "/metrics",          "/api/features", "/api/schema",
        "/api/login",  "/api/logout",        "/api/openapi.json", "/api/me",       "/api/audit",
        "/api/tokens", "/api/schema/{name}", "/api/tokens/{id}"};
    for (size_t t = 0; t < api_route_table_count; t++)
        for (size_t r = 0; r < api_route_tables[t]->count; r++) {
            const struct route *route = &api_route_tables[t]->routes[r];
            bool stays = false;
            for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
                stays = stays || strcmp(always[i], route->pattern) == 0;
            if (route->layer_centric == stays)
                fail_msg("%s %s: layer_centric is %d", route->method, route->pattern, route->layer_centric);
        }
}

/* Nothing is open to anybody but what signing in needs. */
static void test_what_needs_no_token(void **state)
{
    (void)state;
    static const char *const open[] = {"/",          "/healthz",   "/api/features", "/api/openapi.json",
                                       "/api/login", "/api/logout"};
    for (size_t t = 0; t < api_route_table_count; t++)
        for (size_t r = 0; r < api_route_tables[t]->count; r++) {
            const struct route *route = &api_route_tables[t]->routes[r];
            bool listed = false;
            for (size_t i = 0; i < ARRAY_LENGTH(open); i++)
                listed = listed || strcmp(open[i], route->pattern) == 0;
            if ((route->role == ROLE_NONE) != listed)
                fail_msg("%s %s: role %d", route->method, route->pattern, (int)route->role);
            if (strcmp(route->method, "GET") != 0 && route->role == ROLE_VIEWER)
                fail_msg("%s %s: a viewer only reads", route->method, route->pattern);
        }
}

static void test_bodies(void **state)
{
    (void)state;
    ask("POST", "/api/workflows", NULL, 400);
    ask("POST", "/api/workflows", "[1]", 400);
    ask("POST", "/api/uploads", "{\"filename\": \"a.csv\", \"size\": -1, \"sha256\": \"zz\", \"more\": 1}", 400);
    problem_at("/size");
    problem_at("/more");
}

static void test_pages(void **state)
{
    (void)state;
    ask("GET", "/api/uploads?limit=0", NULL, 400);
    ask("GET", "/api/uploads?limit=501", NULL, 400);
    ask("GET", "/api/uploads?limit=x", NULL, 400);
    for (int i = 0; i < 3; i++)
        ask("POST", "/api/uploads", "{\"filename\": \"a.csv\"}", 201);
    const json_t *page = ask("GET", "/api/uploads?limit=2", NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 2);
    char next[80];
    snprintf(next, sizeof next, "/api/uploads?limit=2&cursor=%s", json_text(page, "next_cursor", "none"));
    page = ask("GET", next, NULL, 200);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_true(json_is_null(json_object_get(page, "next_cursor")));
}

static void test_upload_in_use(void **state)
{
    (void)state;
    char path[80];
    const json_t *made = ask("POST", "/api/uploads", "{\"filename\": \"a.csv\"}", 201);
    snprintf(path, sizeof path, "/api/uploads/%s", json_text(made, "id", ""));
    assert_string_equal(world.last.location, path);
    ask("GET", path, NULL, 200);
    ask("PUT", path, NULL, 415);
    ask("DELETE", path, NULL, 204);
    ask("GET", path, NULL, 404);
    ask("DELETE", path, NULL, 404);
}

/* A problem never fails, whatever text it gets. */
static void test_problem_texts(void **state)
{
    (void)state;
    struct api_response response = {0};
    api_problem(&response, 400, "invalid", "cut \xE2\x82", "not \xFF text", NULL);
    assert_int_equal(response.status, 400);
    assert_string_equal(json_text(response.body, "detail", ""), "cut ");
    assert_non_null(json_object_get(response.body, "hint"));
    api_response_release(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_path_and_method),
        cmocka_unit_test(test_options_and_head),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_feature_off),
        cmocka_unit_test(test_what_the_feature_covers),
        cmocka_unit_test(test_what_needs_no_token),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_upload_in_use),
        cmocka_unit_test(test_problem_texts),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
