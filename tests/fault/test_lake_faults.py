"""The Nth call of a kind fails in the server or in a task: a run may fail for it and the server may even end, but what
readers see stays whole, and after a start without the fault the next run makes what an uninterrupted one makes."""

import random
import sqlite3
import time
from errno import EINTR, EIO, EMFILE, ENOMEM, ENOSPC
from itertools import pairwise
from pathlib import Path

import pytest
import requests
from program import SOAK

from lake import SmallLoad, Template, arm, is_struck, mend, servers

# Kind of call: how it fails. Every N in the long form, so many of them in the short one.
SERVE = {
    "alloc": (8, [(ENOMEM, "once"), (ENOMEM, "on")]),
    "read": (3, [(EIO, "once"), (EIO, "on"), (EINTR, "alternate"), ("short", "on")]),
    "write": (4, [(EIO, "once"), (ENOSPC, "on"), (EINTR, "alternate"), ("short", "once"), ("short", "on")]),
    "open": (3, [(EIO, "once"), (EMFILE, "on")]),
    "fsync": (5, [(EIO, "once"), (EIO, "on"), (EINTR, "alternate")]),
    "rename": (3, [(EIO, "once"), (ENOSPC, "on")]),
    "mkdir": (2, [(ENOSPC, "once"), (EIO, "on")]),
    "unlink": (2, [(EIO, "once"), (EIO, "on")]),
}
TASK = {
    "alloc": (6, [(ENOMEM, "once"), (ENOMEM, "on")]),
    "read": (2, [(EIO, "once"), (EINTR, "alternate"), ("short", "on")]),
    "write": (3, [(ENOSPC, "once"), (EIO, "on"), (EINTR, "alternate"), ("short", "on")]),
    "open": (3, [(EIO, "once"), (EMFILE, "on")]),
    "fsync": (4, [(EIO, "once"), (EIO, "on")]),
    "rename": (2, [(EIO, "once"), (EIO, "on")]),
    "mkdir": (2, [(ENOSPC, "once"), (EIO, "on")]),
}
SURVIVED = {EINTR, "short"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("lake"))


def try_run(server: servers.Server, pipeline: dict, seconds: float = 8) -> tuple[dict | None, list[str]]:
    """The run as far as it came, and the ids of all that were begun. Any answer but a hang is one."""
    run, began = None, time.monotonic()
    while run is None and time.monotonic() < began + seconds / 2 and server.process.poll() is None:
        try:
            run = server.start_run(pipeline, timeout=10, headers={"Idempotency-Key": "case"})
        except servers.Refused as problem:
            refused = problem.status
        except (requests.RequestException, ValueError):
            refused = 503
        if run is None:
            assert refused in (500, 503, 507), "a fault of the server is told as one of the client"
            time.sleep(0.05)
    if run is None:
        return None, []
    while time.monotonic() < began + seconds and server.process.poll() is None:
        try:
            now = server.get(f"/api/pipeline-runs/{run['id']}")
            if now["state_type"] in servers.TERMINAL:
                return now, [run["id"]]
        except (servers.Refused, requests.RequestException, ValueError):
            pass
        time.sleep(0.05)
    return None, [run["id"]]


def check_not_trusted(lake: Template, server: servers.Server, run: dict | None, what: str) -> None:
    """What the failed fsync was to keep was not said to be kept: no run of its dataset completed, neither this nor, for a
    folder, the next one. SQLite writes the pages of a failed commit again, so that one may succeed."""
    path = Path(Path(f"{server.home}.struck").read_text())
    if "lake" not in path.parts or server.process.poll() is not None:
        return
    if run is None:
        return
    assert run["state_type"] != "COMPLETED", f"{what}: {path} could not be synced: {run}"
    below = path.parts[path.parts.index("lake") + 1 :]
    if ".staging" in below or len(below) < 2:
        return
    try:
        again = server.wait(server.start_run(lake.load.pipeline), ok=False)
    except servers.Refused:
        return
    job = next(one for one in again["job_runs"] if one["job_name"] in below)
    assert (job["state_type"], job["state_name"]) != ("COMPLETED", "Completed"), f"{what}: {path} is trusted again"


