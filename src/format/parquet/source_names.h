/* Names as they stood in the source, for the file's key-value metadata. */
#ifndef FF_FORMAT_PARQUET_SOURCE_NAMES_H
#define FF_FORMAT_PARQUET_SOURCE_NAMES_H

#include "base/buf.h"
#include "batch/schema.h"

/* Append a JSON object (RFC 8259), name -> source name, in the order of the columns. Bytes that are not UTF-8 become
 * U+FFFD. */
status source_names_json(const struct schema *schema, struct buf *to, struct error *err) MUST_USE;

#endif
