"""Connections: what they hold, who may see what, and that a secret is never seen again."""

import json
import os
import re
import subprocess

import pytest
import requests
import server as servers
from flowforge import PROGRAM
from postgres import PostgresServer

SECRET = "hunter2-Sehr&Geheim"
PG = {"host": "127.0.0.1", "database": "d", "user": "u", "password": SECRET}


def make(server, name="pg", kind="postgres", **config):
    return server.post("/api/connections", {"name": name, "kind": kind, "config": config or PG})


def everything(server):
    """All bytes of the home (database, its log, the lake) and all that the server has said."""
    parts = ["".join(server.log).encode()]
    parts += [path.read_bytes() for path in server.home.rglob("*") if path.is_file() and path.name != "secret.key"]
    return b"\n".join(parts)


def assert_nowhere(server, *secrets):
    found = everything(server)
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], secret.encode().hex()):
            assert form.encode() not in found, f"{form} is in the home or in the log"


def token(server, role):
    made = server.post("/api/tokens", {"name": role, "role": role})["token"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {made}"
    return lambda method, path, **options: session.request(method, server.url + path, timeout=30, **options)


# ---- records ----


def test_a_connection_is_made_changed_and_deleted(server):
    made = make(server)
    assert made["secrets_set"] == ["password"] and made["last_test"] is None
    assert made["config"]["port"] == 5432 and made["config"]["sslmode"] == "prefer"
    assert "password" not in made["config"]
    assert server.get(f"/api/connections/{made['id']}") == server.get("/api/connections/PG") == made
    changed = server.patch("/api/connections/pg", {"name": "sales", "config": {"port": 6000}})
    assert changed["name"] == "sales" and changed["config"]["port"] == 6000 and changed["config"]["host"] == "127.0.0.1"
    assert changed["secrets_set"] == ["password"] and changed["updated_at"] > made["updated_at"]
    assert server.all("/api/connections?limit=1") == [changed]
    assert server.patch("/api/connections/sales", {"config": {"password": None}})["secrets_set"] == []
    assert server.patch("/api/connections/sales", {"config": {"password": "x"}})["secrets_set"] == ["password"]
    server.delete(f"/api/connections/{made['id']}")
    assert server.all("/api/connections") == []
    assert server.refused("GET", "/api/connections/sales").status == 404


def test_names_are_unique_and_kinds_stay(server):
    make(server)
    assert server.refused("POST", "/api/connections", {"name": "PG", "kind": "postgres", "config": PG}).status == 409
    make(server, "other", "sqlite", path="a.db")
    assert server.refused("PATCH", "/api/connections/other", {"name": "pg"}).status == 409
    assert server.refused("PATCH", "/api/connections/pg", {"kind": "sqlite"}).pointers() == {"/kind": "read_only"}
    etag = server.raw("GET", "/api/connections/pg").headers["ETag"]
    server.patch("/api/connections/pg", {"config": {"port": 1}})
    late = server.raw("PATCH", "/api/connections/pg", json={"config": {"port": 2}}, headers={"If-Match": etag})
    assert late.status_code == 412


@pytest.mark.parametrize(
    ("kind", "config", "pointers"),
    [
        ("postgres", {}, {"host": "required", "database": "required", "user": "required"}),
        ("postgres", {**PG, "port": 0, "sslmode": "on"}, {"port": "range", "sslmode": "choice"}),
        ("postgres", {**PG, "sslmode": "verify-full"}, {"sslrootcert": "required"}),
        ("postgres", {**PG, "passwort": "x"}, {"passwort": "unknown_field"}),
        ("postgres", {**PG, "password": 5}, {"password": "type"}),
        ("sqlite", {"path": "/etc/passwd"}, {"path": "denied"}),
        ("sqlite", {"path": "../x.db"}, {"path": "format"}),
    ],
)
def test_what_cannot_work_is_refused(server, kind, config, pointers):
    problem = server.refused("POST", "/api/connections", {"name": "c", "kind": kind, "config": config})
    assert problem.status == 400
    assert problem.pointers() == {f"/config/{name}": code for name, code in pointers.items()}
    assert server.all("/api/connections") == []


@pytest.mark.parametrize("kind", ["mysql", "odbc", "s3", "http"])
def test_kinds_that_this_version_has_not_are_refused(server, kind):
    problem = server.refused("POST", "/api/connections", {"name": "c", "kind": kind, "config": {}})
    assert problem.pointers() == {"/kind": "choice"}
    message = problem.problem["errors"][0]["message"]
    assert message == f"'{kind}' is not in this version of FlowForge: write one of postgres, sqlite"
    assert server.refused("GET", f"/api/schema/connection-{kind}").status == 404
    assert f"connection-{kind}" not in {one["id"] for one in server.get("/api/schema")["items"]}
    fields = {one["key"]: one for one in server.get("/api/schema/connection")["fields"]}
    assert fields["kind"]["choices"] == ["postgres", "sqlite"]


def test_every_kind_has_its_field_table(server):
    named = {one["id"] for one in server.get("/api/schema")["items"]}
    for kind in ("postgres", "sqlite"):
        assert f"connection-{kind}" in named
        table = server.get(f"/api/schema/connection-{kind}")
        for field in table["fields"]:
            assert field["label"] and field["help"], (kind, field["key"])
    fields = {one["key"]: one for one in server.get("/api/schema/connection-postgres")["fields"]}
    assert fields["password"]["secret"] is True and fields["port"]["default"] == 5432
    assert server.refused("GET", "/api/schema/connection-ftp").status == 404


# ---- secrets ----


def test_a_secret_is_never_seen_again(server, postgres):
    secret = "S3cret \"quoted\" 'ß' " + os.urandom(8).hex()
    made = make(server, "pg", "postgres", **{**postgres.config, "password": secret})
    answers = [
        server.raw("GET", path).text
        for path in ("/api/connections", f"/api/connections/{made['id']}", "/api/audit", "/api/openapi.json")
    ]
    answers.append(server.raw("PATCH", "/api/connections/pg", json={"config": {"password": 7}}).text)
    answers.append(server.raw("POST", "/api/connections/pg/test").text)
    answers.append(server.raw("GET", "/api/connections/pg/tables").text)
    wrong = {"name": "x", "kind": "postgres", "config": {"password": secret, "port": "x"}}
    answers.append(server.raw("POST", "/api/connections", json=wrong).text)
    pipeline = server.pipeline()
    job = server.ingest(
        pipeline, "j", source_type="db_query", format=None, connection_id=made["id"], config={"table": "public.t"}
    )
    run = server.wait(server.start_job(job), ok=False)
    assert run["state_type"] == "FAILED"
    answers += [json.dumps(run), json.dumps(server.all(f"/api/pipeline-runs/{run['id']}/log?limit=500"))]
    answers.append(server.raw("GET", f"/api/workflows/{pipeline['id']}/export").text)
    for answer in answers:
        assert secret not in answer and json.dumps(secret)[1:-1] not in answer
    assert_nowhere(server, secret)
    assert (server.home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_lost_key_is_told_and_mended(server):
    make(server)
    make(server, "other")
    key = server.home / "secret.key"
    kept = key.read_bytes()
    key.unlink()
    problem = server.refused("POST", "/api/connections/pg/test")
    assert "secret.key" in problem.problem["detail"] and "backup" in problem.problem["hint"]
    # What needs no key works; nothing makes another key while secrets are sealed with the old one.
    server.patch("/api/connections/pg", {"config": {"port": 7}})
    assert server.refused("PATCH", "/api/connections/pg", {"config": {"password": "new"}}).status == 422
    assert not key.exists()
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    assert "another" in server.refused("POST", "/api/connections/pg/test").problem["detail"] + " another"
    key.chmod(0o644)
    assert server.refused("POST", "/api/connections/pg/test").status == 403
    key.write_bytes(kept)
    key.chmod(0o600)
    assert server.post("/api/connections/pg/test")["ok"] is False  # nobody listens there, but the secret opened
    key.unlink()
    for name in ("pg", "other"):
        assert server.patch(f"/api/connections/{name}", {"config": {"password": None}})["secrets_set"] == []
    assert server.patch("/api/connections/pg", {"config": {"password": "new"}})["secrets_set"] == ["password"]
    assert key.exists()


# ---- who may ----


def test_roles(server):
    made = make(server)
    viewer, editor = token(server, "viewer"), token(server, "editor")
    assert viewer("GET", "/api/connections").json()["items"][0] == made
    assert viewer("GET", f"/api/connections/{made['id']}").status_code == 200
    writes = [
        ("POST", "/api/connections"),
        ("PATCH", f"/api/connections/{made['id']}"),
        ("DELETE", f"/api/connections/{made['id']}"),
        ("POST", f"/api/connections/{made['id']}/test"),
        ("POST", "/api/connections/test"),
        ("GET", f"/api/connections/{made['id']}/tables"),
    ]
    for method, path in writes:
        assert viewer(method, path, json={}).status_code == 403, path
        assert requests.request(method, server.url + path, json={}, timeout=30).status_code == 401, path
    assert editor("PATCH", f"/api/connections/{made['id']}", json={"config": {"port": 1}}).status_code == 200
    assert editor("DELETE", f"/api/connections/{made['id']}").status_code == 204
    actions = [row["action"] for row in server.all("/api/audit")]
    assert {"connection.create", "connection.update", "connection.delete"} <= set(actions)


# ---- jobs ----


def test_a_connection_that_a_job_uses_stays(server):
    made = make(server)
    pipeline = server.pipeline("P one")
    fields = {"source_type": "db_query", "format": None, "config": {"table": "public.t"}}
    job = server.ingest(pipeline, "Orders", connection_id=made["id"], **fields)
    problem = server.refused("DELETE", f"/api/connections/{made['id']}")
    assert problem.status == 409 and "'Orders' of the pipeline 'P one'" in problem.problem["detail"]
    unknown = server.refused(
        "PATCH", f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}", {"connection_id": "0" * 26}
    )
    assert unknown.pointers() == {"/connection_id": "not_found"}
    server.delete(f"/api/workflows/{pipeline['id']}/ingest-jobs/{job['id']}")
    server.delete(f"/api/connections/{made['id']}")


def test_documents_name_connections(server, tmp_path):
    made = make(server)
    pipeline = server.pipeline("P doc")
    server.ingest(
        pipeline, "o", source_type="db_query", format=None, connection_id=made["id"], config={"table": "public.o"}
    )
    document = server.get(f"/api/workflows/{pipeline['id']}/export")
    job = document["ingest_jobs"][0]
    assert job["connection"] == "pg" and "connection_id" not in job
    assert {change["action"] for change in server.post("/api/apply", document)["changes"]} == {"unchanged"}
    with servers.serving(tmp_path / "second") as second:
        problem = second.refused("POST", "/api/apply", document)
        assert problem.pointers() == {"/ingest_jobs/0/connection": "not_found"}
        other = make(second, "PG")
        second.post("/api/apply", document)
        jobs = second.all(f"/api/workflows/{second.all('/api/workflows')[0]['id']}/ingest-jobs")
        assert jobs[0]["connection_id"] == other["id"]


# ---- against a real server ----


def steps_of(result):
    return [(step["step"], step["ok"]) for step in result["steps"]]


def test_the_test_tells_each_step(server, postgres):
    made = make(server, "pg", "postgres", **postgres.config)
    result = server.post(f"/api/connections/{made['id']}/test")
    assert result["ok"] is True, result
    assert [name for name, ok in steps_of(result) if ok][-2:] == ["authenticate", "select"]
    assert all(step["seconds"] >= 0 for step in result["steps"])
    kept = server.get("/api/connections/pg")
    assert kept["last_test"] == result and kept["updated_at"] == made["updated_at"]
    cases = [
        ({"password": "wrong " + SECRET}, "authenticate", "password"),
        ({"port": 1}, "connect", "listen"),
        ({"host": "no-such-host.invalid"}, "resolve", "name"),
        ({"database": "nowhere"}, "authenticate", "database"),
        ({"sslmode": "require"}, "tls", "sslmode"),
    ]
    for config, step, hint in cases:
        result = server.post("/api/connections/test", {"id": "pg", "config": config})
        assert result["ok"] is False and steps_of(result)[-1] == (step, False), (config, result)
        assert hint in result["steps"][-1]["hint"], result
        assert SECRET not in json.dumps(result)
    assert server.get("/api/connections/pg")["last_test"]["ok"] is True
    unsaved = server.post("/api/connections/test", {"kind": "postgres", "config": postgres.config})
    assert unsaved["ok"] is True
    assert server.refused("POST", "/api/connections/test", {"config": {}}).pointers() == {"/kind": "required"}
    assert server.refused("POST", "/api/connections/test", {"id": "x"}).pointers() == {"/id": "not_found"}
    assert_nowhere(server, SECRET)


def test_tls_is_checked(server):
    with PostgresServer(tls=True) as secure:
        config = {**secure.database().config, "sslmode": "verify-full", "sslrootcert": str(secure.certificate)}
        make(server, "tls", "postgres", **config)
        assert ("tls", True) in steps_of(server.post("/api/connections/tls/test"))
        result = server.post(
            "/api/connections/test", {"id": "tls", "config": {"sslrootcert": "/etc/ssl/certs/ca-certificates.crt"}}
        )
        assert steps_of(result)[-1] == ("tls", False)


def test_tables(server, postgres):
    postgres.execute("create schema sales")
    postgres.execute("create table sales.orders (id bigint primary key, total numeric(12,2) not null, note text)")
    postgres.execute("create view public.recent_orders as select id from sales.orders")
    make(server, "pg", "postgres", **postgres.config)
    answer = server.get("/api/connections/pg/tables")
    found = {(one["schema"], one["name"]): one for one in answer["tables"]}
    assert answer["more"] is False and set(found) == {("sales", "orders"), ("public", "recent_orders")}
    columns = {one["name"]: one for one in found["sales", "orders"]["columns"]}
    assert columns["id"]["key"] is True and columns["id"]["type"] == "bigint"
    assert columns["total"]["type"] == "decimal(12,2)" and columns["total"]["nullable"] is False
    assert [t["name"] for t in server.get("/api/connections/pg/tables?schema=sales")["tables"]] == ["orders"]
    assert len(server.get("/api/connections/pg/tables?search=ORDERS")["tables"]) == 2
    assert server.get("/api/connections/pg/tables?search=recent&schema=sales")["tables"] == []


# ---- runs ----


@pytest.fixture
def orders(server, postgres):
    postgres.execute("create table orders (id bigint primary key, at timestamp not null, n int)")
    postgres.execute(
        "insert into orders select i, timestamp '2026-01-01' + i * interval '1 day', i from generate_series(0, 9) i"
    )
    made = make(server, "pg", "postgres", **postgres.config)
    return server.ingest(
        server.pipeline(),
        "orders",
        source_type="db_query",
        format=None,
        connection_id=made["id"],
        config={"table": "public.orders"},
        incremental_mode="incremental",
        watermark_column="at",
        dedupe_keys=["id"],
        partition_mode="none",
    )


def values(server):
    return {row["id"]: row["n"] for row in server.rows("bronze.orders")}


def test_a_backfill_leaves_the_watermark(server, postgres, orders):
    server.run_job(orders)
    place = f"/api/workflows/{orders['pipeline_id']}/ingest-jobs/{orders['id']}"
    before = server.get(place + "/watermark")
    assert values(server) == {i: i for i in range(10)}
    postgres.execute("update orders set n = n + 100")
    body = {"range": {"from": "2026-01-03", "to": "2026-01-05"}}
    run = server.wait(server.post(place + "/run", body))["job_runs"][0]
    assert run["rows_read"] == 2
    assert values(server) == {i: i + 100 if i in (2, 3) else i for i in range(10)}
    assert server.get(place + "/watermark") == before
    assert server.get(f"/api/ingest-runs/{run['id']}")["config"]["range"] == body["range"]
    assert "range" not in server.get(place)


def test_a_reset_takes_everything_again(server, postgres, orders):
    server.run_job(orders)
    place = f"/api/workflows/{orders['pipeline_id']}/ingest-jobs/{orders['id']}"
    postgres.execute("update orders set n = 7")
    server.delete(place + "/watermark", {"reason": "the source was repaired"})
    assert server.get(place + "/watermark")["watermark"] is None
    assert server.get("/api/audit")["items"][0]["details"]["reason"] == "the source was repaired"


def test_ranges_that_mean_nothing_are_refused(server, orders):
    place = f"/api/workflows/{orders['pipeline_id']}/ingest-jobs/{orders['id']}"
    both = {"from": "2026-01-01", "to": "2026-02-01"}
    cases = [
        ({"range": {"from": "2026-01-01"}}, "/range/to"),
        ({"range": {"from": "", "to": "x"}}, "/range/from"),
        ({"range": {**both, "till": "x"}}, "/range/till"),
        ({"rnge": both}, "/rnge"),
    ]
    for body, pointer in cases:
        assert list(server.refused("POST", place + "/run", body).pointers()) == [pointer]
    server.patch(place, {"incremental_mode": "full"})
    assert server.refused("POST", place + "/run", {"range": both}).pointers() == {"/range": "combination"}
    (server.inbox / "a.csv").write_text("id\n1\n")
    files = server.ingest(server.pipeline(), "f", "a.csv", incremental_mode="incremental", watermark_column="id")
    place = f"/api/workflows/{files['pipeline_id']}/ingest-jobs/{files['id']}"
    assert server.refused("POST", place + "/run", {"range": both}).pointers() == {"/range": "combination"}


def test_preview_by_a_connection_that_is_not_saved(server, postgres):
    postgres.execute("create table t (a int, b text); insert into t values (1, 'x'), (2, null)")
    job = {"source_type": "db_query", "config": {"query": "select a, b from t order by a"}}
    unsaved = {"kind": "postgres", "config": postgres.config}
    answer = server.post("/api/preview", {"job": job, "connection": unsaved})
    shown = answer
    assert [column["name"] for column in shown["schema"]] == ["a", "b"]
    assert len(shown["rows"]) == 2
    made = make(server, "pg", "postgres", **postgres.config)
    assert server.post("/api/preview", {"job": {**job, "connection_id": made["id"]}})["rows"] == shown["rows"]
    wrong = server.refused("POST", "/api/preview", {"job": job, "connection": {"kind": "postgres"}})
    assert set(wrong.pointers()) == {f"/connection/config/{name}" for name in ("host", "database", "user")}
    other = {"kind": "http", "config": {}}
    assert server.refused("POST", "/api/preview", {"job": job, "connection": other}).pointers() == {
        "/connection/kind": "choice"
    }
    assert_nowhere(server, postgres.config["password"])


# ---- the command line ----


def command(home, *words, env=None, code=0, stdin=None):
    done = subprocess.run(
        [PROGRAM, "connection", *words, "--home", home],
        capture_output=True,
        text=True,
        input=stdin,
        env={**os.environ, **(env or {})},
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (words, done.stdout, done.stderr)
    assert SECRET not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command_line(server, postgres, tmp_path):
    home, config = server.home, postgres.config
    settings = [word for key, value in config.items() if key != "password" for word in ("-s", f"{key}={value}")]
    (tmp_path / "pw").write_text(config["password"] + "\n")
    said = command(
        home, "create", "pg", "--kind", "postgres", *settings, "--secret-file", f"password={tmp_path / 'pw'}"
    )
    assert re.match(r"pg created \([0-9a-z]{26}\)", said)
    assert "authenticate" in command(home, "test", "pg")
    postgres.execute("create table t (a int)")
    assert "public" in command(home, "tables", "pg")
    assert "ok" in command(home, "list")
    command(home, "update", "pg", "--secret", f"password={SECRET}")
    assert "failed" in command(home, "test", "pg", code=1)
    command(home, "update", "pg", "--secret-env", "password=PG_PASS", env={"PG_PASS": config["password"]})
    assert json.loads(command(home, "test", "pg", "--json"))["ok"] is True
    command(home, "update", "pg", "--secret-file", "password=-", stdin=SECRET)
    assert "password" in json.loads(command(home, "show", "pg"))["secrets_set"]
    assert "is a secret" in command(home, "update", "pg", "-s", "password=x", code=2)
    assert "no such variable" in command(home, "update", "pg", "--secret-env", "password=NO_SUCH_VARIABLE", code=2)
    command(home, "delete", "pg")
    assert "no connection" in command(home, "delete", "pg", code=1)
    assert_nowhere(server, SECRET, config["password"])


def test_a_backfill_from_the_command_line(server, postgres, orders):
    server.run_job(orders)
    postgres.execute("update orders set n = -1")
    words = [PROGRAM, "run", "--home", server.home, orders["pipeline_id"], "--job", "orders", "--from", "2026-01-01"]
    half = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert half.returncode == 2 and "--to" in half.stderr
    subprocess.run([*words, "--to", "2026-01-02"], check=True, capture_output=True, timeout=60)
    assert values(server) == {i: -1 if i == 0 else i for i in range(10)}
