#include "store/store_views.h"

status pipeline_counts(struct db *db, const char *pipeline_id, json_t **counts, struct error *err)
{
    static const struct record_column columns[] = {
        {"ingest_jobs", COLUMN_INTEGER}, {"dataset_jobs", COLUMN_INTEGER}, {"runs_open", COLUMN_INTEGER}};
    json_t *rows = NULL;
    status s = record_query(
        db, columns, ARRAY_LENGTH(columns),
        "SELECT (SELECT count(*) FROM layer_centric_ingest_jobs WHERE pipeline_id = ?1),"
        " (SELECT count(*) FROM dataset_jobs WHERE pipeline_id = ?1),"
        " (SELECT count(*) FROM pipeline_runs WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')"
        " AND pipeline_id = ?1)",
        DB_BINDS(db_text(pipeline_id)), &rows, err);
    if (s == OK)
        *counts = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return s;
}

static status add_text(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    (void)columns;
    return json_add(self, json_stringn(row[0].bytes, row[0].length), err);
}

static status texts(struct db *db, const char *sql, const struct db_value *binds, size_t bind_count, json_t **list,
                    struct error *err)
{
    json_t *array = json_array();
    status s = array ? db_each(db, sql, binds, bind_count, add_text, array, err) : error_no_memory(err, 64);
    if (s == OK)
        *list = array;
    else
        json_decref(array);
    return s;
}

status pipeline_add_states(struct db *db, json_t *pipeline, size_t limit, struct error *err)
{
    static const struct record_column columns[] = {{"id", COLUMN_TEXT},
                                                   {"kind", COLUMN_TEXT},
                                                   {"state_type", COLUMN_TEXT},
                                                   {"state_name", COLUMN_TEXT},
                                                   {"rows_written", COLUMN_INTEGER},
                                                   {"created_at", COLUMN_TIME},
                                                   {"started_at", COLUMN_TIME},
                                                   {"ended_at", COLUMN_TIME}};
    const char *id = json_text(pipeline, "id", "");
    json_t *states = NULL, *rows = NULL;
    status s = texts(db, "SELECT state_type FROM pipeline_runs WHERE pipeline_id = ?1 ORDER BY id DESC LIMIT ?2",
                     DB_BINDS(db_text(id), db_int((int64_t)limit)), &states, err);
    if (s == OK)
        s = json_put(pipeline, "recent_states", states, err);
    if (s == OK)
        s = record_query(db, columns, ARRAY_LENGTH(columns),
                         "SELECT id, kind, state_type, state_name, rows_written, created_at, started_at, ended_at"
                         " FROM pipeline_runs WHERE pipeline_id = ?1 ORDER BY id DESC LIMIT 1",
                         DB_BINDS(db_text(id)), &rows, err);
    if (s == OK)
        s = json_put(pipeline, "last_run", json_array_size(rows) ? json_incref(json_array_get(rows, 0)) : json_null(),
                     err);
    json_decref(rows);
    return s;
}

status pipeline_name(struct db *db, const char *pipeline_id, json_t **name, struct error *err)
{
    json_t *rows = NULL;
    status s = texts(db, "SELECT name FROM pipelines WHERE id = ?1", DB_BINDS(db_text(pipeline_id)), &rows, err);
    if (s == OK)
        *name = json_array_size(rows) ? json_incref(json_array_get(rows, 0)) : json_null();
    json_decref(rows);
    return s;
}

static const struct record_column file_columns[] = {
    {"id", COLUMN_INTEGER},    {"path", COLUMN_TEXT},   {"partition", COLUMN_TEXT}, {"rows", COLUMN_INTEGER},
    {"bytes", COLUMN_INTEGER}, {"format", COLUMN_TEXT}, {"source_uri", COLUMN_TEXT}};

status run_files(struct db *db, const char *run_id, const char *layer, json_t **rows, struct error *err)
{
    return record_query(db, file_columns, ARRAY_LENGTH(file_columns),
                        "SELECT id, path, partition, rows, bytes, format, source_uri FROM manifest_files"
                        " WHERE run_id = ?1 AND layer = ?2 AND removed_at IS NULL ORDER BY id",
                        DB_BINDS(db_text(run_id), db_text(layer)), rows, err);
}

status dataset_files_page(struct db *db, const char *dataset_id, int64_t snapshot, int64_t after, size_t limit,
                          json_t **rows, bool *more, struct error *err)
{
    json_t *listed = NULL;
    status s = record_query(db, file_columns, ARRAY_LENGTH(file_columns),
                            "SELECT id, path, partition, rows, bytes, format, source_uri FROM manifest_files"
                            " WHERE dataset_id = ?1 AND added_snapshot <= ?2"
                            " AND (removed_snapshot IS NULL OR removed_snapshot > ?2) AND id > ?3 ORDER BY id LIMIT ?4",
                            DB_BINDS(db_text(dataset_id), db_int(snapshot), db_int(after), db_int((int64_t)limit + 1)),
                            &listed, err);
    if (s != OK)
        return s;
    *more = json_array_size(listed) > limit;
    if (*more)
        json_array_remove(listed, limit);
    *rows = listed;
    return OK;
}

status dataset_children(struct db *db, const char *full_name, json_t **names, struct error *err)
{
    return texts(db,
                 "SELECT layer || '.' || name FROM metadata_catalog"
                 " WHERE EXISTS (SELECT 1 FROM json_each(parent_tables) WHERE value = ?1) ORDER BY 1",
                 DB_BINDS(db_text(full_name)), names, err);
}

status ledger_count(struct db *db, const char *job_id, int64_t *count, struct error *err)
{
    return db_integer(db, "SELECT count(*) FROM ingest_ledger WHERE job_id = ?1", DB_BINDS(db_text(job_id)), 0, count,
                      err);
}
