"""Measures the server and writes its section of docs/benchmarks.md (everything from "## The server" on).

    python bench/serve.py --flowforge PATH --data DIR [--out FILE] [--repeat 5] [--runs 1000000] [--only NAME]

What: start to listening; a run through the server beside `flowforge convert` of the same file; a graph of 1,000 tasks
that find nothing to do; reads under 64 connections (wrk) with a million stored runs and 1,000 pipelines; idle memory.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BENCH = Path(__file__).resolve().parent
HEADING = "## The server"
TASKS = 1000
PIPELINES = 1000
WRK_SECONDS = 5


class Server:
    """`flowforge serve` on a home, and its API."""

    def __init__(self, program, home, *options):
        self.home = Path(home)
        began = time.monotonic()
        self.process = subprocess.Popen(
            [program, "serve", "--home", str(home), "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.process.stdout.readline()
        self.listening_after = time.monotonic() - began
        self.url = re.search(r"(http://[^/\s]+)/", line).group(1)
        self.token = json.loads((self.home / "server.lock").read_text())["token"]

    def call(self, method, path, body=None, data=None, content_type="application/json"):
        data = json.dumps(body).encode() if body is not None else data
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read() or b"null")

    def wait(self, run, every=0.01):
        """Asks every so many seconds; what it costs the server to answer is a part of what is measured."""
        while True:
            now = self.call("GET", f"/api/pipeline-runs/{run['id']}")
            if now["state_type"] in ("COMPLETED", "FAILED", "CANCELLED", "CRASHED"):
                return now
            time.sleep(every)

    def cpu_seconds(self):
        """Of the server and of the children that it has waited for: (server, children)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(map(int, fields[11:13])) / ticks, sum(map(int, fields[13:15])) / ticks

    def resident_mib(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def serving(program, home, *options):
    server = Server(program, home, *options)
    try:
        yield server
    finally:
        server.stop()


def seconds_of(run):
    start, end = (datetime.datetime.fromisoformat(run[word]) for word in ("started_at", "ended_at"))
    return (end - start).total_seconds()


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} - {max(values):.{digits}f})"


def bar(value, limit, better):
    reached = value <= limit if better == "less" else value >= limit
    return f"{'reached' if reached else 'MISSED'}"


# ---- what is measured: each gives rows of [what, value, bar, verdict] ----


def measure_start(options, work):
    values = []
    for _ in range(max(options.repeat, 5)):
        with serving(options.flowforge, work / "start") as server:
            values.append(server.listening_after * 1000)
            idle = server.resident_mib()
    return [
        ["start to listening, ms", spread(values, 0), "< 100", bar(statistics.median(values), 100, "less")],
        ["idle server, resident MiB", f"{idle:.1f}", "< 30", bar(idle, 30, "less")],
    ]


