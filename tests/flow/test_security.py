"""Who may what, and what a hostile client sends: every protection of the API has a test that tries to break it."""

import contextlib
import datetime
import json
import re
import socket
import threading
import time

import pytest
import requests
import server as servers
from test_http import OCTETS, alive, port_of, request, status_of, talk

ROLES = ["viewer", "editor", "admin"]
# What signing in needs, and what says whether the server lives. Everything else has a role.
OPEN = {
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/api/features"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/login"),
    ("POST", "/api/logout"),
}
BODY_MOST = 8 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.Server(tmp_path_factory.mktemp("security") / "home") as one:
        yield one


@pytest.fixture(scope="module")
def tokens(server):
    return {role: server.post("/api/tokens", {"name": role, "role": role})["token"] for role in ROLES}


def ask(server, method, path, token=None, **options):
    """Without a session: only what is given is sent."""
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **options.pop("headers", {})}
    options.setdefault("timeout", 30)
    options.setdefault("allow_redirects", False)
    return requests.request(method, server.url + path, headers=headers, **options)


def routes(server):
    for path, methods in server.get("/api/openapi.json")["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation["x-role"]


def concrete(path):
    """A path with ids of nothing: what a role may not do is refused before anything is looked for."""
    return re.sub(r"\{[^}]*\}", "0" * 26, path)


# ---- tokens ----


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer ff_" + "0" * 64,
        "Bearer " + "ff_" * 1000,
        "Basic {token}",
        "Token {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {short}",
        "Bearer {token} {token}",
        "Bearer {upper}",
        "Bearer ' OR 1=1 --",
        "Bearer %",
    ],
)
def test_what_is_no_token(server, header):
    token = server.token
    given = (
        {} if header is None else {"Authorization": header.format(token=token, short=token[:-1], upper=token.upper())}
    )
    assert ask(server, "GET", "/api/workflows", headers=given).status_code == 401
    assert ask(server, "POST", "/api/workflows", headers=given, json={"name": "x"}).status_code == 401


def test_a_token_in_the_query_counts_for_the_front_page_only(server, tokens):
    for path in ("/api/workflows", "/api/me", "/metrics", "/api/tokens", "/api/audit"):
        for name in ("token", "access_token", "authorization"):
            assert ask(server, "GET", path, params={name: tokens["admin"]}).status_code == 401
    assert (
        ask(server, "POST", "/api/workflows", params={"token": tokens["admin"]}, json={"name": "x"}).status_code == 401
    )
    front = ask(server, "GET", "/", params={"token": tokens["viewer"]})
    assert (front.status_code, front.headers["Location"]) == (303, "/")
    assert tokens["viewer"] not in front.text
    assert ask(server, "POST", "/", params={"token": tokens["viewer"]}).status_code == 405


def test_a_token_ends_when_it_is_revoked_or_expires(server):
    made = server.post("/api/tokens", {"name": "short", "role": "admin"})
    assert ask(server, "GET", "/api/me", made["token"]).status_code == 200
    server.delete(f"/api/tokens/{made['id']}")
    assert ask(server, "GET", "/api/me", made["token"]).status_code == 401
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1.5)
    made = server.post("/api/tokens", {"name": "soon", "expires_at": soon.isoformat().replace("+00:00", "Z")})
    past = server.raw("POST", "/api/tokens", json={"name": "past", "expires_at": "2001-01-01T00:00:00Z"})
    if past.status_code == 201:
        assert ask(server, "GET", "/api/me", past.json()["token"]).status_code == 401
    else:
        assert past.status_code == 400
    answers = []
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and (not answers or answers[-1] == 200):
        answers.append(ask(server, "GET", "/api/me", made["token"]).status_code)
        now = datetime.datetime.now(datetime.UTC)
        assert answers[-1] == 401 or now < soon + datetime.timedelta(seconds=0.5), "it works after it has expired"
        time.sleep(0.1)
    assert answers[0] == 200
    assert answers[-1] == 401
    browser = ask(server, "GET", "/", params={"token": made["token"]})
    assert browser.status_code == 401
    assert "Set-Cookie" not in browser.headers


# ---- roles ----


