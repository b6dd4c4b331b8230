#include "job/input_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "sql/parquet_source.h"

static const char *const format_names[] = {
    [FORMAT_AUTO] = "auto", [FORMAT_CSV] = "csv",         [FORMAT_NDJSON] = "ndjson",
    [FORMAT_JSON] = "json", [FORMAT_PARQUET] = "parquet",
};

const char *file_format_name(enum file_format f)
{
    return format_names[f];
}

struct str input_plan_rename(const struct convert_options *options, struct str source)
{
    for (size_t i = 0; i < options->rename_count; i++)
        if (str_equal(options->renames[i].from, source))
            return options->renames[i].to;
    return source;
}

/* ---- columns ---- */

static status add_column(struct input_plan *plan, const struct type_column *column, struct error *err)
{
    if ((plan->column_count & (plan->column_count - 1)) == 0) { /* grow at each power of two */
        size_t room = plan->column_count ? plan->column_count * 2 : 1;
        struct type_column *columns = realloc(plan->columns, room * sizeof *columns);
        if (!columns)
            return error_no_memory(err, room * sizeof *columns);
        plan->columns = columns;
    }
    plan->columns[plan->column_count++] = *column;
    return OK;
}

/* Names are looked up by the thousand for wide files, so by hash. */
struct name_index {
    uint32_t *slots; /* column + 1; 0: free */
    size_t mask;
};

static uint64_t folded_hash(struct str name)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
    }
    return h ^ h >> 29;
}

static status name_index_build(struct name_index *index, const struct input_plan *plan, size_t room, struct error *err)
{
    size_t count = 64;
    while (count < 2 * room)
        count *= 2;
    free(index->slots);
    index->slots = calloc(count, sizeof *index->slots);
    index->mask = count - 1;
    if (!index->slots)
        return error_no_memory(err, count * sizeof *index->slots);
    for (size_t i = 0; i < plan->column_count; i++) {
        size_t at = folded_hash(plan->columns[i].name) & index->mask;
        while (index->slots[at])
            at = (at + 1) & index->mask;
        index->slots[at] = (uint32_t)i + 1;
    }
    return OK;
}

static int name_index_find(const struct name_index *index, const struct input_plan *plan, struct str name)
{
    for (size_t at = folded_hash(name) & index->mask; index->slots[at]; at = (at + 1) & index->mask)
        if (str_equal_nocase(plan->columns[index->slots[at] - 1].name, name))
            return (int)index->slots[at] - 1;
    return -1;
}

static status name_collision(const struct planned_input *in, struct str a, struct str b, struct str name,
                             struct error *err)
{
    status s = error_set(err, ERR_INVALID, "%s: columns '%.*s' and '%.*s' would both be named '%.*s'", in->name,
                         (int)a.n, a.p, (int)b.n, b.p, (int)name.n, name.p);
    error_hint(err, "give one of them another name with --rename source=name (names differ by more than case)");
    return s;
}

/* Output names of one input's source columns, and that no two are the same. */
static status map_input(struct input_plan *plan, struct planned_input *in, const struct convert_options *options,
                        struct name_index *index, struct error *err)
{
    size_t room = plan->column_count + in->name_count;
    status s = name_index_build(index, plan, room, err);
    if (s != OK)
        return s;
    int *column_source = malloc((room + 1) * sizeof *column_source);
    if (!column_source)
        return error_no_memory(err, room * sizeof *column_source);
    for (size_t i = 0; i < room; i++)
        column_source[i] = -1;
    in->used = calloc(in->name_count ? in->name_count : 1, sizeof *in->used);
    if (!in->used)
        s = error_no_memory(err, in->name_count);
    for (size_t i = 0; s == OK && i < in->name_count; i++) {
        struct str source = str_of(in->source_names[i] ? in->source_names[i] : in->names[i]);
        struct str name = input_plan_rename(options, source);
        if (name.p == source.p)
            name = input_plan_rename(options, str_of(in->names[i]));
        int at = name_index_find(index, plan, name);
        if (at >= 0 && column_source[at] >= 0) {
            int other = column_source[at];
            s = name_collision(in, str_of(in->names[other]), str_of(in->names[i]), name, err);
        } else if (at < 0 && (!options->schema || options->schema_open)) {
            at = (int)plan->column_count;
            struct type_column column = {.name = name, .source = source, .infer = !options->all_text};
            column.type.kind = options->all_text ? TYPE_STRING : TYPE_NULL;
            s = add_column(plan, &column, err);
            size_t slot = folded_hash(name) & index->mask;
            while (index->slots[slot])
                slot = (slot + 1) & index->mask;
            index->slots[slot] = (uint32_t)at + 1;
        }
        if (s == OK && at >= 0) {
            column_source[at] = (int)i;
            in->used[i] = true;
        }
    }
    in->source_of = column_source;
    in->source_of_count = room;
    return s;
}

