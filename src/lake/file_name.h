/* File names from a pattern (DESIGN 3.8). Tokens: {timestamp} (yyyyMMdd'T'HHmmssSSS'Z' of the run's start),
 * {filename} (source file's name without its extensions), {run_id}, {job}, {date} (yyyy-MM-dd), {seq} (00000, ...). */
#ifndef FF_LAKE_FILE_NAME_H
#define FF_LAKE_FILE_NAME_H

#include "base/buf.h"

struct file_name_parts {
    int64_t run_micros; /* the run's start, UTC */
    struct str source;  /* path or name of the source, e.g. "in/sales.csv.gz"; may be empty */
    struct str run_id;
    struct str job;
    uint32_t sequence;    /* of the file within the run and partition */
    struct str extension; /* ".parquet", ".csv.gz": always appended */
};

/* ERR_INVALID for an unknown token, a brace without its partner, '/' or an empty pattern; names the tokens. */
status file_name_check(struct str pattern, struct error *err) MUST_USE;
/* Append the name. {filename} is the source's last path component without a known compression's extension and without
 * the one before it ("in/sales.2024.csv.gz": "sales.2024"), "stdin" for "-", and without a source the job or else
 * "data". Sanitised: control bytes, '/', '\', ':', '*', '?', '"', '<', '>', '|', a leading '.' and bytes that are not
 * UTF-8 become '_'. At most 200 bytes before the extension: {filename} is cut first, on a UTF-8 boundary. Unless {seq}
 * is in the pattern and was not cut away, "-<sequence>" is added when sequence > 0, so that names are unique within a
 * run. */
status file_name_make(struct str pattern, const struct file_name_parts *parts, struct buf *name,
                      struct error *err) MUST_USE;

#endif
