#include "app/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

status print_json(const json_t *value, struct error *err)
{
    if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        return error_set(err, ERR_IO, "cannot write to standard output");
    putchar('\n');
    return OK;
}

/* ---- runs ---- */

static void print_error(const json_t *error)
{
    if (!json_is_object(error))
        return;
    printf("    %s: %s\n", json_text(error, "code", "error"), json_text(error, "message", ""));
    if (json_text(error, "hint", "")[0])
        printf("    %s\n", json_text(error, "hint", ""));
}

static void print_job_run(const json_t *job)
{
    printf("  %-8s %-24s %-20s", json_text(job, "kind", ""), json_text(job, "job_name", ""),
           json_text(job, "state_name", ""));
    printf(" %10lld read = %lld written", (long long)json_int(job, "rows_read", 0),
           (long long)json_int(job, "rows_written", 0));
    static const struct {
        const char *member, *word;
    } parts[] = {{"rows_rejected", "rejected"}, {"rows_deduped", "deduplicated"}, {"rows_filtered", "filtered"}};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        if (json_int(job, parts[i].member, 0))
            printf(" + %lld %s", (long long)json_int(job, parts[i].member, 0), parts[i].word);
    if (json_int(job, "rows_replaced", 0))
        printf(" (%lld older rows replaced)", (long long)json_int(job, "rows_replaced", 0));
    putchar('\n');
    print_error(json_object_get(job, "error"));
}

void print_run(const json_t *run)
{
    size_t i;
    const json_t *job;
    printf("run %s: %s\n", json_text(run, "id", "?"), json_text(run, "state_name", "?"));
    json_array_foreach(json_object_get(run, "job_runs"), i, job) print_job_run(job);
    print_error(json_object_get(run, "error"));
}

/* ---- tables ---- */

/* A cell's text; numbers are written into `scratch`. */
static const char *cell_text(const json_t *value, char *scratch, size_t cap)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        snprintf(scratch, cap, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    else
        return "";
    return scratch;
}

void print_table(const json_t *rows, const struct print_column *columns, size_t count)
{
    char scratch[32];
    int widths[16] = {0};
    size_t i;
    const json_t *row;
    for (size_t c = 0; c < count && c < ARRAY_LENGTH(widths); c++) {
        widths[c] = (int)strlen(columns[c].heading);
        json_array_foreach(rows, i, row)
        {
            int n = (int)strlen(cell_text(json_object_get(row, columns[c].member), scratch, sizeof scratch));
            widths[c] = n > widths[c] ? n : widths[c];
        }
        printf("%s%-*s", c ? "  " : "", c + 1 < count ? widths[c] : 0, columns[c].heading);
    }
    putchar('\n');
    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; c < count && c < ARRAY_LENGTH(widths); c++) {
            const json_t *value = json_object_get(row, columns[c].member);
            const char *text = cell_text(value, scratch, sizeof scratch);
            bool number = json_is_integer(value);
            /* Nothing stands behind the last column, so texts in it need no padding. */
            printf(number ? "%s%*s" : "%s%-*s", c ? "  " : "", number || c + 1 < count ? widths[c] : 0, text);
        }
        putchar('\n');
    }
}

/* ---- jobs ---- */

/* Append all pages of one list of jobs. */
static status add_jobs(struct client *client, const char *pipeline, const char *kind, json_t *jobs, struct error *err)
{
    char after[64];
    struct buf path = {0};
    json_t *answer = NULL;
    snprintf(after, sizeof after, "/%s-jobs?limit=500", kind);
    status s = client_path(&path, "/api/workflows/", pipeline, after, err);
    if (s == OK)
        s = client_call(client, "GET", (const char *)path.data, NULL, &answer, err);
    size_t i;
    json_t *job;
    json_array_foreach(json_object_get(answer, "items"), i, job)
    {
        if (s == OK)
            s = json_put_text(job, "kind", kind, err);
        if (s == OK)
            s = json_add(jobs, json_incref(job), err);
    }
    json_decref(answer);
    buf_release(&path);
    return s;
}

status print_all_jobs(struct client *client, const char *pipeline, json_t **jobs, struct error *err)
{
    json_t *all = json_array();
    status s = all ? OK : error_no_memory(err, 1);
    if (s == OK)
        s = add_jobs(client, pipeline, "ingest", all, err);
    if (s == OK)
        s = add_jobs(client, pipeline, "dataset", all, err);
    if (s == OK)
        *jobs = all;
    else
        json_decref(all);
    return s;
}

status print_find_job(struct client *client, const char *pipeline, const char *name, json_t **record, struct error *err)
{
    json_t *jobs = NULL;
    status s = print_all_jobs(client, pipeline, &jobs, err);
    if (s != OK)
        return s;
    char known[300] = "";
    json_t *found = NULL;
    size_t i;
    json_t *job;
    json_array_foreach(jobs, i, job)
    {
        const char *job_name = json_text(job, "name", "");
        if (strcasecmp(job_name, name) == 0 || strcmp(json_text(job, "id", ""), name) == 0)
            found = job;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", job_name);
    }
    if (found) {
        *record = json_incref(found);
    } else {
        s = error_set(err, ERR_NOT_FOUND, "pipeline '%s' has no job '%s'", pipeline, name);
        error_hint(err, "its jobs: %s", known[0] ? known : "none");
    }
    json_decref(jobs);
    return s;
}

status print_job_path(const json_t *job, const char *after, struct buf *path, struct error *err)
{
    status s = buf_printf(path, err, "/api/workflows/%s/%s-jobs/%s%s", json_text(job, "pipeline_id", ""),
                          json_text(job, "kind", ""), json_text(job, "id", ""), after);
    return s == OK ? buf_append(path, "", 1, err) : s;
}