def test_every_route_needs_its_role_and_no_less(server, tokens):
    seen = 0
    for method, path, role in routes(server):
        seen += 1
        where = f"{method} {path} ({role})"
        assert (role == "none") == ((method, path) in OPEN), where
        body = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
        if role != "none":
            assert ask(server, method, concrete(path), **body).status_code == 401, where
            assert ask(server, method, concrete(path), "ff_" + "0" * 64, **body).status_code == 401, where
        for given in ROLES:
            if role == "none":
                continue
            answer = ask(server, method, concrete(path), tokens[given], **body)
            if ROLES.index(given) < ROLES.index(role):
                assert answer.status_code == 403, f"{where} as {given}: {answer.status_code}"
                assert answer.json()["code"] == "denied"
            else:
                assert answer.status_code not in (401, 403), f"{where} as {given}: {answer.text}"
                assert answer.status_code < 500, f"{where} as {given}: {answer.text}"
        if method != "GET":
            assert role in ("none", "editor", "admin"), f"{where}: a viewer only reads"
    assert seen > 50


def test_other_methods_give_no_way_around_a_role(server, tokens):
    for method, path, role in routes(server):
        if role != "admin" or method != "GET":
            continue
        assert ask(server, "HEAD", path, tokens["editor"]).status_code == 403
        assert ask(server, "HEAD", path).status_code == 401
    for trick in ("X-HTTP-Method-Override", "X-Method-Override"):
        answer = ask(server, "GET", "/api/workflows/nothere", tokens["viewer"], headers={trick: "DELETE"})
        assert answer.status_code == 404
    for path in ("/api/tokens/", "//api/tokens", "/api//tokens", "/API/tokens", "/api/./tokens", "/api/x/../tokens"):
        said = talk(server, request_as(server, tokens["viewer"], f"GET {path} HTTP/1.1"))
        assert status_of(said) in (400, 404), path


def request_as(server, token, line, *headers, body=b""):
    words = [line, f"Host: 127.0.0.1:{port_of(server)}", f"Authorization: Bearer {token}", *headers]
    return "\r\n".join(words).encode() + b"\r\n\r\n" + body


def test_an_editor_cannot_make_himself_an_admin(server, tokens):
    assert ask(server, "POST", "/api/tokens", tokens["editor"], json={"name": "x", "role": "admin"}).status_code == 403
    assert ask(server, "GET", "/api/audit", tokens["editor"]).status_code == 403
    pipeline = ask(server, "POST", "/api/workflows", tokens["editor"], json={"name": "mine"}).json()
    changed = ask(server, "PATCH", f"/api/workflows/{pipeline['id']}", tokens["editor"], json={"id": "other"})
    assert changed.status_code == 400
    assert [one["code"] for one in changed.json()["errors"]] == ["read_only"]
    server.delete(f"/api/workflows/{pipeline['id']}")


# ---- other web sites ----


@pytest.fixture
def browser(server, tokens):
    session = requests.Session()
    assert session.post(server.url + "/api/login", json={"token": tokens["editor"]}, timeout=10).status_code == 200
    return session


def test_a_page_of_another_site_changes_nothing(server, browser):
    """Every route that changes something, with the victim's cookie and what a foreign page can make a browser send."""
    foreign = [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": server.url.replace("127.0.0.1", "localhost")},
        {"Origin": server.url[:-1]},
        {"Origin": server.url + "0"},
        {"Origin": f"{server.url}@evil.example"},
        {"Origin": f"https://evil.example?{server.url}"},
        {"Referer": "https://evil.example/"},
        {"Referer": f"https://evil.example/{server.url}/"},
        {"Referer": f"{server.url}.evil.example/"},
        {},
    ]
    for method, path, _ in routes(server):
        if method == "GET" or path in ("/api/login", "/api/logout"):
            continue
        headers = foreign[hash(path + method) % len(foreign)]
        for one in (headers, foreign[0], foreign[1]):
            answer = browser.request(method, server.url + concrete(path), headers=one, timeout=10, data="{}")
            assert (answer.status_code, answer.json()["code"]) == (403, "denied"), f"{method} {path} {one}"
    for headers in foreign:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = browser.post(
                server.url + "/api/workflows",
                data='{"name": "csrf"}',
                headers={**headers, "Content-Type": kind},
                timeout=10,
            )
            assert answer.status_code in (403, 415), f"{headers} {kind}: {answer.text}"
    assert all(one["name"] != "csrf" for one in server.all("/api/workflows"))
    mine = browser.post(
        server.url + "/api/workflows", json={"name": "mine"}, headers={"Origin": server.url}, timeout=10
    )
    assert mine.status_code == 201
    same = {"Referer": server.url + "/pipelines"}
    assert (
        browser.delete(f"{server.url}/api/workflows/{mine.json()['id']}", headers=same, timeout=10).status_code == 204
    )


