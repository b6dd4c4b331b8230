"""Ingest jobs through the API of a real server: what lands, what becomes bronze, what is taken again and what is not."""

import datetime
import json
import os
import random
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def settle(*paths):
    """As if written a while ago: files that still grow are left for the next run."""
    old = time.time() - 60
    for path in paths:
        os.utime(path, (old, old))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settle(path)
    return path


INCREMENTAL = {"incremental_mode": "incremental", "watermark_column": "at"}


def test_csv_lands_untouched_and_becomes_typed_parquet(server):
    text = 'id,name,at,price\n1,Ann,2024-01-02,1.5\n2,"B, b",2024-01-03,2\n'
    write(server.inbox / "sales.csv", text)
    pipeline = server.pipeline("Shop")
    job = server.ingest(pipeline, "Sales EU", server.inbox / "sales.csv")
    assert job["dataset"] == "sales_eu"
    assert job["force_to_parquet"] is True
    assert job["partition_mode"] == "date"
    assert job["partition_pattern"] == "yyyy/MM/dd"
    assert job["error_handling"] == "fail"
    assert job["filename_pattern"] == "{timestamp}_{filename}"
    run = server.run_job(job)
    assert (run["rows_read"], run["rows_written"]) == (2, 2)
    assert server.rows("bronze.sales_eu") == [
        {"id": 1, "name": "Ann", "at": datetime.date(2024, 1, 2), "price": 1.5},
        {"id": 2, "name": "B, b", "at": datetime.date(2024, 1, 3), "price": 2.0},
    ]
    (landed,) = server.lake_files("landing")
    assert (server.home / "lake" / landed).read_text() == text
    today = datetime.datetime.now(datetime.UTC).strftime("%Y/%m/%d")
    assert landed.startswith(f"landing/shop/sales_eu/{today}/")
    assert "Z_sales-" in landed
    assert landed.endswith(".csv")
    (bronze,) = server.lake_files("bronze")
    assert bronze.startswith(f"bronze/sales_eu/{today}/")
    assert bronze.endswith(".parquet")
    entry = server.catalog("bronze.sales_eu")
    assert (entry["row_count"], entry["file_count"], entry["format"]) == (2, 1, "parquet")
    assert [column["type"] for column in entry["schema"]] == ["bigint", "string", "date", "double"]


def test_json_and_parquet_sources(server):
    write(server.inbox / "a.json", json.dumps([{"k": 1, "v": {"x": [1]}}, {"k": 2, "v": None}]))
    write(server.inbox / "b.ndjson", '{"k": 1}\n{"k": 2, "extra": true}\n')
    table = pa.table({"k": pa.array([1, None], pa.int32()), "t": pa.array([0, 1], pa.timestamp("us", "UTC"))})
    pq.write_table(table, server.inbox / "c.parquet")
    settle(server.inbox / "c.parquet")
    pipeline = server.pipeline()
    for name, file, fmt in (("a", "a.json", "json"), ("b", "b.ndjson", "json"), ("c", "c.parquet", "parquet")):
        server.ingest(pipeline, name, server.inbox / file, format=fmt, partition_mode="none")
    run = server.run(pipeline)
    assert run["jobs_total"] == 3
    # Nested values are json columns and keep the text that stood there.
    assert server.rows("bronze.a") == [{"k": 1, "v": '{"x": [1]}'}, {"k": 2, "v": None}]
    assert server.rows("bronze.b") == [{"k": 1, "extra": None}, {"k": 2, "extra": True}]
    assert server.table("bronze.c").to_pylist() == table.to_pylist()


def test_full_replaces_and_keeps_one_snapshot(server):
    path = write(server.inbox / "x.csv", "a\n1\n2\n")
    job = server.ingest(server.pipeline(), "x", path, partition_mode="none")
    server.run_job(job)
    write(path, "a\n3\n")
    run = server.run_job(job)
    assert run["rows_written"] == 1
    assert server.rows("bronze.x") == [{"a": 3}]
    assert server.catalog("bronze.x")["row_count"] == 1


