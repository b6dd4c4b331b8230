"""What the options of convert promise, and what is refused."""

import datetime
import decimal
import gzip
import json
import pathlib
import re
import subprocess
import sys
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tables
from flowforge import call, convert

PLAIN = ("--from", "csv", "--header", "-d", ",", "--quote", '"', "--skip-lines", "0", "--comment", "none")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,name,Other\n1,x,a\n2,y,b\n")
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out.parquet"


# ---- names ----


def test_rename(source, target):
    result = convert(source, target, "--rename", "id=key", "--rename", "name=id", "--dedupe", "key")
    assert tables.read(target) == {"key": [1, 2], "id": ["x", "y"], "Other": ["a", "b"]}
    assert [(c["name"], c["source_name"]) for c in result.report["schema"]] == [
        ("key", "id"), ("id", "name"), ("Other", "Other"),
    ]  # fmt: skip


@pytest.mark.parametrize("to", ["id", "ID", "Name", "other"])
def test_rename_collisions_name_both(source, target, to):
    first = "Other" if to.lower() != "other" else "id"
    result = convert(source, target, "--rename", f"{first}={to}", ok=False)
    assert first in result.err
    assert to.lower() in result.err.lower()
    assert not target.exists()


@pytest.mark.parametrize("bad", ["id", "id=", "=x"])
def test_rename_that_is_none(source, target, bad):
    assert convert(source, target, "--rename", bad, ok=False).code == 2


@pytest.mark.parametrize(
    "options", [("--dedupe", "nope"), ("--partition-by", "nope"), ("--dedupe", "id", "--order-by", "nope")]
)
def test_unknown_columns(source, target, options):
    result = convert(source, target, *options, ok=False)
    assert "nope" in result.err
    assert "name" in result.err


def test_header_names(tmp_path, target):
    source = tmp_path / "in.csv"
    source.write_text("a,,A, b ,a\n1,2,3,4,5\n")
    convert(source, target, *PLAIN)
    assert list(tables.read(target)) == ["a", "column_2", "A_2", "b", "a_3"]


# ---- declared schemas ----

EXACT = {
    "boolean": (["true", "F", "yes", "N", "1", "0"], [True, False, True, False, True, False], ["2", "tru", " true", ""]),
    "integer": (["007", "+5", "-2147483648", "2147483647"], [7, 5, -(2**31), 2**31 - 1],
                ["2147483648", "1.0", "1e3", " 7 x", " 7", "7 ", "--1", "0x1"]),
    "bigint": (["9223372036854775807", "-9223372036854775808", "+1"], [2**63 - 1, -(2**63), 1], ["9223372036854775808", "1.", "1_0"]),
    "double": (["1e5", "+.5", "inf", "-Infinity", "5."], [1e5, 0.5, float("inf"), float("-inf"), 5.0], ["1e999", "1,5", "e5", ".", "0x1p3"]),
    "float": (["1.5", "-0.25"], [1.5, -0.25], ["1e39", "abc"]),
    "decimal(10,2)": (["1.5", "-12345678.90", "1.500", "1e3", "+0.01"],
                      [decimal.Decimal(v) for v in ("1.50", "-12345678.90", "1.50", "1000.00", "0.01")],
                      ["1.005", "123456789.00", "nan", "1e9"]),
    "date": (["2024-02-29", "0001-01-01", "9999-12-31"], [datetime.date(2024, 2, 29), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
             ["2024-02-30", "2023-02-29", "2024-13-01", "2024-1-1", "20240101", "2024-01-01 00:00", "0000-01-01"]),
    "time": (["10:30", "23:59:59.999999", "00:00:00.1"], [datetime.time(10, 30), datetime.time(23, 59, 59, 999999), datetime.time(0, 0, 0, 100000)],
             ["24:00", "10:60", "1:00", "10:00:60", "10:00:00.1234567"]),
    "timestamp": (["2024-01-01", "2024-01-01T10:00", "2024-01-01 10:00:00.5"],
                  [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 10), datetime.datetime(2024, 1, 1, 10, 0, 0, 500000)],
                  ["2024-01-01T10:00Z", "2024-02-30 10:00", "2024-01-01 25:00"]),
    "timestamptz": (["2024-01-01T10:00Z", "2024-01-01 10:00+02:00"],
                    [datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.UTC), datetime.datetime(2024, 1, 1, 8, tzinfo=datetime.UTC)],
                    ["2024-01-01 10:00", "2024-01-01Z", "2024-01-01T10:00+24:00", "0001-01-01T00:00+01:00"]),
    "uuid": (["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
             [uuid.UUID("123e4567-e89b-12d3-a456-426614174000").bytes] * 2, ["123e4567e89b12d3a456426614174000", "x"]),
    "json": (['{"a": [1]}', "1", '"x"', "null"], ['{"a": [1]}', "1", '"x"', "null"], ["{", "[1,]", "x"]),
    "string": ([" 7 x", "007", ""], [" 7 x", "007", ""], []),
    "binary": (["abc", ""], [b"abc", b""], []),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXACT)
