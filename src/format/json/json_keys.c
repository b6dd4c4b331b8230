#include "format/json/json_keys.h"

#include <stdlib.h>
#include <xxhash.h>

static uint32_t hash_of(struct str name)
{
    return (uint32_t)XXH3_64bits(name.p, name.n);
}

size_t json_keys_find(const struct json_keys *keys, struct str name)
{
    if (keys->slot_count == 0)
        return JSON_KEY_UNKNOWN;
    uint32_t hash = hash_of(name);
    for (size_t at = hash & (keys->slot_count - 1); keys->slots[at]; at = (at + 1) & (keys->slot_count - 1)) {
        size_t index = keys->slots[at] - 1;
        if (keys->items[index].hash == hash && str_equal(json_keys_name(keys, index), name))
            return index;
    }
    return JSON_KEY_UNKNOWN;
}

static void enter(struct json_keys *keys, size_t index)
{
    size_t at = keys->items[index].hash & (keys->slot_count - 1);
    while (keys->slots[at])
        at = (at + 1) & (keys->slot_count - 1);
    keys->slots[at] = (uint32_t)index + 1;
}

static status grow(struct json_keys *keys, struct error *err)
{
    size_t cap = keys->cap ? keys->cap * 2 : 64;
    struct json_key *items = realloc(keys->items, cap * sizeof *items);
    if (!items)
        return error_no_memory(err, cap * sizeof *items);
    keys->items = items;
    uint32_t *slots = calloc(cap * 2, sizeof *slots);
    if (!slots)
        return error_no_memory(err, cap * 2 * sizeof *slots);
    free(keys->slots);
    keys->slots = slots;
    keys->slot_count = cap * 2;
    keys->cap = cap;
    for (size_t i = 0; i < keys->count; i++)
        enter(keys, i);
    return OK;
}

status json_keys_add(struct json_keys *keys, struct str name, uint32_t target, size_t *index, struct error *err)
{
    if (keys->count == keys->cap) {
        status s = grow(keys, err);
        if (s != OK)
            return s;
    }
    if (keys->names.len + name.n > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "the keys of the records exceed 4 GiB");
    struct json_key key = {
        .hash = hash_of(name),
        .name_at = (uint32_t)keys->names.len,
        .name_length = (uint32_t)name.n,
        .target = target,
    };
    status s = buf_append_str(&keys->names, name, err);
    if (s != OK)
        return s;
    *index = keys->count++;
    keys->items[*index] = key;
    enter(keys, *index);
    return OK;
}

status json_keys_step(struct json_keys *keys, size_t index, bool first, struct json_step **step, struct error *err)
{
    struct json_step **place = &keys->items[index].steps[first];
    if (!*place && keys->steps < JSON_STEPS_MAX) {
        *place = calloc(1, sizeof **place);
        if (!*place)
            return error_no_memory(err, sizeof **place);
        (*place)->key = index;
        keys->steps++;
    }
    *step = *place;
    return OK;
}

void json_step_set(struct json_step *step, const uint8_t *bytes, size_t n)
{
    memset(step->bytes, 0, sizeof step->bytes);
    memcpy(step->bytes, bytes, n);
    step->length = (uint32_t)n;
    step->mask = n >= 32 ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

void json_keys_release(struct json_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->items[i].steps[0]);
        free(keys->items[i].steps[1]);
    }
    free(keys->items);
    free(keys->slots);
    buf_release(&keys->names);
    *keys = (struct json_keys){0};
}