/* What the head's records show is the first guess at the types. */
static status guess_from_head(struct input_plan *plan, struct planned_input *in, const struct convert_options *options,
                              struct error *err)
{
    struct column_types types = {0};
    struct decoded decoded = {0};
    status s = column_types_init(&types, plan->columns, plan->column_count, err);
    if (s == OK)
        s = planned_input_decode_head(in, options, &types, &decoded, err);
    for (size_t i = 0; s == OK && i < plan->column_count; i++)
        if (plan->columns[i].infer)
            plan->columns[i].class_ = types.newest->targets[i].class_;
    decoded_release(&decoded);
    column_types_release(&types);
    return s == ERR_BAD_DATA ? OK : s; /* the first pass meets it again and tells where it is */
}

/* ---- the whole plan ---- */

#define HEADS_WHOLE 16 /* so many inputs keep their whole heads */

static status apply_user_schema(struct input_plan *plan, const struct convert_options *options, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < options->schema_count; i++) {
        const struct user_column *c = &options->schema[i];
        struct type_column column = {.name = c->name, .source = c->name, .type = c->type, .not_null = c->not_null};
        column.on_null = c->not_null ? REJECT_NULL_VALUE : REJECT_NONE;
        for (size_t r = 0; r < options->rename_count; r++)
            if (str_equal(options->renames[r].to, c->name))
                column.source = options->renames[r].from;
        s = add_column(plan, &column, err);
    }
    return s;
}

static status unknown_column(const struct input_plan *plan, struct str name, const char *option, struct error *err)
{
    char known[320];
    size_t used = 0;
    for (size_t i = 0; i < plan->column_count && used < sizeof known - 64; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%.*s", i ? ", " : "",
                                 (int)(plan->columns[i].name.n < 60 ? plan->columns[i].name.n : 60),
                                 plan->columns[i].name.p);
    status s = error_set(err, ERR_INVALID, "%s: there is no column '%.*s'", option, (int)name.n, name.p);
    error_hint(err, "columns (after --rename): %s", plan->column_count ? known : "none");
    return s;
}

static int find_column(const struct input_plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->column_count; i++)
        if (str_equal(plan->columns[i].name, name))
            return (int)i;
    for (size_t i = 0; i < plan->column_count; i++)
        if (str_equal_nocase(plan->columns[i].name, name))
            return (int)i;
    return -1;
}

/* Columns that options name must exist; keys must not be null. */
static status check_named_columns(struct input_plan *plan, const struct convert_options *options, struct error *err)
{
    for (size_t i = 0; i < options->dedupe_key_count; i++) {
        int at = find_column(plan, options->dedupe_keys[i]);
        if (at < 0)
            return unknown_column(plan, options->dedupe_keys[i], "--dedupe", err);
        plan->columns[at].on_null = REJECT_NULL_KEY;
    }
    if (options->watermark.column.n) {
        int at = find_column(plan, options->watermark.column);
        if (at < 0)
            return unknown_column(plan, options->watermark.column, "watermark_column", err);
        struct type_column *column = &plan->columns[at];
        if (!column->on_null)
            column->on_null = REJECT_NULL_WATERMARK;
        if (column->infer && options->watermark.last.p) { /* values compare with the last one in its type only */
            column->infer = false;
            column->type = options->watermark.last_type;
        }
    }
    if (options->order_by.n && find_column(plan, options->order_by) < 0)
        return unknown_column(plan, options->order_by, "--order-by", err);
    for (size_t i = 0; i < options->partition_column_count; i++)
        if (find_column(plan, options->partition_columns[i]) < 0)
            return unknown_column(plan, options->partition_columns[i], "--partition-by", err);
    return OK;
}

