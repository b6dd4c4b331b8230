/* A directory for the databases of one test, and short ways to ask them. */
#ifndef TESTS_UNIT_STORE_FILES_H
#define TESTS_UNIT_STORE_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "sys/dir.h"
#include "unit/cmocka_all.h"

#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != OK)                                                                                              \
            fail_msg("%s: %s", #call, (err).message);                                                                  \
    } while (0)

static char root[64];

static inline const char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static inline int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/flowforge-test-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static inline int remove_root(void **state)
{
    struct error err;
    (void)state;
    return dir_remove_tree(root, &err) == OK ? 0 : -1;
}

static inline int64_t ask(struct db *db, const char *sql)
{
    struct error err;
    int64_t n = 0;
    assert_ok(db_integer(db, sql, DB_NO_BINDS, -1, &n, &err), err);
    return n;
}

#endif
