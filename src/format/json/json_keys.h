/* The keys of records: which one means which target, which ones no target has, and what stood before their values.
 *
 * A step remembers the bytes from the end of one value to the start of the next (comma, white space, key, colon) and
 * which step came next last time, so that regular records are followed by comparing bytes alone. */
#ifndef FF_FORMAT_JSON_KEYS_H
#define FF_FORMAT_JSON_KEYS_H

#include "base/buf.h"
#include "format/json/json_field.h"

#define JSON_STEP_BYTES 64
#define JSON_STEPS_MAX 8192 /* keys beyond that are looked up each time */
#define JSON_KEY_UNKNOWN SIZE_MAX

struct json_step {
    uint8_t bytes[JSON_STEP_BYTES]; /* zero beyond length */
    uint32_t length;
    uint32_t mask; /* one bit for each of the first 32 bytes that are in use */
    struct json_field *field;
    size_t key;             /* index */
    struct json_step *next; /* what followed last time */
};

struct json_key {
    uint32_t hash;
    uint32_t name_at, name_length; /* in json_keys.names */
    uint32_t target;               /* index, or JSON_NO_TARGET */
    size_t seen;                   /* the last record (attempt) that had it */
    struct json_step *steps[2];    /* as a later member, as the first one */
    bool reported;                 /* in this chunk's new_keys */
};
#define JSON_NO_TARGET UINT32_MAX

struct json_keys {
    struct json_key *items;
    size_t count, cap;
    uint32_t *slots; /* 1 + index of the key, found by hash */
    size_t slot_count;
    size_t steps;
    struct buf names;
};

/* Index of the key, or JSON_KEY_UNKNOWN. `name` is unescaped. */
size_t json_keys_find(const struct json_keys *keys, struct str name);
/* The key must not be there yet. */
status json_keys_add(struct json_keys *keys, struct str name, uint32_t target, size_t *index,
                     struct error *err) MUST_USE;
static inline struct str json_keys_name(const struct json_keys *keys, size_t index)
{
    const struct json_key *k = &keys->items[index];
    return (struct str){(const char *)keys->names.data + k->name_at, k->name_length};
}
/* The step to a key, made if it is not there; NULL (and OK) when there are too many. */
status json_keys_step(struct json_keys *keys, size_t index, bool first, struct json_step **step,
                      struct error *err) MUST_USE;
/* Remember the 1 to JSON_STEP_BYTES bytes that stand before the value. */
void json_step_set(struct json_step *step, const uint8_t *bytes, size_t n);
void json_keys_release(struct json_keys *keys);

/* Whether p goes on with the step's bytes. JSON_STEP_BYTES from p on must be readable. */
static ALWAYS_INLINE bool json_step_matches(const struct json_step *step, const uint8_t *p)
{
    if (UNLIKELY((json_equal32(p, step->bytes) & step->mask) != step->mask))
        return false;
    return LIKELY(step->length <= 32) || memcmp(p + 32, step->bytes + 32, step->length - 32) == 0;
}

#endif