def test_each_type_is_exact(tmp_path, target, kind):
    good, values, bad = EXACT[kind]
    source = tmp_path / "in.csv"

    def quoted(text):
        return '"' + text.replace('"', '""') + '"'

    lines = [quoted(text) for text in [*good, *bad]]
    source.write_text("v,n\n" + "".join(f"{line},{n}\n" for n, line in enumerate(lines)) + ",99\n")
    schema = tables.write_json(tmp_path / "s.json", [{"name": "v", "type": kind}, {"name": "n", "type": "bigint"}])
    result = convert(
        source, target, *PLAIN, "--schema", schema, "--on-error", "quarantine", "--quarantine", tmp_path / "bad"
    )
    found = tables.read(target)
    tables.check({"v": [*values, None], "n": [*range(len(good)), 99]}, found)
    assert result.rows["rejected"] == len(bad)
    assert [r["record"] for r in result.report["rejects"]] == [len(good) + n + 1 for n in range(len(bad))]
    for reject, text in zip(result.report["rejects"], bad, strict=True):
        assert (reject["code"], reject["column"]) == ("CAST", "v")
        assert f'"{text}"' in reject["message"]


def test_schema_order_missing_and_extra(source, target, tmp_path):
    schema = tables.write_json(
        tmp_path / "s.json",
        [
            {"name": "Other", "type": "string"},
            {"name": "none", "type": "date"},
            {"name": "id", "type": "double", "nullable": False},
        ],
    )
    result = convert(source, target, "--schema", schema)
    assert tables.read(target) == {"Other": ["a", "b"], "none": [None, None], "id": [1.0, 2.0]}
    assert result.report["inputs"][0]["dropped_columns"] == ["name"]
    (warning,) = result.report["warnings"]
    assert "none" in warning
    assert [c["nullable"] for c in result.report["schema"]] == [True, True, False]
    assert not pq.ParquetFile(target).schema_arrow.field("id").nullable


def test_missing_column_that_must_not_be_null(source, target, tmp_path):
    schema = tables.write_json(tmp_path / "s.json", [{"name": "none", "type": "date", "nullable": False}])
    assert "none" in convert(source, target, "--schema", schema, ok=False).err
    assert not target.exists()


