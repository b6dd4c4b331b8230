"""TLS by certificate and key files: it works, plain HTTP does not, and files that do not fit stop the start."""

import json
import os
import socket
import ssl
import subprocess

import pytest
import server as servers
from flowforge import PROGRAM
from test_http import port_of, talk
from test_ingest import write


def make_certificate(folder, name, kind=("rsa:2048",), subject="/CN=localhost", extra=()):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    words = ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj", subject, *extra]
    words += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run(words, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    made = {
        "rsa": make_certificate(folder, "rsa"),
        "ec": make_certificate(folder, "ec", ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")),
    }
    (folder / "text").write_text("no PEM at all")
    (folder / "empty").write_text("")
    (folder / "broken").write_text(made["rsa"][0].read_text().replace("M", "N"))
    (folder / "large").write_bytes(b"x" * (2 << 20))
    (folder / "folder").mkdir()
    return {"folder": folder, **made}


@pytest.fixture(scope="module", params=["rsa", "ec"])
def server(request, files, tmp_path_factory):
    certificate, key = files[request.param]
    one = servers.Server(tmp_path_factory.mktemp("home") / "home", "--tls-cert", certificate, "--tls-key", key)
    one.session.verify = str(certificate)
    one.session.trust_env = False
    with one:
        one.certificate = certificate
        yield one


def test_https_works_and_cookies_are_for_it_only(server):
    assert server.url.startswith("https://127.0.0.1:")
    assert server.get("/healthz")["status"] == "ok"
    login = server.raw("POST", "/api/login", json={"token": server.token})
    assert {"Secure", "HttpOnly", "SameSite=Strict"} <= {
        word.strip() for word in login.headers["Set-Cookie"].split(";")
    }
    front = server.raw("GET", "/", params={"token": server.token}, allow_redirects=False)
    assert "Secure" in front.headers["Set-Cookie"]
    pipeline = server.pipeline()
    job = server.ingest(pipeline, "a", write(server.inbox / "a.csv", "k\n1\n"))
    assert server.run_job(job)["rows_written"] == 1
    data = os.urandom(3 << 20)
    made = server.raw(
        "POST", "/api/uploads?filename=a", data=data, headers={"Content-Type": "application/octet-stream"}
    )
    assert made.json()["size"] == len(data)


def test_plain_http_on_that_port_gets_nothing(server):
    said = talk(
        server,
        f"GET /api/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode(),
        timeout=5,
    )
    assert b"HTTP/1" not in said and b"role" not in said
    assert server.get("/healthz")["status"] == "ok"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_what_is_old_or_not_asked_for_is_refused(server):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as plain:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain)
    strict = ssl.create_default_context()  # an unknown certificate
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            strict.wrap_socket(plain, server_hostname="127.0.0.1")


def command(server, *words):
    done = subprocess.run(
        [PROGRAM, *words, "--home", server.home], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    return done


def test_the_command_line_goes_through_it(server):
    pipeline = server.pipeline("from the command line")
    server.ingest(pipeline, "b", write(server.inbox / "b.csv", "k\n1\n2\n"))
    done = command(server, "run", pipeline["name"], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state_type"] == "COMPLETED"
    listed = command(server, "pipelines", "--json")
    assert pipeline["id"] in listed.stdout
    owner = json.loads((server.home / "server.lock").read_text())
    assert owner["certificate"] == str(server.certificate)


def test_the_command_line_trusts_that_certificate_only(server, files):
    """Whoever takes the port over after a crash does not get the token."""
    lock = server.home / "server.lock"
    kept = lock.read_text()
    other = files["ec" if "rsa" in str(server.certificate) else "rsa"][0]
    try:
        lock.write_text(json.dumps({**json.loads(kept), "certificate": str(other)}))
        done = command(server, "pipelines")
        assert done.returncode != 0
        assert "certificate" in done.stderr.lower()
    finally:
        lock.write_text(kept)
    assert command(server, "pipelines").returncode == 0


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("rsa.pem", "ec.key", "belong together"),
        ("ec.pem", "rsa.key", "belong together"),
        ("rsa.pem", "rsa.pem", "key"),
        ("rsa.key", "rsa.key", "certificate"),
        ("text", "rsa.key", "certificate"),
        ("rsa.pem", "text", "key"),
        ("empty", "rsa.key", "certificate"),
        ("rsa.pem", "empty", "key"),
        ("broken", "rsa.key", "certificate"),
        ("nothere", "rsa.key", "nothere"),
        ("rsa.pem", "nothere", "nothere"),
        ("folder", "rsa.key", "folder"),
        ("large", "rsa.key", "large"),
        ("rsa.pem", None, "--tls-key"),
        (None, "rsa.key", "--tls-cert"),
    ],
)
def test_files_that_do_not_fit_stop_the_start(files, tmp_path, certificate, key, said):
    words = []
    for option, name in (("--tls-cert", certificate), ("--tls-key", key)):
        words += [option, files["folder"] / name] if name else []
    done = subprocess.run(
        [PROGRAM, "serve", "--home", tmp_path / "home", "--listen", "127.0.0.1:0", *words],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode in (1, 2), done
    assert said in done.stderr, done.stderr
    assert "PRIVATE KEY" not in done.stderr + done.stdout
    assert done.stdout == ""