def test_ledger_takes_new_and_changed_files_once(server):
    job = server.ingest(
        server.pipeline(), "events", server.inbox / "in" / "*.csv", partition_mode="none", **INCREMENTAL
    )
    write(server.inbox / "in/a.csv", "k,at\na1,2024-01-01\na2,2024-01-02\n")
    write(server.inbox / "in/b.csv", "k,at\nb1,2024-01-03\n")
    assert server.run_job(job)["rows_written"] == 3
    again = server.run_job(job)
    assert (again["state_name"], again["rows_read"]) == ("Skipped", 0)
    write(server.inbox / "in/c.csv", "k,at\nc1,2024-01-04\n")
    assert server.run_job(job)["rows_written"] == 1
    # A changed file replaces what it gave before, whatever the watermark says.
    write(server.inbox / "in/a.csv", "k,at\na1,2024-01-01\na3,2024-01-02\na4,2024-01-02\n")
    changed = server.run_job(job)
    assert (changed["rows_written"], changed["rows_replaced"]) == (3, 2)
    assert sorted(row["k"] for row in server.rows("bronze.events")) == ["a1", "a3", "a4", "b1", "c1"]
    # Touched, but the same bytes.
    settle(server.inbox / "in/b.csv")
    os.utime(server.inbox / "in/b.csv", (time.time() - 30, time.time() - 30))
    assert server.run_job(job)["state_name"] == "Skipped"


def test_watermark_filters_rows_of_new_files(server):
    job = server.ingest(server.pipeline(), "w", server.inbox / "w*.csv", partition_mode="none", **INCREMENTAL)
    write(server.inbox / "w1.csv", "k,at\n1,2024-01-01\n2,2024-01-05\n")
    server.run_job(job)
    write(server.inbox / "w2.csv", "k,at\n3,2024-01-04\n2,2024-01-05\n4,2024-01-05\n5,2024-01-06\n")
    run = server.run_job(job)
    assert (run["rows_read"], run["rows_filtered"], run["rows_written"]) == (4, 2, 2)
    assert sorted(row["k"] for row in server.rows("bronze.w")) == [1, 2, 4, 5]
    assert server.get(f"/api/workflows/{job['pipeline_id']}/ingest-jobs/{job['id']}")[
        "last_watermark_value"
    ].startswith("2024-01-06")


@pytest.mark.parametrize("seed", range(3))
def test_merge_across_runs_equals_a_model(server, seed):
    draw = random.Random(seed)
    job = server.ingest(
        server.pipeline(),
        "m",
        server.inbox / "m*.csv",
        partition_mode=draw.choice(["none", "date"]),
        dedupe_keys=["k"],
        **INCREMENTAL,
    )
    model = {}
    for number in range(5):
        rows = [(draw.randrange(60), draw.randrange(number * 5, number * 5 + 12), draw.random()) for _ in range(80)]
        last = max((at for at, _ in model.values()), default=-1)
        days = {at: datetime.date(2024, 1, 1) + datetime.timedelta(days=at) for _, at, _ in rows}
        text = "k,at,v\n" + "".join(f"{k},{days[at]},{v}\n" for k, at, v in rows)
        write(server.inbox / f"m{number}.csv", text)
        before = dict(model)
        for k, at, v in rows:
            if at >= last and (k not in model or at >= model[k][0]):
                model[k] = (at, v)
        run = server.run_job(job)
        assert run["rows_read"] == 80
        assert run["rows_replaced"] == sum(1 for k in before if model[k] is not before[k])
        got = {row["k"]: ((row["at"] - datetime.date(2024, 1, 1)).days, row["v"]) for row in server.rows("bronze.m")}
        assert got == model
        assert server.catalog("bronze.m")["row_count"] == len(model)


def test_bad_rows_fail_the_run_and_publish_nothing(server):
    path = write(server.inbox / "b.csv", "a,b\n1,2\n3\nx,4\n")
    schema = [{"name": "a", "type": "bigint"}, {"name": "b", "type": "bigint"}]
    job = server.ingest(server.pipeline(), "bad", path, schema_mode="user", user_schema=schema)
    run = server.run_job(job, ok=False)
    assert run["state_type"] == "FAILED"
    assert run["error"]["code"] == "bad_rows"
    rejects = server.get(f"/api/ingest-runs/{run['id']}")["report"]["rejects"]
    assert {one["code"] for one in rejects} == {"MISSING_COLUMNS", "CAST"}
    assert server.catalog("bronze.bad") is None
    assert server.lake_files() == []


def test_quarantine_keeps_each_bad_row(server):
    path = write(server.inbox / "q.csv", "a,b\n1,2\n3\nx,4\n5,6\n")
    schema = [{"name": "a", "type": "bigint"}, {"name": "b", "type": "bigint"}]
    job = server.ingest(
        server.pipeline(),
        "q",
        path,
        schema_mode="user",
        user_schema=schema,
        error_handling="quarantine",
        quarantine_path="quarantine",
    )
    run = server.run_job(job)
    assert run["state_name"] == "CompletedWithRejects"
    assert (run["rows_read"], run["rows_written"], run["rows_rejected"]) == (4, 2, 2)
    (rejects,) = server.lake_files("quarantine")
    assert f"job={job['id']}" in rejects
    assert f"run_id={run['id']}" in rejects
    table = pq.ParquetFile(server.home / "lake" / rejects).read().to_pylist()
    assert [(row["line"], row["raw"]) for row in table] == [(3, "3"), (4, "x,4")]
    sample = server.get(f"/api/ingest-runs/{run['id']}/rejects")
    assert len(sample["rows"]) == 2


