/* The parts of commit_record: each does one thing for a struct commit, within the caller's transaction. */
#ifndef FF_STORE_COMMIT_PARTS_H
#define FF_STORE_COMMIT_PARTS_H

#include "store/store_lake.h"

struct commit {
    struct db *db;
    enum job_kind kind;
    const json_t *job, *result;
    const char *run_id, *job_id, *pipeline_id;
    const char *layer, *dataset;
    int64_t base_snapshot, now;

    char dataset_id[64];
    int64_t snapshot; /* the one that this commit makes */
    struct {
        int64_t read, written, rejected, deduped, filtered, replaced;
    } rows;
    int64_t rows_rewritten; /* of files that carry on what is left of older ones */
    bool books;             /* ledger and watermark tell of this dataset */
    char *watermark_before; /* text; NULL: there was none */
};

/* The shape of the result, its places and its sums; fills in rows and rows_rewritten. */
status commit_check(struct commit *c, struct error *err) MUST_USE;
/* "the task's result cannot be committed: ..." */
status commit_refuse(struct error *err, status code, const char *format, ...) PRINTF_LIKE(3, 4) MUST_USE;

/* commit_ledger.c: ledger, watermark; neither without `books`. */
status commit_ledger(struct commit *c, struct error *err) MUST_USE;
status commit_watermark(struct commit *c, struct error *err) MUST_USE;

/* commit_undo.c: keep a row as it is now. What the key means depends on the kind. */
enum undo_kind {
    UNDO_CATALOG_NEW,  /* there was none */
    UNDO_CATALOG,      /* key: dataset id */
    UNDO_JOB,          /* key: job id; its last_watermark_value. From here on: the job's books */
    UNDO_WATERMARK,    /* key: job id */
    UNDO_LEDGER_ENTRY, /* key: job id, second key: uri */
    UNDO_LEDGER        /* key: job id; all entries */
};
status undo_keep(struct db *db, const char *run_id, enum undo_kind kind, const char *key, const char *second,
                 struct error *err) MUST_USE;

/* commit_state.c: where a run's commit stands. ERR_CONFLICT unless it is committed and not published. */
struct commit_place {
    char dataset_id[64];
    int64_t snapshot;
};
status commit_place_of(struct db *db, enum job_kind kind, const char *run_id, struct commit_place *place,
                       struct error *err) MUST_USE;

#endif
