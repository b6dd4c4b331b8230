"""Setting and forgetting a watermark through a real server: what a run takes then, and that no row is doubled or lost."""

import os
import time

import pytest

INCREMENTAL = {"incremental_mode": "incremental", "watermark_column": "at", "partition_mode": "none"}
A = "k,at\n1,2024-01-01\n2,2024-01-05\n"
B = "k,at\n3,2024-01-06\n4,2024-01-09\n"


def write(path, text, age=60):
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))


def base(job):
    return f"/api/workflows/{job['pipeline_id']}/ingest-jobs/{job['id']}"


def put(server, job, value, **more):
    return server.call("PUT", base(job) + "/watermark", {"value": value, "reason": "a test", **more})


def keys(server):
    return sorted(row["k"] for row in server.rows("bronze.w"))


@pytest.fixture
def job(server):
    """Two files were taken in two runs; the watermark is 2024-01-09."""
    made = server.ingest(server.pipeline(), "w", server.inbox / "w*.csv", **INCREMENTAL)
    server.inbox.mkdir(exist_ok=True)
    write(server.inbox / "w1.csv", A)
    server.run_job(made)
    write(server.inbox / "w2.csv", B)
    server.run_job(made)
    assert keys(server) == [1, 2, 3, 4]
    return made


def test_forgotten_files_are_taken_again_and_replace_their_rows(server, job):
    answer = put(server, job, "2024-01-03", forget_files=True)
    assert answer == {
        "watermark": {"column": "at", "type": "date", "value": "2024-01-03", "ties": []},
        "ledger_files": 0,
    }
    assert server.get(base(job) + "/watermark") == answer
    assert server.get(base(job))["last_watermark_value"] == "2024-01-03"
    write(server.inbox / "w3.csv", "k,at\n5,2024-01-04\n6,2024-01-02\n")
    assert server.get(base(job) + "/plan")["file_count"] == 3
    run = server.run_job(job)
    # What is below the watermark is filtered in the new file only.
    assert (run["rows_read"], run["rows_written"], run["rows_filtered"], run["rows_replaced"]) == (6, 5, 1, 4)
    assert keys(server) == [1, 2, 3, 4, 5]
    assert server.get(base(job))["last_watermark_value"] == "2024-01-09"
    assert server.get(base(job) + "/watermark")["ledger_files"] == 3
    assert server.run_job(job)["state_name"] == "Skipped"


def test_forgotten_files_that_are_gone_keep_their_rows(server, job):
    put(server, job, "2024-01-03", forget_files=True)
    (server.inbox / "w1.csv").unlink()
    assert server.run_job(job)["rows_replaced"] == 2
    assert keys(server) == [1, 2, 3, 4]


def test_a_forgotten_upload_is_replaced_by_the_same_bytes_under_another_id(server):
    def upload():
        headers = {"Content-Type": "application/octet-stream"}
        return server.raw("POST", "/api/uploads?filename=w.csv", data=A.encode(), headers=headers).json()["id"]

    config = {"upload_id": upload()}
    job = server.ingest(server.pipeline(), "w", config=config, source_type="file_upload", **INCREMENTAL)
    server.run_job(job)
    put(server, job, "2024-01-01", forget_files=True)
    server.patch(base(job), {"config": {"upload_id": upload()}})
    run = server.run_job(job)
    assert (run["rows_written"], run["rows_replaced"]) == (2, 2)
    assert keys(server) == [1, 2]


def test_forgotten_files_are_merged_by_key(server):
    job = server.ingest(server.pipeline(), "w", server.inbox / "w*.csv", dedupe_keys=["k"], **INCREMENTAL)
    server.inbox.mkdir(exist_ok=True)
    write(server.inbox / "w1.csv", A)
    server.run_job(job)
    write(server.inbox / "w2.csv", B + "2,2024-01-07\n")
    server.run_job(job)
    before = sorted((row["k"], str(row["at"])) for row in server.rows("bronze.w"))
    put(server, job, "2024-01-01", forget_files=True)
    server.run_job(job)
    after = sorted((row["k"], str(row["at"])) for row in server.rows("bronze.w"))
    assert after == before == [(1, "2024-01-01"), (2, "2024-01-07"), (3, "2024-01-06"), (4, "2024-01-09")]


def test_back_to_an_earlier_value_takes_older_rows_of_new_files(server, job):
    write(server.inbox / "w3.csv", "k,at\n5,2024-01-04\n")
    assert server.run_job(job)["rows_filtered"] == 1
    assert put(server, job, "2024-01-03")["ledger_files"] == 3
    write(server.inbox / "w4.csv", "k,at\n6,2024-01-03\n7,2024-01-02\n")
    run = server.run_job(job)
    assert (run["rows_read"], run["rows_written"], run["rows_filtered"]) == (2, 1, 1)
    assert keys(server) == [1, 2, 3, 4, 6]


