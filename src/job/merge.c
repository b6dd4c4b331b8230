#include "job/merge.h"

#include <stdlib.h>

#include "job/merge_rewrite.h"
#include "job/output_file.h"
#include "sql/parquet_source.h"
#include "sys/dir.h"
#include "sys/ordered.h"

#define KEEP_ROWS ((size_t)1 << 16) /* asked of the index at a time, a multiple of 8 */

struct merge_slot {
    struct batch batch;
    struct dedupe_rows keys;
    uint64_t first_row;
};

struct merge {
    const struct merge_options *options;
    struct str *columns; /* keys, then the order column unless it is a key */
    int *key_columns;    /* in columns */
    size_t column_count, slot_count;
    struct merge_slot *slots;
    struct dedupe_index *dedupe;
    struct batch_stream stream;
    uint64_t next_row;
};

static size_t file_count(const struct merge_options *o)
{
    return o->older_count + o->newer_count;
}

static const struct merge_file *file_at(const struct merge_options *o, size_t i)
{
    return i < o->older_count ? &o->older[i] : &o->newer[i - o->older_count];
}

/* ---- pass 1: the keys of all files ---- */

/* The column that rows are ordered by, -1: none. */
static int order_column(const struct merge_options *o)
{
    if (!o->order_by.n)
        return -1;
    for (size_t i = 0; i < o->key_count; i++)
        if (str_equal_nocase(o->keys[i], o->order_by))
            return (int)i;
    return (int)o->key_count;
}

static status init(struct merge *m, struct error *err)
{
    const struct merge_options *o = m->options;
    m->columns = calloc(o->key_count + 1, sizeof *m->columns);
    m->key_columns = calloc(o->key_count + 1, sizeof *m->key_columns);
    m->slots = calloc(m->slot_count, sizeof *m->slots);
    if (!m->columns || !m->key_columns || !m->slots)
        return error_no_memory(err, m->slot_count * sizeof *m->slots);
    for (size_t i = 0; i < o->key_count; i++) {
        m->columns[i] = o->keys[i];
        m->key_columns[i] = (int)i;
    }
    m->columns[o->key_count] = o->order_by;
    int order = order_column(o);
    m->column_count = o->key_count + (order == (int)o->key_count);
    const struct dedupe_options dedupe = {
        .keys = m->key_columns,
        .key_count = o->key_count,
        .order_by = order,
        .memory = o->memory / 4,
        .temp_dir = o->temp_dir,
    };
    return dedupe_create(&m->dedupe, &dedupe, err);
}

static void release(struct merge *m)
{
    for (size_t i = 0; m->slots && i < m->slot_count; i++) {
        batch_release(&m->slots[i].batch);
        dedupe_rows_release(&m->slots[i].keys);
    }
    free(m->slots);
    free(m->columns);
    free(m->key_columns);
    dedupe_free(m->dedupe);
    batch_stream_release(&m->stream);
}

static status open_keys(struct merge *m, struct error *err)
{
    const struct merge_options *o = m->options;
    size_t count = file_count(o);
    const char **paths = calloc(count, sizeof *paths);
    if (!paths)
        return error_no_memory(err, count * sizeof *paths);
    uint64_t expected = 0, rows = 0;
    for (size_t i = 0; i < count; i++) {
        paths[i] = file_at(o, i)->path;
        expected += file_at(o, i)->rows;
    }
    const struct parquet_source_options source = {
        .paths = paths,
        .path_count = count,
        .memory = o->memory / 2,
        .threads = (unsigned)o->threads,
        .batch_bytes = merge_batch_bytes(o),
        .columns = m->columns,
        .column_count = m->column_count,
    };
    status s = parquet_source_open(&m->stream, &source, &rows, err);
    free(paths);
    if (s == ERR_INVALID)
        error_hint(err, "name key and order columns that the dataset has");
    if (s == ERR_UNSUPPORTED)
        error_hint(err, "run once with a full refresh, so that key and order columns have one type in all files");
    if (s != OK)
        return error_prefix(err, "cannot merge by key");
    if (rows != expected)
        return error_set(err, ERR_CHANGED, "files were changed while they were merged");
    return OK;
}

static status claim(void *self, size_t index, bool *end, struct error *err)
{
    struct merge *m = self;
    struct merge_slot *slot = &m->slots[index];
    status s = m->stream.ops->next(m->stream.self, &slot->batch, err);
    if (s != OK)
        return s;
    *end = slot->batch.rows == 0;
    slot->first_row = m->next_row;
    m->next_row += slot->batch.rows;
    return OK;
}