static status warn_missing(const struct input_plan *plan, const struct convert_options *options,
                           struct convert_result *result, struct error *err)
{
    status s = OK;
    for (size_t c = 0; s == OK && options->schema && c < plan->column_count; c++)
        for (size_t i = 0; s == OK && i < plan->count; i++) {
            const struct planned_input *in = &plan->inputs[i];
            if (in->source_of[c] >= 0 || in->format != FORMAT_CSV)
                continue;
            struct str name = plan->columns[c].name;
            if (plan->columns[c].not_null) {
                s = error_set(err, ERR_INVALID, "%s has no column '%.*s', which the schema declares not nullable",
                              in->name, (int)name.n, name.p);
                error_hint(err, "use --rename if it has another name in the source, or make it nullable");
            } else {
                s = convert_result_warn(result, err, "%s has no column '%.*s': it is null in every row", in->name,
                                        (int)name.n, name.p);
            }
        }
    return s;
}

/* What a guess left out of the data is never left out silently. */
static status warn_guesses(const struct input_plan *plan, const struct convert_options *options,
                           struct convert_result *result, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < plan->count; i++) {
        const struct planned_input *in = &plan->inputs[i];
        const struct csv_dialect *d = &in->text.dialect;
        if (in->format != FORMAT_CSV)
            continue;
        if (options->dialect.skip_lines < 0 && d->skip_lines > 0)
            s = convert_result_warn(
                result, err,
                "%s: the first %llu lines look like no records and were skipped (--skip-lines 0 reads "
                "them, --skip-lines %llu is the same without this warning)",
                in->name, (unsigned long long)d->skip_lines, (unsigned long long)d->skip_lines);
        if (s == OK && options->dialect.header < 0 && d->header && d->header_lines > 1)
            s = convert_result_warn(
                result, err,
                "%s: the first %u records look like one header and were joined to the names (--header: "
                "only the first is)",
                in->name, d->header_lines);
    }
    return s;
}

static status plan_text(struct input_plan *plan, const struct convert_options *options, struct convert_result *result,
                        struct error *err)
{
    struct name_index index = {0};
    status s = options->schema ? apply_user_schema(plan, options, err) : OK;
    for (size_t i = 0; s == OK && i < plan->count; i++) {
        struct planned_input *in = &plan->inputs[i];
        if (in->format != FORMAT_CSV) {
            s = planned_input_keys(in, options, err);
            for (size_t k = 0; s == OK && k < in->name_count; k++) {
                in->source_names[k] = strdup(in->names[k]);
                if (!in->source_names[k])
                    s = error_no_memory(err, strlen(in->names[k]));
            }
        }
        if (s == OK)
            s = map_input(plan, in, options, &index, err);
    }
    free(index.slots);
    if (s == OK)
        s = check_named_columns(plan, options, err);
    if (s == OK)
        s = warn_missing(plan, options, result, err);
    if (s == OK)
        s = warn_guesses(plan, options, result, err);
    for (size_t i = 0; s == OK && i < plan->count && (!options->schema || options->schema_open) && !options->all_text;
         i++)
        s = guess_from_head(plan, &plan->inputs[i], options, err);
    return s;
}

static bool is_taken(const struct input_plan *plan, size_t declared, struct str source)
{
    for (size_t i = 0; i < declared; i++)
        if (str_equal_nocase(plan->columns[i].source, source))
            return true;
    return false;
}

