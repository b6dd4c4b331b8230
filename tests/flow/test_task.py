"""`flowforge task`: a payload goes in, events and staged files come out; pyarrow judges what was staged."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import flowforge
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

RUN = "01k0000000000000000000"


class Lake:
    """A home's lake, and the books that the server would keep."""

    def __init__(self, folder):
        self.root = folder / "lake"
        self.source = folder / "in"
        self.root.mkdir()
        self.source.mkdir()
        self.files, self.ledger, self.watermark, self.schema = [], {}, None, None
        self.runs = 0
        self.next_id = 1

    def write(self, name, text, age=60):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        then = time.time() - age - 0.001 * self.runs
        os.utime(path, (then, then))
        return path

    def payload(self, **job):
        self.runs += 1
        run_id = f"{RUN}{self.runs:04d}"
        record = {
            "id": "job1",
            "slug": "orders",
            "source_type": "file_local",
            "format": "csv",
            "dataset": "orders",
            "partition_mode": "none",
            "compression": "snappy",
            "filename_pattern": "{timestamp}_{filename}",
            "config": {"path": str(self.source), "csv_options": {"header": True}},
        } | job
        return {
            "version": 1,
            "kind": "ingest",
            "run_id": run_id,
            "pipeline_run_id": "p",
            "attempt": 1,
            "run_time": "2026-11-25T10:00:00.123456Z",
            "lake": str(self.root),
            "staging": str(self.root / ".staging" / run_id),
            "memory": 64 << 20,
            "threads": 2,
            "pipeline": {"id": "pipe", "name": "Shop", "slug": "shop", "environment": "dev"},
            "job": record,
            "local_roots": [str(self.source)],
            "target": {
                "dataset": "orders",
                "layer": "bronze",
                "folder": "bronze/orders",
                "snapshot": None,
                "schema": self.schema,
                "files": self.files,
            },
            "watermark": self.watermark,
            "ledger": list(self.ledger.values()),
            "uploads": [],
            "inputs": [],
        }

    def run(self, payload=None, ok=True, **job):
        """Run a task; when it completes, commit as the server does."""
        payload = payload or self.payload(**job)
        events, code = task("run", payload)
        assert code == 0
        assert events[0]["event"] == "started"
        finished = events[-1]
        assert finished["event"] == "finished"
        if not ok:
            assert finished["outcome"] == "failed", finished
            return finished
        assert finished["outcome"] in ("completed", "skipped"), finished
        if finished["outcome"] == "completed":
            self.commit(payload, finished["result"])
        return finished["result"] | {"outcome": finished["outcome"], "rejects": finished["rejects"]}

    def commit(self, payload, result):
        rows = result["rows"]
        assert rows["read"] == rows["written"] + rows["rejected"] + rows["deduped"] + rows["filtered"], rows
        new = [f for f in result["files"] if f["layer"] == "bronze" and "rewrites" not in f]
        assert sum(f["rows"] for f in new) == rows["written"]
        assert sum(f["bytes"] for f in result["files"] if f["layer"] == "bronze") == result["bytes_out"]
        for f in result["files"]:
            staged, final = pathlib.Path(payload["staging"]) / f["staged"], self.root / f["path"]
            assert staged.stat().st_size == f["bytes"], f
            assert not final.exists(), f"a name was used twice: {final}"
            assert f.get("rewrites") is None or f["rewrites"] in result["removes"]
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(final)
            if f["format"] == "parquet" and f["layer"] != "landing":
                assert pq.read_metadata(final).num_rows == f["rows"]
        if result["replace_all"]:
            self.files, self.ledger = [], {}
        self.files = [f for f in self.files if f["id"] not in result["removes"]]
        for f in result["files"]:
            if f["layer"] == "bronze":
                self.files.append(
                    {k: f[k] for k in ("path", "rows", "bytes", "partition", "source_uri", "format")}
                    | {"id": self.next_id}
                )
                self.next_id += 1
        self.ledger |= {one["uri"]: one for one in result["ledger"]}
        self.watermark, self.schema = result["watermark"], result["schema"]

    def rows(self, *columns):
        """All rows of the dataset, sorted."""
        found = []
        for f in self.files:
            for row in pq.read_table(self.root / f["path"]).to_pylist():
                found.append(tuple(row.get(c) for c in columns))
        return sorted(found, key=repr)


