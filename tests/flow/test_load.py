"""Everything at once on one server: reads, changes, runs, cancels, uploads, event streams, previews, a stop in the midst.
`make check` runs this again with the program built for the thread and for the address sanitizer."""

import contextlib
import copy
import itertools
import os
import socket
import threading
import time

import requests
import server as servers
from test_http import OCTETS, port_of, request
from test_ingest import write

SECONDS = float(os.environ.get("LOAD_SECONDS", "3"))
LISTS = ("workflows", "runs", "uploads", "catalog", "tokens", "audit", "features", "me", "openapi.json")


class Load:
    """Threads that each do one thing over and over, as a client of their own, until time is up."""

    def __init__(self, server):
        self.server = server
        self.over = threading.Event()
        self.rounds = {}
        self.wrong = []
        self.runs = []
        self.pipeline = server.pipeline("load", max_parallel_jobs=3)
        for name in "ab":
            rows = "".join(f"{i},{i % 7}\n" for i in range(2000))
            server.ingest(self.pipeline, name, write(server.inbox / f"{name}.csv", "id,g\n" + rows))
        sql = "SELECT a.g, count(*) AS n FROM a JOIN b ON a.id = b.id GROUP BY a.g"
        server.dataset(self.pipeline, "by_group", sql, {"a": "bronze.a", "b": "bronze.b"})
        self.runs.append(server.run(self.pipeline)["id"])

    def client(self):
        one = copy.copy(self.server)
        one.session = requests.Session()
        one.session.headers.update(self.server.session.headers)
        return one

    def repeat(self, act):
        client = self.client()
        try:
            for turn in itertools.count():
                if self.over.is_set():
                    break
                act(client, turn)
                self.rounds[act.__name__] = self.rounds.get(act.__name__, 0) + 1
        except Exception as error:  # told by the main thread
            self.wrong.append((act.__name__, error))
            self.over.set()

    # ---- what they do ----

    def read(self, client, turn):
        path = "/api/" + LISTS[turn % len(LISTS)]
        assert client.raw("GET", path).status_code == 200, path
        run = client.get(f"/api/pipeline-runs/{self.runs[turn % len(self.runs)]}")
        for job_run in run["job_runs"]:
            kind = "dataset" if job_run["job_name"] == "by_group" else "ingest"
            client.get(f"/api/{kind}-runs/{job_run['id']}")
        client.get(f"/api/pipeline-runs/{run['id']}/log")
        client.get(f"/api/workflows/{self.pipeline['id']}")
        client.get("/api/catalog/silver.by_group/files")
        assert client.raw("GET", "/metrics").status_code == 200
        assert client.raw("GET", "/api/nothing").status_code == 404

    def change(self, client, turn):
        pipeline = client.pipeline()
        job = client.ingest(pipeline, "j", client.inbox / "a.csv", dataset=pipeline["id"].lower())
        client.patch(f"/api/workflows/{pipeline['id']}", {"description": f"turn {turn}"})
        client.patch(f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}", {"retries": turn % 4})
        client.refused("PATCH", f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}", {"format": "xml"})
        token = client.post("/api/tokens", {"name": "t", "role": "viewer"})
        mine = {"Authorization": f"Bearer {token['token']}"}
        assert client.raw("GET", "/api/me", headers=mine).json()["role"] == "viewer"
        client.delete(f"/api/tokens/{token['id']}")
        assert client.raw("GET", "/api/me", headers=mine).status_code == 401
        client.delete(f"/api/workflows/{pipeline['id']}")

    def run(self, client, turn):
        run = client.start_run(self.pipeline)
        self.runs.append(run["id"])
        if turn % 3 == 2:
            with contextlib.suppress(servers.Refused):  # it was faster
                client.post(f"/api/pipeline-runs/{run['id']}/cancel")
        done = client.wait(run, ok=False)
        wrong = [one["error"] for one in done["job_runs"] if one["error"]]
        assert done["state_type"] in {"COMPLETED", "CANCELLED"}, wrong

    def upload(self, client, turn):
        data = bytes([turn % 256]) * 300_000
        made = client.raw("POST", "/api/uploads?filename=a.csv", data=data, headers=OCTETS)
        assert made.status_code == 201, made.text
        client.delete(f"/api/uploads/{made.json()['id']}")
        path = f"/api/uploads/{client.post('/api/uploads', {'filename': 'b', 'size': len(data)})['id']}"
        with socket.create_connection(("127.0.0.1", port_of(client))) as cut:
            cut.sendall(request(client, f"PUT {path} HTTP/1.1", f"Content-Length: {len(data)}", body=data[:200_000]))
        # The server may still be taking what the cut connection brought; then it says so.
        deadline = time.monotonic() + 20
        while True:
            kept = client.get(path)["size"]
            rest = client.raw("PUT", path, data=data[kept:], headers={**OCTETS, "Upload-Offset": str(kept)})
            if rest.status_code == 200:
                break
            assert rest.status_code == 409 and time.monotonic() < deadline, rest.text
        assert client.get(path)["state"] == "complete"
        client.delete(path)

    def listen(self, client, turn):
        path = f"/api/pipeline-runs/{self.runs[-1]}/events"
        with client.raw("GET", path, stream=True) as stream:
            assert stream.status_code == 200
            for line in stream.iter_lines(decode_unicode=True):
                if line == "event: end" or (turn % 2 and line == "event: log"):
                    break  # in odd turns before its end

    def preview(self, client, turn):
        job = {"source_type": "file_local", "format": "csv", "config": {"path": str(client.inbox / "a.csv")}}
        answer = client.raw("POST", "/api/preview", json={"job": job, "limit": 5})
        assert answer.status_code in {200, 503}, answer.text  # 503: two others are at it
        plan = client.raw("GET", f"/api/workflows/{self.pipeline['id']}/plan")
        assert plan.status_code in {200, 503}, plan.text

    def go(self):
        acts = [self.read, self.read, self.change, self.run, self.upload, self.listen, self.listen, self.preview]
        threads = [threading.Thread(target=self.repeat, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        self.over.wait(SECONDS)
        self.over.set()
        for thread in threads:
            thread.join()
        assert not self.wrong, self.wrong
        assert set(self.rounds) == {act.__name__ for act in acts}, self.rounds


def test_everything_at_once(tmp_path):
    with servers.serving(tmp_path / "home", "--max-parallel-jobs", "3") as server:
        load = Load(server)
        load.go()
        # It stops in the midst of runs and streams, and what it leaves can be served again.
        run = server.start_run(load.pipeline)
        streams = [server.raw("GET", f"/api/pipeline-runs/{run['id']}/events", stream=True) for _ in range(3)]
        assert server.stop(60) == 0, "".join(server.log[-40:])
        for stream in streams:
            stream.close()
        server.start(60)
        after = server.get(f"/api/pipeline-runs/{run['id']}")
        assert after["state_type"] in servers.TERMINAL, after
        server.run(load.pipeline)
        assert sorted(row["n"] for row in server.rows("silver.by_group")) == [285, 285, 286, 286, 286, 286, 286]
