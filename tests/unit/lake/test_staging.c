/* Staging on a real file system: what is seen when, killed runs, full disks, refused destinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "lake/staging.h"
#include "sys/dir.h"

static char root[64];

static const char *at(const char *name)
{
    static char path[4][256];
    static int turn;
    char *into = path[turn++ & 3];
    snprintf(into, sizeof path[0], "%s/%s", root, name);
    return into;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_holds(const char *path, const char *text)
{
    char got[256] = "";
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s is missing", path);
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    got[n] = '\0';
    assert_string_equal(got, text);
}

static void count_entry(void *context, const char *name)
{
    (void)name;
    ++*(int *)context;
}

static int entries(const char *path)
{
    struct error err;
    int count = 0;
    assert_int_equal(dir_each(path, count_entry, &count, &err), OK);
    return count;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/flowforge-test-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct error err;
    (void)state;
    return dir_remove_tree(root, &err) == OK ? 0 : -1;
}

static struct staging_options options(const char *destination, bool directory, bool overwrite)
{
    return (struct staging_options){destination, directory, overwrite, "run-1", true};
}

static status open_staging(struct staging **st, const char *destination, bool directory, bool overwrite,
                           struct error *err)
{
    struct staging_options o = options(destination, directory, overwrite);
    return staging_create(st, &o, err);
}

static void stage(struct staging *st, const char *relative, const char *text)
{
    struct error err = {0};
    struct byte_sink sink;
    assert_int_equal(staging_open(st, relative, &sink, &err), OK);
    assert_int_equal(byte_sink_write(&sink, text, strlen(text), &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    byte_sink_close(&sink);
}

static void test_file(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    char path[256];
    assert_int_equal(open_staging(&st, at("out.parquet"), false, false, &err), OK);
    assert_int_equal(entries(root), 1);
    stage(st, "", "data");
    assert_false(exists(at("out.parquet")));
    assert_int_equal(staging_path(st, "", path, sizeof path, &err), OK);
    assert_holds(path, "data");
    assert_int_equal(staging_path(st, "x", path, sizeof path, &err), ERR_INTERNAL);
    assert_int_equal(staging_publish(st, &err), OK);
    assert_holds(at("out.parquet"), "data");
    assert_int_equal(entries(root), 1);
    assert_int_equal(staging_publish(st, &err), ERR_INTERNAL);
    staging_free(st);
    assert_holds(at("out.parquet"), "data");

    /* it is there now */
    assert_int_equal(open_staging(&st, at("out.parquet"), false, false, &err), ERR_EXISTS);
    assert_int_equal(entries(root), 1);
    assert_int_equal(open_staging(&st, at("out.parquet"), true, true, &err), ERR_EXISTS);
    assert_int_equal(open_staging(&st, at("out.parquet"), false, true, &err), OK);
    stage(st, "", "newer");
    assert_holds(at("out.parquet"), "data");
    assert_int_equal(staging_publish(st, &err), OK);
    assert_holds(at("out.parquet"), "newer");
    staging_free(st);
    assert_int_equal(entries(root), 1);
}

/* A file that comes into being while the run works is not clobbered. */
static void test_file_in_between(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    assert_int_equal(open_staging(&st, at("f"), false, false, &err), OK);
    stage(st, "", "mine");
    put(at("f"), "theirs");
    assert_int_equal(staging_publish(st, &err), ERR_EXISTS);
    assert_holds(at("f"), "theirs");
    staging_free(st);
    assert_int_equal(entries(root), 1);

    assert_int_equal(open_staging(&st, at("d"), true, false, &err), OK);
    stage(st, "a", "mine");
    assert_int_equal(mkdir(at("d"), 0755), 0);
    put(at("d/b"), "theirs");
    assert_int_equal(staging_publish(st, &err), ERR_EXISTS);
    staging_free(st);
    assert_holds(at("d/b"), "theirs");
    assert_int_equal(entries(at("d")), 1);
    assert_int_equal(entries(root), 2);
}

