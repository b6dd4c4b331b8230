/* A run's files: published, taken back, dropped. */
#include <string.h>

#include "lake/publish.h"
#include "unit/cmocka_all.h"

#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != OK)                                                                                              \
            fail_msg("%s: %s", #call, (err).message);                                                                  \
    } while (0)

static struct storage lake;

static int set_up(void **state)
{
    struct error err;
    (void)state;
    return storage_memory(&lake, &err) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    storage_release(&lake);
    return 0;
}

static void stage(const char *name)
{
    struct error err;
    struct byte_sink sink = {0};
    assert_ok(lake.ops->stage(lake.self, name, &sink, &err), err);
    assert_ok(byte_sink_write(&sink, name, strlen(name), &err), err);
    assert_ok(byte_sink_finish(&sink, &err), err);
    byte_sink_close(&sink);
}

static bool exists(const char *name)
{
    struct error err;
    bool there = false;
    assert_ok(lake.ops->exists(lake.self, name, &there, &err), err);
    return there;
}

static const struct publish_file files[] = {{"d/one", "bronze/o/one"}, {"two", "landing/p/j/two"}};

static void test_publish_and_take_back(void **state)
{
    (void)state;
    struct error err;
    stage(".staging/r/d/one");
    stage(".staging/r/two");
    assert_ok(publish_files(&lake, "r", files, 2, &err), err);
    assert_ok(publish_files(&lake, "r", files, 2, &err), err);
    assert_true(exists("bronze/o/one") && exists("landing/p/j/two"));
    assert_ok(unpublish_files(&lake, "r", files, 2, &err), err);
    assert_ok(unpublish_files(&lake, "r", files, 2, &err), err);
    assert_false(exists("bronze/o/one") || exists("landing/p/j/two"));
    assert_int_equal(publish_files(&lake, "r", files, 2, &err), ERR_NOT_FOUND);
    assert_ok(publish_files(&lake, "r", NULL, 0, &err), err);
}

/* What stands at a final name of a file that is still staged is not ours. */
static void test_a_name_that_is_taken(void **state)
{
    (void)state;
    struct error err;
    const struct publish_file theirs = {"x", "landing/p/j/two"};
    stage(".staging/s/x");
    assert_ok(publish_files(&lake, "s", &theirs, 1, &err), err);
    stage(".staging/r/d/one");
    stage(".staging/r/two");
    assert_int_equal(publish_files(&lake, "r", files, 2, &err), ERR_EXISTS);
    assert_ok(unpublish_files(&lake, "r", files, 2, &err), err);
    assert_false(exists("bronze/o/one"));
    assert_true(exists("landing/p/j/two"));
    assert_true(exists(".staging/r/two"));
}

static void test_names(void **state)
{
    (void)state;
    struct error err;
    const struct publish_file up = {"../s/x", "bronze/o/x"}, out = {"x", "../x"}, root = {"x", "/etc/x"};
    stage(".staging/s/x");
    assert_int_equal(publish_files(&lake, "r", &up, 1, &err), ERR_INVALID);
    assert_int_equal(publish_files(&lake, "s", &out, 1, &err), ERR_INVALID);
    assert_int_equal(publish_files(&lake, "s", &root, 1, &err), ERR_INVALID);
    assert_int_equal(publish_files(&lake, "a/b", files, 2, &err), ERR_INVALID);
    assert_int_equal(publish_discard(&lake, "", &err), ERR_INVALID);
    assert_int_equal(publish_discard(&lake, "..", &err), ERR_INVALID);
    assert_true(exists(".staging/s/x"));
}

static bool is_kept(void *self, const char *run_id)
{
    return strcmp(run_id, self) == 0;
}

static void test_sweep(void **state)
{
    (void)state;
    struct error err;
    stage(".staging/r1/a");
    stage(".staging/r2/b/c");
    stage(".staging/r3/d");
    assert_ok(publish_discard(&lake, "r3", &err), err);
    assert_false(exists(".staging/r3/d"));
    assert_true(exists(".staging/r1/a"));
    char keep[] = "r2";
    assert_ok(publish_sweep(&lake, is_kept, keep, &err), err);
    assert_false(exists(".staging/r1/a"));
    assert_true(exists(".staging/r2/b/c"));
    assert_ok(publish_sweep(&lake, NULL, NULL, &err), err);
    assert_false(exists(".staging/r2/b/c"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_take_back),
        TEST(test_a_name_that_is_taken),
        TEST(test_names),
        TEST(test_sweep),
    };
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
