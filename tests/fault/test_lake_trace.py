"""What the system calls of a server say about the order: every visible name in the lake was written elsewhere, synced,
renamed, and its folder synced before the metadata said so, and that was synced before any client was told."""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from program import BINARY

from lake import servers, write

CALLS = (
    "openat,openat2,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,fsync,fdatasync,"
    "write,pwrite64,writev,pwritev,ftruncate,copy_file_range,sendto,sendmsg"
)
CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)$", re.S)
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
FD = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>$")


@dataclass
class File:
    """One inode, whatever its names are."""

    made: int
    written: int = -1
    synced: tuple[int, int] = (-1, -1)
    history: list[str] = field(default_factory=list)


@dataclass
class Event:
    begin: int
    end: int
    call: str
    arguments: str
    result: int

    def texts(self) -> list[str]:
        return [one.encode().decode("unicode_escape") for one in TEXT.findall(self.arguments)]

    def fd_path(self) -> str:
        """The path of the descriptor that comes first."""
        found = re.match(r"\d+<([^>]*)>", self.arguments)
        return found.group(1) if found else ""

    def named(self, at: int) -> str:
        """The path whose folder is the argument number `at`, relative to its descriptor."""
        words = re.findall(r'(?:AT_FDCWD|\d+)(?:<[^>]*>)?(?=, ")|"(?:[^"\\]|\\.)*"', self.arguments)
        folder, name = words[2 * at], words[2 * at + 1][1:-1]
        base = re.search(r"<([^>]*)>", folder)
        return os.path.normpath(os.path.join(base.group(1) if base else "/", name))


def events_of(text: str) -> list[Event]:
    open_calls: dict[tuple[str, str], tuple[int, str]] = {}
    events = []
    for number, line in enumerate(text.splitlines()):
        pid, rest = line.split(" ", 1)
        rest = rest.lstrip()
        begin = number
        if rest.endswith("<unfinished ...>"):
            name = rest.split("(", 1)[0]
            open_calls[pid, name] = (number, rest[: -len("<unfinished ...>")].rstrip())
            continue
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)$", rest)
        if resumed:
            begin, start = open_calls.pop((pid, resumed.group(1)))
            rest = start + resumed.group(2)
        found = CALL.match(f"{pid} {rest}")
        if found:
            events.append(Event(begin, number, found.group(2), found.group(3), int(found.group(4))))
    return events


class Disk:
    """Files and folders as the calls leave them, with the moments at which they became durable."""

    def __init__(self, events: list[Event]) -> None:
        self.files: dict[str, File] = {}
        self.folder_syncs: dict[str, list[tuple[int, int]]] = {}
        self.names: dict[str, tuple[int, File]] = {}  # final names in time of their renaming
        self.folders: dict[str, int] = {}
        for event in sorted(events, key=lambda one: one.end):
            if event.result >= 0:
                getattr(self, f"on_{event.call}", self.ignore)(event)

    def ignore(self, event: Event) -> None:
        del event

    def on_openat(self, event: Event) -> None:
        if "O_CREAT" in event.arguments:
            path = event.named(0)
            if path not in self.files:
                self.files[path] = File(event.end, history=[path])

    on_openat2 = on_openat

    def on_mkdirat(self, event: Event) -> None:
        self.folders[event.named(0)] = event.end

    def on_mkdir(self, event: Event) -> None:
        self.folders[event.texts()[0]] = event.end

    def on_write(self, event: Event) -> None:
        if event.fd_path() in self.files:
            self.files[event.fd_path()].written = event.end

    on_pwrite64 = on_writev = on_pwritev = on_ftruncate = on_write

    def on_fsync(self, event: Event) -> None:
        path = event.fd_path()
        self.folder_syncs.setdefault(path, []).append((event.begin, event.end))
        if path in self.files:
            self.files[path].synced = (event.begin, event.end)

    on_fdatasync = on_fsync

    def move(self, old: str, new: str, event: Event, keep: bool = False) -> None:
        for path in [one for one in self.files if one == old or one.startswith(old + "/")]:
            file = self.files[path] if keep else self.files.pop(path)
            to = new + path[len(old) :]
            file.history.append(to)
            self.files[to] = file
            self.names[to] = (event.begin, event.end, file)

    def on_renameat2(self, event: Event) -> None:
        self.move(event.named(0), event.named(1), event)

    on_renameat = on_renameat2

    def on_rename(self, event: Event) -> None:
        self.move(*event.texts(), event)

    def on_link(self, event: Event) -> None:
        self.move(*event.texts(), event, keep=True)

    def on_linkat(self, event: Event) -> None:
        self.move(event.named(0), event.named(1), event, keep=True)


