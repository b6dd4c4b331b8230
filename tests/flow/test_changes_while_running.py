"""What may be changed while something runs, and what a run is held to: jobs, pipelines, files."""

import threading
import time

import pytest
from server import serving
from test_ingest import write
from test_pipelines import orders

ENDLESS = 20_000_000_000


def job_path(job):
    kind = "dataset" if "sql" in job else "ingest"
    return f"/api/workflows/{job['pipeline_id']}/{kind}-jobs/{job['id']}"


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not come to this: {what}"
        time.sleep(0.02)
    return found


def endless(server, pipeline, name="endless", source="bronze.orders", **fields):
    sql = f"SELECT max(sqrt(a.range * o.id)) AS s FROM range({ENDLESS}) a, o"
    return server.dataset(pipeline, name, sql, {"o": source}, **fields)


def job_runs(server, run):
    return {one["job_name"]: one for one in server.get(f"/api/pipeline-runs/{run['id']}")["job_runs"]}


def wait_running(server, run, name):
    return until(lambda: job_runs(server, run)[name]["state_type"] == "RUNNING", f"{name} is running")


def cancel(server, run):
    server.post(f"/api/pipeline-runs/{run['id']}/cancel")
    assert server.wait(run, ok=False)["state_type"] == "CANCELLED"


def test_a_job_that_runs_cannot_be_deleted_but_changed(server):
    pipeline = server.pipeline()
    server.run_job(orders(server, pipeline))
    job = endless(server, pipeline)
    run = server.start_job(job)
    wait_running(server, run, "endless")
    for path in (job_path(job), f"/api/workflows/{pipeline['id']}"):
        problem = server.refused("DELETE", path)
        assert (problem.status, problem.problem["code"]) == (409, "conflict")
    # The change is for later runs: this one goes on with what it was started with.
    server.patch(job_path(job), {"sql": "SELECT id FROM o", "enabled": True})
    assert job_runs(server, run)["endless"]["state_type"] == "RUNNING"
    told = server.get(f"/api/dataset-runs/{job_runs(server, run)['endless']['id']}")
    assert str(ENDLESS) in told["config"]["sql"]
    cancel(server, run)
    assert server.run_job(job)["rows_written"] == 2
    server.delete(job_path(job))
    server.delete(f"/api/workflows/{pipeline['id']}")


def test_a_run_keeps_the_configuration_of_the_moment_it_was_asked_for(server):
    """It is frozen when the run is recorded, also for a run that waits."""
    pipeline = server.pipeline()
    path = write(server.inbox / "a.csv", "id\n1\n2\n")
    other = write(server.inbox / "b.csv", "id\n1\n2\n3\n")
    source = server.ingest(pipeline, "orders", path, partition_mode="none")
    server.run_job(source)
    job = endless(server, pipeline, "report")
    first = server.start_job(job)
    wait_running(server, first, "report")
    server.patch(job_path(job), {"sql": "SELECT id FROM o"})
    second = server.start_job(job)  # waits for the first
    server.patch(job_path(job), {"sql": "SELECT id + 100 AS id FROM o"})
    assert job_runs(server, second)["report"]["state_type"] == "PENDING"
    cancel(server, first)
    server.wait(second)
    assert sorted(row["id"] for row in server.rows("silver.report")) == [1, 2]
    server.run_job(job)
    assert sorted(row["id"] for row in server.rows("silver.report")) == [101, 102]
    # Likewise an ingest.
    server.patch(job_path(source), {"config": {"path": str(other)}})
    assert server.run_job(source)["rows_written"] == 3


def test_a_job_that_gets_another_dataset_while_it_runs(server):
    """The run goes on into the old one; the new one gets every file, whatever that run has taken."""
    pipeline = server.pipeline()
    path = server.inbox / "moving.csv"
    path.write_text("id\n1\n2\n")  # just now: the run waits until it is settled
    job = server.ingest(pipeline, "moving", path, incremental_mode="incremental", watermark_column="id")
    run = server.start_job(job)
    wait_running(server, run, "moving")
    server.patch(job_path(job), {"dataset": "moved"})
    assert server.wait(run)["rows_written"] == 2
    assert len(server.rows("bronze.moving")) == 2
    again = server.run_job(job)
    assert (again["state_name"], again["rows_written"]) == ("Completed", 2)
    assert len(server.rows("bronze.moved")) == 2
    assert server.run_job(job)["state_name"] == "Skipped"


def test_a_job_that_is_disabled(server):
    pipeline = server.pipeline()
    orders(server, pipeline, "a")
    off = orders(server, pipeline, "b", enabled=False)
    run = server.run(pipeline)
    assert [one["job_name"] for one in run["job_runs"]] == ["a"]
    # By itself it runs when somebody asks for exactly that.
    assert server.run_job(off)["state_type"] == "COMPLETED"
    server.patch(job_path(off), {"enabled": True})
    assert server.run(pipeline)["jobs_total"] == 2


