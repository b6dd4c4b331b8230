"""The server is killed before its Nth write, fsync, rename ... over a run: whatever N is, the next start puts the home in
order, keeps what was acknowledged, and the next run makes what an uninterrupted one makes."""

import subprocess
import time

import pytest
import requests
from program import SOAK

from lake import SmallLoad, Template, arm, is_struck, mend, servers

# Every so manieth call; all of them in the long form. Torn writes of the log of SQLite are its own business.
KINDS = {"rename": 1, "fsync": 1, "mkdir": 2, "unlink": 4, "write": 12, "open": 9}
# Long enough after the run for its sweep, which removes what was replaced.
SETTLE = {"unlink": 1.5}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("lake"), SmallLoad)


def run_until_death(server: servers.Server, pipeline: dict, settle: float, what: str) -> tuple[list[str], set[str]]:
    """Ids of the runs that were begun, and of the job runs that were said to be completed."""
    runs, completed, deadline = [], set(), time.monotonic() + 20
    try:
        runs.append(server.start_run(pipeline)["id"])
        while server.process.poll() is None:
            now = server.get(f"/api/pipeline-runs/{runs[0]}")
            completed |= {one["id"] for one in now["job_runs"] if one["state_type"] == "COMPLETED"}
            if now["state_type"] in servers.TERMINAL:
                time.sleep(settle)
                server.stop()
            assert time.monotonic() < deadline, what
            time.sleep(0.002)
    except (requests.RequestException, ValueError):
        server.process.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
    return runs, completed


def kill_at(lake: Template, kind: str, at: int) -> bool:
    what = f"FAULT_ROLE=serve FAULT_KIND={kind} FAULT_AT={at} FAULT_HOW=kill"
    server = lake.server(FAULT_ROLE="serve", FAULT_KIND=kind, FAULT_AT=str(at), FAULT_HOW="kill")
    server.start()
    arm(server)
    runs, completed = run_until_death(server, lake.load.pipeline, SETTLE.get(kind, 0), what)
    struck = is_struck(server)
    mend(lake, server, runs, what, completed, twice=SOAK)
    lake.clean(server)
    return struck


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(20000 if SOAK else 300)
def test_killed_at_every_point(lake: Template, kind: str) -> None:
    calls = lake.count("serve", kind, SETTLE.get(kind, 0))
    assert calls > 0
    step = 1 if SOAK else KINDS[kind]
    tries = range(1, calls + 1, step)
    struck = sum(kill_at(lake, kind, at) for at in tries)
    print(f"{kind}: {calls} calls, killed before {struck} of {len(tries)}")
    assert struck * 2 >= len(tries)
