/* A pipeline with its jobs as one document, JSON or YAML, that can live in version control. */
#ifndef FF_JOB_DOCUMENT_H
#define FF_JOB_DOCUMENT_H

#include "base/field.h"

/* {"version": 1, "pipeline": {...}, "ingest_jobs": [...], "dataset_jobs": [...]}. field_table_apply on it (without
 * `before`) gives complete records of all parts, or all errors by pointer: what the document leaves out gets its
 * default. Names are unique in each list, and so are the datasets that jobs make. */
extern const struct field_table document_fields;

/* JSON when the first character is '{', else YAML 1.2 (core schema: quoted scalars are texts; only true and false, in
 * their three spellings, are booleans). ERR_INVALID names `name`, line and column: syntax, repeated keys, anchors,
 * aliases, tags, more than one document, depth beyond JSON_DEPTH_MOST. *document is a new reference. */
status document_parse(const char *text, size_t n, const char *name, json_t **document, struct error *err) MUST_USE;

/* The shortest document that gives these records (as the store keeps them, but with "connection": the name, instead of
 * an ingest job's connection_id): without what the server fills in and
 * without defaults, members in the order of the tables. The lists may be NULL. */
status document_export(const json_t *pipeline, const json_t *ingest_jobs, const json_t *dataset_jobs, json_t **document,
                       struct error *err) MUST_USE;

/* Append as text that document_parse reads back as the same, which is checked. Ends in a line end. */
status document_write(const json_t *document, bool yaml, struct buf *text, struct error *err) MUST_USE;

#endif