def test_a_form_cannot_be_json(server, browser):
    answer = browser.post(
        server.url + "/api/workflows",
        data='{"name": "a"}',
        headers={"Origin": server.url, "Content-Type": "text/plain"},
        timeout=10,
    )
    assert answer.status_code == 415


def test_other_sites_are_told_nothing(server, browser):
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        answer = browser.get(server.url + "/api/workflows", headers={"Origin": origin}, timeout=10)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        asked = browser.options(
            server.url + "/api/workflows",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
            timeout=10,
        )
        assert not [name for name in asked.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost:80@evil.example",
        "evil.example/localhost",
        "127.0.0.1.",
        "",
        "[::1",
        "[evil.example]",
        "0x7f.1",
    ],
)
def test_a_name_that_was_pointed_here_is_refused(server, host):
    """DNS rebinding: the browser thinks that it talks to the attacker's site, so the attacker's page may read all."""
    words = ["GET /api/me HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {server.token}", "", ""]
    assert status_of(talk(server, "\r\n".join(words).encode())) in (400, 403)
    words[0] = "GET /healthz HTTP/1.1"
    assert status_of(talk(server, "\r\n".join(words).encode())) in (400, 403)


def test_two_hosts_are_no_host(server):
    for first, second in (("evil.example", "localhost"), ("localhost", "evil.example")):
        words = ["GET /api/me HTTP/1.1", f"Host: {first}", f"Host: {second}", f"Authorization: Bearer {server.token}"]
        said = talk(server, "\r\n".join([*words, "", ""]).encode())
        assert status_of(said) in (400, 403), said[:200]


def test_the_cookie_is_for_this_site_and_no_script(server, tokens):
    login = ask(server, "POST", "/api/login", json={"token": tokens["viewer"]})
    front = ask(server, "GET", "/", params={"token": tokens["viewer"]})
    for answer in (login, front):
        words = [word.strip() for word in answer.headers["Set-Cookie"].split(";")]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
        assert not [word for word in words if word.lower().startswith("domain")]
        assert "Secure" not in words  # plain HTTP: a browser would never send it back
    cookie = front.headers["Set-Cookie"].split(";")[0]
    assert ask(server, "GET", "/api/me", headers={"Cookie": cookie}).json()["role"] == "viewer"
    assert ask(server, "GET", "/api/me", headers={"Cookie": "a=1; " + cookie + "; b=2"}).status_code == 200
    for bad in ("x" + cookie, cookie + "x", cookie.replace("=", "==", 1), cookie.upper(), "ff_session=", "ff_session"):
        assert ask(server, "GET", "/api/me", headers={"Cookie": bad}).status_code == 401, bad
    out = ask(server, "POST", "/api/logout", headers={"Cookie": cookie, "Origin": server.url})
    assert "Max-Age=0" in out.headers["Set-Cookie"]


# ---- paths in URLs ----


@pytest.mark.parametrize(
    "id",
    [
        "..%2F..%2Fflowforge.db",
        "%2e%2e%2fserver.lock",
        "..%5Cserver.lock",
        "a%00",
        "%0a",
        "%7f",
        "%ff",
        "%c0%af",
        "%e0%80%af",
        "%",
        "%2",
    ],
)
def test_ids_in_disguise_are_refused(server, id):
    for pattern in (
        "/api/uploads/{}",
        "/api/ingest-runs/{}/rejects",
        "/api/pipeline-runs/{}/log",
        "/api/catalog/{}/sample",
        "/api/workflows/{}/export",
    ):
        said = talk(server, request(server, f"GET {pattern.format(id)} HTTP/1.1"))
        assert status_of(said) == 400, pattern
        assert b"SQLite" not in said and server.token.encode() not in said


