/* File sources and sinks, system call loops, renames and anonymous files, on real files, pipes and /dev/full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dir.h"
#include "sys/file.h"

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
    assert_non_null(f);
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    assert_int_equal(n, strlen(text));
    assert_string_equal(got, text);
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

static void test_source(void **state)
{
    (void)state;
    struct byte_source source;
    struct error err;
    uint64_t size;
    uint8_t bytes[16];
    size_t got;
    put(at("in"), "hello world");
    assert_int_equal(file_source_open(&source, at("in"), &size, &err), OK);
    assert_int_equal(size, 11);
    assert_int_equal(byte_source_read(&source, bytes, 5, &got, &err), OK);
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(byte_source_read_full(&source, bytes, sizeof bytes, &got, &err), OK);
    assert_int_equal(got, 6);
    assert_memory_equal(bytes, " world", 6);
    assert_int_equal(byte_source_read(&source, bytes, 5, &got, &err), OK);
    assert_int_equal(got, 0);
    byte_source_close(&source);

    assert_int_equal(file_source_open(&source, at("none"), &size, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, at("none")));
    assert_int_equal(file_source_open(&source, root, &size, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "directory"));
}

static void test_standard_input(void **state)
{
    (void)state;
    struct byte_source source;
    struct error err;
    uint64_t size;
    uint8_t bytes[16];
    size_t got;
    put(at("stdin"), "0123456789");
    int kept = dup(STDIN_FILENO), fd = open(at("stdin"), O_RDONLY);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(lseek(STDIN_FILENO, 4, SEEK_SET), 4);
    assert_int_equal(file_source_open(&source, "-", &size, &err), OK);
    assert_int_equal(size, 6);
    assert_int_equal(byte_source_read_full(&source, bytes, sizeof bytes, &got, &err), OK);
    assert_int_equal(got, 6);
    assert_memory_equal(bytes, "456789", 6);
    byte_source_close(&source);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD) >= 0, 1); /* still open */
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(fd);
}

static void *drip(void *context)
{
    int fd = *(int *)context;
    for (int i = 0; i < 300; i++) {
        char c = (char)('a' + i % 26);
        if (write(fd, &c, 1) != 1)
            break;
        if (i % 50 == 0)
            usleep(2000);
    }
    close(fd);
    return NULL;
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Bytes one by one through a pipe that does not block, under a storm of signals. */
static void test_pipe(void **state)
{
    (void)state;
    struct byte_source source;
    struct error err;
    struct sigaction action = {.sa_handler = ignore_signal}; /* without SA_RESTART: calls are interrupted */
    sigaction(SIGALRM, &action, NULL);
    uint64_t size;
    size_t got;
    uint8_t bytes[512];
    int ends[2];
    char path[64];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_int_equal(file_source_open(&source, path, &size, &err), OK);
    assert_true(size == FILE_SIZE_UNKNOWN);
    close(ends[0]);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, drip, &ends[1]), 0);
    ualarm(500, 500);
    assert_int_equal(byte_source_read_full(&source, bytes, sizeof bytes, &got, &err), OK);
    ualarm(0, 0);
    assert_int_equal(got, 300);
    for (int i = 0; i < 300; i++)
        assert_int_equal(bytes[i], 'a' + i % 26);
    pthread_join(thread, NULL);
    byte_source_close(&source);
}

static void test_write_to_slow_pipe(void **state)
{
    (void)state;
    int ends[2];
    size_t n = 1 << 20;
    uint8_t *bytes = malloc(n), *got = malloc(n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(file_write_all(ends[1], bytes, n, "pipe", NULL) == OK ? 0 : 1);
    }
    close(ends[1]);
    int flags = fcntl(ends[0], F_GETFL);
    fcntl(ends[0], F_SETFL, flags & ~O_NONBLOCK);
    size_t have = 0;
    for (ssize_t k; (k = read(ends[0], got + have, 1000 < n - have ? 1000 : n - have)) > 0;)
        have += (size_t)k;
    close(ends[0]);
    assert_int_equal(have, n);
    assert_memory_equal(got, bytes, n);
    free(bytes);
    free(got);
}

