/* Where a run's commit stands: committed, and then published. */
#include <stdio.h>

#include "store/commit_parts.h"

struct found {
    struct commit_place *place;
    bool committed, any;
};

static status find_place(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct found *found = self;
    (void)columns;
    (void)err;
    found->any = true;
    found->committed = row[0].length == strlen("committed") && memcmp(row[0].bytes, "committed", row[0].length) == 0;
    int n = snprintf(found->place->dataset_id, sizeof found->place->dataset_id, "%.*s", (int)row[1].length,
                     row[1].bytes ? (const char *)row[1].bytes : "");
    found->committed &= n > 0 && (size_t)n < sizeof found->place->dataset_id;
    found->place->snapshot = row[2].integer;
    return OK;
}

status commit_place_of(struct db *db, enum job_kind kind, const char *run_id, struct commit_place *place,
                       struct error *err)
{
    static const char *const statements[] = {
        [JOB_INGEST] = "SELECT commit_state, dataset_id, snapshot FROM layer_centric_ingest_runs WHERE id = ?1",
        [JOB_DATASET] = "SELECT commit_state, dataset_id, snapshot FROM dataset_runs WHERE id = ?1",
    };
    struct found found = {.place = place};
    status s = db_each(db, statements[kind], DB_BINDS(db_text(run_id)), find_place, &found, err);
    if (s == OK && !found.any)
        s = error_set(err, ERR_NOT_FOUND, "there is no run '%.100s'", run_id);
    else if (s == OK && !found.committed)
        s = error_set(err, ERR_CONFLICT, "the run '%.100s' has no commit that waits to be published", run_id);
    return s;
}

status commit_files(struct db *db, const char *run_id, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {{"path", COLUMN_TEXT}, {"staged", COLUMN_TEXT}};
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT path, staged FROM manifest_files WHERE run_id = ?1 ORDER BY id",
                        DB_BINDS(db_text(run_id)), rows, err);
}

status commits_unpublished(struct db *db, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {
        {"id", COLUMN_TEXT}, {"kind", COLUMN_TEXT}, {"rows_rejected", COLUMN_INTEGER}};
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT id, 'ingest', rows_rejected FROM layer_centric_ingest_runs "
                        "WHERE commit_state = 'committed' UNION ALL SELECT id, 'dataset', rows_rejected "
                        "FROM dataset_runs WHERE commit_state = 'committed' ORDER BY 1",
                        DB_NO_BINDS, rows, err);
}

/* ?1 dataset, ?2 snapshot, ?3 run, ?4 now. */
#define DESCRIBE(run_table)                                                                                            \
    "UPDATE metadata_catalog SET current_snapshot = ?2, last_run_id = ?3, updated_at = ?4, "                           \
    "schema = s.schema, format = s.format, parent_tables = s.parent_tables, pipeline_id = r.pipeline_id, "             \
    "job_id = r.job_id, is_reference = coalesce(r.config->>'is_reference', 0), "                                       \
    "environment = coalesce((SELECT environment FROM pipelines p WHERE p.id = r.pipeline_id), environment) "           \
    "FROM catalog_schemas s, " run_table " r "                                                                         \
    "WHERE metadata_catalog.id = ?1 AND s.dataset_id = ?1 AND s.snapshot = ?2 AND r.id = ?3"

static const char *const describe[] = {
    [JOB_INGEST] = DESCRIBE("layer_centric_ingest_runs"),
    [JOB_DATASET] = DESCRIBE("dataset_runs"),
};

static const char *const mark_published[] = {
    [JOB_INGEST] = "UPDATE layer_centric_ingest_runs SET commit_state = 'published' WHERE id = ?1",
    [JOB_DATASET] = "UPDATE dataset_runs SET commit_state = 'published' WHERE id = ?1",
};

/* Counted anew instead of carried on: a mistake could not be seen otherwise. */
static status count_totals(struct db *db, const struct commit_place *place, struct error *err)
{
    return db_run(db,
                  "UPDATE metadata_catalog SET (row_count, byte_count, file_count) = "
                  "(SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0), count(*) FROM manifest_files "
                  "WHERE dataset_id = ?1 AND removed_snapshot IS NULL) WHERE id = ?1",
                  DB_BINDS(db_text(place->dataset_id)), NULL, err);
}

/* The history tells changes, not every snapshot. */
static status drop_unchanged(struct db *db, const struct commit_place *place, struct error *err)
{
    return db_run(db,
                  "DELETE FROM catalog_schemas WHERE dataset_id = ?1 AND snapshot = ?2 AND (schema, format, "
                  "parent_tables) = (SELECT schema, format, parent_tables FROM catalog_schemas "
                  "WHERE dataset_id = ?1 AND snapshot < ?2 ORDER BY snapshot DESC LIMIT 1)",
                  DB_BINDS(db_text(place->dataset_id), db_int(place->snapshot)), NULL, err);
}

status commit_publish_record(struct db *db, enum job_kind kind, const char *run_id, int64_t now, struct error *err)
{
    struct commit_place place;
    int64_t described = 0;
    status s = commit_place_of(db, kind, run_id, &place, err);
    if (s == OK)
        s = db_run(db, describe[kind],
                   DB_BINDS(db_text(place.dataset_id), db_int(place.snapshot), db_text(run_id), db_int(now)),
                   &described, err);
    if (s == OK && described != 1)
        s = error_set(err, ERR_INTERNAL, "the dataset of the run '%.100s' is not in the catalog", run_id);
    if (s == OK)
        s = count_totals(db, &place, err);
    if (s == OK)
        s = drop_unchanged(db, &place, err);
    if (s == OK)
        s = db_run(db, "DELETE FROM commit_undo WHERE run_id = ?1", DB_BINDS(db_text(run_id)), NULL, err);
    return s == OK ? db_run(db, mark_published[kind], DB_BINDS(db_text(run_id)), NULL, err) : s;
}
