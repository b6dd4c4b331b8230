"""Parquet files made by pyarrow (and DuckDB, Polars) arrive value by value: tests/sql/parquet_dump prints them."""

import datetime as dt
import decimal
import json
import math
import os
import subprocess
import sys
import uuid
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

D = decimal.Decimal
EPOCH = dt.datetime(1970, 1, 1)


class Refused(Exception):
    def __init__(self, answer):
        super().__init__(answer["message"])
        self.slug = answer["error"]
        self.message = answer["message"]
        self.hint = answer["hint"]


class Dump:
    def __init__(self, program: Path, library: Path):
        self.program = program
        self.library = library

    def lines(self, *args, cwd=None):
        run = subprocess.run(
            [self.program, *map(str, args)],
            capture_output=True,
            cwd=cwd,
            env={**os.environ, "FLOWFORGE_LIBDUCKDB": str(self.library)},
            timeout=120,
        )
        assert run.returncode in (0, 1), run.stderr.decode()
        assert run.stderr == b""
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode == 1:
            raise Refused(lines[-1])
        return lines

    def __call__(self, *args, cwd=None):
        """Types by column name, and the rows as Python values."""
        head, *rows, tail = self.lines(*args, cwd=cwd)
        assert head["rows"] == len(rows) == sum(tail["batches"])
        types = dict(head["columns"])
        return types, [[value_of(t, cell) for t, cell in zip(types.values(), row, strict=True)] for row in rows]


