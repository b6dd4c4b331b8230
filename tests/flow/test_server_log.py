"""What the server says to whoever runs it: JSON lines on standard error."""

import json
import time

from server import serving
from test_ingest import write


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
