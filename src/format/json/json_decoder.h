/* JSON records to batches: newline-delimited values (NDJSON) or the elements of one top-level array (RFC 8259).
 *
 * A record must be an object; its members are matched to targets by their (unescaped) key. Values:
 *   null, or key missing    null
 *   true/false              boolean (class BOOLEAN)
 *   number                  by the grammar of JSON; classes INT53/INT64/DOUBLE as cast.h's INFER grammar; an integer
 *                           beyond 64 bits or a double that is not finite has class STRING (its text)
 *   string                  unescaped; class by infer_json_string
 *   object, array           class JSON: the text exactly as it stood
 * A string target takes any scalar (numbers and booleans by their text), and with all_text objects and arrays too; a
 * json target takes any value, a string with its quotes. Targets with a declared type cast the scalar's text by the
 * CAST grammar. Two targets must not read the same key (ERR_INVALID).
 *
 * Bad records. INVALID_ENCODING: bytes that are not UTF-8. INVALID_JSON, with the position in the record (bytes, first
 * is 1) of what is wrong: no object, lone surrogates, control bytes in strings, depth over 256, anything after the
 * value on its line or before the next comma; a key that occurs twice in the record (which one was meant cannot be
 * known; inside nested objects keys may repeat). ROW_TOO_LONG: its byte_length and raw bytes are those of its first
 * max_record_bytes. Blank lines are skipped.
 *
 * Arrays. What stands between two commas of the array is one record; the white space around it counts for its length,
 * but not for its position. Nothing between them is a bad record. Only an input that does not begin with '[' or does
 * not end with its ']' is an error of the whole (ERR_BAD_DATA with the byte offset). The first chunk must have sequence
 * 0.
 *
 * Only good records widen targets, name new keys or set `observed`. Columns with few distinct values come in dictionary
 * form. A decoder keeps what it learned about records (order of keys, white space, repeating values) from chunk to
 * chunk. */
#ifndef FF_FORMAT_JSON_DECODER_H
#define FF_FORMAT_JSON_DECODER_H

#include "format/text_chunk.h"

struct json_options {
    bool array;                    /* one top-level array instead of NDJSON */
    bool all_text;                 /* every value becomes its text: no inference */
    const struct str *null_values; /* string values that mean null; borrowed */
    size_t null_value_count;
    size_t max_record_bytes; /* at least 1; a longer record (without its line end) is ROW_TOO_LONG */
};

status json_cutter_create(struct text_cutter *cutter, const struct json_options *options, struct error *err) MUST_USE;
status json_decoder_create(struct text_decoder *decoder, const struct json_options *options,
                           struct error *err) MUST_USE;

/* An array that does not begin with '[' is ERR_BAD_DATA. With all_text each class is STRING.
 *
 * Collect the keys of the records in the head of the input (whole records only, broken ones skipped), in order of
 * first appearance, with the class of their values: the first guess for the targets. The keys (unescaped) are
 * allocated in *names (uint32 length + bytes each), classes[i] (malloc'd) belongs to the i-th. */
status json_discover(const uint8_t *head, size_t n, bool at_end, const struct json_options *options, struct buf *names,
                     enum infer_class **classes, size_t *count, struct error *err) MUST_USE;

#endif
