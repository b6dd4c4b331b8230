#include "job/rejects.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lake/quarantine_path.h"
#include "lake/staging.h"
#include "lake/staging_sweep.h"
#include "shape/quarantine.h"
#include "sys/dir.h"
#include "sys/path.h"

struct rejects {
    const struct convert_options *options;
    struct convert_result *result;
    atomic_uint_fast64_t count; /* added to in order, looked at by every worker */
    struct reject_list rebased; /* scratch */
    /* Quarantine, opened at the first bad row: */
    struct staging *staging;
    struct byte_sink sink;
    struct quarantine *quarantine;
    struct buf path; /* final path of this run's rejects, NUL-terminated */
    size_t existing; /* bytes of `path` that named directories before this run */
    bool published;
};

struct day_sweep {
    const char *job; /* the folder of the job's days */
};

static void sweep_day(void *context, const char *name)
{
    const struct day_sweep *sweep = context;
    char day[PATH_MAX];
    int n = snprintf(day, sizeof day, "%s/%s", sweep->job, name);
    if (strncmp(name, "dt=", 3) == 0 && n > 0 && (size_t)n < sizeof day)
        staging_sweep(day, ".run_id=");
}

static struct str job_of(const struct convert_options *o)
{
    return o->quarantine_job.n ? o->quarantine_job : o->job;
}

/* A killed run's staging of quarantine. Each run has a folder of its own there, so that no later run's staging finds
 * it by the name of its destination. */
static status sweep_quarantine(const struct convert_options *o, struct error *err)
{
    struct buf path = {0};
    struct error ignored;
    status s = buf_printf(&path, err, "%s/", o->quarantine_dir);
    if (s == OK)
        s = quarantine_path(job_of(o), o->run_id, o->run_micros, 0, &path, err);
    if (s == OK)
        s = buf_append(&path, "", 1, err);
    for (int level = 0; s == OK && level < 3; level++) /* file, run, day */
        *strrchr((char *)path.data, '/') = '\0';
    if (s == OK)
        (void)!dir_each((char *)path.data, sweep_day, &(struct day_sweep){(char *)path.data}, &ignored);
    buf_release(&path);
    return s;
}

status rejects_create(struct rejects **rejects, const struct convert_options *options, struct convert_result *result,
                      struct error *err)
{
    struct rejects *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, sizeof *r);
    *r = (struct rejects){.options = options, .result = result};
    result->reject_inputs = calloc(REJECTS_KEPT, sizeof *result->reject_inputs);
    status s = result->reject_inputs ? OK : error_no_memory(err, REJECTS_KEPT * sizeof *result->reject_inputs);
    if (s == OK && options->quarantine && !options->dry_run)
        s = sweep_quarantine(options, err);
    if (s == OK)
        *rejects = r;
    else
        free(r);
    return s;
}

static void discard_quarantine(struct rejects *r)
{
    quarantine_free(r->quarantine);
    r->quarantine = NULL;
    byte_sink_close(&r->sink);
    staging_free(r->staging);
    r->staging = NULL;
}

status rejects_restart(struct rejects *r, struct error *err)
{
    (void)err;
    discard_quarantine(r);
    r->count = 0;
    reject_clear(&r->result->first_rejects);
    memset(r->result->rejects_by_code, 0, sizeof r->result->rejects_by_code);
    return OK;
}

/* How much of `path` is there already. Cut at each separator from the end. */
static size_t existing_part(char *path)
{
    struct error ignored;
    enum path_kind kind;
    size_t n = strlen(path);
    while (n > 0) {
        char end = path[n];
        path[n] = '\0';
        bool there = path_kind_of(path, &kind, &ignored) == OK && kind != PATH_NOTHING;
        path[n] = end;
        if (there)
            break;
        while (n > 0 && path[n - 1] != '/')
            n--;
        while (n > 0 && path[n - 1] == '/')
            n--;
    }
    return n;
}

static status open_quarantine(struct rejects *r, struct error *err)
{
    static const struct parquet_options parquet = {.codec = PARQUET_ZSTD,
                                                   .created_by = "flowforge version " FLOWFORGE_VERSION};
    const struct convert_options *o = r->options;
    struct quarantine_options options = {.run_id = o->run_id, .job_id = job_of(o), .parquet = &parquet};
    buf_clear(&r->path);
    status s = buf_printf(&r->path, err, "%s/", o->quarantine_dir);
    if (s == OK)
        s = quarantine_path(job_of(o), o->run_id, o->run_micros, 0, &r->path, err);
    if (s == OK)
        s = buf_append(&r->path, "", 1, err);
    if (s != OK)
        return s;
    /* The run's own folder is what gets published. */
    char *file = strrchr((char *)r->path.data, '/') + 1;
    file[-1] = '\0';
    r->existing = existing_part((char *)r->path.data);
    struct staging_options staging = {
        .destination = (const char *)r->path.data,
        .directory = true,
        .run_id = o->run_id.p,
        .sync = o->sync,
    };
    s = staging_create(&r->staging, &staging, err);
    file[-1] = '/';
    if (s == OK)
        s = staging_open(r->staging, file, &r->sink, err);
    if (s == OK)
        s = quarantine_create(&r->quarantine, &options, &r->sink, err);
    return s;
}

