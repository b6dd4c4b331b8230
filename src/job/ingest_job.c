/* An ingest run from its payload to its result (docs/pipelines.md 6). */
#include "job/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "job/ingest_landing.h"
#include "sys/dir.h"

#define PROGRESS_NS 250000000 /* four events a second at most */

/* ---- preparation ---- */

static status path_below(const char *folder, const char *name, char **path, struct error *err)
{
    if (asprintf(path, "%s/%s", folder, name) >= 0)
        return OK;
    *path = NULL;
    return error_no_memory(err, strlen(folder) + strlen(name) + 2);
}

/* What an earlier attempt of this run staged goes, killed in the middle or not. */
static status clear_staging(const char *staging, struct error *err)
{
    status s = dir_remove_tree(staging, err);
    return s == OK || s == ERR_NOT_FOUND ? dir_make_all(staging, NULL, err) : s;
}

/* The target's files, and which of them hold rows of a file that changed. */
static status list_older(struct ingest *g, struct error *err)
{
    const json_t *files = g->options.incremental ? g->options.target_files : NULL;
    size_t count = json_array_size(files);
    json_t *changed = json_object();
    g->older = calloc(count + 1, sizeof *g->older);
    g->replaced = calloc(count + 1, sizeof *g->replaced);
    status s = changed && g->older && g->replaced ? OK : error_no_memory(err, count * sizeof *g->older);
    for (size_t i = 0; s == OK && i < g->files.count; i++) {
        const struct ingest_file *f = &g->files.items[i];
        if (f->change == INGEST_CHANGED)
            s = json_put_bool(changed, f->uri, true, err);
        if (s == OK && f->change == INGEST_CHANGED && f->etag) /* an upload has other ids for the same bytes */
            s = json_put_bool(changed, f->etag, true, err);
    }
    for (size_t i = 0; s == OK && i < count; i++) {
        g->older[i] = json_array_get(files, i);
        g->replaced[i] = json_object_get(changed, json_text(g->older[i], "source_uri", "")) ||
                         json_object_get(changed, json_text(g->older[i], "source_etag", ""));
    }
    g->older_count = s == OK ? count : 0;
    json_decref(changed);
    return s;
}

static status prepare_conversion(struct ingest *g, struct convert_progress *progress, struct error *err)
{
    size_t count = g->files.count;
    g->inputs = calloc(count, sizeof *g->inputs);
    g->names = calloc(count, sizeof *g->names);
    g->filtered = calloc(count, sizeof *g->filtered);
    if (!g->inputs || !g->names || !g->filtered)
        return error_no_memory(err, count * sizeof *g->inputs);
    for (size_t i = 0; i < count; i++) {
        g->inputs[i] = g->files.items[i].landed;
        g->names[i] = g->files.items[i].name;
        g->filtered[i] = g->files.items[i].change == INGEST_NEW;
    }
    status s = path_below(g->options.staging, INGEST_DATA "/", &g->data, err);
    if (s == OK)
        s = path_below(g->options.staging, INGEST_QUARANTINE, &g->quarantine, err);
    const struct convert_options from_source = g->convert;
    g->convert = g->options.convert;
    g->convert.open_stream = from_source.open_stream;
    g->convert.stream_self = from_source.stream_self;
    g->convert.inputs = g->inputs;
    g->convert.input_names = g->names;
    g->convert.input_count = count;
    g->convert.output = g->data;
    g->convert.quarantine_dir = g->quarantine;
    g->convert.watermark.applies = g->filtered;
    g->convert.cancel = g->task->cancel;
    g->convert.progress = progress;
    return s;
}

const char *ingest_relative(const struct ingest *g, size_t file)
{
    return g->result.files[file].path + strlen(g->data); /* which ends in '/' */
}

/* ---- progress ---- */

struct progress_thread {
    struct convert_progress progress;
    struct task_events *events;
    const char *const *names;
    size_t files;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, running;
};

