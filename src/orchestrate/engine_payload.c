/* The payload frame of docs/pipelines.md 4. */
#include <stdio.h>
#include <string.h>

#include "lake/publish.h"
#include "orchestrate/engine_state.h"
#include "store/store_access.h"
#include "store/store_connections.h"
#include "store/store_lake.h"

static status put_format(json_t *object, const char *key, struct error *err, const char *a, const char *b,
                         const char *c)
{
    struct buf text = {0};
    status s = buf_printf(&text, err, "%s%s%s", a, b, c);
    if (s == OK)
        s = json_put_text(object, key, (const char *)text.data, err);
    buf_release(&text);
    return s;
}

static status put_frame(const struct engine *engine, json_t *payload, const struct payload_for *from, struct error *err)
{
    static const char *const members[] = {"id", "name", "slug", "environment"};
    char time[TIME_TEXT_CAP];
    time_text(from->run_time, time);
    json_t *pipeline = json_object(), *roots = json_array();
    status s = pipeline && roots ? OK : error_no_memory(err, 1);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(members); i++)
        s = json_put_text(pipeline, members[i], json_text(from->pipeline, members[i], ""), err);
    for (size_t i = 0; s == OK && i < engine->options.local_root_count; i++)
        s = json_add(roots, json_string(engine->local_roots[i]), err);
    if (s == OK)
        s = json_put_int(payload, "version", 1, err);
    if (s == OK)
        s = json_put_text(payload, "kind", from->kind == JOB_INGEST ? "ingest" : "dataset", err);
    if (s == OK)
        s = json_put_text(payload, "run_id", from->run_id, err);
    if (s == OK)
        s = json_put_text(payload, "pipeline_run_id", from->pipeline_run_id, err);
    if (s == OK)
        s = json_put_int(payload, "attempt", from->attempt, err);
    if (s == OK)
        s = json_put_text(payload, "run_time", time, err);
    if (s == OK)
        s = json_put_text(payload, "lake", engine->lake_path, err);
    if (s == OK)
        s = put_format(payload, "staging", err, engine->lake_path, "/" STAGING_FOLDER "/", from->run_id);
    if (s == OK)
        s = json_put_int(payload, "memory", (int64_t)engine->options.task_memory, err);
    if (s == OK)
        s = json_put_int(payload, "threads", (int64_t)from->threads, err);
    if (s == OK)
        s = json_put(payload, "pipeline", json_incref(pipeline), err);
    if (s == OK)
        s = json_put(payload, "local_roots", json_incref(roots), err);
    if (s == OK)
        s = json_put(payload, "job", json_deep_copy(from->job), err);
    json_decref(pipeline);
    json_decref(roots);
    return s;
}

/* The dataset's snapshot, schema and files, into an object; of one that was never published: nulls and no files. */
static status put_snapshot(struct db *db, json_t *into, const json_t *dataset, json_t **files, struct error *err)
{
    const json_t *snapshot = json_object_get(dataset, "current_snapshot");
    bool published = json_is_integer(snapshot);
    status s = OK;
    json_t *rows = NULL;
    if (published)
        s = dataset_files(db, json_text(dataset, "id", ""), json_integer_value(snapshot), &rows, err);
    else if (!(rows = json_array()))
        s = error_no_memory(err, 1);
    if (s == OK)
        s = json_put(into, "snapshot", published ? json_integer(json_integer_value(snapshot)) : json_null(), err);
    if (s == OK)
        s = json_put(into, "schema", published ? json_deep_copy(json_object_get(dataset, "schema")) : json_null(), err);
    if (s == OK)
        *files = rows;
    else
        json_decref(rows);
    return s;
}

static status put_target(struct db *db, json_t *payload, const struct payload_for *from, struct error *err)
{
    const char *layer = from->kind == JOB_INGEST ? "bronze" : json_text(from->job, "layer", "silver");
    const char *name = json_text(from->job, "dataset", "");
    json_t *dataset = NULL, *files = NULL, *target = json_object();
    status s = target ? dataset_find(db, layer, name, &dataset, err) : error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(target, "dataset", name, err);
    if (s == OK)
        s = json_put_text(target, "layer", layer, err);
    if (s == OK)
        s = put_format(target, "folder", err, layer, "/", name);
    if (s == OK)
        s = put_snapshot(db, target, dataset, &files, err);
    if (s == OK) {
        s = json_put(target, "files", files, err);
    }
    if (s == OK)
        s = json_put(payload, "target", json_incref(target), err);
    json_decref(dataset);
    json_decref(target);
    return s;
}

