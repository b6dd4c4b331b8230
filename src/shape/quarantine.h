/* Rejected rows as a Parquet file (DESIGN 3.5), within a fixed amount of memory.
 *
 * Columns: run_id, job_id, source_uri (string), row_number, line, byte_offset, byte_length (bigint), column (string;
 * null when the reject is about the whole record), error_code, error_message, raw, raw_encoding (string).
 * raw_encoding is "utf-8", or "base64" (RFC 4648 section 4, with padding) where the record's bytes are not valid
 * UTF-8; then raw is their base64 form. Other text that is not valid UTF-8 (a message that quotes the value, a file's
 * name) has U+FFFD for each bad byte. raw holds at most REJECT_RAW_MAX bytes of the record, byte_length says how long
 * it was. */
#ifndef FF_SHAPE_QUARANTINE_H
#define FF_SHAPE_QUARANTINE_H

#include "base/byte_stream.h"
#include "batch/schema.h"
#include "format/parquet/parquet_writer.h"
#include "format/reject.h"

struct quarantine_options {
    struct str run_id; /* copied, as is job_id */
    struct str job_id;
    const struct parquet_options *parquet;
};

struct quarantine;
/* The sink is borrowed; it is neither finished nor closed here. */
status quarantine_create(struct quarantine **quarantine, const struct quarantine_options *options,
                         struct byte_sink *sink, struct error *err) MUST_USE;
/* Rejects with final (rebased) positions, in the order they are to be written; `columns` names
 * reject.column. One thread at a time. */
status quarantine_add(struct quarantine *quarantine, const struct reject_list *rejects, struct str source_uri,
                      const struct schema *columns, struct error *err) MUST_USE;
/* Write what is buffered and the footer. *rows: all that were added. A file of no rows is valid, too. */
status quarantine_finish(struct quarantine *quarantine, uint64_t *rows, struct error *err) MUST_USE;
void quarantine_free(struct quarantine *quarantine);

#endif
