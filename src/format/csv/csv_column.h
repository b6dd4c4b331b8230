/* One output column of a CSV decoder: cells of a segment in, values appended. */
#ifndef FF_FORMAT_CSV_COLUMN_H
#define FF_FORMAT_CSV_COLUMN_H

#include "format/csv/csv_segment.h"
#include "format/text/text_memo.h"
#include "format/text_chunk.h"

struct null_values {
    const struct str *items;
    size_t count;
    size_t longest;
};

struct csv_column {
    struct text_memo memo;     /* cell text to dictionary code */
    struct text_memo values;   /* value bits to dictionary code: "1.0" and "1.00" are one value */
    bool dictionary;           /* the chunk being decoded is (still) in the dictionary form */
    unsigned chunks_to_skip;   /* chunks to go before a dictionary is tried again */
    enum type_kind tried_kind; /* the type for which chunks_to_skip was learned */
};

/* What went wrong with a segment's rows: parallel arrays of `rows`, set for the first column only. */
struct csv_faults {
    uint8_t *codes; /* enum reject_code, 0: good */
    uint32_t *columns;
    size_t count; /* rows with a fault */
};

struct csv_column_job {
    const struct csv_segment *segment;
    const struct decode_target *target;
    uint32_t index; /* of the target */
    const struct null_values *nulls;
    struct csv_faults *faults;
    enum infer_class *observed; /* of this target: joined with every value's class */
    bool *widened;              /* set when a value does not fit the inferred type */
};

/* Begin a chunk. */
status csv_column_begin(struct csv_column *state, struct column *out, const struct decode_target *target,
                        struct error *err) MUST_USE;
/* Append the segment's rows. A row with a fault gets a zero value: it is dropped later. After *widened is set the
 * column's contents are void and only *observed counts. */
status csv_column_append(struct csv_column *state, struct column *out, const struct csv_column_job *job,
                         struct error *err) MUST_USE;
/* Only join the classes of the segment's values into *observed. */
void csv_column_observe(const struct csv_column_job *job);
status csv_column_end(struct csv_column *state, struct column *out, struct error *err) MUST_USE;
void csv_column_release(struct csv_column *state);

#endif
