#include "format/parquet/parquet_choice.h"

#include "format/parquet/parquet_plain.h"
#include "format/parquet/rle.h"

#define TRIAL_VALUES 16384
#define TRIAL_BYTES ((uint64_t)1 << 20)

void parquet_chooser_release(struct parquet_chooser *chooser)
{
    parquet_dict_release(&chooser->dict);
    buf_release(&chooser->plain);
    buf_release(&chooser->packed);
}

/* Compressed size of what stands in chooser->plain. */
static status trial_size(struct parquet_chooser *chooser, size_t *bytes, struct error *err)
{
    buf_clear(&chooser->packed);
    status s = parquet_compress(chooser->compressor, chooser->plain.data, chooser->plain.len, &chooser->packed, err);
    buf_clear(&chooser->plain);
    *bytes = chooser->packed.len;
    return s;
}

/* Codecs find repetition too, sometimes better than a dictionary does (sorted keys). So a piece from the middle is
 * compressed both ways. */
static status trial(struct parquet_chooser *chooser, const struct parquet_values *values, bool *dictionary,
                    struct error *err)
{
    size_t n = values->count < TRIAL_VALUES ? values->count : TRIAL_VALUES;
    while (n > 1 && parquet_plain_bytes(values, (values->count - n) / 2, (values->count - n) / 2 + n) > TRIAL_BYTES)
        n /= 2;
    size_t begin = (values->count - n) / 2, end = begin + n, dict_bytes = 0, code_bytes = 0, plain_bytes = 0;
    struct parquet_values slots = parquet_slots_of(values);
    buf_clear(&chooser->plain);
    status s = parquet_plain_encode(&slots, 0, slots.count, &chooser->plain, err);
    if (s == OK)
        s = trial_size(chooser, &dict_bytes, err);
    if (s == OK)
        s = rle_encode_codes(values->codes + begin, n, rle_width(values->slots), &chooser->plain, err);
    if (s == OK)
        s = trial_size(chooser, &code_bytes, err);
    if (s == OK)
        s = parquet_plain_encode(values, begin, end, &chooser->plain, err);
    if (s == OK)
        s = trial_size(chooser, &plain_bytes, err);
    double share = (double)values->count / (double)n;
    *dictionary = (double)dict_bytes + (double)code_bytes * share <= (double)plain_bytes * share;
    return s;
}

/* Of values with codes: which way takes fewer bytes. */
static status compare(struct parquet_chooser *chooser, const struct parquet_values *values, bool *dictionary,
                      struct error *err)
{
    uint64_t with = parquet_dict_bytes(values), without = parquet_plain_bytes(values, 0, values->count);
    *dictionary = with < without;
    if (!*dictionary || chooser->compressor->codec == PARQUET_NONE || with * 4 < without)
        return OK;
    return trial(chooser, values, dictionary, err);
}

static bool fits(const struct parquet_chooser *chooser, const struct parquet_values *values)
{
    struct parquet_values slots = parquet_slots_of(values);
    return parquet_plain_bytes(&slots, 0, slots.count) <= chooser->max_dict_bytes;
}

/* Columns that came with a dictionary: it exists, so nothing has to be found out when it cannot be used. */
static status choose_given(struct parquet_chooser *chooser, struct parquet_verdict *verdict,
                           const struct parquet_values *values, bool *dictionary, struct error *err)
{
    *dictionary = false;
    if (!fits(chooser, values))
        return OK;
    if (verdict->groups_left) {
        *dictionary = verdict->dictionary;
        return OK;
    }
    status s = compare(chooser, values, dictionary, err);
    if (s == OK) {
        verdict->dictionary = *dictionary;
        verdict->groups_left = PARQUET_VERDICT_GROUPS;
    }
    return s;
}

static status choose_made(struct parquet_chooser *chooser, struct parquet_verdict *verdict,
                          const struct parquet_values *values, struct parquet_values *chosen, bool *dictionary,
                          struct error *err)
{
    bool known = verdict->groups_left > 0, promising = true, built = false;
    struct parquet_values made;
    *dictionary = false;
    if (known && !verdict->dictionary)
        return OK;
    status s = OK;
    if (!known)
        s = parquet_dict_promising(&chooser->dict, values, chooser->max_dict_bytes, &promising, err);
    if (s == OK && promising)
        s = parquet_dict_build(&chooser->dict, values, chooser->max_dict_bytes, &made, &built, err);
    bool pays = built;
    if (s == OK && built && !known)
        s = compare(chooser, &made, &pays, err);
    if (s != OK)
        return s;
    if (pays) {
        *chosen = made;
        *dictionary = true;
    }
    if (!known || !pays) {
        verdict->dictionary = pays;
        verdict->groups_left = PARQUET_VERDICT_GROUPS;
    }
    return OK;
}

status parquet_choose(struct parquet_chooser *chooser, struct parquet_verdict *verdict,
                      const struct parquet_values *values, struct parquet_values *chosen, bool *dictionary,
                      struct error *err)
{
    bool given = values->codes != NULL;
    *chosen = *values;
    *dictionary = false;
    if (values->count == 0 || values->type.physical == PARQUET_BOOLEAN) /* readers know no dictionary of booleans */
        return OK;
    if (verdict->was_dict != given)
        verdict->groups_left = 0;
    verdict->was_dict = given;
    status s = given ? choose_given(chooser, verdict, values, dictionary, err)
                     : choose_made(chooser, verdict, values, chosen, dictionary, err);
    if (verdict->groups_left)
        verdict->groups_left--;
    return s;
}
