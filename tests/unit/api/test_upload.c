/* Two requests for one upload: the bytes that were acknowledged stay what they are. */
#include "unit/api/route_fixture.h"

#include <pthread.h>

#include "api/metrics.h"
#include "api/upload.h"

#define TEXT "a,b\n1,2\n"

static const struct upload_request from_start = {.total = UINT64_MAX, .length = UINT64_MAX};

static struct upload *begin(const char *id)
{
    struct error err;
    struct upload *upload = NULL;
    if (upload_begin(&world.context, id, &from_start, &upload, &err) != OK)
        fail_msg("%s", err.message);
    if (upload_write(upload, TEXT, strlen(TEXT), &err) != OK)
        fail_msg("%s", err.message);
    return upload;
}

static void *finish(void *self)
{
    struct error err;
    bool complete = false;
    json_t *record = NULL;
    status s = upload_finish(self, &complete, &record, &err);
    json_decref(record);
    upload_close(self);
    return s == OK && complete ? self : NULL;
}

static void new_id(char id[64])
{
    const json_t *made = ask("POST", "/api/uploads", "{\"filename\": \"a.csv\"}", 201);
    snprintf(id, 64, "%s", json_text(made, "id", ""));
}

static bool is_there(const char *id, const char *suffix)
{
    char path[200];
    snprintf(path, sizeof path, "%s/uploads/%s%s", world.home, id, suffix);
    return access(path, F_OK) == 0;
}

static status try_begin(const char *id)
{
    struct error err;
    struct upload *upload = NULL;
    status s = upload_begin(&world.context, id, &from_start, &upload, &err);
    upload_close(s == OK ? upload : NULL);
    return s;
}

/* The writer is held, so that the first request stands between the file's final name and its row. */
static void test_sent_again_while_it_is_finished(void **state)
{
    char id[64], path[100];
    struct error err;
    struct db *db = NULL;
    pthread_t thread;
    void *finished = NULL;
    (void)state;
    new_id(id);
    snprintf(path, sizeof path, "/api/uploads/%s", id);
    struct upload *first = begin(id);
    assert_int_equal(store_writer(world.store, &db, &err), OK);
    assert_int_equal(pthread_create(&thread, NULL, finish, first), 0);
    for (int i = 0; i < 1000 && !is_there(id, ""); i++)
        usleep(5000);
    assert_true(is_there(id, ""));
    struct upload *second = NULL;
    status again = upload_begin(&world.context, id, &from_start, &second, &err);
    store_give_back(world.store, db);
    pthread_join(thread, &finished);
    if (again == OK)
        upload_close(second);
    assert_non_null(finished);
    assert_int_equal(again, ERR_CONFLICT);
    assert_false(is_there(id, ".part"));
    const json_t *row = ask("GET", path, NULL, 200);
    assert_string_equal(json_text(row, "state", ""), "complete");
    assert_int_equal(json_int(row, "size", -1), strlen(TEXT));
    assert_int_equal(try_begin(id), ERR_CONFLICT);
    assert_false(is_there(id, ".part"));
}

/* A server that was killed between the name and the row: the file is sent anew. */
static void test_sent_again_after_a_kill(void **state)
{
    char id[64], part[200], final[200];
    void *finished;
    (void)state;
    new_id(id);
    upload_close(begin(id));
    snprintf(part, sizeof part, "%s/uploads/%s.part", world.home, id);
    snprintf(final, sizeof final, "%s/uploads/%s", world.home, id);
    assert_int_equal(rename(part, final), 0);
    finished = finish(begin(id));
    assert_non_null(finished);
    assert_false(is_there(id, ".part"));
}

static void test_one_at_a_time(void **state)
{
    char id[64];
    (void)state;
    new_id(id);
    struct upload *first = begin(id);
    assert_int_equal(try_begin(id), ERR_CONFLICT);
    assert_true(is_there(id, ".part"));
    upload_close(first);
    assert_int_equal(try_begin(id), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sent_again_while_it_is_finished, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_sent_again_after_a_kill, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
