/* A dataset job: one SELECT over its inputs, written as files of the dataset (docs/pipelines.md 7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/dataset_merge.h"
#include "job/dataset_query.h"
#include "job/dataset_result.h"
#include "job/dataset_schema.h"
#include "job/dataset_session.h"
#include "job/dataset_write.h"
#include "sys/dir.h"

enum refresh_mode { REFRESH_FULL, REFRESH_APPEND, REFRESH_MERGE };

struct dataset_job {
    const struct task *task;
    const json_t *job, *target;
    const char *staging;
    enum refresh_mode mode;
    struct dataset_session session;
    struct query_stream query;
    struct buf from; /* "FROM (the SQL) AS result" */
    struct schema existing, united;
    struct convert_options options;
    const char *input_name; /* {filename} */
    struct str *partition_columns;
    char *output;
    struct buf pattern;
    struct convert_result written;
    struct dataset_merge merge;
    bool merged;
    uint64_t bytes_in;
};

static void release(struct dataset_job *d)
{
    query_stream_release(&d->query);
    dataset_session_release(&d->session);
    buf_release(&d->from);
    buf_release(&d->pattern);
    schema_release(&d->existing);
    schema_release(&d->united);
    convert_result_release(&d->written);
    dataset_merge_release(&d->merge);
    free(d->partition_columns);
    free(d->output);
}

/* ---- what the job asks for ---- */

static status take_mode(struct dataset_job *d, struct error *err)
{
    static const char *const modes[] = {
        [REFRESH_FULL] = "full", [REFRESH_APPEND] = "append", [REFRESH_MERGE] = "merge"};
    const char *mode = json_text(d->job, "refresh_mode", "full");
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++)
        if (strcmp(mode, modes[i]) == 0) {
            d->mode = (enum refresh_mode)i;
            return OK;
        }
    return error_set(err, ERR_INVALID, "refresh_mode is full, append or merge, not '%s'", mode);
}

static status take_partitions(struct dataset_job *d, struct error *err)
{
    const char *mode = json_text(d->job, "partition_mode", "none"),
               *pattern = json_text(d->job, "partition_pattern", NULL);
    if (strcmp(mode, "none") == 0)
        return OK;
    if (!pattern || !*pattern)
        return error_set(err, ERR_INVALID, "partition_mode %s needs a partition_pattern", mode);
    if (strcmp(mode, "date") == 0) {
        d->options.partition_date = str_of(pattern);
        return OK;
    }
    size_t most = 1, count = 0;
    for (const char *at = pattern; (at = strchr(at, ',')); at++)
        most++;
    d->partition_columns = calloc(most, sizeof *d->partition_columns);
    if (!d->partition_columns)
        return error_no_memory(err, most * sizeof *d->partition_columns);
    for (const char *at = pattern;; at++) {
        size_t n = strcspn(at, ",");
        struct str name = {at, n};
        while (name.n && name.p[0] == ' ')
            name = (struct str){name.p + 1, name.n - 1};
        while (name.n && name.p[name.n - 1] == ' ')
            name.n--;
        if (name.n == 0)
            return error_set(err, ERR_INVALID, "partition_pattern '%s' holds an empty column name", pattern);
        d->partition_columns[count++] = name;
        at += n;
        if (!*at)
            break;
    }
    d->options.partition_columns = d->partition_columns;
    d->options.partition_column_count = count;
    return OK;
}

static status take_compression(struct dataset_job *d, struct error *err)
{
    const char *name = json_text(d->job, "compression", "snappy");
    for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++)
        if (strcmp(name, convert_compression_name((enum convert_compression)c)) == 0) {
            d->options.compression = (enum convert_compression)c;
            return OK;
        }
    return error_set(err, ERR_INVALID, "compression '%s' is not one of none, gzip, snappy and zstd", name);
}

/* A final name is used once: a pattern that says nothing of the run gets its id. */
static status take_pattern(struct dataset_job *d, struct error *err)
{
    const char *pattern = json_text(d->job, "filename_pattern", "{timestamp}_{filename}");
    bool unique = strstr(pattern, "{timestamp}") || strstr(pattern, "{run_id}");
    status s = buf_printf(&d->pattern, err, "%s%s", pattern, unique ? "" : "_{run_id}");
    d->options.filename_pattern = buf_str(&d->pattern);
    return s;
}

static status take_options(struct dataset_job *d, struct error *err)
{
    const json_t *payload = d->task->payload;
    d->job = json_object_get(payload, "job");
    d->target = json_object_get(payload, "target");
    d->staging = json_text(payload, "staging", NULL);
    d->input_name = json_text(d->job, "slug", json_text(d->target, "dataset", "data"));
    const char *run_time = json_text(payload, "run_time", NULL);
    int64_t run_micros = 0;
    if (!d->staging || !json_text(d->target, "folder", NULL) || !json_text(d->job, "sql", NULL))
        return error_set(err, ERR_INVALID, "the payload has no staging, target or SQL");
    if (!run_time || !time_parse(run_time, &run_micros))
        return error_set(err, ERR_INVALID, "the payload's run_time is no time");
    if (asprintf(&d->output, "%s/data/", d->staging) < 0) {
        d->output = NULL;
        return error_no_memory(err, strlen(d->staging));
    }
    d->options = (struct convert_options){
        .inputs = &d->input_name,
        .input_count = 1,
        .output = d->output,
        .to = FORMAT_PARQUET,
        .threads = dataset_threads(d->task),
        .memory = dataset_memory(d->task),
        .sync = true,
        .temp_dir = d->staging,
        .job = str_of(d->input_name),
        .run_id = str_of(json_text(payload, "run_id", "run")),
        .run_micros = run_micros,
        .cancel = d->task->cancel,
    };
    status s = take_mode(d, err);
    if (s == OK)
        s = take_partitions(d, err);
    if (s == OK)
        s = take_compression(d, err);
    return s == OK ? take_pattern(d, err) : s;
}

