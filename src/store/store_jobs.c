#include "store/store_jobs.h"

#include <stdio.h>

#include "base/civil.h"
#include "base/slug.h"
#include "store/store_connections.h"
#include "sys/id.h"

#define SLUG_TRIES 100000

static const struct record_column pipeline_columns[] = {
    {"id", COLUMN_TEXT},          {"name", COLUMN_TEXT},         {"slug", COLUMN_TEXT},
    {"description", COLUMN_TEXT}, {"environment", COLUMN_TEXT},  {"owner", COLUMN_TEXT},
    {"tags", COLUMN_JSON},        {"orchestrator", COLUMN_TEXT}, {"max_parallel_jobs", COLUMN_INTEGER},
    {"created_at", COLUMN_TIME},  {"updated_at", COLUMN_TIME},
};

static const struct record_column ingest_columns[] = {
    {"id", COLUMN_TEXT},
    {"pipeline_id", COLUMN_TEXT},
    {"name", COLUMN_TEXT},
    {"slug", COLUMN_TEXT},
    {"description", COLUMN_TEXT},
    {"enabled", COLUMN_BOOLEAN},
    {"source_type", COLUMN_TEXT},
    {"format", COLUMN_TEXT},
    {"force_to_parquet", COLUMN_BOOLEAN},
    {"dataset", COLUMN_TEXT},
    {"partition_mode", COLUMN_TEXT},
    {"partition_pattern", COLUMN_TEXT},
    {"filename_pattern", COLUMN_TEXT},
    {"compression", COLUMN_TEXT},
    {"landing_retention_days", COLUMN_INTEGER},
    {"schema_mode", COLUMN_TEXT},
    {"user_schema", COLUMN_JSON},
    {"error_handling", COLUMN_TEXT},
    {"quarantine_path", COLUMN_TEXT},
    {"max_rejects", COLUMN_INTEGER},
    {"max_reject_ratio", COLUMN_REAL},
    {"dedupe_keys", COLUMN_JSON},
    {"incremental_mode", COLUMN_TEXT},
    {"watermark_column", COLUMN_TEXT},
    {"last_watermark_value", COLUMN_TEXT},
    {"rename_map", COLUMN_JSON},
    {"is_reference", COLUMN_BOOLEAN},
    {"null_values", COLUMN_JSON},
    {"retries", COLUMN_INTEGER},
    {"retry_delay_seconds", COLUMN_INTEGER},
    {"timeout_seconds", COLUMN_INTEGER},
    {"config", COLUMN_JSON},
    {"connection_id", COLUMN_TEXT},
    {"created_at", COLUMN_TIME},
    {"updated_at", COLUMN_TIME},
};

static const struct record_column dataset_columns[] = {
    {"id", COLUMN_TEXT},
    {"pipeline_id", COLUMN_TEXT},
    {"name", COLUMN_TEXT},
    {"slug", COLUMN_TEXT},
    {"description", COLUMN_TEXT},
    {"enabled", COLUMN_BOOLEAN},
    {"layer", COLUMN_TEXT},
    {"dataset", COLUMN_TEXT},
    {"inputs", COLUMN_JSON},
    {"sql", COLUMN_TEXT},
    {"refresh_mode", COLUMN_TEXT},
    {"merge_keys", COLUMN_JSON},
    {"partition_mode", COLUMN_TEXT},
    {"partition_pattern", COLUMN_TEXT},
    {"filename_pattern", COLUMN_TEXT},
    {"compression", COLUMN_TEXT},
    {"output_schema", COLUMN_JSON},
    {"retries", COLUMN_INTEGER},
    {"retry_delay_seconds", COLUMN_INTEGER},
    {"timeout_seconds", COLUMN_INTEGER},
    {"created_at", COLUMN_TIME},
    {"updated_at", COLUMN_TIME},
};

const struct record_table pipelines_table = {"pipelines", "pipeline", pipeline_columns, ARRAY_LENGTH(pipeline_columns)};
const struct record_table ingest_jobs_table = {"layer_centric_ingest_jobs", "ingest job", ingest_columns,
                                               ARRAY_LENGTH(ingest_columns)};
const struct record_table dataset_jobs_table = {"dataset_jobs", "dataset job", dataset_columns,
                                                ARRAY_LENGTH(dataset_columns)};

/* The questions about one kind of job. Parameters of the slug: pipeline, slug; of the name: pipeline, name, own id; of
 * the dataset: dataset, layer, own id. */