def test_too_many_rejects_publish_nothing(server):
    path = write(server.inbox / "q.csv", "a\n1\nx\ny\n")
    fields = {
        "schema_mode": "user",
        "user_schema": [{"name": "a", "type": "bigint"}],
        "error_handling": "quarantine",
        "quarantine_path": "quarantine",
    }
    pipeline = server.pipeline()
    for name, limit in (("count", {"max_rejects": 1}), ("ratio", {"max_reject_ratio": 0.5})):
        job = server.ingest(pipeline, name, path, **fields, **limit)
        run = server.run_job(job, ok=False)
        assert (run["state_type"], run["error"]["code"]) == ("FAILED", "bad_rows")
    assert server.lake_files() == []


def test_options_of_the_specification_together(server):
    path = write(server.inbox / "o.csv", b"K;Wert;Land\n1;\xe4;DE\n2;b;AT\n1;c;DE\n")
    job = server.ingest(
        server.pipeline(),
        "o",
        path,
        config={"csv_options": {"delimiter": ";", "encoding": "latin1", "header": True}},
        rename_map={"K": "key", "Wert": "value"},
        dedupe_keys=["key"],
        partition_mode="column",
        partition_pattern="Land",
        compression="zstd",
        filename_pattern="{job}-{date}-{seq}",
        is_reference=True,
    )
    run = server.run_job(job)
    assert (run["rows_read"], run["rows_deduped"], run["rows_written"]) == (3, 1, 2)
    files = server.files("bronze.o")
    assert sorted(one["partition"].rstrip("/") for one in files) == ["Land=AT", "Land=DE"]
    assert sorted(tuple(row.values()) for row in server.rows("bronze.o")) == [(1, "c", "DE"), (2, "b", "AT")]
    for one in files:
        meta = pq.ParquetFile(server.home / "lake" / one["path"]).metadata
        assert meta.row_group(0).column(0).compression == "ZSTD"
    assert server.catalog("bronze.o")["is_reference"] is True


def test_bronze_as_csv_and_json_when_not_forced_to_parquet(server):
    path = write(server.inbox / "f.csv", "a,b\n1,x\n2,y\n")
    pipeline = server.pipeline()
    job = server.ingest(pipeline, "f", path, force_to_parquet=False, compression="gzip", partition_mode="none")
    server.run_job(job)
    (bronze,) = server.lake_files("bronze")
    assert bronze.endswith(".csv.gz")
    assert server.catalog("bronze.f")["format"] == "csv"
    silver = server.dataset(pipeline, "s", "SELECT sum(a) AS total, max(b) AS top FROM f", {"f": "bronze.f"})
    server.run_job(silver)
    assert server.rows("silver.s") == [{"total": 3, "top": "y"}]


def test_upload_streams_in_and_is_taken(server):
    body = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(100_000))
    made = server.raw("POST", "/api/uploads?filename=big.csv", data=body, headers={"Content-Type": "text/csv"}).json()
    assert (made["state"], made["size"]) == ("complete", len(body))
    job = server.ingest(
        server.pipeline(), "up", source_type="file_upload", config={"upload_id": made["id"]}, partition_mode="none"
    )
    assert server.run_job(job)["rows_written"] == 100_000
    (landed,) = server.lake_files("landing")
    assert (server.home / "lake" / landed).read_bytes() == body


def test_uploads_one_after_the_other(server):
    def upload(body, name="feed.csv"):
        return server.raw(
            "POST", f"/api/uploads?filename={name}", data=body, headers={"Content-Type": "text/csv"}
        ).json()

    first = upload(b"k,at\n1,2024-01-01\n2,2024-01-02\n")
    pipeline = server.pipeline()
    job = server.ingest(
        pipeline,
        "up",
        source_type="file_upload",
        config={"upload_id": first["id"]},
        partition_mode="none",
        **INCREMENTAL,
    )
    path = f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}"
    assert server.run_job(job)["rows_written"] == 2
    assert server.run_job(job)["state_name"] == "Skipped"
    # The same bytes under another id and name: nothing new.
    again = upload(b"k,at\n1,2024-01-01\n2,2024-01-02\n", "copy.csv")
    assert again["id"] != first["id"]
    server.patch(path, {"config": {"upload_id": again["id"]}})
    assert server.run_job(job)["state_name"] == "Skipped"
    # Other bytes under the old name: a new file.
    other = upload(b"k,at\n3,2024-01-03\n")
    server.patch(path, {"config": {"upload_id": other["id"]}})
    run = server.run_job(job)
    assert (run["rows_read"], run["rows_written"], run["rows_replaced"]) == (1, 1, 0)
    assert sorted(row["k"] for row in server.rows("bronze.up")) == [1, 2, 3]
    # And the first one again, which is in the ledger still.
    server.patch(path, {"config": {"upload_id": first["id"]}})
    assert server.run_job(job)["state_name"] == "Skipped"
    server.patch(path, {"incremental_mode": "full"})
    assert server.run_job(job)["rows_written"] == 2
    assert sorted(row["k"] for row in server.rows("bronze.up")) == [1, 2]
    assert server.refused("PATCH", path, {"config": {"upload_id": "nothere"}}).status == 400


