/*
 * What no converter can be faster than, on this machine and this file.
 *
 *   cc -O2 -iquote src -o limits bench/limits.c build/release/libflowforge.a -lsnappy
 *   limits FILE [--pages RAW] [--repeat N]
 *
 * read      FILE through a reused 1 MiB buffer
 * index     the structural index of FILE as CSV (commas, double quotes): FlowForge's
 *           own vector scan, 64 KiB at a time, on one thread; reading is not timed
 * snappy    RAW, a Parquet file written without a codec, which is its pages one
 *           after the other, compressed 128 KiB (a usual page) at a time into a
 *           reused buffer on one thread. Left out without --pages: compressing
 *           FILE itself would measure other bytes than a converter has to compress.
 *
 * One line of JSON for each limit, with the best of N runs (default 5).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <snappy-c.h>

#include "format/csv/csv_scan.h"

enum { BLOCK = 1 << 20, SEGMENT = 64 << 10, PAGE = 128 << 10 };

static void die(const char *what)
{
    fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static char *block_create(size_t size)
{
    char *block = malloc(size);
    if (!block)
        die("memory");
    memset(block, 0, size); /* the pages exist before the clock starts */
    return block;
}

static int open_or_die(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(path);
    return fd;
}

/* Fills the block unless the file ends first. */
static size_t read_block(int fd, char *block, const char *path)
{
    size_t have = 0;
    while (have < BLOCK) {
        ssize_t n = read(fd, block + have, BLOCK - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die(path);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return have;
}

/* A measurement: `in` is what was worked on, `out` what came of it (0: nothing). */
struct limit {
    double seconds;
    uint64_t in, out;
};

static struct limit limit_read(const char *path)
{
    struct limit limit = {0};
    char *block = block_create(BLOCK);
    double start = now();
    int fd = open_or_die(path);
    for (size_t n; (n = read_block(fd, block, path)) > 0;)
        limit.in += n;
    close(fd);
    limit.seconds = now() - start;
    free(block);
    return limit;
}

/* Only the compression is timed, not the reading of the page bytes. */
static struct limit limit_snappy(const char *path)
{
    struct limit limit = {0};
    size_t room = snappy_max_compressed_length(BLOCK);
    char *block = block_create(BLOCK), *packed = block_create(room);
    int fd = open_or_die(path);
    for (size_t n; (n = read_block(fd, block, path)) > 0;) {
        double start = now();
        for (size_t at = 0; at < n; at += PAGE) {
            size_t length = room;
            if (snappy_compress(block + at, n - at < PAGE ? n - at : PAGE, packed, &length) != SNAPPY_OK) {
                fputs("limits: snappy failed\n", stderr);
                exit(1);
            }
            limit.out += length;
        }
        limit.seconds += now() - start;
        limit.in += n;
    }
    close(fd);
    free(packed);
    free(block);
    return limit;
}

static struct limit limit_index(const char *path)
{
    struct limit limit = {0};
    const struct csv_scanner *scanner = csv_scanner_best();
    const struct csv_marks marks = {',', '"'};
    struct csv_scan_state state = {0};
    char *block = block_create(BLOCK + 64);
    uint32_t *positions = (uint32_t *)block_create((SEGMENT + 64) * sizeof *positions);
    int fd = open_or_die(path);
    for (size_t n; (n = read_block(fd, block, path)) > 0;) {
        double start = now();
        for (size_t at = 0; at < n; at += SEGMENT)
            limit.out += scanner->index((const uint8_t *)block, at, n - at < SEGMENT ? n : at + SEGMENT, marks, &state,
                                        positions);
        limit.seconds += now() - start;
        limit.in += n;
    }
    close(fd);
    free(positions);
    free(block);
    return limit;
}

static const struct limit_row {
    const char *name;
    int needs_pages;
    struct limit (*measure)(const char *path);
} limit_table[] = {
    {"read", 0, limit_read},
    {"index", 0, limit_index},
    {"snappy", 1, limit_snappy},
};

static void usage(void)
{
    fputs("usage: limits FILE [--pages RAW] [--repeat N]\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    const char *file = NULL, *pages = NULL;
    int repeat = 5;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--pages") == 0 && i + 1 < argc)
            pages = argv[++i];
        else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc)
            repeat = atoi(argv[++i]);
        else if (argv[i][0] != '-' && !file)
            file = argv[i];
        else
            usage();
    }
    if (!file || repeat < 1)
        usage();
    for (size_t i = 0; i < sizeof(limit_table) / sizeof(limit_table[0]); i++) {
        const char *path = limit_table[i].needs_pages ? pages : file;
        if (!path)
            continue;
        struct limit best = {0};
        for (int run = 0; run < repeat; run++) {
            struct limit limit = limit_table[i].measure(path);
            if (run == 0 || limit.seconds < best.seconds)
                best = limit;
        }
        printf("{\"limit\":\"%s\",\"seconds\":%.4f,\"bytes\":%llu,\"bytes_out\":%llu,\"mb_per_s\":%.0f}\n",
               limit_table[i].name, best.seconds, (unsigned long long)best.in, (unsigned long long)best.out,
               best.seconds > 0 ? (double)best.in / 1e6 / best.seconds : 0.0);
    }
    return 0;
}