@pytest.mark.parametrize("id", ["..", ".", "....", "~root", "%252e%252e%252f", "..;", "*", "' OR '1'='1", "x" * 3000])
def test_ids_that_are_no_ids_find_nothing(server, id):
    quoted = requests.utils.quote(id, safe="%.~*;")
    for method, pattern in (
        ("GET", "/api/uploads/{}"),
        ("DELETE", "/api/uploads/{}"),
        ("PUT", "/api/uploads/{}"),
        ("GET", "/api/ingest-runs/{}"),
        ("GET", "/api/ingest-runs/{}/rejects"),
        ("GET", "/api/dataset-runs/{}"),
        ("GET", "/api/pipeline-runs/{}"),
        ("GET", "/api/pipeline-runs/{}/events"),
        ("POST", "/api/pipeline-runs/{}/cancel"),
        ("GET", "/api/catalog/{}/files"),
        ("GET", "/api/schema/{}"),
        ("DELETE", "/api/workflows/{}"),
    ):
        extra = ["Content-Length: 0"] if method in ("POST", "PUT") else []
        said = talk(server, request(server, f"{method} {pattern.format(quoted)} HTTP/1.1", *extra))
        assert status_of(said) == 404, f"{method} {pattern}: {said[:300]}"


def test_queries_are_values_and_not_sql(server):
    pipeline = server.pipeline("quoted ' \" % _ \\ name")
    for text in ("' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE pipelines; --", '" OR ""="'):
        for name in ("search", "environment", "owner", "tag"):
            answer = server.raw("GET", "/api/workflows", params={name: text})
            assert answer.status_code == 200
            found = [one["id"] for one in answer.json()["items"]]
            if name != "search" or len(text) > 1:
                assert found == [], f"{name}={text}"
        for path in ("/api/catalog", "/api/runs", "/api/uploads", "/api/audit"):
            assert server.raw("GET", path, params={"cursor": text}).status_code in (200, 400)
            assert server.raw("GET", path, params={"state": text, "pipeline": text}).status_code in (200, 400, 404)
            assert server.raw("GET", path, params={"limit": text}).status_code == 400
    assert server.get(f"/api/workflows/{pipeline['id']}")["name"] == pipeline["name"]
    server.delete(f"/api/workflows/{pipeline['id']}")


def test_answers_cannot_be_split(server):
    said = talk(server, request(server, "GET /api/uploads/a%0d%0aSet-Cookie:%20x=1 HTTP/1.1"))
    assert status_of(said) == 400
    assert b"\r\nSet-Cookie" not in said
    answer = server.raw("POST", "/api/workflows", json={"name": "a\r\nSet-Cookie: x=1"})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


# ---- bodies and headers ----


def test_bodies_that_are_not_plain_json(server):
    def post(body):
        return server.raw("POST", "/api/workflows", data=body, headers={"Content-Type": "application/json"})

    before = len(server.all("/api/workflows"))
    bad = {
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "twice": b'{"name": "a", "name": "b"}',
        "twice below": b'{"name": "a", "tags": [], "tags": ["x"]}',
        "no UTF-8": b'{"name": "\xff\xfe"}',
        "overlong": b'{"name": "\xc0\xaf"}',
        "half a pair": b'{"name": "\\ud800"}',
        "NUL": b'{"name": "a\\u0000b"}',
        "NUL key": b'{"name\\u0000": "a"}',
        "NaN": b'{"name": "a", "max_parallel_jobs": NaN}',
        "infinite": b'{"name": "a", "max_parallel_jobs": 1e999}',
        "large integer": b'{"name": "a", "max_parallel_jobs": ' + b"9" * 400 + b"}",
        "two": b'{"name": "a"}{"name": "b"}',
        "list": b'[{"name": "a"}]',
        "text": b'"a"',
        "null": b"null",
        "comment": b'{"name": "a" /* x */}',
        "UTF-16": '{"name": "a"}'.encode("utf-16"),
    }
    for what, body in bad.items():
        answer = post(body)
        assert answer.status_code == 400, f"{what}: {answer.status_code} {answer.text[:300]}"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
    assert len(server.all("/api/workflows")) == before


