"""Routes that need a child process or a run: previews, plans, samples, rejects, changes and deletions with history."""

import concurrent.futures
import os
import time

import pyarrow.parquet as pq
import pytest


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    old = time.time() - 60
    os.utime(path, (old, old))
    return path


ORDERS = "id,customer,amount,at\n1,ann,10,2024-01-01\n2,bob,20,2024-01-02\n3,ann,5,2024-01-03\n"
INCREMENTAL = {"incremental_mode": "incremental", "watermark_column": "at"}


@pytest.fixture
def orders(server):
    pipeline = server.pipeline("Shop")
    job = server.ingest(pipeline, "orders", write(server.inbox / "orders.csv", ORDERS), partition_mode="none")
    server.run_job(job)
    return pipeline, job


def base(job):
    return f"/api/workflows/{job['pipeline_id']}/{'dataset' if 'sql' in job else 'ingest'}-jobs/{job['id']}"


# ---- previews ----


def test_preview_of_an_unsaved_dataset_job(server, orders):
    body = {
        "job": {
            "layer": "silver",
            "inputs": [{"alias": "o", "dataset": "bronze.orders"}],
            "sql": "SELECT customer, sum(amount) AS total FROM o GROUP BY customer ORDER BY customer",
        }
    }
    preview = server.post("/api/preview", body)
    assert [column["name"] for column in preview["columns"]] == ["customer", "total"]
    assert len(preview["rows"]) == 2
    assert "ann" in str(preview["rows"][0])
    assert len(server.post("/api/preview", {**body, "limit": 1})["rows"]) == 1
    body["job"]["sql"] = "SELECT nothing FROM o"
    problem = server.refused("POST", "/api/preview", body)
    assert (problem.status, problem.pointers()) == (400, {"/job/sql": "sql"})
    (found,) = problem.problem["errors"]
    assert (found["line"], found["column"]) == (1, 8)
    body["job"]["inputs"][0]["dataset"] = "bronze.nowhere"
    problem = server.refused("POST", "/api/preview", body)
    assert (problem.status, problem.pointers()) == (400, {"/job/inputs/0/dataset": "not_found"})
    assert server.get("/api/runs?state=FAILED")["items"] == []


def test_preview_of_an_ingest_job_names_what_is_wrong(server):
    path = write(server.inbox / "a.csv", "a;b\n1;x\n")
    good = {"source_type": "file_local", "format": "csv", "config": {"path": str(path)}}
    assert server.post("/api/preview", {"kind": "ingest", "job": good})["rows"] == [["1", "x"]]
    for job, pointer in (
        ({**good, "format": "xml"}, "/job/format"),
        ({**good, "config": {"path": "/etc/passwd"}}, "/job/config/path"),
        ({**good, "colour": 1}, "/job/colour"),
    ):
        problem = server.refused("POST", "/api/preview", {"job": job})
        assert problem.status == 400
        assert pointer in problem.pointers()
    assert server.refused("POST", "/api/preview", {"job": good, "limit": 0}).pointers() == {"/limit": "range"}
    missing = server.refused(
        "POST", "/api/preview", {"job": {**good, "config": {"path": str(server.inbox / "no.csv")}}}
    )
    assert missing.status == 400
    assert "no.csv" in missing.problem["detail"]


def test_an_upload_is_previewed_before_its_job_is_saved(server):
    made = server.raw(
        "POST", "/api/uploads?filename=u.csv", data=b"k\n7\n", headers={"Content-Type": "text/csv"}
    ).json()
    job = {"source_type": "file_upload", "format": "csv", "config": {"upload_id": made["id"]}}
    assert server.post("/api/preview", {"job": job})["rows"] == [["7"]]


# ---- plans and checks ----