static status put_input_files(const struct engine *engine, json_t *input, const json_t *files, struct error *err)
{
    json_t *list = json_array();
    status s = list ? OK : error_no_memory(err, 1);
    for (size_t i = 0; s == OK && i < json_array_size(files); i++) {
        const json_t *from = json_array_get(files, i);
        json_t *file = json_object();
        s = file ? put_format(file, "path", err, engine->lake_path, "/", json_text(from, "path", ""))
                 : error_no_memory(err, 1);
        if (s == OK)
            s = json_put_int(file, "rows", json_int(from, "rows", 0), err);
        if (s == OK)
            s = json_add(list, json_incref(file), err);
        json_decref(file);
    }
    if (s == OK)
        s = json_put(input, "files", json_incref(list), err);
    json_decref(list);
    return s;
}

static status find_input(struct db *db, const struct payload_for *from, const char *full, json_t **dataset,
                         struct error *err)
{
    char layer[16];
    const char *name;
    if (!dataset_name_split(full, layer, &name))
        return error_set(err, ERR_INVALID, "the input '%s' is no name of a dataset, such as bronze.orders", full);
    json_t *found = NULL;
    status s = dataset_find(db, layer, name, &found, err);
    if (s == OK && from->run && !json_is_integer(json_object_get(found, "current_snapshot"))) {
        s = error_set(err, ERR_NOT_FOUND, "job '%s' reads '%s', which does not exist (any more)",
                      json_text(from->job, "name", ""), full);
        error_hint(err, "run the job that makes it first");
    }
    if (s == OK && from->run)
        s = run_input_pin(db, from->run_id, json_text(found, "id", ""), json_int(found, "current_snapshot", 0), err);
    if (s == OK)
        *dataset = found;
    else
        json_decref(found);
    return s;
}

static status put_input(const struct engine *engine, struct db *db, const struct payload_for *from, const json_t *input,
                        json_t *inputs, struct error *err)
{
    const char *full = json_text(input, "dataset", "");
    char layer[16] = "";
    const char *name;
    json_t *dataset = NULL, *files = NULL, *made = json_object();
    status s = made ? find_input(db, from, full, &dataset, err) : error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(made, "alias", json_text(input, "alias", ""), err);
    if (s == OK)
        s = json_put_text(made, "dataset", full, err);
    if (s == OK && dataset_name_split(full, layer, &name))
        s = json_put_text(made, "layer", layer, err);
    if (s == OK)
        s = json_put_text(made, "format", json_text(dataset, "format", "parquet"), err);
    if (s == OK)
        s = put_snapshot(db, made, dataset, &files, err);
    if (s == OK)
        s = put_input_files(engine, made, files, err);
    if (s == OK)
        s = json_add(inputs, json_incref(made), err);
    json_decref(files);
    json_decref(dataset);
    json_decref(made);
    return s;
}

static status put_inputs(const struct engine *engine, struct db *db, json_t *payload, const struct payload_for *from,
                         struct error *err)
{
    const json_t *wanted = from->kind == JOB_DATASET ? json_object_get(from->job, "inputs") : NULL;
    json_t *inputs = json_array();
    status s = inputs ? OK : error_no_memory(err, 1);
    for (size_t i = 0; s == OK && i < json_array_size(wanted); i++)
        s = put_input(engine, db, from, json_array_get(wanted, i), inputs, err);
    if (s == OK)
        s = json_put(payload, "inputs", json_incref(inputs), err);
    json_decref(inputs);
    return s;
}

static status put_upload(const struct engine *engine, struct db *db, const char *id, json_t *uploads, struct error *err)
{
    json_t *record = NULL, *upload = NULL;
    status s = record_get(db, &uploads_table, id, &record, err);
    if (s == OK && strcmp(json_text(record, "state", ""), "complete") != 0) {
        s = error_set(err, ERR_INVALID, "the upload '%s' (%s) is not complete", id, json_text(record, "filename", ""));
        error_hint(err, "send the rest of it, or upload the file again");
    }
    if (s == OK && !(upload = json_object()))
        s = error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(upload, "id", id, err);
    if (s == OK)
        s = put_format(upload, "path", err, engine->home, "/uploads/", id);
    if (s == OK)
        s = json_put_text(upload, "filename", json_text(record, "filename", ""), err);
    if (s == OK)
        s = json_put_int(upload, "size", json_int(record, "size", 0), err);
    if (s == OK)
        s = json_put_text(upload, "sha256", json_text(record, "sha256", NULL), err);
    if (s == OK)
        s = json_add(uploads, json_incref(upload), err);
    json_decref(record);
    json_decref(upload);
    return s;
}