@pytest.fixture
def traced(tmp_path: Path):
    """A server under strace: (server, what reads its events once it has stopped)."""
    home = (tmp_path / "home").resolve()
    log, program = tmp_path / "trace", tmp_path / "flowforge-traced"
    program.write_text(
        f'#!/bin/sh\nexec strace -D -f -y -s 70000 -e signal=none -e trace={CALLS} -o "{log}" "{BINARY}" "$@"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    server = servers.Server(home, program=program)
    server.start(60)
    yield server, lambda: events_of(log.read_text(errors="surrogateescape"))
    if server.process.poll() is None:
        server.stop()


def first(events: list[Event], calls: set[str], *words: str) -> Event:
    """The first call of those that carries all the words."""
    for event in events:
        if event.call in calls and all(word in event.arguments for word in words):
            return event
    raise AssertionError(f"no {calls} with {words}")


def check_order(disk: Disk, path: str, told: Event) -> None:
    """The file was complete and synced elsewhere before it got the name, and the name was synced before `told`."""
    assert path in disk.names, f"{path} never came by a rename"
    begin, end, file = disk.names[path]
    assert all("/.staging/" in one or one.endswith(".part") for one in file.history[:-1]), file
    assert file.synced[0] > file.written and file.synced[1] < begin, f"{path}: not synced before it was named: {file}"
    folder = os.path.dirname(path)
    synced = [one for one in disk.folder_syncs.get(folder, []) if one[0] > end]
    assert synced and synced[0][1] < told.begin, f"{folder}: not synced between the rename and what told of it"
    while folder in disk.folders:
        outer = os.path.dirname(folder)
        synced = [one for one in disk.folder_syncs.get(outer, []) if one[0] > disk.folders[folder]]
        assert synced and synced[0][1] < told.begin, f"{outer}: not synced after {folder} was made"
        folder = outer


SENDS = {"sendto", "sendmsg", "write", "writev"}
WRITES = {"pwrite64", "write"}


def test_a_run_is_durable_before_it_is_told(traced) -> None:
    server, read_events = traced
    pipeline = server.pipeline("P")
    write(server.inbox / "in.csv", "id,v\n" + "".join(f"{i},{'x' if i % 5 else ''}\n" for i in range(100)) + "1,2,3\n")
    server.ingest(
        pipeline,
        "things",
        server.inbox / "in.csv",
        partition_mode="column",
        partition_pattern="v",
        error_handling="quarantine",
        quarantine_path="quarantine",
    )
    server.dataset(pipeline, "counts", "SELECT v, count(*) AS n FROM t GROUP BY v", {"t": "bronze.things"})
    run = server.wait(server.start_run(pipeline, timeout=60), timeout=120)
    files = server.lake_files()
    assert {path.split("/")[0] for path in files} == {"landing", "bronze", "silver", "quarantine"}
    server.stop(60)
    events = read_events()
    disk = Disk(events)
    lake = f"{server.home}/lake"
    for job in run["job_runs"]:
        published = first(events, WRITES, "flowforge.db-wal", job["id"], "published")
        synced = next(
            one
            for one in events
            if one.call in ("fsync", "fdatasync")
            and one.fd_path().endswith("flowforge.db-wal")
            and one.begin > published.end
        )
        completed = re.compile(rf'\\"id\\":\\"{job["id"]}\\".{{1,300}}?\\"state_type\\":\\"(\w+)')
        told = next(
            one
            for one in events
            if one.call in SENDS
            and (found := completed.search(one.arguments.replace("\\\\", "\\")))
            and found.group(1) == "COMPLETED"
        )
        assert synced.end < told.begin, f"{job['job_name']}: told before the metadata were synced"
        mine = [path for path in files if job["job_name"] in path.split("/")[1:3] or path.startswith("quarantine/")]
        if job["job_name"] == "counts":
            mine = [path for path in files if path.startswith("silver/")]
        assert mine
        for path in mine:
            check_order(disk, f"{lake}/{path}", published)
    opened = [
        event.named(0) for event in events if event.call in ("openat", "openat2") and "O_CREAT" in event.arguments
    ]
    assert any("/.staging/" in path for path in opened)
    for path in opened:
        assert not path.startswith(lake + "/") or path.startswith(lake + "/.staging/"), f"{path} is written in place"


def test_an_upload_is_durable_before_it_is_told(traced) -> None:
    server, read_events = traced
    answer = server.raw(
        "POST", "/api/uploads?filename=a.csv", data=b"k\n" + b"7\n" * 100000, headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 201
    upload = answer.json()["id"]
    server.stop(60)
    events = read_events()
    told = first(events, SENDS, upload, r"\"state\":\"complete\"", "HTTP/1.1 201")
    recorded = first(events, WRITES, "flowforge.db-wal", upload, "complete")
    check_order(Disk(events), f"{server.home}/uploads/{upload}", recorded)
    assert recorded.end < told.begin
