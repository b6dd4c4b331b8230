/* Bad rows (DESIGN 3.5): where, what and why, with the raw bytes. Decoders append; the driver adds
 * the chunk's bases and either fails the run or writes them to quarantine. */
#ifndef FF_FORMAT_REJECT_H
#define FF_FORMAT_REJECT_H

#include "base/buf.h"

enum reject_code {
    REJECT_NONE,
    REJECT_CAST, /* a value that its column's type does not take */
    REJECT_MISSING_COLUMNS,
    REJECT_TOO_MANY_COLUMNS,
    REJECT_UNTERMINATED_QUOTE,
    REJECT_INVALID_ENCODING,
    REJECT_ROW_TOO_LONG,
    REJECT_NULL_KEY, /* null in a dedupe key */
    REJECT_NULL_WATERMARK,
    REJECT_NULL_VALUE, /* null in a column declared not nullable */
    REJECT_INVALID_JSON,
    REJECT_CODE_COUNT
};

/* "CAST", "MISSING_COLUMNS", ... */
const char *reject_code_name(enum reject_code code);

#define REJECT_RAW_MAX 65536 /* bytes of the record that are kept */
#define REJECT_NO_COLUMN UINT32_MAX

struct reject {
    uint64_t record;      /* data record number, first is 1; relative to the chunk until rebased */
    uint64_t line;        /* physical line on which the record starts, first is 1; likewise relative */
    uint64_t byte_offset; /* of the record's first byte in the (decoded, decompressed) input */
    uint64_t byte_length; /* of the whole record without its line end */
    uint32_t column;      /* index of the target column, or REJECT_NO_COLUMN */
    enum reject_code code;
    uint32_t message_at, message_length; /* in reject_list.text */
    uint32_t raw_at, raw_length;         /* in reject_list.text; at most REJECT_RAW_MAX bytes */
};

struct reject_list {
    struct reject *items;
    size_t count, cap;
    struct buf text;
};

/* Append a copy; `message` says the reason and quotes the value (at most 100 bytes of it). One reject per
 * record: the first reason found in column order wins, so callers append at most once a record. */
status reject_add(struct reject_list *list, struct reject at, struct str message, struct str raw,
                  struct error *err) MUST_USE;
struct str reject_message(const struct reject_list *list, const struct reject *r);
struct str reject_raw(const struct reject_list *list, const struct reject *r);
/* Append all of `from`, with record and line numbers (which are relative, from 1) raised by the bases. */
status reject_append_rebased(struct reject_list *to, const struct reject_list *from, uint64_t record_base,
                             uint64_t line_base, struct error *err) MUST_USE;
void reject_clear(struct reject_list *list);
void reject_release(struct reject_list *list);

#endif