def task(name, payload, raw=False):
    done = subprocess.run(
        [str(flowforge.PROGRAM), "task", name],
        input=json.dumps(payload).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode >= 0, f"died of signal {-done.returncode}: {done.stderr[-2000:]!r}"
    if raw:
        return done
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


INCREMENTAL = {"incremental_mode": "incremental"}


def test_full_run_lands_and_converts_each_file(lake):
    lake.write("a.csv", "id,name\n1,one\n2,two\n")
    lake.write("deep/b.csv", "id,name\n3,three\n")
    lake.write(".hidden.csv", "id,name\n9,nine\n")
    result = lake.run(partition_mode="date", partition_pattern="yyyy/MM/dd")
    bronze = [f for f in result["files"] if f["layer"] == "bronze"]
    landing = [f for f in result["files"] if f["layer"] == "landing"]
    assert [f["rows"] for f in bronze] == [2, 1]
    assert all(f["path"].startswith("bronze/orders/2026/11/25/20261125T100000123Z_") for f in bronze)
    assert all(f["partition"] == "2026/11/25" for f in bronze)
    assert [f["source_uri"] for f in bronze] == [f"file://{lake.source}/a.csv", f"file://{lake.source}/deep/b.csv"]
    assert all(f["path"].startswith("landing/shop/orders/2026/11/25/") and f["path"].endswith(".csv") for f in landing)
    assert (lake.root / landing[0]["path"]).read_bytes() == (lake.source / "a.csv").read_bytes()
    assert result["replace_all"] is True
    assert [c["type"] for c in result["schema"]] == ["bigint", "string"]
    assert lake.rows("id", "name") == [(1, "one"), (2, "two"), (3, "three")]
    assert lake.run()["rows"]["written"] == 3  # again: everything anew
    assert len(lake.rows("id")) == 3


def test_incremental_takes_new_and_changed_files_only(lake):
    lake.write("a.csv", "id,name\n1,one\n")
    lake.write("b.csv", "id,name\n2,two\n")
    assert lake.run(**INCREMENTAL)["rows"]["written"] == 2
    again = lake.run(**INCREMENTAL)
    assert (again["outcome"], again["skipped_files"]) == ("skipped", 2)
    lake.write("b.csv", "id,name\n20,twenty\n21,more\n", age=30)
    lake.write("c.csv", "id,name\n3,three\n")
    result = lake.run(**INCREMENTAL)
    assert result["rows"] == {"read": 3, "written": 3, "rejected": 0, "deduped": 0, "filtered": 0, "replaced": 1}
    assert [one["change"] for one in result["ledger"]] == ["changed", "new"]
    assert lake.rows("id", "name") == [(1, "one"), (20, "twenty"), (21, "more"), (3, "three")]


def test_touched_file_with_the_same_bytes_is_the_same(lake):
    path = lake.write("a.csv", "id\n1\n")
    lake.run(**INCREMENTAL)
    os.utime(path, (1, 1))
    result = lake.run(**INCREMENTAL)
    known = list(lake.ledger.values())[0]["hash"]
    assert result["outcome"] == ("skipped" if known else "completed")
    assert lake.rows("id") == [(1,)]


def test_declared_types_hold_and_new_columns_are_added(lake):
    lake.write("a.csv", "id,name\n1,one\n")
    lake.run(**INCREMENTAL)
    lake.write("b.csv", "name,id,extra\ntwo,2,x\nbad,oops,y\n")
    failed = lake.run(ok=False, **INCREMENTAL)
    assert failed["error"]["code"] == "bad_rows"
    assert failed["rejects"][0]["column"] == "id" and failed["rejects"][0]["line"] == 3
    assert "--" not in failed["error"]["hint"]
    result = lake.run(error_handling="quarantine", quarantine_path="quarantine", **INCREMENTAL)
    assert result["rows"]["rejected"] == 1 and result["rejects"][0]["code"] == "CAST"
    assert [(c["name"], c["type"]) for c in result["schema"]] == [
        ("id", "bigint"),
        ("name", "string"),
        ("extra", "string"),
    ]
    (bad,) = [f for f in result["files"] if f["layer"] == "quarantine"]
    assert bad["path"] == ("quarantine/job=job1/dt=2026-11-25/run_id=" + RUN + "0003/rejects-00000.parquet")
    rejected = pq.read_table(lake.root / bad["path"]).to_pylist()
    assert [(r["error_code"], r["source_uri"]) for r in rejected] == [("CAST", "b.csv")]
    assert lake.rows("id", "name", "extra") == [(1, "one", None), (2, "two", "x")]


def test_json_files_add_keys(lake):
    lake.write("a.json", '{"id": 1, "a": "x"}\n')
    lake.run(format="json", **INCREMENTAL)
    lake.write("b.json", '{"id": 2, "b": true}\n')
    result = lake.run(format="json", **INCREMENTAL)
    assert [(c["name"], c["type"]) for c in result["schema"]] == [("id", "bigint"), ("a", "string"), ("b", "boolean")]
    assert lake.rows("id", "a", "b") == [(1, "x", None), (2, None, True)]


def test_watermark_filters_new_files_and_remembers_ties(lake):
    job = INCREMENTAL | {"watermark_column": "at"}
    lake.write("a.csv", "id,at\n1,2024-01-01T00:00:00\n2,2024-01-02T00:00:00.123456\n")
    assert lake.run(**job)["watermark"]["value"] == "2024-01-02T00:00:00.123456"
    assert len(lake.watermark["ties"]) == 1
    lake.write(
        "b.csv",
        "at,id\n2024-01-02T00:00:00.123456,2\n2024-01-02T00:00:00.123456,3\n"
        "2024-01-01T12:00:00,4\n2024-01-01T00:00:00,1\n",
    )
    result = lake.run(**job)
    assert result["rows"]["filtered"] == 3 and result["rows"]["written"] == 1
    assert len(result["watermark"]["ties"]) == 2
    assert lake.rows("id") == [(1,), (2,), (3,)]
    lake.write("c.csv", "id,at\n5,\n")
    assert lake.run(ok=False, **job)["rejects"][0]["code"] == "NULL_WATERMARK"
    lake.write("c.csv", "id,at,more\n2,2024-01-02T00:00:00.123456,\n6,2025-01-01T00:00:00,x\n")
    assert lake.run(**job)["rows"] == {
        "read": 2,
        "written": 1,
        "rejected": 0,
        "deduped": 0,
        "filtered": 1,
        "replaced": 0,
    }
    assert lake.watermark["value"] == "2025-01-01T00:00:00"


def test_changed_file_is_not_filtered_and_the_watermark_never_goes_back(lake):
    job = INCREMENTAL | {"watermark_column": "n"}
    lake.write("a.csv", "n,x\n5,a\n7,b\n")
    lake.run(**job)
    lake.write("a.csv", "n\n3\n4\n5\n", age=30)
    result = lake.run(**job)
    assert (result["rows"]["written"], result["rows"]["replaced"]) == (3, 2)
    assert result["watermark"]["value"] == "7"
    assert lake.rows("n") == [(3,), (4,), (5,)]


def test_missing_watermark_of_a_dataset_with_rows_is_refused(lake):
    lake.write("a.csv", "n\n5\n")
    lake.run()
    failed = lake.run(ok=False, watermark_column="n", **INCREMENTAL)
    assert failed["error"]["code"] == "invalid" and "incremental_mode=full" in failed["error"]["hint"]
    lake.run(watermark_column="n")  # full mode makes one
    lake.write("b.csv", "n\n4\n6\n")
    lake.run(watermark_column="n", **INCREMENTAL)
    assert lake.rows("n") == [(5,), (6,)]


def test_merge_by_key_over_runs(lake):
    job = INCREMENTAL | {"dedupe_keys": ["id"], "watermark_column": "v"}
    lake.write("a.csv", "id,v\n1,10\n2,10\n2,11\n3,10\n")
    assert lake.run(**job)["rows"]["deduped"] == 1
    lake.write("b.csv", "id,v\n2,12\n4,12\n")
    result = lake.run(**job)
    assert result["rows"]["written"] == 2 and result["rows"]["replaced"] == 1
    (again,) = [f for f in result["files"] if "rewrites" in f]
    assert again["rows"] == 2 and again["rewrites"] in result["removes"]
    assert lake.rows("id", "v") == [(1, 10), (2, 12), (3, 10), (4, 12)]
    lake.write("c.csv", "id,v\n1,20\n3,20\n")
    result = lake.run(**job)
    assert not [f for f in result["files"] if "rewrites" in f]  # nothing is left of the first file
    assert lake.rows("id", "v") == [(1, 20), (2, 12), (3, 20), (4, 12)]


def test_partition_by_column_keeps_inputs_apart(lake):
    lake.write("a.csv", "id,land\n1,de\n2,at\n3,de\n")
    lake.write("b.csv", "id,land\n4,de\n5,\n")
    result = lake.run(partition_mode="column", partition_pattern="land")
    found = {(f["partition"], f["source_uri"][-5:]): f["rows"] for f in result["files"] if f["layer"] == "bronze"}
    assert found == {
        ("land=de", "a.csv"): 2,
        ("land=at", "a.csv"): 1,
        ("land=de", "b.csv"): 1,
        ("land=__HIVE_DEFAULT_PARTITION__", "b.csv"): 1,
    }


def test_files_of_one_name_in_two_folders(lake):
    lake.write("x/a.csv", "id\n1\n")
    lake.write("y/a.csv", "id\n2\n")
    lake.write("y/z/a.csv", "id\n3\n")
    result = lake.run()
    assert len({f["path"] for f in result["files"]}) == 6
    assert lake.rows("id") == [(1,), (2,), (3,)]


def test_parquet_sources_keep_their_inputs(lake, tmp_path):
    for name, ids in (("a", [1, 2]), ("b", [3])):
        pq.write_table(pa.table({"id": ids}), lake.source / f"{name}.parquet")
        os.utime(lake.source / f"{name}.parquet", (100, 100))
    result = lake.run(format="parquet", watermark_column="id", **INCREMENTAL)
    assert [f["rows"] for f in result["files"] if f["layer"] == "bronze"] == [2, 1]
    assert [one["rows"] for one in result["ledger"]] == [2, 1]
    pq.write_table(pa.table({"id": [2, 3, 4], "x": ["a", "b", "c"]}), lake.source / "c.parquet")
    os.utime(lake.source / "c.parquet", (100, 100))
    result = lake.run(format="parquet", watermark_column="id", **INCREMENTAL)
    assert lake.rows("id", "x") == [(1, None), (2, None), (3, "b"), (3, None), (4, "c")]


def test_csv_stays_csv(lake):
    lake.write("a.csv", 'id;name\n1;"x,y"\n')
    result = lake.run(force_to_parquet=False, compression="gzip")
    (bronze,) = [f for f in result["files"] if f["layer"] == "bronze"]
    assert bronze["format"] == "csv" and bronze["path"].endswith(".csv.gz")


def test_nothing_matches(lake):
    failed = lake.run(ok=False, config={"path": f"{lake.source}/*.csv"})
    assert failed["error"]["code"] == "not_found" and failed["error"]["hint"]
    assert lake.run(config={"path": f"{lake.source}/*.csv"}, **INCREMENTAL)["outcome"] == "skipped"


def test_glob(lake):
    for name in ("a.csv", "b.txt", "x/c.csv", "x/y/d.csv"):
        lake.write(name, "id\n1\n")
    for path, expected in (("*.csv", 1), ("**/*.csv", 3), ("*/?.csv", 1), ("x/**", 2), ("[ab].*", 2)):
        answers, code = task("plan", lake.payload(config={"path": f"{lake.source}/{path}"}))
        assert code == 0 and answers[0]["file_count"] == expected, (path, answers)


@pytest.mark.parametrize("how", ["outside", "dots", "link", "glob link"])
def test_paths_are_confined(lake, tmp_path, how):
    secret = tmp_path / "secret.csv"
    secret.write_text("id\n1\n")
    os.utime(secret, (1, 1))
    (lake.source / "link.csv").symlink_to(secret)
    paths = {
        "outside": secret,
        "dots": f"{lake.source}/../secret.csv",
        "link": lake.source / "link.csv",
        "glob link": f"{lake.source}/*.csv",
    }
    failed = lake.run(ok=False, config={"path": str(paths[how])})
    assert failed["error"]["code"] in ("denied", "invalid")


def test_growing_file_waits(lake):
    path = lake.write("a.csv", "id\n1\n", age=0)
    payload = lake.payload(**INCREMENTAL) | {"settle_seconds": 0.3}
    start = time.time()
    assert lake.run(payload)["rows"]["written"] == 1  # it came to rest meanwhile
    assert time.time() - start < 5
    stop = threading.Event()

    def write_on():
        while not stop.wait(0.02):
            os.utime(path)

    os.utime(path)
    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        failed = lake.run(lake.payload() | {"settle_seconds": 0.5}, ok=False)
        assert failed["error"]["code"] == "changed" and "a.csv" in failed["error"]["message"]
        assert lake.run(lake.payload(**INCREMENTAL) | {"settle_seconds": 0.5})["waiting_files"] == 1
    finally:
        stop.set()
        writer.join()


def test_upload_is_linked(lake, tmp_path):
    upload = tmp_path / "01upload"
    upload.write_text("id\n1\n2\n")
    payload = lake.payload(source_type="file_upload", config={"upload_id": "u1"}, **INCREMENTAL)
    payload["uploads"] = [
        {"id": "u1", "path": str(upload), "filename": "orders 2026.csv", "size": 9, "sha256": "ab" * 32}
    ]
    payload["uploads"][0]["size"] = upload.stat().st_size
    result = lake.run(payload)
    (landed,) = [f for f in result["files"] if f["layer"] == "landing"]
    assert (lake.root / landed["path"]).samefile(upload)
    assert "orders 2026" in landed["path"]
    assert result["ledger"][0]["etag"] == "ab" * 32
    payload = lake.payload(source_type="file_upload", config={"upload_id": "u1"}, **INCREMENTAL) | {
        "uploads": payload["uploads"]
    }
    assert lake.run(payload)["outcome"] == "skipped"


def test_reject_ratio(lake):
    lake.write("a.csv", "id,n\n" + "1,2\n" * 9 + "1,2,3\n")
    job = {"error_handling": "quarantine", "quarantine_path": "bad"}
    assert lake.run(ok=False, max_reject_ratio=0.05, **job)["error"]["code"] == "bad_rows"
    assert lake.run(max_reject_ratio=0.1, **job)["rows"]["rejected"] == 1


def test_second_attempt_replaces_what_the_first_staged(lake):
    lake.write("a.csv", "id\n1\n")
    payload = lake.payload()
    assert task("run", payload)[0][-1]["outcome"] == "completed"
    lake.run(payload | {"attempt": 2})
    assert lake.rows("id") == [(1,)]


def test_cancel(lake):
    lake.write("a.csv", "id,text\n" + "".join(f"{i},some text of row {i}\n" for i in range(3_000_000)))
    child = subprocess.Popen([str(flowforge.PROGRAM), "task", "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(json.dumps(lake.payload()).encode())
    child.stdin.close()
    assert json.loads(child.stdout.readline())["event"] == "started"
    child.stdout.readline()  # the log line: it is at work
    start = time.time()
    child.send_signal(signal.SIGTERM)
    events = [json.loads(line) for line in child.stdout]
    assert child.wait(5) == 0
    assert time.time() - start < 1
    assert events[-1]["outcome"] in ("cancelled", "completed")


def test_bad_payloads_are_reported(lake):
    for payload in ({}, {"version": 1, "kind": "ingest"}, {"version": 2, "kind": "ingest", "job": {}}, {"kind": "x"}):
        events, code = task("run", payload)
        assert code == 0 and events[-1]["outcome"] == "failed" and events[-1]["error"]["message"]
    answers, code = task("preview", {})
    assert code != 0 and answers[0]["error"]["code"] == "unsupported"


def test_preview(lake):
    lake.write("a.csv", "id;name\n1;one\n")
    answers, code = task("preview", lake.payload())
    assert code == 0
    assert [c["name"] for c in answers[0]["schema"]] == ["id", "name"]
    assert answers[0]["rows"] == [["1", "one"]]
    assert answers[0]["source"]["name"] == "a.csv"


def test_unknown_columns_are_named_as_the_job_names_them(lake):
    lake.write("a.csv", "id\n1\n")
    for job, member in (
        ({"dedupe_keys": ["nope"]}, "dedupe_keys"),
        ({"watermark_column": "nope"}, "watermark_column"),
        ({"partition_mode": "column", "partition_pattern": "nope"}, "partition_pattern"),
    ):
        failed = lake.run(ok=False, **job)
        assert failed["error"]["message"].startswith(f"{member}: there is no column 'nope'")
        assert failed["error"]["hint"] == "columns (after rename_map): id"


def test_a_dataset_keeps_one_format(lake):
    lake.write("a.csv", "id\n1\n")
    lake.run(**INCREMENTAL)
    lake.write("b.csv", "id\n2\n")
    failed = lake.run(ok=False, force_to_parquet=False, compression="none", **INCREMENTAL)
    assert failed["error"]["code"] == "invalid" and "full mode" in failed["error"]["hint"]


def test_declared_schema_must_fit_the_dataset(lake):
    lake.write("a.csv", "id\n1\n")
    user = {"schema_mode": "user", "user_schema": [{"name": "id", "type": "integer", "nullable": False}]}
    assert lake.run(**user)["schema"] == [{"name": "id", "source_name": "id", "type": "integer", "nullable": False}]
    lake.write("b.csv", "id\n2\n")
    user["user_schema"] = [{"name": "id", "type": "string", "nullable": True}]
    failed = lake.run(ok=False, **user, **INCREMENTAL)
    assert failed["error"]["code"] == "invalid" and "full mode" in failed["error"]["hint"]


def test_rename_and_null_values(lake):
    lake.write("a.csv", "Id,n\n1,NA\n2,5\n")
    lake.run(rename_map={"Id": "key"}, null_values=["NA"], dedupe_keys=["key"])
    assert lake.rows("key", "n") == [(1, None), (2, 5)]
    lake.write("b.csv", "Id,n\n3,6\n")
    lake.run(rename_map={"Id": "key"}, null_values=["NA"], **INCREMENTAL)
    assert lake.rows("key", "n") == [(1, None), (2, 5), (3, 6)]
