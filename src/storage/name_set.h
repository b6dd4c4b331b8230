/* A sorted set of names, each a copy. Zeroed: empty. */
#ifndef FF_STORAGE_NAME_SET_H
#define FF_STORAGE_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct name_set {
    char **names;
    size_t count, cap;
};

bool name_set_has(const struct name_set *set, const char *name);
/* Once however often it is added. */
status name_set_add(struct name_set *set, const char *name, struct error *err) MUST_USE;
void name_set_drop(struct name_set *set, const char *name);
void name_set_clear(struct name_set *set);
void name_set_release(struct name_set *set);

#endif
