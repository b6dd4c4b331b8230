#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lake/partition.h"
#include "lake/value_ids.h"

struct partition_scratch {
    struct id_table table;
    struct buf ids;      /* uint32 a row: which combination of values it has */
    struct buf more_ids; /* the same of the column being joined */
    struct buf firsts;   /* uint32 a combination: its first row */
    struct buf group_of; /* uint32 a combination */
};

void partition_split_release(struct partition_split *split)
{
    struct partition_scratch *scratch = split->scratch;
    if (scratch) {
        id_table_release(&scratch->table);
        buf_release(&scratch->ids);
        buf_release(&scratch->more_ids);
        buf_release(&scratch->firsts);
        buf_release(&scratch->group_of);
        free(scratch);
    }
    buf_release(&split->paths);
    buf_release(&split->groups);
    buf_release(&split->rows);
    *split = (struct partition_split){0};
}

/* ids become the numbers of pairs (ids[row], more[row]). */
static status join_ids(struct partition_scratch *scratch, size_t rows, struct error *err)
{
    uint32_t *ids = (uint32_t *)scratch->ids.data;
    const uint32_t *more = (const uint32_t *)scratch->more_ids.data;
    uint64_t last_pair = 0;
    uint32_t last_id = 0;
    status s = OK;
    id_table_clear(&scratch->table);
    buf_clear(&scratch->firsts);
    for (size_t row = 0; s == OK && row < rows; row++) {
        uint64_t pair = (uint64_t)ids[row] << 32 | more[row];
        if (row == 0 || pair != last_pair) {
            size_t known = scratch->table.used;
            uint32_t first = (uint32_t)row;
            s = id_table_find(&scratch->table, pair, NULL, NULL, 0, &last_id, err);
            if (s == OK && scratch->table.used > known)
                s = buf_append(&scratch->firsts, &first, sizeof first, err);
            last_pair = pair;
        }
        ids[row] = last_id;
    }
    return s;
}

/* scratch->ids and firsts: the combinations of values in the partition columns. */
static status combine(struct partition_scratch *scratch, const struct batch *batch, const int *columns,
                      size_t column_count, struct error *err)
{
    uint32_t count;
    status s = buf_resize(&scratch->ids, batch->rows * sizeof(uint32_t), err);
    if (s == OK && column_count > 1)
        s = buf_resize(&scratch->more_ids, batch->rows * sizeof(uint32_t), err);
    for (size_t i = 0; s == OK && i < column_count; i++) {
        struct buf *ids = i ? &scratch->more_ids : &scratch->ids;
        s = value_ids(&batch->columns[columns[i]], &scratch->table, (uint32_t *)ids->data, &scratch->firsts, &count,
                      err);
        if (s == OK && i)
            s = join_ids(scratch, batch->rows, err);
    }
    return s;
}

static struct str path_of(const struct partition_split *split, uint32_t group)
{
    const struct partition_group *g = (const struct partition_group *)split->groups.data + group;
    return (struct str){(const char *)split->paths.data + g->path_at, g->path_length};
}

static bool same_path(const void *context, uint32_t group, size_t at)
{
    const struct partition_split *split = context;
    struct str path = {(const char *)split->paths.data + at, split->paths.len - at};
    return str_equal(path_of(split, group), path);
}

/* One path a combination. Combinations whose values are written alike (null and the empty string, NaNs) share a group.
 */
static status make_groups(struct partition_split *split, const struct batch *batch, const int *columns,
                          size_t column_count, struct error *err)
{
    struct partition_scratch *scratch = split->scratch;
    size_t count = scratch->firsts.len / sizeof(uint32_t);
    const uint32_t *firsts = (const uint32_t *)scratch->firsts.data;
    status s = buf_resize(&scratch->group_of, count * sizeof(uint32_t), err);
    id_table_clear(&scratch->table);
    for (size_t i = 0; s == OK && i < count; i++) {
        size_t at = split->paths.len, known = scratch->table.used;
        uint32_t *group = (uint32_t *)scratch->group_of.data + i;
        s = partition_hive_path(batch->schema, batch, columns, column_count, firsts[i], &split->paths, err);
        if (s == OK && split->paths.len > UINT32_MAX)
            s = error_set(err, ERR_LIMIT, "the partition paths of one batch exceed 4 GiB");
        size_t n = split->paths.len - at;
        if (s == OK)
            s = id_table_find(&scratch->table, XXH3_64bits(split->paths.data + at, n), same_path, split, at, group,
                              err);
        if (s != OK)
            break;
        if (scratch->table.used > known) {
            const struct partition_group g = {.path_at = (uint32_t)at, .path_length = (uint32_t)n};
            s = buf_append(&split->groups, &g, sizeof g, err);
        } else {
            split->paths.len = at;
        }
    }
    return s;
}

static void place_rows(struct partition_split *split, size_t rows)
{
    const uint32_t *ids = (const uint32_t *)split->scratch->ids.data;
    const uint32_t *group_of = (const uint32_t *)split->scratch->group_of.data;
    struct partition_group *groups = (struct partition_group *)split->groups.data;
    uint32_t *placed = (uint32_t *)split->rows.data;
    for (size_t row = 0; row < rows; row++)
        groups[group_of[ids[row]]].row_count++;
    uint32_t at = 0;
    for (size_t g = 0; g < split->group_count; g++) {
        groups[g].rows_at = at;
        at += groups[g].row_count;
        groups[g].row_count = 0;
    }
    for (size_t row = 0; row < rows; row++) {
        struct partition_group *g = &groups[group_of[ids[row]]];
        placed[g->rows_at + g->row_count++] = (uint32_t)row;
    }
}

status partition_split(struct partition_split *split, const struct batch *batch, const int *columns,
                       size_t column_count, struct error *err)
{
    if (column_count == 0 || batch->rows > UINT32_MAX)
        return error_set(err, ERR_INTERNAL, "a batch of %zu rows cannot be split by %zu columns", batch->rows,
                         column_count);
    if (!split->scratch)
        split->scratch = calloc(1, sizeof *split->scratch);
    if (!split->scratch)
        return error_no_memory(err, sizeof *split->scratch);
    buf_clear(&split->paths);
    buf_clear(&split->groups);
    split->group_count = 0;
    status s = buf_resize(&split->rows, batch->rows * sizeof(uint32_t), err);
    if (s == OK)
        s = combine(split->scratch, batch, columns, column_count, err);
    if (s == OK)
        s = make_groups(split, batch, columns, column_count, err);
    if (s != OK)
        return s;
    split->group_count = split->groups.len / sizeof(struct partition_group);
    place_rows(split, batch->rows);
    return OK;
}