static void test_directory(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    struct byte_sink sink;
    assert_int_equal(open_staging(&st, at("lake/"), true, false, &err), OK);
    stage(st, "a=1/b=2/part", "one");
    stage(st, "top", "two");
    assert_int_equal(staging_open(st, "top", &sink, &err), ERR_EXISTS);
    assert_int_equal(staging_append(st, "a=1/b=2/part", &sink, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "+more", 5, &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    byte_sink_close(&sink);
    assert_int_equal(staging_append(st, "none", &sink, &err), ERR_NOT_FOUND);
    static const char *const bad[] = {"", "/x", "../x", "a/../x", "a//b", "a/", "./x", ".."};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_int_equal(staging_open(st, bad[i], &sink, &err), ERR_INTERNAL);
    assert_false(exists(at("lake")));
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("lake/a=1/b=2/part"), "one+more");
    assert_holds(at("lake/top"), "two");
    assert_int_equal(entries(at("lake")), 2);
    assert_int_equal(entries(root), 1);
    struct stat got;
    assert_int_equal(stat(at("lake"), &got), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(got.st_mode & 0777, 0777 & ~mask);

    /* not without leave; then all of it at once */
    assert_int_equal(open_staging(&st, at("lake"), true, false, &err), ERR_EXISTS);
    assert_int_equal(open_staging(&st, at("lake"), false, true, &err), ERR_EXISTS);
    assert_int_equal(open_staging(&st, at("lake"), true, true, &err), OK);
    stage(st, "c=3/part", "three");
    assert_holds(at("lake/top"), "two");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("lake/c=3/part"), "three");
    assert_int_equal(entries(at("lake")), 1);
    assert_int_equal(entries(root), 1);

    /* an empty directory is nothing to protect */
    assert_int_equal(mkdir(at("empty"), 0755), 0);
    assert_int_equal(open_staging(&st, at("empty"), true, false, &err), OK);
    stage(st, "x", "y");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("empty/x"), "y");
    assert_int_equal(entries(root), 2);
}

static void test_discard(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    assert_int_equal(open_staging(&st, at("new/deep/out"), true, false, &err), OK);
    stage(st, "a/b/c", "x");
    assert_true(exists(at("new/deep")));
    staging_free(st);
    assert_int_equal(entries(root), 0);
    assert_int_equal(open_staging(&st, at("new/deep/out"), true, false, &err), OK);
    stage(st, "a/b/c", "x");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("new/deep/out/a/b/c"), "x");
    assert_int_equal(entries(at("new/deep")), 1);
    staging_free(NULL);

    /* relative to the current directory, and with missing parents there */
    char *here = getcwd(NULL, 0);
    assert_int_equal(chdir(root), 0);
    assert_int_equal(open_staging(&st, "plain", false, false, &err), OK);
    stage(st, "", "p");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("plain"), "p");
    assert_int_equal(open_staging(&st, "rel/ative/out", false, false, &err), OK);
    staging_free(st);
    assert_false(exists(at("rel")));
    assert_int_equal(open_staging(&st, "rel/ative/out", false, false, &err), OK);
    stage(st, "", "r");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_holds(at("rel/ative/out"), "r");
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void test_unfinished_file(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    struct byte_sink sink;
    assert_int_equal(open_staging(&st, at("d"), true, false, &err), OK);
    stage(st, "good", "x");
    assert_int_equal(staging_open(st, "bad", &sink, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "x", 1, &err), OK);
    byte_sink_close(&sink);
    assert_int_equal(staging_publish(st, &err), ERR_IO);
    assert_false(exists(at("d")));
    staging_free(st);
    assert_int_equal(entries(root), 0);
}