def value_of(type_name, cell):
    if cell is None:
        return None
    if type_name in ("boolean", "integer", "bigint"):
        return cell
    if type_name in ("float", "double"):
        return float.fromhex(cell)
    if type_name.startswith("decimal"):
        scale = int(type_name.rstrip(")").split(",")[1])
        return D(cell).scaleb(-scale, decimal.Context(prec=60))
    if type_name == "date":
        return dt.date(1970, 1, 1) + dt.timedelta(days=cell)
    if type_name == "time":
        return (EPOCH + dt.timedelta(microseconds=cell)).time()
    if type_name == "timestamp":
        return EPOCH + dt.timedelta(microseconds=cell)
    if type_name == "timestamptz":
        return (EPOCH + dt.timedelta(microseconds=cell)).replace(tzinfo=dt.UTC)
    if type_name == "uuid":
        return uuid.UUID(hex=cell)
    if type_name == "string":
        return bytes.fromhex(cell).decode()
    if type_name == "json":
        return json.loads(bytes.fromhex(cell).decode(), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert type_name == "binary"
    return bytes.fromhex(cell)


@pytest.fixture(scope="session")
def dump(build_dir):
    return Dump(build_dir / "tests/sql/parquet_dump", build_dir / "libduckdb.so")


UTC = dt.UTC
STAMPS = [dt.datetime(1, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(9999, 12, 31, 23, 59, 59), None]
TYPES = [
    ("boolean", pa.bool_(), [True, False, None], None),
    ("integer", pa.int8(), [-128, 127, None], None),
    ("integer", pa.int16(), [-32768, 32767, None], None),
    ("integer", pa.int32(), [-(2**31), 2**31 - 1, None], None),
    ("bigint", pa.int64(), [-(2**63), 2**63 - 1, None], None),
    ("integer", pa.uint8(), [0, 255, None], None),
    ("integer", pa.uint16(), [0, 65535, None], None),
    ("bigint", pa.uint32(), [0, 2**32 - 1, None], None),
    ("decimal(20,0)", pa.uint64(), [0, 2**63, 2**64 - 1, None], None),
    ("float", pa.float16(), [1.5, -65504.0, math.inf, None], None),
    (
        "float",
        pa.float32(),
        [0.1, -0.0, 3.4028234663852886e38, math.inf, None],
        lambda v: pa.scalar(v, pa.float32()).as_py(),
    ),
    ("double", pa.float64(), [0.1, -0.0, 5e-324, 1.7976931348623157e308, -math.inf, None], None),
    ("decimal(4,2)", pa.decimal128(4, 2), [D("99.99"), D("-99.99"), D("0.00"), None], None),
    ("decimal(9,0)", pa.decimal128(9, 0), [D("999999999"), D("-999999999"), None], None),
    ("decimal(18,18)", pa.decimal128(18, 18), [D("0.999999999999999999"), D("-0.000000000000000001"), None], None),
    ("decimal(38,10)", pa.decimal128(38, 10), [D("9999999999999999999999999999.9999999999"), D("-1E-10"), None], None),
    ("decimal(30,2)", pa.decimal256(30, 2), [D("9999999999999999999999999999.99"), None], None),
    ("date", pa.date32(), [dt.date(1, 1, 1), dt.date(1970, 1, 1), dt.date(9999, 12, 31), None], None),
    ("time", pa.time32("ms"), [dt.time(0, 0), dt.time(23, 59, 59, 999000), None], None),
    ("time", pa.time64("us"), [dt.time(0, 0), dt.time(23, 59, 59, 999999), None], None),
    ("time", pa.time64("ns"), [dt.time(0, 0), dt.time(23, 59, 59, 999999), None], None),
    ("timestamp", pa.timestamp("s"), STAMPS, None),
    ("timestamp", pa.timestamp("ms"), [*STAMPS, dt.datetime(2024, 2, 29, 12, 0, 0, 1000)], None),
    ("timestamp", pa.timestamp("us"), [*STAMPS, dt.datetime(2024, 2, 29, 12, 0, 0, 1)], None),
    ("timestamp", pa.timestamp("ns"), [dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1, 0, 0, 0, 1), None], None),
    ("timestamptz", pa.timestamp("ms", "UTC"), [dt.datetime(2024, 2, 29, tzinfo=UTC), None], None),
    ("timestamptz", pa.timestamp("us", "Europe/Berlin"), [dt.datetime(2024, 7, 1, 1, 2, 3, 4, tzinfo=UTC), None], None),
    ("string", pa.string(), ["", "x", "twelve bytes", "thirteen byte", "ä\u0000🦆" * 20, None], None),
    ("string", pa.large_string(), ["", "x" * 100_000, None], None),
    ("string", pa.dictionary(pa.int32(), pa.string()), ["red", "green", "red", None], None),
    ("binary", pa.binary(), [b"", b"\xff\x00", b"x" * 13, None], None),
    ("binary", pa.binary(3), [b"abc", b"\x00\xff\x00", None], None),
    ("json", pa.list_(pa.int64()), [[1, None, -(2**63)], [], None], None),
    ("json", pa.list_(pa.int32(), 2), [[1, 2], None], None),
    ("json", pa.list_(pa.string()), [['a"b', "NaN", "\n"], None], None),
    (
        "json",
        pa.struct([("a", pa.int32()), ("b", pa.list_(pa.bool_()))]),
        [{"a": 1, "b": [True]}, {"a": None, "b": None}],
        None,
    ),
    ("json", pa.map_(pa.string(), pa.int32()), [[("k", 1), ("l", None)], None], lambda v: v if v is None else dict(v)),
    ("json", pa.list_(pa.float64()), [[0.5, math.nan, math.inf, -math.inf]], lambda v: [0.5, "NaN", "inf", "-inf"]),
]


@pytest.mark.parametrize(
    ("name", "arrow", "values", "expected"), TYPES, ids=[f"{i}-{t[1]}" for i, t in enumerate(TYPES)]
)
def test_type(dump, tmp_path, name, arrow, values, expected):
    pq.write_table(pa.table({"c": pa.array(values, arrow)}), tmp_path / "f.parquet")
    types, rows = dump(tmp_path / "f.parquet")
    assert types == {"c": name}
    wanted = [expected(v) if expected else v for v in values]
    assert [r[0] for r in rows] == wanted
    assert [math.copysign(1, r[0]) for r in rows if isinstance(r[0], float)] == [
        math.copysign(1, v) for v in wanted if isinstance(v, float)
    ]


def test_nan(dump, tmp_path):
    pq.write_table(pa.table({"f": pa.array([math.nan], pa.float32()), "d": [math.nan]}), tmp_path / "f.parquet")
    _, rows = dump(tmp_path / "f.parquet")
    assert all(math.isnan(v) for v in rows[0])


def test_uuid_and_json_types(dump, tmp_path):
    u = uuid.UUID("f0112233-4455-6677-8899-aabbccddeeff")
    table = pa.table({"u": pa.array([u.bytes, None], pa.uuid()), "j": pa.array(['{"a": [1, 2]}', None], pa.json_())})
    pq.write_table(table, tmp_path / "f.parquet")
    assert dump(tmp_path / "f.parquet") == ({"u": "uuid", "j": "json"}, [[u, {"a": [1, 2]}], [None, None]])


@pytest.mark.parametrize(
    ("text", "message"), [("{oops", "Invalid JSON found"), ('{"a": NaN}', r"column 'j', row 2: .*\{\"a\": NaN\}")]
)
def test_json_column_must_hold_json(dump, tmp_path, text, message):
    storage = pa.array(["1", text])
    pq.write_table(pa.table({"j": pa.ExtensionArray.from_storage(pa.json_(), storage)}), tmp_path / "f.parquet")
    with pytest.raises(Refused, match=message) as refused:
        dump(tmp_path / "f.parquet")
    assert refused.value.slug == "bad_data"


def test_interval_is_text(dump, tmp_path):
    target = tmp_path / "f.parquet"
    duckdb.connect().execute(f"COPY (SELECT INTERVAL '1 month 2 days 3 seconds' AS i) TO '{target}'")
    assert dump(target) == ({"i": "string"}, [["1 month 2 days 00:00:03"]])


@pytest.mark.parametrize("arrow", [pa.timestamp("ns"), pa.time64("ns")], ids=str)
def test_nanoseconds_are_not_cut_off(dump, tmp_path, arrow):
    pq.write_table(pa.table({"fine": [1, 2, 3], "t": pa.array([1000, None, 1_000_001], arrow)}), tmp_path / "f.parquet")
    with pytest.raises(Refused, match=r"column 't', row 3: .*nanoseconds \(\.\.\.001\)") as refused:
        dump(tmp_path / "f.parquet")
    assert refused.value.slug == "bad_data"
    assert "microseconds" in refused.value.hint


def test_what_duckdb_would_change_is_refused(dump, tmp_path):
    pq.write_table(pa.table({"z": pa.array([1000], pa.timestamp("ns", "UTC"))}), tmp_path / "nanos.parquet")
    with pytest.raises(Refused, match=r"nanos\.parquet: column 'z' holds instants in nanoseconds") as refused:
        dump(tmp_path / "nanos.parquet")
    assert refused.value.slug == "unsupported"
    pq.write_table(pa.table({"d": pa.array([D("1.23")], pa.decimal256(60, 2))}), tmp_path / "digits.parquet")
    with pytest.raises(Refused, match=r"column 'd' holds decimals of more than 38 digits"):
        dump(tmp_path / "digits.parquet")


def test_invalid_utf8_is_refused(dump, tmp_path):
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"s": bad}), tmp_path / "f.parquet")
    with pytest.raises(Refused, match="not valid UTF8") as refused:
        dump(tmp_path / "f.parquet")
    assert refused.value.slug == "bad_data"


