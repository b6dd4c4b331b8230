"""CSV to Parquet/snappy with Polars: polars_csv.py IN OUT [--types TABLE].

POLARS_MAX_THREADS is set by the caller: Polars reads it at import.
"""

import argparse

import polars as pl
from tables import TABLES

TYPES = {
    "bigint": pl.Int64,
    "double": pl.Float64,
    "string": pl.String,
    "date": pl.Date,
    "timestamp": pl.Datetime("us"),
}

parser = argparse.ArgumentParser()
parser.add_argument("input")
parser.add_argument("output")
parser.add_argument("--types", choices=sorted(TABLES), help="give the schema, no inference")
args = parser.parse_args()

schema = {name: TYPES[kind] for name, kind in TABLES[args.types].items()} if args.types else None
pl.scan_csv(args.input, schema=schema, try_parse_dates=True).sink_parquet(args.output, compression="snappy")
