/* Answers that are kept are never older than the last commit. */
#include <pthread.h>
#include <stdatomic.h>

#include "api/answer_cache.h"

#include "unit/api/route_fixture.h"

static int set_up(void **state)
{
    struct error err;
    int failed = world_set_up(state);
    return failed ? failed : answer_cache_create(&world.context.answers, world.store, &err) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    answer_cache_free(world.context.answers);
    return world_tear_down(state);
}

/* Of a page of pipelines; -1: no page came. */
static int count_items(const struct api_response *response)
{
    struct error err;
    json_t *page = NULL;
    if (response->status != 200 || !response->text ||
        json_parse(response->text, response->text_length, "answer", &page, &err) != OK)
        return -1;
    int count = (int)json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return count;
}

static int list(enum role as, const char *query_name, const char *value, struct api_response *response)
{
    struct api_request request = {.method = "GET", .path = "/api/workflows", .role = as, .actor = "me"};
    request.query = query_name ? json_pack("{s:s}", query_name, value) : json_object();
    api_dispatch(&world.context, &request, response);
    json_decref(request.query);
    return response->status;
}

static int list_count(const char *query_name, const char *value)
{
    struct api_response response = {0};
    list(ROLE_VIEWER, query_name, value, &response);
    int count = count_items(&response);
    api_response_release(&response);
    return count;
}

static void make_pipeline(int number)
{
    char body[64];
    snprintf(body, sizeof body, "{\"name\": \"pipeline %d\"}", number);
    ask("POST", "/api/workflows", body, 201);
}

static void test_kept_until_the_next_commit(void **state)
{
    (void)state;
    char path[128], etag[64];
    assert_int_equal(list_count(NULL, NULL), 0);
    for (int i = 1; i <= 3; i++) {
        make_pipeline(i);
        assert_int_equal(list_count(NULL, NULL), i);
        assert_int_equal(list_count(NULL, NULL), i);
    }
    assert_int_equal(list_count("search", "2"), 1);
    assert_int_equal(list_count("limit", "2"), 2);
    assert_int_equal(list_count(NULL, NULL), 3);
    snprintf(path, sizeof path, "/api/workflows/%s", json_text(world.last.body, "id", ""));
    ask("GET", path, NULL, 200);
    strcpy(etag, world.last.etag);
    assert_int_not_equal(etag[0], '\0');
    ask("GET", path, NULL, 200);
    assert_string_equal(world.last.etag, etag);
    assert_non_null(strstr(world.last.text, "\"pipeline 3\""));
    ask("PATCH", path, "{\"description\": \"changed\"}", 200);
    ask("GET", path, NULL, 200);
    assert_non_null(strstr(world.last.text, "\"changed\""));
    ask("DELETE", path, NULL, 204);
    ask("GET", path, NULL, 404);
    assert_int_equal(list_count(NULL, NULL), 2);
}

static void test_kept_answers_are_not_for_everybody(void **state)
{
    (void)state;
    struct api_response response = {0};
    assert_int_equal(list_count(NULL, NULL), 2);
    assert_int_equal(list(ROLE_NONE, NULL, NULL, &response), 401);
    api_response_release(&response);
    world.context.layer_centric = false;
    assert_int_equal(list(ROLE_VIEWER, NULL, NULL, &response), 403);
    api_response_release(&response);
    world.context.layer_centric = true;
}

/* More and larger answers than there is room for. */
static void test_room_is_bounded(void **state)
{
    (void)state;
    struct error err;
    struct answer_cache *cache;
    assert_int_equal(answer_cache_create(&cache, world.store, &err), OK);
    char *large = malloc(500001);
    assert_non_null(large);
    memset(large, 'x', 500000);
    large[500000] = '\0';
    size_t found = 0;
    uint64_t version;
    char key[32];
    for (int i = 0; i < 200; i++) {
        struct api_response response = {.status = 200, .body = json_string(i % 10 ? "small" : large)};
        snprintf(key, sizeof key, "key %d", i);
        assert_false(answer_cache_find(cache, str_of(key), &response, &version));
        answer_cache_keep(cache, str_of(key), version, &response);
        assert_null(response.body);
        assert_int_equal(response.text_length, i % 10 ? 8 : 500003);
        api_response_release(&response);
    }
    for (int i = 0; i < 200; i++) {
        struct api_response response = {0};
        snprintf(key, sizeof key, "key %d", i);
        if (answer_cache_find(cache, str_of(key), &response, &version))
            found += response.text_length;
        api_response_release(&response);
    }
    assert_in_range(found, 3500000, 4 << 20);
    answer_cache_free(cache);
    free(large);
}

static atomic_int acknowledged, stale;

static void *read_on(void *argument)
{
    atomic_bool *stop = argument;
    int last = 0;
    while (!atomic_load(stop)) {
        int least = atomic_load(&acknowledged), seen = list_count("limit", "500");
        if (seen < least || seen < last)
            atomic_fetch_add(&stale, 1);
        last = seen;
    }
    return NULL;
}

static void test_never_stale(void **state)
{
    (void)state;
    atomic_bool stop = false;
    pthread_t threads[3];
    atomic_store(&acknowledged, list_count("limit", "500"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &stop), 0);
    for (int i = 0; i < 100; i++) {
        make_pipeline(1000 + i);
        atomic_fetch_add(&acknowledged, 1);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&stale), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_until_the_next_commit),
        cmocka_unit_test(test_kept_answers_are_not_for_everybody),
        cmocka_unit_test(test_room_is_bounded),
        cmocka_unit_test(test_never_stale),
    };
    return cmocka_run_group_tests_name("api/answer_cache", tests, set_up, tear_down);
}
