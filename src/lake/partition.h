/* Partition paths (DESIGN 3.8). */
#ifndef FF_LAKE_PARTITION_H
#define FF_LAKE_PARTITION_H

#include "base/buf.h"
#include "batch/batch.h"

/* A pattern is segments separated by '/'. In a segment everything up to its first '=' is literal ("month=MM" begins
 * with the letters "month="); in the rest a word, that is a run of ASCII letters, is one of
 *  - tokens one after another: yyyy MM dd HH ("yyyyMMdd"),
 *  - literal text that holds no token and is not made of date letters alone ("sales", "access").
 * ERR_INVALID for any other word: date letters that are no token (mm, DD, YYYY, ss, M), and tokens or capital
 * look-alikes of tokens inside other letters ("dayDD", "yyyyT", "address", which holds dd). Also for an empty pattern,
 * an empty segment (a leading, trailing or doubled '/'), "." and "..", control bytes, backslashes and what is not
 * UTF-8. The error names the offending part and the tokens that exist. */
status partition_date_check(struct str pattern, struct error *err) MUST_USE;
/* Append the path for the run's UTC time, ending in '/'. Checks the pattern first. */
status partition_date_path(struct str pattern, int64_t run_micros, struct buf *path, struct error *err) MUST_USE;

/* The value of a folder for what has no value. */
#define HIVE_DEFAULT_PARTITION "__HIVE_DEFAULT_PARTITION__"

/* Append "name=value/" for the row and each column: Hive style, name and value percent-encoded (everything but the
 * unreserved characters of RFC 3986), null or empty string as __HIVE_DEFAULT_PARTITION__. ERR_LIMIT when that is
 * longer than the 255 bytes that file systems allow a name. */
status partition_hive_path(const struct schema *schema, const struct batch *batch, const int *columns,
                           size_t column_count, size_t row, struct buf *path, struct error *err) MUST_USE;

/* Splits a batch by partition: groups in the order of their first rows, the order of rows kept within each. No two
 * groups have the same path. A zeroed struct is ready for the first split; memory is kept from split to split. */
struct partition_split {
    struct buf paths;  /* all paths, one after another */
    struct buf groups; /* struct partition_group[] */
    struct buf rows;   /* uint32[]: row numbers, group after group */
    size_t group_count;
    struct partition_scratch *scratch; /* internal */
};
struct partition_group {
    uint32_t path_at, path_length; /* in paths */
    uint32_t rows_at, row_count;   /* in rows */
};
status partition_split(struct partition_split *split, const struct batch *batch, const int *columns,
                       size_t column_count, struct error *err) MUST_USE;
void partition_split_release(struct partition_split *split);

#endif
