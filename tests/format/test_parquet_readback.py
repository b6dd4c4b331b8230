"""Independent readers judge the Parquet files that tests/unit/format/parquet/test_parquet_files.c writes.

FLOWFORGE_PARQUET_FILES names the program (default: the newest one below build/). Values are compared one by one with
pyarrow, Polars and DuckDB, statistics and page indexes with what the values demand.
"""

import datetime
import decimal
import json
import math
import os
import pathlib
import struct
import subprocess
import uuid

import duckdb
import polars
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = [
    "types_none", "types_snappy", "types_gzip", "types_zstd", "shapes", "groups", "untyped", "never_typed", "required",
    "one_row", "no_row", "long_strings", "long_strings_large_pages", "decimals", "wide", "defaults",
]  # fmt: skip
BOUND = 64
EPOCH = datetime.datetime(1970, 1, 1)


def program():
    named = os.environ.get("FLOWFORGE_PARQUET_FILES")
    if named:
        return pathlib.Path(named)
    built = list(ROOT.glob("build/*/unit/format/parquet/test_parquet_files"))
    assert built, "build the unit tests first"
    return max(built, key=lambda path: path.stat().st_mtime)


class Column:
    """What the C side says about a column, as Python values (`logical`) and as the bytes of statistics (`physical`)."""

    def __init__(self, spec):
        self.name, self.type, self.not_null = spec["name"], spec["type"], spec["not_null"]
        self.precision, self.scale = spec["precision"], spec["scale"]
        self.logical = [None if v is None else self.read(v) for v in spec["values"]]
        self.raw = spec["values"]

    def read(self, v):
        kind = self.type
        if kind in ("float", "double"):
            return Bits(bytes.fromhex(v))
        if kind in ("string", "json", "null"):
            return bytes.fromhex(v).decode()
        if kind in ("binary", "uuid"):
            return bytes.fromhex(v)
        if kind == "decimal":
            return decimal.Decimal(v).scaleb(-self.scale, decimal.Context(prec=60))
        if kind == "date":
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=v)
        if kind == "time":
            return (EPOCH + datetime.timedelta(microseconds=v)).time()
        if kind in ("timestamp", "timestamptz"):
            return EPOCH + datetime.timedelta(microseconds=v)
        return v

    def sort_key(self, v):
        """Of a value of `raw`; None for a NaN."""
        if self.type in ("float", "double"):
            number = Bits(bytes.fromhex(v)).number
            return None if math.isnan(number) else number
        if self.type == "decimal":
            return int(v)
        if isinstance(v, str):
            return bytes.fromhex(v)
        return v

    def decode_bound(self, b):
        """Bytes of a statistic to what sort_key gives."""
        kind = self.type
        if kind == "boolean":
            return bool(b[0])
        if kind in ("integer", "date"):
            return struct.unpack("<i", b)[0]
        if kind in ("bigint", "time", "timestamp", "timestamptz"):
            return struct.unpack("<q", b)[0]
        if kind == "float":
            return struct.unpack("<f", b)[0]
        if kind == "double":
            return struct.unpack("<d", b)[0]
        if kind == "decimal":
            if self.precision <= 18:
                assert len(b) == (4 if self.precision <= 9 else 8)
                return int.from_bytes(b, "little", signed=True)
            return int.from_bytes(b, "big", signed=True)
        return b


class Bits:
    """A float that equals another one of the same bits; NaN equals NaN."""

    def __init__(self, raw):
        self.raw = raw
        self.number = struct.unpack("<f" if len(raw) == 4 else "<d", raw)[0]

    def __eq__(self, other):
        if math.isnan(self.number):
            return math.isnan(other)
        return self.number == other and math.copysign(1, self.number) == math.copysign(1, other)

    def __repr__(self):
        return f"Bits({self.number!r})"