def test_order_and_batches(dump, tmp_path):
    n = 300_000
    pq.write_table(
        pa.table({"i": range(n), "s": [f"row {i}" for i in range(n)]}), tmp_path / "f.parquet", row_group_size=7001
    )
    head, *rows, tail = dump.lines("--threads", 4, "--batch-rows", 10_007, tmp_path / "f.parquet")
    assert head["rows"] == n
    assert [r[0] for r in rows] == list(range(n))
    assert bytes.fromhex(rows[-1][1]).decode() == f"row {n - 1}"
    assert tail["batches"] == [10_007] * 29 + [n - 29 * 10_007]


def test_several_files_by_name(dump, tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"c": [True], "B": ["z"], "a": [3]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"a": pa.array([4], pa.int8())}), tmp_path / "3.parquet")
    types, rows = dump(*(tmp_path / f"{i}.parquet" for i in (1, 2, 3)))
    assert types == {"a": "bigint", "b": "string", "c": "boolean"}
    assert rows == [[1, "x", None], [2, "y", None], [3, "z", True], [4, None, None]]
    assert [r[0] for r in dump(*(tmp_path / f"{i}.parquet" for i in (3, 1, 2, 1)))[1]] == [4, 1, 2, 3, 1, 2]


WIDENED = [
    ("integer", pa.int8(), pa.int32(), True),
    ("decimal(38,0)", pa.int64(), pa.uint64(), True),
    ("double", pa.int32(), pa.float64(), True),
    ("double", pa.float32(), pa.float64(), True),
    ("double", pa.int64(), pa.float64(), False),
    ("float", pa.int32(), pa.float32(), False),
    ("decimal(12,4)", pa.decimal128(10, 2), pa.decimal128(8, 4), True),
    ("double", pa.decimal128(18, 2), pa.float64(), False),
    ("string", pa.int64(), pa.string(), True),
    ("timestamptz", pa.timestamp("us"), pa.timestamp("us", "UTC"), False),
]


@pytest.mark.parametrize(("name", "first", "second", "kept"), WIDENED, ids=lambda v: str(v))
def test_types_that_differ_between_files(dump, tmp_path, name, first, second, kept):
    for i, arrow in enumerate([first, second]):
        pq.write_table(pa.table({"c": pa.array([None], arrow)}), tmp_path / f"{i}.parquet")
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    if kept:
        assert dump(*paths) == ({"c": name}, [[None], [None]])
    else:
        with pytest.raises(Refused, match="column 'c' has a type here that its type in the other files") as refused:
            dump(*paths)
        assert refused.value.slug == "unsupported"


