/* Confinement of paths: `..`, links in every position, globs, names that only begin like a root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/confine.h"
#include "sys/dir.h"

static char base[64], root[96];

static int set_up(void **state)
{
    char path[160], target[160];
    (void)state;
    strcpy(base, "/tmp/flowforge-test-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    const char *folders[] = {"in", "in/sub", "in_other", "out", "out/deep"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", base, folders[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    const char *files[] = {"in/a.csv", "in/sub/b[1].csv", "out/secret.csv", "in_other/c.csv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", base, files[i]);
        FILE *f = fopen(path, "w");
        if (!f)
            return -1;
        fclose(f);
    }
    const char *links[][2] = {{"in/link_out", "out"},
                              {"in/link_file", "out/secret.csv"},
                              {"in/link_in", "in/sub"},
                              {"in/link_nothing", "out/not_there"},
                              {"way_in", "in"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "%s/%s", base, links[i][0]);
        snprintf(target, sizeof target, "%s/%s", base, links[i][1]);
        if (symlink(target, path) != 0)
            return -1;
    }
    snprintf(root, sizeof root, "%s/in", base);
    return 0;
}

static int tear_down(void **state)
{
    struct error err;
    (void)state;
    return dir_remove_tree(base, &err) == OK ? 0 : -1;
}

typedef status confiner(const char *, const char *const *, size_t, char **, struct error *);

/* `path` and `wanted` relative to base; wanted NULL: `code`. */
static void check(confiner *confine, const char *path, const char *wanted, status code)
{
    char whole[256], expected[256];
    char *resolved = NULL;
    struct error err = {0};
    const char *const roots[] = {root};
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    status s = confine(whole, roots, 1, &resolved, &err);
    if (wanted) {
        snprintf(expected, sizeof expected, "%s/%s", base, wanted);
        assert_int_equal(s, OK);
        assert_string_equal(resolved, expected);
    } else {
        if (s != code)
            fail_msg("%s: %d", path, (int)s);
        assert_null(resolved);
        assert_true(err.message[0] != '\0');
        assert_true(err.hint[0] != '\0');
    }
    free(resolved);
}

static void test_paths(void **state)
{
    (void)state;
    check(confine_path, "in/a.csv", "in/a.csv", OK);
    check(confine_path, "in", "in", OK);
    check(confine_path, "in/", "in", OK);
    check(confine_path, "in//sub/../a.csv", "in/a.csv", OK);
    check(confine_path, "in/link_in/b[1].csv", "in/sub/b[1].csv", OK);
    check(confine_path, "way_in/a.csv", "in/a.csv", OK);
    check(confine_path, "in/later/x.csv", "in/later/x.csv", OK);
    check(confine_path, "in_other/c.csv", NULL, ERR_DENIED);
    check(confine_path, "in/../out/secret.csv", NULL, ERR_DENIED);
    check(confine_path, "in/link_out/secret.csv", NULL, ERR_DENIED);
    check(confine_path, "in/link_out/not_there", NULL, ERR_DENIED);
    check(confine_path, "in/link_file", NULL, ERR_DENIED);
    check(confine_path, "in/link_nothing", NULL, ERR_DENIED);
    check(confine_path, "in/link_in/../../out/secret.csv", NULL, ERR_DENIED);
    check(confine_path, "in/later/../../out/secret.csv", NULL, ERR_INVALID);
    check(confine_path, "in/a.csv/..", NULL, ERR_DENIED);
    check(confine_path, "", NULL, ERR_DENIED);
}

static void test_patterns(void **state)
{
    (void)state;
    check(confine_pattern, "in/*.csv", "in/*.csv", OK);
    check(confine_pattern, "in/su?/*.csv", "in/su?/*.csv", OK);
    check(confine_pattern, "in/link_in/*.csv", "in/sub/*.csv", OK);
    check(confine_pattern, "in/sub/b[1].csv", "in/sub/b[1].csv", OK);
    check(confine_pattern, "in/a.csv", "in/a.csv", OK);
    check(confine_pattern, "in*/c.csv", NULL, ERR_DENIED);
    check(confine_pattern, "*", NULL, ERR_DENIED);
    check(confine_pattern, "in/link_out/*.csv", NULL, ERR_DENIED);
    check(confine_pattern, "in/../out/*.csv", NULL, ERR_DENIED);
    check(confine_pattern, "in/*/../../out/secret.csv", NULL, ERR_INVALID);
}

static void test_without_root_or_whole_path(void **state)
{
    (void)state;
    struct error err;
    char *resolved = NULL;
    const char *const roots[] = {"/"};
    assert_int_equal(confine_path("/etc", NULL, 0, &resolved, &err), ERR_DENIED);
    assert_non_null(strstr(err.hint, "--local-root"));
    assert_int_equal(confine_path("a.csv", roots, 1, &resolved, &err), ERR_INVALID);
    assert_int_equal(confine_pattern("*.csv", roots, 1, &resolved, &err), ERR_INVALID);
    assert_int_equal(confine_path("/not-there-at-all/x", roots, 1, &resolved, &err), OK);
    assert_string_equal(resolved, "/not-there-at-all/x");
    free(resolved);
}

/* What is refused outside reads the same whether it is there or not. */
static void test_nothing_is_told(void **state)
{
    (void)state;
    char there[160], absent[160];
    char *resolved = NULL;
    struct error a, b;
    const char *const roots[] = {root};
    snprintf(there, sizeof there, "%s/out/secret.csv", base);
    snprintf(absent, sizeof absent, "%s/out/secre1.csv", base);
    assert_int_equal(confine_path(there, roots, 1, &resolved, &a), ERR_DENIED);
    assert_int_equal(confine_path(absent, roots, 1, &resolved, &b), ERR_DENIED);
    assert_int_equal(strlen(a.message), strlen(b.message));
    assert_string_equal(a.hint, b.hint);
}

static void test_relative_paths_lie_below_the_first_root(void **state)
{
    (void)state;
    const char *const roots[] = {"/data/in", "/other"};
    struct error err;
    char *anchored = NULL;
    assert_int_equal(confine_anchor("a/*.csv", roots, 2, &anchored, &err), OK);
    assert_string_equal(anchored, "/data/in/a/*.csv");
    free(anchored);
    assert_int_equal(confine_anchor("/x/y", roots, 2, &anchored, &err), OK);
    assert_string_equal(anchored, "/x/y");
    free(anchored);
    assert_int_equal(confine_anchor("a", NULL, 0, &anchored, &err), ERR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_without_root_or_whole_path),
        cmocka_unit_test(test_nothing_is_told),
        cmocka_unit_test(test_relative_paths_lie_below_the_first_root),
    };
    return cmocka_run_group_tests_name("sys/confine", tests, set_up, tear_down);
}
