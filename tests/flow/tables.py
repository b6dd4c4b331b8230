"""What Parquet files hold, as plain Python values, and how two tables differ."""

import json
import math
import struct

import pyarrow.parquet as pq


def column_values(column):
    if str(column.type).startswith("extension"):
        column = column.cast(column.type.storage_type)
    return column.to_pylist()


def read(path):
    """{name: values} in the file's order of columns and rows."""
    table = pq.ParquetFile(path).read()
    assert len(set(table.column_names)) == len(table.column_names)
    return {name: column_values(table.column(name)) for name in table.column_names}


def same(a, b):
    """Equal in type and value; doubles to the bit, but any NaN is as good as any other."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("<d", a) == struct.pack("<d", b) or (math.isnan(a) and math.isnan(b))
    return a == b


def check_column(name, expected, actual):
    assert len(expected) == len(actual), f"{name}: {len(expected)} values expected, {len(actual)} found"
    if expected == actual and all(type(v) is not float for v in expected):
        types = {type(v) for v in expected} | {type(v) for v in actual}
        if bool not in types or int not in types:
            return
    for at, (a, b) in enumerate(zip(expected, actual, strict=True)):
        assert same(a, b), f"{name}, row {at + 1}: expected {a!r}, found {b!r}"


def check(expected, actual):
    assert list(expected) == list(actual)
    for name in expected:
        check_column(name, expected[name], actual[name])


def types_of(report):
    return {one["name"]: one["type"] for one in report["schema"]}


def write_json(path, value):
    path.write_text(json.dumps(value))
    return path