def measure_overhead(options, work):
    source = options.data / "lineitem-csv.csv"
    if not source.exists():
        found = sorted(options.data.glob("lineitem-csv*.csv"))
        if not found:
            return [["overhead of a run", "no data: run bench/run.py first", "", ""]]
        source = found[-1]
    plain, synced, upload, local = [], [], [], []
    with serving(options.flowforge, work / "overhead", "--local-root", str(source.parent)) as server:
        pipeline = server.call("POST", "/api/workflows", {"name": "bench"})
        base = f"/api/workflows/{pipeline['id']}/ingest-jobs"
        made = server.call("POST", "/api/uploads", {"filename": "lineitem.csv", "size": source.stat().st_size})
        with source.open("rb") as body:
            request = urllib.request.Request(
                f"{server.url}/api/uploads/{made['id']}",
                data=body,
                method="PUT",
                headers={
                    "Authorization": f"Bearer {server.token}",
                    "Content-Type": "text/csv",
                    "Content-Length": str(source.stat().st_size),
                },
            )
            urllib.request.urlopen(request, timeout=600).read()
        common = {"format": "csv", "partition_mode": "none", "landing_retention_days": 0}
        jobs = {
            "upload": server.call(
                "POST",
                base,
                {"name": "up", "source_type": "file_upload", "config": {"upload_id": made["id"]}, **common},
            ),
            "local": server.call(
                "POST", base, {"name": "local", "source_type": "file_local", "config": {"path": str(source)}, **common}
            ),
        }
        for _ in range(options.repeat):
            for words, values in (((), plain), (("--sync",), synced)):
                target = work / "plain.parquet"
                target.unlink(missing_ok=True)
                subprocess.run(["cat", source], stdout=subprocess.DEVNULL, check=True)
                began = time.monotonic()
                command = [options.flowforge, "convert", "-q", *words, source, target]
                subprocess.run(command, check=True)
                values.append(time.monotonic() - began)
                subprocess.run(["sync"], check=True)
            for name, values in (("upload", upload), ("local", local)):
                began = time.monotonic()
                run = server.wait(server.call("POST", f"{base}/{jobs[name]['id']}/run"))
                values.append(time.monotonic() - began)
                assert run["state_type"] == "COMPLETED", run
                subprocess.run(["sync"], check=True)
    base_line, sync_line = statistics.median(plain), statistics.median(synced)
    rows = [
        ["`convert` of the same file, s", spread(plain), "", ""],
        ["`convert --sync`, s", spread(synced), "", ""],
    ]
    for name, values in (("uploaded file", upload), ("local file, copied to landing", local)):
        median = statistics.median(values)
        over = (median / sync_line - 1) * 100
        rows.append([f"run through the server, {name}, s", spread(values), "", ""])
        rows.append([f"overhead over `convert --sync`, {name}, %", f"{over:.1f}", "<= 5", bar(over, 5, "less")])
        rows.append([f"overhead over `convert`, {name}, %", f"{(median / base_line - 1) * 100:.1f}", "", ""])
    return rows


def measure_tasks(options, work):
    rates, own, children = [], [], []
    with serving(options.flowforge, work / "tasks", "--max-parallel-jobs", "4") as server:
        inbox = work / "tasks" / "inbox"
        (inbox / "one.csv").write_text("k,at\n1,2024-01-01\n")
        time.sleep(2.1)
        pipeline = server.call("POST", "/api/workflows", {"name": "empty"})
        for number in range(TASKS):
            server.call(
                "POST",
                f"/api/workflows/{pipeline['id']}/ingest-jobs",
                {
                    "name": f"t{number:04d}",
                    "source_type": "file_local",
                    "format": "csv",
                    "config": {"path": str(inbox / "none*.csv")},
                    "incremental_mode": "incremental",
                    "watermark_column": "at",
                },
            )
        for _ in range(options.repeat):
            before = server.cpu_seconds()
            run = server.wait(server.call("POST", f"/api/workflows/{pipeline['id']}/run"), 0.25)
            after = server.cpu_seconds()
            assert run["state_type"] == "COMPLETED" and run["jobs_completed"] == TASKS, run["state_name"]
            rates.append(TASKS / seconds_of(run))
            own.append((after[0] - before[0]) * 1000 / TASKS)
            children.append((after[1] - before[1]) * 1000 / TASKS)
    median = statistics.median(rates)
    return [
        [f"graph of {TASKS} tasks without data, tasks/s", spread(rates, 0), ">= 300", bar(median, 300, "more")],
        ["CPU of the server for one of them, ms", spread(own), "", ""],
        ["CPU of its child process, ms", spread(children), "", ""],
    ]


