"""A server with nothing to do stops at once, whoever still has a connection to it."""

import socket
import subprocess
import time

import pytest
from server import Server
from test_http import events_of, port_of, request
from test_pipelines import slow_dataset

MOST = 0.3  # seconds from SIGTERM to the exit
TRIES = 3  # a machine may be busy for a moment: the best of them counts


def idle(server):
    return []


def connected(server):
    """Nothing was ever said on one, half of a request on the others, a whole one on the last."""
    made = []
    upload = request(server, "POST /api/uploads HTTP/1.1", "Content-Type: application/octet-stream")
    upload = upload[:-2] + b"X-Filename: a.csv\r\nContent-Length: 100000\r\n\r\nhalf of it"
    for said in (b"", b"GET /api/wor", upload, request(server, "GET /api/features HTTP/1.1")):
        made.append(socket.create_connection(("127.0.0.1", port_of(server)), timeout=10))
        made[-1].sendall(said)
    return made


def listening_to_a_run(server):
    """A run that waits for its next attempt: a stream without an end, a child that does not run."""
    pipeline = server.pipeline()
    slow_dataset(server, pipeline, timeout_seconds=1, retries=3, retry_delay_seconds=600)
    run = server.start_run(pipeline)
    stream = server.raw("GET", f"/api/pipeline-runs/{run['id']}/events", stream=True)
    next(events_of(stream))
    while True:
        now = server.get(f"/api/pipeline-runs/{run['id']}")
        if any(one["state_name"] == "AwaitingRetry" for one in now["job_runs"]):
            break
        assert now["state_type"] in ("PENDING", "RUNNING"), now
        time.sleep(0.02)
    return [stream]


@pytest.mark.parametrize(
    ("clients", "encrypted"),
    [(idle, False), (idle, True), (connected, False), (listening_to_a_run, False), (listening_to_a_run, True)],
)
def test_an_idle_server_stops_at_once(tmp_path, clients, encrypted):
    options = []
    if encrypted:
        key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
        options = ["--tls-cert", certificate, "--tls-key", key]
    took = []
    for i in range(TRIES):
        server = Server(tmp_path / f"home{i}", *options)
        server.start()
        if encrypted:
            server.session.verify = str(certificate)
            server.session.trust_env = False
        server.get("/healthz")
        held = clients(server)
        time.sleep(0.2)
        began = time.monotonic()
        assert server.stop() == 0, server.log
        took.append(time.monotonic() - began)
        for one in held:
            one.close()
        if took[-1] < MOST:
            return
    raise AssertionError(f"the server takes {took} seconds to stop")
