#include "sys/file_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

static char folder[64];

static const char *at(const char *name)
{
    static char paths[16][128];
    static unsigned next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct file_copy_options options_of(const char *from, const char *to)
{
    struct stat st;
    assert_int_equal(stat(from, &st), 0);
    return (struct file_copy_options){.from = from,
                                      .to = to,
                                      .size = (uint64_t)st.st_size,
                                      .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
                                      .resolved = true};
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/ff-file-copy-XXXXXX");
    if (!mkdtemp(folder) || mkdir(at("in"), 0700) != 0 || mkdir(at("out"), 0700) != 0)
        return -1;
    put("in/a", "good");
    put("out/a", "evil");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void test_copy(void **state)
{
    (void)state;
    struct error err;
    struct file_hash hash;
    bool hashed = false;
    char bytes[8] = "";
    struct file_copy_options o = options_of(at("in/a"), at("copy"));
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), OK);
    FILE *f = fopen(at("copy"), "r");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), 4);
    fclose(f);
    assert_string_equal(bytes, "good");
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), ERR_EXISTS);
}

/* The path was resolved, and then the file, or its folder, became a link to one of the same size and time. */
static void test_a_link_that_came_since(void **state)
{
    (void)state;
    struct error err;
    struct file_hash hash;
    bool hashed = false;
    struct file_copy_options o = options_of(at("out/a"), at("copy"));
    o.from = at("in/a");
    assert_int_equal(unlink(at("in/a")), 0);
    assert_int_equal(symlink(at("out/a"), at("in/a")), 0);
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), ERR_DENIED);
    assert_int_equal(access(at("copy"), F_OK), -1);
    assert_int_equal(unlink(at("in/a")), 0);
    assert_int_equal(rmdir(at("in")), 0);
    assert_int_equal(symlink(at("out"), at("in")), 0);
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), ERR_DENIED);
    assert_int_equal(access(at("copy"), F_OK), -1);
    o.resolved = false;
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), OK);
}

static void test_a_pipe_in_its_place(void **state)
{
    (void)state;
    struct error err;
    struct file_hash hash;
    bool hashed = false;
    struct file_copy_options o = options_of(at("in/a"), at("copy"));
    assert_int_equal(unlink(at("in/a")), 0);
    assert_int_equal(mkfifo(at("in/a"), 0600), 0);
    assert_int_equal(file_copy(&o, &hashed, &hash, &err), ERR_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_link_that_came_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_pipe_in_its_place, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
