"""A real PostgreSQL (Debian's package) on a loopback port, in a temporary directory, as an unprivileged user.

    def test_x(postgres):                      # a database of its own on the session's server
        postgres.execute("create table t (a int)")
        postgres.config                        # what a connection of kind postgres needs to reach it

`postgres_server` is the session's server; `PostgresServer()` as a context manager is one that a test may kill.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

import psycopg
import pytest

USER, PASSWORD = "flow", "Tr0ub4dor&3 'quoted'"
# Durability and statistics are of no use to a test; two cores are shared with the program under test.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
HBA = """local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""


def programs():
    """The folder of the newest installed server."""
    found = sorted(
        pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name)
    )
    assert found, "PostgreSQL is missing: run scripts/setup.sh check"
    return found[-1].parent


def as_server_user():
    """PostgreSQL refuses to run as root: then its package's own user runs it."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Database:
    """One database of a server and how a client reaches it."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    @property
    def config(self):
        """The config of a connection, its secret included."""
        return {
            "host": "127.0.0.1",
            "port": self.server.port,
            "database": self.name,
            "user": USER,
            "password": PASSWORD,
            "sslmode": "prefer",
        }

    @property
    def uri(self):
        return psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=self.server.port, dbname=self.name, user=USER, password=PASSWORD
        )

    def connect(self, **options):
        return psycopg.connect(self.uri, autocommit=True, **options)

    def execute(self, sql, parameters=None):
        """All rows of a statement, as tuples; None where it gives none."""
        with self.connect() as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else None


class PostgresServer:
    """The server process; `stop`, `kill` and `start` again keep data and port."""

    def __init__(self, tls=False, **settings):
        # Not below pytest's folder: that one is closed to other users.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="flowforge-postgres-"))
        self.data = self.root / "data"
        self.settings = {**SETTINGS, **settings, "unix_socket_directories": str(self.root)}
        self.port = free_port()
        self.process = None
        self.tls = tls
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.root, owner.pw_uid, owner.pw_gid)

    def run(self, *words, stdin=None):
        done = subprocess.run(
            [*as_server_user(), *map(str, words)], input=stdin, capture_output=True, text=True, cwd="/", check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr or done.stdout}"
        return done.stdout

    def initialise(self):
        self.run(
            *(programs() / "initdb", "--pgdata", self.data, "--username", "postgres", "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--auth", "trust", "--no-sync", "--no-instructions"),
        )
        self.run("tee", self.data / "pg_hba.conf", stdin=HBA)
        if self.tls:
            self.run(
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", self.data / "server.key", "-out", self.data / "server.crt"),
            )
            self.settings["ssl"] = "on"

    @property
    def certificate(self):
        """What a client has to trust, with tls=True; it names 127.0.0.1."""
        return self.data / "server.crt"

    def start(self, timeout=60):
        first = not self.data.exists()
        if first:
            self.initialise()
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.log = open(self.root / "log", "ab")  # open for as long as the server writes to it
        self.process = subprocess.Popen(
            [*as_server_user(), str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd="/",
            start_new_session=True,
        )
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.admin("select 1")
                break
            except psycopg.OperationalError:
                said = (self.root / "log").read_text(errors="replace")[-2000:]
                assert self.process.poll() is None, f"PostgreSQL ended with {self.process.returncode}: {said}"
                assert time.monotonic() < deadline, f"PostgreSQL does not answer: {said}"
                time.sleep(0.05)
        if first:
            self.admin(psycopg.sql.SQL("create role flow login password {}").format(PASSWORD))
        return self

    def admin(self, statement):
        with psycopg.connect(
            host=str(self.root), port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def database(self, name=None):
        name = name or f"d{uuid.uuid4().hex[:12]}"
        self.admin(psycopg.sql.SQL("create database {} owner flow").format(psycopg.sql.Identifier(name)))
        return Database(self, name)

    def end(self, how, timeout=30):
        if self.process and self.process.poll() is None:
            # SIGINT is PostgreSQL's fast shutdown; a kill takes its backends along, as a power failure would.
            backends = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            self.process.send_signal(how)
            for backend in backends if how == signal.SIGKILL else []:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(backend), how)
            self.process.wait(timeout)
            self.log.close()

    def stop(self):
        self.end(signal.SIGINT)

    def kill(self):
        self.end(signal.SIGKILL)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server():
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres(postgres_server):
    """An empty database."""
    return postgres_server.database()