def test_bodies_beyond_the_limit(server):
    large = json.dumps({"name": "a", "description": "x" * (9 << 20)}).encode()
    assert len(large) > BODY_MOST
    for method, path in (("POST", "/api/workflows"), ("POST", "/api/login"), ("POST", "/api/apply")):
        answer = server.raw(method, path, data=large, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, path
    within = json.dumps({"name": "a", "description": "x" * (7 << 20)}).encode()
    answer = server.raw("POST", "/api/workflows", data=within, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert [one["code"] for one in answer.json()["errors"]] == ["length"]


def test_prefect_kind_is_refused_wherever_it_stands(server):
    pipeline = server.pipeline()
    base = f"/api/workflows/{pipeline['id']}"
    bomb = {"__prefect_kind": "jinja", "template": "{{ 1 }}"}
    job = {"name": "j", "source_type": "file_local", "format": "csv", "config": {"path": "a.csv"}}
    for method, path, body in (
        ("POST", "/api/workflows", {"name": "p", **bomb}),
        ("POST", "/api/workflows", {"name": "p", "tags": [bomb]}),
        ("POST", f"{base}/ingest-jobs", {**job, **bomb}),
        ("POST", f"{base}/ingest-jobs", {**job, "config": {**job["config"], **bomb}}),
        ("POST", f"{base}/ingest-jobs", {**job, "rename_map": {"__prefect_kind": "x"}}),
        ("POST", f"{base}/ingest-jobs", {**job, "user_schema": [{"name": "a", "type": "string", **bomb}]}),
        ("PATCH", base, bomb),
    ):
        problem = server.refused(method, path, body)
        assert problem.status == 400
        assert any(pointer.endswith("__prefect_kind") for pointer in problem.pointers()) or path == "/api/workflows"
    assert server.all(f"{base}/ingest-jobs") == []
    server.delete(base)


def test_too_many_and_too_long_headers(server):
    many = (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(100_000)) + b"\r\n"
    )
    long = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * (10 << 20) + b"\r\n\r\n"
    cookie = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"a=b; " * 100_000 + b"\r\n\r\n"
    line = b"GET /" + b"a" * (10 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    query = b"GET /healthz?" + b"a=1&" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for sent in (many, long, cookie, line, query):
        try:
            said = talk(server, sent, timeout=10)
        except (BrokenPipeError, ConnectionResetError):
            said = b""  # cut off while it was sending
        assert said == b"" or status_of(said) in (400, 413, 414, 431), said[:200]
        alive(server)


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def test_bodies_are_kept_for_those_only_who_may_send_them(server):
    """Memory: 40 strangers that send 8 MiB each and never end."""
    before = resident(server)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server))))
            s.settimeout(5)
            head = f"POST /api/workflows HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY_MOST}\r\n\r\n"
            with contextlib.suppress(OSError):
                s.sendall(head.encode() + b" " * (BODY_MOST - 1))
        alive(server)
        assert resident(server) - before < 64 << 10
    alive(server)


