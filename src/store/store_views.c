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

static status add_name(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    (void)columns;
    return json_add(self, json_stringn(row[0].bytes, row[0].length), err);
}

status dataset_children(struct db *db, const char *full_name, json_t **names, struct error *err)
{
    json_t *array = json_array();
    status s = array ? OK : error_no_memory(err, 64);
    if (s == OK)
        s = db_each(db,
                    "SELECT layer || '.' || name FROM metadata_catalog"
                    " WHERE EXISTS (SELECT 1 FROM json_each(parent_tables) WHERE value = ?1) ORDER BY 1",
                    DB_BINDS(db_text(full_name)), add_name, array, err);
    if (s == OK)
        *names = array;
    else
        json_decref(array);
    return s;
}

status ledger_count(struct db *db, const char *job_id, int64_t *count, struct error *err)
{
    return db_integer(db, "SELECT count(*) FROM ingest_ledger WHERE job_id = ?1", DB_BINDS(db_text(job_id)), 0, count,
                      err);
}