def test_plans(server, orders):
    pipeline, job = orders
    plan = server.get(base(job) + "/plan")
    assert plan["file_count"] == 1
    assert plan["bytes"] == len(ORDERS)
    assert plan["example_path"].startswith("bronze/orders/2")
    assert plan["example_path"].endswith(".parquet")
    by_columns = server.ingest(
        pipeline, "c", server.inbox / "orders.csv", partition_mode="column", partition_pattern="customer,at"
    )
    assert server.get(base(by_columns) + "/plan")["example_path"].startswith("bronze/c/customer=.../at=.../2")
    silver = server.dataset(pipeline, "s", "SELECT id, amount FROM o", {"o": "bronze.orders"})
    plan = server.get(base(silver) + "/plan")
    assert [(c["name"], c["type"]) for c in plan["columns"]] == [("id", "bigint"), ("amount", "bigint")]
    stages = server.get(f"/api/workflows/{pipeline['id']}/plan")
    assert stages["problems"] == []
    assert job["id"] in [one if isinstance(one, str) else one["id"] for one in stages["stages"][0]]


def test_a_changed_sql_is_checked_and_nothing_of_a_bad_change_is_kept(server, orders):
    pipeline, _ = orders
    job = server.dataset(pipeline, "s", "SELECT id FROM o", {"o": "bronze.orders"})
    problem = server.refused("PATCH", base(job), {"sql": "SELECT id,\n amont FROM o", "description": "new"})
    (found,) = problem.problem["errors"]
    assert (found["pointer"], found["line"]) == ("/sql", 2)
    assert server.get(base(job)) == job
    answer = server.post(f"/api/validate/dataset-job?job_id={job['id']}", {"sql": "SELECT x FROM o"})
    assert [one["pointer"] for one in answer["errors"]] == ["/sql"]
    assert server.post(f"/api/validate/dataset-job?job_id={job['id']}", {"sql": "SELECT 1 AS x FROM o"}) == {
        "errors": []
    }


# ---- samples ----


def test_samples_of_catalog_and_quarantine(server, orders):
    sample = server.get("/api/catalog/bronze.orders/sample?limit=2")
    assert [column["name"] for column in sample["columns"]] == ["id", "customer", "amount", "at"]
    assert len(sample["rows"]) == 2
    assert server.refused("GET", "/api/catalog/bronze.orders/sample?limit=0").status == 400
    pipeline, job = orders
    (run,) = server.all(base(job) + "/runs")
    assert server.get(f"/api/ingest-runs/{run['id']}/rejects")["rows"] == []
    files = server.all("/api/catalog/bronze.orders/files?limit=1")
    assert pq.ParquetFile(server.home / "lake" / files[0]["path"]).metadata.num_rows == files[0]["rows"] == 3


# ---- history ----


def test_a_reset_is_one_of_three_ways(server):
    pipeline = server.pipeline()
    path = write(server.inbox / "i.csv", ORDERS)
    job = server.ingest(pipeline, "i", path, partition_mode="none", **INCREMENTAL)
    server.run_job(job)
    watermark = server.get(base(job) + "/watermark")
    assert watermark["watermark"]["value"] == "2024-01-03"
    assert watermark["ledger_files"] == 1
    problem = server.refused("PATCH", base(job), {"watermark_column": "id"})
    assert problem.status == 409
    for way in ("DELETE .../watermark", "PUT .../watermark", "full", "new dataset"):
        assert way in problem.problem["hint"]
    changed = server.patch(base(job), {"watermark_column": "id", "incremental_mode": "full"})
    assert server.run_job(changed)["rows_written"] == 3
    again = server.patch(base(job), {"incremental_mode": "incremental"})
    assert server.get(base(job) + "/watermark")["watermark"]["column"] == "id"
    write(server.inbox / "i.csv", ORDERS + "4,cem,1,2024-01-04\n")
    server.run_job(again)
    assert sorted(row["id"] for row in server.rows("bronze.i")) == [1, 2, 3, 4]


def test_the_same_key_gives_the_same_run(server, orders):
    _, job = orders
    headers = {"Idempotency-Key": "once"}
    first = server.raw("POST", base(job) + "/run", headers=headers)
    second = server.raw("POST", base(job) + "/run", headers=headers)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["Location"] == f"/api/pipeline-runs/{first.json()['id']}"
    server.wait(first.json())
    assert server.raw("POST", base(job) + "/run", headers={"Idempotency-Key": "x" * 300}).status_code == 400


