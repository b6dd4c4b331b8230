"""preview: facts, first rows and bad rows of the head, at once on a file of any size."""

import statistics
import time

import pyarrow as pa
import pyarrow.parquet as pq
from flowforge import preview


def test_facts_and_rows(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text('id;name;day\n1;ä;2024-01-02\n2;;2024-01-03\n3;"x\ny";\nbad\n4;z;2024-01-04\n', encoding="utf-8")
    seen = preview(source).report
    facts = seen["input"]
    assert (facts["format"], facts["encoding"], facts["compression"]) == ("csv", "UTF-8", "none")
    dialect = facts["dialect"]
    assert (dialect["delimiter"], dialect["quote"], dialect["header"], dialect["newline"]) == (";", '"', True, "LF")
    assert [(c["name"], c["type"]) for c in seen["schema"]] == [("id", "bigint"), ("name", "string"), ("day", "date")]
    assert seen["rows"] == [
        ["1", "ä", "2024-01-02"], ["2", None, "2024-01-03"], ["3", "x\ny", None], ["4", "z", "2024-01-04"],
    ]  # fmt: skip
    assert seen["records"] == 5
    assert seen["rejected"] == 1
    assert seen["whole"] is True
    (bad,) = seen["rejects"]
    assert (bad["code"], bad["record"], bad["line"], bad["raw"]) == ("MISSING_COLUMNS", 4, 6, "bad")
    assert source.read_bytes()[bad["byte_offset"] :][:3] == b"bad"


def test_other_formats(tmp_path):
    lines = tmp_path / "in.ndjson"
    lines.write_text('{"a": 1, "b": [1]}\n{"a": 2.5}\n')
    seen = preview(lines).report
    assert seen["input"]["format"] == "ndjson"
    assert [(c["name"], c["type"]) for c in seen["schema"]] == [("a", "double"), ("b", "json")]
    assert seen["rows"] == [["1.0", "[1]"], ["2.5", None]]
    pq.write_table(pa.table({"a": [1, None], "t": ["x", "y"]}), tmp_path / "in.parquet")
    seen = preview(tmp_path / "in.parquet").report
    assert seen["input"]["format"] == "parquet"
    assert seen["rows"] == [["1", "x"], [None, "y"]]
    assert seen["whole"] is True


def test_rows_option_and_missing_file(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("a\n" + "1\n" * 50)
    assert len(preview(source).report["rows"]) == 10
    assert len(preview(source, "--rows", "3").report["rows"]) == 3
    assert preview(tmp_path / "none.csv", ok=False).code == 1


def test_quick_on_a_big_file(tmp_path):
    source = tmp_path / "big.csv"
    block = "".join(f"{n},2024-01-02 03:04:05,name {n},{n / 7:.4f},true\n" for n in range(20_000)).encode()
    with source.open("wb") as out:
        out.write(b"id,at,name,x,b\n")
        for _ in range((300 << 20) // len(block)):
            out.write(block)
    taken = []
    for _ in range(5):
        began = time.monotonic()
        seen = preview(source).report
        taken.append(time.monotonic() - began)
    source.unlink()
    assert seen["whole"] is False
    assert [c["type"] for c in seen["schema"]] == ["bigint", "timestamp", "string", "double", "boolean"]
    assert statistics.median(taken) < 0.2
