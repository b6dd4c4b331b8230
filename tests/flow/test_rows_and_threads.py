"""The same rows in the same order, whatever the threads, the memory and the format of the output."""

import json
import math
import random

import csv_files
import duckdb
import polars
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import tables
from flowforge import convert

SETTINGS = [(1, "64M"), (2, "64M"), (4, "64M"), (190, "64M"), (2, "256M"), (1, "1G")]


def make_rows(rng, count):
    rows = []
    for n in range(count):
        rows.append(
            [
                str(n),
                rng.choice([None, repr(rng.uniform(-1e9, 1e9))]),
                f"20{rng.randrange(10, 30)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}",
                rng.choice(["", "plain", "ä🙂", 'q"x', "line\nend", "a,b", None]),
                rng.choice(["true", "false"]),
                "filler text of some length " * rng.randrange(4),
            ]
        )
    return rows


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    rng = random.Random(11)
    path = tmp_path_factory.mktemp("big") / "big.csv"
    rows = make_rows(rng, 60_000)
    path.write_bytes(csv_files.write(rows, ["id", "x", "d", "t", "b", "f"], csv_files.Dialect(), rng))
    return path


def test_every_thread_count_and_memory(big, tmp_path):
    seen = None
    for threads, memory in SETTINGS:
        target = tmp_path / f"{threads}-{memory}.parquet"
        result = convert(big, target, "--threads", str(threads), "--memory", memory)
        found = tables.read(target)
        assert found["id"] == list(range(60_000))
        schema = result.report["schema"]
        seen = seen or (found, schema)
        assert schema == seen[1]
        tables.check(seen[0], found)


@pytest.mark.parametrize("ending", ["csv", "ndjson", "csv.gz", "ndjson.zst"])
def test_text_output_is_equal_to_the_byte(big, tmp_path, ending):
    seen = set()
    for threads, memory in SETTINGS:
        target = tmp_path / f"{threads}-{memory}.{ending}"
        convert(big, target, "--threads", str(threads), "--memory", memory)
        data = target.read_bytes()
        if ending.endswith("gz"):
            import gzip

            data = gzip.decompress(data)
        elif ending.endswith("zst"):
            back = tmp_path / f"{threads}-{memory}.ndjson"
            convert(target, back)
            data = back.read_bytes()
        seen.add(data)
    assert len(seen) == 1


def test_round_trips(big, tmp_path):
    first = tmp_path / "first.parquet"
    convert(big, first)
    expected = tables.read(first)
    for ending in ("csv", "ndjson", "csv.gz", "ndjson.gz", "csv.zst", "ndjson.zst", "parquet"):
        middle, back = tmp_path / f"middle.{ending}", tmp_path / f"back-{ending}.parquet"
        convert(first, middle)
        result = convert(middle, back)
        assert result.rows["written"] == 60_000
        tables.check(expected, tables.read(back))
    text = (tmp_path / "middle.ndjson").read_text().splitlines()
    assert len(text) == 60_000
    for n in range(0, 60_000, 997):
        row = json.loads(text[n])
        assert row["id"] == n
        assert row["x"] == expected["x"][n]
        assert row["t"] == expected["t"][n]


def test_csv_of_csv_of_csv(big, tmp_path):
    convert(big, tmp_path / "1.csv")
    convert(tmp_path / "1.csv", tmp_path / "2.csv")
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


