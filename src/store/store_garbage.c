/* Files that nobody reads any more, and who still reads. */
#include "store/store_lake.h"

#define DAY_MICROS "86400000000"

status garbage_list(struct db *db, int64_t removed_until, int64_t after, size_t limit, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {{"id", COLUMN_INTEGER}, {"path", COLUMN_TEXT}};
    /* A reader pinned to snapshot S sees the files with added <= S < removed. */
    return record_query(
        db, columns, ARRAY_LENGTH(columns),
        "SELECT m.id, m.path FROM manifest_files m LEFT JOIN metadata_catalog c ON c.id = m.dataset_id "
        "WHERE m.removed_at IS NOT NULL AND +m.id > ?2 "
        "AND (m.layer IN ('landing', 'quarantine') OR (m.removed_at <= ?1 AND m.removed_snapshot <= c.current_snapshot "
        "AND NOT EXISTS (SELECT 1 FROM run_inputs i WHERE i.dataset_id = m.dataset_id "
        "AND i.snapshot < m.removed_snapshot))) ORDER BY +m.id LIMIT ?3",
        DB_BINDS(db_int(removed_until), db_int(after), db_int((int64_t)limit)), rows, err);
}

status garbage_forget(struct db *db, int64_t file_id, struct error *err)
{
    return db_run(db, "DELETE FROM manifest_files WHERE id = ?1 AND removed_at IS NOT NULL", DB_BINDS(db_int(file_id)),
                  NULL, err);
}

status landing_expire(struct db *db, int64_t now, int64_t *count, struct error *err)
{
    return db_run(db,
                  "UPDATE manifest_files SET removed_at = ?1 WHERE id IN ("
                  "SELECT m.id FROM layer_centric_ingest_jobs j JOIN manifest_files m ON m.job_id = j.id "
                  "WHERE j.landing_retention_days IS NOT NULL AND m.layer = 'landing' AND m.removed_at IS NULL "
                  "AND m.created_at <= ?1 - j.landing_retention_days * " DAY_MICROS
                  " AND NOT EXISTS (SELECT 1 FROM layer_centric_ingest_runs r WHERE r.job_id = j.id "
                  "AND r.state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')))",
                  DB_BINDS(db_int(now)), count, err);
}

status manifest_knows(struct db *db, const char *path, bool *known, struct error *err)
{
    int64_t count = 0;
    status s =
        db_integer(db, "SELECT count(*) FROM manifest_files WHERE path = ?1", DB_BINDS(db_text(path)), 0, &count, err);
    *known = count > 0;
    return s;
}

#define PRESENT                                                                                                        \
    "m.removed_at IS NULL "                                                                                            \
    "AND NOT EXISTS (SELECT 1 FROM layer_centric_ingest_runs r WHERE r.id = m.run_id AND r.commit_state = "            \
    "'committed') "                                                                                                    \
    "AND NOT EXISTS (SELECT 1 FROM dataset_runs r WHERE r.id = m.run_id AND r.commit_state = 'committed')"

status manifest_present(struct db *db, int64_t after, size_t limit, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {{"id", COLUMN_INTEGER}, {"path", COLUMN_TEXT}};
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT m.id, m.path FROM manifest_files m WHERE m.id > ?1 AND " PRESENT
                        " ORDER BY m.id LIMIT ?2",
                        DB_BINDS(db_int(after), db_int((int64_t)limit)), rows, err);
}

status manifest_is_present(struct db *db, int64_t file_id, bool *present, struct error *err)
{
    int64_t count = 0;
    status s = db_integer(db, "SELECT count(*) FROM manifest_files m WHERE m.id = ?1 AND " PRESENT,
                          DB_BINDS(db_int(file_id)), 0, &count, err);
    *present = count > 0;
    return s;
}

status run_input_pin(struct db *db, const char *run_id, const char *dataset_id, int64_t snapshot, struct error *err)
{
    /* Two aliases of one dataset, or a later attempt: the older snapshot protects both. */
    return db_run(db,
                  "INSERT INTO run_inputs (run_id, dataset_id, snapshot) VALUES (?1, ?2, ?3) "
                  "ON CONFLICT (run_id, dataset_id) DO UPDATE SET snapshot = min(snapshot, excluded.snapshot)",
                  DB_BINDS(db_text(run_id), db_text(dataset_id), db_int(snapshot)), NULL, err);
}

status run_inputs_unpin(struct db *db, const char *run_id, struct error *err)
{
    return db_run(db, "DELETE FROM run_inputs WHERE run_id = ?1", DB_BINDS(db_text(run_id)), NULL, err);
}
