"""Bad rows: where they are, what they say, and that none is lost (DESIGN 3.5)."""

import json
import random

import pyarrow.parquet as pq
import pytest
import tables
from flowforge import SMALL_CHUNKS, convert

COLUMNS = [
    "run_id", "job_id", "source_uri", "row_number", "line", "byte_offset", "byte_length", "column", "error_code",
    "error_message", "raw", "raw_encoding",
]  # fmt: skip
SCHEMA = [{"name": "id", "type": "bigint"}, {"name": "d", "type": "date"}, {"name": "t", "type": "string"}]


def line_count(data):
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")


def make_file(rng, rows, end):
    """Bytes with bad rows among quoted line ends, and what is known of each bad row."""
    out, bad, good = [b"id,d,t" + end], [], []
    at = len(out[0])
    line = 2
    for number in range(1, rows + 1):
        kind = rng.random()
        text = rng.choice(['"a\nb"', '"x\r\ny""z"', "plain", '"q,\r"', "", '""', "ä🙂"]).encode()
        record, code, column = b"%d,2024-01-02,%s" % (number, text), None, None
        if kind < 0.02:
            record, code, column = b"x%d,2024-01-02,%s" % (number, text), "CAST", "id"
        elif kind < 0.04:
            record, code, column = b"%d,2024-02-30,%s" % (number, text), "CAST", "d"
        elif kind < 0.06:
            record, code = b"%d,2024-01-02" % number, "MISSING_COLUMNS"
        elif kind < 0.08:
            record, code = b"%d,2024-01-02,%s,more" % (number, text), "TOO_MANY_COLUMNS"
        elif kind < 0.10:
            record, code = b"%d,2024-01-02,\xff\xfe%d" % (number, number), "INVALID_ENCODING"
        elif kind < 0.12 and number % 100 == 0:
            record, code = b'%d,2024-01-02,"a" b' % number, "UNTERMINATED_QUOTE"
        if code:
            bad.append((number, line, at, record, column, code))
        else:
            good.append(number)
        whole = record + end
        out.append(whole)
        at += len(whole)
        line += line_count(whole)
    return b"".join(out), bad, good


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("options", [("--threads", "1"), ("--threads", "2"), SMALL_CHUNKS])
def test_positions_are_exact(tmp_path, end, options):
    data, bad, good = make_file(random.Random(7), 12000, end)
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_bytes(data)
    schema = tables.write_json(tmp_path / "schema.json", SCHEMA)
    quarantine = tmp_path / "bad"
    result = convert(
        source, target, "--from", "csv", "--schema", schema, "--encoding", "UTF-8", "--delimiter", ",", "--quote", '"',
        "--escape", '"', "--header", "--on-error", "quarantine", "--quarantine", quarantine, *options,
    )  # fmt: skip
    assert result.report["status"] == "completed_with_rejects"
    assert tables.read(target)["id"] == good
    path = result.report["quarantine"]
    assert path.startswith(str(quarantine))
    assert f"/run_id={result.report['run_id']}/rejects-" in path
    assert "/job=convert/dt=" in path
    table = pq.ParquetFile(path).read()
    assert table.column_names == COLUMNS
    found = table.to_pylist()
    assert len(found) == len(bad) == result.rows["rejected"]
    for row, (number, line, at, record, column, code) in zip(found, bad, strict=True):
        assert (row["row_number"], row["line"], row["byte_offset"]) == (number, line, at), row
        assert (row["byte_length"], row["column"], row["error_code"]) == (len(record), column, code), row
        assert data[at : at + row["byte_length"]] == record
        if row["raw_encoding"] == "utf-8":
            assert row["raw"].encode() == record
        else:
            import base64

            assert row["raw_encoding"] == "base64"
            assert base64.b64decode(row["raw"]) == record
        assert (row["raw_encoding"] == "base64") == (code == "INVALID_ENCODING")
        assert row["source_uri"] == str(source)
        assert row["run_id"] == result.report["run_id"]
        assert row["error_message"]
    counts = {}
    for one in bad:
        counts[one[5]] = counts.get(one[5], 0) + 1
    assert result.report["rejects_by_code"] == counts
    assert len(counts) == 5
    first = result.report["rejects"]
    assert len(first) == 100
    assert [one["record"] for one in first] == [one[0] for one in bad[:100]]
    assert [one["byte_offset"] for one in first] == [one[2] for one in bad[:100]]


