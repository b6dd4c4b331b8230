#include "api/apply.h"

#include <stdio.h>

#include "api/job_check.h"
#include "store/store_connections.h"
#include "store/store_views.h"

/* One application under way. */
struct apply {
    const struct api_request *request;
    const struct apply_options *options;
    struct api_write write;
    json_t *changes;
    char pipeline_id[64];
};

static const char *list_name(enum job_kind kind)
{
    return kind == JOB_INGEST ? "ingest_jobs" : "dataset_jobs";
}

/* ---- before the transaction: what takes time ---- */

static status move_errors(struct field_errors *from, const char *list, size_t at, struct field_errors *to,
                          struct error *err)
{
    char pointer[400];
    size_t i;
    const json_t *problem;
    status s = OK;
    json_array_foreach(from->list, i, problem)
    {
        const char *where = json_text(problem, "pointer", "");
        if (strcmp(where, "/connection_id") == 0) /* a document has its name */
            where = "/connection";
        snprintf(pointer, sizeof pointer, "/%s/%zu%s", list, at, where);
        if (s == OK)
            s = field_error_add(to, err, pointer, json_text(problem, "code", "invalid"), "%s",
                                json_text(problem, "message", ""));
    }
    return s;
}

/* The job's connection by its name becomes its id. */
static status find_connection(struct db *db, json_t *job, size_t at, struct field_errors *errors, struct error *err)
{
    const char *name = json_text(job, "connection", NULL);
    json_t *connection = NULL;
    char pointer[64];
    status s = name ? connection_find(db, name, &connection, err) : OK;
    if (s == ERR_NOT_FOUND) {
        snprintf(pointer, sizeof pointer, "/ingest_jobs/%zu/connection", at);
        return field_error_add(errors, err, pointer, "not_found",
                               "there is no connection '%.100s' on this server: make it first, by flowforge connection "
                               "create or POST /api/connections",
                               name);
    }
    if (s == OK)
        s = json_put_text(job, "connection_id", json_text(connection, "id", NULL), err);
    json_decref(connection);
    json_object_del(job, "connection");
    return s;
}

static status find_connections(struct api_context *context, json_t *document, struct field_errors *errors,
                               struct error *err)
{
    const json_t *jobs = json_object_get(document, list_name(JOB_INGEST));
    struct db *db = NULL;
    status s = store_reader(context->store, &db, err);
    for (size_t i = 0; s == OK && i < json_array_size(jobs); i++)
        s = find_connection(db, json_array_get(jobs, i), i, errors, err);
    store_give_back(context->store, db);
    return s;
}

static status check_jobs(struct api_context *context, enum job_kind kind, const json_t *document,
                         struct field_errors *errors, struct error *err)
{
    const json_t *jobs = json_object_get(document, list_name(kind)), *pipeline = json_object_get(document, "pipeline");
    status s = OK;
    for (size_t i = 0; s == OK && i < json_array_size(jobs); i++) {
        struct field_errors found = {0};
        s = job_check_world(context, kind, pipeline, json_array_get(jobs, i), &found, err);
        if (s == OK)
            s = move_errors(&found, list_name(kind), i, errors, err);
        field_errors_release(&found);
    }
    return s;
}

/* ---- within it ---- */

static status note(struct apply *a, const char *object, const char *name, const char *action, struct error *err)
{
    return json_add(a->changes, json_pack("{s:s, s:s, s:s}", "object", object, "name", name, "action", action), err);
}

static status audit(struct apply *a, const char *object, const char *action, const char *id, struct error *err)
{
    char name[48];
    snprintf(name, sizeof name, "%s.%s", object, action);
    return api_audit(&a->write, a->request, name, object, id, json_pack("{s:s}", "by", "apply"), err);
}

/* Has the stored record every member of the wanted one already? */
static bool is_same(const json_t *stored, const json_t *wanted)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
    {
        const json_t *now = json_object_get(stored, key);
        if (!(json_is_null(value) && (!now || json_is_null(now))) && !json_equal(now, value))
            return false;
    }
    return true;
}

static status apply_pipeline(struct apply *a, json_t *wanted, struct error *err)
{
    const char *name = json_text(wanted, "name", "");
    json_t *stored = NULL;
    status s = pipeline_find(a->write.db, name, &stored, err);
    const char *action = "unchanged";
    if (s == ERR_NOT_FOUND) {
        action = "created";
        s = pipeline_create(a->write.db, wanted, err);
        snprintf(a->pipeline_id, sizeof a->pipeline_id, "%s", json_text(wanted, "id", ""));
        if (s == OK)
            s = audit(a, "pipeline", "create", a->pipeline_id, err);
    } else if (s == OK) {
        snprintf(a->pipeline_id, sizeof a->pipeline_id, "%s", json_text(stored, "id", ""));
        if (!is_same(stored, wanted)) {
            action = "updated";
            s = pipeline_update(a->write.db, a->pipeline_id, wanted, err);
            if (s == OK)
                s = audit(a, "pipeline", "update", a->pipeline_id, err);
        }
    }
    json_decref(stored);
    return s == OK ? note(a, "pipeline", name, action, err) : s;
}

