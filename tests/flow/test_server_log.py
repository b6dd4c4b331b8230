"""What the server says to whoever runs it: JSON lines on standard error."""

import json
import os
import pathlib
import signal
import subprocess
import time

from flowforge import PROGRAM
from server import serving
from test_ingest import write
from test_pipelines import slow_dataset


def lines(server):
    return [json.loads(line) for line in server.log]


def said(server, level, part, seconds=10):
    """The message, once the log has it."""
    deadline = time.monotonic() + seconds
    while True:
        found = [one for one in lines(server) if one["level"] == level and part in one["message"]]
        if found:
            return found[0]["message"]
        assert time.monotonic() < deadline, f"not said: {part!r} in {server.log}"
        time.sleep(0.05)


def test_recovery_and_orphans_are_told(server):
    write(server.inbox / "a.csv", "id\n" + "".join(f"{i}\n" for i in range(3_000_000)))
    pipeline = server.pipeline()
    job = server.ingest(pipeline, "a", server.inbox / "a.csv")
    server.start_job(job)
    server.kill()
    for i in range(25):
        write(server.home / f"lake/bronze/a/stray-{i:02}.parquet", "x")
    server.log.clear()
    server.start()
    assert "job runs 1 crashed" in said(server, "warning", "stopped or killed at work")
    assert " 25 files of the lake are part of no dataset, 0 files are not there" in said(server, "warning", "differ")
    for i in range(25):
        said(server, "warning", f"is part of no dataset of this home; it is left alone: bronze/a/stray-{i:02}.parquet")
    assert len(server.lake_files("bronze")) == 25, "orphans are told, never removed"


def test_what_housekeeping_removes_is_told(tmp_path):
    with serving(tmp_path / "home", "--garbage-grace", "0") as server:
        path = write(server.inbox / "a.csv", "id\n1\n")
        job = server.ingest(server.pipeline(), "a", path)
        server.run_job(job)
        server.run_job(job)
        said(server, "info", "housekeeping removed 1 files")
        assert len(server.lake_files("bronze")) == 1


def task_of(server):
    """The process of the task that runs: a child of the server."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == server.process.pid and b"task\0run" in (stat.parent / "cmdline").read_bytes():
                    return int(stat.parent.name)
            except OSError:
                continue
        time.sleep(0.02)
    raise AssertionError("no task runs")


def cancelling(server):
    """A run whose task does not hear of its cancel."""
    pipeline = server.pipeline()
    slow_dataset(server, pipeline)
    run = server.start_run(pipeline)
    deadline = time.monotonic() + 10
    while server.get(f"/api/pipeline-runs/{run['id']}")["job_runs"][-1]["state_type"] != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(task_of(server), signal.SIGSTOP)
    server.post(f"/api/pipeline-runs/{run['id']}/cancel")
    while (now := server.get(f"/api/pipeline-runs/{run['id']}"))["state_type"] != "CANCELLING":
        assert time.monotonic() < deadline, now
        time.sleep(0.01)
    return run


def test_a_task_that_has_to_be_killed_is_told(server):
    run = cancelling(server)
    assert server.wait(run, ok=False)["state_type"] == "CANCELLED"
    assert "'slow'" in said(server, "warning", "and is killed")


def test_what_was_being_cancelled_when_the_server_was_killed_is_cancelled(server):
    run = cancelling(server)
    server.kill()
    server.log.clear()
    server.start()
    now = server.get(f"/api/pipeline-runs/{run['id']}")
    assert (now["state_type"], now["error"]) == ("CANCELLED", None)
    assert {one["job_name"]: one["state_type"] for one in now["job_runs"]} == {
        "slow_in": "COMPLETED",
        "slow": "CANCELLED",
    }
    assert "1 were cancelled" in said(server, "warning", "stopped or killed at work")


def test_the_command_line_tells_it_as_text(server):
    path = write(server.inbox / "a.csv", "id\n" + "".join(f"{i}\n" for i in range(3_000_000)))
    server.start_job(server.ingest(server.pipeline(), "a", path))
    server.kill()
    words = [PROGRAM, "runs", "list", "--home", server.home]
    first = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    assert first.stderr.startswith("flowforge: warning: ")
    assert "job runs 1 crashed" in first.stderr
    assert "warning" not in first.stdout
    again = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    assert again.stderr == ""
    server.start()