def test_new_columns_are_added_and_types_stay(server):
    job = server.ingest(server.pipeline(), "e", server.inbox / "e*.csv", partition_mode="none", **INCREMENTAL)
    write(server.inbox / "e1.csv", "k,at\n1,2024-01-01\n")
    server.run_job(job)
    write(server.inbox / "e2.csv", "k,at,more\n2,2024-01-02,x\n")
    server.run_job(job)
    assert [column["name"] for column in server.catalog("bronze.e")["schema"]] == ["k", "at", "more"]
    rows = sorted(server.rows("bronze.e"), key=lambda row: row["k"])
    assert [row.get("more") for row in rows] == [None, "x"]
    write(server.inbox / "e3.csv", "k,at\nword,2024-01-03\n")
    run = server.run_job(job, ok=False)
    assert (run["state_type"], run["error"]["code"]) == ("FAILED", "bad_rows")
    assert len(server.rows("bronze.e")) == 2


def test_nothing_matches(server):
    pipeline = server.pipeline()
    run = server.run_job(server.ingest(pipeline, "none", server.inbox / "none*.csv"), ok=False)
    assert run["error"]["code"] == "not_found"
    later = server.ingest(pipeline, "later", server.inbox / "later*.csv", **INCREMENTAL)
    assert server.run_job(later)["state_name"] == "Skipped"


def test_landing_retention(server):
    path = write(server.inbox / "r.csv", "a\n1\n")
    job = server.ingest(server.pipeline(), "r", path, landing_retention_days=0)
    server.run_job(job)
    server.run_job(job)
    deadline = time.monotonic() + 10
    while len(server.lake_files("landing")) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(server.lake_files("landing")) <= 1
    assert server.rows("bronze.r") == [{"a": 1}]


def test_preview_and_plan(server):
    path = write(server.inbox / "p.csv", "a;b\n1;x\n2;y\n")
    pipeline = server.pipeline()
    body = {"name": "p", "source_type": "file_local", "format": "csv", "config": {"path": str(path)}}
    preview = server.post("/api/preview", {"kind": "ingest", "job": body})
    assert [column["name"] for column in preview["schema"]] == ["a", "b"]
    assert preview["rows"] == [["1", "x"], ["2", "y"]]
    job = server.ingest(pipeline, "p", path)
    plan = server.get(f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}/plan")
    assert len(plan["files"]) == 1
    assert plan["files"][0]["size"] == path.stat().st_size


def test_the_history_of_a_schema(server):
    job = server.ingest(server.pipeline(), "h", server.inbox / "h*.csv", partition_mode="none", **INCREMENTAL)
    write(server.inbox / "h1.csv", "k,at\n1,2024-01-01\n")
    first = server.run_job(job)
    write(server.inbox / "h2.csv", "k,at\n2,2024-01-02\n")  # changes nothing
    server.run_job(job)
    write(server.inbox / "h3.csv", "k,at,note\n3,2024-01-03,x\n")
    third = server.run_job(job)
    entry = server.catalog("bronze.h")
    history = entry["schema_history"]
    assert [(one["snapshot"], one["run_id"]) for one in history] == [(1, first["id"]), (3, third["id"])]
    assert [[column["name"] for column in one["schema"]] for one in history] == [["k", "at"], ["k", "at", "note"]]
    assert history[-1]["schema"] == entry["schema"]
    assert first["started_at"] <= history[0]["created_at"] <= history[1]["created_at"]
    # A full run infers everything anew, and takes a column away.
    write(server.inbox / "h1.csv", "k,at\nx1,2024-01-01\n")
    for name in ("h2.csv", "h3.csv"):
        (server.inbox / name).unlink()
    server.patch(f"/api/workflows/{job['pipeline_id']}/ingest-jobs/{job['id']}", {"incremental_mode": "full"})
    server.run_job(job)
    history = server.catalog("bronze.h")["schema_history"]
    assert [column["type"] for column in history[-1]["schema"]] == ["string", "date"]
    assert (len(history), history[-1]["snapshot"]) == (3, 4)
