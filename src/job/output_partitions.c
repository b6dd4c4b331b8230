#include "job/output_partitions.h"

#include <stdlib.h>
#include <xxhash.h>

/* Rows that make a full row group. */
#define GROUP_ROWS 122880
#define GROUP_BYTES (16u << 20)

struct partition {
    char *path; /* "a=1/" */
    size_t path_length;
    size_t input;
    struct output_file file;
    struct schema schema; /* of `rows`: columns without values keep their null type */
    struct batch rows;
    size_t memory;
    bool header_written;
};

struct output_partitions {
    const struct output_plan *plan;
    const struct convert_options *options;
    struct parquet_options parquet;
    struct staging *staging;
    const struct output_names *names;
    struct partition **items;
    size_t count, cap;
    uint32_t *slots; /* by hash of path and input: item + 1 */
    size_t mask;
    size_t memory, limit; /* gathered rows of all partitions */
    struct parquet_row_group group;
    struct buf bytes;
    uint64_t bytes_raw;
};

status output_partitions_create(struct output_partitions **out, const struct output_plan *plan,
                                const struct convert_options *options, struct staging *staging,
                                const struct output_names *names, struct error *err)
{
    struct output_partitions *p = calloc(1, sizeof *p);
    if (!p)
        return error_no_memory(err, sizeof *p);
    *p = (struct output_partitions){
        .plan = plan,
        .options = options,
        .parquet = output_parquet_options(plan, options),
        .staging = staging,
        .names = names,
        .limit = options->memory / 4,
        .mask = 1023,
    };
    p->slots = calloc(p->mask + 1, sizeof *p->slots);
    if (!p->slots) {
        status s = error_no_memory(err, (p->mask + 1) * sizeof *p->slots);
        output_partitions_free(p);
        return s;
    }
    *out = p;
    return OK;
}

status output_partitions_split(const struct output_partitions *p, const struct batch *batch,
                               struct partition_split *split, struct error *err)
{
    const struct convert_options *options = p->options;
    int *columns = malloc(options->partition_column_count * sizeof *columns);
    if (!columns)
        return error_no_memory(err, options->partition_column_count * sizeof *columns);
    for (size_t i = 0; i < options->partition_column_count; i++)
        columns[i] = schema_find(batch->schema, options->partition_columns[i]);
    status s = partition_split(split, batch, columns, options->partition_column_count, err);
    free(columns);
    return s;
}

static uint64_t partition_hash(struct str path, size_t input)
{
    return XXH3_64bits_withSeed(path.p, path.n, input);
}

static status rehash(struct output_partitions *p, struct error *err)
{
    size_t mask = p->mask * 2 + 1;
    uint32_t *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return error_no_memory(err, (mask + 1) * sizeof *slots);
    for (size_t i = 0; i < p->count; i++) {
        const struct partition *part = p->items[i];
        size_t at = partition_hash((struct str){part->path, part->path_length}, part->input) & mask;
        while (slots[at])
            at = (at + 1) & mask;
        slots[at] = (uint32_t)i + 1;
    }
    free(p->slots);
    p->slots = slots;
    p->mask = mask;
    return OK;
}

static void partition_free(struct partition *part)
{
    if (!part)
        return;
    output_file_release(&part->file);
    batch_release(&part->rows);
    schema_release(&part->schema);
    free(part->path);
    free(part);
}

static status partition_create(struct output_partitions *p, struct str path, size_t input, struct partition **out,
                               struct error *err)
{
    struct buf relative = {0};
    struct partition *part = calloc(1, sizeof *part);
    status s = part ? OK : error_no_memory(err, sizeof *part);
    if (s == OK)
        s = buf_append_str(&relative, path, err);
    if (s == OK)
        s = buf_append_str(&relative, str_of(output_names_of(p->names, input)), err);
    if (s == OK)
        s = buf_append(&relative, "", 1, err);
    if (s == OK) {
        part->path = malloc(path.n + 1);
        if (!part->path)
            s = error_no_memory(err, path.n + 1);
    }
    if (s == OK && p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        struct partition **items = realloc(p->items, cap * sizeof(struct partition *));
        if (!items) {
            s = error_no_memory(err, cap * sizeof *items);
        } else {
            p->items = items;
            p->cap = cap;
        }
    }
    if (s != OK) {
        buf_release(&relative);
        partition_free(part);
        return s;
    }
    memcpy(part->path, path.p, path.n);
    part->path_length = path.n;
    part->input = input;
    part->file = (struct output_file){.plan = p->plan, .staging = p->staging, .relative = (char *)relative.data};
    p->items[p->count++] = part;
    *out = part;
    return OK;
}

static status partition_find(struct output_partitions *p, struct str path, size_t input, struct partition **out,
                             struct error *err)
{
    size_t at = partition_hash(path, input) & p->mask;
    for (; p->slots[at]; at = (at + 1) & p->mask) {
        struct partition *part = p->items[p->slots[at] - 1];
        if (part->input == input && str_equal((struct str){part->path, part->path_length}, path)) {
            *out = part;
            return OK;
        }
    }
    status s = partition_create(p, path, input, out, err);
    if (s != OK)
        return s;
    p->slots[at] = (uint32_t)p->count;
    return p->count * 2 > p->mask ? rehash(p, err) : OK;
}

