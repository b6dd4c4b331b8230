/* Inside of job/document: YAML text and JSON values. */
#ifndef FF_JOB_DOCUMENT_YAML_H
#define FF_JOB_DOCUMENT_YAML_H

#include "base/json.h"

enum yaml_kind { YAML_IS_TEXT, YAML_IS_NULL, YAML_IS_TRUE, YAML_IS_FALSE, YAML_IS_INTEGER, YAML_IS_REAL };

/* What a plain scalar stands for in the core schema of YAML 1.2 (section 10.3.2). */
enum yaml_kind yaml_plain_kind(struct str text);

status yaml_read(const char *text, size_t n, const char *name, json_t **value, struct error *err) MUST_USE;
/* Block style; texts of several lines as literal blocks. */
status yaml_write(const json_t *value, struct buf *text, struct error *err) MUST_USE;

#endif
