/* What a commit changes is kept as it was, and can be put back. */
#include "store/commit_parts.h"

/* ?1 the run, ?2 the kind's name, ?3 the key, ?4 the second key. */
#define NEXT_SEQ                                                                                                       \
    "INSERT INTO commit_undo (run_id, seq, kind, before) SELECT ?1, "                                                  \
    "(SELECT coalesce(max(seq), 0) FROM commit_undo WHERE run_id = ?1) + row_number() OVER (), ?2, "
#define LEDGER_ENTRY                                                                                                   \
    "json_object('job_id', job_id, 'uri', uri, 'size', size, 'mtime_ns', mtime_ns, 'etag', etag, 'hash', hash, "       \
    "'rows', rows, 'run_id', run_id, 'taken_at', taken_at) FROM ingest_ledger WHERE job_id = ?3"
#define OF_RUN "FROM commit_undo u WHERE u.run_id = ?1 AND u.kind = ?2"
#define RESTORE_LEDGER                                                                                                 \
    "INSERT OR REPLACE INTO ingest_ledger (job_id, uri, size, mtime_ns, etag, hash, rows, run_id, taken_at) "          \
    "SELECT before->>'job_id', before->>'uri', before->>'size', before->>'mtime_ns', before->>'etag', "                \
    "before->>'hash', before->>'rows', before->>'run_id', before->>'taken_at' " OF_RUN

static const struct {
    const char *name;
    const char *keep;
    const char *restore;
} undo_kinds[] = {
    [UNDO_CATALOG_NEW] = {"catalog_new", NEXT_SEQ "json_object('id', ?3)",
                          "DELETE FROM metadata_catalog WHERE id IN (SELECT before->>'id' " OF_RUN ")"},
    [UNDO_CATALOG] = {"catalog",
                      NEXT_SEQ "json_object('id', id, 'next_snapshot', next_snapshot) "
                               "FROM metadata_catalog WHERE id = ?3",
                      "UPDATE metadata_catalog SET next_snapshot = (SELECT before->>'next_snapshot' " OF_RUN ") "
                      "WHERE id IN (SELECT before->>'id' " OF_RUN ")"},
    [UNDO_JOB] = {"job",
                  NEXT_SEQ "json_object('id', id, 'value', last_watermark_value) "
                           "FROM layer_centric_ingest_jobs WHERE id = ?3",
                  "UPDATE layer_centric_ingest_jobs SET last_watermark_value = (SELECT before->>'value' " OF_RUN ") "
                  "WHERE id IN (SELECT before->>'id' " OF_RUN ")"},
    [UNDO_WATERMARK] =
        {"watermark",
         NEXT_SEQ "json_object('job_id', job_id, 'column_name', column_name, 'type', type, 'value', "
                  "value, 'ties', ties, 'run_id', run_id, 'updated_at', updated_at) "
                  "FROM watermarks WHERE job_id = ?3",
         "INSERT OR REPLACE INTO watermarks (job_id, column_name, type, value, ties, run_id, updated_at) "
         "SELECT before->>'job_id', before->>'column_name', before->>'type', before->>'value', "
         "before->>'ties', before->>'run_id', before->>'updated_at' " OF_RUN},
    [UNDO_LEDGER_ENTRY] = {"ledger_entry", NEXT_SEQ LEDGER_ENTRY " AND uri = ?4", RESTORE_LEDGER},
    [UNDO_LEDGER] = {"ledger", NEXT_SEQ LEDGER_ENTRY, RESTORE_LEDGER},
};

status undo_keep(struct db *db, const char *run_id, enum undo_kind kind, const char *key, const char *second,
                 struct error *err)
{
    const struct db_value binds[] = {db_text(run_id), db_text(undo_kinds[kind].name), db_text(key), db_text(second)};
    return db_run(db, undo_kinds[kind].keep, binds, kind == UNDO_LEDGER_ENTRY ? 4 : 3, NULL, err);
}