/* Write the gathered rows. */
static status flush(struct output_partitions *p, struct output_worker *worker, struct partition *part,
                    struct error *err)
{
    if (part->rows.rows == 0)
        return OK;
    status s = output_file_begin(&part->file, &p->parquet, err);
    if (s == OK && p->plan->format == FORMAT_PARQUET) {
        s = parquet_encode(worker->encoder, &part->rows, &p->group, err);
        if (s == OK)
            s = output_file_add_group(&part->file, &p->group, err);
        p->bytes_raw += p->group.uncompressed_bytes;
    } else if (s == OK) {
        buf_clear(&p->bytes);
        s = output_text_encode(p->plan, p->options->level, &part->rows, &worker->text, &p->bytes, err);
        if (s == OK)
            s = output_file_add_text(&part->file, &p->bytes, part->rows.rows, err);
    }
    if (s == OK)
        s = output_file_pause(&part->file, err);
    p->memory -= part->memory;
    part->memory = 0;
    batch_release(&part->rows); /* not reset: thousands of partitions would each keep a row group's memory */
    return s;
}

static status write_header(struct output_partitions *p, struct partition *part, const struct schema *schema,
                           struct error *err)
{
    status s = output_file_begin(&part->file, &p->parquet, err);
    if (s == OK)
        s = output_text_header(p->plan, p->options->level, schema, &part->file, err);
    if (s == OK)
        s = output_file_pause(&part->file, err);
    return s;
}

/* Rows of an older type version may only be mixed with rows of the same column types: write them out first. */
static bool same_types(const struct schema *a, const struct schema *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

static status gather(struct output_partitions *p, struct output_worker *worker, struct partition *part,
                     const struct batch *batch, const uint32_t *rows, size_t n, struct error *err)
{
    status s = OK;
    if (p->plan->format == FORMAT_CSV && !part->header_written) {
        s = write_header(p, part, batch->schema, err);
        part->header_written = true;
    }
    if (s == OK && part->rows.rows > 0 && !same_types(&part->schema, batch->schema))
        s = flush(p, worker, part, err);
    if (s == OK && part->rows.rows == 0) {
        schema_release(&part->schema);
        s = schema_copy(&part->schema, batch->schema, err);
        if (s == OK)
            s = batch_reset(&part->rows, &part->schema, err);
    }
    if (s == OK)
        s = batch_gather(&part->rows, batch, rows, n, err);
    if (s != OK)
        return s;
    size_t now = batch_memory(&part->rows);
    p->memory += now - part->memory;
    part->memory = now;
    return part->rows.rows >= GROUP_ROWS || now >= GROUP_BYTES ? flush(p, worker, part, err) : OK;
}

static int by_memory(const void *a, const void *b)
{
    const struct partition *x = *(struct partition *const *)a, *y = *(struct partition *const *)b;
    return (x->memory < y->memory) - (x->memory > y->memory);
}

/* Down to half the limit at once, so that the sort is rare even with very many partitions. */
static status flush_largest(struct output_partitions *p, struct output_worker *worker, struct error *err)
{
    if (p->memory <= p->limit)
        return OK;
    struct partition **sorted = malloc(p->count * sizeof(struct partition *));
    if (!sorted)
        return error_no_memory(err, p->count * sizeof *sorted);
    memcpy(sorted, p->items, p->count * sizeof(struct partition *));
    qsort(sorted, p->count, sizeof *sorted, by_memory);
    status s = OK;
    for (size_t i = 0; s == OK && i < p->count && p->memory > p->limit / 2; i++)
        s = flush(p, worker, sorted[i], err);
    free(sorted);
    return s;
}

status output_partitions_add(struct output_partitions *p, struct output_worker *worker, const struct batch *batch,
                             size_t input, const struct partition_split *split, struct error *err)
{
    const struct partition_group *groups = (const struct partition_group *)split->groups.data;
    for (size_t i = 0; i < split->group_count; i++) {
        struct str path = {(const char *)split->paths.data + groups[i].path_at, groups[i].path_length};
        struct partition *part;
        status s = partition_find(p, path, p->options->split_inputs ? input : 0, &part, err);
        if (s == OK)
            s = gather(p, worker, part, batch, (const uint32_t *)split->rows.data + groups[i].rows_at,
                       groups[i].row_count, err);
        if (s == OK)
            s = flush_largest(p, worker, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status output_partitions_finish(struct output_partitions *p, struct output_worker *worker, const struct schema *schema,
                                struct convert_result *result, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < p->count; i++) {
        struct partition *part = p->items[i];
        s = flush(p, worker, part, err);
        if (s == OK)
            s = output_file_begin(&part->file, &p->parquet, err);
        if (s == OK)
            s = output_file_end(&part->file, schema, p->options->level, err);
        if (s == OK)
            s = output_list_file(result, p->options->output, &part->file, part->input,
                                 (struct str){part->path, part->path_length}, err);
    }
    return s;
}

uint64_t output_partitions_bytes_raw(const struct output_partitions *p)
{
    return p->bytes_raw;
}

uint64_t output_partitions_bytes_written(const struct output_partitions *p)
{
    uint64_t total = 0;
    for (size_t i = 0; i < p->count; i++)
        total += p->items[i]->file.bytes;
    return total;
}

void output_partitions_free(struct output_partitions *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        partition_free(p->items[i]);
    free(p->items);
    free(p->slots);
    parquet_row_group_release(&p->group);
    buf_release(&p->bytes);
    free(p);
}