def test_after_a_delete_a_value_leads_on(server, job):
    server.delete(base(job) + "/watermark", {"reason": "a test"})
    failed = server.run_job(job, ok=False)
    assert failed["state_type"] == "FAILED"
    for way in ("PUT .../watermark", "incremental_mode=full", "new dataset"):
        assert way in failed["error"]["hint"]
    assert put(server, job, "2024-01-09")["watermark"]["value"] == "2024-01-09"
    assert server.run_job(job)["rows_replaced"] == 4
    write(server.inbox / "w3.csv", "k,at\n5,2024-01-10\n")
    assert server.run_job(job)["rows_written"] == 1
    assert keys(server) == [1, 2, 3, 4, 5]


def test_after_a_delete_another_column_may_be_named(server, job):
    server.delete(base(job) + "/watermark", {"reason": "another column"})
    server.patch(base(job), {"watermark_column": "K"})
    assert put(server, job, "4")["watermark"] == {"column": "k", "type": "bigint", "value": "4", "ties": []}
    write(server.inbox / "w3.csv", "k,at\n3,2024-01-10\n9,2020-01-01\n")
    run = server.run_job(job)
    assert (run["rows_filtered"], run["rows_replaced"]) == (1, 4)
    assert keys(server) == [1, 2, 3, 4, 9]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"value": "soon", "reason": "x"}, {"/value": "format"}),
        ({"value": "", "reason": "x"}, {"/value": "format"}),
        ({"value": " 2024-01-01", "reason": "x"}, {"/value": "format"}),
        ({"value": "2024-02-30", "reason": "x"}, {"/value": "format"}),
        ({"value": 5, "reason": "x"}, {"/value": "type"}),
        ({"value": None, "reason": "x"}, {"/value": "null"}),
        ({"reason": "x"}, {"/value": "required"}),
        ({"value": "2024-01-01"}, {"/reason": "required"}),
        ({"value": "2024-01-01", "reason": ""}, {"/reason": "length"}),
        ({"value": "2024-01-01", "reason": "x", "forget_files": "yes"}, {"/forget_files": "type"}),
    ],
)
def test_what_is_no_value_changes_nothing(server, job, body, wrong):
    before = server.get(base(job) + "/watermark"), server.get("/api/audit")["items"]
    problem = server.refused("PUT", base(job) + "/watermark", body)
    assert (problem.status, problem.pointers()) == (400, wrong)
    assert (server.get(base(job) + "/watermark"), server.get("/api/audit")["items"]) == before


def test_an_open_run_refuses_it(server, job):
    write(server.inbox / "w3.csv", "k,at\n5,2024-01-10\n", age=0)  # which the run waits for, up to two seconds
    run = server.start_job(job)
    problem = server.refused("PUT", base(job) + "/watermark", {"value": "2024-01-01", "reason": "x"})
    assert (problem.status, problem.problem["code"]) == (409, "conflict")
    server.wait(run)
    put(server, job, "2024-01-01")


def test_a_column_that_is_not_there_yet_refuses_it(server):
    job = server.ingest(server.pipeline(), "w", server.inbox / "w*.csv", **INCREMENTAL)
    problem = server.refused("PUT", base(job) + "/watermark", {"value": "2024-01-01", "reason": "x"})
    assert problem.status == 409
    assert "Run the job once" in problem.problem["hint"]


def test_it_is_audited(server, job):
    put(server, job, "2024-01-03", forget_files=True)
    server.delete(base(job) + "/watermark", {"reason": "again"})
    put(server, job, "2024-01-04")
    last, deleted, first = server.get("/api/audit")["items"][:3]
    assert first["action"] == last["action"] == "ingest_job.watermark_set"
    assert first["object_id"] == job["id"]
    assert first["details"] == {
        "reason": "a test",
        "column": "at",
        "old_column": "at",
        "old_value": "2024-01-09",
        "new_value": "2024-01-03",
        "forget_files": True,
        "ledger_files": 2,
    }
    assert deleted["details"] == {"reason": "again", "watermark": "2024-01-03", "ledger_files": 0}
    assert (last["details"]["old_value"], last["details"]["new_value"]) == (None, "2024-01-04")


def test_a_viewer_may_not(server, job):
    token = server.post("/api/tokens", {"name": "v", "role": "viewer"})["token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"value": "2024-01-01", "reason": "x"}
    assert server.raw("PUT", base(job) + "/watermark", json=body, headers=headers).status_code == 403
