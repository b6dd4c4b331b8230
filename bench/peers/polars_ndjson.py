"""NDJSON to Parquet/snappy with Polars: polars_ndjson.py IN OUT [--types TABLE].

POLARS_MAX_THREADS is set by the caller: Polars reads it at import. Polars does
not infer dates in JSON, they stay text; with --types they are read as text and
converted, so that the output holds what the other tools write.
"""

import argparse

import polars as pl
from tables import TABLES

TYPES = {"bigint": pl.Int64, "double": pl.Float64, "string": pl.String, "date": pl.String, "timestamp": pl.String}

parser = argparse.ArgumentParser()
parser.add_argument("input")
parser.add_argument("output")
parser.add_argument("--types", choices=sorted(TABLES), help="give the schema, no inference")
args = parser.parse_args()

if args.types:
    table = TABLES[args.types]
    frame = pl.scan_ndjson(args.input, schema={name: TYPES[kind] for name, kind in table.items()}).with_columns(
        *(pl.col(name).str.to_date("%Y-%m-%d") for name, kind in table.items() if kind == "date"),
        *(pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S") for name, kind in table.items() if kind == "timestamp"),
    )
else:
    frame = pl.scan_ndjson(args.input)
frame.sink_parquet(args.output, compression="snappy")
