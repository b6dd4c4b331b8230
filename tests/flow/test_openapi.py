"""The OpenAPI document is valid and complete, and what a property-based tester makes of it finds no defect."""

import contextlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import textwrap

import pytest
import server as servers
from flowforge import ROOT
from openapi_spec_validator import OpenAPIV31SpecValidator
from test_http import OCTETS
from test_ingest import write

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
SEED = 20260101
EXAMPLES = int(os.environ.get("FLOWFORGE_SCHEMATHESIS_EXAMPLES", "8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with servers.Server(tmp_path_factory.mktemp("openapi") / "home") as one:
        yield one


@pytest.fixture(scope="module")
def document(server):
    return server.get("/api/openapi.json")


def in_source():
    """(method, path) of every row of the route tables, read from the C text: what the server really has."""
    found = set()
    for path in sorted((ROOT / "src" / "api").glob("routes_*.c")):
        text = path.read_text()
        names = dict(re.findall(r'#define (\w+) ((?:"[^"]*"|\w+| )+)$', text, re.M))

        def literal(words, names=names):
            parts = re.findall(r'"([^"]*)"|(\w+)', words)
            return "".join(text if not name else literal(names[name]) for text, name in parts)

        rows = re.findall(r'\{\s*\.method = "([A-Z]+)",\s*\.pattern = ([^,]+),', text)
        assert text.count("_routes = {") == 1 and len(rows) == text.count(".handle = "), path
        found |= {(method, literal(words)) for method, words in rows}
    assert len(found) > 50
    return found


def described(document):
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


def test_it_is_valid(document):
    assert document["openapi"].startswith("3.1")
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    assert errors == []
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
            assert named == re.findall(r"\{(\w+)\}", path), f"{method} {path}"
            assert operation["summary"] and operation["tags"], f"{method} {path}"
            assert any(code.startswith(("2", "3")) for code in operation["responses"]), f"{method} {path}"


def test_it_has_every_route_and_no_other(document):
    assert described(document) == in_source()


def test_every_route_answers_and_what_is_not_there_does_not(server, document):
    """By asking: what is described is there (not 404 of the path, not 405), every other method is a 405."""
    for path, here in document["paths"].items():
        # /api/connections/test is also what /api/connections/{id} matches.
        as_id = re.sub(r"/[^/{}]+$", "/{id}", path)
        methods = {**document["paths"].get(as_id, {}), **here}
        concrete = re.sub(r"\{\w+\}", "0" * 26, path)
        for method in METHODS[:-2]:
            answer = server.raw(method, concrete, allow_redirects=False)
            there = method.lower() in methods or (method == "HEAD" and "get" in methods) or method == "OPTIONS"
            assert (answer.status_code != 405) == there, f"{method} {path}: {answer.status_code}"
            if method != "HEAD" and answer.status_code == 404:
                assert "there is nothing at" not in answer.text, f"{method} {path}"
            if not there:
                allowed = set(answer.headers["Allow"].split(", "))
                assert {one.upper() for one in methods} <= allowed


def test_with_the_feature_off_it_has_only_what_answers(tmp_path, document):
    with servers.Server(tmp_path / "home", "--layer-centric", "off") as off:
        less = off.get("/api/openapi.json")
        assert [e.message for e in OpenAPIV31SpecValidator(less).iter_errors()] == []
        gone = described(document) - described(less)
        for method, path in described(document):
            answer = off.raw(method, re.sub(r"\{\w+\}", "x", path), json={} if method in ("POST", "PATCH") else None)
            is_off = answer.status_code == 403 and answer.json()["code"] == "feature_off"
            assert is_off == ((method, path) in gone), f"{method} {path}: {answer.status_code}"
        areas = ("workflows", "runs", "pipeline-runs", "ingest-runs", "dataset-runs", "catalog", "preview", "validate")
        areas += ("apply", "uploads", "connections")
        assert {path.split("/")[2] for _, path in gone} == set(areas)


@pytest.fixture(scope="module")
def furnished(server):
    """Pipelines, jobs and runs of both kinds, uploads and datasets: ids for the parameters of deep routes. Two of each
    kind: one is kept, one may be deleted."""
    return {"kept": furnish(server, "furnished"), "victims": furnish(server, "victims")}


def furnish(server, name):
    pipeline = server.pipeline(name)
    write(server.inbox / "a.csv", "k,v,at\n1,a,2024-01-01\n2,b,2024-01-02\n3,x,never\n")
    fields = {"partition_mode": "none", "error_handling": "quarantine", "quarantine_path": "quarantine"}
    fields |= {"schema_mode": "user", "dataset": name}
    fields["user_schema"] = [
        {"name": "k", "type": "bigint"},
        {"name": "v", "type": "string"},
        {"name": "at", "type": "date"},
    ]
    ingest = server.ingest(pipeline, "a", server.inbox / "a.csv", **fields)
    server.run_job(ingest)
    dataset = server.dataset(
        pipeline, "b", "SELECT v, count(*) AS n FROM i GROUP BY v", {"i": f"bronze.{name}"}, dataset=name
    )
    run = server.run(pipeline)
    by_kind = {("dataset" if one["job_name"] == "b" else "ingest"): one["id"] for one in run["job_runs"]}
    upload = server.raw("POST", "/api/uploads?filename=a.csv", data=b"k\n1\n", headers=OCTETS).json()
    open_upload = server.post("/api/uploads", {"filename": "open.csv"})
    database = server.inbox / f"{name}.db"
    with contextlib.closing(sqlite3.connect(database)) as made:
        made.execute("CREATE TABLE t (k INTEGER PRIMARY KEY)")
    connection = server.post(
        "/api/connections", {"name": f"{name} db", "kind": "sqlite", "config": {"path": str(database)}}
    )
    return {
        "connection": [connection["id"]],
        "pipeline": [pipeline["id"]],
        "ingest": [ingest["id"]],
        "dataset": [dataset["id"]],
        "pipeline run": [run["id"]],
        "ingest run": [by_kind["ingest"]],
        "dataset run": [by_kind["dataset"]],
        "catalog": [f"bronze.{name}", f"silver.{name}", server.catalog(f"silver.{name}")["id"]],
        "upload": [upload["id"], open_upload["id"]],
        "schema": ["ingest_job", "dataset_job", "pipeline", "run-states"],
    }


HOOKS = textwrap.dedent(
    """
    import json, os, random
    import schemathesis

    IDS = json.loads(os.environ["FF_IDS"])
    BY_PATH = (
        ("/ingest-jobs/{jobId}", {"id": "pipeline", "jobId": "ingest"}),
        ("/dataset-jobs/{jobId}", {"id": "pipeline", "jobId": "dataset"}),
        ("/api/workflows/{id}", {"id": "pipeline"}),
        ("/api/pipeline-runs/{id}", {"id": "pipeline run"}),
        ("/api/ingest-runs/{id}", {"id": "ingest run"}),
        ("/api/dataset-runs/{id}", {"id": "dataset run"}),
        ("/api/catalog/{id}", {"id": "catalog"}),
        ("/api/uploads/{id}", {"id": "upload"}),
        ("/api/connections/{id}", {"id": "connection"}),
        ("/api/schema/{name}", {"name": "schema"}),
    )
    draw = random.Random(1)


    @schemathesis.hook
    def map_path_parameters(context, path_parameters):
        # Seven of eight times an id that is there, else what the tester thought of.
        path = context.operation.path
        if not path_parameters:
            return path_parameters
        # What is deleted must be there for the rest: there are others to be deleted.
        deletes = context.operation.method.upper() == "DELETE" and "watermark" not in path
        ids = IDS["victims"] if deletes else IDS["kept"]
        invented = draw.random() < 0.125
        for part, names in BY_PATH:
            if part in path:
                known = {one for some in IDS["kept"].values() for one in some}
                for name, kind in names.items():
                    given = path_parameters.get(name)
                    # "0" stands in cases that are about something else.
                    if not invented or given == "0" or given in known:
                        path_parameters = {**path_parameters, name: draw.choice(ids[kind])}
                break
        return path_parameters


    @schemathesis.hook
    def after_call(context, case, response):
        with open("seen.txt", "a") as seen:
            seen.write(f"{case.method} {case.operation.path} {response.status_code}\\n")
    """
)


def run_tester(server, furnished, folder, role, *options):
    """Schemathesis from its command line, in a process of its own; its findings as text, "" for none."""
    token = server.post("/api/tokens", {"name": f"schemathesis {role}", "role": role})["token"]
    (folder / "hooks.py").write_text(HOOKS)
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    words = [
        *(program, "run", f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--seed", SEED, "--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing"),
        *(
            "--checks",
            "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance",
        ),
        *("--request-timeout", 40, "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all"),
        *("--exclude-path-regex", "/events$", "--warnings", "off", "--workers", 1),
        *("--report", "json", "--report-json-path", folder / "report.json"),
        *options,
    ]
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(folder),
            "FF_IDS": json.dumps(furnished),
            "NO_COLOR": "1",
            "DO_NOT_TRACK": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        },
    )
    return done


# What an editor may not, or what these examples cannot do.
NEVER = {
    "GET /",  # needs a token in its query
    "GET /api/audit",
    "GET /api/tokens",
    "POST /api/tokens",
    "DELETE /api/tokens/{id}",
    "GET /api/pipeline-runs/{id}/events",  # left out: it streams
    "GET /api/openapi.json",
}


def operations(server):
    document = server.get("/api/openapi.json")
    return [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]


@pytest.mark.parametrize("role", ["editor"])
def test_a_property_based_tester_finds_no_defect(server, furnished, tmp_path, role):
    done = run_tester(server, furnished, tmp_path, role)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-3000:]
    assert server.get("/healthz")["status"] == "ok"
    seen = {}
    for line in (tmp_path / "seen.txt").read_text().splitlines():
        method, path, status = line.split()
        seen.setdefault(f"{method} {path}", []).append(int(status))
    # A test that only meets 404s would find nothing: every route was reached, and found what its path names.
    missed = {where for where in operations(server) if not set(seen.get(where, ())) - {401, 403, 404, 405, 415}}
    assert missed <= NEVER
    assert sum(map(len, seen.values())) > 1000
