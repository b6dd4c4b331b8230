"""A mixed load on a real server, the model of what the lake has to hold after it, and what must hold of every home."""

import datetime
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "flow"))

import server as servers
from program import FAULTLIB
from test_ingest import INCREMENTAL, write

DAY = datetime.date(2024, 1, 1)


def day(number):
    return (DAY + datetime.timedelta(days=number)).isoformat()


class Load:
    """Files that come and change, and what the lake has to hold in the end."""

    def __init__(self, server, seed, inbox=None):
        self.server = server
        self.inbox = inbox or server.inbox
        self.draw = random.Random(seed)
        self.files = {}
        self.merged = {}
        self.round = 0

    def make_pipeline(self):
        s = self.server
        self.pipeline = s.pipeline("mixed")
        s.ingest(self.pipeline, "a", self.inbox / "a*.csv", partition_mode="none", **INCREMENTAL)
        s.ingest(self.pipeline, "b", self.inbox / "b*.csv", dedupe_keys=["k"], **INCREMENTAL)
        s.ingest(self.pipeline, "c", self.inbox / "c.csv", partition_mode="column", partition_pattern="g")
        s.dataset(
            self.pipeline,
            "ab",
            "SELECT a.k AS ak, b.k AS bk, a.v + b.v AS v FROM a JOIN b ON a.k % 50 = b.k",
            {"a": "bronze.a", "b": "bronze.b"},
        )
        s.dataset(
            self.pipeline,
            "latest",
            'SELECT k, "at", v FROM b',
            {"b": "bronze.b"},
            refresh_mode="merge",
            merge_keys=["k"],
        )
        s.dataset(
            self.pipeline,
            "sums",
            "SELECT (SELECT count(*) FROM ab) AS joined, (SELECT sum(v) FROM latest) AS total, "
            "(SELECT count(*) FROM c) AS c",
            {"ab": "silver.ab", "latest": "silver.latest", "c": "bronze.c"},
            "gold",
        )

    def next_round(self):
        """One more new file for a and b, sometimes a changed one for a, another c."""
        n, draw = self.round, self.draw
        self.round += 1
        self.put(f"a{n:04d}.csv", n, [(n * 100 + i, draw.randrange(1000)) for i in range(40)])
        if n and draw.random() < 0.5:
            old = draw.randrange(n)
            self.put(
                f"a{old:04d}.csv", old, [(old * 100 + i, draw.randrange(1000)) for i in range(draw.randrange(1, 50))]
            )
        rows = [(draw.randrange(50), draw.randrange(1000)) for _ in range(30)]
        self.put(f"b{n:04d}.csv", n, rows)
        for k, v in rows:
            self.merged[k] = (n, v)
        self.c = [(i, draw.choice("xyz")) for i in range(draw.randrange(5, 60))]
        write(self.inbox / "c.csv", "i,g\n" + "".join(f"{i},{g}\n" for i, g in self.c))

    def put(self, name, at, rows):
        self.files[name] = (at, rows)
        write(self.inbox / name, "k,at,v\n" + "".join(f"{k},{day(at)},{v}\n" for k, v in rows))

    def expected(self):
        """{dataset: its rows, sorted}"""
        a = [(k, at, v) for name, (at, rows) in self.files.items() if name.startswith("a") for k, v in rows]
        b = {k: (at, v) for k, (at, v) in self.merged.items()}
        ab = [(k, k % 50, v + b[k % 50][1]) for k, _, v in a if k % 50 in b]
        sums = (len(ab), sum(v for _, v in b.values()), len(self.c))
        return {
            "bronze.a": sorted(a),
            "bronze.b": sorted((k, at, v) for k, (at, v) in b.items()),
            "bronze.c": sorted(self.c),
            "silver.ab": sorted(ab),
            "silver.latest": sorted((k, at, v) for k, (at, v) in b.items()),
            "gold.sums": [sums],
        }

    def found(self):
        tables = {}
        for full in self.expected():
            rows = self.server.rows(full)
            plain = [
                tuple((value - DAY).days if isinstance(value, datetime.date) else value for value in row.values())
                for row in rows
            ]
            tables[full] = sorted(plain)
        return tables


