/* Deduplication of input that can be read only once. */
#ifndef FF_JOB_CONVERT_STAGED_H
#define FF_JOB_CONVERT_STAGED_H

#include "job/convert.h"

/* convert_run() for open_stream with dedupe_keys: the rows, shaped, go into a file in temp_dir, and from there
 * deduplicated into the output. The file is gone afterwards. */
status convert_staged(const struct convert_options *options, struct convert_result *result, struct error *err) MUST_USE;

#endif
