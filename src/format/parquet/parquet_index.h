/* Column index and offset index of a column chunk (parquet-format PageIndex.md). */
#ifndef FF_FORMAT_PARQUET_INDEX_H
#define FF_FORMAT_PARQUET_INDEX_H

#include "format/parquet/parquet_metadata.h"

/* Append the ColumnIndex of a chunk that has one. */
status parquet_write_column_index(const struct parquet_group_meta *group, const struct parquet_chunk_meta *chunk,
                                  struct buf *to, struct error *err) MUST_USE;
/* Append the OffsetIndex; `base` is where the row group begins in the file. */
status parquet_write_offset_index(const struct parquet_group_meta *group, const struct parquet_chunk_meta *chunk,
                                  uint64_t base, struct buf *to, struct error *err) MUST_USE;

#endif
