#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/duckdb_api.h"

static void test_loads(void **state)
{
    (void)state;
    struct duckdb_api api = {0};
    struct error err = {0};
    setenv("FLOWFORGE_LIBDUCKDB", TEST_BUILD_DIR "/libduckdb.so", 1);
    assert_int_equal(duckdb_api_load(&api, &err), OK);
    assert_memory_equal(api.library_version(), "v1.5.", 5);
    assert_non_null(api.fetch_chunk);
    duckdb_api_release(&api);
    assert_null(api.library);
    assert_int_equal(duckdb_api_load(&api, &err), OK); /* and once more after it was let go */
    duckdb_api_release(&api);
}

static void test_named_file_missing(void **state)
{
    (void)state;
    struct duckdb_api api = {0};
    struct error err = {0};
    setenv("FLOWFORGE_LIBDUCKDB", "/nonexistent/libduckdb.so", 1);
    assert_int_equal(duckdb_api_load(&api, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/libduckdb.so"));
    assert_non_null(strstr(err.hint, "FLOWFORGE_LIBDUCKDB"));
    assert_null(api.library);
}

/* Without the variable only the program's own folder and ../lib/flowforge/ count: not the system's search path. */
static void test_not_beside_the_program(void **state)
{
    (void)state;
    struct duckdb_api api = {0};
    struct error err = {0};
    unsetenv("FLOWFORGE_LIBDUCKDB");
    assert_int_equal(duckdb_api_load(&api, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "lib/flowforge/libduckdb.so"));
}

static void test_other_library(void **state)
{
    (void)state;
    struct duckdb_api api = {0};
    struct error err = {0};
    setenv("FLOWFORGE_LIBDUCKDB", "libm.so.6", 1);
    assert_int_equal(duckdb_api_load(&api, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has no function duckdb_"));
    assert_null(api.library);
}

/* A library of another version: a few bytes of machine code are enough, so the compiler makes it. */
static void test_other_version(void **state)
{
    (void)state;
    struct duckdb_api api = {0};
    struct error err = {0};
    char command[512], library[] = TEST_BUILD_DIR "/unit/sql/libold.so";
    snprintf(command, sizeof command,
             "echo 'const char *duckdb_library_version(void) { return \"v1.4.4\"; }' | cc -shared -fPIC -x c - -o %s",
             library);
    assert_int_equal(system(command), 0);
    char path[600];
    char *here = realpath(library, NULL);
    assert_non_null(here);
    snprintf(path, sizeof path, "%s", here);
    free(here);
    setenv("FLOWFORGE_LIBDUCKDB", path, 1);
    assert_int_equal(duckdb_api_load(&api, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "v1.4.4"));
    assert_non_null(strstr(err.message, "v1.5."));
    remove(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_named_file_missing),
        cmocka_unit_test(test_not_beside_the_program),
        cmocka_unit_test(test_other_library),
        cmocka_unit_test(test_other_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
