#include "job/output_names.h"

#include <stdlib.h>
#include <xxhash.h>

#include "lake/file_name.h"

/* Names that are taken, by hash: name + 1; 0: free. */
struct name_set {
    uint32_t *slots;
    size_t mask;
};

static status name_of(const struct convert_options *options, const struct output_plan *plan, size_t input,
                      uint32_t sequence, struct buf *name, struct error *err)
{
    const char *source = convert_input_name(options, input);
    struct file_name_parts parts = {
        .run_micros = options->run_micros,
        .source = strcmp(source, "-") == 0 ? STR("stdin") : str_of(source),
        .run_id = options->run_id,
        .job = options->job,
        .sequence = sequence,
        .extension = str_of(plan->extension),
    };
    struct str pattern = options->filename_pattern.n ? options->filename_pattern : STR("{timestamp}_{filename}");
    buf_clear(name);
    status s = file_name_make(pattern, &parts, name, err);
    return s == OK ? buf_append(name, "", 1, err) : s;
}

/* The slot of that name: its own, or the free one where it would go. */
static size_t slot_of(const struct name_set *set, const struct output_names *names, const char *name)
{
    size_t at = XXH3_64bits(name, strlen(name)) & set->mask;
    while (set->slots[at] && strcmp(names->items[set->slots[at] - 1], name) != 0)
        at = (at + 1) & set->mask;
    return at;
}

static status add_name(struct output_names *names, struct name_set *set, const struct convert_options *options,
                       const struct output_plan *plan, struct buf *name, struct error *err)
{
    size_t input = names->count, at = 0;
    status s = name_of(options, plan, input, 0, name, err);
    if (s == OK)
        at = slot_of(set, names, (const char *)name->data);
    for (uint32_t sequence = (uint32_t)input; s == OK && set->slots[at]; sequence++) {
        s = name_of(options, plan, input, sequence ? sequence : 1, name, err);
        if (s == OK)
            at = slot_of(set, names, (const char *)name->data);
    }
    if (s != OK)
        return s;
    names->items[input] = strdup((const char *)name->data);
    if (!names->items[input])
        return error_no_memory(err, name->len);
    names->count++;
    set->slots[at] = (uint32_t)names->count;
    return OK;
}

status output_names_make(struct output_names *names, const struct convert_options *options,
                         const struct output_plan *plan, struct error *err)
{
    size_t count = options->split_inputs ? options->input_count : 1, room = 64;
    struct name_set set = {0};
    struct buf name = {0};
    while (room < 2 * count)
        room *= 2;
    *names = (struct output_names){.items = calloc(count, sizeof *names->items)};
    set = (struct name_set){.slots = calloc(room, sizeof *set.slots), .mask = room - 1};
    status s = names->items && set.slots ? OK : error_no_memory(err, room * sizeof *set.slots);
    while (s == OK && names->count < count)
        s = add_name(names, &set, options, plan, &name, err);
    free(set.slots);
    buf_release(&name);
    return s;
}

const char *output_names_of(const struct output_names *names, size_t input)
{
    return names->items[names->count > 1 ? input : 0];
}

void output_names_release(struct output_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct output_names){0};
}