/* The columns of typed input that none of the declared ones takes. */
static status add_stream_columns(struct input_plan *plan, const struct schema *schema,
                                 const struct convert_options *options, struct error *err)
{
    size_t declared = plan->column_count;
    status s = OK;
    for (size_t i = 0; s == OK && i < schema->count; i++) {
        struct str source = str_of(schema->fields[i].name);
        struct type_column column = {
            .name = input_plan_rename(options, source), .source = source, .type = schema->fields[i].type};
        if (is_taken(plan, declared, source))
            continue;
        if (options->all_text)
            column.type = (struct data_type){.kind = TYPE_STRING};
        int clash = find_column(plan, column.name);
        s = clash >= 0 ? name_collision(&plan->inputs[0], plan->columns[clash].source, source, column.name, err)
                       : add_column(plan, &column, err);
    }
    return s;
}

status input_plan_from_schema(struct input_plan *plan, const struct schema *schema,
                              const struct convert_options *options, struct convert_result *result, struct error *err)
{
    if (options->schema) {
        status s = apply_user_schema(plan, options, err);
        for (size_t i = 0; s == OK && i < plan->column_count; i++) {
            struct str name = plan->columns[i].name;
            if (schema_find(schema, plan->columns[i].source) >= 0)
                continue;
            if (plan->columns[i].not_null) {
                s = error_set(err, ERR_INVALID,
                              "the input has no column '%.*s', which the schema declares not nullable", (int)name.n,
                              name.p);
                error_hint(err, "use --rename if it has another name in the source, or make it nullable");
            } else {
                s = convert_result_warn(result, err, "the input has no column '%.*s': it is null in every row",
                                        (int)name.n, name.p);
            }
        }
        if (s == OK && options->schema_open)
            s = add_stream_columns(plan, schema, options, err);
        return s == OK ? check_named_columns(plan, options, err) : s;
    }
    status s = add_stream_columns(plan, schema, options, err);
    return s == OK ? check_named_columns(plan, options, err) : s;
}

status input_plan_make(struct input_plan *plan, const struct convert_options *options, struct convert_result *result,
                       struct error *err)
{
    bool named_standard_input = false;
    *plan = (struct input_plan){0};
    plan->inputs = calloc(options->input_count, sizeof *plan->inputs);
    if (!plan->inputs)
        return error_no_memory(err, options->input_count * sizeof *plan->inputs);
    plan->count = options->input_count;
    for (size_t i = 0; i < plan->count; i++)
        plan->inputs[i].spool = -1;
    if (options->open_stream) {
        plan->inputs[0].path = plan->inputs[0].name = convert_input_name(options, 0);
        plan->inputs[0].facts.size = UINT64_MAX;
        plan->format = plan->inputs[0].format = FORMAT_PARQUET;
        return OK;
    }
    for (size_t i = 0; i < plan->count; i++) {
        struct planned_input *in = &plan->inputs[i];
        in->path = options->inputs[i];
        in->name = convert_input_name(options, i);
        bool standard = strcmp(in->path, "-") == 0;
        if (standard && named_standard_input)
            return error_set(err, ERR_USAGE, "standard input (-) can be named only once");
        named_standard_input |= standard;
        status s = input_is_read_once(in->path) ? planned_input_spool(in, options, err) : OK;
        if (s == OK)
            s = planned_input_look(in, options, err);
        if (s == OK && plan->count > HEADS_WHOLE)
            s = planned_input_trim(in, options, err);
        if (s != OK)
            return s;
        if (i > 0 && in->format != plan->format) {
            s = error_set(err, ERR_INVALID, "%s is %s but %s is %s: the inputs of one conversion have one format",
                          plan->inputs[0].name, file_format_name(plan->format), in->name, file_format_name(in->format));
            error_hint(err, "convert them one by one, or say --from csv|ndjson|json|parquet if one was misread");
            return s;
        }
        plan->format = in->format;
    }
    return plan->format == FORMAT_PARQUET ? OK : plan_text(plan, options, result, err);
}

void input_plan_release(struct input_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        planned_input_release(&plan->inputs[i]);
    free(plan->inputs);
    free(plan->columns);
    buf_release(&plan->names);
    *plan = (struct input_plan){0};
}
