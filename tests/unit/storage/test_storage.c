/* Both storages by the same cases: what is listed, staged, published, removed; and what a local one refuses. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/storage.h"
#include "sys/dir.h"
#include "unit/cmocka_all.h"

#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != OK)                                                                                              \
            fail_msg("%s: %s", #call, (err).message);                                                                  \
    } while (0)

static char root[64];
static char trace[8192];  /* what the system was asked, in order: "sync <path>;" and "move <name>;" */
static char failing[256]; /* the fsync of a path that ends so fails, once */

static char vanishing[256]; /* the folder that somebody removes just before the next renames */
static int vanishings;      /* before how many */

/* In the place of libc's: the trace, and failures of a disk. */
int fsync(int fd)
{
    char link[64], path[512] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t cut = strlen(root) + strlen("/lake");
    path[n > 0 ? n : 0] = '\0';
    const char *name = strlen(path) > cut ? path + cut + 1 : ".";
    size_t used = strlen(trace);
    snprintf(trace + used, sizeof trace - used, "sync %s;", name);
    size_t a = strlen(name), b = strlen(failing);
    if (b && a >= b && strcmp(name + a - b, failing) == 0) {
        failing[0] = '\0';
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    if (vanishings > 0 && vanishings--)
        assert_int_equal(rmdir(vanishing), 0);
    int done = (int)syscall(SYS_renameat2, from, old, to, new, flags);
    size_t used = strlen(trace);
    if (done == 0)
        snprintf(trace + used, sizeof trace - used, "move %s;", new);
    return done;
}

static struct storage local, memory;
static bool without_openat2;

/* As on a kernel that has not got it; for good. */
static void forbid_openat2(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    without_openat2 = true;
}

static int set_up(void **state)
{
    struct error err;
    char path[128];
    (void)state;
    strcpy(root, "/tmp/flowforge-test-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(path, sizeof path, "%s/lake", root);
    trace[0] = failing[0] = '\0';
    return mkdir(path, 0777) == 0 && storage_local(&local, path, &err) == OK && storage_memory(&memory, &err) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct error err;
    (void)state;
    storage_release(&local);
    storage_release(&memory);
    return dir_remove_tree(root, &err) == OK ? 0 : -1;
}

static void stage(struct storage *s, const char *name, const char *text)
{
    struct error err;
    struct byte_sink sink = {0};
    assert_ok(s->ops->stage(s->self, name, &sink, &err), err);
    assert_ok(byte_sink_write(&sink, text, strlen(text), &err), err);
    assert_ok(byte_sink_finish(&sink, &err), err);
    byte_sink_close(&sink);
}

static status publish(struct storage *s, const char *staged, const char *name)
{
    struct error err;
    const struct storage_move move = {staged, name};
    return s->ops->publish(s->self, &move, 1, &err);
}

static void make(struct storage *s, const char *name, const char *text)
{
    stage(s, ".staging/t/x", text);
    assert_int_equal(publish(s, ".staging/t/x", name), OK);
}

static bool exists(struct storage *s, const char *name)
{
    struct error err;
    bool there = false;
    assert_ok(s->ops->exists(s->self, name, &there, &err), err);
    return there;
}

static void assert_holds(struct storage *s, const char *name, const char *text)
{
    struct error err;
    struct byte_source source = {0};
    uint64_t size;
    uint8_t got[256];
    size_t n;
    assert_ok(s->ops->open(s->self, name, &source, &size, &err), err);
    assert_ok(byte_source_read_full(&source, got, sizeof got, &n, &err), err);
    byte_source_close(&source);
    assert_int_equal(size, strlen(text));
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, n);
}

static char names[4096];

static status add_name(void *self, const struct storage_object *object, struct error *err)
{
    size_t used = strlen(names);
    (void)self;
    (void)err;
    snprintf(names + used, sizeof names - used, "%s ", object->name);
    return OK;
}

static const char *listed(struct storage *s, const char *prefix)
{
    struct error err;
    names[0] = '\0';
    assert_ok(s->ops->list(s->self, prefix, add_name, NULL, &err), err);
    return names;
}

static const char *folders(struct storage *s, const char *folder)
{
    struct error err;
    names[0] = '\0';
    assert_ok(s->ops->folders(s->self, folder, add_name, NULL, &err), err);
    return names;
}

static void test_names(void **state)
{
    (void)state;
    static const char *const plain[] = {"a", "a/b.parquet", "x=1/y", ".staging/r/f", "a..b", "Ünïcode/ä ö"};
    static const char *const not_plain[] = {"",    "/a",   "a/",   "a//b",  ".",    "..",   "a/../b", "a/.",
                                            "./a", "a\\b", "a\nb", "a\x7f", "../a", "a/..", "\x01"};
    char long_name[1100];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(storage_name_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof not_plain / sizeof *not_plain; i++)
        assert_false(storage_name_is_plain(not_plain[i]));
    memset(long_name, 'a', sizeof long_name);
    long_name[1025] = '\0';
    assert_false(storage_name_is_plain(long_name));
    long_name[1024] = '\0';
    assert_true(storage_name_is_plain(long_name));
    assert_true(storage_name_is_hidden(".staging/a"));
    assert_true(storage_name_is_hidden("a/.b"));
    assert_false(storage_name_is_hidden("a.b/c"));
}

static void check_life(struct storage *s)
{
    stage(s, ".staging/r1/one", "first");
    stage(s, ".staging/r1/two", "second");
    stage(s, ".staging/r2/three", "third");
    assert_string_equal(listed(s, ""), "");
    assert_string_equal(listed(s, ".staging/r1/"), ".staging/r1/one .staging/r1/two ");
    assert_string_equal(folders(s, ".staging"), ".staging/r1 .staging/r2 ");
    assert_string_equal(folders(s, "nothing"), "");

    assert_int_equal(publish(s, ".staging/r1/one", "bronze/o/2026/a.parquet"), OK);
    assert_holds(s, "bronze/o/2026/a.parquet", "first");
    assert_false(exists(s, ".staging/r1/one"));
    /* done is done; nowhere is lost; a name is never replaced */
    assert_int_equal(publish(s, ".staging/r1/one", "bronze/o/2026/a.parquet"), OK);
    assert_holds(s, "bronze/o/2026/a.parquet", "first");
    assert_int_equal(publish(s, ".staging/r1/none", "bronze/o/none"), ERR_NOT_FOUND);
    assert_int_equal(publish(s, ".staging/r1/two", "bronze/o/2026/a.parquet"), ERR_EXISTS);
    assert_holds(s, "bronze/o/2026/a.parquet", "first");
    assert_true(exists(s, ".staging/r1/two"));
    assert_int_equal(publish(s, ".staging/r1/two", "../two"), ERR_INVALID);

    struct error err;
    assert_int_equal(s->ops->discard(s->self, "bronze", &err), ERR_INVALID);
    assert_ok(s->ops->discard(s->self, ".staging/r1", &err), err);
    assert_ok(s->ops->discard(s->self, ".staging/r1", &err), err);
    assert_string_equal(listed(s, ".staging/"), ".staging/r2/three ");

    assert_ok(s->ops->remove(s->self, "bronze/o/2026/a.parquet", &err), err);
    assert_ok(s->ops->remove(s->self, "bronze/o/2026/a.parquet", &err), err);
    assert_false(exists(s, "bronze/o/2026/a.parquet"));
    assert_string_equal(folders(s, "bronze"), "");
    make(s, "bronze/o/2026/b.parquet", "again"); /* its folders went, and come back */
    assert_holds(s, "bronze/o/2026/b.parquet", "again");

    struct byte_sink sink = {0};
    assert_int_equal(s->ops->stage(s->self, "seen", &sink, &err), ERR_INVALID);
    assert_int_equal(s->ops->stage(s->self, ".staging/r2/three", &sink, &err), ERR_EXISTS);
}

static void test_life(void **state)
{
    (void)state;
    check_life(&memory);
    check_life(&local);
}

static void check_order(struct storage *s)
{
    static const char *const all[] = {"a/x", "a.txt", "a-b/y", "b", "a/.hidden/z", "ab/c/d", "a/b/c"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        make(s, all[i], "-");
    assert_string_equal(listed(s, ""), "a-b/y a.txt a/b/c a/x ab/c/d b ");
    assert_string_equal(listed(s, "a/"), "a/b/c a/x ");
    assert_string_equal(listed(s, "a"), "a-b/y a.txt a/b/c a/x ab/c/d ");
    assert_string_equal(listed(s, "ab/c"), "ab/c/d ");
    assert_string_equal(listed(s, "a/.h"), "a/.hidden/z ");
    assert_string_equal(listed(s, "nothing/here"), "");
}

static void test_order(void **state)
{
    (void)state;
    check_order(&memory);
    check_order(&local);
}

static void test_links_that_lead_out(void **state)
{
    (void)state;
    struct error err;
    struct byte_source source = {0};
    uint64_t size;
    char from[128], to[128];
    make(&local, "in/file", "inside");
    snprintf(from, sizeof from, "%s/lake/out", root);
    assert_int_equal(symlink("/etc", from), 0);
    snprintf(from, sizeof from, "%s/lake/in/passwd", root);
    assert_int_equal(symlink("/etc/passwd", from), 0);
    snprintf(from, sizeof from, "%s/lake/in/up", root);
    assert_int_equal(symlink("../../..", from), 0);
    snprintf(from, sizeof from, "%s/lake/in/near", root);
    assert_int_equal(symlink("file", from), 0);
    snprintf(to, sizeof to, "%s/lake/in/pipe", root);
    assert_int_equal(mkfifo(to, 0666), 0);
    assert_int_equal(local.ops->open(local.self, "out/passwd", &source, &size, &err), ERR_DENIED);
    assert_non_null(strstr(err.message, "leads out"));
    assert_int_equal(local.ops->open(local.self, "in/passwd", &source, &size, &err), ERR_DENIED);
    assert_int_equal(local.ops->open(local.self, "in/up/etc/passwd", &source, &size, &err), ERR_DENIED);
    assert_int_equal(local.ops->open(local.self, "../x", &source, &size, &err), ERR_INVALID);
    assert_int_equal(local.ops->open(local.self, "in/pipe", &source, &size, &err), ERR_INVALID);
    assert_int_equal(local.ops->open(local.self, "in", &source, &size, &err), ERR_INVALID);
    if (without_openat2) {
        assert_int_equal(local.ops->open(local.self, "in/near", &source, &size, &err), ERR_DENIED);
        assert_string_equal(listed(&local, ""), "in/file ");
    } else {
        assert_holds(&local, "in/near", "inside");
        assert_string_equal(listed(&local, ""), "in/file in/near ");
    }
    stage(&local, ".staging/r/f", "-");
    assert_int_equal(publish(&local, ".staging/r/f", "out/f"), ERR_DENIED);
    assert_int_equal(publish(&local, ".staging/r/f", "in/file/f"), ERR_INVALID);
    assert_true(exists(&local, ".staging/r/f"));
}

/* Housekeeping takes away a folder that has just become empty. */
static void test_a_folder_that_vanishes_while_files_are_moved(void **state)
{
    (void)state;
    stage(&local, ".staging/r/v", "v");
    snprintf(vanishing, sizeof vanishing, "%s/lake/bronze/vanishing", root);
    vanishings = 2;
    assert_int_equal(publish(&local, ".staging/r/v", "bronze/vanishing/v"), OK);
    assert_true(exists(&local, "bronze/vanishing/v"));
    assert_int_equal(publish(&local, ".staging/r/never", "bronze/vanishing/never"), ERR_NOT_FOUND);
}

static void test_order_of_durability(void **state)
{
    (void)state;
    stage(&local, ".staging/r/f", "-");
    stage(&local, ".staging/r/g", "-");
    const char *file = strstr(trace, "sync .staging/r/f;");
    assert_non_null(file);
    assert_non_null(strstr(file, "sync .staging/r;"));
    trace[0] = '\0';
    struct error err;
    const struct storage_move moves[] = {{".staging/r/f", "bronze/o/f"}, {".staging/r/g", "bronze/o/g"}};
    assert_ok(local.ops->publish(local.self, moves, 2, &err), err);
    /* the new folders are durable in their parents, then the names in their folder: once for both files */
    assert_string_equal(trace, "sync .;sync bronze;move f;move g;sync bronze/o;");
    trace[0] = '\0';
    make(&local, "bronze/o/h", "-");
    const char *moved = strstr(trace, "move h;");
    assert_non_null(moved);
    assert_string_equal(moved, "move h;sync bronze/o;");
    /* a file that is there already: its name is given anew before the folder is synced */
    trace[0] = '\0';
    assert_int_equal(publish(&local, ".staging/r/f", "bronze/o/f"), OK);
    moved = strstr(trace, "move f;");
    assert_non_null(moved);
    assert_string_equal(moved, "move f;move f;sync bronze/o;");
}

static void test_a_failed_sync_stays_one(void **state)
{
    (void)state;
    stage(&local, ".staging/r/f", "-");
    stage(&local, ".staging/r/g", "-");
    strcpy(failing, "bronze/o");
    assert_int_equal(publish(&local, ".staging/r/f", "bronze/o/f"), ERR_IO);
    assert_string_equal(failing, ""); /* the next fsync would say yes */
    trace[0] = '\0';
    assert_int_equal(publish(&local, ".staging/r/f", "bronze/o/f"), ERR_IO);
    assert_int_equal(publish(&local, ".staging/r/g", "bronze/o/2026/g"), ERR_IO);
    assert_null(strstr(trace, "bronze/o;"));
    assert_true(exists(&local, ".staging/r/g"));
    assert_int_equal(publish(&local, ".staging/r/g", "bronze/p/g"), OK); /* others go on */

    stage(&local, ".staging/r/h", "-");
    strcpy(failing, "silver");
    assert_int_equal(publish(&local, ".staging/r/h", "silver/s/h"), ERR_IO);
    assert_int_equal(publish(&local, ".staging/r/h", "silver/s/h"), ERR_IO);
    assert_true(exists(&local, ".staging/r/h"));

    /* a restart */
    struct error err;
    char path[128];
    storage_release(&local);
    snprintf(path, sizeof path, "%s/lake", root);
    assert_ok(storage_local(&local, path, &err), err);
    assert_int_equal(publish(&local, ".staging/r/f", "bronze/o/f"), OK);
    assert_int_equal(publish(&local, ".staging/r/h", "silver/s/h"), OK);
}

static void test_a_file_that_cannot_be_synced(void **state)
{
    (void)state;
    struct error err;
    struct byte_sink sink = {0};
    assert_ok(local.ops->stage(local.self, ".staging/r/f", &sink, &err), err);
    assert_ok(byte_sink_write(&sink, "x", 1, &err), err);
    strcpy(failing, "r/f");
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_IO);
    byte_sink_close(&sink);
}

static void test_folders_that_others_removed(void **state)
{
    (void)state;
    struct error err;
    char path[128];
    make(&local, "bronze/o/2026/f", "-");
    snprintf(path, sizeof path, "%s/lake/bronze", root);
    assert_ok(dir_remove_tree(path, &err), err);
    make(&local, "bronze/o/2026/g", "g");
    assert_holds(&local, "bronze/o/2026/g", "g");
}

static void test_root(void **state)
{
    (void)state;
    struct error err;
    struct storage none = {0};
    assert_int_equal(storage_local(&none, "/nowhere/at/all", &err), ERR_NOT_FOUND);
    storage_release(&none);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_life),
        TEST(test_order),
        TEST(test_links_that_lead_out),
        TEST(test_order_of_durability),
        TEST(test_a_failed_sync_stays_one),
        TEST(test_a_file_that_cannot_be_synced),
        TEST(test_folders_that_others_removed),
        TEST(test_a_folder_that_vanishes_while_files_are_moved),
        TEST(test_root),
    };
    int failed = cmocka_run_group_tests_name("storage", tests, NULL, NULL);
    forbid_openat2();
    return failed + cmocka_run_group_tests_name("storage without openat2", tests, NULL, NULL);
}
