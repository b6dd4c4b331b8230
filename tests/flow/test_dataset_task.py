"""Dataset jobs as tasks: what the SQL gives is what the files hold, and SQL reaches nothing but its inputs."""

import datetime
import decimal
import json
import os
import signal
import subprocess
import time

import flowforge
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_task import Lake


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path)
    made.add_input(
        "orders",
        pa.table({"id": [1, 2, 3], "customer": ["ann", "bob", "ann"], "amount": [10.5, 2.25, None]}),
        pa.table({"id": [4, 5], "customer": ["bob", None], "amount": [7.0, 1.0], "note": ["late", None]}),
    )
    made.add_input("customers", pa.table({"name": ["ann", "bob"], "city": ["Bonn", "Köln"]}))
    return made


def test_full(lake):
    sql = "SELECT c.city, count(*) AS n, sum(o.amount) AS total\nFROM orders o JOIN customers c ON o.customer = c.name\nGROUP BY ALL ORDER BY city; -- done;"
    result = lake.run(sql)
    assert result["replace_all"]
    assert result["rows"] == {"read": 2, "written": 2, "rejected": 0, "deduped": 0, "filtered": 0, "replaced": 0}
    assert lake.rows() == [{"city": "Bonn", "n": 2, "total": 10.5}, {"city": "Köln", "n": 2, "total": 9.25}]
    assert [(c["name"], c["type"]) for c in result["schema"]] == [
        ("city", "string"),
        ("n", "bigint"),
        ("total", "double"),
    ]
    lake.run("SELECT id FROM orders ORDER BY id DESC")
    assert lake.rows() == [{"id": n} for n in (5, 4, 3, 2, 1)]
    lake.run("SELECT id FROM orders WHERE false")
    assert lake.rows() == [] and len(lake.files) == 1


def test_columns_that_only_some_files_have(lake):
    lake.run("SELECT id, note FROM orders")
    assert [row["note"] for row in lake.rows()] == [None, None, None, "late", None]


def test_inputs_without_files(tmp_path):
    lake = Lake(tmp_path)
    lake.add_input("empty", schema=[{"name": "id", "type": "decimal(9,2)", "nullable": True, "source_name": "id"}])
    result = lake.run("SELECT id, 1 AS one FROM empty")
    assert [c["type"] for c in result["schema"]] == ["decimal(9,2)", "integer"] and result["rows"]["read"] == 0
    lake.run("SELECT count(id) AS n FROM empty")
    assert lake.rows() == [{"n": 0}]


def test_order_is_kept_over_many_rows(lake):
    lake.run("SELECT range AS n, 'x' || (range % 1000) AS t, [range] AS l FROM range(700000) ORDER BY hash(range)")
    rows = pq.ParquetFile(lake.lake / lake.files[0]["path"]).read()
    assert rows.num_rows == 700000
    lake.add_input("made", rows.select(["n"]))
    lake.run("SELECT n FROM made ORDER BY n DESC")
    assert [r["n"] for r in lake.rows()] == list(range(699999, -1, -1))


def test_types(lake):
    result = lake.run(
        "SELECT 1::TINYINT AS a, sum(id) AS b, 1.5::DECIMAL(9,2) AS c, [1, 2] AS d, {'x': 'NaN'::DOUBLE} AS e,"
        " INTERVAL 3 DAY AS f, DATE '2024-02-29' AS g, TIMESTAMPTZ '2024-01-01 12:00:00+02' AS h, '\\xAA'::BLOB AS i,"
        " 'ab'::ENUM('ab', 'c') AS j, NULL AS k, current_setting('TimeZone') AS l FROM orders"
    )
    assert [c["type"] for c in result["schema"]][:10] == [
        "integer", "decimal(38,0)", "decimal(9,2)", "json", "json", "string", "date", "timestamptz", "binary", "string",
    ]  # fmt: skip
    row = lake.rows()[0]
    assert row["b"] == 15 and row["c"] == decimal.Decimal("1.50") and row["d"] == "[1,2]"
    assert json.loads(row["e"]) == {"x": "NaN"}
    assert row["h"] == datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.UTC)
    assert row["i"] == b"\xaa" and row["k"] is None and row["l"] == "UTC"


