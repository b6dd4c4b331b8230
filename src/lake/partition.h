/* Partition paths and file names (DESIGN 3.8). */
#ifndef FF_LAKE_PARTITION_H
#define FF_LAKE_PARTITION_H

#include "base/buf.h"
#include "batch/batch.h"

/* `pattern` through the run's UTC time: tokens yyyy MM dd HH, everything else literal; letters outside tokens must
 * be part of a literal such as "dt=". ERR_INVALID for any other run of y, M, d, H, m, s letters that looks like a
 * token (mm, DD, YYYY, ss, ...), for "..", a leading or trailing '/', control bytes and backslashes. The error
 * names the offending part and the tokens that exist. Letters in a name before '=' are always literal ("month=MM"). */
status partition_date_check(struct str pattern, struct error *err) MUST_USE;
status partition_date_path(struct str pattern, int64_t run_micros, struct buf *path, struct error *err) MUST_USE;

/* Append "name=value/" for the row: Hive style, value percent-encoded (everything but unreserved characters of
 * RFC 3986), null or empty string as __HIVE_DEFAULT_PARTITION__. */
status partition_hive_path(const struct schema *schema, const struct batch *batch, const int *columns,
                           size_t column_count, size_t row, struct buf *path, struct error *err) MUST_USE;

/* Splits a batch by partition: rows grouped, order kept within each. */
struct partition_split {
    struct buf paths;  /* all paths, one after another */
    struct buf groups; /* struct partition_group[] */
    struct buf rows;   /* uint32[]: row numbers, group after group */
    size_t group_count;
    void *scratch; /* internal */
};
struct partition_group {
    uint32_t path_at, path_length; /* in paths */
    uint32_t rows_at, row_count;   /* in rows */
};
status partition_split(struct partition_split *split, const struct batch *batch, const int *columns,
                       size_t column_count, struct error *err) MUST_USE;
void partition_split_release(struct partition_split *split);

#endif