static void test_refused_destinations(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    static const char *const invalid[] = {"", ".", "..", "/", "/tmp/.", "/tmp/.."};
    for (size_t i = 0; i < ARRAY_LENGTH(invalid); i++)
        for (int directory = 0; directory < 2; directory++)
            assert_int_equal(open_staging(&st, invalid[i], directory, true, &err), ERR_INVALID);
    assert_int_equal(open_staging(&st, at("x/"), false, true, &err), ERR_INVALID);
    assert_int_equal(open_staging(&st, "/dev/null", false, true, &err), ERR_INVALID);
    put(at("file"), "x");
    assert_int_equal(open_staging(&st, at("file/out"), false, true, &err), ERR_IO); /* not a directory */
    char *here = getcwd(NULL, 0);
    assert_int_equal(mkdir(at("cwd"), 0755), 0);
    assert_int_equal(mkdir(at("cwd/sub"), 0755), 0);
    assert_int_equal(chdir(at("cwd/sub")), 0);
    assert_int_equal(open_staging(&st, at("cwd"), true, true, &err), ERR_INVALID);
    assert_int_equal(chdir(here), 0);
    free(here);
    static const char *const run_ids[] = {"", "a/b", "a b", "\xC3\xA9"};
    for (size_t i = 0; i < ARRAY_LENGTH(run_ids); i++) {
        struct staging_options o = options(at("out"), false, false);
        o.run_id = run_ids[i];
        assert_int_equal(staging_create(&st, &o, &err), ERR_INVALID);
    }
    assert_int_equal(entries(root), 2);
}

static void test_symbolic_link(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    struct stat got;
    assert_int_equal(mkdir(at("real"), 0755), 0);
    put(at("real/target"), "old");
    assert_int_equal(symlink(at("real/target"), at("link")), 0);
    assert_int_equal(open_staging(&st, at("link"), false, true, &err), OK);
    stage(st, "", "new");
    assert_int_equal(staging_publish(st, &err), OK);
    staging_free(st);
    assert_int_equal(lstat(at("link"), &got), 0);
    assert_true(S_ISLNK(got.st_mode));
    assert_holds(at("real/target"), "new");
    assert_int_equal(symlink("nowhere", at("dangling")), 0);
    assert_int_equal(open_staging(&st, at("dangling"), false, true, &err), ERR_NOT_FOUND);
}

/* A child that is killed in the middle leaves only its staging; the next run removes it, but not a living one. */
static void test_killed(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st, *other;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct staging_options o = options(at("out"), true, false);
        o.run_id = "killed";
        struct byte_sink sink;
        if (staging_create(&st, &o, &err) != OK || staging_open(st, "a/b", &sink, &err) != OK ||
            byte_sink_write(&sink, "half", 4, &err) != OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);

    /* alive: left alone */
    assert_int_equal(open_staging(&st, at("out"), true, false, &err), OK);
    assert_int_equal(entries(root), 2);
    /* and a run of the same id does not take over */
    assert_int_equal(open_staging(&other, at("out"), true, false, &err), ERR_EXISTS);
    staging_free(st);
    assert_int_equal(entries(root), 1);

    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(entries(root), 1);
    assert_false(exists(at("out")));

    /* another destination's sweep does not touch it, one towards the same does */
    assert_int_equal(open_staging(&st, at("elsewhere"), true, false, &err), OK);
    staging_free(st);
    assert_int_equal(entries(root), 1);
    assert_int_equal(open_staging(&st, at("out"), true, false, &err), OK);
    assert_int_equal(entries(root), 1);
    assert_false(exists(at(".out.staging-killed")));
    staging_free(st);
    assert_int_equal(entries(root), 0);
}

