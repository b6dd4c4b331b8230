#include "orchestrate/commit.h"

#include <stdlib.h>

#include "lake/publish.h"

typedef status files_action(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                            struct error *err);

static status with_files(struct storage *lake, struct db *db, const char *run_id, files_action *act, struct error *err)
{
    json_t *rows = NULL, *row;
    size_t i;
    status s = commit_files(db, run_id, &rows, err);
    if (s != OK)
        return s;
    size_t count = json_array_size(rows);
    struct publish_file *files = calloc(count ? count : 1, sizeof *files);
    if (!files)
        s = error_no_memory(err, count * sizeof *files);
    json_array_foreach(rows, i, row)
    {
        if (s == OK)
            files[i] = (struct publish_file){json_text(row, "staged", ""), json_text(row, "path", "")};
    }
    if (s == OK)
        s = act(lake, run_id, files, count, err);
    free(files);
    json_decref(rows);
    return s;
}

status commit_publish_files(struct storage *lake, struct db *db, const char *run_id, struct error *err)
{
    return with_files(lake, db, run_id, publish_files, err);
}

/* Files first: were the books first, a kill in between would leave files that nobody knows. */
status commit_undo_all(struct storage *lake, struct db *db, enum job_kind kind, const char *run_id, struct error *err)
{
    status s = with_files(lake, db, run_id, unpublish_files, err);
    return s == OK ? commit_undo(db, kind, run_id, err) : s;
}

static status record(struct db *db, enum job_kind kind, const json_t *run, const json_t *job, int64_t base_snapshot,
                     const json_t *result, int64_t now, struct error *err)
{
    status s = db_begin(db, err);
    if (s == OK)
        s = commit_record(db, kind, run, job, base_snapshot, result, now, err);
    if (s == OK)
        s = db_commit(db, err);
    db_rollback(db);
    return s;
}

static status record_published(struct db *db, enum job_kind kind, const char *run_id, int64_t now, struct error *err)
{
    status s = db_begin(db, err);
    if (s == OK)
        s = commit_publish_record(db, kind, run_id, now, err);
    if (s == OK)
        s = db_commit(db, err);
    db_rollback(db);
    return s;
}

static status take_back(struct storage *lake, struct db *db, enum job_kind kind, const char *run_id, struct error *err)
{
    struct error own;
    status s = db_begin(db, &own);
    if (s == OK)
        s = commit_undo_all(lake, db, kind, run_id, &own);
    if (s == OK)
        s = db_commit(db, &own);
    db_rollback(db);
    if (s != OK)
        (void)error_prefix(err, "the commit could not be undone (%.300s) and is left for the next start", own.message);
    return s;
}

status commit_run(struct db *db, struct storage *lake, enum job_kind kind, const json_t *run, const json_t *job,
                  int64_t base_snapshot, const json_t *result, int64_t now, struct error *err)
{
    const char *run_id = json_text(run, "id", "");
    struct error own, ignored;
    if (!err)
        err = &own;
    status s = record(db, kind, run, job, base_snapshot, result, now, err);
    if (s != OK)
        return s;
    s = commit_publish_files(lake, db, run_id, err);
    if (s != OK && take_back(lake, db, kind, run_id, err) != OK)
        return s; /* its staging is needed */
    if (s == OK) {
        s = record_published(db, kind, run_id, now, err);
        if (s != OK) /* the files are where they belong: the next start records it */
            return s;
    }
    (void)!publish_discard(lake, run_id, &ignored); /* the sweep of the next start takes what is left */
    return s;
}
