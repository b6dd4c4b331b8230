/* Batches to NDJSON: see format/csv/csv_encoder.h for how values are written. */
#ifndef FF_FORMAT_JSON_ENCODER_H
#define FF_FORMAT_JSON_ENCODER_H

#include "base/buf.h"
#include "batch/batch.h"

status ndjson_encode(const struct batch *batch, struct buf *to, struct error *err) MUST_USE;
/* Append a JSON string literal with its quotes; `text` is valid UTF-8. */
status json_append_string(struct buf *to, struct str text, struct error *err) MUST_USE;

#endif
