"""The HTTP server itself: what comes over a socket, good, bad, slow and hostile."""

import hashlib
import json
import os
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import server as servers
from flowforge import PROGRAM

OCTETS = {"Content-Type": "application/octet-stream"}


def port_of(server):
    return int(server.url.rsplit(":", 1)[1])


def talk(server, *pieces, wait=0.0, timeout=10.0):
    """What the server says to these bytes, until it closes or says no more."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=timeout) as s:
        for piece in pieces:
            s.sendall(piece)
            time.sleep(wait)
        said = b""
        try:
            while chunk := s.recv(65536):
                said += chunk
                head, found, body = said.partition(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if found and length and len(body) >= int(length[0].split(b":")[1]):
                    break
        except (ConnectionResetError, TimeoutError):
            pass
        return said


def request(server, line, *headers, body=b""):
    words = [line, f"Host: 127.0.0.1:{port_of(server)}", f"Authorization: Bearer {server.token}", *headers]
    return "\r\n".join(words).encode() + b"\r\n\r\n" + body


def status_of(said):
    assert said.startswith(b"HTTP/1.1 "), said[:200]
    return int(said.split()[1])


def alive(server):
    assert server.get("/healthz")["status"] == "ok"


# ---- start, stop, headers ----


def test_it_listens_at_once_and_says_where(server):
    assert server.listening_after < 1.0
    assert (server.home / "server.lock").stat().st_mode & 0o777 == 0o600
    alive(server)


def test_a_second_server_on_the_home_is_refused(server):
    second = subprocess.run(
        [PROGRAM, "serve", "--home", server.home, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=20
    )
    assert second.returncode == 1 and "in use" in second.stderr


def test_headers_that_protect(server):
    answer = server.raw("GET", "/api/features")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert server.raw("HEAD", "/api/features").content == b""
    options = server.raw("OPTIONS", "/api/uploads")
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    refused = server.raw("PATCH", "/api/features")
    assert refused.status_code == 405 and "GET" in refused.headers["Allow"]


def test_no_token_in_the_log(server):
    requests.get(server.url + "/", params={"token": server.token}, allow_redirects=False, timeout=10)
    server.get("/api/me")
    made = server.post("/api/tokens", {"name": "t", "role": "viewer"})
    server.stop()
    log = "".join(server.log)
    assert "/api/me" in log and all(json.loads(line) for line in server.log)
    assert server.token not in log and made["token"] not in log
    server.start()


# ---- who may what ----


def test_tokens_and_roles(server):
    def ask(method, path, token=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, server.url + path, headers=headers, timeout=10, **options).status_code

    viewer = server.post("/api/tokens", {"name": "v", "role": "viewer"})
    editor = server.post("/api/tokens", {"name": "e", "role": "editor"})["token"]
    assert ask("GET", "/api/workflows") == 401
    assert ask("GET", "/api/workflows", "ff_" + "0" * 64) == 401
    assert ask("GET", "/api/workflows", viewer["token"]) == 200
    assert ask("POST", "/api/workflows", viewer["token"], json={"name": "x"}) == 403
    assert ask("POST", "/api/workflows", editor, json={"name": "x"}) == 201
    assert ask("GET", "/api/tokens", editor) == 403
    assert "token" not in server.get("/api/tokens")["items"][0]
    server.delete(f"/api/tokens/{viewer['id']}")
    assert ask("GET", "/api/workflows", viewer["token"]) == 401
    assert [one["action"] for one in server.get("/api/audit")["items"]][:2] == ["token.revoke", "pipeline.create"]
    bad = server.refused("POST", "/api/tokens", {"name": "x", "role": "king", "expires_at": "soon"})
    assert set(bad.pointers()) == {"/role", "/expires_at"}


def test_the_printed_url_signs_in(server):
    browser = requests.Session()
    first = browser.get(server.url + "/", params={"token": server.token}, allow_redirects=False, timeout=10)
    assert (first.status_code, first.headers["Location"]) == (303, "/")
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert browser.get(server.url + "/api/me", timeout=10).json()["role"] == "admin"
    assert requests.get(server.url + "/?token=ff_wrong", allow_redirects=False, timeout=10).status_code == 401


def test_a_cookie_changes_things_only_from_our_own_pages(server):
    browser = requests.Session()
    assert browser.post(server.url + "/api/login", json={"token": "ff_no"}, timeout=10).status_code == 401
    assert browser.post(server.url + "/api/login", json={"token": server.token}, timeout=10).status_code == 200

    def change(**headers):
        return browser.post(server.url + "/api/workflows", json={"name": "n"}, headers=headers, timeout=10).status_code

    assert change() == 403
    assert change(Origin="https://evil.example") == 403
    assert change(Origin="null") == 403
    assert change(Origin=server.url + ".evil.example") == 403
    assert change(Referer="https://evil.example/" + server.url) == 403
    assert change(Origin=server.url) == 201
    assert browser.post(server.url + "/api/logout", headers={"Origin": server.url}, timeout=10).status_code == 204
    assert browser.get(server.url + "/api/me", timeout=10).status_code == 401


def test_hosts_and_origins_that_are_allowed(tmp_path):
    with servers.serving(
        tmp_path / "home", "--allowed-origin", "https://ui.example", "--allowed-host", "lake.example"
    ) as server:

        def ask(host, **headers):
            return server.raw("GET", "/api/features", headers={"Host": host, **headers})

        assert ask("localhost:1").status_code == 200
        assert ask("lake.example").status_code == 200
        assert ask("[::1]:8").status_code == 200
        assert ask("evil.example").status_code == 403
        assert ask("localhost.evil.example").status_code == 403
        allowed = ask("localhost", Origin="https://ui.example")
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://ui.example"
        assert "Access-Control-Allow-Origin" not in ask("localhost", Origin="https://evil.example").headers


# ---- bad requests ----


@pytest.mark.parametrize(
    "path", ["/api/uploads/a%2Fb", "/api/uploads/a%00b", "/api/uploads/%ff", "/api/uploads/%zz", "/api/uploads/a%5Cb"]
)
def test_paths_in_disguise(server, path):
    assert status_of(talk(server, request(server, f"GET {path} HTTP/1.1"))) == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET " + b"/a" * 60000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_request(server, sent):
    said = talk(server, sent, timeout=2)
    assert said == b"" or 400 <= status_of(said) < 500 or status_of(said) == 505
    alive(server)


def test_bodies_that_are_not_json(server):
    def post(body, kind="application/json"):
        return server.raw("POST", "/api/workflows", data=body, headers={"Content-Type": kind})

    assert post("{").status_code == 400
    assert post('{"name": "a", "name": "b"}').status_code == 400
    assert post("[" * 100000).status_code == 400
    assert post(b'{"name": "\xff"}').status_code == 400
    assert post("").status_code == 400
    assert post("name=a", "application/x-www-form-urlencoded").status_code == 415


def test_a_body_beyond_the_limit(server):
    most = 8 << 20
    assert server.raw("POST", "/api/workflows", data=b" " * (most + 1)).status_code == 413

    def chunks():
        for _ in range(150):
            yield b" " * 65536

    assert server.raw("POST", "/api/workflows", data=chunks()).status_code == 413
    announced = request(
        server, "POST /api/workflows HTTP/1.1", "Content-Type: application/json", f"Content-Length: {1 << 40}"
    )
    assert status_of(talk(server, announced)) == 413
    alive(server)


def test_slow_senders_do_not_hold_others_up(server):
    slow = []
    for _ in range(50):
        s = socket.create_connection(("127.0.0.1", port_of(server)))
        s.sendall(b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        slow.append(s)
    began = time.monotonic()
    for _ in range(20):
        alive(server)
    assert time.monotonic() - began < 5
    for s in slow:
        s.close()
    alive(server)


def test_a_dripping_header_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", port_of(server))) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        began = time.monotonic()
        closed = False
        while not closed and time.monotonic() - began < 60:
            try:
                s.sendall(b"X: y\r\n")
            except OSError:
                closed = True
            time.sleep(1)
        assert closed
        assert time.monotonic() - began < 50


def test_many_requests_at_once(server):
    def one(_):
        return requests.get(server.url + "/healthz", timeout=20).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(one, range(400))) == {200}


# ---- uploads ----


def test_upload_in_one_request(server):
    data = bytes(range(256)) * 5000
    made = server.raw("POST", "/api/uploads?filename=a.csv", data=data, headers=OCTETS)
    assert made.status_code == 201
    record = made.json()
    assert made.headers["Location"] == f"/api/uploads/{record['id']}"
    assert (record["state"], record["size"]) == ("complete", len(data))
    assert record["sha256"] == hashlib.sha256(data).hexdigest()
    assert (server.home / "uploads" / record["id"]).read_bytes() == data
    assert server.raw("PUT", f"/api/uploads/{record['id']}", data=b"x", headers=OCTETS).status_code == 409
    assert server.raw("POST", "/api/uploads", data=b"x", headers=OCTETS).status_code == 400
    server.delete(f"/api/uploads/{record['id']}")
    assert list((server.home / "uploads").iterdir()) == []


def test_upload_resumes_after_a_cut(server):
    data = bytes(range(251)) * 4000
    sha = hashlib.sha256(data).hexdigest()
    made = server.post("/api/uploads", {"filename": "a.csv", "size": len(data), "sha256": sha.upper()})
    path = f"/api/uploads/{made['id']}"
    with socket.create_connection(("127.0.0.1", port_of(server))) as s:
        s.sendall(request(server, f"PUT {path} HTTP/1.1", f"Content-Length: {len(data)}", body=data[:600000]))
        time.sleep(0.3)
    deadline = time.monotonic() + 10
    while (kept := server.get(path)["size"]) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert 0 < kept <= 600000
    wrong = server.raw("PUT", path, data=data[1:], headers={**OCTETS, "Upload-Offset": "1"})
    assert wrong.status_code == 409
    half = (kept + len(data)) // 2
    part = server.raw(
        "PUT", path, data=data[kept:half], headers={**OCTETS, "Content-Range": f"bytes {kept}-{half - 1}/{len(data)}"}
    )
    assert (part.status_code, part.json()["state"], part.json()["size"]) == (202, "receiving", half)
    server.kill()
    server.start()
    assert server.get(path)["size"] == half
    rest = server.raw("PUT", path, data=data[half:], headers={**OCTETS, "Upload-Offset": str(half)})
    assert (rest.status_code, rest.json()["state"], rest.json()["sha256"]) == (200, "complete", sha)


def test_upload_with_the_wrong_bytes_can_start_again(server):
    data = b"right" * 1000
    made = server.post("/api/uploads", {"filename": "a", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    path = f"/api/uploads/{made['id']}"

    def put(body):
        return server.raw("PUT", path, data=body, headers=OCTETS).status_code

    assert put(b"wrong" * 1000) == 422
    assert server.get(path)["size"] == 0
    assert put(data[:-1]) == 422
    assert put(data + b"x") == 422
    assert put(data) == 200
    assert server.refused("POST", "/api/uploads", {"filename": "a", "sha256": "xyz"}).pointers() == {
        "/sha256": "format"
    }


def test_upload_beyond_the_limit(tmp_path):
    with servers.serving(tmp_path / "home", "--upload-limit", "1M") as server:
        assert server.raw("POST", "/api/uploads?filename=a", data=bytes(2 << 20), headers=OCTETS).status_code == 413
        assert server.refused("POST", "/api/uploads", {"filename": "a", "size": 2 << 20}).status == 413

        def chunks():
            for _ in range(64):
                yield bytes(65536)

        assert server.raw("POST", "/api/uploads?filename=a", data=chunks(), headers=OCTETS).status_code == 413
        assert server.all("/api/uploads") == [] and list((server.home / "uploads").iterdir()) == []
        assert server.raw("POST", "/api/uploads?filename=a", data=bytes(1 << 20), headers=OCTETS).status_code == 201


def test_a_large_upload_in_little_memory(server):
    def memory(what):
        lines = open(f"/proc/{server.process.pid}/status").read().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what))

    alive(server)
    before = memory("VmRSS")

    def chunks():
        for _ in range(1024):
            yield bytes(256 << 10)

    made = server.raw("POST", "/api/uploads?filename=a", data=chunks(), headers=OCTETS)
    assert made.json()["size"] == 256 << 20
    assert memory("VmHWM") - before < 16 << 10


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_ends_the_upload_and_not_the_server(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", home], check=True)
    try:
        with servers.serving(home) as server:
            data = os.urandom(16 << 20)
            sent = server.raw("POST", "/api/uploads?filename=a", data=data, headers=OCTETS)
            assert (sent.status_code, sent.json()["code"]) == (507, "no_space")
            assert server.all("/api/uploads") == []
            made = server.post("/api/uploads", {"filename": "a"})
            path = f"/api/uploads/{made['id']}"
            assert server.raw("PUT", path, data=data, headers=OCTETS).status_code == 507
            kept = server.get(path)["size"]
            assert sum(one.stat().st_size for one in (home / "uploads").iterdir()) == kept
            assert server.raw("PUT", path, data=data[: 1 << 20], headers=OCTETS).status_code == 200
            alive(server)
    finally:
        subprocess.run(["umount", "-l", home], check=True)


# ---- events, metrics, TLS ----


def events_of(answer):
    event = {}
    for line in answer.iter_lines(decode_unicode=True):
        if not line and event:
            yield event
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def test_events_of_a_run(server):
    (server.inbox / "a.csv").write_text("id,v\n" + "".join(f"{i},x\n" for i in range(1000)))
    pipeline = server.pipeline()
    server.ingest(pipeline, "a", server.inbox / "a.csv")
    run = server.start_run(pipeline)
    path = f"/api/pipeline-runs/{run['id']}/events"
    with server.raw("GET", path, stream=True) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        live = list(events_of(answer))
    assert live[0]["event"] == "snapshot" and live[-1]["event"] == "end"
    assert json.loads(live[-1]["data"])["state_type"] == "COMPLETED"
    logs = [int(one["id"]) for one in live if one["event"] == "log"]
    assert logs and logs == sorted(set(logs))
    with server.raw("GET", path, stream=True, headers={"Last-Event-ID": str(logs[0])}) as answer:
        later = list(events_of(answer))
    assert [one["event"] for one in later if one["event"] != "log"] == ["snapshot", "end"]
    assert [int(one["id"]) for one in later if one["event"] == "log"] == [
        one["id"] for one in server.all(f"/api/pipeline-runs/{run['id']}/log") if one["id"] > logs[0]
    ]
    assert server.raw("GET", "/api/pipeline-runs/nothere/events").status_code == 404


def test_stopping_ends_streams(server):
    pipeline = server.pipeline()
    (server.inbox / "a.csv").write_text("id\n" + "".join(f"{i}\n" for i in range(3_000_000)))
    server.ingest(pipeline, "a", server.inbox / "a.csv")
    run = server.start_run(pipeline)
    streams = [server.raw("GET", f"/api/pipeline-runs/{run['id']}/events", stream=True) for _ in range(5)]
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5
    for stream in streams:
        assert stream.raw.read(16) is not None
        stream.close()
    server.start()


def test_metrics(server):
    server.raw("GET", "/api/nothing")
    text = server.raw("GET", "/metrics").text
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name not in values
            values[name] = float(value)
    assert values['flowforge_http_requests_total{method="",route="none",status="4xx"}'] == 1
    assert values["flowforge_jobs_running"] == 0
    assert requests.get(server.url + "/metrics", timeout=10).status_code == 401


def test_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    with servers.serving(tmp_path / "home", "--tls-cert", certificate, "--tls-key", key) as server:
        assert server.url.startswith("https://")
        server.session.verify = str(certificate)
        server.session.trust_env = False  # a bundle named there would be taken instead
        alive(server)
        login = server.raw("POST", "/api/login", json={"token": server.token})
        assert "Secure" in login.headers["Set-Cookie"]
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection(("127.0.0.1", port_of(server))) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                assert s.version() in ("TLSv1.2", "TLSv1.3")