def fill(path, pipelines, runs):
    """Stored runs, straight into the database of a home that no server has open."""
    states = [("COMPLETED", "Completed")] * 17 + [("FAILED", "Failed")] * 2 + [("CANCELLED", "Cancelled")]
    with sqlite3.connect(path) as db:
        ids = [row[0] for row in db.execute("SELECT id FROM pipelines ORDER BY id")]
        jobs = dict(db.execute("SELECT pipeline_id, id FROM layer_centric_ingest_jobs"))
        assert len(ids) == pipelines

        def pipeline_runs():
            for n in range(runs):
                kind, name = states[n % len(states)]
                at = 1_700_000_000_000_000 + n * 1_000_000
                yield (f"{n:026d}", ids[n % len(ids)], "pipeline", kind, name, 1, 1, 1000, at, at, at + 500_000)

        db.executemany(
            "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, jobs_total, jobs_completed,"
            " rows_written, created_at, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            pipeline_runs(),
        )

        def job_runs():
            for run in pipeline_runs():
                yield (run[0], run[0], run[1], jobs[run[1]], "in", run[3], run[4], "{}", run[8], run[9], run[10])

        db.executemany(
            "INSERT INTO layer_centric_ingest_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, state_type,"
            " state_name, config, created_at, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            job_runs(),
        )
        db.execute("ANALYZE")
    return ids


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def measure_reads(options, work):
    home = work / "reads"
    with serving(options.flowforge, home) as server:
        for number in range(PIPELINES):
            pipeline = server.call(
                "POST", "/api/workflows", {"name": f"pipeline {number:04d}", "owner": f"o{number % 7}"}
            )
            body = {"name": "in", "dataset": f"d{number}", "source_type": "file_local", "format": "csv"}
            body["config"] = {"path": str(home / "inbox" / "x.csv")}
            server.call("POST", f"/api/workflows/{pipeline['id']}/ingest-jobs", body)
    ids = fill(home / "flowforge.db", PIPELINES, options.runs)
    rows = []
    with serving(options.flowforge, home) as server:
        rows.append(
            [
                "start to listening with all of it stored, ms",
                f"{server.listening_after * 1000:.0f}",
                "< 100",
                bar(server.listening_after * 1000, 100, "less"),
            ]
        )
        middle = f"{options.runs // 2:026d}"
        paths = [
            "/api/workflows",
            "/api/workflows?search=pipeline%2009",
            f"/api/workflows/{ids[500]}",
            f"/api/workflows/{ids[500]}/ingest-jobs",
            f"/api/workflows/{ids[500]}/runs",
            "/api/runs",
            f"/api/runs?cursor={middle}",
            "/api/runs?state=FAILED",
            f"/api/pipeline-runs/{middle}",
            f"/api/ingest-runs/{middle}",
            f"/api/pipeline-runs/{middle}/log",
            "/api/catalog",
        ]
        for path in paths:
            done = subprocess.run(
                [
                    "wrk",
                    "-t2",
                    "-c64",
                    f"-d{WRK_SECONDS}s",
                    "--latency",
                    "-H",
                    f"Authorization: Bearer {server.token}",
                    server.url + path,
                ],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            p99 = milliseconds(re.search(r"99%\s+(\S+)", done).group(1))
            rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1))
            bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
            verdict = f"{bad.group(1)} ERRORS" if bad else bar(p99, 50, "less")
            shown = path.replace(ids[500], "{id}").replace(middle, "{id}")
            rows.append([f"GET {shown}, p99 ms ({rate:,.0f} requests/s)", f"{p99:.1f}", "< 50", verdict])
        rows.append(["resident after that, MiB", f"{server.resident_mib():.1f}", "", ""])
    return rows


MEASURES = {
    "start": measure_start,
    "overhead": measure_overhead,
    "tasks": measure_tasks,
    "reads": measure_reads,
}


def section(rows, options):
    lines = [
        HEADING,
        "",
        f"Written by `bench/serve.py` on {datetime.date.today()}; median (least - most) of {options.repeat}, server and",
        f"clients on the same two cores. Reads: wrk, 64 connections, {WRK_SECONDS} s each, with {options.runs:,} stored runs and",
        f"{PIPELINES:,} pipelines. An empty task is an ingest job, in a process of its own, that finds no new file.",
        "",
        "| what | measured | bar | |",
        "|---|---|---|---|",
    ]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--flowforge", type=lambda text: str(Path(text).resolve()), required=True)
    parse.add_argument("--data", type=Path, required=True)
    parse.add_argument("--out", type=Path)
    parse.add_argument("--repeat", type=int, default=5)
    parse.add_argument("--runs", type=int, default=1_000_000)
    parse.add_argument("--only", action="append", choices=sorted(MEASURES))
    options = parse.parse_args()
    options.data = options.data.resolve()
    rows = []
    for name, measure in MEASURES.items():
        if options.only and name not in options.only:
            continue
        work = Path(tempfile.mkdtemp(prefix=f"serve-{name}-", dir=options.data))
        try:
            found = measure(options, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        for row in found:
            print(" | ".join(row), flush=True)
        rows += found
    if options.out and not options.only:
        before = options.out.read_text() if options.out.exists() else ""
        options.out.write_text(before.split(HEADING)[0].rstrip() + "\n\n" + section(rows, options))
    return 1 if any("ERRORS" in row[3] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
