/* What a dataset job's run tells the server (docs/pipelines.md 4, `finished.result`). */
#ifndef FF_JOB_DATASET_RESULT_H
#define FF_JOB_DATASET_RESULT_H

#include "job/dataset_merge.h"

/* All borrowed. */
struct dataset_outcome {
    const json_t *target; /* of the payload */
    bool full;            /* the dataset is replaced */
    const struct convert_result *written;
    size_t prefix;                     /* length of "<staging>/data/" in the paths of the written files */
    const struct dataset_merge *merge; /* NULL: nothing was merged */
    const struct schema *united;       /* the dataset's columns from now on */
    uint64_t bytes_in;
};

status dataset_result(const struct dataset_outcome *outcome, json_t **result, struct error *err) MUST_USE;

#endif