def test_a_pipeline_may_allow_less_at_once(tmp_path):
    with serving(tmp_path / "home", "--max-parallel-jobs", "4") as server:
        pipeline = server.pipeline(max_parallel_jobs=1)
        for i in range(5):
            orders(server, pipeline, f"o{i}")
        spans = sorted((one["started_at"], one["ended_at"]) for one in server.run(pipeline)["job_runs"])
        assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False)), spans


def test_a_reader_keeps_its_files(tmp_path):
    """An ingest replaces what a long query reads: the old files stay until that has ended, not longer."""
    with serving(tmp_path / "home", "--garbage-grace", "0", "--max-parallel-jobs", "3") as server:
        pipeline = server.pipeline()
        source = orders(server, pipeline)
        server.run_job(source)
        (old,) = server.lake_files("bronze")
        rows = 150_000_000
        sql = f"SELECT max(a.range % 1000 * o.id) AS m, count(*) AS n FROM range({rows}) a, o"
        job = server.dataset(pipeline, "slow", sql, {"o": "bronze.orders"})
        run = server.start_job(job)
        wait_running(server, run, "slow")
        write(server.inbox / "orders.csv", "id,customer,amount\n7,z,1\n8,z,1\n9,z,1\n")
        server.run_job(source)
        assert [one["path"] for one in server.files("bronze.orders")] != [old]
        held, began = 0, time.monotonic()
        while old in server.lake_files("bronze"):  # before the state, which may change in between
            if job_runs(server, run)["slow"]["state_type"] != "RUNNING":
                break
            held = time.monotonic() - began
            time.sleep(0.1)
        assert job_runs(server, run)["slow"]["state_type"] != "RUNNING", "a file went away under its reader"
        assert held > 1.5, "the query was too short: housekeeping comes a second after the ingest"
        server.wait(run)
        assert server.rows("silver.slow") == [{"m": 999 * 2, "n": rows * 2}]
        until(lambda: old not in server.lake_files("bronze"), "the replaced file is gone")
        assert len(server.lake_files("bronze")) == 1


def grow(path):
    """A file that is written to until the event is set."""
    stop = threading.Event()

    def write_on():
        while not stop.wait(0.05):
            with path.open("a") as f:
                f.write("1\n")

    threading.Thread(target=write_on, daemon=True).start()
    return stop


def test_landing_copies_of_an_open_run_stay(tmp_path):
    with serving(tmp_path / "home", "--garbage-grace", "0") as server:
        path = write(server.inbox / "r.csv", "a\n1\n")
        pipeline = server.pipeline()
        job = server.ingest(pipeline, "r", path, landing_retention_days=0)
        server.run_job(job)
        until(lambda: server.lake_files("landing") == [], "a copy of no days is gone after its run")
        # While a run of the job is open, no copy of it goes.
        server.patch(job_path(job), {"landing_retention_days": 30})
        server.run_job(job)
        (kept,) = server.lake_files("landing")
        fields = {"landing_retention_days": 0, "retries": 1, "retry_delay_seconds": 300}
        server.patch(job_path(job), fields)
        growing = grow(path)  # waited for, then "changed", which is tried again
        time.sleep(0.3)
        run = server.start_job(job)
        other = server.ingest(pipeline, "other", write(server.inbox / "o.csv", "a\n1\n"), landing_retention_days=0)
        server.run_job(other)  # its end calls the housekeeping
        seen = []
        deadline = time.monotonic() + 30
        while seen.count("AwaitingRetry") < 20:
            assert time.monotonic() < deadline, seen
            seen.append(job_runs(server, run)["r"]["state_name"])
            assert kept in server.lake_files("landing"), seen
            time.sleep(0.1)
        assert seen.count("Running") >= 10, seen
        growing.set()
        cancel(server, run)
        until(lambda: server.lake_files("landing") == [], "the copies go after the run")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT string_agg(repeat('x', 1000), '') AS s FROM range(20000000), o",
        "SELECT list(repeat('y', 1000) || range) AS l FROM range(20000000), o",
    ],
)
def test_a_query_beyond_its_memory_fails_and_the_server_lives(tmp_path, sql):
    with serving(tmp_path / "home", "--task-memory", "64M") as server:
        pipeline = server.pipeline()
        server.run_job(orders(server, pipeline))
        job = server.dataset(pipeline, "huge", sql, {"o": "bronze.orders"})
        run = server.run_job(job, ok=False, timeout=120)
        assert (run["state_type"], run["error"]["code"]) == ("FAILED", "no_memory"), run
        assert server.get("/healthz")["status"] == "ok"
        server.patch(job_path(job), {"sql": "SELECT id FROM o"})
        assert server.run_job(job)["rows_written"] == 2