/* ?1 the run, ?2 its dataset, ?3 its snapshot. In this order: files refer to the dataset. */
static const struct {
    const char *sql;
    size_t binds;
} forget[] = {
    {"DELETE FROM manifest_files WHERE run_id = ?1", 1},
    {"UPDATE manifest_files SET removed_snapshot = NULL, removed_run_id = NULL, removed_at = NULL "
     "WHERE removed_run_id = ?1 AND dataset_id = ?2 AND removed_snapshot = ?3",
     3},
    {"DELETE FROM catalog_schemas WHERE run_id = ?1 AND dataset_id = ?2 AND snapshot = ?3", 3},
};
static status forget_taken(struct db *db, const char *run_id, struct error *err)
{
    static const char *const statements[] = {
        "DELETE FROM ingest_ledger WHERE run_id = ?1 "
        "AND job_id = (SELECT job_id FROM layer_centric_ingest_runs WHERE id = ?1)",
        "DELETE FROM watermarks WHERE run_id = ?1 "
        "AND job_id = (SELECT job_id FROM layer_centric_ingest_runs WHERE id = ?1)",
    };
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(statements); i++)
        s = db_run(db, statements[i], DB_BINDS(db_text(run_id)), NULL, err);
    return s;
}

static status mark_undone(struct db *db, enum job_kind kind, const char *run_id, struct error *err)
{
    static const char *const statements[] = {
#define UNDONE(table)                                                                                                  \
    "UPDATE " table " SET commit_state = 'undone', dataset_id = NULL, snapshot = NULL, rows_read = 0, "                \
    "rows_written = 0, rows_rejected = 0, rows_deduped = 0, rows_filtered = 0, rows_replaced = 0, bytes_in = 0, "      \
    "bytes_out = 0, output_keys = '[]', watermark_after = NULL WHERE id = ?1"
        [JOB_INGEST] = UNDONE("layer_centric_ingest_runs"),
        [JOB_DATASET] = UNDONE("dataset_runs"),
#undef UNDONE
    };
    return db_run(db, statements[kind], DB_BINDS(db_text(run_id)), NULL, err);
}

/* As books_tell_of, of a run. */
static status find_books(struct db *db, const char *run_id, const char *dataset_id, bool *they_do, struct error *err)
{
    int64_t count = 0;
    status s =
        db_integer(db,
                   "SELECT count(*) FROM layer_centric_ingest_runs r JOIN layer_centric_ingest_jobs j "
                   "ON j.id = r.job_id JOIN metadata_catalog c ON c.name = j.dataset WHERE r.id = ?1 AND c.id = ?2",
                   DB_BINDS(db_text(run_id), db_text(dataset_id)), 0, &count, err);
    if (s == OK)
        *they_do = count > 0;
    return s;
}

status commit_undo(struct db *db, enum job_kind kind, const char *run_id, struct error *err)
{
    struct commit_place place;
    status s = commit_place_of(db, kind, run_id, &place, err);
    if (s != OK)
        return s;
    const struct db_value binds[] = {db_text(run_id), db_text(place.dataset_id), db_int(place.snapshot)};
    bool books = false;
    if (kind == JOB_INGEST)
        s = find_books(db, run_id, place.dataset_id, &books, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(forget); i++)
        s = db_run(db, forget[i].sql, binds, forget[i].binds, NULL, err);
    if (s == OK && kind == JOB_INGEST)
        s = forget_taken(db, run_id, err);
    for (size_t i = 0; s == OK && i < (books ? ARRAY_LENGTH(undo_kinds) : UNDO_JOB); i++)
        s = db_run(db, undo_kinds[i].restore, DB_BINDS(db_text(run_id), db_text(undo_kinds[i].name)), NULL, err);
    if (s == OK)
        s = db_run(db, "DELETE FROM commit_undo WHERE run_id = ?1", DB_BINDS(db_text(run_id)), NULL, err);
    return s == OK ? mark_undone(db, kind, run_id, err) : s;
}
