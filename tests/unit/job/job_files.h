/* Files in a folder of the test's own, and options as a plain run has them. */
#ifndef TESTS_UNIT_JOB_JOB_FILES_H
#define TESTS_UNIT_JOB_JOB_FILES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "job/convert.h"
#include "unit/cmocka_all.h"

#define JOB_PATH_MAX 256

struct job_files {
    char folder[64];
};

static inline struct job_files job_files_begin(void)
{
    struct job_files f = {"/tmp/flowforge_job_XXXXXX"};
    assert_non_null(mkdtemp(f.folder));
    return f;
}

static inline int job_files_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void job_files_remove(const char *folder)
{
    assert_int_equal(nftw(folder, job_files_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline const char *job_files_path(const struct job_files *f, const char *name, char path[JOB_PATH_MAX])
{
    snprintf(path, JOB_PATH_MAX, "%s/%s", f->folder, name);
    return path;
}

static inline const char *job_files_write(const struct job_files *f, const char *name, const void *bytes, size_t n,
                                          char path[JOB_PATH_MAX])
{
    FILE *file = fopen(job_files_path(f, name, path), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void job_files_read(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t n = (size_t)ftell(file);
    rewind(file);
    assert_int_equal(buf_resize(text, n, NULL), OK);
    assert_int_equal(n ? fread(text->data, 1, n, file) : 0, n);
    fclose(file);
}

static inline struct convert_options job_options(const char *const *inputs, size_t count, const char *output)
{
    return (struct convert_options){
        .inputs = inputs,
        .input_count = count,
        .output = output,
        .dialect = {.header = -1, .skip_lines = -1},
        .max_rejects = UINT64_MAX,
        .threads = 1,
        .memory = 64u << 20,
        .max_record = 16u << 20,
        .max_ratio = 1000,
        .overwrite = true,
        .temp_dir = "/tmp",
        .job = STR("job"),
        .run_id = STR("run-1"),
        .run_micros = INT64_C(1700000000000000),
    };
}

#endif
