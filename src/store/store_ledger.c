/* What an ingest job has taken already: its file ledger and its watermark. */
#include "base/civil.h"
#include "store/store_lake.h"

status ledger_list(struct db *db, const char *job_id, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {
        {"uri", COLUMN_TEXT},  {"size", COLUMN_INTEGER}, {"mtime_ns", COLUMN_INTEGER},
        {"etag", COLUMN_TEXT}, {"hash", COLUMN_TEXT},
    };
    return record_query(db, columns, ARRAY_LENGTH(columns),
                        "SELECT uri, size, mtime_ns, etag, hash FROM ingest_ledger WHERE job_id = ?1 ORDER BY uri",
                        DB_BINDS(db_text(job_id)), rows, err);
}

status watermark_get(struct db *db, const char *job_id, json_t **record, struct error *err)
{
    static const struct record_column columns[] = {
        {"column", COLUMN_TEXT}, {"type", COLUMN_TEXT}, {"value", COLUMN_TEXT}, {"ties", COLUMN_JSON}};
    json_t *rows;
    status s = record_query(db, columns, ARRAY_LENGTH(columns),
                            "SELECT column_name, type, value, ties FROM watermarks WHERE job_id = ?1",
                            DB_BINDS(db_text(job_id)), &rows, err);
    if (s != OK)
        return s;
    *record = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return OK;
}

status books_tell_of(struct db *db, const char *job_id, const char *dataset, bool *they_do, struct error *err)
{
    int64_t count = 0;
    status s = db_integer(db, "SELECT count(*) FROM layer_centric_ingest_jobs WHERE id = ?1 AND dataset = ?2",
                          DB_BINDS(db_text(job_id), db_text(dataset)), 0, &count, err);
    if (s == OK)
        *they_do = count > 0;
    return s;
}

status watermark_reset(struct db *db, const char *job_id, struct error *err)
{
    static const char *const statements[] = {
        "DELETE FROM watermarks WHERE job_id = ?1",
        "DELETE FROM ingest_ledger WHERE job_id = ?1",
        "UPDATE layer_centric_ingest_jobs SET last_watermark_value = NULL WHERE id = ?1",
    };
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(statements); i++)
        s = db_run(db, statements[i], DB_BINDS(db_text(job_id)), NULL, err);
    return s;
}

status ledger_forget(struct db *db, const char *job_id, struct error *err)
{
    return db_run(db, "DELETE FROM ingest_ledger WHERE job_id = ?1", DB_BINDS(db_text(job_id)), NULL, err);
}

/* No run made it: run_id is empty. */
status watermark_set(struct db *db, const char *job_id, const char *column, const char *type, const char *value,
                     struct error *err)
{
    status s =
        db_run(db,
               "INSERT OR REPLACE INTO watermarks (job_id, column_name, type, value, ties, run_id, updated_at) "
               "VALUES (?1, ?2, ?3, ?4, '[]', '', ?5)",
               DB_BINDS(db_text(job_id), db_text(column), db_text(type), db_text(value), db_int(civil_micros_now())),
               NULL, err);
    return s == OK ? db_run(db, "UPDATE layer_centric_ingest_jobs SET last_watermark_value = ?2 WHERE id = ?1",
                            DB_BINDS(db_text(job_id), db_text(value)), NULL, err)
                   : s;
}
