/* A whole commit of one run, step after step, by what the engine and the recovery use. */
#ifndef TESTS_UNIT_COMMIT_WHOLE_H
#define TESTS_UNIT_COMMIT_WHOLE_H

#include "lake/publish.h"
#include "orchestrate/commit.h"
#include "unit/orchestrate/lake_home.h"

static inline status in_books(struct db *db, const char *id, const json_t *run, int64_t base, const json_t *result,
                              json_t **files, struct error *err)
{
    json_t *job = job_of(db, JOB_INGEST);
    status s = db_begin(db, err);
    if (s == OK)
        s = commit_record(db, JOB_INGEST, run, job, base, result, NOW, err);
    if (s == OK)
        s = commit_files(db, id, files, err);
    if (s == OK)
        s = db_commit(db, err);
    db_rollback(db);
    json_decref(job);
    return s;
}

/* The error is that of the publishing; an undo that fails leaves the commit as it is. */
static inline status commit_whole(struct home *h, struct storage *lake, const char *id, int64_t base,
                                  const char *result_text, struct error *err)
{
    struct error own;
    json_t *run = run_of(h->db, JOB_INGEST, id), *result = json_of(result_text), *files = NULL;
    status s = in_books(h->db, id, run, base, result, &files, err);
    bool recorded = s == OK, ended = false;
    if (recorded) {
        s = commit_publish_files(lake, id, files, err);
        bool published = s == OK;
        if (published || commit_unpublish_files(lake, id, files, &own) == OK) {
            assert_ok(db_begin(h->db, &own), own);
            status books = published ? commit_publish_record(h->db, JOB_INGEST, id, NOW, &own)
                                     : commit_undo(h->db, JOB_INGEST, id, &own);
            assert_ok(books, own);
            assert_ok(db_commit(h->db, &own), own);
            ended = true;
        }
    }
    if (ended)
        (void)!publish_discard(lake, id, &own); /* the sweep of the next start takes what is left */
    json_decref(files);
    json_decref(run);
    json_decref(result);
    return s;
}

#endif