def test_a_run_takes_no_fields(server, orders):
    pipeline, job = orders
    before = len(server.get("/api/runs")["items"])
    for path in (base(job) + "/run", f"/api/workflows/{pipeline['id']}/run"):
        problem = server.refused("POST", path, {"full": True})
        assert problem.status == 400
        assert "PATCH the job" in problem.problem["hint"]
    both = {"full": True, "range": None}
    assert server.refused("POST", base(job) + "/run", both).pointers() == {"/full": "unknown_field"}
    assert len(server.get("/api/runs")["items"]) == before
    server.wait(server.post(base(job) + "/run", {}))


def test_a_reset_is_followed_by_a_full_run(server):
    job = server.ingest(server.pipeline(), "r", write(server.inbox / "r.csv", ORDERS), **INCREMENTAL)
    server.run_job(job)
    server.delete(base(job) + "/watermark", {"reason": "a test"})
    failed = server.wait(server.start_job(job), ok=False)["job_runs"][0]
    for way in ("PUT .../watermark", "incremental_mode=full", "new dataset"):
        assert way in failed["error"]["hint"]
    server.patch(base(job), {"incremental_mode": "full"})
    assert server.run_job(job)["rows_written"] == 3
    server.patch(base(job), {"incremental_mode": "incremental"})
    skipped = server.run_job(job)
    assert (skipped["state_name"], skipped["rows_read"]) == ("Skipped", 0)
    assert skipped["watermark_before"] == skipped["watermark_after"] == "2024-01-03"
    assert server.get(base(job))["last_watermark_value"] == "2024-01-03"
    assert len(server.rows("bronze.r")) == 3


def test_deleted_data_goes_and_kept_data_stays(server):
    for name, query, left in (("kept", "", 3), ("gone", "?delete_data=true", 0)):
        pipeline = server.pipeline(name)
        job = server.ingest(pipeline, name, write(server.inbox / f"{name}.csv", ORDERS), partition_mode="none")
        server.run_job(job)
        assert server.raw("DELETE", f"/api/workflows/{name}{query}").status_code == 204
        entry = server.catalog(f"bronze.{name}")
        assert (entry["pipeline_id"], entry["job_id"], entry["row_count"]) == (None, None, left)
        assert len(server.rows(f"bronze.{name}")) == left
    # A new job may take the name over.
    again = server.ingest(server.pipeline(), "gone", write(server.inbox / "g.csv", ORDERS), partition_mode="none")
    server.run_job(again)
    assert len(server.rows("bronze.gone")) == 3


def test_if_match(server, orders):
    _, job = orders
    etag = server.raw("GET", base(job)).headers["ETag"]
    assert server.raw("PATCH", base(job), json={"description": "a"}, headers={"If-Match": etag}).status_code == 200
    assert server.raw("PATCH", base(job), json={"description": "b"}, headers={"If-Match": etag}).status_code == 412
    assert server.raw("DELETE", base(job), headers={"If-Match": etag}).status_code == 412


def test_concurrent_changes_are_all_kept(server, orders):
    """Each PATCH changes its own member: none may write back what another one has just changed."""
    _, job = orders
    changes = [{"description": "d"}, {"retries": 3}, {"timeout_seconds": 99}, {"null_values": ["NA"]}]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert {r.status_code for r in pool.map(lambda c: server.raw("PATCH", base(job), json=c), changes)} <= {
            200,
            409,
        }
    now = server.get(base(job))
    assert [now["description"], now["retries"], now["timeout_seconds"], now["null_values"]] == ["d", 3, 99, ["NA"]]


def test_short_tasks_are_limited(server, orders):
    body = {"job": {"layer": "gold", "inputs": [{"alias": "o", "dataset": "bronze.orders"}], "sql": "SELECT * FROM o"}}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.raw("POST", "/api/preview", json=body), range(8)))
    codes = {answer.status_code for answer in answers}
    assert 200 in codes
    assert codes <= {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) >= 1
    assert server.post("/api/preview", body)["rows"]


def test_log_as_text(server, orders):
    _, job = orders
    run = server.wait(server.start_job(job))
    text = server.raw("GET", f"/api/pipeline-runs/{run['id']}/log?format=text")
    lines = server.get(f"/api/pipeline-runs/{run['id']}/log")["items"]
    assert text.headers["Content-Type"].startswith("text/plain")
    assert len(text.text.splitlines()) == len(lines) > 0
