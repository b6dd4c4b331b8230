/* An ingest job's payload (docs/pipelines.md 4) as options of a conversion. */
#ifndef FF_JOB_INGEST_OPTIONS_H
#define FF_JOB_INGEST_OPTIONS_H

#include "base/json.h"
#include "job/convert.h"

struct ingest_options {
    struct convert_options convert; /* all but inputs, output, watermark.applies and what runs it */
    bool incremental, upload, merge;
    bool database;                     /* rows come from a query, not from files */
    double safety_lag;                 /* seconds, of a database's times */
    const char *range_from, *range_to; /* backfill of from <= watermark_column < to; NULL: none */
    const char *run_id, *lake, *staging, *dataset, *layer, *folder;
    const char *pipeline_slug, *job_slug, *path;
    const char *landing_partition; /* date pattern of the landing copies' folders */
    const char *quarantine_path;   /* relative to the lake */
    const json_t *target_files, *target_schema;
    bool flat;
    double settle_seconds;
    char *pattern; /* of file names: unique for run and attempt */
    char name_suffix[24];
    /* Memory behind `convert` */
    struct user_column *columns;
    struct rename_pair *renames;
    struct str *keys, *null_values, *partition_columns;
    struct key_hash *ties;
    struct data_type watermark_type;
};

/* Everything borrows from the payload, which must outlive the options. ERR_INVALID names the member that is wrong. */
status ingest_options_read(struct ingest_options *o, const json_t *payload, struct error *err) MUST_USE;
void ingest_options_release(struct ingest_options *o);

/* [{"name", "type", "nullable"}] as declared columns; to be freed. */
status ingest_columns_read(const json_t *list, struct user_column **columns, size_t *count, struct error *err) MUST_USE;

#endif