def test_null_where_none_may_be(tmp_path, target):
    source = tmp_path / "in.csv"
    source.write_text('a,b\n1,x\n,y\n3,""\n4,\n')
    schema = tables.write_json(
        tmp_path / "s.json",
        [{"name": "a", "type": "bigint", "nullable": False}, {"name": "b", "type": "string", "nullable": False}],
    )
    result = convert(
        source, target, *PLAIN, "--schema", schema, "--on-error", "quarantine", "--quarantine", tmp_path / "bad"
    )
    assert tables.read(target) == {"a": [1, 3], "b": ["x", ""]}
    assert [(r["record"], r["column"], r["code"]) for r in result.report["rejects"]] == [
        (2, "a", "NULL_VALUE"),
        (4, "b", "NULL_VALUE"),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '[{"name": "a"}]', '[{"type": "date"}]', '[{"name": "a", "type": "nope"}]', '[{"name": "a", "type": "date", "x": 1}]',
     '[{"name": "a", "type": "date"}, {"name": "A", "type": "date"}]', '[{"name": "a", "type": "decimal(39,2)"}]', "5"],
)  # fmt: skip
def test_schemas_that_are_none(source, target, tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    result = convert(source, target, "--schema", tmp_path / "s.json", ok=False)
    assert "s.json" in result.err
    assert not target.exists()


def test_schema_of_parquet_input(tmp_path, target):
    pq.write_table(pa.table({"a": ["1", "x", None], "b": [1.5, 2.0, 3.0]}), tmp_path / "in.parquet")
    schema = tables.write_json(tmp_path / "s.json", [{"name": "b", "type": "string"}, {"name": "a", "type": "bigint"}])
    result = convert(
        tmp_path / "in.parquet",
        target,
        "--schema",
        schema,
        "--on-error",
        "quarantine",
        "--quarantine",
        tmp_path / "bad",
    )
    assert tables.read(target) == {"b": ["1.5", "3.0"], "a": [1, None]}
    assert [(r["record"], r["column"], r["code"]) for r in result.report["rejects"]] == [(2, "a", "CAST")]


# ---- values ----


def test_null_values(tmp_path, target):
    source = tmp_path / "in.csv"
    source.write_text('a,b\n1,NULL\nNA,"NA"\n-,na\n,""\n')
    convert(source, target, *PLAIN, "--null-values", "NA,NULL,-")
    assert tables.read(target) == {"a": [1, None, None, None], "b": [None, None, "na", ""]}
    convert(source, target, *PLAIN, "--overwrite")
    assert tables.read(target) == {"a": ["1", "NA", "-", None], "b": ["NULL", "NA", "na", ""]}


# ---- inputs ----


def test_several_inputs_by_name(tmp_path, target):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b;a;c\ny;2;2024-01-01\n")
    (tmp_path / "3.csv").write_text("c\ta\n2024-01-02\t0.5\n")
    result = convert([tmp_path / f"{n}.csv" for n in (1, 2, 3)], target)
    day = datetime.date
    assert tables.read(target) == {
        "a": [1.0, 2.0, 0.5],
        "b": ["x", "y", None],
        "c": [None, day(2024, 1, 1), day(2024, 1, 2)],
    }
    assert [one["dialect"]["delimiter"] for one in result.report["inputs"]] == [",", ";", "\t"]
    assert [one["rows"] for one in result.report["inputs"]] == [1, 1, 1]


def test_inputs_of_two_formats_are_refused(tmp_path, source, target):
    (tmp_path / "x.ndjson").write_text('{"a": 1}\n')
    result = convert([source, tmp_path / "x.ndjson"], target, ok=False)
    assert "x.ndjson" in result.err


def test_standard_input(source, target):
    result = convert("-", target, stdin=source.read_bytes())
    assert tables.read(target)["id"] == [1, 2]
    assert result.report["inputs"][0]["path"] == "-"
    convert("-", target, "--overwrite", stdin=gzip.compress(source.read_bytes()))
    assert tables.read(target)["id"] == [1, 2]
    assert convert(["-", "-"], target, "--overwrite", ok=False, stdin=b"a\n1\n").code == 2


def test_compressed_inputs(tmp_path, source, target):
    big = "id,t\n" + "".join(f"{n},text {n}\n" for n in range(300_000))
    (tmp_path / "big.csv").write_text(big)
    # Two gzip members are one file.
    half = len(big) // 2
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(big[:half].encode()) + gzip.compress(big[half:].encode()))
    convert(tmp_path / "big.csv", tmp_path / "b.csv.zst")
    for name in ("a.csv.gz", "b.csv.zst"):
        for threads in ("1", "4"):
            result = convert(tmp_path / name, target, "--overwrite", "--threads", threads)
            assert pq.read_table(target)["id"].equals(pa.chunked_array([pa.array(range(300_000))])) or tables.read(
                target
            )["id"] == list(range(300_000))
            assert result.report["inputs"][0]["compression"] == ("gzip" if name.endswith("gz") else "zstd")
    cut = (tmp_path / "a.csv.gz").read_bytes()[:-20]
    (tmp_path / "cut.csv.gz").write_bytes(cut)
    target.unlink()
    convert(tmp_path / "cut.csv.gz", target, ok=False)
    assert not target.exists()


@pytest.mark.parametrize("text", ["", "a,b\n", "\n", "\ufeff", "a"])
def test_inputs_without_rows(tmp_path, target, text):
    source = tmp_path / "in.csv"
    source.write_text(text)
    result = convert(source, target, "--from", "csv", "--header", ok=None)
    assert result.code in (0, 1)
    if result.code == 0:
        assert result.rows["read"] == 0
        assert pq.ParquetFile(target).metadata.num_rows == 0
    else:
        assert result.err.strip()
        assert not target.exists()


# ---- outputs ----


def test_existing_output_is_kept(source, target):
    target.write_bytes(b"mine")
    result = convert(source, target, ok=False)
    assert target.read_bytes() == b"mine"
    assert "overwrit" in result.err
    convert(source, target, "--overwrite")
    assert tables.read(target)["id"] == [1, 2]


