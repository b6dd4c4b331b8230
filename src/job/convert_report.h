/* The result of a conversion as JSON: the --report file, later the run's row in the API. */
#ifndef FF_JOB_CONVERT_REPORT_H
#define FF_JOB_CONVERT_REPORT_H

#include "job/convert.h"

/* {"status": "completed"|"completed_with_rejects"|"failed", "error": {code, message, hint}, "run_id", "seconds",
 *  "passes", "bytes_in", "bytes_out",
 *  "rows": {"read", "written", "rejected", "deduped", "filtered"}, "rejects_by_code": {CODE: n},
 *  "rejects": [first 100: {input, record, line, byte_offset, byte_length, column, code, message, raw}],
 *  "schema": [{name, source_name, type, nullable}], "inputs": [{path, format, compression, encoding, dialect, ...}],
 *  "files": [{path, rows, bytes}], "quarantine", "warnings": [], "stages": [{name, seconds, bytes}]}
 * `failure` is NULL after success. */
status convert_report_write(const struct convert_options *options, const struct convert_result *result,
                            const struct error *failure, struct buf *json, struct error *err) MUST_USE;

#endif
