"""The disk of a home becomes full: what runs fails and says why, the server keeps answering, and with space again the next
run makes what it would have made."""

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mounts import in_own_mounts, needs_root
from program import SOAK

from lake import Load, check_books, check_visible, servers, write

if os.geteuid() != 0:

    def test_in_own_mounts() -> None:
        in_own_mounts(Path(__file__))


def fill(folder: Path, spare: int = 0) -> Path:
    """All but `spare` bytes of the file system are taken by a file that is no part of the home."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for piece in (1 << 20, 1 << 12):
            block = bytes(piece)
            while True:
                free = os.statvfs(folder)
                if free.f_bavail * free.f_frsize < piece + spare:
                    break
                file.write(block)
    return filler


@pytest.fixture
def disk(mount: Callable[..., Path]) -> Path:
    return mount("disk", size="24m")


@contextlib.contextmanager
def serving(disk: Path, tmp_path: Path, *options: object) -> Iterator[servers.Server]:
    """The inbox is on another disk."""
    inbox = tmp_path / "inbox"
    inbox.mkdir(exist_ok=True)
    with servers.serving(disk / "home", "--local-root", inbox, *options) as server:
        server.inbox = inbox
        yield server


def check_answers(server: servers.Server) -> None:
    assert server.raw("GET", "/healthz", timeout=5).status_code == 200
    assert server.get("/api/workflows")["items"]
    assert server.get("/api/catalog")["items"] is not None


@needs_root
def test_a_task_finds_the_disk_full(disk: Path, tmp_path: Path) -> None:
    with serving(disk, tmp_path) as server:
        pipeline = server.pipeline()
        text = "id,t\n" + "".join(f"{i},{os.urandom(100).hex()}\n" for i in range(20000))
        job = server.ingest(pipeline, "big", write(server.inbox / "big.csv", text), partition_mode="none")
        filler = fill(disk, spare=3 << 20)
        run = server.wait(server.start_job(job), ok=False)["job_runs"][0]
        assert (run["state_type"], run["error"]["code"]) == ("FAILED", "no_space")
        assert "space" in run["error"]["hint"], run
        check_answers(server)
        assert server.lake_files() == []
        assert list((server.home / "lake/.staging").iterdir()) == []
        filler.unlink()
        assert server.run_job(job)["rows_written"] == 20000
        assert len(server.rows("bronze.big")) == 20000
    check_books(server)


@needs_root
def test_the_metadata_find_the_disk_full(disk: Path, tmp_path: Path) -> None:
    with serving(disk, tmp_path) as server:
        pipeline = server.pipeline()
        job = server.ingest(pipeline, "j", write(server.inbox / "a.csv", "id\n1\n"), partition_mode="none")
        filler = fill(disk)
        # The log of SQLite has some room of its own: until that is used up, small changes are still taken.
        for number in range(2000):
            answer = server.raw("POST", "/api/workflows", json={"name": f"p {number}", "description": "d" * 4000})
            if answer.status_code != 201:
                break
        assert answer.status_code == 507, answer.text
        problem = answer.json()
        assert problem["code"] == "no_space"
        assert "free some space" in problem["hint"]
        assert server.refused("POST", f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}/run").status == 507
        upload = server.raw("POST", "/api/uploads?filename=u", data=b"x" * 100000, headers={"Content-Type": "text/csv"})
        assert upload.status_code == 507, upload.text
        check_answers(server)
        filler.unlink()
        assert server.run_job(job)["rows_written"] == 1
        assert server.pipeline()["id"]
    check_books(server)


@needs_root
@pytest.mark.timeout(3000 if SOAK else 300)
def test_the_disk_is_full_at_any_moment(disk: Path, tmp_path: Path) -> None:
    """Of a task, of a commit, of a publish, and of what SQLite does when it commits."""
    draw = random.Random(3)
    outcomes: dict[str, int] = {}
    with serving(disk, tmp_path, "--garbage-grace", "0") as server:
        load = Load(server, 11)
        load.make_pipeline()
        load.next_round()
        began = time.monotonic()
        server.run(load.pipeline)
        span = time.monotonic() - began
        for _ in range(100 if SOAK else 8):
            load.next_round()
            run = server.start_run(load.pipeline)
            time.sleep(draw.random() * span)
            filler = fill(disk)
            time.sleep(0.5)
            check_answers(server)
            check_visible(server)
            filler.unlink()
            done = server.wait(run, ok=False)
            outcomes[done["state_type"]] = outcomes.get(done["state_type"], 0) + 1
            for one in done["job_runs"]:
                if one["error"]:
                    assert one["error"]["code"] in ("no_space", "upstream_failed"), one
            check_visible(server)
            server.run(load.pipeline)
            assert load.found() == load.expected()
    check_books(server)
    print(outcomes)
    assert outcomes.get("FAILED", 0) > 0, outcomes
