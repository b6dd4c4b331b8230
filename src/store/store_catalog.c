/* The catalog of datasets, and which files a snapshot of one has. */
#include <stdio.h>

#include "store/store_lake.h"

static const struct record_column catalog_columns[] = {
    {"id", COLUMN_TEXT},
    {"layer", COLUMN_TEXT},
    {"name", COLUMN_TEXT},
    {"path", COLUMN_TEXT},
    {"format", COLUMN_TEXT},
    {"schema", COLUMN_JSON},
    {"parent_tables", COLUMN_JSON},
    {"environment", COLUMN_TEXT},
    {"pipeline_id", COLUMN_TEXT},
    {"job_id", COLUMN_TEXT},
    {"is_reference", COLUMN_BOOLEAN},
    {"current_snapshot", COLUMN_INTEGER},
    {"next_snapshot", COLUMN_INTEGER},
    {"row_count", COLUMN_INTEGER},
    {"byte_count", COLUMN_INTEGER},
    {"file_count", COLUMN_INTEGER},
    {"last_run_id", COLUMN_TEXT},
    {"created_at", COLUMN_TIME},
    {"updated_at", COLUMN_TIME},
};
const struct record_table catalog_table = {
    .table = "metadata_catalog",
    .what = "dataset",
    .columns = catalog_columns,
    .count = ARRAY_LENGTH(catalog_columns),
};

status dataset_find(struct db *db, const char *layer, const char *name, json_t **record, struct error *err)
{
    json_t *rows;
    bool more;
    const struct db_value binds[] = {db_text(layer), db_text(name)};
    const struct record_page page = {
        .where = "layer = ?1 AND name = ?2", .binds = binds, .bind_count = ARRAY_LENGTH(binds), .limit = 1};
    status s = record_list(db, &catalog_table, &page, &rows, &more, err);
    if (s != OK)
        return s;
    *record = json_incref(json_array_get(rows, 0)); /* NULL stays NULL */
    json_decref(rows);
    return OK;
}

bool dataset_name_split(const char *full, char layer[16], const char **name)
{
    static const char *const layers[] = {"bronze", "silver", "gold"};
    for (size_t i = 0; i < ARRAY_LENGTH(layers); i++) {
        size_t n = strlen(layers[i]);
        if (strncmp(full, layers[i], n) == 0 && full[n] == '.' && full[n + 1]) {
            snprintf(layer, 16, "%s", layers[i]);
            *name = full + n + 1;
            return true;
        }
    }
    return false;
}

status dataset_files(struct db *db, const char *dataset_id, int64_t snapshot, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {
        {"id", COLUMN_INTEGER},     {"path", COLUMN_TEXT},       {"rows", COLUMN_INTEGER}, {"bytes", COLUMN_INTEGER},
        {"partition", COLUMN_TEXT}, {"source_uri", COLUMN_TEXT}, {"format", COLUMN_TEXT},  {"source_etag", COLUMN_TEXT},
    };
    return record_query(
        db, columns, ARRAY_LENGTH(columns),
        "SELECT id, path, rows, bytes, partition, source_uri, format, CASE WHEN source_uri LIKE 'upload://%' "
        "THEN (SELECT u.sha256 FROM uploads u WHERE u.id = substr(source_uri, 10, 26)) END FROM manifest_files "
        "WHERE dataset_id = ?1 AND added_snapshot <= ?2 "
        "AND (removed_snapshot IS NULL OR removed_snapshot > ?2) ORDER BY id",
        DB_BINDS(db_text(dataset_id), db_int(snapshot)), rows, err);
}

status dataset_schemas(struct db *db, const char *dataset_id, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {
        {"snapshot", COLUMN_INTEGER}, {"run_id", COLUMN_TEXT},        {"schema", COLUMN_JSON},
        {"format", COLUMN_TEXT},      {"parent_tables", COLUMN_JSON}, {"created_at", COLUMN_TIME},
    };
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT s.snapshot, s.run_id, s.schema, s.format, s.parent_tables, s.created_at "
                        "FROM catalog_schemas s JOIN metadata_catalog c ON c.id = s.dataset_id "
                        "WHERE s.dataset_id = ?1 AND s.snapshot <= c.current_snapshot ORDER BY s.snapshot",
                        DB_BINDS(db_text(dataset_id)), rows, err);
}