/* What an earlier attempt of the run left in its staging folder. */
static status remove_leftovers(const struct dataset_job *d, struct error *err)
{
    static const char *const folders[] = {"data", "merged", "tmp"};
    struct buf path = {0};
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(folders); i++) {
        buf_clear(&path);
        s = buf_printf(&path, err, "%s/%s", d->staging, folders[i]);
        if (s == OK)
            s = buf_append(&path, "", 1, err);
        if (s == OK)
            s = dir_remove_tree((const char *)path.data, err);
    }
    buf_release(&path);
    return s;
}

/* ---- the query ---- */

static status check_merge_keys(const struct dataset_job *d, struct error *err)
{
    const json_t *keys = json_object_get(d->job, "merge_keys"), *key;
    size_t i;
    if (d->mode != REFRESH_MERGE)
        return OK;
    if (json_array_size(keys) == 0)
        return error_set(err, ERR_INVALID, "refresh_mode merge needs merge_keys");
    json_array_foreach(keys, i, key)
    {
        const char *name = json_string_value(key);
        if (name && schema_find(&d->query.schema, str_of(name)) >= 0)
            continue;
        error_set(err, ERR_INVALID, "merge_keys names '%s', and the query gives no such column", name ? name : "");
        error_hint(err, "select the key columns, or change merge_keys");
        return ERR_INVALID;
    }
    return OK;
}

static status prepare(struct dataset_job *d, struct error *err)
{
    struct sql_position where = {0};
    status s = dataset_query_prepare(&d->session, json_text(d->job, "sql", ""), true, &d->query, &d->from, &where, err);
    if (s == OK)
        s = dataset_schema_declare(&d->query, json_object_get(d->job, "output_schema"), err);
    if (s == OK && d->mode != REFRESH_FULL && json_array_size(json_object_get(d->target, "files")) > 0)
        s = dataset_columns(json_object_get(d->target, "schema"), "the dataset", &d->existing, err);
    if (s == OK)
        s = dataset_schema_unite(&d->query, &d->existing, &d->united, err);
    return s == OK ? check_merge_keys(d, err) : s;
}

static status tell_rows(void *self, uint64_t rows, struct error *err)
{
    const struct dataset_job *d = self;
    json_t *members = json_object();
    status s = json_put_int(members, "rows", (int64_t)rows, err);
    if (s == OK)
        s = json_put_int(members, "pass", 1, err);
    if (s != OK) {
        json_decref(members);
        return s;
    }
    return task_event(d->task->events, "progress", members, err);
}

static void measure_inputs(struct dataset_job *d)
{
    struct stat st;
    for (size_t i = 0; i < d->session.paths.count; i++)
        if (stat(d->session.paths.names[i], &st) == 0)
            d->bytes_in += (uint64_t)st.st_size;
}

static status run_query(struct dataset_job *d, struct error *err)
{
    const struct dataset_observer observer = {d->task->events ? tell_rows : NULL, d};
    const json_t *inputs = json_object_get(d->task->payload, "inputs");
    status s = dataset_session_open(&d->session, d->task, inputs, DATASET_RUN, 0, err);
    if (s != OK)
        return s;
    measure_inputs(d);
    s = prepare(d, err);
    if (s == OK)
        s = dataset_write(&d->query, buf_str(&d->from), &d->options, &observer, &d->written, err);
    s = dataset_session_end(&d->session, s, err);
    query_stream_release(&d->query); /* its memory is wanted for merging */
    dataset_session_release(&d->session);
    return s;
}

status dataset_job_run(const struct task *task, json_t **result, const char **outcome, struct error *err)
{
    struct dataset_job d = {.task = task};
    status s = take_options(&d, err);
    if (s == OK)
        s = remove_leftovers(&d, err);
    if (s == OK)
        s = run_query(&d, err);
    d.merged = s == OK && d.mode == REFRESH_MERGE && d.written.rows_written > 0;
    if (d.merged)
        s = dataset_merge(&d.merge, task, &d.written, d.options.compression, err);
    const struct dataset_outcome told = {
        .target = d.target,
        .full = d.mode == REFRESH_FULL,
        .written = &d.written,
        .prefix = d.output ? strlen(d.output) : 0,
        .merge = d.merged ? &d.merge : NULL,
        .united = &d.united,
        .bytes_in = d.bytes_in,
    };
    if (s == OK)
        s = dataset_result(&told, result, err);
    release(&d);
    if (s == OK)
        *outcome = "completed";
    return s;
}
