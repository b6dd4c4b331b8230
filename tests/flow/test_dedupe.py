"""Dedupe and partitions against plain Python models."""

import datetime
import random
import urllib.parse

import csv_files
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import tables
from flowforge import SMALL_CHUNKS, convert

CSV = (
    "--from",
    "csv",
    "--header",
    "-d",
    ",",
    "--quote",
    '"',
    "--skip-lines",
    "0",
    "--comment",
    "none",
    "--encoding",
    "UTF-8",
)


def winners(rows, key, order=None):
    best = {}
    for at, row in enumerate(rows):
        rank = (order(row) is not None, order(row) if order(row) is not None else 0) if order else ()
        if key(row) not in best or rank >= best[key(row)][0]:
            best[key(row)] = (rank, at)
    return sorted(at for _, at in best.values())


def write(path, rows, names):
    path.write_bytes(
        csv_files.write(
            [[None if c is None else str(c) for c in r] for r in rows], names, csv_files.Dialect(), random.Random(0)
        )
    )


@pytest.mark.parametrize("options", [("--threads", "1"), ("--threads", "4"), SMALL_CHUNKS])
@pytest.mark.parametrize("order", [None, "v", "day"])
def test_against_the_model(tmp_path, options, order):
    rng = random.Random(4)
    rows = []
    for n in range(50_000):
        day = datetime.date(2020, 1, 1) + datetime.timedelta(days=rng.randrange(400))
        rows.append(
            (rng.randrange(20_000), rng.choice("abc"), None if rng.random() < 0.1 else rng.randrange(-50, 50), day, n)
        )
    names = ["id", "k", "v", "day", "n"]
    write(tmp_path / "in.csv", rows, names)
    keys, pick = (("id", "k"), lambda r: (r[0], r[1]))
    at = {"v": 2, "day": 3}.get(order)
    kept = winners(rows, pick, (lambda r: r[at]) if order else None)
    more = ("--order-by", order) if order else ()
    result = convert(tmp_path / "in.csv", tmp_path / "out.parquet", *CSV, "--dedupe", ",".join(keys), *more, *options)
    assert tables.read(tmp_path / "out.parquet")["n"] == kept
    assert result.rows == {
        "read": len(rows), "written": len(kept), "rejected": 0, "deduped": len(rows) - len(kept), "filtered": 0,
    }  # fmt: skip


def test_more_keys_than_memory_holds(tmp_path):
    """3 million keys of 16 bytes do not fit in a quarter of 64 MiB."""
    half = 1_500_000
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    with source.open("w") as out:
        out.write("id,n\n")
        for start in range(0, 2 * half, 100_000):
            out.write("".join(f"{n % half * 7919},{n}\n" for n in range(start, start + 100_000)))
    temp = tmp_path / "temp"
    temp.mkdir()
    result = convert(source, target, *CSV, "--dedupe", "id", "--order-by", "n", "--temp-dir", temp)
    assert result.rows["written"] == half
    found = pq.read_table(target)["n"]
    assert found.equals(pa.chunked_array([pa.array(range(half, 2 * half))])) or found.to_pylist() == list(
        range(half, 2 * half)
    )
    assert list(temp.iterdir()) == []