def tasks_of(server):
    """Process numbers of the server's children."""
    found = []
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                fields = (one / "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if int(fields[1]) == server.process.pid:
                found.append(int(one.name))
    return found


def check_interrupted(server, open_before):
    """Every run that was open when the server died is terminal within two seconds of the restart."""
    assert server.listening_after < 2
    for run in open_before:
        now = server.get(f"/api/pipeline-runs/{run}")
        assert now["state_type"] in servers.TERMINAL, now
        for job in now["job_runs"]:
            assert job["state_type"] in servers.TERMINAL, job
            servers.account(job)


def check_books(server, swept=False):
    """Manifest and folders agree, nothing is staged. `swept`: what was replaced is gone from both."""
    with sqlite3.connect(f"file:{server.home}/flowforge.db?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        known = {row["path"]: row for row in db.execute("SELECT * FROM manifest_files")}
        assert not db.execute("SELECT * FROM commit_undo").fetchall()
        open_commits = "SELECT id FROM {} WHERE commit_state = 'committed'"
        for table in ("layer_centric_ingest_runs", "dataset_runs"):
            assert not db.execute(open_commits.format(table)).fetchall()
        ledger = {row["uri"]: row["rows"] for row in db.execute("SELECT * FROM ingest_ledger")}
        watermarks = dict(
            db.execute("SELECT j.name, w.value FROM watermarks w JOIN layer_centric_ingest_jobs j ON j.id = w.job_id")
        )
    lake = server.home / "lake"
    found = set(server.lake_files())
    kept = {path for path, row in known.items() if swept or row["removed_at"] is None}
    assert found <= set(known), f"nobody's: {sorted(found - set(known))}"
    assert kept <= found, f"lost: {sorted(kept - found)}"
    for path in kept:
        row = known[path]
        assert (lake / path).stat().st_size == row["bytes"], path
    assert list((lake / ".staging").iterdir()) == []
    return ledger, watermarks


def check_visible(server):
    """At any moment: what readers are shown is whole, holds no key twice, and nobody's file lies in the lake."""
    for full in ("bronze.a", "bronze.b", "bronze.c", "silver.ab", "silver.latest"):  # keys come first
        keys = [next(iter(row.values())) for row in server.rows(full)]
        assert len(keys) == len(set(keys)), f"{full} has rows twice"
    with sqlite3.connect(f"file:{server.home}/flowforge.db?mode=ro", uri=True) as db:
        known = {path for (path,) in db.execute("SELECT path FROM manifest_files")}
    assert set(server.lake_files()) <= known


def start_killed(server, seconds):
    """A start that is killed, too, perhaps before it has put everything in order."""
    words = [server.program, "serve", "--home", server.home, "--listen", "127.0.0.1:0", *server.options]
    process = subprocess.Popen(
        list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **server.env}
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


def wait_for_sweep(server, timeout=20):
    deadline = time.monotonic() + timeout
    while True:
        with sqlite3.connect(f"file:{server.home}/flowforge.db?mode=ro", uri=True) as db:
            waiting = db.execute("SELECT count(*) FROM manifest_files WHERE removed_snapshot IS NOT NULL").fetchone()[0]
        if not waiting:
            return
        assert time.monotonic() < deadline, f"{waiting} removed files are still there"
        time.sleep(0.2)


class SmallLoad(Load):
    """A file that merges into bronze, which merges into silver."""

    def make_pipeline(self):
        s = self.server
        self.pipeline = s.pipeline("small")
        s.ingest(self.pipeline, "b", self.inbox / "b*.csv", dedupe_keys=["k"], **INCREMENTAL)
        s.dataset(
            self.pipeline,
            "latest",
            'SELECT k, "at", v FROM b',
            {"b": "bronze.b"},
            refresh_mode="merge",
            merge_keys=["k"],
        )

    def expected(self):
        whole = super().expected()
        return {full: whole[full] for full in ("bronze.b", "silver.latest")}


class Template:
    """A home with one finished round, and files for the next one. Each case works on a copy of it."""

    def __init__(self, folder, load=Load):
        self.folder, self.inbox, self.template = folder, folder / "inbox", folder / "template"
        self.inbox.mkdir()
        self.number = 0
        with servers.serving(self.template, "--local-root", self.inbox, "--quiet") as server:
            self.load = load(server, 7, self.inbox)
            self.load.make_pipeline()
            for _ in range(2):
                self.load.next_round()
                server.run(self.load.pipeline)
        self.load.next_round()

    def server(self, **env):
        """On a fresh copy, and with a fault from its next call on (see arm)."""
        self.number += 1
        home = self.folder / f"home-{self.number}"
        shutil.copytree(self.template, home)
        faults = {"LD_PRELOAD": str(FAULTLIB), "FAULT_ARM": f"{home}.arm", "FAULT_STRUCK": f"{home}.struck", **env}
        server = servers.Server(
            home, "--local-root", self.inbox, "--garbage-grace", "0", "--quiet", env=faults if env else {}
        )
        return server

    def clean(self, server):
        shutil.rmtree(server.home)
        for suffix in ("arm", "struck"):
            Path(f"{server.home}.{suffix}").unlink(missing_ok=True)

    def count(self, role, kind, settle=0):
        """Calls over one run, `settle` seconds after it and the stop."""
        counter = self.folder / f"count-{role}-{kind}"
        server = self.server(FAULT_ROLE=role, FAULT_KIND=kind, FAULT_AT="0", FAULT_COUNT=str(counter))
        with server:
            arm(server)
            server.run(self.load.pipeline)
            time.sleep(settle)
        self.load.server = server
        self.clean(server)
        return max(map(int, counter.read_text().split()))


def arm(server):
    """What was set up begins to count."""
    Path(f"{server.home}.arm").touch()


def is_struck(server):
    return Path(f"{server.home}.struck").exists()


def mend(lake, server, runs, what, completed=(), twice=True):
    """A start without the fault: all is in order, and the next run brings everything up to date."""
    server.env = {}
    server.start()
    try:
        check_interrupted(server, runs)
        check_visible(server)
        for run in runs:
            now = {one["id"]: one["state_type"] for one in server.get(f"/api/pipeline-runs/{run}")["job_runs"]}
            assert all(now[one] == "COMPLETED" for one in completed), f"{what}: acknowledged, and lost"
        server.run(lake.load.pipeline)
        lake.load.server = server
        assert lake.load.found() == lake.load.expected(), what
        if twice:  # a run with nothing new changes nothing
            server.run(lake.load.pipeline)
            assert lake.load.found() == lake.load.expected(), what
    finally:
        server.stop()
    check_books(server)