status rejects_add(struct rejects *r, const struct reject_list *list, size_t input, uint64_t record_base,
                   uint64_t line_base, const struct schema *schema, struct error *err)
{
    if (list->count == 0)
        return OK;
    struct reject_list *kept = &r->result->first_rejects;
    reject_clear(&r->rebased);
    status s = reject_append_rebased(&r->rebased, list, record_base, line_base, err);
    for (size_t i = 0; s == OK && i < list->count; i++) {
        const struct reject *one = &r->rebased.items[i];
        r->result->rejects_by_code[one->code]++;
        if (kept->count < REJECTS_KEPT) {
            r->result->reject_inputs[kept->count] = input;
            s = reject_add(kept, *one, reject_message(&r->rebased, one), reject_raw(&r->rebased, one), err);
        }
    }
    r->count += list->count;
    if (s != OK || !r->options->quarantine || r->options->dry_run)
        return s;
    if (!r->quarantine)
        s = open_quarantine(r, err);
    return s == OK
               ? quarantine_add(r->quarantine, &r->rebased, str_of(convert_input_name(r->options, input)), schema, err)
               : s;
}

bool rejects_are_fatal(const struct rejects *r)
{
    return r->options->quarantine ? r->count > r->options->max_rejects : r->count > 0;
}

bool rejects_are_enough(const struct rejects *r)
{
    return rejects_are_fatal(r) && (r->options->quarantine || r->count >= REJECTS_KEPT);
}

status rejects_check(const struct rejects *r, struct error *err)
{
    if (!rejects_are_fatal(r))
        return OK;
    const struct reject_list *kept = &r->result->first_rejects;
    const struct reject *first = &kept->items[0];
    struct str message = reject_message(kept, first);
    status s = error_set(err, ERR_BAD_ROWS, "%s%llu bad row%s: %s, record %llu, line %llu, byte %llu: %s: %.*s",
                         rejects_are_enough(r) && !r->options->quarantine ? "at least " : "",
                         (unsigned long long)r->count, r->count == 1 ? "" : "s",
                         convert_input_name(r->options, r->result->reject_inputs[0]), (unsigned long long)first->record,
                         (unsigned long long)first->line, (unsigned long long)first->byte_offset,
                         reject_code_name(first->code), (int)(message.n < 300 ? message.n : 300), message.p);
    if (r->options->quarantine)
        error_hint(err, "--max-rejects %llu was passed; nothing was published",
                   (unsigned long long)r->options->max_rejects);
    else
        error_hint(err, "nothing was published; mend the input, or keep going without such rows by "
                        "--on-error quarantine --quarantine DIR");
    return s;
}

status rejects_publish(struct rejects *r, struct convert_result *result, struct error *err)
{
    if (!r->quarantine)
        return OK;
    uint64_t rows = 0;
    status s = quarantine_finish(r->quarantine, &rows, err);
    if (s == OK)
        s = byte_sink_finish(&r->sink, err);
    if (s == OK && rows != r->count)
        s = error_set(err, ERR_ACCOUNTING, "%llu rows were rejected, but %llu went to quarantine",
                      (unsigned long long)r->count, (unsigned long long)rows);
    if (s == OK)
        s = staging_publish(r->staging, err);
    r->published = staging_is_published(r->staging);
    if (s != OK && r->published)
        error_hint(err, "it was taken back again: neither bad rows nor data are published");
    if (s != OK)
        return s;
    result->quarantine_path = strdup((const char *)r->path.data);
    return result->quarantine_path ? OK : error_no_memory(err, r->path.len);
}

void rejects_withdraw(struct rejects *r)
{
    if (!r->published)
        return;
    discard_quarantine(r);
    char *path = (char *)r->path.data, *slash = strrchr(path, '/');
    unlink(path);
    *slash = '\0';
    dir_remove_empty(path, r->existing);
    *slash = '/';
    free(r->result->quarantine_path);
    r->result->quarantine_path = NULL;
    r->published = false;
}

void rejects_free(struct rejects *r)
{
    if (!r)
        return;
    discard_quarantine(r);
    reject_release(&r->rebased);
    buf_release(&r->path);
    free(r);
}