def test_append(lake):
    lake.run("SELECT id, amount FROM orders WHERE id < 3", refresh_mode="append")
    result = lake.run("SELECT id::INTEGER AS id, 'new' AS extra FROM orders WHERE id > 3", refresh_mode="append")
    assert not result["replace_all"] and result["removes"] == []
    assert [(c["name"], c["type"]) for c in lake.schema] == [
        ("id", "bigint"),
        ("amount", "double"),
        ("extra", "string"),
    ]
    assert [(r["id"], r["amount"], r["extra"]) for r in lake.rows()] == [
        (1, 10.5, None), (2, 2.25, None), (4, None, "new"), (5, None, "new"),
    ]  # fmt: skip
    assert lake.run("SELECT id FROM orders WHERE false", refresh_mode="append")["files"] == []
    error = lake.run("SELECT id::VARCHAR AS id FROM orders", ok=False, refresh_mode="append")
    assert "column 'id'" in error["message"] and "bigint" in error["message"] and "string" in error["message"]


def test_merge(lake):
    job = {"refresh_mode": "merge", "merge_keys": ["id"], "partition_mode": "column", "partition_pattern": "p"}
    lake.run("SELECT id, id % 2 AS p, 'first' AS v FROM orders", **job)
    assert {f["partition"] for f in lake.files} == {"p=0", "p=1"}
    before = list(lake.files)
    result = lake.run("SELECT 2 AS id, 0 AS p, 'second' AS v UNION ALL SELECT 9, 1, 'new'", **job)
    assert result["rows"]["replaced"] == 1 and result["rows"]["written"] == 2 and result["rows"]["deduped"] == 0
    assert [f["id"] for f in before if f["partition"] == "p=0"] == result["removes"]
    assert sorted((r["id"], r["v"]) for r in lake.rows()) == [
        (1, "first"), (2, "second"), (3, "first"), (4, "first"), (5, "first"), (9, "new"),
    ]  # fmt: skip
    # The same key several times: the last one wins; one that changes its partition leaves the old one.
    result = lake.run(
        "SELECT id, p, v FROM (VALUES (2, 1, 'a'), (4, 0, 'b'), (2, 1, 'c'), (2, 0, 'd')) t(id, p, v)", **job
    )
    assert result["rows"]["deduped"] == 2 and result["rows"]["replaced"] == 2 and result["rows"]["written"] == 2
    assert sorted((r["id"], r["p"], r["v"]) for r in lake.rows())[1:4] == [(2, 0, "d"), (3, 1, "first"), (4, 0, "b")]
    error = lake.run("SELECT CASE WHEN id > 3 THEN id END AS id, 1 AS p, 'x' AS v FROM orders", ok=False, **job)
    assert error["code"] == "bad_data" and "key column 'id'" in error["message"]
    error = lake.run("SELECT 1 AS p, 'x' AS v", ok=False, **job)
    assert "merge_keys names 'id'" in error["message"]
    names = [os.path.basename(f["path"]) for f in lake.files]
    for _ in range(3):
        lake.run("SELECT 1 AS id, 1 AS p, 'again' AS v", **job)
    assert max(len(os.path.basename(f["path"])) for f in lake.files) <= max(map(len, names)) + 27


def test_partition_by_date_and_pattern(lake):
    lake.run(
        "SELECT id FROM orders",
        partition_mode="date",
        partition_pattern="yyyy/MM",
        filename_pattern="part",
        compression="zstd",
    )
    [file] = lake.files
    assert file["partition"] == "2026/11" and os.path.basename(file["path"]).startswith("part_0")
    lake.run("SELECT id FROM orders", partition_mode="date", partition_pattern="yyyy/MM", filename_pattern="part")
    assert lake.files[0]["path"] != file["path"]
    error = lake.run("SELECT id FROM orders", ok=False, partition_mode="column", partition_pattern="id, nothing")
    assert "'nothing'" in error["message"]