def test_failed_overwrite_keeps_what_was_there(source, target, tmp_path):
    target.write_bytes(b"mine")
    schema = tables.write_json(tmp_path / "s.json", [{"name": "name", "type": "bigint"}])
    convert(source, target, "--overwrite", "--schema", schema, ok=False)
    assert target.read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.parquet", "s.json"]


def test_dry_run_writes_nothing(source, target, tmp_path):
    source.write_text("a,b\n1,2\n1\n3,4\n")
    result = convert(source, target, *PLAIN, "--dry-run", "--on-error", "quarantine", "--quarantine", tmp_path / "bad")
    assert result.rows == {"read": 3, "written": 2, "rejected": 1, "deduped": 0, "filtered": 0}
    assert result.report["dry_run"] is True
    assert result.report["files"] == []
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]
    assert convert(source, target, *PLAIN, "--dry-run", ok=False).report["error"]["code"] == "bad_rows"
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("pattern", "shape"),
    [
        ("", r"\d{8}T\d{9}Z_in\.parquet"), ("{filename}", r"in\.parquet"), ("{date}-{seq}", r"\d{4}-\d\d-\d\d-00000\.parquet"),
        ("{run_id}", r"[0-9A-Z]{26}\.parquet"), ("{job}_x", r"convert_x\.parquet"), ("a:b*{seq}", r"a_b_00000\.parquet"),
    ],
)  # fmt: skip
def test_file_names(source, tmp_path, pattern, shape):
    options = ("--filename-pattern", pattern) if pattern else ()
    result = convert(source, f"{tmp_path}/out/", *options)
    (file,) = result.report["files"]
    assert re.fullmatch(shape, pathlib.Path(file["path"]).name), file["path"]
    assert tables.read(file["path"])["id"] == [1, 2]


@pytest.mark.parametrize("pattern", ["{nope}", "{seq", "seq}", "a/b", "{}"])
def test_file_names_that_are_none(source, tmp_path, pattern):
    convert(source, f"{tmp_path}/out/", "--filename-pattern", pattern, ok=False)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_folder_of_csv_gz(source, tmp_path):
    result = convert(
        source, f"{tmp_path}/out/", "--to", "csv", "--compression", "gzip", "--filename-pattern", "{filename}"
    )
    (file,) = result.report["files"]
    assert file["path"].endswith("/in.csv.gz")
    assert gzip.decompress(pathlib.Path(file["path"]).read_bytes()) == source.read_bytes()


# ---- the command line ----


@pytest.mark.parametrize(
    "options",
    [("--nope",), ("--threads", "0x"), ("--threads", "257"), ("--memory", "63M"), ("--memory", "x"), ("--on-error", "skip"),
     ("--on-error", "quarantine"), ("--quarantine", "x"), ("--max-rejects", "5"), ("--order-by", "id"), ("--from", "xml"),
     ("--header", "--no-header"), ("--delimiter", ""), ("--delimiter", "12345678"), ("--quote", "ab"), ("--skip-lines", "-1"),
     ("--all-text", "--schema", "x"), ("--level", "3"), ("--partition-by", "date:yyyy,id")],
)  # fmt: skip
def test_usage_errors(source, target, options):
    result = call("convert", *options, source, target)
    assert result.code == 2, result.err
    assert result.err.startswith("flowforge: ")
    assert not target.exists()


def test_report_file(source, target, tmp_path):
    done = call("convert", "-q", "--report", tmp_path / "r.json", source, target)
    assert (done.code, done.out, done.err) == (0, b"", "")
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report) == {
        "status", "run_id", "dry_run", "seconds", "passes", "bytes_in", "bytes_out", "rows", "rejects_by_code", "rejects",
        "schema", "inputs", "files", "quarantine", "warnings", "stages",
    }  # fmt: skip
    assert report["bytes_in"] == source.stat().st_size
    assert report["bytes_out"] == target.stat().st_size == report["files"][0]["bytes"]
    assert report["files"][0] == {"path": str(target), "rows": 2, "bytes": target.stat().st_size}
    assert report["passes"] == 1
    assert [s["name"] for s in report["stages"]] == ["read", "decode", "dedupe", "encode", "write", "publish"]


def test_missing_input(tmp_path, target):
    result = convert(tmp_path / "none.csv", target, ok=False)
    assert result.code == 1
    assert "none.csv" in result.err


def test_pipe_as_input(source, target):
    """A named pipe can be read only once, as standard input can."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.stdout.write('a,b\\n' + '1,x\\n' * 500000)"],
        capture_output=True,
        check=True,
    )
    convert("-", target, stdin=done.stdout)
    assert pq.ParquetFile(target).metadata.num_rows == 500_000