static status refuse_null(const struct merge *m, const struct merge_slot *slot, size_t key, struct error *err)
{
    size_t row = 0, file = 0;
    while (!column_is_null(&slot->batch.columns[key], row))
        row++;
    uint64_t at = slot->first_row + row;
    while (at >= file_at(m->options, file)->rows)
        at -= file_at(m->options, file++)->rows;
    bool older = file < m->options->older_count;
    error_set(err, ERR_BAD_DATA, "key column '%.*s' has no value in row %llu of %s%s", (int)m->columns[key].n,
              m->columns[key].p, (unsigned long long)at + 1, older ? "the existing file " : "the new rows, ",
              file_at(m->options, file)->relative);
    if (older)
        error_hint(err, "rows without a key cannot be merged into: run once with a full refresh, or choose other keys");
    else
        error_hint(err, "leave out rows without a key (WHERE ... IS NOT NULL), or choose other keys");
    return ERR_BAD_DATA;
}

static status work(void *self, size_t worker, size_t index, struct error *err)
{
    struct merge *m = self;
    struct merge_slot *slot = &m->slots[index];
    (void)worker;
    for (size_t i = 0; i < m->options->key_count; i++)
        if (slot->batch.columns[i].null_count)
            return refuse_null(m, slot, i, err);
    return dedupe_rows_of(m->dedupe, &slot->batch, &slot->keys, err);
}

static status deliver(void *self, size_t worker, size_t index, struct error *err)
{
    struct merge *m = self;
    (void)worker;
    return dedupe_add(m->dedupe, &m->slots[index].keys, err);
}

static status read_keys(struct merge *m, uint64_t *losers, struct error *err)
{
    static const struct ordered_steps steps = {.claim = claim, .work = work, .deliver = deliver};
    status s = open_keys(m, err);
    if (s == OK)
        s = ordered_run(&steps, m, m->options->threads, m->slot_count, m->options->cancel, err);
    batch_stream_release(&m->stream); /* its memory is wanted for the rewriting */
    return s == OK ? dedupe_resolve(m->dedupe, losers, err) : s;
}

/* ---- pass 2: the files that lose rows ---- */

/* Row numbers count over all files: each has to hold exactly what is said of it. */
static status check_counts(const struct merge_options *o, struct error *err)
{
    for (size_t i = 0; i < file_count(o); i++) {
        const struct merge_file *file = file_at(o, i);
        uint64_t rows = 0;
        status s = output_file_stated_rows(file->path, &rows, err);
        if (s == OK && rows != file->rows)
            s = error_set(err, ERR_ACCOUNTING, "%s states %llu rows, but the dataset counts %llu in it", file->path,
                          (unsigned long long)rows, (unsigned long long)file->rows);
        if (s != OK)
            return s;
    }
    return OK;
}

static status count_lost(const struct dedupe_index *dedupe, uint64_t first_row, uint64_t rows, uint64_t *lost,
                         struct error *err)
{
    uint8_t keep[KEEP_ROWS / 8];
    *lost = 0;
    for (uint64_t at = 0; at < rows; at += KEEP_ROWS) {
        size_t n = rows - at < KEEP_ROWS ? (size_t)(rows - at) : KEEP_ROWS, kept = 0;
        status s = dedupe_keep(dedupe, first_row + at, n, keep, &kept, err);
        if (s != OK)
            return s;
        *lost += n - kept;
    }
    return OK;
}

static status rewrite_all(struct merge *m, struct merge_outcome *older, struct merge_outcome *newer, uint64_t losers,
                          struct error *err)
{
    const struct merge_options *o = m->options;
    uint64_t first_row = 0, lost = 0, written = 0;
    status s = OK;
    for (size_t i = 0; s == OK && i < file_count(o); i++) {
        const struct merge_file *file = file_at(o, i);
        struct merge_outcome *outcome = i < o->older_count ? &older[i] : &newer[i - o->older_count];
        *outcome = (struct merge_outcome){.rows = file->rows};
        s = count_lost(m->dedupe, first_row, file->rows, &outcome->lost, err);
        if (s == OK && outcome->lost) {
            outcome->rewritten = true;
            outcome->rows = 0;
            s = merge_rewrite(o, file, m->dedupe, first_row, outcome, err);
            written += s == OK && outcome->rows;
        }
        first_row += file->rows;
        lost += outcome->lost;
    }
    if (s == OK && lost != losers)
        s = error_set(err, ERR_ACCOUNTING, "%llu rows were to lose the merge, but %llu did", (unsigned long long)losers,
                      (unsigned long long)lost);
    return s == OK && written ? dir_fsync_tree(o->output, err) : s;
}

status merge_files(const struct merge_options *options, struct merge_outcome *older, struct merge_outcome *newer,
                   struct error *err)
{
    if (file_count(options) == 0)
        return OK;
    struct merge m = {.options = options, .slot_count = merge_slots(options)};
    uint64_t losers = 0;
    status s = check_counts(options, err);
    if (s == OK)
        s = init(&m, err);
    if (s == OK)
        s = read_keys(&m, &losers, err);
    if (s == OK)
        s = rewrite_all(&m, older, newer, losers, err);
    release(&m);
    return s;
}