@pytest.mark.parametrize("part", range(40))
def test_small_round_trips(tmp_path, part):
    from test_inference import random_column

    rng = csv_files.seeded("trip", part)
    count = rng.choice([1, 2, 5])
    columns = {f"c{n}": random_column(rng, 60) for n in range(count)}
    rows = list(zip(*columns.values(), strict=True))
    source = tmp_path / "in.csv"
    source.write_bytes(csv_files.write(rows, list(columns), csv_files.Dialect(quoting="random"), rng))
    options = ("--header", "-d", ",", "--quote", '"', "--skip-lines", "0", "--comment", "none", "--encoding", "UTF-8")
    convert(source, tmp_path / "a.parquet", "--from", "csv", *options)
    expected = tables.read(tmp_path / "a.parquet")
    convert(tmp_path / "a.parquet", tmp_path / "b.csv")
    result = convert(tmp_path / "b.csv", tmp_path / "c.parquet", "--from", "csv", *options)
    found = tables.read(tmp_path / "c.parquet")
    assert list(found) == list(expected)
    for name, values in expected.items():
        tables.check_column(name, values, found[name])
    assert result.rows["written"] == 60
    convert(tmp_path / "a.parquet", tmp_path / "d.ndjson")
    for line, row in zip(
        (tmp_path / "d.ndjson").read_text().splitlines(), zip(*expected.values(), strict=True), strict=True
    ):
        back = json.loads(line)
        for name, value in zip(expected, row, strict=True):
            if isinstance(value, float | int | str | type(None)):
                assert back[name] == value or math.isclose(back[name], value, rel_tol=0)


def test_peers_read_what_we_write(big, tmp_path):
    target = tmp_path / "out.parquet"
    convert(big, target)
    ours = tables.read(target)
    rows = list(zip(*ours.values(), strict=True))
    assert duckdb.sql(f"select * from '{target}'").fetchall() == rows
    assert polars.read_parquet(target).rows() == rows
    assert pyarrow.dataset.dataset(target).count_rows() == len(rows)
    csv = tmp_path / "out.csv"
    convert(big, csv)
    frame = polars.read_csv(csv, try_parse_dates=True)
    assert frame["id"].to_list() == ours["id"]
    assert frame["x"].to_list() == ours["x"]
    lines = tmp_path / "out.ndjson"
    convert(big, lines)
    frame = polars.read_ndjson(lines)
    for name in ("id", "x", "t", "b", "f"):
        assert frame[name].to_list() == ours[name]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "zstd"])
@pytest.mark.parametrize("ending", ["parquet", "csv", "ndjson"])
def test_compressions(big, tmp_path, codec, ending):
    suffix = {"gzip": ".gz", "zstd": ".zst"}.get(codec, "")
    for name in {f"out.{ending}{suffix}", f"out.{ending}"}:
        target = tmp_path / name
        if ending == "parquet" and suffix and name.endswith(suffix):
            continue
        allowed = codec != "snappy" or ending == "parquet"
        convert(big, target, "--compression", codec, "--overwrite", ok=allowed)
        assert target.exists() == allowed
        if not allowed:
            continue
        back = tmp_path / "back.parquet"
        convert(target, back, "--overwrite")
        assert tables.read(back)["id"] == list(range(60_000))
        head = target.read_bytes()[:4]
        magic = (
            b"PAR1" if ending == "parquet" else {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}.get(codec, b"id,x")
        )
        if ending == "ndjson" and codec == "none":
            magic = b'{"id'
        assert head.startswith(magic)
        if ending == "parquet":
            column = pq.ParquetFile(target).metadata.row_group(0).column(0)
            assert column.compression == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


@pytest.mark.parametrize(("codec", "levels", "bad"), [("gzip", (1, 9), 10), ("zstd", (1, 19), 20)])
def test_levels(tmp_path, codec, levels, bad):
    source = tmp_path / "in.csv"
    source.write_text("a,b\n" + "".join(f"{n},text {n % 13}\n" for n in range(2000)))
    for level in levels:
        for ending in ("parquet", "ndjson"):
            target = tmp_path / f"{level}.{ending}"
            convert(source, target, "--compression", codec, "--level", str(level))
            convert(target, tmp_path / "back.csv", "--overwrite")
            assert (tmp_path / "back.csv").read_bytes() == source.read_bytes()
    assert convert(source, tmp_path / "x.parquet", "--compression", codec, "--level", str(bad), ok=False).code == 2
    assert convert(source, tmp_path / "x.parquet", "--compression", "snappy", "--level", "3", ok=False).code == 2