def test_output_schema(lake):
    declared = [
        {"name": "id", "type": "integer", "nullable": False},
        {"name": "total", "type": "decimal(18,2)", "nullable": True},
    ]
    lake.run("SELECT id, id::DECIMAL(5,1) AS total FROM orders", output_schema=declared)
    assert [(c["name"], c["type"], c["nullable"]) for c in lake.schema] == [
        ("id", "integer", False),
        ("total", "decimal(18,2)", True),
    ]
    assert not pq.ParquetFile(lake.lake / lake.files[0]["path"]).schema_arrow.field("id").nullable
    for sql, *says in [
        ("SELECT id, amount AS total FROM orders", "column 'total'", "decimal(18,2)", "double"),
        ("SELECT id FROM orders", "'total'", "no such column"),
        ("SELECT id, 1 AS total, 2 AS more FROM orders", "'more'", "not declare"),
        ("SELECT 1 AS total, id FROM orders", "'id'", "'total'"),
        ("SELECT nullif(id, 4) AS id, 1 AS total FROM orders", "column 'id'", "row 4", "not nullable"),
        ("SELECT id * 10000000000 AS id, 1 AS total FROM orders", "0000000000"),
    ]:
        error = lake.run(sql, ok=False, output_schema=declared)
        assert all(word in error["message"] for word in says), error
        assert error["hint"] or "0000000000" in says


def test_text_inputs(lake):
    schema = [
        {"name": name, "type": type, "nullable": True, "source_name": name}
        for name, type in [
            ("id", "bigint"),
            ("t", "string"),
            ("d", "decimal(38,10)"),
            ("j", "json"),
            ("ts", "timestamptz"),
            ("f", "double"),
        ]
    ]
    csv = b'id,t,d,j,ts,f\n1,"a ""b""\nc",1234567890123456789012345678.0123456789,"{""x"":[1]}",2024-01-01T10:00:00.5Z,NaN\n2,"",,,,1e+300\n3,,1.5000000000,null,,-inf\n'
    old = b"id,t\n9,old\n"
    lake.add_input("c", schema=schema, format="csv", texts=(old, csv))
    ndjson = (
        b'{"id":1,"t":"a \\"b\\"\\nc","d":123456789012.345,"j":{"x":[1]},"ts":"2024-01-01T10:00:00.5Z","f":"NaN"}\n'
        b'{"id":2,"t":"","d":null,"j":null,"ts":null,"f":1e+300}\n{"id":3,"d":1.5000000000,"f":"-inf"}\n'
    )
    fewer = [{**c, "type": "decimal(15,3)"} if c["name"] == "d" else c for c in schema]
    lake.add_input("n", schema=fewer, format="json", texts=(ndjson,), extension="ndjson")
    for alias, digits in [("c", "1234567890123456789012345678.0123456789"), ("n", "123456789012.345")]:
        lake.run(f"SELECT id, t, d, j, ts, f::VARCHAR AS f FROM {alias} WHERE id < 9 ORDER BY id")
        one, two, three = lake.rows()
        assert one["t"] == 'a "b"\nc' and one["j"] == '{"x":[1]}' and one["f"] == "nan"
        assert one["d"] == decimal.Decimal(digits), alias
        assert one["ts"] == datetime.datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=datetime.UTC)
        assert two["t"] == "" and two["d"] is None and two["f"] == "1e+300"
        assert three["t"] is None and three["d"] == decimal.Decimal("1.5") and three["f"] == "-inf"
    lake.run("SELECT * FROM c WHERE id = 9")
    assert lake.rows() == [{"id": 9, "t": "old", "d": None, "j": None, "ts": None, "f": None}]


