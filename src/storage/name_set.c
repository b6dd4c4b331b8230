#include "storage/name_set.h"

#include <stdlib.h>
#include <string.h>

/* Where the name is, or where it belongs. */
static size_t find(const struct name_set *set, const char *name, bool *there)
{
    size_t low = 0, high = set->count;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(set->names[middle], name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool name_set_has(const struct name_set *set, const char *name)
{
    bool there;
    (void)find(set, name, &there);
    return there;
}

status name_set_add(struct name_set *set, const char *name, struct error *err)
{
    bool there;
    size_t at = find(set, name, &there);
    if (there)
        return OK;
    if (set->count == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : 16;
        char **names = realloc(set->names, cap * sizeof *names);
        if (!names)
            return error_no_memory(err, cap * sizeof *names);
        set->names = names;
        set->cap = cap;
    }
    char *copy = strdup(name);
    if (!copy)
        return error_no_memory(err, strlen(name) + 1);
    memmove(set->names + at + 1, set->names + at, (set->count - at) * sizeof *set->names);
    set->names[at] = copy;
    set->count++;
    return OK;
}

void name_set_drop(struct name_set *set, const char *name)
{
    bool there;
    size_t at = find(set, name, &there);
    if (!there)
        return;
    free(set->names[at]);
    set->count--;
    memmove(set->names + at, set->names + at + 1, (set->count - at) * sizeof *set->names);
}

void name_set_clear(struct name_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->names[i]);
    set->count = 0;
}

void name_set_release(struct name_set *set)
{
    name_set_clear(set);
    free(set->names);
    *set = (struct name_set){0};
}
