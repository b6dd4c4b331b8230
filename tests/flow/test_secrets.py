"""Tokens are shown where they are made and nowhere else: not in logs, answers, the database, run logs or other files."""

import hashlib
import json
import os
import sqlite3
import stat
import subprocess

import pytest
import requests
import server as servers
from flowforge import PROGRAM
from test_http import OCTETS, port_of, talk
from test_ingest import write


def leaks(blob, tokens):
    """A token, a large part of it, or its bytes in hexadecimal or base64."""
    for token in tokens:
        for part in (token, token[3:], token[3:43], token[-40:]):
            if part.encode() in blob:
                return part
    return None


class Listening(requests.Session):
    """Keeps all that the server answers."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def request(self, method, url, **options):
        answer = super().request(method, url, **options)
        self.heard.append((f"{method} {answer.url.split('?')[0]}", str(answer.headers).encode() + answer.content))
        return answer


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A server that was used in all ways; what it said, logged and wrote. It has ended by now."""
    home = tmp_path_factory.mktemp("secrets") / "home"
    server = servers.Server(home)
    listening = server.session = Listening()
    server.start()
    made = [
        server.post("/api/tokens", {"name": f"t{n}", "role": role})["token"]
        for n, role in enumerate(["viewer", "editor", "admin"])
    ]
    created = list(listening.heard)
    listening.heard.clear()
    tokens = [*made, server.token]
    for token in [*tokens, "ff_" + "ab" * 32]:
        stranger = Listening()
        stranger.heard = listening.heard
        for options in (
            {"params": {"token": token}, "allow_redirects": False},
            {"headers": {"Authorization": f"Bearer {token}"}},
            {"headers": {"Authorization": f"Basic {token}"}},
            {"headers": {"Cookie": f"ff_session={token}"}},
            {"headers": {"X-Token": token, "Referer": f"{server.url}/?token={token}"}},
        ):
            for method, path in (("GET", "/api/me"), ("GET", "/api/nothing"), ("POST", "/api/workflows"), ("PUT", "/")):
                stranger.request(method, server.url + path, timeout=10, data="{", **options)
        # The front page and the login answer with the cookie, which is what they are for.
        requests.get(server.url + "/", params={"token": token}, allow_redirects=False, timeout=10)
        requests.post(server.url + "/api/login", json={"token": token}, timeout=10)
        stranger.get(server.url + f"/api/uploads/{token}", timeout=10)  # 401: nothing is said about the path
        # A token at a wrong place of a body is named by its pointer, not by its value.
        server.raw("POST", "/api/login", json={"token": [token], "tokens": token})
        server.raw("POST", "/api/login", json={"token": token * 10})
    # Runs that work and runs that fail, previews, plans, uploads.
    pipeline = server.pipeline("secrets")
    write(server.inbox / "a.csv", "k,v\n1,a\n2,b\n")
    good = server.ingest(pipeline, "good", server.inbox / "a.csv", partition_mode="none")
    bad = server.ingest(
        pipeline, "bad", server.inbox / "a.csv", schema_mode="user", user_schema=[{"name": "v", "type": "date"}]
    )
    server.run_job(good)
    server.wait(server.start_job(bad), ok=False)
    late = server.dataset(pipeline, "late", "SELECT getenv('HOME') AS x FROM i", {"i": "bronze.nowhere"})
    server.raw("POST", f"/api/workflows/{pipeline['id']}/dataset-jobs/{late['id']}/run")
    server.raw("POST", "/api/preview", json={"job": {"sql": "SELECT x", "layer": "gold", "inputs": []}})
    server.raw("POST", "/api/uploads?filename=a.csv", data=b"k\n1\n", headers=OCTETS)
    for path in (
        "/api/tokens",
        "/api/audit",
        "/api/runs",
        "/metrics",
        "/api/features",
        "/api/openapi.json",
        "/healthz",
    ):
        server.raw("GET", path)
    for run in server.all("/api/runs"):
        server.raw("GET", f"/api/pipeline-runs/{run['id']}")
        server.raw("GET", f"/api/pipeline-runs/{run['id']}/log?format=text")
        server.raw("GET", f"/api/pipeline-runs/{run['id']}/events")
    server.raw("GET", "/api/workflows/%zz")
    server.raw("POST", "/api/workflows", data=b"x" * (9 << 20))
    talk(server, f"GET /api/x?token={server.token} HTTP/9.9\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode())
    talk(server, f"\x16\x03{server.token}\r\n\r\n".encode("latin-1"))
    for words in (["token", "list"], ["runs"], ["pipelines"], ["token", "create", "cli", "--role", "admin"]):
        done = subprocess.run([PROGRAM, *words, "--home", home], capture_output=True, text=True, timeout=30, check=True)
        if words[1:2] == ["create"]:
            tokens.append(done.stdout.strip())
        else:
            listening.heard.append((" ".join(words), done.stdout.encode()))
        listening.heard.append((" ".join(words), done.stderr.encode()))
    lock = home / "server.lock"
    lock_mode = stat.S_IMODE(lock.stat().st_mode)
    printed = server.process.stdout
    children = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    environment = open(f"/proc/{server.process.pid}/environ", "rb").read()
    assert server.stop() == 0
    server.reader.join(10)
    return {
        "home": home,
        "tokens": tokens,
        "created": created,
        "heard": listening.heard,
        "log": "".join(server.log),
        "more output": printed.read(),
        "lock mode": lock_mode,
        "seen": children.encode() + environment,
    }


def test_tokens_look_like_what_is_searched_for(used):
    assert len(set(used["tokens"])) == 5
    for token in used["tokens"]:
        assert token.startswith("ff_") and len(token) == 67
    for (what, body), token in zip(used["created"], used["tokens"]):
        assert token.encode() in body, what  # the one answer that shows it
        assert leaks(body, [token]) and not leaks(body, [t for t in used["tokens"] if t != token])


def test_no_token_in_answers(used):
    assert len(used["heard"]) > 100
    for what, body in used["heard"]:
        assert not leaks(body, used["tokens"]), what


def test_no_token_in_logs(used):
    lines = used["log"].splitlines()
    assert len(lines) > 100 and "/api/me" in used["log"]
    for line in lines:
        assert not leaks(line.encode(), used["tokens"]), line
        assert "ff_" + "ab" * 32 not in line
        assert "token=" not in line
        json.loads(line)
    assert used["more output"] == ""  # after the one line with the URL


def test_no_token_in_the_processes_that_everybody_sees(used):
    assert not leaks(used["seen"], used["tokens"])


def test_no_token_in_the_files_of_the_home(used):
    names = []
    for root, _, files in os.walk(used["home"]):
        for name in files:
            path = os.path.join(root, name)
            names.append(name)
            if name == "server.lock":
                continue
            assert not leaks(open(path, "rb").read(), used["tokens"]), path
    assert "flowforge.db" in names
    with sqlite3.connect(f"file:{used['home']}/flowforge.db?mode=ro", uri=True) as db:
        stored = [row[0] for row in db.execute("SELECT hash FROM tokens")]
        dump = "\n".join(db.iterdump())
    assert not leaks(dump.encode(), used["tokens"])
    expected = {hashlib.sha256(token.encode()).digest() for token in used["tokens"]}
    assert set(stored) <= expected and len(stored) == 4  # the server's own token is nowhere


def test_modes(used):
    assert used["lock mode"] == 0o600
    seen = 0
    for root, folders, files in os.walk(used["home"]):
        if root == str(used["home"] / "inbox"):
            continue  # what others put there is theirs
        for name in [".", *folders, *files]:
            mode = stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode)
            assert mode & 0o007 == 0, f"{root}/{name}: {mode:o}"
            seen += 1
    assert seen > 10
    for name in ("flowforge.db", "server.lock"):
        assert stat.S_IMODE((used["home"] / name).stat().st_mode) == 0o600


def test_a_home_that_was_copied_carelessly(tmp_path):
    home = tmp_path / "home"
    with servers.Server(home):
        pass
    os.chmod(home / "server.lock", 0o644)
    with servers.Server(home) as server:
        assert stat.S_IMODE((home / "server.lock").stat().st_mode) == 0o600
        assert port_of(server)


def test_the_command_line_asks_no_proxy(server):
    """A proxy of the environment would be sent the token."""
    proxies = {name: "http://127.0.0.1:1" for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY")}
    done = subprocess.run(
        [PROGRAM, "pipelines", "--home", server.home],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **proxies, "no_proxy": "", "NO_PROXY": ""},
    )
    assert done.returncode == 0, done.stderr
