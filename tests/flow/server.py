"""A real `flowforge serve` on a home of its own, and the API as a client sees it."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import requests
from flowforge import PROGRAM

TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}


class Refused(AssertionError):
    """An answer of 400 or more, with its problem document."""

    def __init__(self, response):
        self.status = response.status_code
        try:
            self.problem = response.json()
        except ValueError:
            self.problem = {"detail": response.text}
        super().__init__(f"{response.request.method} {response.request.url}: {self.status} {self.problem}")

    def pointers(self):
        return {one["pointer"]: one["code"] for one in self.problem.get("errors", [])}


class Server:
    """Started on demand; `kill` and `start` again keep the home."""

    def __init__(self, home, *options, env=None, program=PROGRAM):
        self.home = pathlib.Path(home)
        self.options = list(options)
        self.env = env or {}
        self.program = program
        self.process = None
        self.log = []
        self.session = requests.Session()
        self.inbox = self.home / "inbox"

    # ---- the process ----

    def start(self, timeout=20):
        words = [
            str(self.program),
            "serve",
            "--home",
            str(self.home),
            "--listen",
            "127.0.0.1:0",
            *map(str, self.options),
        ]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.env},
        )
        self.reader = threading.Thread(target=self._read_log, args=(self.process,), daemon=True)
        self.reader.start()
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        self.listening_after = time.monotonic() - self.began
        found = re.search(r"(https?://[^/\s]+)/\S*", line)
        assert found, f"the server did not start: {line!r} {self.log[-20:]}"
        self.url = found.group(1)
        owner = json.loads((self.home / "server.lock").read_text())
        self.token = owner["token"]
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        return self

    def _read_log(self, process):
        for line in process.stderr:
            self.log.append(line)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=20):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("the server did not stop on SIGTERM") from None
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self.start()

    def __exit__(self, *what):
        code = self.stop()
        if what[0] is None:
            assert code == 0, f"the server ended with {code}: {''.join(self.log[-20:])}"

    # ---- calls ----

    def raw(self, method, path, **options):
        options.setdefault("timeout", 60)
        return self.session.request(method, self.url + path, **options)

    def call(self, method, path, body=None, **options):
        response = self.raw(method, path, **({"json": body} if body is not None else {}), **options)
        if response.status_code >= 400:
            raise Refused(response)
        return response.json() if response.content else None

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def patch(self, path, body):
        return self.call("PATCH", path, body)

    def delete(self, path, body=None):
        return self.call("DELETE", path, body)

    def refused(self, method, path, body=None, **options):
        """The problem of a call that has to be refused."""
        try:
            answer = self.call(method, path, body, **options)
        except Refused as problem:
            return problem
        raise AssertionError(f"{method} {path} was not refused: {answer}")

    def all(self, path):
        """Every item of a list, page by page."""
        items, cursor = [], None
        while True:
            join = "&" if "?" in path else "?"
            page = self.get(path + (f"{join}cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return items

    # ---- pipelines ----

    def pipeline(self, name=None, **fields):
        return self.post("/api/workflows", {"name": name or f"p {uuid.uuid4().hex[:8]}", **fields})

    def ingest(self, pipeline, name, path=None, **fields):
        config = fields.pop("config", {})
        if path is not None:
            config = {**config, "path": str(path)}
        body = {"name": name, "source_type": "file_local", "format": "csv", "config": config, **fields}
        return self.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", body)

    def dataset(self, pipeline, name, sql, inputs, layer="silver", **fields):
        inputs = [{"alias": alias, "dataset": full} for alias, full in inputs.items()]
        body = {"name": name, "layer": layer, "sql": sql, "inputs": inputs, **fields}
        return self.post(f"/api/workflows/{pipeline['id']}/dataset-jobs", body)

    def start_run(self, pipeline, **options):
        return self.post(f"/api/workflows/{pipeline['id']}/run", **options)

    def start_job(self, job, **options):
        kind = "dataset" if "sql" in job else "ingest"
        return self.post(f"/api/workflows/{job['pipeline_id']}/{kind}-jobs/{job['id']}/run", **options)

    def wait(self, run, timeout=60, ok=True):
        """The pipeline run once it is terminal. `ok`: it has to be COMPLETED."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.get(f"/api/pipeline-runs/{run['id']}")
            if now["state_type"] in TERMINAL:
                break
            assert time.monotonic() < deadline, f"the run does not end: {now}"
            time.sleep(0.02)
        for job_run in now["job_runs"]:
            account(job_run)
        if ok is True:
            assert now["state_type"] == "COMPLETED", now
        return now

    def run(self, pipeline, **options):
        return self.wait(self.start_run(pipeline), **options)

    def run_job(self, job, **options):
        """The job run, once it has ended."""
        return self.wait(self.start_job(job), **options)["job_runs"][0]

    # ---- the lake, judged from outside ----

    def catalog(self, full):
        layer, name = full.split(".")
        found = [one for one in self.all(f"/api/catalog?layer={layer}") if one["name"] == name]
        return self.get(f"/api/catalog/{found[0]['id']}") if found else None

    def files(self, full):
        entry = self.catalog(full)
        return self.all(f"/api/catalog/{entry['id']}/files") if entry else []

    def table(self, full):
        """All rows of a dataset's current snapshot, by pyarrow; only Parquet."""
        tables = []
        for one in self.files(full):
            path = self.home / "lake" / one["path"]
            table = pq.ParquetFile(path).read()
            assert table.num_rows == one["rows"], one
            assert path.stat().st_size == one["bytes"], one
            tables.append(table)
        return pa.concat_tables(tables, promote_options="permissive") if tables else None

    def rows(self, full):
        table = self.table(full)
        return table.to_pylist() if table is not None else []

    def lake_files(self, layer=None):
        """Visible files below the lake (or one layer), relative to the lake."""
        root = self.home / "lake"
        found = []
        # os.walk passes over folders that vanish meanwhile.
        for at, folders, names in os.walk(root / layer if layer else root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [str(pathlib.Path(at, name).relative_to(root)) for name in names if not name.startswith(".")]
        return sorted(found)


def account(job_run):
    """The identity of DESIGN 3.5; a run that published nothing wrote nothing, however far it had read."""
    if job_run["state_type"] != "COMPLETED":
        assert job_run["rows_written"] == 0, job_run
        return
    parts = sum(job_run[f"rows_{word}"] for word in ("written", "rejected", "deduped", "filtered"))
    assert job_run["rows_read"] == parts, job_run


@contextlib.contextmanager
def serving(home, *options, **settings):
    server = Server(home, *options, **settings)
    with server:
        yield server