def test_lying_lengths(server):
    body = b'{"name": "lie"}'
    short = request(
        server, "POST /api/workflows HTTP/1.1", "Content-Type: application/json", "Content-Length: 5", body=body
    )
    said = talk(server, short, timeout=3)
    assert status_of(said) == 400
    for headers in (
        ["Content-Length: 5", "Content-Length: 15"],
        ["Content-Length: +15"],
        ["Content-Length: 15x"],
        ["Content-Length: 0x0f"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length: 15", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
    ):
        said = talk(
            server,
            request(server, "POST /api/workflows HTTP/1.1", "Content-Type: application/json", *headers, body=body),
            timeout=2,
        )
        assert said == b"" or 400 <= status_of(said) < 500 or status_of(said) == 501, f"{headers}: {said[:200]}"
        # Nothing of the body was taken for a request of its own.
        assert said.count(b"HTTP/1.1 ") <= 2
    assert all(one["name"] != "lie" for one in server.all("/api/workflows"))
    alive(server)


def test_a_smuggled_request_is_not_run(server):
    """What a proxy takes for one body must not be a second request here."""
    inner = request(server, "POST /api/workflows HTTP/1.1", "Content-Length: 20", body=b'{"name": "smuggled"}')
    outer = request(
        server,
        "POST /api/workflows HTTP/1.1",
        f"Content-Length: {len(inner) + 5}",
        "Transfer-Encoding: chunked",
        body=b"0\r\n\r\n" + inner,
    )
    talk(server, outer, timeout=3)
    assert all(one["name"] != "smuggled" for one in server.all("/api/workflows"))


def test_an_upload_that_is_shorter_or_longer_than_it_said(server):
    for length, sent in ((100, b"x" * 50), (10, b"x" * 5)):
        with socket.create_connection(("127.0.0.1", port_of(server))) as s:
            s.sendall(
                request(
                    server,
                    "POST /api/uploads?filename=lie.csv HTTP/1.1",
                    "Content-Type: text/csv",
                    f"Content-Length: {length}",
                    body=sent,
                )
            )
    deadline = time.monotonic() + 10
    while server.all("/api/uploads") or list((server.home / "uploads").iterdir()):
        assert time.monotonic() < deadline, server.all("/api/uploads")
        time.sleep(0.05)
    made = server.post("/api/uploads", {"filename": "a", "size": 4})
    path = f"/api/uploads/{made['id']}"
    assert server.raw("PUT", path, data=b"12345", headers=OCTETS).status_code in (400, 413, 422)
    for header in ("bytes 0-3/9", "bytes 3-0/4", "bytes 0-99999999999999999999/4", "bytes -1-3/4", "lines 0-3/4", "x"):
        answer = server.raw("PUT", path, data=b"1234", headers={**OCTETS, "Content-Range": header})
        assert 400 <= answer.status_code < 500, header
    for offset in ("-1", "18446744073709551616", "x", "1e3"):
        answer = server.raw("PUT", path, data=b"1234", headers={**OCTETS, "Upload-Offset": offset})
        assert 400 <= answer.status_code < 500, offset
    assert server.get(path)["state"] == "receiving"
    server.delete(path)


@pytest.mark.parametrize(
    "filename", ["../../evil.csv", "/etc/passwd", "a/b.csv", "..\\evil.csv", "a\nb.csv", "a\x7fb", ".", "..", ".hidden"]
)
def test_the_name_of_an_upload_leads_nowhere(server, filename):
    made = server.raw("POST", "/api/uploads", params={"filename": filename}, data=b"k\n1\n", headers=OCTETS)
    announced = server.raw("POST", "/api/uploads", json={"filename": filename})
    assert made.status_code in (201, 400)
    assert announced.status_code == made.status_code
    if made.status_code == 400:
        return
    server.delete(f"/api/uploads/{announced.json()['id']}")
    pipeline = server.pipeline()
    body = {"name": "u", "source_type": "file_upload", "format": "csv", "config": {"upload_id": made.json()["id"]}}
    job = server.post(f"/api/workflows/{pipeline['id']}/ingest-jobs", {**body, "dataset": pipeline["slug"]})
    before = {path for path in server.home.parent.rglob("*")}
    run = server.run_job(job)
    assert run["rows_written"] == 1
    for path in {path for path in server.home.parent.rglob("*")} - before:
        relative = path.relative_to(server.home / "lake")
        assert relative.parts[0] in ("bronze", "landing", ".staging"), path
        assert not any(ord(c) < 32 or c in "\\\x7f" for part in relative.parts for c in part), path
        assert not relative.name.startswith(".") or relative.parts == (".staging",), path
    server.delete(f"/api/workflows/{pipeline['id']}")


# ---- slow senders ----


def dripping(server, head, drip, results, every=0.5, most=75.0):
    """Sends a byte or a header now and then, and notes when the server has had enough."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(server))) as s:
        s.settimeout(every)
        s.sendall(head)
        while time.monotonic() - began < most:
            try:
                s.sendall(drip)
                if s.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            results.append(None)
            return
    results.append(time.monotonic() - began)


def test_slow_senders_end_and_hold_nobody_up(server):
    results = []
    host = f"Host: localhost\r\nAuthorization: Bearer {server.token}\r\n".encode()
    kinds = [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
        (b"GET / HTTP/1.1\r\nX: ", b"y"),
        (b"G", b"E"),
        (b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ]
    threads = [
        threading.Thread(target=dripping, args=(server, head, drip, results), daemon=True)
        for head, drip in kinds
        for _ in range(10)
    ]
    for one in threads:
        one.start()
    hanging = []
    for _ in range(40):  # silent ones, that have sent a part of a body
        s = socket.create_connection(("127.0.0.1", port_of(server)))
        s.sendall(b"POST /api/workflows HTTP/1.1\r\n" + host + b"Content-Length: 1000\r\n\r\n{")
        hanging.append(s)
    for _ in range(30):
        began = time.monotonic()
        alive(server)
        assert time.monotonic() - began < 3
    for one in threads:
        one.join(80)
    for s in hanging:
        s.close()
    assert len(results) == len(threads)
    assert None not in results, "a sender that drips was not cut off"
    alive(server)


def test_one_address_does_not_take_all_connections(server):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), timeout=2))
        time.sleep(0.2)
        with open(f"/proc/{server.process.pid}/status"):
            pass
    deadline = time.monotonic() + 20
    while True:
        try:
            alive(server)
            break
        except requests.RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.2)
