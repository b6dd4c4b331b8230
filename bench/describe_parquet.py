"""How a Parquet file is laid out, as one JSON object: describe_parquet.py FILE."""

import json
import statistics
import sys

import pyarrow.parquet as pq

metadata = pq.read_metadata(sys.argv[1])
groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
chunks = [group.column(column) for group in groups for column in range(metadata.num_columns)]
group_rows = [group.num_rows for group in groups] or [0]
print(
    json.dumps(
        {
            "rows": metadata.num_rows,
            "columns": metadata.num_columns,
            "row_groups": metadata.num_row_groups,
            "row_group_rows": {
                "min": min(group_rows),
                "median": int(statistics.median(group_rows)),
                "max": max(group_rows),
            },
            "compression": sorted({chunk.compression for chunk in chunks}),
            "encodings": sorted({encoding for chunk in chunks for encoding in chunk.encodings}),
            "statistics": bool(chunks) and all(chunk.is_stats_set for chunk in chunks),
            "page_bytes_uncompressed": sum(chunk.total_uncompressed_size for chunk in chunks),
            "created_by": metadata.created_by,
        }
    )
)
