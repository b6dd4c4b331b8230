"""A backup of the metadata while runs go on, then a copy of the lake: together they start as a home in another place
(docs/operations.md, "Backup and restore")."""

import json
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from lake import Load, check_interrupted, check_visible, servers

HOUSEKEEPING_SECONDS = 5  # after a start


def back_up_metadata(home: Path, to: Path) -> None:
    """What `sqlite3 flowforge.db ".backup FILE"` does."""
    source = sqlite3.connect(home / "flowforge.db")
    target = sqlite3.connect(to / "flowforge.db")
    source.backup(target)
    target.close()
    source.close()


def copy_files(home: Path, to: Path) -> None:
    """Folders are listed while runs add to them and the sweep takes from them."""
    for folder in ("lake", "uploads"):
        (to / folder).mkdir()
        # os.walk passes over folders that vanish meanwhile.
        found = [Path(at, name) for at, _, names in os.walk(home / folder) for name in names]
        for path in sorted(found):
            name = path.relative_to(home)
            if ".staging" in name.parts:
                continue
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(path, to / name)
            except FileNotFoundError:
                (to / name).unlink(missing_ok=True)


def wait_for_log(server: servers.Server, word: str) -> list[str]:
    """Paths that lines of the log with these words end with, once the first housekeeping is over."""
    time.sleep(max(0, server.began + HOUSEKEEPING_SECONDS + 1.5 - time.monotonic()))
    messages = [json.loads(line)["message"] for line in server.log]
    return [one.rsplit(": ", 1)[1] for one in messages if word in one]


class Going:
    """Runs, one after the other, while the backup is made."""

    def __init__(self, load: Load) -> None:
        self.load, self.stop, self.runs = load, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.stop.is_set():
            self.load.next_round()
            self.load.server.run(self.load.pipeline)
            self.runs += 1

    def __enter__(self) -> "Going":
        self.thread.start()
        return self

    def __exit__(self, *what: object) -> None:
        self.stop.set()
        self.thread.join()


@pytest.fixture
def load(tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    server = servers.Server(tmp_path / "home", "--local-root", inbox)
    with server:
        one = Load(server, 21, inbox)
        one.make_pipeline()
        one.next_round()
        server.run(one.pipeline)
        yield one


def test_backup_while_runs_go_on(load: Load, tmp_path: Path) -> None:
    home, copy = load.server.home, tmp_path / "elsewhere" / "copy"
    copy.mkdir(parents=True)
    with Going(load) as going:
        time.sleep(0.3)
        before = going.runs
        back_up_metadata(home, copy)
        while going.runs < before + 2:
            time.sleep(0.05)
        copy_files(home, copy)
    with sqlite3.connect(copy / "flowforge.db") as db:
        known = {path for (path,) in db.execute("SELECT path FROM manifest_files")}
        opened = [run for (run,) in db.execute("SELECT id FROM pipeline_runs WHERE ended_at IS NULL")]
    restored = servers.Server(copy, "--local-root", load.inbox)
    with restored:
        check_interrupted(restored, opened)
        added = {path for path in restored.lake_files() if path not in known}
        assert added, "nothing was committed between the backup and the copy"
        for full in load.expected():
            restored.table(full)
        told = wait_for_log(restored, "is part of no dataset")
        assert set(told) == added
        assert set(added) <= set(restored.lake_files()), "files that nobody knows were removed"
        assert wait_for_log(restored, "of the lake is not there") == []
        # What came after the backup is taken again, once.
        restored.run(load.pipeline)
        load.server = restored
        assert load.found() == load.expected()
        for path in added:
            (copy / "lake" / path).unlink()
        assert load.found() == load.expected()
        check_visible(restored)
        again = restored.run(load.pipeline)
        assert {one["job_name"]: one["state_name"] for one in again["job_runs"]}["a"] == "Skipped"


def test_a_copy_without_a_file_says_so(load: Load, tmp_path: Path) -> None:
    """What happens when the grace is shorter than the copying, and how to go on."""
    home, copy = load.server.home, tmp_path / "copy"
    copy.mkdir()
    back_up_metadata(home, copy)
    copy_files(home, copy)
    with sqlite3.connect(copy / "flowforge.db") as db:
        (gone,) = db.execute("SELECT path FROM manifest_files WHERE layer = 'silver' AND path LIKE '%/ab/%'").fetchone()
    (copy / "lake" / gone).unlink()
    with servers.Server(copy, "--local-root", load.inbox) as restored:
        assert wait_for_log(restored, "of the lake is not there") == [gone]
        load.server = restored
        restored.run(load.pipeline)
        assert load.found() == load.expected()