static void report_progress(struct progress_thread *p)
{
    struct error ignored;
    json_t *members = json_pack("{s:I, s:I, s:I, s:i, s:s?}", "rows", (json_int_t)atomic_load(&p->progress.rows),
                                "bytes", (json_int_t)atomic_load(&p->progress.bytes_read), "bytes_total",
                                (json_int_t)atomic_load(&p->progress.bytes_total), "pass",
                                atomic_load(&p->progress.pass), "file", p->files == 1 ? p->names[0] : NULL);
    if (members)
        (void)!task_event(p->events, "progress", members, &ignored); /* a broken pipe shows at `finished` */
}

static void *run_progress(void *argument)
{
    struct progress_thread *p = argument;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&p->wake, &p->lock, &until);
        if (!p->stop)
            report_progress(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void progress_start(struct progress_thread *p, struct ingest *g)
{
    p->events = g->task->events;
    p->names = g->names;
    p->files = g->files.count;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->running = pthread_create(&p->thread, NULL, run_progress, p) == 0;
}

static void progress_stop(struct progress_thread *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    if (p->running)
        pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
}

/* ---- the run ---- */

/* The engine speaks of options on a command line; a job has members. */
static const struct {
    const char *part, *hint;
} job_hints[] = {
    {"--on-error", "nothing was published; mend the rows, or let the others pass by error_handling=quarantine with a "
                   "quarantine_path"},
    {"--max-rejects", "nothing was published; mend the rows, or raise max_rejects"},
    {"--rename", "give one of the columns another name in rename_map, or correct the names in the job"},
    {"--from", "take files of one format by a pattern such as *.csv, one job for each format"},
    {"--memory", "give the tasks more memory, or free memory on this machine"},
};

static const struct {
    const char *option, *member;
} job_members[] = {{"--dedupe: ", "dedupe_keys: "},
                   {"--order-by: ", "watermark_column: "},
                   {"--partition-by: ", "partition_pattern: "}};

static void explain(struct error *err)
{
    static const char after_rename[] = "columns (after --rename): ";
    char rest[sizeof err->message];
    for (size_t i = 0; i < ARRAY_LENGTH(job_members); i++) {
        size_t n = strlen(job_members[i].option);
        if (strncmp(err->message, job_members[i].option, n) != 0)
            continue;
        strcpy(rest, err->message + n);
        snprintf(err->message, sizeof err->message, "%s%.900s", job_members[i].member, rest);
    }
    if (strncmp(err->hint, after_rename, sizeof after_rename - 1) == 0) {
        strcpy(rest, err->hint + sizeof after_rename - 1);
        error_hint(err, "columns (after rename_map): %s", rest);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(job_hints); i++)
        if (strstr(err->hint, job_hints[i].part)) {
            error_hint(err, "%s", job_hints[i].hint);
            return;
        }
}

static status convert(struct ingest *g, struct error *err)
{
    struct progress_thread progress = {0};
    status s = prepare_conversion(g, &progress.progress, err);
    if (s != OK)
        return s;
    progress_start(&progress, g);
    s = convert_run(&g->convert, &g->result, err);
    progress_stop(&progress);
    if (g->options.database)
        g->files.bytes = g->result.bytes_in;
    if (s == OK)
        report_progress(&progress);
    else if (err)
        explain(err);
    if (s == OK && g->result.watermark_ties_exceeded && g->options.incremental) {
        s = error_set(err, ERR_LIMIT, "too many rows have the highest value of watermark column '%.*s' (%.60s)",
                      (int)g->convert.watermark.column.n, g->convert.watermark.column.p, g->result.watermark);
        error_hint(err, "name dedupe_keys, by which rows are told apart without remembering each of them, or choose a "
                        "finer watermark_column");
    }
    g->convert.progress = NULL;
    return s;
}

static status log_plan(const struct ingest *g, struct error *err)
{
    const struct ingest_files *f = &g->files;
    status s = task_log(g->task->events, err, "info", "%zu files to take (%llu bytes), %zu unchanged, %zu waiting",
                        f->count, (unsigned long long)f->bytes, f->skipped, f->waiting);
    return s;
}

static status log_end(const struct ingest *g, struct error *err)
{
    const struct convert_result *r = &g->result;
    status s = OK;
    for (size_t i = 0; s == OK && i < r->warning_count && i < 100; i++)
        s = task_log(g->task->events, err, "warning", "%s", r->warnings[i]);
    if (s == OK && r->rows_rejected)
        s = task_log(g->task->events, err, "warning", "%llu bad rows went to quarantine",
                     (unsigned long long)r->rows_rejected);
    return s == OK ? task_log(g->task->events, err, "info", "%llu rows read, %llu written in %.2f s",
                              (unsigned long long)r->rows_read, (unsigned long long)r->rows_written, r->seconds)
                   : s;
}

static void release(struct ingest *g)
{
    for (size_t i = 0; g->rewritten_relative && i < g->older_count; i++)
        free(g->rewritten_relative[i]);
    free(g->rewritten_relative);
    free(g->rewritten);
    free(g->lost);
    free(g->older);
    free(g->replaced);
    free(g->inputs);
    free(g->names);
    free(g->filtered);
    free(g->data);
    free(g->quarantine);
    convert_result_release(&g->result);
    ingest_db_close(&g->db);
    ingest_files_release(&g->files);
    ingest_options_release(&g->options);
}

/* A database as the one file of the run: so rows have a source, and files a name. */
static status find_query(struct ingest *g, struct error *err)
{
    g->convert = g->options.convert;
    status s = ingest_db_open(&g->db, &g->options, g->task->payload, 0, g->task->cancel, &g->convert, err);
    if (s == OK)
        s = ingest_files_of_query(&g->files, g->db.uri, g->db.name, err);
    if (s != OK)
        return s;
    if (!g->db.lower && !g->db.upper)
        return task_log(g->task->events, err, "info", "%s: all rows", g->db.uri);
    return task_log(g->task->events, err, "info", "%s: rows with %s from %s %s %s", g->db.uri, g->db.column,
                    g->db.lower ? g->db.lower : "the first", g->db.read.upper_open ? "to before" : "to",
                    g->db.upper ? g->db.upper : "the last");
}

static status take(struct ingest *g, struct error *err)
{
    status s = clear_staging(g->options.staging, err);
    if (s == OK)
        s = list_older(g, err);
    if (s == OK && !g->options.database)
        s = ingest_land(&g->files, &g->options, g->task->cancel, err);
    if (s == OK)
        s = convert(g, err);
    if (s == OK && g->options.merge)
        s = ingest_merge(g, err);
    if (s == OK && !g->options.database)
        s = ingest_land_finish(&g->files, g->task->cancel, err);
    if (s == OK)
        s = log_end(g, err);
    return s == OK ? dir_fsync_tree(g->options.staging, err) : s;
}

/* Of a query's window, whether every row had been taken before. */
static bool nothing_new(const struct ingest *g)
{
    return g->options.database && g->options.incremental && g->result.rows_read == g->result.rows_filtered;
}

/* Of a failed run: the bad rows that were seen. */
static json_t *what_is_known(const struct ingest *g)
{
    json_t *rejects = NULL, *known = NULL;
    struct error ignored;
    if (g->result.first_rejects.count && ingest_rejects(g, &rejects, &ignored) == OK)
        known = json_pack("{s:o}", "rejects", rejects);
    return known;
}

status ingest_job_run(const struct task *task, json_t **result, const char **outcome, struct error *err)
{
    struct ingest g = {.task = task};
    *result = NULL;
    status s = ingest_options_read(&g.options, task->payload, err);
    if (s == OK && g.options.database) {
        s = find_query(&g, err);
    } else if (s == OK) {
        s = ingest_files_find(&g.files, &g.options, task->payload, task->cancel, err);
        if (s == OK)
            s = log_plan(&g, err);
    }
    if (s == OK && g.files.count == 0) {
        *outcome = "skipped";
        s = ingest_result_skipped(&g, result, err);
    } else if (s == OK) {
        s = take(&g, err);
        *outcome = s == OK && nothing_new(&g) ? "skipped" : "completed";
        if (s == OK)
            s = nothing_new(&g) ? ingest_result_skipped(&g, result, err) : ingest_result(&g, result, err);
        if (s != OK)
            *result = what_is_known(&g);
    }
    release(&g);
    return s;
}
