/* Which files a path means, and that links do not lead out. */
#include "source/file_list.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/job/job_files.h"

static void touch(const struct job_files *f, const char *name)
{
    char path[JOB_PATH_MAX];
    job_files_write(f, name, "x", 1, path);
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void folder(const struct job_files *f, const char *name)
{
    char path[JOB_PATH_MAX];
    assert_int_equal(mkdir(job_files_path(f, name, path), 0777), 0);
}

static struct job_files tree(void)
{
    struct job_files f = job_files_begin();
    static const char *const folders[] = {"in", "in/x", "in/x/y", "in/.h", "out"};
    static const char *const files[] = {"in/a.csv",   "in/b.csv",     "in/c.txt",    "in/.a.csv", "in/_SUCCESS",
                                        "in/x/a.csv", "in/x/y/b.csv", "in/.h/z.csv", "out/o.csv"};
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        folder(&f, folders[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        touch(&f, files[i]);
    return f;
}

static status list_at(const struct job_files *f, const char *name, struct file_list *list, struct error *err)
{
    char path[JOB_PATH_MAX], root[JOB_PATH_MAX];
    const char *roots[] = {job_files_path(f, "in", root)};
    struct file_list_options options = {
        .path = job_files_path(f, name, path), .roots = roots, .root_count = 1, .settle_seconds = 2};
    *list = (struct file_list){0};
    return file_list_make(list, &options, err);
}

static void patterns(void **unused)
{
    (void)unused;
    static const struct {
        const char *path;
        const char *expected; /* names below in/, joined by spaces */
    } cases[] = {
        {"in", "a.csv b.csv c.txt x/a.csv x/y/b.csv"},
        {"in/", "a.csv b.csv c.txt x/a.csv x/y/b.csv"},
        {"in/a.csv", "a.csv"},
        {"in/*.csv", "a.csv b.csv"},
        {"in/?.txt", "c.txt"},
        {"in/**/*.csv", "a.csv b.csv x/a.csv x/y/b.csv"},
        {"in/**/**/a.csv", "a.csv x/a.csv"},
        {"in/*/a.csv", "x/a.csv"},
        {"in/x/**", "x/a.csv x/y/b.csv"},
        {"in/.a*", ".a.csv"},
        {"in/nothing", ""},
        {"in/*.nothing", ""},
    };
    struct job_files f = tree();
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct file_list list;
        struct error err = {0};
        struct buf got = {0};
        if (list_at(&f, cases[i].path, &list, &err) != OK)
            fail_msg("%s: %s", cases[i].path, err.message);
        for (size_t k = 0; k < list.count; k++)
            assert_int_equal(buf_printf(&got, NULL, "%s%s", k ? " " : "", list.entries[k].path + strlen(f.folder) + 4),
                             OK);
        assert_int_equal(buf_append(&got, "", 1, NULL), OK);
        assert_string_equal((const char *)got.data, cases[i].expected);
        assert_int_equal(list.growing, 0);
        buf_release(&got);
        file_list_release(&list);
    }
    job_files_remove(f.folder);
}

static void links_may_not_lead_out(void **unused)
{
    (void)unused;
    struct job_files f = tree();
    char from[JOB_PATH_MAX], to[JOB_PATH_MAX];
    struct file_list list;
    struct error err = {0};
    assert_int_equal(list_at(&f, "out/o.csv", &list, &err), ERR_DENIED);
    assert_int_equal(list_at(&f, "out/*.csv", &list, &err), ERR_DENIED);
    assert_int_not_equal(list_at(&f, "in/../out/o.csv", &list, &err), OK);
    assert_int_equal(symlink(job_files_path(&f, "in/a.csv", to), job_files_path(&f, "in/x/inside.csv", from)), 0);
    assert_int_equal(list_at(&f, "in/x/inside.csv", &list, &err), OK);
    assert_int_equal(list.count, 1);
    file_list_release(&list);
    assert_int_equal(symlink(job_files_path(&f, "out/o.csv", to), job_files_path(&f, "in/x/link.csv", from)), 0);
    assert_int_equal(list_at(&f, "in/x/link.csv", &list, &err), ERR_DENIED);
    assert_int_equal(list_at(&f, "in/**/*.csv", &list, &err), ERR_DENIED);
    assert_int_equal(list_at(&f, "in", &list, &err), ERR_DENIED);
    job_files_remove(f.folder);
}

static void fresh_files_are_growing(void **unused)
{
    (void)unused;
    struct job_files f = tree();
    char path[JOB_PATH_MAX];
    struct file_list list;
    struct error err = {0};
    job_files_write(&f, "in/new.csv", "x", 1, path);
    assert_int_equal(list_at(&f, "in/*.csv", &list, &err), OK);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.growing, 1);
    assert_true(list.entries[2].growing);
    file_list_release(&list);
    job_files_remove(f.folder);
}

static void paths_are_absolute(void **unused)
{
    (void)unused;
    struct file_list list;
    struct error err = {0};
    struct file_list_options options = {.path = "in/a.csv"};
    assert_int_equal(file_list_make(&list, &options, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(links_may_not_lead_out),
        cmocka_unit_test(fresh_files_are_growing),
        cmocka_unit_test(paths_are_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
