#include "lake/staging_sweep.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/owner_mark.h"
#include "sys/path.h"

/* Between making a directory and completing its mark lie milliseconds. */
#define UNMARKED_SECONDS 3600

struct sweep {
    const char *parent, *prefix;
};

static void sweep_entry(void *context, const char *name)
{
    const struct sweep *sweep = context;
    char path[PATH_MAX], mark[PATH_MAX + 16];
    if (strncmp(name, sweep->prefix, strlen(sweep->prefix)) != 0)
        return;
    int n = snprintf(path, sizeof path, "%s/%s", sweep->parent, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    snprintf(mark, sizeof mark, "%s/" STAGING_MARK, path);
    int lock = -1;
    enum owner_state state = owner_mark_state(mark, &lock);
    struct error ignored;
    if (state == OWNER_DEAD || (state == OWNER_UNKNOWN && path_age(path) > UNMARKED_SECONDS))
        (void)!dir_remove_tree(path, &ignored);
    if (lock >= 0)
        file_close(lock);
}

void staging_sweep(const char *parent, const char *prefix)
{
    struct sweep sweep = {parent, prefix};
    struct error ignored;
    (void)!dir_each(parent, sweep_entry, &sweep, &ignored);
}
