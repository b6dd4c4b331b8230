/* Dictionary or plain, column by column. What was found out is kept for some row groups. */
#ifndef FF_FORMAT_PARQUET_CHOICE_H
#define FF_FORMAT_PARQUET_CHOICE_H

#include "format/parquet/parquet_dict.h"
#include "format/parquet/parquet_page.h"

/* A verdict is trusted for this many row groups, the one it was found on included. */
#define PARQUET_VERDICT_GROUPS 16

struct parquet_verdict {
    struct data_type type; /* of the column that it was found for */
    bool was_dict;         /* the column came in dictionary form */
    bool dictionary;
    uint8_t groups_left; /* 0: find out again */
};

struct parquet_chooser {
    struct parquet_compressor *compressor; /* borrowed */
    uint64_t max_dict_bytes;
    struct parquet_dict dict;
    struct buf plain, packed; /* of a trial */
};

/* *chosen is `values` itself, with codes when it already has them, or a dictionary made from it in the chooser's
 * memory. *dictionary tells how to write it: values with codes may be written plain. */
status parquet_choose(struct parquet_chooser *chooser, struct parquet_verdict *verdict,
                      const struct parquet_values *values, struct parquet_values *chosen, bool *dictionary,
                      struct error *err) MUST_USE;
void parquet_chooser_release(struct parquet_chooser *chooser);

#endif
