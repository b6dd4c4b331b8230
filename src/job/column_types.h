/* What the output's columns are at the moment: targets and schema, in versions that never change once made, so that
 * workers read them without a lock. A new version is made when a column has to widen or JSON shows a new key. */
#ifndef FF_JOB_COLUMN_TYPES_H
#define FF_JOB_COLUMN_TYPES_H

#include "format/text_chunk.h"
#include "job/convert.h"

struct type_version {
    unsigned number;
    struct schema schema;
    struct decode_target *targets; /* source_index is per input and filled in by the worker */
    char **source_names;           /* targets[i].source points here */
    struct type_version *older;
};

struct column_types {
    struct type_version *newest; /* owns all older ones, which batches under way may still point to */
};

/* Copies everything. `source` is the name in the source, `name` the output's. */
struct type_column {
    struct str name, source;
    bool infer;
    enum infer_class class_;
    struct data_type type; /* when !infer */
    bool not_null;
    enum reject_code on_null;
};

status column_types_init(struct column_types *t, const struct type_column *columns, size_t count,
                         struct error *err) MUST_USE;
/* Join the classes observed by a decoder that worked with version `from`, and add columns. *changed: there is a new
 * version. One thread at a time. */
status column_types_join(struct column_types *t, const struct type_version *from, const enum infer_class *observed,
                         const struct type_column *added, size_t added_count, bool *changed,
                         struct error *err) MUST_USE;
/* Rows decoded with `older` can stand in one file with rows of `newer`: each column has the same type in both, or had
 * no value at all in the older. */
bool type_version_extends(const struct type_version *older, const struct type_version *newer);
void column_types_release(struct column_types *t);

#endif