def strike(lake: Template, role: str, kind: str, at: int, error: int | str, how: str) -> bool:
    faults = {
        "FAULT_ROLE": role,
        "FAULT_KIND": kind,
        "FAULT_AT": str(at),
        "FAULT_HOW": how,
        "FAULT_ERRNO": str(error),
    }
    what = " ".join(f"{k}={v}" for k, v in faults.items())
    server = lake.server(**faults)
    server.start()
    try:
        arm(server)
        run, runs = try_run(server, lake.load.pipeline)
        struck = is_struck(server)
        if error in SURVIVED:
            assert run is not None and run["state_type"] == "COMPLETED", (what, run)
        if kind == "fsync" and error == EIO and struck:
            check_not_trusted(lake, server, run, what)
        if run is not None and run["state_type"] == "COMPLETED" and (how == "once" or error in SURVIVED):
            lake.load.server = server
            assert lake.load.found() == lake.load.expected(), what
        if run is not None and run["state_type"] != "COMPLETED":
            told = [one["error"] for one in run["job_runs"] if one["state_type"] != "COMPLETED"]
            assert all(one and one["message"] for one in told), (what, run)
        if server.process.poll() is None and how == "once":
            assert server.raw("GET", "/healthz", timeout=5).status_code == 200, what
            assert run is not None, f"{what}: the run does not end"
        if role == "task" and how == "once":
            # The server has nothing to mend: the next run succeeds as it is.
            server.run(lake.load.pipeline)
            lake.load.server = server
            assert lake.load.found() == lake.load.expected(), what
    except BaseException:
        print(what, "".join(server.log[-20:]))
        raise
    finally:
        died = server.process.poll()
        if died is None:
            server.kill()
    assert died in (None, 0, 1), f"{what}: the server ended with {died}: {''.join(server.log[-20:])}"
    mend(lake, server, runs, what, twice=SOAK)
    lake.clean(server)
    return struck


def cases(calls: int, count: int, seed: str) -> list[int]:
    if SOAK or calls <= count:
        return list(range(1, calls + 1))
    pick = random.Random(seed)
    edges = [calls * i // count for i in range(count + 1)]
    return [pick.randint(a + 1, b) for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    ("role", "kind"), [("serve", kind) for kind in SERVE] + [("task", kind) for kind in TASK], ids=lambda v: v
)
@pytest.mark.timeout(100000 if SOAK else 300)
def test_failing_call(lake: Template, role: str, kind: str) -> None:
    count, hows = (SERVE if role == "serve" else TASK)[kind]
    calls = lake.count(role, kind)
    assert calls > 0
    struck = tries = 0
    for i, at in enumerate(cases(calls, count, f"{role} {kind}")):
        for k, (error, how) in enumerate(hows):
            if SOAK or k == i % len(hows):
                struck += strike(lake, role, kind, at, error, how)
                tries += 1
    print(f"{role} {kind}: {calls} calls, {struck} of {tries} faults struck")
    assert struck * 2 >= tries, f"{struck} of {tries}"


# ---- a start that has something to put in order ----

START = {
    "alloc": [(ENOMEM, "once"), (ENOMEM, "on")],
    "read": [(EIO, "once"), ("short", "on")],
    "write": [(EIO, "once"), (ENOSPC, "on"), (EIO, "kill")],
    "open": [(EIO, "once"), (EMFILE, "on")],
    "fsync": [(EIO, "once"), (EIO, "on"), (EIO, "kill")],
    "rename": [(EIO, "once"), (EIO, "kill")],
    "mkdir": [(EIO, "once")],
    "unlink": [(EIO, "once"), (EIO, "kill")],
}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Template, list[str]]:
    """A home whose server was killed between a commit and the renaming of its files."""
    lake = Template(tmp_path_factory.mktemp("interrupted"), SmallLoad)
    server = lake.server(FAULT_ROLE="serve", FAULT_KIND="rename", FAULT_AT="1", FAULT_HOW="kill")
    server.start()
    arm(server)
    run = server.start_run(lake.load.pipeline)
    server.process.wait(20)
    with sqlite3.connect(server.home / "flowforge.db") as db:
        waiting = "SELECT count(*) FROM layer_centric_ingest_runs WHERE commit_state = 'committed'"
        assert db.execute(waiting).fetchone() == (1,)
    lake.template = server.home
    return lake, [run["id"]]


@pytest.mark.parametrize("kind", START)
@pytest.mark.timeout(20000 if SOAK else 300)
def test_failing_call_at_a_start(interrupted: tuple[Template, list[str]], kind: str) -> None:
    lake, runs = interrupted
    counter = lake.folder / f"count-start-{kind}"
    whole = lake.server(FAULT_ROLE="serve", FAULT_KIND=kind, FAULT_AT="0", FAULT_COUNT=str(counter))
    arm(whole)
    with whole:
        pass
    lake.clean(whole)
    calls = int(counter.read_text())
    started = 0
    for i, at in enumerate(cases(calls, 4, f"start {kind}")):
        for k, (error, how) in enumerate(START[kind]):
            if not SOAK and k != i % len(START[kind]):
                continue
            faults = {"FAULT_KIND": kind, "FAULT_AT": str(at), "FAULT_HOW": how, "FAULT_ERRNO": str(error)}
            what = " ".join(f"{k}={v}" for k, v in faults.items())
            server = lake.server(FAULT_ROLE="serve", **faults)
            arm(server)
            try:
                server.start()
                started += 1
                server.kill()
            except AssertionError:
                code = server.process.wait(10)
                server.reader.join(5)
                assert code == (-9 if how == "kill" else 1), f"{what}: {code} {server.log}"
                assert how == "kill" or any("flowforge: " in line for line in server.log), f"{what}: it says nothing"
            mend(lake, server, runs, what, twice=False)
            lake.clean(server)
    print(f"start {kind}: {calls} calls, {started} starts in spite of a fault")