@pytest.mark.parametrize(
    "name", ["a*.parquet", "a[b].parquet", "a?.parquet", "~", "s3:", "it's.parquet", "dt=1.parquet", "-"]
)
def test_names_are_names(dump, tmp_path, name):
    """No name is a pattern, a home folder or a place on the network."""
    pq.write_table(pa.table({"i": [1]}), tmp_path / name)
    pq.write_table(pa.table({"i": [2]}), tmp_path / "ab.parquet")
    assert dump(tmp_path / name) == ({"i": "bigint"}, [[1]])
    assert dump(name, cwd=tmp_path) == ({"i": "bigint"}, [[1]])


def test_folder_names_make_no_columns(dump, tmp_path):
    (tmp_path / "dt=2024-01-01").mkdir()
    pq.write_table(pa.table({"i": [1]}), tmp_path / "dt=2024-01-01/f.parquet")
    assert dump(tmp_path / "dt=2024-01-01/f.parquet") == ({"i": "bigint"}, [[1]])


def test_links_are_followed(dump, tmp_path):
    (tmp_path / "real").mkdir()
    pq.write_table(pa.table({"i": [1]}), tmp_path / "real/f.parquet")
    (tmp_path / "link.parquet").symlink_to("real/f.parquet")
    assert dump(tmp_path / "link.parquet")[1] == [[1]]


def test_column_names(dump, tmp_path):
    names = ['say "hi"', "it's", "a b", "select", "ä", "x", "X", "new\nline"]
    pq.write_table(
        pa.Table.from_arrays([pa.array([i]) for i in range(len(names))], names=names), tmp_path / "f.parquet"
    )
    types, rows = dump(tmp_path / "f.parquet")
    assert list(types)[:6] == names[:6]
    assert len({n.lower() for n in types}) == len(names)
    assert rows == [list(range(len(names)))]


@pytest.mark.parametrize(
    ("content", "slug", "text"),
    [
        (None, "not_found", "cannot open"),
        (b"", "bad_data", "too small"),
        (b"id,name\n1,x\n" * 10, "bad_data", "No magic bytes"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "bad_data", ""),
    ],
    ids=["missing", "empty", "csv", "hollow"],
)
def test_no_parquet(dump, tmp_path, content, slug, text):
    path = tmp_path / "[f].parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        dump(path)
    assert refused.value.slug == slug
    assert text in refused.value.message
    assert "/proc/self/fd" not in refused.value.message


def test_folder_is_no_file(dump, tmp_path):
    with pytest.raises(Refused, match="not a regular file"):
        dump(tmp_path)


def test_damage_is_never_read_as_less(dump, tmp_path):
    """A byte flipped anywhere: an error, or all rows; not a part of them."""
    path = tmp_path / "f.parquet"
    n = 50_000
    pq.write_table(
        pa.table({"i": range(n), "s": [str(i * 7919) for i in range(n)]}), path, row_group_size=5000, compression="zstd"
    )
    good = path.read_bytes()
    refusals = []
    for at in range(4, len(good), len(good) // 60):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            lines = dump.lines("--count", path)
        except Refused as refused:
            refusals.append(refused)
        else:
            assert sum(lines[-1]["batches"]) == lines[0]["rows"]
    assert len(refusals) > 10  # there are no checksums in the file: some damage only changes a value
    assert {r.slug for r in refusals} <= {
        "bad_data",
        "io",
        "no_memory",
        "internal",
        "invalid",
        "unsupported",
        "accounting",
    }
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(Refused):
        dump("--count", path)


def test_memory_stays_small(dump, tmp_path):
    n = 3_000_000
    frame = pl.DataFrame({"i": range(n)}).with_columns(s=pl.format("some text that does not repeat {}", pl.col("i")))
    frame.write_parquet(tmp_path / "f.parquet", row_group_size=250_000)
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    args = [dump.program, "--count", "--memory", 64 << 20, "--threads", 2, tmp_path / "f.parquet"]
    run = subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        env={**os.environ, "FLOWFORGE_LIBDUCKDB": str(dump.library)},
        check=True,
        capture_output=True,
    )
    assert int(run.stdout) < 200 * 1024  # KiB; the values are some 140 MB


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=200
    ),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "brotli", "lz4"]),
    dictionary=st.booleans(),
    version=st.sampled_from(["1.0", "2.0"]),
)
def test_any_text(dump, tmp_path, values, compression, dictionary, version):
    pq.write_table(
        pa.table({"s": pa.array(values, pa.string())}),
        tmp_path / "f.parquet",
        compression=compression,
        use_dictionary=dictionary,
        data_page_version=version,
    )
    assert [r[0] for r in dump(tmp_path / "f.parquet")[1]] == values
