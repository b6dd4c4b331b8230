"""CSV to Parquet/snappy with DuckDB: duckdb_csv.py IN OUT [--unordered] [--types TABLE]."""

import argparse

import duckdb
from tables import TABLES

NAMES = {"bigint": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "date": "DATE", "timestamp": "TIMESTAMP"}


def quote(text):
    return "'" + text.replace("'", "''") + "'"


parser = argparse.ArgumentParser()
parser.add_argument("input")
parser.add_argument("output")
parser.add_argument("--unordered", action="store_true", help="preserve_insertion_order=false")
parser.add_argument("--types", choices=sorted(TABLES), help="declare every column, no sniffing")
args = parser.parse_args()

options = ""
if args.types:
    columns = ", ".join(f"{quote(name)}: {quote(NAMES[kind])}" for name, kind in TABLES[args.types].items())
    options = f""", auto_detect=false, header=true, delim=',', quote='"', escape='"', columns={{{columns}}}"""

session = duckdb.connect()
session.execute("SET threads=2")
if args.unordered:
    session.execute("SET preserve_insertion_order=false")
session.execute(
    f"COPY (FROM read_csv({quote(args.input)}{options})) TO {quote(args.output)} (FORMAT parquet, COMPRESSION snappy)"
)
