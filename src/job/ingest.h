/* One ingest run on its way: what its steps hand to each other. */
#ifndef FF_JOB_INGEST_H
#define FF_JOB_INGEST_H

#include "job/ingest_db.h"
#include "job/ingest_files.h"
#include "job/merge.h"
#include "job/task.h"

struct ingest {
    const struct task *task;
    struct ingest_options options;
    struct ingest_files files; /* of a database: one, which is its query */
    struct ingest_db db;
    struct convert_options convert; /* complete */
    const char **inputs, **names;   /* parallel to files: landed copies, and what to call them */
    bool *filtered;                 /* whose rows the watermark filters */
    char *data, *quarantine;        /* folders in the staging */
    struct convert_result result;
    /* The target's older files */
    size_t older_count;
    const json_t **older;            /* in the order of the manifest */
    bool *replaced;                  /* parallel: an earlier version of a file that changed */
    bool merged;                     /* the outcomes below are there */
    struct merge_outcome *rewritten; /* parallel to older; of those not replaced */
    char **rewritten_relative;       /* parallel: below `merged` */
    struct merge_outcome *lost;      /* parallel to result.files */
};

#define INGEST_DATA "data" /* folders in the staging */
#define INGEST_MERGED "merged"
#define INGEST_QUARANTINE "quarantine"

/* Drop by key, from the older files and the new ones, what newer rows replace (docs/pipelines.md 6). */
status ingest_merge(struct ingest *ingest, struct error *err) MUST_USE;
/* The result object of `finished`. */
status ingest_result(const struct ingest *ingest, json_t **result, struct error *err) MUST_USE;
/* Of a run that found nothing to do. */
status ingest_result_skipped(const struct ingest *ingest, json_t **result, struct error *err) MUST_USE;
/* Its parts about files: "files"; "removes" and "replace_all". */
status ingest_put_files(const struct ingest *ingest, json_t *result, struct error *err) MUST_USE;
status ingest_put_removes(const struct ingest *ingest, json_t *result, struct error *err) MUST_USE;
/* [first 100 bad rows] */
status ingest_rejects(const struct ingest *ingest, json_t **rejects, struct error *err) MUST_USE;
/* Path of a result file below the data folder. */
const char *ingest_relative(const struct ingest *ingest, size_t file);

#endif