/* Of an ingest job: where it stands and which uploads it reads. A job that is not saved stands nowhere. */
static status put_ingest(const struct engine *engine, struct db *db, json_t *payload, const struct payload_for *from,
                         struct error *err)
{
    bool ingest = from->kind == JOB_INGEST;
    const char *job_id = ingest ? json_text(from->job, "id", NULL) : NULL;
    const char *upload = ingest ? json_text(json_object_get(from->job, "config"), "upload_id", NULL) : NULL;
    json_t *watermark = NULL, *ledger = NULL, *uploads = json_array();
    status s = uploads ? OK : error_no_memory(err, 1);
    bool books = false;
    if (s == OK && job_id)
        s = books_tell_of(db, job_id, json_text(from->job, "dataset", ""), &books, err);
    if (s == OK && books)
        s = watermark_get(db, job_id, &watermark, err);
    if (s == OK && books)
        s = ledger_list(db, job_id, &ledger, err);
    else if (s == OK && !(ledger = json_array()))
        s = error_no_memory(err, 1);
    if (s == OK && upload)
        s = put_upload(engine, db, upload, uploads, err);
    if (s == OK)
        s = json_put(payload, "watermark", watermark ? json_incref(watermark) : json_null(), err);
    if (s == OK)
        s = json_put(payload, "ledger", json_incref(ledger), err);
    if (s == OK)
        s = json_put(payload, "uploads", json_incref(uploads), err);
    json_decref(watermark);
    json_decref(ledger);
    json_decref(uploads);
    return s;
}

/* How the source is reached, secrets in clear: a payload goes to the child's standard input and nowhere else. */
static status put_connection(const struct engine *engine, struct db *db, json_t *payload,
                             const struct payload_for *from, struct error *err)
{
    const char *id = from->kind == JOB_INGEST ? json_text(from->job, "connection_id", NULL) : NULL;
    json_t *connection = NULL;
    struct buf path = {0};
    if (!id)
        return OK;
    status s = connection_key_path(engine->home, &path, err);
    if (s == OK)
        s = connection_open(db, (const char *)path.data, id, &connection, err);
    if (s == OK)
        s = json_put(payload, "connection", connection, err);
    buf_release(&path);
    return s;
}

/* A backfill's bounds are in the run's configuration. */
static status put_range(json_t *payload, const struct payload_for *from, struct error *err)
{
    const json_t *range = json_object_get(from->job, "range");
    return json_is_object(range) ? json_put(payload, "range", json_deep_copy(range), err) : OK;
}

status payload_make(const struct engine *engine, struct db *db, const struct payload_for *from, json_t **payload,
                    struct error *err)
{
    json_t *made = json_object();
    status s = made ? put_frame(engine, made, from, err) : error_no_memory(err, 1);
    if (s == OK)
        s = put_target(db, made, from, err);
    if (s == OK)
        s = put_ingest(engine, db, made, from, err);
    if (s == OK)
        s = put_inputs(engine, db, made, from, err);
    if (s == OK)
        s = put_connection(engine, db, made, from, err);
    if (s == OK)
        s = put_range(made, from, err);
    if (s == OK)
        *payload = made;
    else
        json_decref(made);
    return s;
}

status engine_payload(struct engine *engine, enum job_kind kind, const json_t *pipeline, const json_t *job,
                      json_t **payload, struct error *err)
{
    char id[ID_CAP];
    id_make(id);
    struct db *db = NULL;
    const struct payload_for from = {kind, pipeline, job, id, id, 1, engine_now(), 1, false};
    status s = store_reader(engine->options.store, &db, err);
    if (s == OK)
        s = db_begin(db, err); /* one view of snapshots and files */
    if (s == OK)
        s = payload_make(engine, db, &from, payload, err);
    if (db)
        db_rollback(db);
    store_give_back(engine->options.store, db);
    return s;
}