def test_null_keys_are_bad_rows(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text("id,t\n1,a\n,b\n2,c\n,d\n1,e\n")
    result = convert(source, target, *CSV, "--dedupe", "id", ok=False)
    assert [r["code"] for r in result.report["rejects"]] == ["NULL_KEY", "NULL_KEY"]
    result = convert(
        source, target, *CSV, "--dedupe", "id", "--on-error", "quarantine", "--quarantine", tmp_path / "bad"
    )
    assert tables.read(target) == {"id": [2, 1], "t": ["c", "e"]}
    assert result.rows == {"read": 5, "written": 2, "rejected": 2, "deduped": 1, "filtered": 0}
    found = pq.ParquetFile(result.report["quarantine"]).read().to_pylist()
    assert [(r["error_code"], r["row_number"], r["column"], r["raw"]) for r in found] == [
        ("NULL_KEY", 2, "id", ",b"), ("NULL_KEY", 4, "id", ",d"),
    ]  # fmt: skip


def test_key_that_widens_late(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    filler = "x" * 200
    rows = [f"{n % 1000},{n},{filler}\n" for n in range(70_000)]
    source.write_text("id,n,f\n" + "".join(rows) + "last,70000,y\n")
    result = convert(source, target, *CSV, "--dedupe", "id")
    assert tables.read(target)["id"] == [str(n) for n in range(1000)] + ["last"]
    assert tables.read(target)["n"] == [*range(69_000, 70_000), 70_000]
    assert result.rows["deduped"] == 69_000


SPECIAL = [
    "plain",
    "a b",
    "a/b",
    "50%",
    "ä",
    "x=y",
    "q?",
    "#",
    "..",
    ".",
    "a:b",
    "漢字",
    "%2F",
    "\\",
    "*",
    "'",
    '"',
    "&",
    "A",
    "a",
]


@pytest.mark.parametrize("columns", [("k",), ("k", "y"), ("y",)])
@pytest.mark.parametrize("options", [("--threads", "2"), SMALL_CHUNKS])
def test_partitions(tmp_path, columns, options):
    rng = random.Random(9)
    rows = [(rng.choice([*SPECIAL, None]), rng.choice([2023, 2024, None]), n) for n in range(5000)]
    write(tmp_path / "in.csv", rows, ["k", "y", "n"])
    folder = tmp_path / "out"
    result = convert(tmp_path / "in.csv", folder, *CSV, "--partition-by", ",".join(columns), *options)
    groups = {}
    for row in rows:
        picked = dict(zip(("k", "y"), row, strict=False))
        path = "/".join(
            f"{c}={'__HIVE_DEFAULT_PARTITION__' if picked[c] is None else urllib.parse.quote(str(picked[c]), safe='')}"
            for c in columns
        )
        groups.setdefault(path, []).append(row)
    files = list(folder.rglob("*.parquet"))
    assert {str(f.parent.relative_to(folder)) for f in files} == set(groups)
    assert len(files) == len(result.report["files"]) == len(groups)
    for file in files:
        found = tables.read(file)
        expected = groups[str(file.parent.relative_to(folder))]
        assert list(zip(found["k"], found["y"], found["n"], strict=True)) == expected
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]


def test_hundreds_of_partitions(tmp_path):
    rows = [(n % 600, f"2024-01-{n % 28 + 1:02}", n) for n in range(30_000)]
    write(tmp_path / "in.csv", rows, ["k", "day", "n"])
    result = convert(tmp_path / "in.csv", tmp_path / "out", *CSV, "--partition-by", "k")
    assert len(result.report["files"]) == 600
    part = ds.partitioning(pa.schema([("k", pa.int64())]), flavor="hive")
    data = ds.dataset(tmp_path / "out", format="parquet", partitioning=part)
    assert data.count_rows() == 30_000
    assert sorted(data.to_table(filter=ds.field("k") == 7)["n"].to_pylist()) == list(range(7, 30_000, 600))
    for k in (0, 1, 599):
        found = pq.ParquetFile(next((tmp_path / "out" / f"k={k}").iterdir())).read()
        assert found["n"].to_pylist() == list(range(k, 30_000, 600))
        assert found["k"].to_pylist() == [k] * 50


@pytest.mark.parametrize("pattern", ["yyyy/MM/dd", "dt=yyyy-MM-dd", "yyyyMMdd/HH", "year=yyyy/month=MM", "sales/yyyy"])
def test_dates(tmp_path, pattern):
    source = tmp_path / "in.csv"
    source.write_text("a\n1\n")
    before = datetime.datetime.now(datetime.UTC)
    result = convert(source, tmp_path / "out", "--partition-by", f"date:{pattern}", "--header")
    after = datetime.datetime.now(datetime.UTC)
    (file,) = result.report["files"]
    paths = set()
    for now in (before, after):
        path = pattern
        for token, code in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H")):
            path = path.replace(token, now.strftime(code))
        paths.add(str(tmp_path / "out" / path))
    assert file["path"].rpartition("/")[0] in paths
    assert tables.read(file["path"]) == {"a": [1]}


@pytest.mark.parametrize(
    "pattern", ["", "yyyy/mm", "YYYY", "/yyyy", "yyyy/", "yyyy//MM", "..", "yyyy/../MM", "dd\\HH", "yyyyT", "ss"]
)
def test_bad_date_patterns(tmp_path, pattern):
    source = tmp_path / "in.csv"
    source.write_text("a\n1\n")
    convert(source, tmp_path / "out", "--partition-by", f"date:{pattern}", ok=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]