static const struct job_queries {
    const struct record_table *table;
    const char *layer; /* NULL: the record's */
    const char *slug_taken, *name_taken, *dataset_taken;
} queries[] = {
    [JOB_INGEST] = {&ingest_jobs_table, "bronze",
                    "SELECT 1 FROM layer_centric_ingest_jobs WHERE pipeline_id = ?1 AND slug = ?2",
                    "SELECT id FROM layer_centric_ingest_jobs WHERE pipeline_id = ?1 AND name = ?2 AND id <> ?3",
                    "SELECT j.name, p.name FROM layer_centric_ingest_jobs j JOIN pipelines p ON p.id = j.pipeline_id"
                    " WHERE j.dataset = ?1 COLLATE NOCASE AND ?2 = 'bronze' AND j.id <> ?3"},
    [JOB_DATASET] = {&dataset_jobs_table, NULL, "SELECT 1 FROM dataset_jobs WHERE pipeline_id = ?1 AND slug = ?2",
                     "SELECT id FROM dataset_jobs WHERE pipeline_id = ?1 AND name = ?2 AND id <> ?3",
                     "SELECT j.name, p.name FROM dataset_jobs j JOIN pipelines p ON p.id = j.pipeline_id"
                     " WHERE j.dataset = ?1 COLLATE NOCASE AND j.layer = ?2 AND j.id <> ?3"},
};

const struct record_table *job_table(enum job_kind kind)
{
    return queries[kind].table;
}

void slug_make(const char *name, char *into, size_t cap)
{
    slug_of(name, into, cap);
}

/* The name's slug, or with -2, -3, ... the first that is free. `scope`: the pipeline of a job, NULL for pipelines. */
static status slug_find(struct db *db, const char *sql, const char *scope, const char *name, char slug[SLUG_CAP],
                        struct error *err)
{
    char base[SLUG_CAP - 12]; /* room for the number */
    slug_make(name, base, sizeof base);
    snprintf(slug, SLUG_CAP, "%s", base);
    for (int turn = 2; turn < SLUG_TRIES; turn++) {
        int64_t taken;
        status s = scope ? db_integer(db, sql, DB_BINDS(db_text(scope), db_text(slug)), 0, &taken, err)
                         : db_integer(db, sql, DB_BINDS(db_text(slug)), 0, &taken, err);
        if (s != OK || !taken)
            return s;
        snprintf(slug, SLUG_CAP, "%s-%d", base, turn);
    }
    return error_set(err, ERR_CONFLICT, "too many names are like '%.100s'", name);
}

static status put_now(json_t *record, const char *const *keys, struct error *err)
{
    char now[TIME_TEXT_CAP];
    status s = OK;
    time_text(civil_micros_now(), now);
    for (; *keys && s == OK; keys++)
        s = json_put_text(record, *keys, now, err);
    return s;
}

static const char *const made_keys[] = {"created_at", "updated_at", NULL};
static const char *const updated_keys[] = {"updated_at", NULL};

static status put_new(json_t *record, const char *slug, struct error *err)
{
    char id[ID_CAP];
    id_make(id);
    status s = json_put_text(record, "id", id, err);
    if (s == OK)
        s = json_put_text(record, "slug", slug, err);
    return s == OK ? put_now(record, made_keys, err) : s;
}

/* record_update without what stays as it is. */
static status update(struct db *db, const struct record_table *table, const char *id, json_t *record, struct error *err)
{
    static const char *const kept[] = {"id", "pipeline_id", "slug", "created_at", "last_watermark_value"};
    status s = put_now(record, updated_keys, err);
    json_t *changes = s == OK ? json_copy(record) : NULL;
    if (s == OK && !changes)
        s = error_no_memory(err, sizeof(json_t *));
    for (size_t i = 0; i < ARRAY_LENGTH(kept) && s == OK; i++)
        json_object_del(changes, kept[i]);
    if (s == OK)
        s = record_update(db, table, id, changes, err);
    json_decref(changes);
    return s;
}

struct holder {
    bool found;
    char first[128], second[128];
};

static status take_holder(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct holder *h = self;
    (void)err;
    h->found = true;
    snprintf(h->first, sizeof h->first, "%s", db_text_of(&row[0], ""));
    snprintf(h->second, sizeof h->second, "%s", columns > 1 ? db_text_of(&row[1], "") : "");
    return OK;
}

/* After ERR_CONFLICT, which is kept when it was about something else. */
static status explain_pipeline(struct db *db, const char *own_id, const json_t *record, struct error *err)
{
    struct holder h = {0};
    const char *name = json_text(record, "name", "");
    status s = db_each(db, "SELECT id FROM pipelines WHERE name = ?1 AND id <> ?2",
                       DB_BINDS(db_text(name), db_text(own_id)), take_holder, &h, NULL);
    if (s != OK || !h.found)
        return ERR_CONFLICT;
    s = error_set(err, ERR_CONFLICT, "the name '%.200s' is taken by the pipeline %s", name, h.first);
    error_hint(err, "choose another name (upper and lower case count as the same), or change that pipeline");
    return s;
}

status pipeline_create(struct db *db, json_t *record, struct error *err)
{
    char slug[SLUG_CAP];
    status s = slug_find(db, "SELECT 1 FROM pipelines WHERE slug = ?1", NULL, json_text(record, "name", ""), slug, err);
    if (s == OK)
        s = put_new(record, slug, err);
    if (s == OK)
        s = record_insert(db, &pipelines_table, record, err);
    return s == ERR_CONFLICT ? explain_pipeline(db, "", record, err) : s;
}

status pipeline_update(struct db *db, const char *id, json_t *record, struct error *err)
{
    status s = update(db, &pipelines_table, id, record, err);
    return s == ERR_CONFLICT ? explain_pipeline(db, id, record, err) : s;
}

