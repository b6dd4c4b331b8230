/* What an ingest run has taken goes into the job's ledger and watermark. */
#include <stdlib.h>

#include "store/commit_parts.h"

static status put_entry(struct commit *c, const json_t *entry, struct error *err)
{
    const char *uri = json_text(entry, "uri", NULL);
    const json_t *mtime = json_object_get(entry, "mtime_ns");
    if (!uri || !json_is_integer(json_object_get(entry, "size")))
        return commit_refuse(err, ERR_INTERNAL, "an entry of its ledger has no uri or size");
    struct db_value mtime_value =
        json_is_integer(mtime) ? db_int(json_integer_value(mtime)) : (struct db_value){.kind = DB_NULL};
    return db_run(c->db,
                  "INSERT INTO ingest_ledger (job_id, uri, size, mtime_ns, etag, hash, rows, run_id, taken_at) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (job_id, uri) DO UPDATE SET "
                  "size = excluded.size, mtime_ns = excluded.mtime_ns, etag = excluded.etag, hash = excluded.hash, "
                  "rows = excluded.rows, run_id = excluded.run_id, taken_at = excluded.taken_at",
                  DB_BINDS(db_text(c->job_id), db_text(uri), db_int(json_int(entry, "size", 0)), mtime_value,
                           db_text(json_text(entry, "etag", NULL)), db_text(json_text(entry, "hash", NULL)),
                           db_int(json_int(entry, "rows", 0)), db_text(c->run_id), db_int(c->now)),
                  NULL, err);
}

status commit_ledger(struct commit *c, struct error *err)
{
    const json_t *ledger = json_object_get(c->result, "ledger"), *entry;
    bool all = json_flag(c->result, "replace_all", false);
    size_t i;
    status s = books_tell_of(c->db, c->job_id, c->dataset, &c->books, err);
    if (s != OK || !c->books)
        return s;
    if (all) { /* the dataset holds these files only: forget the others */
        s = undo_keep(c->db, c->run_id, UNDO_LEDGER, c->job_id, NULL, err);
        if (s == OK)
            s = db_run(c->db, "DELETE FROM ingest_ledger WHERE job_id = ?1", DB_BINDS(db_text(c->job_id)), NULL, err);
    }
    json_array_foreach(ledger, i, entry)
    {
        if (s == OK && !all)
            s = undo_keep(c->db, c->run_id, UNDO_LEDGER_ENTRY, c->job_id, json_text(entry, "uri", ""), err);
        if (s == OK)
            s = put_entry(c, entry, err);
        if (s != OK)
            break;
    }
    return s;
}

static status keep_text(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    char **text = self;
    (void)columns;
    free(*text);
    *text = strndup(row[0].bytes ? row[0].bytes : "", row[0].length);
    return *text ? OK : error_no_memory(err, row[0].length + 1);
}

static status put_watermark(struct commit *c, const json_t *watermark, struct error *err)
{
    const char *column = json_text(watermark, "column", NULL), *type = json_text(watermark, "type", NULL);
    const char *value = json_text(watermark, "value", NULL);
    const json_t *ties = json_object_get(watermark, "ties");
    struct buf text = {0};
    if (!column || !type || !value || (ties && !json_is_null(ties) && !json_is_array(ties)))
        return commit_refuse(err, ERR_INTERNAL, "its watermark has no column, type, value or list of ties");
    status s = json_is_array(ties) ? json_write(ties, &text, err) : buf_append_str(&text, STR("[]"), err);
    if (s == OK)
        s = db_run(c->db,
                   "INSERT INTO watermarks (job_id, column_name, type, value, ties, run_id, updated_at) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (job_id) DO UPDATE SET "
                   "column_name = excluded.column_name, type = excluded.type, value = excluded.value, "
                   "ties = excluded.ties, run_id = excluded.run_id, updated_at = excluded.updated_at",
                   DB_BINDS(db_text(c->job_id), db_text(column), db_text(type), db_text(value),
                            (struct db_value){.kind = DB_TEXT, .bytes = text.data, .length = text.len},
                            db_text(c->run_id), db_int(c->now)),
                   NULL, err);
    buf_release(&text);
    return s;
}

/* A backfill never moves it. Without a watermark the old one stays, except when all of the dataset was replaced: then
 * it says nothing about what the dataset holds, and the next incremental run would take rows for old that it has never
 * seen. */
status commit_watermark(struct commit *c, struct error *err)
{
    const json_t *watermark = json_object_get(c->result, "watermark");
    bool set = json_is_object(watermark), all = json_flag(c->result, "replace_all", false);
    if (!c->books)
        return OK;
    status s = db_each(c->db, "SELECT value FROM watermarks WHERE job_id = ?1", DB_BINDS(db_text(c->job_id)), keep_text,
                       &c->watermark_before, err);
    bool backfill = json_is_object(json_object_get(c->job, "range"));
    if (s != OK || (!set && !all) || backfill)
        return s;
    s = undo_keep(c->db, c->run_id, UNDO_JOB, c->job_id, NULL, err);
    if (s == OK)
        s = undo_keep(c->db, c->run_id, UNDO_WATERMARK, c->job_id, NULL, err);
    if (s == OK && set)
        s = put_watermark(c, watermark, err);
    else if (s == OK)
        s = db_run(c->db, "DELETE FROM watermarks WHERE job_id = ?1", DB_BINDS(db_text(c->job_id)), NULL, err);
    return s == OK ? db_run(c->db, "UPDATE layer_centric_ingest_jobs SET last_watermark_value = ?2 WHERE id = ?1",
                            DB_BINDS(db_text(c->job_id), db_text(set ? json_text(watermark, "value", NULL) : NULL)),
                            NULL, err)
                   : s;
}