def test_decimals_of_json_files_that_would_be_read_wrongly_are_refused(lake):
    schema = [{"name": "d", "type": "decimal(18,2)", "nullable": True, "source_name": "d"}]
    lake.add_input("n", schema=schema, format="json", texts=(b'{"d":1234567890123456.78}\n',), extension="ndjson")
    error = lake.run("SELECT d FROM n", ok=False)
    assert error["code"] == "unsupported" and "column 'd'" in error["message"] and "force_to_parquet" in error["hint"]


def test_explain(lake):
    answer = lake.ask("explain", "SELECT id, sum(amount) AS s FROM orders GROUP BY id")
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [("id", "bigint"), ("s", "double")]
    for sql, line, column, says in [
        ("SELECT id,\n  nmae FROM orders", 2, 3, "nmae"),
        ("SELECT id\nFROM order_s", 2, 6, "order_s"),
        ("SELEC id", 1, 1, "syntax"),
        ("SELECT id FROM orders; DROP VIEW orders", 1, 1, "2 statements"),
        ("SELECT * FROM read_csv('/etc/passwd')", 1, 15, "read_csv"),
        ("SELECT id, id FROM orders", None, None, "two columns"),
    ]:
        error = lake.ask("explain", sql, ok=False)
        [problem] = error["errors"]
        assert error["code"] == "invalid" and problem["pointer"] == "/sql" and problem["code"] == "sql"
        assert (problem.get("line"), problem.get("column")) == (line, column), problem
        assert says in problem["message"]
    error = lake.ask("explain", "SELECT id FROM orders", ok=False, refresh_mode="merge", merge_keys=["key"])
    assert error["errors"][0]["pointer"] == "/merge_keys"
    error = lake.ask("explain", "SELECT id FROM orders", ok=False, output_schema=[{"name": "id", "type": "date"}])
    assert error["errors"][0]["pointer"] == "/output_schema"
    # The files do not matter: they need not even be there.
    for one in lake.inputs:
        for file in one["files"]:
            os.remove(file["path"])
    lake.ask("explain", "SELECT id FROM orders")


def test_preview_and_sample(lake):
    answer = lake.ask("preview-dataset", "SELECT id, customer, amount FROM orders ORDER BY id -- all")
    assert answer["rows"][0] == ["1", "ann", "10.5"] and answer["rows"][4] == ["5", None, "1.0"]
    answer = lake.ask("preview-dataset", "SELECT range AS n FROM range(1000000)")
    assert len(answer["rows"]) == 100
    error = lake.ask("preview-dataset", "SELECT id,\nwrong FROM orders", ok=False)
    assert "line 2, column 1" in error["message"]
    lake.run("SELECT range AS n, NULL::VARCHAR AS t FROM range(1000)")
    target = {"dataset": "out", "layer": "silver", "folder": "silver/out", "schema": lake.schema, "files": lake.files}
    answer = lake.ask("sample", "", extra={"target": target, "limit": 3, "offset": 500, "inputs": []})
    assert answer["rows"] == [["500", None], ["501", None], ["502", None]]
    assert [c["name"] for c in answer["columns"]] == ["n", "t"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM parquet_scan(['{other}'])",
        "FROM parquet_metadata('{other}')",
        "COPY (SELECT 1) TO '{out}'",
        "COPY orders TO '{input}'",
        "ATTACH '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit='100GB'",
        "SET temp_directory='{folder}'",
        "PRAGMA show_tables",
        "PRAGMA enable_profiling='json'",
        "EXPORT DATABASE '{out}'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE MACRO m() AS 1",
        "CREATE OR REPLACE VIEW orders AS SELECT 1",
        "SELECT 1 AS a; SELECT 2 AS a",
        "SELECT 1 INTO t",
        "SELECT getenv('HOME')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('{input}')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM query('SELECT * FROM read_csv(''/etc/passwd'')')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{out}''')",
        "SELECT * FROM query_table('{other}')",
        "SELECT * FROM read_csv('{link}')",
        "SELECT * FROM '{link}'",
        "SELECT * FROM enable_logging(storage='file', storage_config={{'path': '{out}'}})",
        "SELECT * FROM enable_profiling(format='json', save_location='{out}.json')",
        "SELECT write_log('x')",
        "WITH t AS (DELETE FROM orders RETURNING *) SELECT * FROM t",
        "SELECT * FROM duckdb_settings()",
        "",
    ],
)
def test_confined(lake, tmp_path, sql):
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"secret": [1]}), other)
    given = lake.inputs[0]["files"][0]["path"]
    link = os.path.join(os.path.dirname(given), "link.parquet")
    os.symlink(other, link)
    before = lake.listing()
    text = sql.format(other=other, out=tmp_path / "out", folder=tmp_path, input=given, link=link)
    error = lake.run(text, ok=False)
    assert error["code"] in ("denied", "invalid"), error
    assert error["message"] and "secret" not in error["message"] and "root:" not in error["message"]
    assert lake.listing() == before


