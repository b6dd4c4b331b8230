/* How one input would be read: what was guessed, the schema, the first rows, and the bad cells among them. Looks at
 * the head only (1 MiB of text), so it answers at once on a file of any size. */
#ifndef FF_JOB_PREVIEW_H
#define FF_JOB_PREVIEW_H

#include "job/convert.h"

struct preview {
    struct convert_input input;
    double encoding_sure;
    struct schema schema;       /* types as the head shows them: a whole run may widen them */
    struct batch rows;          /* the first good rows, of `schema` */
    uint64_t records;           /* looked at */
    bool whole;                 /* the head is the whole input: the types are final */
    struct reject_list rejects; /* bad rows among the records looked at */
    char **warnings;
    size_t warning_count;
};

status preview_make(struct preview *preview, const struct convert_options *options, size_t rows,
                    struct error *err) MUST_USE;
/* {"input": {...}, "schema": [...], "rows": [[text or null, ...], ...], "rejects": [...], "records", "whole"} */
status preview_json(const struct preview *preview, struct buf *json, struct error *err) MUST_USE;
void preview_release(struct preview *preview);

#endif