@pytest.mark.parametrize("options", [("--threads", "1"), ("--threads", "4"), SMALL_CHUNKS])
def test_fail_names_the_first_hundred(tmp_path, options):
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text("id\n" + "".join(f"{n}\n" if n % 50 else f"x{n}\n" for n in range(1, 60_001)))
    schema = tables.write_json(tmp_path / "schema.json", [{"name": "id", "type": "integer"}])
    result = convert(source, target, "--schema", schema, "--header", *options, ok=False)
    assert not target.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "schema.json"]
    assert [one["record"] for one in result.report["rejects"]] == [50 * n for n in range(1, 101)]
    assert [one["line"] for one in result.report["rejects"]] == [50 * n + 1 for n in range(1, 101)]
    assert all(one["column"] == "id" and one["code"] == "CAST" for one in result.report["rejects"])
    assert result.report["error"]["code"] == "bad_rows"
    assert "x50" in result.err
    assert result.err.count("CAST") >= 100


def test_few_bad_rows_are_counted_exactly(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("id\n" + "".join(f"{n}\n" if n % 10_000 else f"x{n}\n" for n in range(1, 60_001)))
    schema = tables.write_json(tmp_path / "schema.json", [{"name": "id", "type": "integer"}])
    result = convert(source, tmp_path / "out.parquet", "--schema", schema, "--header", *SMALL_CHUNKS, ok=False)
    assert [one["record"] for one in result.report["rejects"]] == [10_000 * n for n in range(1, 7)]
    assert "6 bad rows" in result.err


@pytest.mark.parametrize(("most", "good"), [(9, False), (10, True), (11, True), (0, False)])
def test_max_rejects(tmp_path, most, good):
    source, target, bad = tmp_path / "in.csv", tmp_path / "out.parquet", tmp_path / "bad"
    source.write_text("a,b\n" + "1,2\n" * 100 + "1\n" * 10)
    options = ("--on-error", "quarantine", "--quarantine", bad, "--max-rejects", str(most), "--header", "-d", ",")
    result = convert(source, target, *options, ok=good)
    assert target.exists() == good
    assert bool(list(bad.rglob("*.parquet"))) == good
    if not good:
        assert "--max-rejects" in result.err


def test_no_bad_row_no_quarantine(tmp_path):
    source, bad = tmp_path / "in.csv", tmp_path / "bad"
    source.write_text("a,b\n1,2\n")
    result = convert(source, tmp_path / "out.parquet", "--on-error", "quarantine", "--quarantine", bad)
    assert result.report["quarantine"] is None
    assert not bad.exists()


def test_unclosed_quote_costs_one_line(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    lines = [f"{n},text{n}\n" for n in range(1, 1001)]
    lines[500] = '501,"never closed\n'
    source.write_text("id,t\n" + "".join(lines))
    data = source.read_bytes()
    options = ("--header", "-d", ",", "--quote", '"', "--on-error", "quarantine", "--quarantine", tmp_path / "bad")
    for more in ((), SMALL_CHUNKS):
        result = convert(source, target, "--overwrite", *options, *more)
        assert result.rows == {"read": 1000, "written": 999, "rejected": 1, "deduped": 0, "filtered": 0}
        (row,) = pq.ParquetFile(result.report["quarantine"]).read().to_pylist()
        assert row["error_code"] == "UNTERMINATED_QUOTE"
        assert (row["row_number"], row["line"]) == (501, 502)
        assert data[row["byte_offset"] :][: row["byte_length"]] == b'501,"never closed'
        assert tables.read(target)["id"] == [n for n in range(1, 1001) if n != 501]


def test_row_too_long(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    long = "y" * 5000
    source.write_text("id,t\n" + "".join(f"{n},{long if n == 700 else 'x'}\n" for n in range(1, 1001)))
    options = (
        "--header",
        "-d",
        ",",
        "--max-record",
        "4K",
        "--on-error",
        "quarantine",
        "--quarantine",
        tmp_path / "bad",
    )
    result = convert(source, target, *options)
    (row,) = pq.ParquetFile(result.report["quarantine"]).read().to_pylist()
    assert (row["error_code"], row["row_number"], row["byte_length"]) == ("ROW_TOO_LONG", 700, 5004)
    assert row["raw"] == "700," + long
    assert result.rows["written"] == 999


def test_json_positions(tmp_path):
    rng = random.Random(3)
    lines, bad, at = [], [], 0
    for number in range(1, 20_001):
        text = json.dumps({"id": number, "t": "ä" * rng.randrange(5)}, ensure_ascii=False).encode()
        if rng.random() < 0.01:
            text = text[:-1]
            bad.append((number, number, at, text))
        lines.append(text + b"\n")
        at += len(lines[-1])
    data = b"".join(lines)
    source = tmp_path / "in.ndjson"
    source.write_bytes(data)
    for options in ((), SMALL_CHUNKS):
        result = convert(
            source, tmp_path / "out.parquet", "--overwrite", "--on-error", "quarantine", "--quarantine",
            tmp_path / "bad", *options,
        )  # fmt: skip
        rows = pq.ParquetFile(result.report["quarantine"]).read().to_pylist()
        assert [(r["row_number"], r["line"], r["byte_offset"], r["raw"].encode()) for r in rows] == bad
        assert all(data[r["byte_offset"] :][: r["byte_length"]] == r["raw"].encode() for r in rows)


def test_bad_rows_of_several_inputs(tmp_path):
    paths = []
    for n in range(3):
        paths.append(tmp_path / f"in{n}.csv")
        paths[-1].write_text("\n" * n + "a,b\n" + f"{n},x\n" * (n + 1) + f"{n}\n" + f"{n},y\n")
    result = convert(
        paths,
        tmp_path / "out.parquet",
        "--header",
        "-d",
        ",",
        "--on-error",
        "quarantine",
        "--quarantine",
        tmp_path / "bad",
    )
    rows = pq.ParquetFile(result.report["quarantine"]).read().to_pylist()
    assert [(r["source_uri"], r["row_number"], r["line"]) for r in rows] == [
        (str(path), n + 2, 2 * n + 3) for n, path in enumerate(paths)
    ]
    for row, path in zip(rows, paths, strict=True):
        assert path.read_bytes()[row["byte_offset"] :][: row["byte_length"]].decode() == row["raw"]


def test_too_many_rejects_in_a_second_pass(tmp_path):
    """Rejects of the pass that only looks are not counted twice."""
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    rows, filler = 70_000, "x" * 200
    source.write_text(
        "a,b\n" + "".join(f"{n},{filler}\n" if n % 1000 != 500 else "short\n" for n in range(rows)) + "text,y\n"
    )
    options = ("--header", "-d", ",", "--on-error", "quarantine", "--quarantine", tmp_path / "bad")
    result = convert(source, target, *options, "--max-rejects", "70")
    assert result.report["passes"] == 2
    assert result.rows == {"read": rows + 1, "written": rows - 69, "rejected": 70, "deduped": 0, "filtered": 0}
    assert pq.ParquetFile(result.report["quarantine"]).metadata.num_rows == 70
    assert (
        len(list((tmp_path / "bad").rglob("*")))
        == len(result.report["quarantine"][len(str(tmp_path / "bad")) :].split("/")) - 1
    )