static json_t *find_by_name(const json_t *rows, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (str_equal_nocase(str_of(json_text(row, "name", "")), str_of(name)))
            return row;
    }
    return NULL;
}

static status update_job(struct apply *a, enum job_kind kind, const json_t *stored, json_t *wanted, struct error *err)
{
    const char *id = json_text(stored, "id", "");
    bool fresh = false;
    status s = kind == JOB_INGEST ? job_check_history(a->write.db, stored, wanted, &fresh, err) : OK;
    if (s == OK)
        s = job_update(a->write.db, kind, id, wanted, err);
    if (s == OK && fresh)
        s = watermark_reset(a->write.db, id, err);
    if (s == OK)
        s = audit(a, job_fields(kind)->name, "update", id, err);
    return s == OK ? s : error_prefix(err, "job '%s'", json_text(wanted, "name", ""));
}

static status apply_job(struct apply *a, enum job_kind kind, const json_t *stored_jobs, json_t *wanted,
                        struct error *err)
{
    const char *name = json_text(wanted, "name", "");
    const json_t *stored = find_by_name(stored_jobs, name);
    const char *action = "unchanged";
    status s = OK;
    if (!stored) {
        action = "created";
        s = job_create(a->write.db, kind, a->pipeline_id, wanted, err);
        if (s == OK)
            s = audit(a, job_fields(kind)->name, "create", json_text(wanted, "id", ""), err);
    } else if (!is_same(stored, wanted)) {
        action = "updated";
        s = update_job(a, kind, stored, wanted, err);
    }
    return s == OK ? note(a, job_fields(kind)->name, name, action, err) : s;
}

/* Jobs that are stored and not in the document go first: another job may take over their dataset. */
static status drop_jobs(struct apply *a, enum job_kind kind, const json_t *stored_jobs, const json_t *wanted_jobs,
                        struct error *err)
{
    size_t i;
    const json_t *job;
    status s = OK;
    json_array_foreach(stored_jobs, i, job)
    {
        const char *name = json_text(job, "name", ""), *id = json_text(job, "id", "");
        if (s != OK || find_by_name(wanted_jobs, name))
            continue;
        if (a->options->prune)
            s = job_remove(a->write.db, kind, id, false, err);
        if (s == OK && a->options->prune)
            s = audit(a, job_fields(kind)->name, "delete", id, err);
        if (s == OK)
            s = note(a, job_fields(kind)->name, name, a->options->prune ? "deleted" : "kept", err);
    }
    return s;
}

static status apply_jobs(struct apply *a, enum job_kind kind, const json_t *document, struct error *err)
{
    const json_t *wanted = json_object_get(document, list_name(kind));
    json_t *stored = NULL;
    status s = job_list(a->write.db, kind, a->pipeline_id, &stored, err);
    if (s == OK)
        s = drop_jobs(a, kind, stored, wanted, err);
    for (size_t i = 0; s == OK && i < json_array_size(wanted); i++)
        s = apply_job(a, kind, stored, json_array_get(wanted, i), err);
    json_decref(stored);
    return s;
}

static status apply_all(struct apply *a, struct api_context *context, json_t *document, json_t **answer,
                        struct error *err)
{
    status s = api_write_begin(context, &a->write, err);
    if (s == OK)
        s = apply_pipeline(a, json_object_get(document, "pipeline"), err);
    if (s == OK)
        s = apply_jobs(a, JOB_INGEST, document, err);
    if (s == OK)
        s = apply_jobs(a, JOB_DATASET, document, err);
    json_t *made = s != OK ? NULL
                           : json_pack("{s:s, s:b, s:O}", "pipeline_id", a->pipeline_id, "dry_run",
                                       (int)a->options->dry_run, "changes", a->changes);
    if (s == OK && !made)
        s = error_no_memory(err, 64);
    if (s == OK && !a->options->dry_run)
        s = api_write_commit(&a->write, err);
    if (s == OK)
        *answer = made;
    else
        json_decref(made);
    return s;
}

status apply_document(struct api_context *context, const struct api_request *request, const json_t *document,
                      const struct apply_options *options, json_t **answer, struct field_errors *errors,
                      struct error *err)
{
    struct apply a = {.request = request, .options = options, .changes = json_array()};
    json_t *own = json_deep_copy(document); /* gets ids */
    status s = a.changes && own ? OK : error_no_memory(err, 64);
    if (s == OK)
        s = find_connections(context, own, errors, err);
    if (s == OK)
        s = check_jobs(context, JOB_INGEST, own, errors, err);
    if (s == OK)
        s = check_jobs(context, JOB_DATASET, own, errors, err);
    if (s == OK && field_errors_count(errors) == 0)
        s = apply_all(&a, context, own, answer, err);
    api_write_end(&a.write);
    json_decref(a.changes);
    json_decref(own);
    return s;
}
