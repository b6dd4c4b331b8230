/* refresh_mode merge: the query's files against those of the dataset. */
#ifndef FF_JOB_DATASET_MERGE_H
#define FF_JOB_DATASET_MERGE_H

#include "job/merge.h"
#include "job/task.h"

struct dataset_merge {
    struct merge_file *files; /* older ones, then newer ones */
    struct merge_outcome *outcomes;
    int64_t *ids; /* of older files */
    char **texts; /* path and relative of each file */
    const char **partitions;
    size_t older_count, newer_count;
    uint64_t replaced, deduped; /* rows that older and newer files lost */
};

/* Merge `written` (files below <staging>/data) into the payload's target by the job's merge_keys. What is written
 * again lies in <staging>/merged. */
status dataset_merge(struct dataset_merge *merge, const struct task *task, const struct convert_result *written,
                     enum convert_compression compression, struct error *err) MUST_USE;
void dataset_merge_release(struct dataset_merge *merge);

#endif