static void test_sink(void **state)
{
    (void)state;
    struct byte_sink sink;
    struct error err;
    assert_int_equal(file_sink_create(&sink, at("out"), FILE_NEW | FILE_SYNC, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "abc", 3, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "", 0, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "def", 3, &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    assert_holds(at("out"), "abcdef");
    assert_int_equal(byte_sink_write(&sink, "x", 1, &err), ERR_INTERNAL);
    byte_sink_close(&sink);

    assert_int_equal(file_sink_create(&sink, at("out"), FILE_NEW, &err), ERR_EXISTS);
    assert_int_equal(file_sink_create(&sink, at("out"), FILE_APPEND, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "ghi", 3, &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    byte_sink_close(&sink);
    assert_holds(at("out"), "abcdefghi");
    assert_int_equal(file_sink_create(&sink, at("nothing"), FILE_APPEND, &err), ERR_NOT_FOUND);
    assert_int_equal(file_sink_create(&sink, at("out"), 0, &err), OK);
    byte_sink_close(&sink);
    assert_holds(at("out"), "");
    assert_int_equal(file_sink_create(&sink, at("no/such/directory"), 0, &err), ERR_NOT_FOUND);
}

/* Pieces around the size of the buffer come out in order. */
static void test_sink_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,      262143, 262144, 262145, 100, 262044,  1,      262143,
                                   524288, 3,      262141, 262142, 5,   9 << 20, 200000, 200000};
    struct byte_sink sink;
    struct byte_source source;
    struct error err;
    size_t total = 0, got;
    uint64_t size;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        total += sizes[i];
    uint8_t *bytes = malloc(total), *back = malloc(total + 1);
    for (size_t i = 0; i < total; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 1000);
    assert_int_equal(file_sink_create(&sink, at("sizes"), 0, &err), OK);
    for (size_t i = 0, from = 0; i < ARRAY_LENGTH(sizes); from += sizes[i++])
        assert_int_equal(byte_sink_write(&sink, bytes + from, sizes[i], &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), OK);
    byte_sink_close(&sink);
    assert_int_equal(file_source_open(&source, at("sizes"), &size, &err), OK);
    assert_int_equal(size, total);
    assert_int_equal(byte_source_read_full(&source, back, total + 1, &got, &err), OK);
    assert_int_equal(got, total);
    assert_memory_equal(back, bytes, total);
    byte_source_close(&source);
    free(bytes);
    free(back);
}

/* The first failure stays: nothing after it may look like success. */
static void test_full_device(void **state)
{
    (void)state;
    struct byte_sink sink;
    struct error err;
    char *big = calloc(1, 1 << 20);
    assert_int_equal(file_sink_create(&sink, "/dev/full", FILE_APPEND, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "abc", 3, &err), OK); /* still in the buffer */
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_NO_SPACE);
    assert_non_null(strstr(err.message, "/dev/full"));
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_NO_SPACE);
    byte_sink_close(&sink);

    assert_int_equal(file_sink_create(&sink, "/dev/full", FILE_APPEND, &err), OK);
    assert_int_equal(byte_sink_write(&sink, big, 1 << 20, &err), ERR_NO_SPACE);
    assert_int_equal(byte_sink_write(&sink, "abc", 3, &err), ERR_NO_SPACE);
    assert_non_null(strstr(err.message, "/dev/full"));
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_NO_SPACE);
    byte_sink_close(&sink);
    free(big);

    /* a file that cannot be synced: a pipe */
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    assert_int_equal(file_sink_create(&sink, path, FILE_APPEND | FILE_SYNC, &err), OK);
    assert_int_equal(byte_sink_write(&sink, "abc", 3, &err), OK);
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_IO);
    assert_int_equal(byte_sink_finish(&sink, &err), ERR_IO);
    byte_sink_close(&sink);
    close(ends[0]);
    close(ends[1]);
}