/* Marks that tell nothing, or of a process number that somebody else has by now. */
static void test_old_marks(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    char mark[512], boot[64] = "", names[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%63s", boot), 1);
    fclose(f);
    assert_true(readlink("/proc/self/ns/pid", names, sizeof names - 1) > 0);

    assert_int_equal(mkdir(at(".out.staging-unmarked"), 0755), 0);
    assert_int_equal(mkdir(at(".out.staging-half"), 0755), 0);
    put(at(".out.staging-half/owner"), "pid 12");
    assert_int_equal(mkdir(at(".out.staging-old"), 0755), 0);
    const struct utimbuf long_ago = {1000, 1000};
    assert_int_equal(utime(at(".out.staging-old"), &long_ago), 0);
    assert_int_equal(mkdir(at(".out.staging-reused"), 0755), 0); /* this very number, but another start */
    snprintf(mark, sizeof mark, "pid %d\nstart 1\nboot %s\nnames %s\nend\n", getpid(), boot, names);
    put(at(".out.staging-reused/owner"), mark);
    assert_int_equal(mkdir(at(".out.staging-rebooted"), 0755), 0);
    snprintf(mark, sizeof mark, "pid %d\nstart 1\nboot other\nnames %s\nend\n", getpid(), names);
    put(at(".out.staging-rebooted/owner"), mark);
    put(at(".out.other"), "not ours");

    assert_int_equal(open_staging(&st, at("out"), false, false, &err), OK);
    assert_true(exists(at(".out.staging-unmarked")));
    assert_true(exists(at(".out.staging-half")));
    assert_false(exists(at(".out.staging-old")));
    assert_false(exists(at(".out.staging-reused")));
    assert_false(exists(at(".out.staging-rebooted")));
    assert_true(exists(at(".out.other")));
    staging_free(st);
}

/* What an ordinary user may not write to. The test may run as root, so a child gives that up. */
static void test_read_only_directory(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("locked"), 0555), 0);
    assert_int_equal(chmod(root, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error err = {0};
        struct staging *st;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(1);
        if (open_staging(&st, at("locked/out"), false, false, &err) != ERR_DENIED)
            _exit(2);
        _exit(strstr(err.message, at("locked/out")) && strstr(err.message, "Permission denied") ? 0 : 3);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    assert_int_equal(entries(at("locked")), 0);
    assert_int_equal(chmod(at("locked"), 0755), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct error err = {0};
    struct staging *st;
    struct byte_sink sink;
    assert_int_equal(mkdir(at("small"), 0755), 0);
    if (mount("tmpfs", at("small"), "tmpfs", 0, "size=256k,nr_inodes=20") != 0)
        skip();
    char *bytes = calloc(1, 1 << 20);
    put(at("small/out"), "before");
    assert_int_equal(open_staging(&st, at("small/out"), false, true, &err), OK);
    assert_int_equal(staging_open(st, "", &sink, &err), OK);
    assert_int_equal(byte_sink_write(&sink, bytes, 1 << 20, &err), ERR_NO_SPACE);
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_NO_SPACE);
    byte_sink_close(&sink);
    assert_int_equal(staging_publish(st, &err), ERR_IO);
    staging_free(st);
    assert_holds(at("small/out"), "before");
    assert_int_equal(entries(at("small")), 1);

    /* no file more: the number of files is a limit, too */
    assert_int_equal(open_staging(&st, at("small/many"), true, false, &err), OK);
    status s = OK;
    for (int i = 0; i < 40 && s == OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d/f", i);
        s = staging_open(st, name, &sink, &err);
        if (s == OK) {
            assert_int_equal(byte_sink_finish(&sink, &err), OK);
            byte_sink_close(&sink);
        }
    }
    assert_int_equal(s, ERR_NO_SPACE);
    staging_free(st);
    assert_int_equal(entries(at("small")), 1);
    free(bytes);
    assert_int_equal(umount(at("small")), 0);
}

int main(void)
{
#define STAGING_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGING_TEST(test_file),
        STAGING_TEST(test_file_in_between),
        STAGING_TEST(test_directory),
        STAGING_TEST(test_discard),
        STAGING_TEST(test_unfinished_file),
        STAGING_TEST(test_refused_destinations),
        STAGING_TEST(test_symbolic_link),
        STAGING_TEST(test_killed),
        STAGING_TEST(test_old_marks),
        STAGING_TEST(test_read_only_directory),
        STAGING_TEST(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
