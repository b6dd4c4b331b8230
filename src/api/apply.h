/* A pipeline document (job/document.h) becomes the pipeline and its jobs. */
#ifndef FF_API_APPLY_H
#define FF_API_APPLY_H

#include "api/handler.h"

struct apply_options {
    bool dry_run; /* say what would change, change nothing */
    bool prune;   /* delete jobs that the document does not have (what they made stays) */
};

/* `document`: complete, as field_table_apply on document_fields gives it. The pipeline and the jobs are found by name;
 * all is written in one transaction, with its audit, or nothing. *answer: {"pipeline_id", "dry_run", "changes":
 * [{"object": "pipeline" | "ingest_job" | "dataset_job", "name", "action": "created" | "updated" | "unchanged" |
 * "deleted" | "kept"}]}; "kept" is a job that the document does not have. What is wrong with the world around the jobs
 * (paths, uploads, SQL) goes to *errors and leaves *answer NULL. Blocks. */
status apply_document(struct api_context *context, const struct api_request *request, const json_t *document,
                      const struct apply_options *options, json_t **answer, struct field_errors *errors,
                      struct error *err) MUST_USE;

#endif