static void test_anonymous(void **state)
{
    (void)state;
    struct error err;
    int fd;
    bool empty;
    char bytes[8];
    assert_int_equal(mkdir(at("tmp"), 0700), 0);
    assert_int_equal(file_open_anonymous(at("tmp"), &fd, &err), OK);
    assert_int_equal(dir_is_empty(at("tmp"), &empty, &err), OK);
    assert_true(empty);
    assert_int_equal(file_pwrite_all(fd, "abcdefgh", 8, 100, "t", &err), OK);
    assert_int_equal(file_pread_all(fd, bytes, 8, 100, "t", &err), OK);
    assert_memory_equal(bytes, "abcdefgh", 8);
    assert_int_equal(file_pread_all(fd, bytes, 4, 98, "t", &err), OK);
    assert_memory_equal(bytes, "\0\0ab", 4);
    assert_int_equal(file_pread_all(fd, bytes, 8, 104, "temporary", &err), ERR_IO);
    assert_non_null(strstr(err.message, "temporary"));
    file_punch_hole(fd, 0, 50);
    close(fd);
    assert_int_equal(file_open_anonymous(at("nowhere"), &fd, &err), ERR_NOT_FOUND);
}

static void test_renames(void **state)
{
    (void)state;
    struct error err;
    put(at("a"), "A");
    put(at("b"), "B");
    assert_int_equal(file_rename(at("a"), at("b"), FILE_RENAME_NEW, &err), ERR_EXISTS);
    assert_holds(at("b"), "B");
    assert_int_equal(file_rename(at("a"), at("b"), FILE_RENAME_EXCHANGE, &err), OK);
    assert_holds(at("a"), "B");
    assert_holds(at("b"), "A");
    assert_int_equal(file_rename(at("a"), at("b"), FILE_RENAME_OVER, &err), OK);
    assert_holds(at("b"), "B");
    assert_int_equal(file_rename(at("b"), at("c"), FILE_RENAME_NEW, &err), OK);
    assert_holds(at("c"), "B");
    assert_int_equal(file_rename(at("b"), at("c"), FILE_RENAME_OVER, &err), ERR_NOT_FOUND);
    assert_int_equal(file_rename(at("c"), at("b"), FILE_RENAME_EXCHANGE, &err), ERR_NOT_FOUND);
}

static void test_directories(void **state)
{
    (void)state;
    struct error err;
    size_t existing;
    bool empty;
    assert_int_equal(dir_make_all(at("d/e//f"), &existing, &err), OK);
    assert_int_equal(existing, strlen(root));
    assert_int_equal(dir_make_all(at("d/e/f"), &existing, &err), OK);
    assert_int_equal(existing, strlen(at("d/e/f")));
    assert_int_equal(dir_make(at("d/e"), false, &err), ERR_EXISTS);
    put(at("d/file"), "x");
    assert_int_equal(dir_make_all(at("d/file/g"), NULL, &err), ERR_INVALID);
    assert_int_equal(dir_make_all("", NULL, &err), ERR_INVALID);
    assert_int_equal(dir_is_empty(at("d"), &empty, &err), OK);
    assert_false(empty);
    assert_int_equal(dir_is_empty(at("d/e/f"), &empty, &err), OK);
    assert_true(empty);
    assert_int_equal(dir_fsync_tree(at("d"), &err), OK);
    assert_int_equal(dir_fsync(at("nowhere"), &err), ERR_NOT_FOUND);

    /* a link is removed, what it points to stays */
    put(at("outside"), "kept");
    assert_int_equal(mkdir(at("other"), 0700), 0);
    put(at("other/kept"), "kept");
    assert_int_equal(symlink(at("other"), at("d/e/link")), 0);
    assert_int_equal(dir_remove_tree(at("d"), &err), OK);
    assert_int_not_equal(access(at("d"), F_OK), 0);
    assert_holds(at("other/kept"), "kept");
    assert_int_equal(dir_remove_tree(at("d"), &err), OK);

    assert_int_equal(dir_make_all(at("p/q/r"), &existing, &err), OK);
    dir_remove_empty(at("p/q/r"), existing);
    assert_int_not_equal(access(at("p"), F_OK), 0);
    assert_int_equal(access(root, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source),      cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_pipe),        cmocka_unit_test(test_write_to_slow_pipe),
        cmocka_unit_test(test_sink),        cmocka_unit_test(test_sink_sizes),
        cmocka_unit_test(test_full_device), cmocka_unit_test(test_anonymous),
        cmocka_unit_test(test_renames),     cmocka_unit_test(test_directories),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