class Written:
    def __init__(self, folder, name):
        self.path = str(folder / f"{name}.parquet")
        spec = json.loads((folder / f"{name}.json").read_text())
        self.codec, self.groups, self.page_rows = spec["codec"], spec["groups"], spec["page_rows"]
        self.columns = [Column(c) for c in spec["columns"]]
        self.rows = sum(self.groups)

    def group_values(self, column, group):
        begin = sum(self.groups[:group])
        return column.raw[begin : begin + self.groups[group]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet")
    subprocess.run([program()], env={**os.environ, "FLOWFORGE_TEST_OUT": str(path)}, check=True, capture_output=True)
    return path


@pytest.fixture(scope="session", params=NAMES)
def written(request, folder):
    return Written(folder, request.param)


def same(got, expected, column):
    assert len(got) == len(expected), column.name
    for row, (g, e) in enumerate(zip(got, expected)):
        if isinstance(g, uuid.UUID):
            g = g.bytes
        if isinstance(g, datetime.datetime) and g.tzinfo:
            g = g.astimezone(datetime.UTC).replace(tzinfo=None)
        if isinstance(g, (bytearray, memoryview)):
            g = bytes(g)
        ok = (g is None) == (e is None) and (e is None or e == g)
        assert ok, f"{column.name} ({column.type}) row {row}: {g!r} instead of {e!r}"


ARROW = {
    "null": "string", "boolean": "bool", "integer": "int32", "bigint": "int64", "float": "float", "double": "double",
    "date": "date32[day]", "time": "time64[us]", "timestamp": "timestamp[us]", "timestamptz": "timestamp[us, tz=UTC]",
    "string": "string", "binary": "binary",
}  # fmt: skip


def test_pyarrow_reads_the_same_values(written):
    table = pq.read_table(written.path)
    assert table.num_rows == written.rows
    assert table.column_names == [c.name for c in written.columns]
    for column in written.columns:
        field = table.schema.field(column.name)
        assert field.nullable == (not column.not_null)
        if column.type in ARROW:
            assert str(field.type) == ARROW[column.type]
        elif column.type == "decimal":
            assert (field.type.precision, field.type.scale) == (column.precision, column.scale)
        same(table.column(column.name).to_pylist(), column.logical, column)


def test_polars_reads_the_same_values(written):
    frame = polars.read_parquet(written.path)
    assert frame.height == written.rows
    for column in written.columns:
        got = frame[column.name].to_list()
        if column.type == "json" and frame[column.name].dtype == polars.Binary:  # Polars knows no JSON annotation
            got = [None if v is None else v.decode() for v in got]
        same(got, column.logical, column)


def test_duckdb_reads_the_same_values(written):
    session = duckdb.connect()
    session.execute("SET TimeZone = 'UTC'")
    source = f"read_parquet('{written.path}')"
    types = dict(row[:2] for row in session.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    expressions = []
    for column in written.columns:
        plain = f'"{column.name}"'
        expressions.append(f"epoch_us({plain})" if column.type.startswith("timestamp") else plain)
    rows = session.execute(f"SELECT {', '.join(expressions)} FROM {source}").fetchall()
    assert len(rows) == written.rows
    expected_types = {
        "null": "VARCHAR", "boolean": "BOOLEAN", "integer": "INTEGER", "bigint": "BIGINT", "float": "FLOAT",
        "double": "DOUBLE", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", "string": "VARCHAR",
        "timestamptz": "TIMESTAMP WITH TIME ZONE", "json": "JSON", "binary": "BLOB", "uuid": "UUID",
    }  # fmt: skip
    for i, column in enumerate(written.columns):
        wanted = expected_types.get(column.type, f"DECIMAL({column.precision},{column.scale})")
        assert types[column.name] == wanted
        expected = column.raw if column.type.startswith("timestamp") else column.logical
        same([row[i] for row in rows], expected, column)


def short_bound_holds(stated, actual, is_max, is_text):
    """A shortened bound: on the right side, not much longer than the limit, a prefix (raised at its end)."""
    assert len(actual) > BOUND
    assert len(stated) <= BOUND + 1
    assert stated > actual if is_max else actual.startswith(stated)
    if is_max:
        assert actual[: len(stated) - 4] == stated[: len(stated) - 4] or len(stated) <= 4
    if is_text:
        stated.decode()


def check_bound(column, stated, actual, is_max):
    """`actual`: sort key of the true extreme. Returns whether the bound is exact."""
    value = column.decode_bound(stated)
    if column.type in ("float", "double") and actual == 0:
        assert value == 0 and math.copysign(1, value) == (1 if is_max else -1)
        return True
    if isinstance(actual, bytes) and len(actual) > BOUND:
        short_bound_holds(stated, actual, is_max, column.type in ("string", "json"))
        return False
    assert value == actual, (column.name, column.type)
    return True


def extremes(column, values):
    keys = [column.sort_key(v) for v in values if v is not None]
    keys = [k for k in keys if k is not None]
    return (min(keys), max(keys)) if keys else None


def has_no_bound_above(column, actual):
    """Nothing short sorts above 64 times 0xFF, or above a prefix of the last characters of Unicode."""
    if not isinstance(actual, bytes) or len(actual) <= BOUND or column.type == "uuid":
        return False
    last = "\U0010ffff".encode()
    head = actual[:BOUND]
    return head == b"\xff" * BOUND if column.type == "binary" else head == last * (BOUND // 4)


def test_footer_states_what_is_there(written):
    meta = pq.ParquetFile(written.path).metadata
    assert meta.num_rows == written.rows
    assert meta.num_row_groups == len(written.groups)
    assert meta.format_version == "2.6"
    assert meta.created_by.startswith("flowforge")
    names = json.loads(meta.metadata[b"flowforge.source_names"])
    assert names == {c.name: f'Column "{i}"\n\u00e4' for i, c in enumerate(written.columns)}
    next_byte = 4
    for g, rows in enumerate(written.groups):
        group = meta.row_group(g)
        assert group.num_rows == rows
        chunks = [group.column(i) for i in range(group.num_columns)]
        assert group.total_byte_size == sum(c.total_uncompressed_size for c in chunks)
        for chunk, column in zip(chunks, written.columns):
            first = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
            assert first == next_byte  # chunks follow one another without a gap
            next_byte += chunk.total_compressed_size
            assert chunk.compression == written.codec
            assert chunk.num_values == rows
            assert chunk.path_in_schema == column.name
            assert chunk.has_offset_index
            assert set(chunk.encodings) <= {"PLAIN", "RLE", "RLE_DICTIONARY"}
            assert ("RLE" in chunk.encodings) == (not column.not_null)
            assert ("RLE_DICTIONARY" in chunk.encodings) == chunk.has_dictionary_page
            assert not (chunk.has_dictionary_page and column.type == "boolean")


def test_chunk_statistics_are_those_of_the_values(written):
    duck = {}
    query = (
        "SELECT row_group_id, column_id, stats_null_count, min_is_exact, max_is_exact, file_offset, "
        f"row_group_compressed_bytes FROM parquet_metadata('{written.path}')"
    )
    for row in duckdb.sql(query).fetchall() if written.groups else []:
        duck[row[:2]] = row[2:]
    footer = FileMeta(written.path)
    for g in range(len(written.groups)):
        for i, column in enumerate(written.columns):
            values = written.group_values(column, g)
            stats = footer.chunk(g, i)[3][12]
            nulls = sum(v is None for v in values)
            assert stats[3] == nulls
            assert duck[g, i][0] == nulls
            ends = extremes(column, values)
            if ends is None:
                assert 5 not in stats and 6 not in stats
                continue
            exact = check_bound(column, stats[6], ends[0], False)
            assert stats[8] == exact and duck[g, i][1] == exact
            if has_no_bound_above(column, ends[1]):
                assert 5 not in stats and 7 not in stats
                continue
            exact = check_bound(column, stats[5], ends[1], True)
            assert stats[7] == exact and duck[g, i][2] == exact


def test_pyarrow_understands_the_statistics(written):
    meta = pq.ParquetFile(written.path).metadata
    for g in range(len(written.groups)):
        for i, column in enumerate(written.columns):
            ends = extremes(column, written.group_values(column, g))
            stats = meta.row_group(g).column(i).statistics
            if ends is None:
                assert stats is None or not stats.has_min_max
            elif column.type in ("bigint", "integer", "boolean"):
                assert (stats.min, stats.max) == ends
            elif column.type in ("date", "timestamp", "string") and not isinstance(ends[1], bytes):
                assert (stats.min_raw, stats.max_raw) == ends


def check_levels_and_pages(written, footer, g, i, column):
    """Offset index against page headers, column index against the values of each page."""
    chunk = footer.chunk(g, i)
    meta = chunk[3]
    values = written.group_values(column, g)
    locations = footer.read(chunk[4], chunk[5])[1]
    starts = [p[3] for p in locations] + [len(values)]
    assert starts[0] == 0 and all(a < b for a, b in zip(starts, starts[1:]))
    assert max(b - a for a, b in zip(starts, starts[1:])) <= written.page_rows
    at, uncompressed = locations[0][1], 0
    assert at == meta[9]
    if 11 in meta:
        header, n = footer.header(meta[11])
        assert header[1] == 2 and header[7][2] == 0
        assert meta[11] + n + header[3] == at
        uncompressed += n + header[2]
    for page, (begin, end) in zip(locations, zip(starts, starts[1:])):
        header, n = footer.header(page[1])
        assert page[1] == at and header[1] == 0
        assert header[5][1] == end - begin
        assert header[5][2] == (8 if 11 in meta else 0) and header[5][3] == 3
        assert page[2] == n + header[3]
        at += page[2]
        uncompressed += n + header[2]
    assert at - meta.get(11, meta[9]) == meta[7]
    assert uncompressed == meta[6]
    counts = {(s[1], s[2]): s[3] for s in meta[13]}
    assert counts == ({(2, 0): 1, (0, 8): len(locations)} if 11 in meta else {(0, 0): len(locations)})
    pages = [values[a:b] for a, b in zip(starts, starts[1:])]
    ends = [extremes(column, page) for page in pages]
    nulls = [all(v is None for v in page) for page in pages]
    impossible = [
        e is None and not n or e is not None and has_no_bound_above(column, e[1]) for e, n in zip(ends, nulls)
    ]
    assert (6 not in chunk) == any(impossible)
    if 6 not in chunk:
        return len(pages)
    index = footer.read(chunk[6], chunk[7])
    assert index[1] == nulls
    assert index[5] == [sum(v is None for v in page) for page in pages]
    for low, high, e, n in zip(index[2], index[3], ends, nulls):
        if n:
            assert low == high == b""
        else:
            check_bound(column, low, e[0], False)
            check_bound(column, high, e[1], True)
    lows = [column.decode_bound(b) for b, n in zip(index[2], nulls) if not n]
    highs = [column.decode_bound(b) for b, n in zip(index[3], nulls) if not n]
    ascending = all(a <= b for bounds in (lows, highs) for a, b in zip(bounds, bounds[1:]))
    descending = all(a >= b for bounds in (lows, highs) for a, b in zip(bounds, bounds[1:]))
    if column.type not in ("float", "double"):  # there -0.0 and +0.0 are one value here and two in the order
        assert index[4] == (1 if ascending else 2 if descending else 0)
    elif index[4]:
        assert ascending if index[4] == 1 else descending
    return len(pages)


def test_page_indexes_fit_the_pages(written):
    footer = FileMeta(written.path)
    for g in range(len(written.groups)):
        for i, column in enumerate(written.columns):
            check_levels_and_pages(written, footer, g, i, column)


def test_some_files_have_many_pages_and_all_ways_of_writing(folder):
    """The checks above would say little about files of single plain pages."""
    footer = FileMeta(Written(folder, "types_snappy").path)
    written = Written(folder, "types_snappy")
    pages = [check_levels_and_pages(written, footer, 0, i, c) for i, c in enumerate(written.columns)]
    assert min(pages) == 6
    meta = pq.ParquetFile(written.path).metadata.row_group(0)
    chunks = [meta.column(i) for i in range(meta.num_columns)]
    assert sum(c.has_dictionary_page for c in chunks) > 30
    assert sum(not c.has_dictionary_page for c in chunks) > 30
    assert sum(c.has_column_index for c in chunks) > 150
    orders = {footer.read(footer.chunk(0, i)[6], 0)[4] for i in range(len(chunks)) if 6 in footer.chunk(0, i)}
    assert orders == {0, 1, 2}
    long_strings = Written(folder, "long_strings")
    footer = FileMeta(long_strings.path)
    assert check_levels_and_pages(long_strings, footer, 0, 0, long_strings.columns[0]) > 5


def test_column_orders_are_declared(written):
    footer = FileMeta(written.path)
    assert footer.meta[7] == [{1: {}} for _ in written.columns]
    assert footer.meta[1] == 2


def test_filters_find_the_right_rows(folder):
    written = Written(folder, "defaults")
    checks = 0
    for i, value in ((0, 40), (0, 20000), (1, 60), (2, 199), (4, 300), (5, 30123), (7, 12345)):
        column = written.columns[i]
        keys = [v for v in column.logical]
        wanted = next(v for v in keys[value:] if v is not None)
        number = wanted.number if isinstance(wanted, Bits) else wanted
        equal = sum(v is not None and v == number for v in keys)
        table = pq.read_table(written.path, filters=[(column.name, "=", number)])
        assert table.num_rows == equal > 0
        assert polars.scan_parquet(written.path).filter(polars.col(column.name) == number).collect().height == equal
        count = (
            duckdb.connect()
            .execute(f"SELECT count(*) FROM read_parquet('{written.path}') WHERE {column.name} = ?", [number])
            .fetchone()[0]
        )
        assert count == equal
        if not isinstance(wanted, Bits):
            above = sum(v is not None and v > number for v in keys)
            assert pq.read_table(written.path, filters=[(column.name, ">", number)]).num_rows == above
            checks += 1
        nulls = sum(v is None for v in keys)
        assert pq.read_table(written.path, filters=pc.field(column.name).is_null()).num_rows == nulls
    assert checks >= 5


class FileMeta:
    """A reader of Thrift's compact protocol, as small as can be: structs become {field id: value}."""

    def __init__(self, path):
        self.bytes = pathlib.Path(path).read_bytes()
        assert self.bytes[:4] == self.bytes[-4:] == b"PAR1"
        length = int.from_bytes(self.bytes[-8:-4], "little")
        self.meta = self.read(len(self.bytes) - 8 - length, length)

    def chunk(self, group, column):
        return self.meta[4][group][1][column]

    def header(self, at):
        value, end = self.struct(at)
        return value, end - at

    def read(self, at, length):
        value, end = self.struct(at)
        assert not length or end - at == length
        return value

    def varint(self, at):
        value = shift = 0
        while True:
            byte = self.bytes[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, at

    def zigzag(self, at):
        value, at = self.varint(at)
        return (value >> 1) ^ -(value & 1), at

    def struct(self, at):
        fields, last = {}, 0
        while self.bytes[at]:
            head = self.bytes[at]
            at += 1
            if head >> 4:
                last += head >> 4
            else:
                last, at = self.zigzag(at)
            fields[last], at = self.value(head & 15, at)
        return fields, at + 1

    def value(self, kind, at):
        if kind in (1, 2):
            return kind == 1, at
        if kind == 3:
            return struct.unpack_from("b", self.bytes, at)[0], at + 1
        if kind in (4, 5, 6):
            return self.zigzag(at)
        if kind == 8:
            n, at = self.varint(at)
            return self.bytes[at : at + n], at + n
        if kind == 9:
            return self.list(at)
        assert kind == 12, kind
        return self.struct(at)

    def list(self, at):
        head, values = self.bytes[at], []
        at += 1
        count = head >> 4
        if count == 15:
            count, at = self.varint(at)
        for _ in range(count):
            if head & 15 in (1, 2):
                value, at = self.bytes[at] == 1, at + 1
            else:
                value, at = self.value(head & 15, at)
            values.append(value)
        return values, at