def test_an_input_that_is_a_link_is_not_followed_beyond_the_inputs(lake, tmp_path):
    """The manifest names a file that somebody replaced by a link to a text: no data comes out of it."""
    given = lake.inputs[0]["files"][0]["path"]
    os.remove(given)
    os.symlink("/etc/passwd", given)
    error = lake.run("SELECT * FROM orders", ok=False)
    assert "root:" not in error["message"]


def test_larger_than_memory(lake):
    lake.run(
        "SELECT n, random() AS r FROM (SELECT range AS n, md5(range::VARCHAR) AS m FROM range(3000000)) ORDER BY m",
        memory=128 << 20,
    )
    assert sum(f["rows"] for f in lake.files) == 3000000
    assert not list(lake.lake.glob(".staging/*/tmp/*"))


def test_out_of_memory_is_an_error(lake):
    error = lake.run(
        "SELECT list(range || 'x' || repeat('y', 100)) AS l FROM range(30000000)", ok=False, memory=64 << 20
    )
    assert error["code"] == "no_memory", error


@pytest.mark.skipif("asan" in str(flowforge.PROGRAM), reason="sanitizers map terabytes")
@pytest.mark.parametrize("length", ["1500000000", "100000000 + (range % 2)::INTEGER"])
def test_memory_that_duckdb_does_not_count(lake, length):
    """Texts are beyond its memory_limit: the limit that the server sets on the process ends them."""
    payload = lake.payload(f"SELECT length(repeat('x', {length})) AS n FROM range(10)")
    done = subprocess.run(
        ["prlimit", "--data=805306368", str(flowforge.PROGRAM), "task", "run"],
        input=json.dumps(payload).encode(),
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "no_memory"


def test_second_attempt(lake):
    """It finds what the first one staged before it was killed."""
    lake.run("SELECT id FROM orders", refresh_mode="append")
    payload = lake.payload("SELECT id, 'x' AS v FROM orders", refresh_mode="merge", merge_keys=["id"])
    answers = []
    for _ in range(2):
        done = lake.task("run", payload)
        finished = json.loads(done.stdout.splitlines()[-1])
        assert finished["outcome"] == "completed", finished
        answers.append(finished["result"])
    assert answers[0] == answers[1]
    lake.check(payload, answers[1])
    lake.commit(payload, answers[1])
    assert sorted(row["id"] for row in lake.rows()) == [1, 2, 3, 4, 5]


def test_cancel_ends_an_endless_query(lake):
    sql = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE 1 = 1) SELECT count(*) AS n FROM t"
    payload = lake.payload(sql)
    child = subprocess.Popen([str(flowforge.PROGRAM), "task", "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(json.dumps(payload).encode())
    child.stdin.close()
    time.sleep(1.5)
    assert child.poll() is None
    start = time.monotonic()
    child.send_signal(signal.SIGTERM)
    out = child.stdout.read()
    assert child.wait(10) == 0
    assert time.monotonic() - start < 1.5
    assert json.loads(out.splitlines()[-1])["outcome"] == "cancelled"