status pipeline_find(struct db *db, const char *id_or_name, json_t **record, struct error *err)
{
    status s = record_get(db, &pipelines_table, id_or_name, record, err);
    if (s != ERR_NOT_FOUND)
        return s;
    struct holder h = {0};
    s = db_each(db, "SELECT id FROM pipelines WHERE name = ?1", DB_BINDS(db_text(id_or_name)), take_holder, &h, err);
    return s == OK ? record_get(db, &pipelines_table, h.found ? h.first : id_or_name, record, err) : s;
}

/* Member of the record, or of the stored row when the record does not change it. */
static const char *text_of_either(const json_t *record, const json_t *stored, const char *key)
{
    return json_text(record, key, json_text(stored, key, ""));
}

/* After ERR_CONFLICT: who has the name or the dataset, else is the pipeline gone? Else the error is kept. `stored` is
 * the job before an update, NULL for a new one. */
static status explain_job(struct db *db, enum job_kind kind, const char *pipeline_id, const json_t *record,
                          const json_t *stored, struct error *err)
{
    const struct job_queries *q = &queries[kind];
    struct holder name_holder = {0}, dataset_holder = {0};
    const char *own_id = json_text(stored, "id", "");
    const char *name = text_of_either(record, stored, "name");
    const char *dataset = text_of_either(record, stored, "dataset");
    const char *layer = q->layer ? q->layer : text_of_either(record, stored, "layer");
    int64_t exists = 1;
    if (db_each(db, q->name_taken, DB_BINDS(db_text(pipeline_id), db_text(name), db_text(own_id)), take_holder,
                &name_holder, NULL) != OK ||
        db_each(db, q->dataset_taken, DB_BINDS(db_text(dataset), db_text(layer), db_text(own_id)), take_holder,
                &dataset_holder, NULL) != OK ||
        db_integer(db, "SELECT count(*) FROM pipelines WHERE id = ?1", DB_BINDS(db_text(pipeline_id)), 1, &exists,
                   NULL) != OK)
        return ERR_CONFLICT;
    if (!exists)
        return error_set(err, ERR_NOT_FOUND, "there is no pipeline '%.100s'", pipeline_id);
    if (name_holder.found) {
        error_set(err, ERR_CONFLICT, "the name '%.200s' is taken by the %s %s of the same pipeline", name,
                  q->table->what, name_holder.first);
        error_hint(err, "choose another name (upper and lower case count as the same), or change that job");
    } else if (dataset_holder.found) {
        error_set(err, ERR_CONFLICT, "the dataset '%s.%.200s' is made by the %s '%s' of the pipeline '%s' already",
                  layer, dataset, q->table->what, dataset_holder.first, dataset_holder.second);
        error_hint(err, "a dataset has one producer: choose another dataset, or change or delete that job");
    }
    return ERR_CONFLICT;
}

status job_create(struct db *db, enum job_kind kind, const char *pipeline_id, json_t *record, struct error *err)
{
    char slug[SLUG_CAP];
    status s = slug_find(db, queries[kind].slug_taken, pipeline_id, json_text(record, "name", ""), slug, err);
    if (s == OK)
        s = connection_required(db, record, err);
    if (s == OK)
        s = put_new(record, slug, err);
    if (s == OK)
        s = json_put_text(record, "pipeline_id", pipeline_id, err);
    if (s == OK)
        s = record_insert(db, queries[kind].table, record, err);
    return s == ERR_CONFLICT ? explain_job(db, kind, pipeline_id, record, NULL, err) : s;
}

status job_update(struct db *db, enum job_kind kind, const char *id, json_t *record, struct error *err)
{
    json_t *stored = NULL;
    status s = connection_required(db, record, err);
    if (s == OK)
        s = update(db, queries[kind].table, id, record, err);
    if (s == ERR_CONFLICT && record_get(db, queries[kind].table, id, &stored, NULL) == OK)
        s = explain_job(db, kind, json_text(stored, "pipeline_id", ""), record, stored, err);
    json_decref(stored);
    return s;
}

status job_get(struct db *db, enum job_kind kind, const char *pipeline_id, const char *id, json_t **record,
               struct error *err)
{
    json_t *found = NULL;
    status s = record_get(db, queries[kind].table, id, &found, err);
    if (s == OK && pipeline_id && strcmp(json_text(found, "pipeline_id", ""), pipeline_id) != 0)
        s = error_set(err, ERR_NOT_FOUND, "the pipeline '%.100s' has no %s '%.100s'", pipeline_id,
                      queries[kind].table->what, id);
    if (s == OK)
        *record = found;
    else
        json_decref(found);
    return s;
}

status job_list(struct db *db, enum job_kind kind, const char *pipeline_id, json_t **rows, struct error *err)
{
    const struct db_value binds[] = {db_text(pipeline_id)};
    bool more;
    struct record_page page = {
        .where = "pipeline_id = ?1", .binds = binds, .bind_count = 1, .ascending = true, .limit = RECORDS_ALL};
    return record_list(db, queries[kind].table, &page, rows, &more, err);
}
