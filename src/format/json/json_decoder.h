/* JSON records to batches: newline-delimited values (NDJSON) or the elements of one top-level array (RFC 8259).
 *
 * A record must be an object; its members are matched to targets by their (unescaped) key. Values:
 *   null, or key missing    null
 *   true/false              boolean (class BOOLEAN)
 *   number                  by the grammar of JSON; classes INT53/INT64/DOUBLE as cast.h's INFER grammar; an integer
 *                           beyond 64 bits or a double that is not finite has class STRING (its text)
 *   string                  unescaped; class by infer_json_string
 *   object, array           class JSON: the text exactly as it stood
 * A string target takes any scalar (numbers and booleans by their text); a json target takes any value, a string
 * with its quotes. Targets with a declared type cast the scalar's text by the CAST grammar.
 * Repeated key in one record: INVALID_JSON (which one was meant cannot be known). Lone surrogates, invalid UTF-8,
 * control bytes in strings, depth over 256, anything after the value on its line: INVALID_JSON, message with the
 * byte's position in the record. Blank lines are skipped. */
#ifndef FF_FORMAT_JSON_DECODER_H
#define FF_FORMAT_JSON_DECODER_H

#include "format/text_chunk.h"

struct json_options {
    bool array;                    /* one top-level array instead of NDJSON */
    bool all_text;                 /* every value becomes its text: no inference */
    const struct str *null_values; /* string values that mean null; borrowed */
    size_t null_value_count;
    size_t max_record_bytes; /* a longer record is ROW_TOO_LONG */
};

status json_cutter_create(struct text_cutter *cutter, const struct json_options *options, struct error *err) MUST_USE;
status json_decoder_create(struct text_decoder *decoder, const struct json_options *options,
                           struct error *err) MUST_USE;

/* Collect the keys of the records in the head of the input (whole records only, broken ones skipped), in order of
 * first appearance, with the class of their values: the first guess for the targets. The keys (unescaped) are
 * allocated in *names (uint32 length + bytes each), classes[i] (malloc'd) belongs to the i-th. */
status json_discover(const uint8_t *head, size_t n, bool at_end, const struct json_options *options, struct buf *names,
                     enum infer_class **classes, size_t *count, struct error *err) MUST_USE;

#endif
